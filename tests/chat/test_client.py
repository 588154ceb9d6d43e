"""The client in real rooms: cut off, held up, sent away and answered."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from chat.adapters.protocol import at_most
from chat.adapters.redis_bus import KEYS_KEPT_S
from chat.client import (
    EVENTS_WAITING,
    SAY_AGAIN_S,
    SAYINGS_WAITING,
    Event,
    RoomClient,
    open_room,
)
from chat.core.events import Accepted, Refused
from chat.core.frames import Format
from chat.core.returning import MOST_S
from chat.errors import DismissedError, TooManyError, UnavailableError
from chat.ports import TooSoon, Verdict
from tests.chat.house import PATIENCE_S, House, Node, open_node, watching


class Pauses:
    """A clock that stands still and lets nobody wait: how long they would have is kept."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.now = 0.0

    async def note(self, seconds: float) -> None:
        """Note it and go on."""
        self.waited.append(seconds)
        await asyncio.sleep(0)

    def clock(self) -> float:
        """Seconds."""
        return self.now


def entering(
    node: Node, name: str | None, pauses: Pauses, show: str = "spring", **options: Any
) -> AbstractAsyncContextManager[RoomClient]:
    """A client that never waits."""
    return open_room(
        node.url(show),
        token=None if name is None else f"token-{name}",
        chance=lambda: 0.5,
        clock=pauses.clock,
        sleep=pauses.note,
        **options,
    )


async def until(room: RoomClient, wanted: Callable[[Event], bool]) -> list[Event]:
    """The events up to the first that is wanted."""
    found: list[Event] = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in room:
            found.append(event)
            if wanted(event):
                break
    return found


def a(kind: str) -> Callable[[Event], bool]:
    """Whether an event is of a kind."""
    return lambda event: bool(event["type"] == kind)


async def cut_off(node: Node) -> None:
    """Cut every connection of a node's, as a network does."""
    for connection in [*node.server.server_state.connections]:
        connection.transport.abort()


async def test_a_client_cut_off_again_and_again_misses_nothing_and_hears_nothing_twice(
    node: Node,
) -> None:
    pauses = Pauses()
    async with (
        entering(node, "bom", pauses, wire=Format.MSGPACK) as packed,
        entering(node, None, pauses, wire=Format.JSON) as told,
    ):
        rooms = (packed, told)
        heard: dict[RoomClient, list[Event]] = {}
        for room in rooms:
            heard[room] = await until(room, a("welcome"))
        dice = random.Random(3)
        for number in range(1, 201):
            if dice.random() < 0.1:
                await cut_off(node)
            await node.chat.publish("spring", {"type": "note", "n": number})
        for room in rooms:
            heard[room] += await until(room, lambda event: event.get("n") == 200)
            notes = [(e["n"], e["offset"]) for e in heard[room] if e["type"] == "note"]
            assert notes == [(number, number) for number in range(1, 201)]
            welcomes = [e["recovered"] for e in heard[room] if e["type"] == "welcome"]
            assert len(welcomes) > 3
            assert welcomes == [False] + [True] * (len(welcomes) - 1)


