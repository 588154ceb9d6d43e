"""The UDP door on real sockets: segmented runs, their fallback, and the end of a wake-up."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from signaling.adapters import udp
from signaling.adapters.udp import UdpDoor, UdpPath

RUN = [bytes([n]) * 1_000 for n in range(15)] + [b"\xff" * 700]
WHOLE = memoryview(b"".join(RUN))


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
    """A `sendmsg` of a kernel that refuses with an error."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.calls = 0

    def __call__(self, *_: Any) -> int:
        self.calls += 1
        raise OSError(self.code, "refused")


def received(plain: socket.socket, count: int) -> list[bytes]:
    return [plain.recv(65_536) for _ in range(count)]


def test_a_run_arrives_as_equal_datagrams(door: UdpDoor, plain: socket.socket) -> None:
    assert door.segmentation
    path = door.open(plain.getsockname())
    path.send_run(WHOLE, 1_000)
    assert received(plain, 16) == RUN
    assert (door.counters.sent, door.counters.dropped) == (16, 0)


def test_single_empty_and_plain_sends(door: UdpDoor, plain: socket.socket) -> None:
    path = door.open(plain.getsockname())
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
    refusing = Refusing(code)
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
    refusing = Refusing(code)
    path._sendmsg = refusing
    for _ in range(2):
        path.send_run(WHOLE, 1_000)
        assert received(plain, 16) == RUN
    assert refusing.calls == 1
    assert door.segmentation


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.ENOBUFS, errno.ENETUNREACH])
def test_a_full_socket_drops_and_counts(door: UdpDoor, plain: socket.socket, code: int) -> None:
    path = UdpPath(door, plain.getsockname())
    path._sendmsg = path._sendto = Refusing(code)
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
        assert source == plain.getsockname()
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
    assert door.address(plain.getsockname()) == plain.getsockname()


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
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM):
        door = UdpDoor(socket.AF_INET6, 0)
    try:
        assert door.address(("fe80::1%eth0", 5, 0, 2)) == ("fe80::1", 5)
    finally:
        door.socket.close()
