"""Where a packet of VP8 or VP9 counts pictures, and the same packet counting on from elsewhere.

A viewer that goes from one encoder to another must see picture ids and TL0PICIDX run on.
"""

from collections.abc import Callable
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


Read = Callable[[bytes, int], Counters | None]
"""Finds the counters of the payload descriptor that starts at an offset of a packet."""


def picture_id(packet: bytes, at: int) -> tuple[int, int]:
    """A picture id and its mask, after its M bit (RFC 7741 §4.2, RFC 9628 §4.2). Raises
    `IndexError` where it is cut short."""
    if packet[at] & 0x80:
        return (packet[at] & 0x7F) << 8 | packet[at + 1], LONG
    return packet[at], SHORT


def moved(packet: bytes, found: Counters, picture: int, tl0: int) -> bytes:
    """The packet with its counters moved on by so much, each modulo its own size."""
    changed = bytearray(packet)
    if found.picture_at is not None:
        fresh = found.picture_id + picture & found.mask
        if found.mask == SHORT:
            changed[found.picture_at] = fresh
        else:
            changed[found.picture_at] = 0x80 | fresh >> 8
            changed[found.picture_at + 1] = fresh & 0xFF
    if found.tl0_at is not None:
        changed[found.tl0_at] = found.tl0 + tl0 & 0xFF
    return bytes(changed)
