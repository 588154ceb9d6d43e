"""What viewers' pages tell the relay, and what is told of a show's media and to whom."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from live.relay.adapters.routes import REPORTS_AT_ONCE
from live.relay.relay import VIEWERS_TOLD, Relay
from live.relay.viewer import Viewer
from live.show.adapters.directory import RedisDirectory
from tests.relay.media import DELTA, KEY, SUBSCRIPTION, FakeLink, publication, video
from tests.server.world import World

SESSION = "a-session-nobody-can-guess"
REPORT = {"paused": True, "max_height": 360, "freezes": 2, "frozen_s": 0.75}
PAGE = {"Origin": "https://another.example"}


@pytest_asyncio.fixture
async def show(world: World) -> str:
    """A show of `flowers` whose picture has begun."""
    owner = await world.person()
    world.owners["flowers"] = owner
    show = await world.shows.schedule(owner, "flowers", "장미", None)
    sink = world.relay.publish(show.id, "publisher", publication())
    sink.connected(FakeLink(), 0.0)
    for n in range(10):
        sink.rtp(video(n, DELTA if n else KEY, timestamp=3000 * n), 0.0)
    sink.drained(0.0)
    return show.id


def watch(relay: Relay, show: str, session: str = SESSION) -> Viewer:
    """Somebody watches."""
    viewer = relay.subscribe(show, session, SUBSCRIPTION)
    assert isinstance(viewer, Viewer)
    viewer.connected(FakeLink(), 0.0)
    return viewer


async def tell(world: World, show: str, body: Any, session: str = SESSION) -> httpx.Response:
    """What a viewer's page says."""
    path = f"/shows/{show}/viewers/{session}"
    return await world.client.put(path, json=body, headers=PAGE)


async def test_a_viewers_page_wishes_and_reports(world: World, show: str) -> None:
    viewer = watch(world.relay, show)
    answer = await tell(world, show, REPORT)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (viewer.paused, viewer.max_height) == (True, 360)
    assert (viewer.freezes, viewer.frozen_s) == (2, 0.75)
    assert (await tell(world, show, {"freezes": 1})).status_code == 204
    assert (viewer.paused, viewer.max_height) == (False, None)
    assert (viewer.freezes, viewer.frozen_s) == (2, 0.75)


async def test_a_page_of_another_origin_may_ask_first(world: World, show: str) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x"}
    path = f"/shows/{show}/viewers/{SESSION}"
    answer = await world.client.options(path, headers=PAGE | asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "Content-Type"


async def test_only_the_session_itself_is_the_right_to_speak(world: World, show: str) -> None:
    viewer = watch(world.relay, show)
    for there, session in ((show, "publisher"), (show, "guessed"), ("other", SESSION)):
        answer = await tell(world, there, REPORT, session)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.headers["access-control-allow-origin"] == "*"
    assert not viewer.paused
    viewer.closed(1.0)
    assert (await tell(world, show, REPORT)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"max_height": 0},
        {"max_height": 10**9},
        {"max_height": 360.5},
        {"freezes": -1},
        {"freezes": 10**9},
        {"frozen_s": -0.1},
        {"frozen_s": 1e9},
        {"paused": 1},
        {"layer": "f"},
        [],
    ],
)
async def test_nonsense_changes_nothing(world: World, show: str, body: Any) -> None:
    viewer = watch(world.relay, show)
    answer = await tell(world, show, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert (viewer.paused, viewer.max_height, viewer.freezes) == (False, None, 0)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
async def test_a_number_that_is_none_is_refused(world: World, show: str, number: bytes) -> None:
    watch(world.relay, show)
    path = f"/shows/{show}/viewers/{SESSION}"
    headers = {"Content-Type": "application/json"}
    body = b'{"frozen_s": ' + number + b"}"
    answer = await world.client.put(path, content=body, headers=headers)
    assert answer.status_code in (400, 422)


async def test_a_page_that_tells_too_often_has_to_wait(world: World, show: str) -> None:
    watch(world.relay, show)
    other = watch(world.relay, show, "another-session")
    answers = [await tell(world, show, REPORT) for _ in range(REPORTS_AT_ONCE + 20)]
    refused = [answer for answer in answers if answer.status_code != 204]
    assert {answer.status_code for answer in refused} == {429}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert len(answers) - len(refused) < REPORTS_AT_ONCE + 10
    assert (await tell(world, show, REPORT, other.session)).status_code == 204


async def test_the_owner_sees_how_the_media_fare(world: World, show: str) -> None:
    watch(world.relay, show)
    watch(world.relay, show, "another-session")
    await tell(world, show, REPORT)
    bearer = await world.bearer()
    answer = await world.client.get(f"/shows/{show}/media", headers=bearer)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["show"], told["publisher"]["video"]) == (show, "H264")
    assert told["publisher"]["layers"][0]["packets"] == 10
    audience = told["audience"]
    assert (audience["viewers"], audience["paused"], audience["freezes"]) == (2, 1, 2)
    worst, other = told["viewers"]
    assert (worst["freezes"], worst["paused"], other["freezes"]) == (2, True, 0)
    assert worst["id"] != other["id"]
    for session in (SESSION, "another-session", '"publisher"'):
        assert f"{session}" not in answer.text.replace('"publisher":', "")


async def test_nobody_else_sees_it(world: World, show: str) -> None:
    path = f"/shows/{show}/media"
    assert (await world.client.get(path)).status_code == 401
    await world.person("other@example.com")
    stranger = await world.bearer("other@example.com")
    answer = await world.client.get(path, headers=stranger)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    gone = await world.client.get("/shows/none/media", headers=stranger)
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


async def test_a_show_without_media_has_an_empty_house(world: World) -> None:
    owner = await world.person()
    world.owners["flowers"] = owner
    show = await world.shows.schedule(owner, "flowers", "장미", None)
    told = (await world.client.get(f"/shows/{show.id}/media", headers=await world.bearer())).json()
    assert (told["publisher"], told["viewers"], told["audience"]["viewers"]) == (None, [], 0)


async def test_a_node_without_the_publisher_asks_the_one_that_has_it(
    world: World, show: str
) -> None:
    """Nobody answers at that address: it is asked, and its silence is not an empty house."""
    await RedisDirectory(world.redis, "http://127.0.0.1:1").claim(show)
    path, bearer = f"/shows/{show}/media", await world.bearer()
    answer = await world.client.get(path, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    alone = await world.client.get(path, params={"here": "true"}, headers=bearer)
    assert alone.json()["publisher"]["layers"][0]["packets"] == 10
    await world.person("other@example.com")
    stranger = await world.client.get(path, headers=await world.bearer("other@example.com"))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "forbidden")


async def test_a_crowd_is_told_in_totals(world: World, show: str) -> None:
    crowd = [watch(world.relay, show, f"session {n}") for n in range(VIEWERS_TOLD + 50)]
    crowd[7].loss = 0.5
    told = (await world.client.get(f"/shows/{show}/media", headers=await world.bearer())).json()
    assert told["audience"]["viewers"] == len(crowd)
    assert len(told["viewers"]) == VIEWERS_TOLD
    assert told["viewers"][0]["loss"] == 0.5
