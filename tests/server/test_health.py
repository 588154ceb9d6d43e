"""Sellers hear how their viewers fare."""

from typing import Any

from live.server.health import tell_once
from tests.relay.media import FakeLink, publication
from tests.relay.test_broadcast import SHOW, Stage, frames
from tests.server.test_policies import DeafRooms, Rooms


async def test_a_seller_hears_of_all_viewers_as_one() -> None:
    stage, rooms = Stage(), Rooms()
    await tell_once(stage.relay, rooms.publish)
    assert rooms.heard == []
    sink, _ = stage.publisher()
    stage.viewer()
    stage.send(sink, *frames(1, 20))
    stage.relay.report(SHOW, "v", freezes=2, frozen_s=0.5)
    await tell_once(stage.relay, rooms.publish)
    ((show, event, audience),) = rooms.heard
    assert (show, audience) == (SHOW, "seller")
    assert event == {
        "type": "media",
        "viewers": 1,
        "paused": 0,
        "bitrate_bps": 0,
        "loss": 0.0,
        "freezes": 2,
    }
    stage.relay.wish(SHOW, "v", paused=True, max_height=None)
    await tell_once(stage.relay, rooms.publish)
    assert rooms.heard[-1][1]["paused"] == 1


async def test_a_room_that_is_away_does_not_keep_the_others_waiting() -> None:
    stage, tried = Stage(), []

    async def publish(
        show: str, event: dict[str, Any], to: str = "", key: str | None = None
    ) -> None:
        tried.append(show)
        await DeafRooms().publish(show, event, to, key)

    for show in ("a", "b"):
        stage.relay.publish(show, show, publication()).connected(FakeLink(), stage.now)
    await tell_once(stage.relay, publish)
    assert tried == ["a", "b"]
