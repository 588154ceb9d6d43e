"""A connection towards one viewer: order behind snapshots, and slow readers."""

import msgpack
import pytest

from chat import connection as module
from chat.connection import CLOSE_BYTES, HELD_EVENTS, QUIET_BYTES, REPEATING_TICKS, Connection
from chat.core.batch import Batch
from chat.core.closes import Close
from chat.core.frames import Event, Format, Lane, Snapshot, pack
from chat.core.rate_limit import TALK, Bucket
from chat.core.room import member


class Wire:
    """A socket that remembers what was written and is as full as the test says."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.full = 0
        self.codes: list[Close] = []

    def write(self, frame: bytes) -> None:
        """Remember the ids in a small frame."""
        payload = frame[2:] if frame[1] < 126 else frame[4:]
        self.told.extend(event["id"] for event in msgpack.unpackb(payload))

    def backlog(self) -> int:
        """As full as the test says."""
        return self.full

    def close(self, code: Close) -> None:
        """Remember the code."""
        self.codes.append(code)


def batch(*ids: str) -> Batch:
    """Sayings, or shop events for ids in capitals."""
    lanes = [Lane.SHOP if name.isupper() else Lane.TALK for name in ids]
    return Batch([Event(lane, pack({"id": n})) for lane, n in zip(lanes, ids, strict=True)])


def snapshot(name: str, *said: str) -> Snapshot:
    """A snapshot that told these sayings."""
    return Snapshot({"id": name, "talk": [{"id": saying} for saying in said]})


@pytest.fixture
def wire() -> Wire:
    """A socket."""
    return Wire()


@pytest.fixture
def viewer(wire: Wire) -> Connection:
    """A connection with nothing awaited."""
    return Connection(wire, Format.MSGPACK, member(None, seller=False, talk=Bucket(TALK)))


def test_events_wait_behind_the_snapshot_and_what_it_told_is_not_repeated(
    viewer: Connection, wire: Wire
) -> None:
    viewer.hold()
    viewer.deliver(batch("a", "PIN", "b"))
    assert wire.told == []
    viewer.welcome(snapshot("welcome", "a"))
    assert wire.told == ["welcome", "PIN", "b"]


def test_a_tick_that_comes_late_repeats_nothing_either(viewer: Connection, wire: Wire) -> None:
    viewer.hold()
    viewer.welcome(snapshot("welcome", "a"))
    viewer.deliver(batch("a"))
    viewer.deliver(batch("a", "b"))
    assert wire.told == ["welcome", "b"]
    for _ in range(REPEATING_TICKS):
        viewer.deliver(batch("c"))
    viewer.deliver(batch("a"))
    assert wire.told[-1] == "a"


def test_two_snapshots_awaited_set_events_free_with_the_second(
    viewer: Connection, wire: Wire
) -> None:
    viewer.hold()
    viewer.deliver(batch("A"))
    viewer.hold()
    viewer.deliver(batch("B"))
    viewer.welcome(snapshot("first"))
    viewer.deliver(batch("C"))
    viewer.welcome(snapshot("second"))
    assert wire.told == ["first", "second", "A", "B", "C"]


def test_a_slow_reader_goes_without_talk_and_is_closed_when_slower(
    viewer: Connection, wire: Wire
) -> None:
    wire.full = QUIET_BYTES + 1
    viewer.deliver(batch("a", "A"))
    viewer.deliver(batch("b"))
    assert wire.told == ["A"]
    wire.full = QUIET_BYTES
    viewer.deliver(batch("c", "C"))
    assert wire.told == ["A", "c", "C"]
    wire.full = CLOSE_BYTES + 1
    viewer.deliver(batch("d"))
    assert wire.codes == []
    viewer.deliver(batch("D"))
    assert wire.codes == [Close.TOO_SLOW]
    assert wire.told == ["A", "c", "C"]


def test_too_much_behind_one_snapshot_closes(viewer: Connection, wire: Wire) -> None:
    viewer.hold()
    for _ in range(HELD_EVENTS // 100):
        viewer.deliver(batch(*["A"] * 100))
    assert wire.codes == []
    viewer.deliver(batch("A"))
    assert wire.codes == [Close.TOO_SLOW]


def test_the_limits_stand_in_their_order() -> None:
    assert 0 < module.QUIET_BYTES < module.CLOSE_BYTES
