"""Who was replaced is told, and does not fight back."""

import asyncio
from typing import Any

import pytest

from live.server.takeovers import REST_S, SHOWS_MOST, Takeovers
from signaling.errors import TakenOver
from tests.server.test_policies import DeafRooms, Rooms


class Moment:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused_for(takeovers: Takeovers, key: str, *, on_air: bool = True, show: str = "s") -> int:
    """The seconds somebody with this key has to wait; 0 when it may publish."""
    try:
        takeovers.admit(show, key, on_air=on_air)
    except TakenOver as refusal:
        return int(refusal.facts["retry_after_s"])
    return 0


def test_two_with_one_key_do_not_fight() -> None:
    clock = Moment()
    takeovers = Takeovers(Rooms().publish, clock)
    assert refused_for(takeovers, "key") == 0
    assert refused_for(takeovers, "key") == 0
    takeovers.replaced("s", "the first")
    clock.now += 2.5
    assert refused_for(takeovers, "key") == REST_S - 2
    assert refused_for(takeovers, "key", show="another") == 0
    clock.now += REST_S
    assert refused_for(takeovers, "key") == 0


def test_a_newer_key_takes_over_at_once_and_so_does_who_finds_nobody() -> None:
    takeovers = Takeovers(Rooms().publish, Moment())
    takeovers.admit("s", "key", on_air=False)
    takeovers.replaced("s", "the first")
    assert refused_for(takeovers, "key", on_air=False) == 0
    assert refused_for(takeovers, "newer key") == 0
    assert refused_for(takeovers, "newer key") > 0


def test_a_show_that_went_to_another_node_stays_there() -> None:
    takeovers = Takeovers(Rooms().publish, Moment())
    takeovers.admit("s", "key", on_air=False)
    takeovers.moved("s")
    assert refused_for(takeovers, "key") > 0


def test_what_is_remembered_is_bounded() -> None:
    takeovers = Takeovers(Rooms().publish, Moment())
    for n in range(SHOWS_MOST + 1):
        takeovers.admit(f"show {n}", "key", on_air=False)
    for show in ("show 0", "show 1"):
        takeovers.replaced(show, "session")
    assert refused_for(takeovers, "key", show="show 1") > 0
    assert refused_for(takeovers, "key", show="show 0") == 0


@pytest.mark.parametrize("rooms", [Rooms(), DeafRooms()])
async def test_sellers_are_told_which_session_ended(rooms: Rooms) -> None:
    tried: list[Any] = []

    async def publish(
        show: str, event: dict[str, Any], to: str = "", key: str | None = None
    ) -> None:
        tried.append(show)
        await rooms.publish(show, event, to, key)

    takeovers = Takeovers(publish, Moment())
    running = asyncio.create_task(takeovers.run())
    for session in ("a", "b"):
        takeovers.replaced("s", session)
    async with asyncio.timeout(10):
        while len(tried) < 2:
            await asyncio.sleep(0)
    running.cancel()
    told = [] if isinstance(rooms, DeafRooms) else ["a", "b"]
    assert rooms.heard == [
        ("s", {"type": "taken_over", "session": session}, "seller") for session in told
    ]
