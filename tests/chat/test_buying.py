"""Buying in a room: at the till a shop gives, with so many wishes on their way and no more."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chat.buying import HOLDS_AT_ONCE, Buying
from chat.connection import Connection
from chat.core.closes import Close
from chat.core.commands import Unwantable, Want, WantedLine
from chat.core.events import Held, NotHeld
from chat.core.frames import Format
from chat.core.rate_limit import TALK, TalkBucket
from chat.core.room import Rank, member
from chat.errors import ChatError
from tests.chat.house import Node, watching
from tests.chat.test_connection import Wire

LINES = [WantedLine("tulip")]
Answer = Callable[[Held | NotHeld], None]


class SlowTill:
    """A till that answers when the test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, str, Want, Answer]] = []

    def hold(self, person: str | None, show: str, wish: Want, answer: Answer) -> None:
        """Remember the wish."""
        self.asked.append((person, show, wish, answer))

    def refuse(self, key: str, error: ChatError) -> NotHeld:
        """The error's code."""
        return NotHeld(id=key, problem={"code": error.code, **error.facts})

    def give(self) -> None:
        """Answer the oldest wish."""
        _, _, wish, answer = self.asked.pop(0)
        answer(Held(id=wish.id, holds=[], now_ms=1))


class Told(Wire):
    """A socket that remembers events whole."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def write(self, frame: bytes) -> None:
        """Remember what is in a small frame."""
        self.events += msgspec.msgpack.decode(frame[2:] if frame[1] < 126 else frame[4:])


@pytest.fixture
def till() -> SlowTill:
    """A till."""
    return SlowTill()


@pytest.fixture
def told() -> Told:
    """What the viewer is told."""
    return Told()


@pytest.fixture
def buying(till: SlowTill, told: Told) -> Buying:
    """A viewer's errands."""
    who = member(("id-bom", "bom"), Rank.VIEWER, TalkBucket(TALK))
    return Buying(till, "spring", Connection(told, Format.MSGPACK, who))


def test_a_wish_is_the_viewer_s_and_answered_when_it_is_known(
    till: SlowTill, told: Told, buying: Buying
) -> None:
    wish = Want("k", LINES)
    buying.take(wish)
    assert [(person, show, asked) for person, show, asked, _ in till.asked] == [
        ("id-bom", "spring", wish)
    ]
    assert told.events == []
    till.give()
    assert told.events == [{"type": "held", "id": "k", "holds": [], "now_ms": 1}]


def test_only_so_many_wishes_wait(till: SlowTill, told: Told, buying: Buying) -> None:
    for number in range(HOLDS_AT_ONCE + 1):
        buying.take(Want(str(number), LINES))
    assert len(till.asked) == HOLDS_AT_ONCE
    problem = {"code": "too_many_requests", "limit": HOLDS_AT_ONCE}
    assert told.events == [{"type": "not_held", "id": str(HOLDS_AT_ONCE), "problem": problem}]
    till.give()
    buying.take(Want("again", LINES))
    assert len(till.asked) == HOLDS_AT_ONCE


def test_what_is_no_wish_never_reaches_the_till(till: SlowTill, told: Told, buying: Buying) -> None:
    buying.take(Unwantable("k"))
    assert till.asked == []
    assert told.events == [{"type": "not_held", "id": "k", "problem": {"code": "invalid"}}]


async def test_who_waits_for_a_hold_goes_on_talking(node: Node, till: SlowTill) -> None:
    node.chat.hub.till = till
    async with watching(node, "bom") as viewer:
        await viewer.send(Want("k", LINES))
        await viewer.say("꽃")
        assert (await viewer.answer("1"))["shown"] is True
        till.give()
        assert (await viewer.until("held"))["id"] == "k"


async def test_a_room_without_a_till_knows_no_holds(node: Node) -> None:
    async with watching(node, "bom") as viewer:
        await viewer.send(Want("k", LINES))
        assert await viewer.closed() == Close.MALFORMED
