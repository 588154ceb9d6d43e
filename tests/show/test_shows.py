"""Shows through HTTP and as signaling and the relay see them."""

from dataclasses import replace

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from live.show.adapters.directory import RedisDirectory
from live.show.core.stage import Stage
from live.show.errors import ShowEndedError
from live.show.ports import Arranged, Ended, Pinned, WentOffAir, WentOnAir
from tests.server.world import BASE_URL, World


@pytest_asyncio.fixture
async def seller(world: World) -> dict[str, str]:
    """The seller of the store `flowers`, who has two products."""
    world.owners["flowers"] = await world.person()
    world.shelves["flowers"] = ["p1", "p2"]
    return await world.bearer()


async def schedule(world: World, seller: dict[str, str], **more: object) -> str:
    body = {"store": "flowers", "title": "장미", **more}
    answer = await world.client.post("/shows", json=body, headers=seller)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_scheduled_show(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller, starts_at_ms=1_900_000_000_000)
    expected = {
        "id": show,
        "store": "flowers",
        "title": "장미",
        "stage": "scheduled",
        "on_air": False,
        "starts_at_ms": 1_900_000_000_000,
        "started_at_ms": None,
        "ended_at_ms": None,
        "lineup": [],
        "pinned": None,
        "viewers": 7,
    }
    assert (await world.client.get(f"/shows/{show}")).json() == expected
    assert (await world.client.get("/shows?stage=scheduled")).json() == {"shows": [expected]}
    assert (await world.client.get("/shows?stage=live")).json() == {"shows": []}
    assert (await world.client.get("/shows?stage=replayable")).status_code == 422
    assert (await world.client.get("/shows/none")).status_code == 404


async def test_only_the_owner_acts(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller)
    await world.person("other@example.com")
    other = await world.bearer("other@example.com")
    acts: list[tuple[str, str, object]] = [
        ("POST", "/shows", {"store": "flowers", "title": "x"}),
        ("PATCH", f"/shows/{show}", {"title": "x"}),
        ("POST", f"/shows/{show}/publish-key", None),
        ("POST", f"/shows/{show}/end", None),
        ("PUT", f"/shows/{show}/lineup", {"products": []}),
        ("POST", f"/shows/{show}/pin", {"product": None}),
    ]
    for method, path, body in acts:
        foreign = await world.client.request(method, path, json=body, headers=other)
        assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
        assert (await world.client.request(method, path, json=body)).status_code == 401
    nowhere = {"store": "none", "title": "x"}
    assert (await world.client.post("/shows", json=nowhere, headers=seller)).status_code == 404
    assert world.told == []


async def test_edit(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller, starts_at_ms=5)
    path = f"/shows/{show}"
    answer = await world.client.patch(path, json={"title": " 새  장미 "}, headers=seller)
    assert (answer.json()["title"], answer.json()["starts_at_ms"]) == ("새 장미", 5)
    answer = await world.client.patch(path, json={"starts_at_ms": None}, headers=seller)
    assert (answer.json()["title"], answer.json()["starts_at_ms"]) == ("새 장미", None)
    assert (await world.client.patch(path, json={"title": " "}, headers=seller)).status_code == 422
    await world.shows.media_flows(show)
    late = await world.client.patch(path, json={"starts_at_ms": 9}, headers=seller)
    assert (late.status_code, late.json()["code"]) == (409, "show_started")


async def test_pin_and_lineup(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller)
    lineup = {"products": ["p1"]}
    answer = await world.client.put(f"/shows/{show}/lineup", json=lineup, headers=seller)
    assert answer.json()["lineup"] == ["p1"]
    pin = f"/shows/{show}/pin"
    answer = await world.client.post(pin, json={"product": "p2"}, headers=seller)
    assert (answer.json()["lineup"], answer.json()["pinned"]) == (["p1", "p2"], "p2")
    wrong = await world.client.post(pin, json={"product": "p9"}, headers=seller)
    assert (wrong.status_code, wrong.json()["product"]) == (422, "p9")
    last = await world.shows.show(show)
    first = replace(last, lineup=("p1",), pinned=None)
    assert world.told == [Arranged(first, ()), Arranged(last, ("p2",)), Pinned(last)]


