"""The media port over UDP: own sockets, read until empty, written in segmented batches.

A socket hears on every address of the machine. What comes to one of them is answered from the
same one (`IP_PKTINFO`, ip(7)): a peer takes an answer from another for a stranger's. A source is
therefore the address it sent from together with ours that it sent to.

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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from struct import pack
from typing import Any, Final, cast

from signaling.transport import Door, Path, Source

DATAGRAM_BYTES: Final = 2_048
READS_PER_WAKEUP: Final = 256
"""Datagrams read before the loop may do something else."""
BUFFER_BYTES: Final = 4 << 20
ANCILLARY_BYTES: Final = 64
"""Room for a datagram's destination, and for no more."""
IP_PKTINFO: Final = 8
UDP_SEGMENT: Final = 103
NO_SEGMENTATION: Final = frozenset({errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP})
"""Neither the kernel nor the device of the way out can cut datagrams."""
NOT_ON_THIS_PATH: Final = frozenset({errno.EINVAL, errno.EMSGSIZE})
"""A segment exceeds the MTU to this address; others may be fine."""

Receive = Callable[[bytes, Source, Door, float], None]


Control = tuple[int, int, bytes]
"""An ancillary item: level, type, data."""


UdpSource = tuple[tuple[Any, ...], bytes]
"""The address a datagram came from, and ours that it came to, packed; b"" when unknown."""


@dataclass(slots=True)
class Counters:
    """What happened on sockets: datagrams, and the bytes in them."""

    received: int = 0
    received_octets: int = 0
    sent: int = 0
    sent_octets: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _Family:
    """How a family tells our address: the option that asks for it, the item that carries it, where
    in it the address lies, its size, and how the item looks that chooses it for sending."""

    option: tuple[int, int]
    item: tuple[int, int]
    place: slice
    address_bytes: int
    choose: Callable[[bytes], bytes]


FAMILIES: Final[dict[int, _Family]] = {
    socket.AF_INET: _Family(
        (socket.IPPROTO_IP, IP_PKTINFO),
        (socket.IPPROTO_IP, IP_PKTINFO),
        slice(4, 8),
        4,
        lambda local: pack("=I4s4s", 0, local, bytes(4)),
    ),
    socket.AF_INET6: _Family(
        (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
        (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
        slice(0, 16),
        16,
        lambda local: pack("=16sI", local, 0),
    ),
}
"""`struct in_pktinfo` of ip(7), `struct in6_pktinfo` of RFC 3542 §6; the route picks the device."""


class UdpDoor:
    """One bound socket of one address family."""

    def __init__(self, family: int, port: int, counters: Counters | None = None) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.counters = counters or Counters()
        self.segmentation = _can_segment(self.socket)
        self._family = FAMILIES[family]
        self._receive: Receive
        self._drained: Callable[[float], None]
        self.socket.setblocking(False)
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform == "linux":
            self.socket.setsockopt(*self._family.option, 1)
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
        """The path back to a source that came through this socket, from the address it reached."""
        address, local = cast("UdpSource", source)
        chosen = [(*self._family.item, self._family.choose(local))] if local else []
        return UdpPath(self, address, chosen)

    def address(self, source: Source) -> tuple[str, int]:
        """Its host and port."""
        host, port = cast("UdpSource", source)[0][:2]
        return host.partition("%")[0], port

    def local(self, source: Source) -> str:
        """Our host that it sent to; the unspecified address when unknown."""
        known = cast("UdpSource", source)[1]
        return socket.inet_ntop(self.socket.family, known or bytes(self._family.address_bytes))

    def _read(self) -> None:
        receive, recvmsg, now = self._receive, self.socket.recvmsg, time.monotonic()
        place, count, octets = self._family.place, 0, 0
        try:
            while count < READS_PER_WAKEUP:
                datagram, items, _, address = recvmsg(DATAGRAM_BYTES, ANCILLARY_BYTES)
                count += 1
                octets += len(datagram)
                local = items[0][2][place] if items else b""
                receive(datagram, (address, local), self, now)
        except OSError:
            pass  # read empty, or an error that some datagram sent before has left behind
        self.counters.received += count
        self.counters.received_octets += octets
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
    """The way to one address, from ours in the ancillary item `chosen` when that is known."""

    __slots__ = ("_address", "_chosen", "_door", "_segmentation", "_sendmsg")

    def __init__(
        self, door: UdpDoor, address: tuple[Any, ...], chosen: Sequence[Control] = ()
    ) -> None:
        self._door = door
        self._address = address
        self._chosen = chosen
        self._segmentation = True
        self._sendmsg = door.socket.sendmsg

    def send(self, datagram: bytes | memoryview) -> None:
        """Send one datagram; a full socket drops and counts."""
        try:
            self._sendmsg([datagram], self._chosen, 0, self._address)
        except OSError:
            self._door.counters.dropped += 1
        else:
            self._door.counters.sent += 1
            self._door.counters.sent_octets += len(datagram)

    def send_run(self, datagrams: memoryview, size: int) -> None:
        """Send what lies end to end as datagrams of `size` bytes; the last may be shorter."""
        door = self._door
        if len(datagrams) <= size or not (self._segmentation and door.segmentation):
            for start in range(0, len(datagrams), size or 1):
                self.send(datagrams[start : start + size])
            return
        try:
            self._sendmsg([datagrams], [_segments(size), *self._chosen], 0, self._address)
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
            door.counters.sent_octets += len(datagrams)


@cache
def _segments(size: int) -> Control:
    """What tells the kernel to cut a run; there are no more sizes than a packet has bytes."""
    return socket.IPPROTO_UDP, UDP_SEGMENT, pack("=H", size)
