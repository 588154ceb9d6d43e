"""Where a key frame begins, by codec. Payloads are looked at, not decoded.

A payload that is cut short or is nonsense begins none. What is looked at is bounded: the first
units of a payload that holds several, and no more than the headers of each.
"""

from collections.abc import Callable, Iterator
from typing import Final

NAL_LIMIT: Final = 16
"""Units of one payload that are looked at."""

_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28
_HEVC_STARTS: Final = frozenset({*range(16, 24), 32, 33})
"""IRAP pictures, video and sequence parameter sets (ITU-T H.265 §7.4.2.2)."""
_HEVC_AP, _HEVC_FU = 48, 49
_AV1_SEQUENCE_HEADER: Final = 1


def h264_key_frame(payload: bytes) -> bool:
    """Whether an H.264 payload begins an IDR picture, or carries the parameters before one."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 31
    if kind == _FU_A:
        return payload[1] & 0x80 != 0 and payload[1] & 31 in (_IDR, _SPS)
    if kind == _STAP_A:
        return any(head & 31 in (_IDR, _SPS) for head in _aggregated(payload, 1))
    return kind in (_IDR, _SPS)


def vp8_key_frame(payload: bytes) -> bool:
    """Whether a VP8 payload begins a key frame (RFC 7741 §4.2, §4.3)."""
    if len(payload) < 2 or payload[0] & 0x17 != 0x10:
        return False
    offset = 1
    if payload[0] & 0x80:
        flags = payload[1]
        offset = 2
        if flags & 0x80:
            long = len(payload) > offset and payload[offset] & 0x80
            offset += 2 if long else 1
        offset += (flags >> 6 & 1) + (1 if flags & 0x30 else 0)
    return len(payload) > offset and payload[offset] & 1 == 0


def vp9_key_frame(payload: bytes) -> bool:
    """Whether a VP9 payload begins a key frame: the start of a frame of the lowest spatial layer
    that refers to no other, and that calls itself one (RFC 9628 §4.2, VP9 §6.2)."""
    bare = payload[0] & 0x48 == 0x08 if payload else False  # B set, P not
    start = _vp9_frame(payload) if bare else None
    if start is None or start >= len(payload):
        return False
    head = payload[start]
    if head >> 6 != 2:
        return False
    if head & 0x30 == 0x30:  # profile 3 has a reserved bit more
        head <<= 1
    return head & 0x0C == 0


def _vp9_frame(payload: bytes) -> int | None:
    """Where the frame begins after a descriptor without references; None in an upper layer."""
    flags, at = payload[0], 1
    try:
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        if flags & 0x20:
            if payload[at] & 0x0E:
                return None
            at += 1 if flags & 0x10 else 2
        if flags & 0x02:
            at = _vp9_structure(payload, at)
    except IndexError:
        return None
    return at


def _vp9_structure(payload: bytes, at: int) -> int:
    """Where a scalability structure ends (RFC 9628 §4.2.1). Raises `IndexError`."""
    flags = payload[at]
    at += 1
    if flags & 0x10:
        at += 4 * ((flags >> 5) + 1)
    if flags & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 3)
    return at


def av1_key_frame(payload: bytes) -> bool:
    """Whether an AV1 payload begins a coded video sequence, which a key frame does (AV1 RTP
    §4.4): its N bit says so and a sequence header is in it."""
    if not payload or payload[0] & 0x88 != 0x08:  # Z: goes on with a unit begun before
        return False
    told, at = payload[0] >> 4 & 3, 1
    for number in range(1, NAL_LIMIT):
        size, at = (len(payload) - at, at) if number == told else _leb128(payload, at)
        if size <= 0 or at >= len(payload):
            return False
        if payload[at] >> 3 & 15 == _AV1_SEQUENCE_HEADER:
            return True
        at += size
    return False


def _leb128(payload: bytes, at: int) -> tuple[int, int]:
    """A length and where it ends; 0 when it is cut short or absurdly long (AV1 §4.10.5)."""
    size = 0
    for shift, byte in zip(range(0, 28, 7), payload[at : at + 4], strict=False):
        at += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return size, at
    return 0, at


def h265_key_frame(payload: bytes) -> bool:
    """Whether an H.265 payload begins a picture that is a random access point, or carries the
    parameters before one (RFC 7798 §4.4)."""
    if len(payload) < 3:
        return False
    kind = payload[0] >> 1 & 63
    if kind == _HEVC_FU:
        return payload[2] & 0x80 != 0 and payload[2] & 63 in _HEVC_STARTS
    if kind == _HEVC_AP:
        return any(head >> 1 & 63 in _HEVC_STARTS for head in _aggregated(payload, 2))
    return kind in _HEVC_STARTS


def _aggregated(payload: bytes, offset: int) -> Iterator[int]:
    """The first byte of each unit that is aggregated from `offset` on."""
    for _ in range(NAL_LIMIT):
        if offset + 2 >= len(payload):
            return
        yield payload[offset + 2]
        offset += 2 + (payload[offset] << 8 | payload[offset + 1])


KEY_FRAME: Final[dict[str, Callable[[bytes], bool]]] = {
    "H264": h264_key_frame,
    "VP8": vp8_key_frame,
    "VP9": vp9_key_frame,
    "AV1": av1_key_frame,
    "H265": h265_key_frame,
}
