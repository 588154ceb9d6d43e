"""The UDP door on real sockets: segmented runs, their fallback, and the end of a wake-up."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator
from socket import inet_aton
from typing import Any

import pytest

from signaling.adapters import udp
from signaling.adapters.udp import UdpDoor, UdpPath

RUN = [bytes([n]) * 1_000 for n in range(15)] + [b"\xff" * 700]
WHOLE = memoryview(b"".join(RUN))
HERE, OTHER, THIRD = "127.0.0.1", "127.0.0.2", "127.0.0.3"
"""Every machine has a whole network of addresses to itself (RFC 1122 §3.2.1.3)."""


@pytest.fixture
def door() -> Iterator[UdpDoor]:
    door = UdpDoor(socket.AF_INET, 0)
    yield door
    door.socket.close()


@pytest.fixture
def plain() -> Iterator[socket.socket]:
    """Anybody's socket, which knows nothing of segmentation."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        plain.settimeout(5)
        yield plain


class Refusing:
    """A `sendmsg` of a kernel that refuses with an error, segmented runs or everything."""

    def __init__(self, code: int, plainly: Callable[..., int] | None = None) -> None:
        self.code = code
        self.calls = 0
        self._plainly = plainly

    def __call__(self, *given: Any) -> int:
        segmented = any(kind == udp.UDP_SEGMENT for _, kind, _ in given[1])
        if self._plainly is not None and not segmented:
            return self._plainly(*given)
        self.calls += 1
        raise OSError(self.code, "refused")


def received(plain: socket.socket, count: int) -> list[bytes]:
    return [plain.recv(65_536) for _ in range(count)]


def test_a_run_arrives_as_equal_datagrams(door: UdpDoor, plain: socket.socket) -> None:
    assert door.segmentation
    path = door.open((plain.getsockname(), b""))
    path.send_run(WHOLE, 1_000)
    assert received(plain, 16) == RUN
    assert (door.counters.sent, door.counters.dropped) == (16, 0)


def test_single_empty_and_plain_sends(door: UdpDoor, plain: socket.socket) -> None:
    path = door.open((plain.getsockname(), b""))
    path.send_run(memoryview(b""), 0)
    path.send_run(memoryview(b"one"), 3)
    path.send(b"two")
    assert received(plain, 2) == [b"one", b"two"]
    assert door.counters.sent == 2


@pytest.mark.parametrize("code", sorted(udp.NO_SEGMENTATION))
def test_a_kernel_that_cannot_segment_is_asked_once(
    door: UdpDoor, plain: socket.socket, code: int
) -> None:
    path, other = (UdpPath(door, plain.getsockname()) for _ in range(2))
    refusing = Refusing(code, door.socket.sendmsg)
    path._sendmsg = other._sendmsg = refusing
    for each in (path, other, path):
        each.send_run(WHOLE, 1_000)
        assert received(plain, 16) == RUN
    assert refusing.calls == 1
    assert door.counters.dropped == 0


@pytest.mark.parametrize("code", sorted(udp.NOT_ON_THIS_PATH))
def test_a_path_too_narrow_for_segments_hurts_no_other(
    door: UdpDoor, plain: socket.socket, code: int
) -> None:
    path = UdpPath(door, plain.getsockname())
    refusing = Refusing(code, door.socket.sendmsg)
    path._sendmsg = refusing
    for _ in range(2):
        path.send_run(WHOLE, 1_000)
        assert received(plain, 16) == RUN
    assert refusing.calls == 1
    assert door.segmentation


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOBUFS, errno.ENETUNREACH])
def test_a_full_socket_drops_and_counts(door: UdpDoor, plain: socket.socket, code: int) -> None:
    path = UdpPath(door, plain.getsockname())
    path._sendmsg = Refusing(code)
    path.send_run(WHOLE, 1_000)
    path.send(b"one more")
    assert (door.counters.sent, door.counters.dropped) == (0, 17)
    assert door.segmentation


def test_a_port_that_is_taken_is_an_error(door: UdpDoor) -> None:
    with pytest.raises(OSError, match="in use"):
        UdpDoor(socket.AF_INET, door.port)


