"""The media port over UDP: own sockets, read until empty, written in segmented batches.

The event loop only tells that a socket can be read. With `UDP_SEGMENT` (Linux generic
segmentation offload, udp(7)) a run of equal-sized datagrams costs one system call. A kernel or
device that cannot is found out once for the whole socket; a path whose datagrams do not fit its
MTU, once for that path. Datagrams go one by one then.
"""

import asyncio
import errno
import socket
import sys
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from struct import pack
from typing import Final, cast

from signaling.transport import Door, Path, Source

DATAGRAM_BYTES: Final = 2_048
READS_PER_WAKEUP: Final = 256
"""Datagrams read before the loop may do something else."""
BUFFER_BYTES: Final = 4 << 20
UDP_SEGMENT: Final = 103
NO_SEGMENTATION: Final = frozenset({errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP})
"""Neither the kernel nor the device of the way out can cut datagrams."""
NOT_ON_THIS_PATH: Final = frozenset({errno.EINVAL, errno.EMSGSIZE})
"""A segment exceeds the MTU to this address; others may be fine."""

Receive = Callable[[bytes, Source, Door, float], None]


@dataclass(slots=True)
class Counters:
    """What happened on a socket since it was opened."""

    received: int = 0
    sent: int = 0
    dropped: int = 0


class UdpDoor:
    """One bound socket of one address family."""

    def __init__(self, family: int, port: int) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.counters = Counters()
        self.segmentation = _can_segment(self.socket)
        self._receive: Receive
        self._drained: Callable[[float], None]
        self.socket.setblocking(False)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        try:
            self.socket.bind(("", port))
        except OSError:
            self.socket.close()
            raise

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return cast("int", self.socket.getsockname()[1])

    def start(
        self, loop: asyncio.AbstractEventLoop, receive: Receive, drained: Callable[[float], None]
    ) -> None:
        """Begin to read: each datagram goes to `receive`, the end of a wake-up to `drained`."""
        self._receive = receive
        self._drained = drained
        loop.add_reader(self.socket, self._read)

    def close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop reading and free the port."""
        loop.remove_reader(self.socket)
        self.socket.close()

    def open(self, source: Source) -> Path:
        """The path back to a source that came through this socket."""
        return UdpPath(self, cast("tuple[str, int]", source))

    def address(self, source: Source) -> tuple[str, int]:
        """Its host and port."""
        host, port = cast("tuple[str, int]", source)[:2]
        return host.partition("%")[0], port

    def _read(self) -> None:
        receive, recvfrom, now = self._receive, self.socket.recvfrom, time.monotonic()
        count = 0
        try:
            while count < READS_PER_WAKEUP:
                datagram, source = recvfrom(DATAGRAM_BYTES)
                count += 1
                receive(datagram, cast("Hashable", source), self, now)
        except OSError:
            pass  # read empty, or an error that some datagram sent before has left behind
        self.counters.received += count
        self._drained(now)


def _can_segment(udp: socket.socket) -> bool:
    if sys.platform != "linux":
        return False
    try:
        udp.getsockopt(socket.IPPROTO_UDP, UDP_SEGMENT)
    except OSError:
        return False
    return True


class UdpPath:
    """The way to one address."""

    __slots__ = ("_address", "_door", "_segmentation", "_sendmsg", "_sendto")

    def __init__(self, door: UdpDoor, address: tuple[str, int]) -> None:
        self._door = door
        self._address = address
        self._segmentation = True
        self._sendto = door.socket.sendto
        self._sendmsg = door.socket.sendmsg

    def send(self, datagram: bytes | memoryview) -> None:
        """Send one datagram; a full socket drops and counts."""
        try:
            self._sendto(datagram, self._address)
        except OSError:
            self._door.counters.dropped += 1
        else:
            self._door.counters.sent += 1

    def send_run(self, datagrams: memoryview, size: int) -> None:
        """Send what lies end to end as datagrams of `size` bytes; the last may be shorter."""
        door = self._door
        if len(datagrams) <= size or not (self._segmentation and door.segmentation):
            for start in range(0, len(datagrams), size or 1):
                self.send(datagrams[start : start + size])
            return
        try:
            self._sendmsg([datagrams], _segments(size), 0, self._address)
        except OSError as error:
            if error.errno in NO_SEGMENTATION:
                door.segmentation = False
            elif error.errno in NOT_ON_THIS_PATH:
                self._segmentation = False
            else:
                door.counters.dropped += -(-len(datagrams) // size)
                return
            self.send_run(datagrams, size)
        else:
            door.counters.sent += -(-len(datagrams) // size)


@cache
def _segments(size: int) -> list[tuple[int, int, bytes]]:
    """What tells the kernel to cut a run; there are no more sizes than a packet has bytes."""
    return [(socket.IPPROTO_UDP, UDP_SEGMENT, pack("=H", size))]
