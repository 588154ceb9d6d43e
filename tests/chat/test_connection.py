"""A connection towards one viewer: order behind welcomes, and slow readers."""

import msgpack
import pytest

from chat.connection import CLOSE_BYTES, Connection
from chat.core.batch import Batch
from chat.core.closes import Close
from chat.core.frames import Event, Format, Lane, Snapshot, pack
from chat.core.rate_limit import TALK, TalkBucket
from chat.core.room import Rank, member


class Wire:
    """A socket that remembers what was written, and lags and is as full as the test says."""

    def __init__(self) -> None:
        self.told: list[str | int] = []
        self.lags = False
        self.full = 0
        self.codes: list[Close] = []

    def write(self, frame: bytes) -> None:
        """Remember the ids in a small frame."""
        payload = frame[2:] if frame[1] < 126 else frame[4:]
        self.told.extend(event["id"] for event in msgpack.unpackb(payload))

    def takes_deflated(self) -> bool:
        """No."""
        return False

    def backlog(self) -> int:
        """As full as the test says."""
        return self.full

    def close(self, code: Close) -> None:
        """Remember the code."""
        self.codes.append(code)


def batch(*ids: str | int) -> Batch:
    """Sayings, or numbered events for ids that are numbers."""
    return Batch(
        [
            Event(Lane.SHOP, pack({"id": name}), "", name)
            if isinstance(name, int)
            else Event(Lane.TALK, pack({"id": name}))
            for name in ids
        ]
    )


@pytest.fixture
def wire() -> Wire:
    """A socket."""
    return Wire()


@pytest.fixture
def viewer(wire: Wire) -> Connection:
    """A connection."""
    return Connection(wire, Format.MSGPACK, member(None, Rank.VIEWER, TalkBucket(TALK)))


def test_after_a_welcome_every_number_comes_once(viewer: Connection, wire: Wire) -> None:
    viewer.welcome(Snapshot({"id": "welcome"}), [], 4, batch(5, 6, "a"), recovered=True)
    viewer.deliver(batch("b", 5, 6, 7))
    viewer.deliver(batch(8))
    assert wire.told == ["welcome", 5, 6, "a", "b", 7, 8]


def test_a_welcome_begins_anew_where_it_says(viewer: Connection, wire: Wire) -> None:
    viewer.deliver(batch(40))
    viewer.welcome(Snapshot({"id": "welcome"}), [], 2, batch(), recovered=False)
    viewer.deliver(batch(1, 2, 3))
    assert wire.told == [40, "welcome", 3]


def test_a_slow_reader_goes_without_talk_and_is_closed_when_slower(
    viewer: Connection, wire: Wire
) -> None:
    wire.lags = True
    viewer.deliver(batch("a", 1))
    viewer.deliver(batch("b"))
    assert wire.told == [1]
    wire.lags = False
    viewer.deliver(batch("c", 2))
    assert wire.told == [1, "c", 2]
    wire.lags, wire.full = True, CLOSE_BYTES + 1
    viewer.deliver(batch("d"))
    assert wire.codes == []
    viewer.deliver(batch(3))
    assert wire.codes == [Close.TOO_SLOW]
    assert wire.told == [1, "c", 2]
