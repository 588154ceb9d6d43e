"""ICE-TCP: frames across any split, limits, proof of a session, and ICE over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from struct import pack

import pytest
from aioice import stun as foreign

from signaling.adapters import tcp
from signaling.adapters.dtls import Dtls
from signaling.adapters.tcp import TcpConnection, TcpDoor
from signaling.core.answer import Candidate
from signaling.endpoint import Endpoint
from signaling.transport import Door, Source
from tests.signaling.doubles import SHOW, OneShow, RecordingMedia
from tests.signaling.offers import STREAM, attribute, chromium, ice_check


def frame(datagram: bytes) -> bytes:
    return pack("!H", len(datagram)) + datagram


class FakeTransport(asyncio.Transport):
    """A connection in memory."""

    def __init__(self, peer: tuple[str, int] | None = ("192.0.2.9", 4000)) -> None:
        super().__init__({"peername": peer})
        self.written = b""
        self.writes = 0
        self.waiting = 0
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        self.writes += 1

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


class Receiver:
    """What a door calls, kept."""

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self.drained = 0
        self.proven: set[Source] = set()
        self.forgotten: list[Source] = []
        self.door = TcpDoor(
            self._receive, self._drained, self.proven.__contains__, self.forgotten.append
        )

    def connect(self, transport: FakeTransport) -> TcpConnection:
        connection = self.door.accept()
        connection.connection_made(transport)
        return connection

    def _receive(self, datagram: bytes, source: Source, door: Door, now: float) -> None:
        assert isinstance(door, TcpConnection)
        self.datagrams.append(datagram)

    def _drained(self, now: float) -> None:
        self.drained += 1


DATAGRAMS = [b"\x00\x01first", b"", b"x" * tcp.FRAME_LIMIT_BYTES, b"last"]
BYTES = b"".join(map(frame, DATAGRAMS))


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000, len(BYTES)])
async def test_frames_are_whole_however_they_are_split(step: int) -> None:
    receiver = Receiver()
    connection = receiver.connect(FakeTransport())
    for start in range(0, len(BYTES), step):
        connection.data_received(BYTES[start : start + step])
    assert receiver.datagrams == DATAGRAMS
    assert receiver.drained == -(-len(BYTES) // step)
    connection.connection_lost(None)


async def test_an_oversize_frame_closes() -> None:
    receiver, transport = Receiver(), FakeTransport()
    connection = receiver.connect(transport)
    connection.data_received(frame(b"fine") + pack("!H", tcp.FRAME_LIMIT_BYTES + 1))
    assert receiver.datagrams == [b"fine"]
    assert transport.aborted
    connection.connection_lost(None)
    assert receiver.forgotten == [connection]
    assert not receiver.door.connections


async def test_an_unproven_connection_is_closed_and_a_proven_one_is_not() -> None:
    receiver, transport = Receiver(), FakeTransport()
    connection = receiver.connect(transport)
    receiver.proven.add(connection)
    connection._demand_proof()
    stayed = not transport.aborted
    receiver.proven.clear()
    connection._demand_proof()
    assert (stayed, transport.aborted) == (True, True)
    connection.connection_lost(None)


async def test_connections_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "CONNECTION_LIMIT", 2)
    receiver = Receiver()
    transports = [FakeTransport() for _ in range(3)]
    connections = [receiver.connect(transport) for transport in transports]
    assert [transport.aborted for transport in transports] == [False, False, True]
    connections[2].connection_lost(None)
    receiver.door.close()
    assert all(transport.aborted for transport in transports)
    for connection in connections[:2]:
        connection.connection_lost(None)


async def test_a_connection_that_is_gone_already_is_closed() -> None:
    transport = FakeTransport(peer=None)
    connection = Receiver().connect(transport)
    assert transport.aborted
    connection.connection_lost(None)


async def test_a_run_is_one_write_of_whole_frames() -> None:
    transport, receiver = FakeTransport(), Receiver()
    connection = receiver.connect(transport)
    for run in ([b"one", b"two"], [b"one", b"two", b"3"], [b"one"], []):
        before, transport.written = transport.writes, b""
        connection.send_run(memoryview(b"".join(run)), len(run[0]) if run else 0)
        assert transport.written == b"".join(map(frame, run))
        assert transport.writes - before == bool(run)
    counters = receiver.door.counters
    assert (counters.sent, counters.sent_octets) == (6, len(b"onetwo" + b"onetwo3" + b"one"))
    connection.connection_lost(None)


async def test_a_slow_connection_drops_media_first_and_a_closed_one_is_left_alone() -> None:
    transport, receiver = FakeTransport(), Receiver()
    connection = receiver.connect(transport)
    transport.waiting = tcp.MEDIA_LIMIT_BYTES + 1
    connection.send_run(memoryview(b"onetwo3"), 3)
    connection.send(b"an answer")
    assert transport.written == frame(b"an answer")
    transport.waiting = tcp.WRITE_LIMIT_BYTES + 1
    connection.send(b"too much")
    assert (receiver.door.counters.sent, receiver.door.counters.dropped) == (1, 4)
    transport.aborted = True
    connection.send(b"four")
    assert receiver.door.counters.dropped == 4
    connection.connection_lost(None)


PACKET_BYTES = 1_000
RUN_PACKETS = 16


def numbered_run(first: int) -> memoryview:
    packets = (pack("!I", n) + bytes(PACKET_BYTES - 4) for n in range(first, first + RUN_PACKETS))
    return memoryview(b"".join(packets))


@asynccontextmanager
async def accepting(receiver: Receiver) -> AsyncIterator[int]:
    """The receiver's door behind a real port."""
    server = await asyncio.get_running_loop().create_server(receiver.door.accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        receiver.door.close()
        await server.wait_closed()


async def test_a_reader_that_stops_costs_little_and_finds_whole_frames_when_it_goes_on() -> None:
    receiver = Receiver()
    counters = receiver.door.counters
    async with asyncio.timeout(20), accepting(receiver) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(frame(b"hello"))
        while not receiver.datagrams:
            await asyncio.sleep(0)
        (connection,) = receiver.door.connections
        assert connection._transport is not None
        sent = 0
        while counters.dropped < 1_000:
            connection.send_run(numbered_run(sent), PACKET_BYTES)
            sent += RUN_PACKETS
            assert (
                connection._transport.get_write_buffer_size()
                <= tcp.MEDIA_LIMIT_BYTES + RUN_PACKETS * (PACKET_BYTES + 2)
            )
            await asyncio.sleep(0)
        assert counters.dropped % RUN_PACKETS == 0
        assert counters.sent + counters.dropped == sent

        numbers = []
        for _ in range(counters.sent):
            datagram = await read_frame(reader)
            assert len(datagram) == PACKET_BYTES
            numbers.append(int.from_bytes(datagram[:4], "big"))
        assert numbers == sorted(set(numbers))
        connection.send_run(numbered_run(sent), PACKET_BYTES)
        assert int.from_bytes((await read_frame(reader))[:4], "big") == sent
        writer.close()


@dataclass
class Listening:
    """A real endpoint behind a real TCP port. `forgotten`: a connection was lost."""

    endpoint: Endpoint
    port: int
    forgotten: asyncio.Event


@asynccontextmanager
async def listening() -> AsyncIterator[Listening]:
    endpoint = Endpoint(
        RecordingMedia(STREAM), OneShow(), Dtls(), lambda: [Candidate("127.0.0.1", 9, "tcp")]
    )
    forgotten = asyncio.Event()

    def forget(source: Source) -> None:
        endpoint.forget(source)
        forgotten.set()

    door = TcpDoor(endpoint.receive, endpoint.drained, endpoint.owns, forget)
    server = await asyncio.get_running_loop().create_server(door.accept, "127.0.0.1", 0)
    running = asyncio.create_task(endpoint.run())
    try:
        yield Listening(endpoint, server.sockets[0].getsockname()[1], forgotten)
    finally:
        running.cancel()
        await asyncio.wait([running])
        server.close()
        door.close()
        await server.wait_closed()


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(2), "big")
    return await reader.readexactly(size)


