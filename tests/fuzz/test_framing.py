"""RFC 4571 framing: any stream, however split, gives whole frames or ends the connection."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from signaling.adapters import tcp
from tests.signaling.adapters.test_tcp import FakeTransport, Receiver, frame


class Still(tcp.TcpConnection):
    """A connection whose proof nobody waits for."""

    def _await_proof(self) -> None:
        self.proof = None


def connect(receiver: Receiver, transport: FakeTransport) -> Still:
    connection = Still(receiver.door)
    connection.connection_made(transport)
    return connection


def feed(connection: Still, transport: FakeTransport, stream: bytes, cuts: list[int]) -> None:
    at = 0
    for cut in [*sorted(cuts), len(stream)]:
        if not transport.aborted:
            connection.data_received(stream[at:cut])
        at = max(at, cut)


@given(
    st.lists(st.binary(max_size=300), max_size=20),
    st.lists(st.integers(0, 6_000), max_size=20),
)
def test_frames_come_out_as_they_went_in(datagrams: list[bytes], cuts: list[int]) -> None:
    receiver, transport = Receiver(), FakeTransport()
    feed(connect(receiver, transport), transport, b"".join(map(frame, datagrams)), cuts)
    assert receiver.datagrams == datagrams
    assert not transport.aborted


@given(st.binary(max_size=4_000), st.lists(st.integers(0, 4_000), max_size=20))
def test_any_stream_is_bounded(stream: bytes, cuts: list[int]) -> None:
    receiver, transport = Receiver(), FakeTransport()
    connection = connect(receiver, transport)
    feed(connection, transport, stream, cuts)
    assert sum(len(d) + 2 for d in receiver.datagrams) <= len(stream)
    assert all(len(d) <= tcp.FRAME_LIMIT_BYTES for d in receiver.datagrams)
    if not transport.aborted:
        assert len(connection._pending) < tcp.FRAME_LIMIT_BYTES + 2


@given(st.integers(tcp.FRAME_LIMIT_BYTES + 1, 0xFFFF))
def test_a_frame_too_long_ends_the_connection_before_it_is_kept(size: int) -> None:
    receiver, transport = Receiver(), FakeTransport()
    connect(receiver, transport).data_received(pack("!H", size))
    assert transport.aborted
    assert receiver.datagrams == []
