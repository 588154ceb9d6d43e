"""A viewer that looks closely: how packets were grouped on leaving, and how old they were.

With UDP_GRO a group sent in one system call over loopback arrives in one piece, so the sizes seen
here are the server's own batches.
"""

import socket
from struct import unpack_from
from typing import Final

from aiortc import RTCCertificate

from tests.bench.peers import AUDIO, VIDEO, Viewer
from tests.bench.publisher import age_ms

UDP_GRO: Final = 104
PIECE_BYTES: Final = 65_536
CONTROL_BYTES: Final = socket.CMSG_SPACE(4)
GCM_TAG_BYTES: Final = 16


class Sampler(Viewer):
    """Notes each batch as its plaintext sizes, and each packet's age."""

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.batches: list[tuple[int, ...]] = []
        self.ages_ms: list[float] = []
        self.socket.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)

    def clear(self) -> None:
        """Begin anew."""
        self.batches, self.ages_ms = [], []

    def _read(self) -> None:
        try:
            while True:
                piece, control, _, _ = self.socket.recvmsg(PIECE_BYTES, CONTROL_BYTES)
                size = unpack_from("=i", control[0][2])[0] if control else len(piece)
                packets = [piece[start : start + size] for start in range(0, len(piece), size)]
                if piece[0] < 128:
                    for packet in packets:
                        self._control(packet)
                elif piece[1] & 127 in (VIDEO, AUDIO):
                    self._note(packets)
        except (BlockingIOError, ConnectionError):
            pass  # read empty, or the server is gone

    def _note(self, packets: list[bytes]) -> None:
        self.batches.append(tuple(len(packet) - GCM_TAG_BYTES for packet in packets))
        for packet in packets:
            self._media(bytearray(packet), len(packet))
            if not self.connected_at:
                continue  # the server's keys may be there before ours
            self.ages_ms.append(age_ms(self.inward.unprotect(packet)))