async def test_keys_publish_until_replaced_or_ended(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller)
    assert await world.shows.may_publish("none", "x") == "unknown_show"
    assert await world.shows.may_publish(show, None) == "unauthorized"
    path = f"/shows/{show}/publish-key"
    first = (await world.client.post(path, headers=seller)).json()
    assert first["whip_url"] == f"{BASE_URL}/whip/{show}"
    assert await world.shows.may_publish(show, first["key"]) == "granted"
    second = (await world.client.post(path, headers=seller)).json()
    assert await world.shows.may_publish(show, first["key"]) == "unauthorized"
    assert await world.shows.may_publish(show, second["key"]) == "granted"
    answer = await world.client.post(f"/shows/{show}/end", headers=seller)
    assert answer.json()["stage"] == "ended"
    assert await world.shows.may_publish(show, second["key"]) == "ended"
    late = await world.client.post(path, headers=seller)
    assert (late.status_code, late.json()["code"]) == (409, "show_ended")


async def test_a_show_from_first_picture_to_end(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller)
    await world.shows.media_flows(show)
    live = (await world.client.get(f"/shows/{show}")).json()
    assert (live["stage"], live["on_air"]) == ("live", True)
    assert live["started_at_ms"] == int(world.clock() * 1000)
    await world.shows.media_stops(show)
    away = (await world.client.get(f"/shows/{show}")).json()
    assert (away["stage"], away["on_air"]) == ("live", False)
    await world.shows.media_flows(show)
    for _ in range(2):
        await world.client.post(f"/shows/{show}/end", headers=seller)
    ended = (await world.client.get(f"/shows/{show}")).json()
    assert (ended["stage"], ended["on_air"], ended["viewers"]) == ("ended", False, 0)
    assert [type(event) for event in world.told] == [WentOnAir, WentOffAir, WentOnAir, Ended]
    with pytest.raises(ShowEndedError):
        await world.shows.media_flows(show)
    assert await world.shows.unended("flowers") == []


async def test_list_shows_live_first(world: World, seller: dict[str, str]) -> None:
    ended = await schedule(world, seller)
    later = await schedule(world, seller, starts_at_ms=2_000)
    sooner = await schedule(world, seller, starts_at_ms=1_000)
    live = await schedule(world, seller)
    await world.shows.media_flows(live)
    await world.client.post(f"/shows/{ended}/end", headers=seller)
    shows = (await world.client.get("/shows")).json()["shows"]
    assert [show["id"] for show in shows] == [live, sooner, later, ended]
    assert [show["id"] for show in shows if show["on_air"]] == [live]
    listed = await world.shows.listed(Stage.ENDED)
    assert [show.id for show in listed] == [ended]


async def test_the_newest_publisher_has_the_place(world: World, seller: dict[str, str]) -> None:
    show = await schedule(world, seller)
    other = RedisDirectory(world.redis, "http://other.test")
    await world.shows.media_flows(show)
    assert await other.elsewhere(show) == BASE_URL
    assert await world.directory.elsewhere(show) is None
    await other.claim(show)
    await world.directory.renew(show)
    assert await world.directory.elsewhere(show) == "http://other.test"
    await world.shows.media_stops(show)
    assert await other.on_air([show]) == {show}
    assert [type(event) for event in world.told] == [WentOnAir]
    await other.release_all()
    assert await world.directory.origin(show) is None


async def test_a_node_hears_once_that_another_one_has_the_publisher(world: World) -> None:
    lost: list[str] = []
    first = RedisDirectory(world.redis, BASE_URL, lost.append)
    await first.claim("s1")
    await first.renew("s1")
    assert lost == []
    await RedisDirectory(world.redis, "http://other.test").claim("s1")
    for _ in range(2):
        await first.renew("s1")
    assert lost == ["s1"]


async def test_the_place_is_told_again_after_redis_forgot(
    world: World, seller: dict[str, str]
) -> None:
    show = await schedule(world, seller)
    await world.shows.media_flows(show)
    await world.redis.flushall()
    stranger = RedisDirectory(world.redis, "http://other.test")
    assert await stranger.origin(show) is None
    await world.directory.renew(show)
    assert await stranger.origin(show) == BASE_URL


async def test_without_redis_a_node_knows_its_own() -> None:
    async with Redis.from_url("unix:///nowhere/valkey.sock", retry=None) as redis:
        directory = RedisDirectory(redis, BASE_URL)
        await directory.claim("s1")
        await directory.renew("s1")
        assert await directory.on_air(["s1", "s2"]) == {"s1"}
        assert await directory.origin("s2") is None
        await directory.release("s1")
        assert await directory.on_air(["s1"]) == set()