async def test_a_wake_up_reads_all_and_then_says_so(door: UdpDoor, plain: socket.socket) -> None:
    events: list[tuple[str, bytes]] = []
    drained = asyncio.Event()

    def on_datagram(datagram: bytes, source: object, through: object, now: float) -> None:
        assert source == (plain.getsockname(), inet_aton(HERE))
        assert through is door
        events.append(("received", datagram))

    def on_drained(now: float) -> None:
        events.append(("drained", b""))
        drained.set()

    for n in range(5):
        plain.sendto(bytes([n]), ("127.0.0.1", door.port))
    loop = asyncio.get_running_loop()
    door.start(loop, on_datagram, on_drained)
    async with asyncio.timeout(5):
        await drained.wait()
    loop.remove_reader(door.socket)
    assert events == [*(("received", bytes([n])) for n in range(5)), ("drained", b"")]
    assert door.counters.received == 5
    assert door.address((plain.getsockname(), inet_aton(HERE))) == plain.getsockname()


def test_one_wake_up_is_bounded(
    door: UdpDoor, plain: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "READS_PER_WAKEUP", 3)
    got: list[bytes] = []
    door._receive = lambda datagram, *_: got.append(datagram)
    door._drained = lambda now: got.append(b"drained")
    for n in range(4):
        plain.sendto(bytes([n]), ("127.0.0.1", door.port))
    door._read()
    door._read()
    assert got == [b"\0", b"\1", b"\2", b"drained", b"\3", b"drained"]


def test_an_ipv6_source_has_no_zone() -> None:
    door = UdpDoor(socket.AF_INET6, 0)
    try:
        assert door.address((("fe80::1%eth0", 5, 0, 2), b"")) == ("fe80::1", 5)
    finally:
        door.socket.close()


def heard(door: UdpDoor) -> tuple[bytes, Any]:
    """The next datagram and its source."""
    got: list[tuple[bytes, Any]] = []
    door._receive = lambda datagram, source, *_: got.append((datagram, source))
    door._drained = lambda now: None
    door._read()
    return got[0]


@pytest.mark.parametrize("host", [HERE, OTHER, THIRD])
def test_an_answer_comes_from_the_address_that_was_asked(
    door: UdpDoor, plain: socket.socket, host: str
) -> None:
    plain.sendto(b"ask", (host, door.port))
    _, source = heard(door)
    path = door.open(source)
    path.send(b"answer")
    assert plain.recvfrom(65_536) == (b"answer", (host, door.port))
    path.send_run(WHOLE, 1_000)
    assert [plain.recvfrom(65_536) for _ in RUN] == [(each, (host, door.port)) for each in RUN]
    assert door.counters.dropped == 0


def test_without_that_care_the_route_would_choose(door: UdpDoor, plain: socket.socket) -> None:
    plain.sendto(b"ask", (OTHER, door.port))
    _, (address, _) = heard(door)
    door.open((address, b"")).send(b"answer")
    assert plain.recvfrom(65_536) == (b"answer", (HERE, door.port))


def test_one_peer_on_two_of_our_addresses_is_two_sources(
    door: UdpDoor, plain: socket.socket
) -> None:
    sources = set()
    for host in (OTHER, THIRD):
        plain.sendto(b"ask", (host, door.port))
        sources.add(heard(door)[1])
    assert sources == {(plain.getsockname(), inet_aton(host)) for host in (OTHER, THIRD)}


def test_an_address_of_ours_that_is_gone_drops_and_counts(
    door: UdpDoor, plain: socket.socket
) -> None:
    door.open((plain.getsockname(), inet_aton("192.0.2.77"))).send_run(WHOLE, 1_000)
    assert (door.counters.sent, door.counters.dropped) == (0, 16)
    assert door.segmentation


def test_ipv6_answers_from_the_address_that_was_asked() -> None:
    door = UdpDoor(socket.AF_INET6, 0)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as plain:
        plain.settimeout(5)
        plain.sendto(b"ask", ("::1", door.port))
        _, source = heard(door)
        assert source[1] == socket.inet_pton(socket.AF_INET6, "::1")
        path = door.open(source)
        path.send_run(WHOLE, 1_000)
        assert [plain.recvfrom(65_536)[0] for _ in RUN] == RUN
    assert door.counters.dropped == 0
    door.socket.close()