async def test_what_is_said_is_said_once_and_answered_once_however_often_it_is_cut_off(
    redis_url: str, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each saying is told to the room, and the connection cut before its sender hears of it."""
    pauses = Pauses()
    verdicts: list[Verdict | TooSoon] = []
    async with (
        open_node(redis_url, house, "one") as node,
        open_node(redis_url, house, "two") as other,
        watching(other) as stranger,
        entering(node, "dal", pauses) as room,
    ):
        bus = node.chat.hub.bus
        say = bus.say

        async def say_and_cut_off(*told: Any, **options: Any) -> Verdict | TooSoon:
            verdicts.append(await say(*told, **options))
            if verdicts[-1] is Verdict.SHOWN:
                await cut_off(node)
            return verdicts[-1]

        monkeypatch.setattr(bus, "say", say_and_cut_off)
        for number in range(10):
            answer = await asyncio.wait_for(room.say(f"{number}"), PATIENCE_S)
            assert isinstance(answer, Accepted)
            assert answer.shown
        await stranger.until_member("said", "text", "9")
        said = [event["text"] for event in stranger.seen if event["type"] == "said"]
        assert said == [f"{number}" for number in range(10)]
    assert verdicts == [Verdict.SHOWN, Verdict.AGAIN] * 10
    assert len(pauses.waited) >= 10


async def test_sayings_keep_their_order_and_learn_why_they_are_refused(node: Node) -> None:
    pauses = Pauses()
    async with entering(node, "bom", pauses) as room, watching(node) as stranger:
        answers = await asyncio.gather(*(room.say(f"{number}") for number in range(6)))
        assert [answer.reason for answer in answers if isinstance(answer, Refused)] == ["too_fast"]
        await stranger.until_member("said", "text", "4")
        said = [event["text"] for event in stranger.seen if event["type"] == "said"]
        assert said == ["0", "1", "2", "3", "4"]
        long = await room.say("꽃" * 5_000)
        assert isinstance(long, Refused)
        assert long.reason == "too_long"
        with pytest.raises(ValueError, match="surrogates"):
            await room.say("\ud800")
        assert isinstance(await room.say(" "), Refused)


async def test_hearts_are_sent_and_a_sync_is_answered(node: Node, house: House) -> None:
    async with entering(node, None, Pauses()) as room:
        await until(room, a("welcome"))
        await room.heart(3)
        await room.heart(0)
        assert (await until(room, a("hearts")))[-1]["count"] == 3
        house.stock["tulip"] = 1
        await room.sync()
        assert (await until(room, a("welcome")))[-1]["products"][0]["free"] == 1


async def test_who_is_sent_away_for_good_stays_away(node: Node) -> None:
    pauses = Pauses()
    async with entering(node, None, pauses, show="winter") as room:
        with pytest.raises(DismissedError) as away:
            await until(room, a("welcome"))
        assert away.value.facts == {"close": 4004}
        with pytest.raises(DismissedError):
            await until(room, a("welcome"))
        with pytest.raises(DismissedError):
            await room.say("hello?")
    async with entering(node, None, pauses, origin="https://evil.example") as room:
        with pytest.raises(DismissedError) as away:
            await until(room, a("welcome"))
        assert away.value.facts == {"status": 403}
    assert pauses.waited == []


async def test_who_is_told_to_wait_waits_at_least_so_long(redis_url: str, house: House) -> None:
    pauses = Pauses()
    async with (
        open_node(redis_url, house, websocket=at_most(10)) as node,
        watching(node),
        entering(node, None, pauses) as room,
    ):
        await until(room, a("welcome"))
    assert pauses.waited[:3] == [1 + 0.5, 1 + 1.0, 1 + 2.0]


async def test_pauses_grow_while_nobody_answers_and_shrink_with_a_welcome(
    redis_url: str, house: House
) -> None:
    pauses = Pauses()
    many = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await pauses.note(seconds)
        if len(pauses.waited) == 7:
            many.set()
            await asyncio.Event().wait()

    async with open_node(redis_url, house) as node:
        client = open_room(node.url(), chance=lambda: 0.5, sleep=sleep)
        room = await client.__aenter__()
        await until(room, a("welcome"))
        await cut_off(node)
        await until(room, a("welcome"))
    await asyncio.wait_for(many.wait(), PATIENCE_S)
    await client.__aexit__(None, None, None)
    assert pauses.waited == [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0]


async def test_a_connection_that_went_silent_is_left(node: Node) -> None:
    options: dict[str, Any] = {"ping_interval": 0.05, "ping_timeout": 0.05, "close_timeout": 0.1}
    async with entering(node, None, Pauses(), **options) as room:
        await until(room, a("welcome"))
        (silent,) = node.server.server_state.connections
        silent.transport.pause_reading()
        assert (await until(room, a("welcome")))[-1]["recovered"]
        silent.transport.resume_reading()


async def test_who_leaves_takes_its_sayings_along(node: Node, house: House) -> None:
    house.open.clear()
    async with entering(node, "bom", Pauses()) as room:
        sayings = [asyncio.create_task(room.say("?")) for _ in range(SAYINGS_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyError):
            await room.say("one more")
        house.open.set()
        await until(room, a("welcome"))
        house.open.clear()
    done, waiting = await asyncio.wait(sayings, timeout=PATIENCE_S)
    assert not waiting
    assert any(each.cancelled() for each in done)
    assert len([event async for event in room]) < EVENTS_WAITING
    with pytest.raises(UnavailableError):
        await room.say("?")


Talk = Callable[[ServerConnection], Any]
WELCOME: Final[Event] = {"type": "welcome", "epoch": "e", "offset": 0}


@asynccontextmanager
async def made_up(talk: Talk, **options: Any) -> AsyncIterator[str]:
    """A server that says what a room never would; its URL."""
    protocols: Any = [Format.JSON.value]
    async with serve(talk, "127.0.0.1", 0, subprotocols=protocols, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1",
        "[",
        "{}",
        "[1]",
        "[{}]",
        '[{"type": 1}]',
        '[{"type": "welcome"}]',
        '[{"type": "welcome", "epoch": "e", "offset": 0}, {"type": "stock", "offset": "1"}]',
        '[{"type": "welcome", "epoch": "e", "offset": 0}, {"type": "accepted"}]',
        "[" * 100_000,
    ],
    ids=lambda frame: repr(frame)[:40],
)
async def test_a_server_that_speaks_another_protocol_is_left_for_good(frame: str | bytes) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(frame)
        await connection.wait_closed()

    async with made_up(talk) as url, open_room(url, wire=Format.JSON) as room:
        with pytest.raises(DismissedError) as away:
            await until(room, lambda _: False)
        assert away.value.facts == {"close": 1002}


@pytest.mark.parametrize(
    ("after", "least_s"), [("2", 2), ("9" * 400, MOST_S), ("-5", 0), ("soon", 0), ("", 0)]
)
async def test_however_long_a_server_says_to_wait_the_wait_is_bounded(
    after: str, least_s: float
) -> None:
    pauses = Pauses()

    def refuse(connection: ServerConnection, _request: Request) -> Response | None:
        if pauses.waited:
            return None
        response = connection.respond(503, "busy")
        response.headers["Retry-After"] = after
        return response

    async def talk(connection: ServerConnection) -> None:
        await connection.send(msgspec.json.encode([WELCOME]).decode())
        await connection.wait_closed()

    async with (
        made_up(talk, process_request=refuse) as url,
        open_room(
            url, wire=Format.JSON, chance=lambda: 0.5, clock=pauses.clock, sleep=pauses.note
        ) as room,
    ):
        await until(room, a("welcome"))
    assert pauses.waited == [least_s + 0.5]


async def test_what_a_server_tells_twice_is_taken_once() -> None:
    async def talk(connection: ServerConnection) -> None:
        for event in (WELCOME, note(1), note(2), note(1), note(2), note(3)):
            await connection.send(msgspec.json.encode([event]).decode())
        await connection.wait_closed()

    def note(offset: int) -> Event:
        return {"type": "note", "offset": offset}

    async with made_up(talk) as url, open_room(url, wire=Format.JSON) as room:
        heard = await until(room, lambda event: event["offset"] == 3)
    assert [event["offset"] for event in heard] == [0, 1, 2, 3]


async def test_what_a_repeated_saying_is_told_of_haste_is_no_answer_and_old_ones_are_given_up() -> (
    None
):
    pauses, heard = Pauses(), []

    async def talk(connection: ServerConnection) -> None:
        await connection.send(msgspec.json.encode([WELCOME]).decode())
        async for message in connection:
            command = msgspec.json.decode(message)
            if command["type"] == "hello":
                continue
            heard.append((command["id"], command["text"]))
            if len(heard) in (1, 4):
                pauses.now += 1.0 if len(heard) == 1 else SAY_AGAIN_S + 1
                connection.transport.abort()
                return
            refused = {"type": "refused", "id": command["id"], "reason": "too_fast"}
            accepted = {"type": "accepted", "id": command["id"], "shown": True}
            for answer in (accepted | {"id": "another"}, refused if len(heard) == 2 else accepted):
                await connection.send(msgspec.json.encode([answer]).decode())

    async with (
        made_up(talk) as url,
        open_room(url, wire=Format.JSON, sleep=pauses.note, clock=pauses.clock) as room,
        asyncio.timeout(PATIENCE_S),
    ):
        assert await room.say("once") == Accepted(heard[0][0], True)
        assert len(heard) == 3
        assert len(set(heard)) == 1
        with pytest.raises(UnavailableError):
            await room.say("too late")
        assert len(heard) == 4


async def test_events_nobody_reads_stop_the_reading_and_none_is_lost(node: Node) -> None:
    async with entering(node, None, Pauses()) as room:
        await until(room, a("welcome"))
        for number in range(EVENTS_WAITING + 200):
            await node.chat.publish("spring", {"type": "note", "n": number})
        last = EVENTS_WAITING + 199
        heard = await until(room, lambda event: event.get("n") == last)
        assert [e["n"] for e in heard if e["type"] == "note"] == [*range(last + 1)]


def test_a_saying_is_given_up_before_a_room_forgets_that_it_was_said() -> None:
    assert SAY_AGAIN_S < KEYS_KEPT_S
