"""A viewer that looks closely: how packets were grouped on leaving, and how old they were.

With UDP_GRO a group sent in one system call over loopback arrives in one piece, so the sizes seen
here are the server's own batches. The kernel tells when a piece arrived, however busy we are.
"""

import socket
from struct import unpack_from
from typing import Final

from aiortc import RTCCertificate

from tests.bench.peers import AUDIO, VIDEO, Viewer
from tests.bench.publisher import sent_ns

UDP_GRO: Final = 104
PIECE_BYTES: Final = 65_536
SO_TIMESTAMPNS: Final = 35
CONTROL_BYTES: Final = socket.CMSG_SPACE(4) + socket.CMSG_SPACE(16)
GCM_TAG_BYTES: Final = 16


class Sampler(Viewer):
    """Notes each batch as its plaintext sizes, and each packet's age."""

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.batches: list[tuple[int, ...]] = []
        self.ages_ms: list[float] = []
        self.socket.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def clear(self) -> None:
        """Begin anew."""
        self.batches, self.ages_ms = [], []

    def _read(self) -> None:
        try:
            while True:
                piece, control, _, _ = self.socket.recvmsg(PIECE_BYTES, CONTROL_BYTES)
                facts = {kind: data for _, kind, data in control}
                size = unpack_from("=i", facts[UDP_GRO])[0] if UDP_GRO in facts else len(piece)
                packets = [piece[start : start + size] for start in range(0, len(piece), size)]
                if piece[0] < 128:
                    for packet in packets:
                        self._control(packet)
                elif piece[1] & 127 in (VIDEO, AUDIO):
                    seconds, nanoseconds = unpack_from("=qq", facts[SO_TIMESTAMPNS])
                    self._note(packets, seconds * 10**9 + nanoseconds)
        except (BlockingIOError, ConnectionError):
            pass  # read empty, or the server is gone

    def _note(self, packets: list[bytes], arrived_ns: int) -> None:
        self.batches.append(tuple(len(packet) - GCM_TAG_BYTES for packet in packets))
        for packet in packets:
            self._media(bytearray(packet), len(packet))
            if self.connected_at:  # the server may have its keys before we have ours
                sent = sent_ns(self.inward.unprotect(packet))
                self.ages_ms.append((arrived_ns - sent) / 1e6)
