"""VP8's payload descriptor, as far as the relay must know it (RFC 7741 §4.2)."""

from live.relay.core.picture_counters import LONG, Counters, picture_id


def counters(packet: bytes, start: int) -> Counters | None:
    """The counters of the descriptor at `start`; None when there are none or it is cut short."""
    if len(packet) < start + 2 or not packet[start] & 0x80:
        return None
    flags, at = packet[start + 1], start + 2
    picture_at, picture, mask = None, 0, LONG
    try:
        if flags & 0x80:
            picture_at = at
            picture, mask = picture_id(packet, at)
            at += 2 if mask == LONG else 1
        if flags & 0x40:
            return Counters(picture_at, picture, mask, at, packet[at])
    except IndexError:
        return None
    return None if picture_at is None else Counters(picture_at, picture, mask, None, 0)


def payload_start(payload: bytes) -> int:
    """Where the frame begins behind the descriptor, which may be cut short."""
    if not payload or not payload[0] & 0x80:
        return 1
    flags = payload[1] if len(payload) > 1 else 0
    start = 2
    if flags & 0x80:
        start += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
    return start + (flags >> 6 & 1) + (1 if flags & 0x30 else 0)
