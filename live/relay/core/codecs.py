"""Where a key frame begins, by codec (RFC 6184, RFC 7741). Payloads are looked at, not decoded."""

from collections.abc import Callable
from typing import Final

_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28
NAL_LIMIT: Final = 16


def h264_key_frame(payload: bytes) -> bool:
    """Whether an H.264 payload begins an IDR picture, or carries the parameters before one."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 31
    if kind == _FU_A:
        return payload[1] & 0x80 != 0 and payload[1] & 31 in (_IDR, _SPS)
    if kind != _STAP_A:
        return kind in (_IDR, _SPS)
    offset = 1
    for _ in range(NAL_LIMIT):
        if offset + 2 >= len(payload):
            return False
        if payload[offset + 2] & 31 in (_IDR, _SPS):
            return True
        offset += 2 + (payload[offset] << 8 | payload[offset + 1])
    return False


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


KEY_FRAME: Final[dict[str, Callable[[bytes], bool]]] = {
    "H264": h264_key_frame,
    "VP8": vp8_key_frame,
}
