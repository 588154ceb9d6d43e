"""How many lines a picture has, read from the beginning of a key frame.

Only headers are read, a bounded number of bits of them; a payload that says nothing, or nonsense,
gives None. A viewer that wants few lines is served by what is read here.
"""

from collections.abc import Callable
from typing import Final

from live.relay.core import vp8

HEADER_BYTES: Final = 128
"""More of a parameter set is not looked at."""
LINES_MOST: Final = 16_384

_SPS, _STAP_A = 7, 24
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})
_VP8_START_CODE = b"\x9d\x01\x2a"
_AV1_SEQUENCE_HEADER = 1


class OutOfBits(Exception):
    """The bits end too early, or a number in them is absurdly long."""


class Bits:
    """Bits from the left, as codecs write their headers."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next `count` bits as a number. Raises `OutOfBits`."""
        if count > self._left:
            raise OutOfBits
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def golomb(self) -> int:
        """An unsigned Exp-Golomb number (ITU-T H.264 §9.1). Raises `OutOfBits`."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise OutOfBits
        return (1 << zeros) - 1 + self.take(zeros)


def h264_lines(payload: bytes) -> int | None:
    """Lines by the sequence parameter set that is, or is first in, an H.264 payload."""
    if payload[:1] and payload[0] & 31 == _STAP_A and len(payload) > 3:
        size = payload[1] << 8 | payload[2]
        payload = payload[3 : 3 + size]
    if not payload or payload[0] & 31 != _SPS:
        return None
    return _h264_sps_lines(Bits(payload[1:HEADER_BYTES].replace(b"\0\0\3", b"\0\0")))


def vp8_lines(payload: bytes) -> int | None:
    """Lines of a VP8 key frame (RFC 6386 §9.1)."""
    start = vp8.payload_start(payload) + 3
    if payload[start : start + 3] != _VP8_START_CODE or len(payload) < start + 7:
        return None
    return (payload[start + 6] << 8 | payload[start + 5]) & 0x3FFF


def vp9_lines(payload: bytes) -> int | None:
    """Lines of the highest spatial layer in a scalability structure (RFC 9628 §4.2.1)."""
    bits = Bits(payload[:HEADER_BYTES])
    has_id, has_inter, has_layers, flexible, _, _, has_structure, _ = (
        bits.take(1) for _ in range(8)
    )
    if not has_structure or (flexible and has_inter):
        return None
    if has_id:
        bits.take(15 if bits.take(1) else 7)
    if has_layers:
        bits.take(8 if flexible else 16)
    layers, has_sizes = bits.take(3) + 1, bits.take(1)
    bits.take(4)
    sizes = [bits.take(32) & 0xFFFF for _ in range(layers)] if has_sizes else []
    return max(sizes, default=None)


def av1_lines(payload: bytes) -> int | None:
    """Lines by the sequence header that begins an AV1 coded sequence (AV1 §5.5)."""
    bits = Bits(payload[:HEADER_BYTES])
    aggregation = bits.take(8)
    if aggregation >> 4 & 3 != 1:
        while bits.take(1):  # the element's length, in seven bits a byte
            bits.take(7)
        bits.take(7)
    head = bits.take(8)
    if head >> 3 & 15 != _AV1_SEQUENCE_HEADER:
        return None
    bits.take(8 * (head >> 2 & 1))
    if head >> 1 & 1:
        while bits.take(1):
            bits.take(7)
        bits.take(7)
    return _av1_sequence_lines(bits)


LINES: Final[dict[str, Callable[[bytes], int | None]]] = {
    "H264": h264_lines,
    "VP8": vp8_lines,
    "VP9": vp9_lines,
    "AV1": av1_lines,
}


def lines(codec: str, payload: bytes) -> int | None:
    """Lines of the picture whose key frame begins with this payload; None where it is not told."""
    read = LINES.get(codec)
    try:
        found = None if read is None else read(payload)
    except OutOfBits:
        return None
    return found if found is not None and 0 < found <= LINES_MOST else None


def _h264_sps_lines(bits: Bits) -> int | None:
    """ITU-T H.264 §7.3.2.1.1; a set with scaling lists of its own is not read to the end."""
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3:
            bits.take(1)
        bits.golomb()
        bits.golomb()
        if bits.take(2) & 1:
            return None
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        return None
    bits.golomb()
    bits.take(1)
    bits.golomb()
    units = bits.golomb() + 1
    frames_only = bits.take(1)
    bits.take(1 if frames_only else 2)
    crop = 0
    if bits.take(1):
        bits.golomb()
        bits.golomb()
        crop = bits.golomb() + bits.golomb()
    step = (2 if chroma == 1 else 1) * (2 - frames_only)
    return 16 * units * (2 - frames_only) - step * crop


def _av1_sequence_lines(bits: Bits) -> int | None:
    """AV1 §5.5.1; streams that tell their timing, as no call does, are not read to the end."""
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        if bits.take(1):
            return None
        shows_delay = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if shows_delay and bits.take(1):
                bits.take(4)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    bits.take(wide)
    return bits.take(high) + 1
