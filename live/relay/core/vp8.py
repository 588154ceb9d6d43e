"""The counters in a VP8 payload descriptor, read and moved on (RFC 7741 §4.2).

A viewer that goes from one encoder to another must see picture ids and TL0PICIDX run on.
"""

from typing import Final, NamedTuple

LONG: Final = 0x7FFF
SHORT: Final = 0x7F


class Counters(NamedTuple):
    """Where the counters stand in a packet, None where the descriptor has none; `mask` tells
    whether the picture id has 7 or 15 bits."""

    picture_at: int | None
    picture_id: int
    mask: int
    tl0_at: int | None
    tl0: int


def counters(packet: bytes, start: int) -> Counters | None:
    """The counters of the descriptor at `start`; None when there are none or it is cut short."""
    if len(packet) < start + 2 or not packet[start] & 0x80:
        return None
    flags, at = packet[start + 1], start + 2
    picture_at, picture_id, mask = None, 0, LONG
    try:
        if flags & 0x80:
            picture_at, picture_id, mask = at, packet[at], SHORT
            at += 1
            if picture_id & 0x80:
                picture_id, mask = (picture_id & 0x7F) << 8 | packet[at], LONG
                at += 1
        if flags & 0x40:
            return Counters(picture_at, picture_id, mask, at, packet[at])
    except IndexError:
        return None
    return None if picture_at is None else Counters(picture_at, picture_id, mask, None, 0)


def payload_start(payload: bytes) -> int:
    """Where the frame begins behind the descriptor, which may be cut short."""
    if not payload or not payload[0] & 0x80:
        return 1
    flags = payload[1] if len(payload) > 1 else 0
    start = 2
    if flags & 0x80:
        start += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
    return start + (flags >> 6 & 1) + (1 if flags & 0x30 else 0)


def moved(packet: bytes, start: int, picture_id: int, tl0: int) -> bytes:
    """The packet with its counters moved on by so much, each modulo its own size."""
    found = counters(packet, start)
    if found is None:
        return packet
    changed = bytearray(packet)
    if found.picture_at is not None:
        fresh = found.picture_id + picture_id & found.mask
        if found.mask == SHORT:
            changed[found.picture_at] = fresh
        else:
            changed[found.picture_at] = 0x80 | fresh >> 8
            changed[found.picture_at + 1] = fresh & 0xFF
    if found.tl0_at is not None:
        changed[found.tl0_at] = found.tl0 + tl0 & 0xFF
    return bytes(changed)