async def test_ice_over_tcp() -> None:
    async with asyncio.timeout(10), listening() as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        offer, endpoint = chromium("watch"), here.endpoint
        answer = endpoint.watch(SHOW, offer)
        peer = endpoint.find(SHOW, answer.session, "viewer")
        check = frame(ice_check(offer, answer.sdp, nominate=True))
        writer.write(check[:9])
        await writer.drain()
        writer.write(check[9:])
        reply = foreign.parse_message(await read_frame(reader))
        assert reply.check_message_integrity(attribute(answer.sdp, "ice-pwd").encode())
        mapped = reply.attributes["XOR-MAPPED-ADDRESS"]
        assert mapped == writer.get_extra_info("sockname")
        (source,) = peer.ice.sources
        assert endpoint.owns(source)

        writer.close()
        await writer.wait_closed()
        await here.forgotten.wait()
        assert not endpoint.owns(source)
        assert not peer.ice.sources
        assert peer.ice.newest.selected is None


async def test_a_stranger_over_tcp_hears_nothing() -> None:
    async with asyncio.timeout(10), listening() as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
        offer = chromium("watch")
        answer = here.endpoint.watch(SHOW, offer)
        forged = ice_check(offer, answer.sdp.replace("ice-pwd:", "ice-pwd:x"), nominate=True)
        writer.write(frame(forged) + frame(b"") + frame(b"\x80\x60junk") + b"\xff\xff")
        assert await reader.read() == b""
        writer.close()
