"""VP9's payload descriptor, as far as the relay must know it (RFC 9628 §4.2).

References in it are differences of picture ids, so they hold wherever the ids go on from.
"""

from live.relay.core.picture_counters import LONG, Counters, picture_id


def counters(packet: bytes, start: int) -> Counters | None:
    """The counters of the descriptor at `start`; None when there are none or it is cut short.

    TL0PICIDX follows the layer indices, and only in non-flexible mode.
    """
    if len(packet) <= start:
        return None
    flags, at = packet[start], start + 1
    picture_at, picture, mask = None, 0, LONG
    try:
        if flags & 0x80:
            picture_at = at
            picture, mask = picture_id(packet, at)
            at += 2 if mask == LONG else 1
        if flags & 0x30 == 0x20:  # L set, F not
            return Counters(picture_at, picture, mask, at + 1, packet[at + 1])
    except IndexError:
        return None
    return None if picture_at is None else Counters(picture_at, picture, mask, None, 0)
