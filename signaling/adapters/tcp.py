"""The media port over TCP, for networks that block UDP: passive ICE-TCP (RFC 6544).

Each frame is a 16-bit length and a datagram (RFC 4571). A connection must prove every `PROOF_S`
that it belongs to a session, or it is closed. Frames leave whole or not at all: what a slow
connection has no room for is dropped, as a full socket drops datagrams, and media before the rest.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from struct import pack
from typing import Final, cast

from signaling.adapters.udp import Counters, Receive
from signaling.transport import Path, Source

PROOF_S: Final = 10.0
CONNECTION_LIMIT: Final = 4_000
"""Connections at one time; further ones are closed at once."""
FRAME_LIMIT_BYTES: Final = 2_048
LENGTH_BYTES: Final = 2
MEDIA_LIMIT_BYTES: Final = 256 << 10
"""Unsent bytes of a slow connection beyond which media to it are dropped: older pictures than the
second that fits in are worth nothing."""
WRITE_LIMIT_BYTES: Final = 320 << 10
"""The same for everything else: without answers to its checks a peer would go away."""
KERNEL_UNSENT_BYTES: Final = 64 << 10
"""What the kernel holds of it beyond what is on its way (`TCP_NOTSENT_LOWAT`, tcp(7)); it would
hold megabytes."""
TCP_NOTSENT_LOWAT: Final = 25


class TcpDoor:
    """Accepts connections and knows them."""

    def __init__(
        self,
        receive: Receive,
        drained: Callable[[float], None],
        owns: Callable[[Source], bool],
        forget: Callable[[Source], None],
        counters: Counters | None = None,
    ) -> None:
        self.receive = receive
        self.drained = drained
        self.owns = owns
        self.forget = forget
        self.connections: set[TcpConnection] = set()
        self.counters = counters or Counters()

    def accept(self) -> "TcpConnection":
        """The protocol of a new connection."""
        return TcpConnection(self)

    def close(self) -> None:
        """End all connections."""
        for connection in list(self.connections):
            connection.abort()


class TcpConnection(asyncio.Protocol):
    """One connection: the door, the source and the path of whatever comes over it."""

    def __init__(self, door: TcpDoor) -> None:
        self._door = door
        self._pending = bytearray()
        self._transport: asyncio.Transport | None = None
        self._address = ("", 0)
        self._proof: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        self._door.connections.add(self)
        peer = transport.get_extra_info("peername")
        if peer is None or len(self._door.connections) > CONNECTION_LIMIT:
            self.abort()
            return
        self._address = (peer[0].partition("%")[0], peer[1])
        _keep_short(transport.get_extra_info("socket"))
        self._await_proof()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._pending += data
        pending, offset, now = self._pending, 0, time.monotonic()
        while len(pending) - offset >= 2:
            size = pending[offset] << 8 | pending[offset + 1]
            if size > FRAME_LIMIT_BYTES:
                self.abort()
                return
            if len(pending) - offset < 2 + size:
                break
            self._door.receive(bytes(pending[offset + 2 : offset + 2 + size]), self, self, now)
            self._door.counters.received += 1
            self._door.counters.received_octets += size
            offset += 2 + size
        del pending[:offset]
        self._door.drained(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        if self._proof is not None:
            self._proof.cancel()
        self._door.connections.discard(self)
        self._door.forget(self)

    def open(self, source: Source) -> Path:
        """The path back is the connection itself."""
        return self

    def address(self, source: Source) -> tuple[str, int]:
        """The host and port at the other end."""
        return self._address

    def send(self, datagram: bytes) -> None:
        """Send one datagram; a slow connection drops and counts."""
        self._write(pack("!H", len(datagram)) + datagram, 1, WRITE_LIMIT_BYTES)

    def send_run(self, datagrams: memoryview, size: int) -> None:
        """Send what lies end to end as datagrams of `size` bytes; the last may be shorter."""
        frames, head, rest = bytearray(), pack("!H", size), len(datagrams) % (size or 1)
        whole = len(datagrams) - rest
        for start in range(0, whole, size or 1):
            frames += head
            frames += datagrams[start : start + size]
        if rest:
            frames += pack("!H", rest)
            frames += datagrams[whole:]
        if frames:
            self._write(frames, -(-len(datagrams) // size), MEDIA_LIMIT_BYTES)

    def _write(self, frames: bytes | bytearray, count: int, limit_bytes: int) -> None:
        transport, counters = self._transport, self._door.counters
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > limit_bytes:
            counters.dropped += count
            return
        transport.write(frames)
        counters.sent += count
        counters.sent_octets += len(frames) - count * LENGTH_BYTES

    def abort(self) -> None:
        """End the connection now."""
        if self._transport is not None:
            self._transport.abort()

    def _await_proof(self) -> None:
        self._proof = asyncio.get_running_loop().call_later(PROOF_S, self._demand_proof)

    def _demand_proof(self) -> None:
        if self._door.owns(self):
            self._await_proof()
        else:
            self.abort()


def _keep_short(connection: socket.socket | None) -> None:
    """Let the kernel hold little that is unsent, so that what is sent is young."""
    if connection is not None and sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, KERNEL_UNSENT_BYTES)
