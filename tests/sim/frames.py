"""Frames that can be told apart: each packet's body names its publisher, layer, frame and place."""

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from struct import Struct
from typing import Final, Literal

Name = Literal["H264", "VP8"]

MARK: Final = b"kkot"
PACKET_BYTES: Final = 1_100
_BODY = Struct("!4sHBIHHH?d")
_PADDING: Final = Random(3).randbytes(PACKET_BYTES)

H264_KEY: Final = b"\x78\x00\x04\x67\x42\xe0\x1f\x00\x02\x68\xce\x00\x02\x65\x88"
H264_KEY_ON: Final = b"\x7c\x05"
H264_DELTA: Final = b"\x41\x9a"


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet's share of a frame, captured at `at` seconds; `size` is in bytes."""

    epoch: int
    layer: int
    frame: int
    index: int
    count: int
    size: int
    key: bool
    at: float

    def body(self) -> bytes:
        """What must reach the viewer unchanged."""
        place = (self.epoch, self.layer, self.frame, self.index, self.count, self.size)
        head = _BODY.pack(MARK, *place, self.key, self.at)
        return head + _PADDING[self.frame % 97 :][: max(self.size - len(head), 0)]

    def payload(self, codec: Name) -> bytes:
        """The body behind the codec's own first bytes (RFC 6184, RFC 7741)."""
        first = self.index == 0
        if codec == "VP8":
            picture = (0x8000 | self.frame & 0x7FFF).to_bytes(2, "big")
            head = bytes((0x90 if first else 0x80, 0x80)) + picture
            return head + bytes((0x00 if self.key else 0x01,)) + self.body()
        if not self.key:
            return H264_DELTA + self.body()
        return (H264_KEY if first else H264_KEY_ON) + self.body()


def piece_of(payload: bytes) -> tuple[Piece, bytes] | None:
    """The piece a payload carries, and its body; None when it carries none."""
    at = payload.find(MARK, 0, 24)
    if at < 0 or len(payload) < at + _BODY.size:
        return None
    _, epoch, layer, frame, index, count, size, key, when = _BODY.unpack_from(payload, at)
    return Piece(epoch, layer, frame, index, count, size, key, when), payload[at:]


@lru_cache(maxsize=4096)
def body_of(piece: Piece) -> bytes:
    """The body as it was published."""
    return piece.body()
