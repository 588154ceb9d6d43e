"""The room as viewers meet it: real servers, real clients, a real Valkey."""

import asyncio
from contextlib import AsyncExitStack, suppress

import msgspec
import pytest
import uvicorn
import uvloop
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.types import Message, Scope
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from chat.adapters.protocol import RoomProtocol
from chat.adapters.redis_presence import RedisPresence
from chat.adapters.routes import choose_format, routes
from chat.core.bus_messages import EPOCH_CHARS
from chat.core.closes import Close
from chat.core.commands import VISITOR_CHARS
from chat.core.frames import Format
from chat.errors import WrongServerError
from tests.chat.house import (
    JSON,
    MSGPACK,
    PATIENCE_S,
    House,
    Node,
    Viewer,
    at_the_door,
    back,
    open_node,
    watching,
)

BOM = {"id": "id-bom", "name": "bom", "seller": False, "moderator": False}


@pytest.mark.parametrize("wire", [MSGPACK, JSON])
async def test_a_newcomer_is_welcomed_with_how_things_are(
    node: Node, house: House, wire: str
) -> None:
    house.pinned = "tulip"
    async with watching(node, "bom", wire=wire) as viewer:
        assert viewer.connection.subprotocol == wire
        (welcome,) = viewer.seen
        assert welcome.pop("now_ms") > 1_700_000_000_000
        assert len(welcome.pop("epoch")) == EPOCH_CHARS
        assert welcome == {
            "type": "welcome",
            "show": "spring",
            "you": BOM | {"sanctions": []},
            "on_air": True,
            "stage": "live",
            "pinned": "tulip",
            "products": [{"id": "tulip", "free": 5, "version": 0}],
            "talk": [],
            "present": 1,
            "hearts": 0,
            "room": {
                "type": "room",
                "slow_s": 0,
                "buyers_only": False,
                "followers_only": False,
                "links_allowed": False,
                "frozen": False,
                "pinned_saying": None,
                "version": 0,
            },
            "answers": [],
            "offers": [],
            "offset": 0,
            "recovered": False,
        }


async def test_who_comes_twice_is_counted_once_and_the_seller_not(
    redis_url: str, house: House
) -> None:
    async with open_node(redis_url, house) as node, AsyncExitStack() as closing:
        await closing.enter_async_context(watching(node, "dal"))
        for hello in ({"visitor": "a"}, {"visitor": "a", "token": "token-bom"}, {"visitor": "b"}):
            viewer = await closing.enter_async_context(at_the_door(node))
            await viewer.send({"type": "hello", **hello})
            await viewer.until("welcome")
        for _ in range(2):
            async with watching(node, "bom"), watching(node):
                pass
    client = Redis.from_url(redis_url)
    told = await RedisPresence(client, "another").attendance("spring")
    await client.aclose()
    assert (told.viewers, told.visitors) == (0, 5)
    assert told.peak >= 1


async def test_an_id_of_a_visitor_has_bounds(node: Node) -> None:
    for visitor in ("", "v" * (VISITOR_CHARS + 1), 7):
        async with at_the_door(node) as viewer:
            await viewer.send({"type": "hello", "visitor": visitor})
            assert await viewer.closed() == Close.MALFORMED


async def test_what_one_says_everybody_reads_in_either_format(node: Node) -> None:
    async with (
        watching(node, "bom") as bom,
        watching(node, "dal", wire=JSON) as dal,
        watching(node) as stranger,
    ):
        await bom.say("\u1101\u1169\u11be\x00  예뻐요", "c7")
        assert (await bom.until("accepted"))["id"] == "c7"
        for viewer in (dal, stranger):
            said = await viewer.until("said")
            assert said["text"] == "꽃 예뻐요"
            assert said["from"] == BOM
        await dal.say("어서오세요")
        assert (await stranger.until("said"))["from"]["seller"] is True
    async with watching(node) as late:
        assert [said["text"] for said in late.seen[0]["talk"]] == ["꽃 예뻐요", "어서오세요"]


async def test_refusals_name_their_reason(node: Node) -> None:
    async with watching(node) as stranger, watching(node, "bom") as bom:
        await stranger.say("hi", "s")
        assert await stranger.until("refused") == {
            "type": "refused",
            "id": "s",
            "reason": "sign_in",
        }
        await bom.say("\u3164 \u200b", "e")
        assert (await bom.until("refused"))["reason"] == "empty"
        await bom.say("꽃" * 301, "l")
        assert (await bom.until("refused"))["reason"] == "too_long"
        await bom.send({"type": "say", "id": "m", "text": 7})
        assert (await bom.until("refused"))["reason"] == "malformed"
        for count in range(6):
            await bom.say(f"{count}", f"f{count}")
        assert await bom.until("refused") == {"type": "refused", "id": "f5", "reason": "too_fast"}


async def test_unwanted_words_and_links_stay_with_their_sender_and_numbers_are_masked(
    node: Node,
) -> None:
    async with watching(node, "bom") as bom, watching(node, "dal", wire=JSON) as dal:
        await bom.say("시.발", "w")
        assert (await bom.until("refused"))["reason"] == "banned_word"
        await bom.say("여기 hxxp://shop.example 더 싸요", "l")
        assert (await bom.until("refused"))["reason"] == "link"
        await bom.say("010-1234-5678로 32,000원 보낼게요", "n")
        await bom.answer("n")
        await dal.say("http://shop.example", "s")
        assert (await dal.until("said"))["text"] == "***-****-****로 32,000원 보낼게요"
        assert (await dal.until("said"))["text"] == "http://shop.example"


async def test_nobody_is_shown_under_a_name_that_looks_like_the_sellers(node: Node) -> None:
    async with (
        watching(node, "Dа1") as mimic,
        watching(node, "dal") as dal,
        watching(node, "bom") as bom,
    ):
        name = mimic.seen[0]["you"]["name"]
        assert name.startswith("Guest ")
        assert (dal.seen[0]["you"]["name"], bom.seen[0]["you"]["name"]) == ("dal", "bom")
        await mimic.say("반값!")
        assert (await bom.until("said"))["from"]["name"] == name
    async with watching(node, "Dа1") as again:
        assert again.seen[0]["you"]["name"] == name


async def test_a_person_on_two_connections_has_one_allowance(node: Node) -> None:
    async with watching(node, "bom") as phone, watching(node, "bom") as desk:
        for count in range(5):
            await phone.say(f"{count}", f"{count}")
        await phone.until("accepted", lambda event: event["id"] == "4")
        await desk.say("and another", "5")
        assert (await desk.until("refused"))["reason"] == "too_fast"


async def test_hearts_are_added_up(node: Node) -> None:
    async with watching(node) as one, watching(node) as other:
        await one.send({"type": "heart", "count": 3})
        await other.send({"type": "heart", "count": 4})
        counted = 0
        while counted < 7:
            counted += (await one.until("hearts"))["count"]
        assert counted == 7
    async with watching(node) as late:
        assert late.seen[0]["hearts"] == 7


async def test_shop_events_pass_unchanged_and_in_order_and_orders_reach_only_the_seller(
    node: Node,
) -> None:
    async with watching(node, "dal") as seller, watching(node, "bom", wire=JSON) as buyer:
        for version in range(200):
            await node.chat.publish(
                "spring",
                {"type": "stock", "product": "tulip", "free": 1, "held": 0, "version": version},
            )
        await node.chat.publish("spring", {"type": "order", "order": {"id": "o"}}, "seller")
        for _ in range(2):
            await node.chat.publish("spring", {"type": "ended"}, key="end")
        for viewer in (seller, buyer):
            await viewer.until("ended")
            told = [(e["version"], e["offset"]) for e in viewer.seen if e["type"] == "stock"]
            assert told == [(version, version + 1) for version in range(200)]
            assert [e["offset"] for e in viewer.seen if e["type"] == "ended"] == [202]
        assert [e["order"]["id"] for e in seller.seen if e["type"] == "order"] == ["o"]
        assert not [e for e in buyer.seen if e["type"] == "order"]


async def test_what_is_for_one_person_or_for_the_moderators_reaches_nobody_else(
    node: Node,
) -> None:
    async with (
        watching(node, "dal") as seller,
        watching(node, "haru") as moderator,
        watching(node, "bom") as phone,
        watching(node, "bom", wire=JSON) as desk,
        watching(node) as stranger,
    ):
        for to in ("@id-bom", "moderators", "seller", ""):
            await node.chat.publish("spring", {"type": "note", "to": to}, to)
        for viewer, heard in (
            (seller, ["moderators", "seller", ""]),
            (moderator, ["moderators", ""]),
            (phone, ["@id-bom", ""]),
            (desk, ["@id-bom", ""]),
            (stranger, [""]),
        ):
            await viewer.until_member("note", "to", "")
            assert [e["to"] for e in viewer.seen if e["type"] == "note"] == heard


async def test_who_comes_back_is_told_exactly_what_it_missed(node: Node) -> None:
    async with watching(node) as keeper:
        async with watching(node, "bom") as bom:
            epoch = bom.seen[0]["epoch"]
            await node.chat.publish("spring", {"type": "note", "n": 1})
            await bom.until("note")
        for n, to in ((2, "seller"), (3, "@id-bom"), (4, "")):
            await node.chat.publish("spring", {"type": "note", "n": n}, to)
        await keeper.until_member("note", "n", 4)
        async with back(node, "bom", epoch, 1) as bom:
            welcome = await bom.until("welcome")
            assert (welcome["recovered"], welcome["offset"]) == (True, 1)
            await node.chat.publish("spring", {"type": "note", "n": 5})
            await bom.until_member("note", "n", 5)
            told = [(e["n"], e["offset"]) for e in bom.seen if e["type"] == "note"]
            assert told == [(3, 3), (4, 4), (5, 5)]


@pytest.mark.parametrize(("epoch", "offset"), [("another", 0), (None, 99), ("", 0)])
async def test_who_knows_what_this_sequence_never_told_is_told_how_things_are(
    node: Node, epoch: str | None, offset: int
) -> None:
    async with watching(node) as keeper:
        await node.chat.publish("spring", {"type": "note", "n": 1})
        await keeper.until("note")
        known = keeper.seen[0]["epoch"] if epoch is None else epoch
        async with back(node, "bom", known, offset) as bom:
            welcome = await bom.until("welcome")
            assert (welcome["recovered"], welcome["offset"]) == (False, 1)


async def test_a_room_that_was_empty_remembers(node: Node) -> None:
    async with watching(node, "bom") as bom:
        epoch = bom.seen[0]["epoch"]
    await node.chat.hub.empty.wait()
    await node.chat.publish("spring", {"type": "note", "n": 1})
    async with back(node, "bom", epoch, 0) as bom:
        assert (await bom.until("welcome"))["recovered"]
        assert (await bom.until("note"))["offset"] == 1


async def test_what_is_said_twice_under_one_id_is_told_once(node: Node) -> None:
    async with watching(node) as stranger, watching(node, "bom") as bom:
        for text, client_id in (("once", "1"), ("once", "1"), ("last", "2")):
            await bom.say(text, client_id)
            assert (await bom.until("accepted"))["shown"]
        await stranger.until_member("said", "text", "last")
        assert [e["text"] for e in stranger.seen if e["type"] == "said"] == ["once", "last"]


async def test_shows_do_not_hear_each_other(node: Node) -> None:
    async with watching(node) as spring, watching(node, show="autumn") as autumn:
        await node.chat.publish("spring", {"type": "pin", "product": "tulip"})
        await node.chat.publish("autumn", {"type": "pin", "product": "aster"})
        assert (await autumn.until("pin"))["product"] == "aster"
        assert (await spring.until("pin"))["product"] == "tulip"


async def test_sync_asks_for_the_welcome_again(node: Node, house: House) -> None:
    async with watching(node) as viewer:
        house.stock["tulip"] = 1
        await viewer.send({"type": "sync"})
        assert (await viewer.until("welcome"))["products"][0]["free"] == 1


async def test_two_servers_sharing_a_valkey_are_one_room(redis_url: str, house: House) -> None:
    async with (
        open_node(redis_url, house, "one") as one,
        open_node(redis_url, house, "two") as two,
        watching(one, "bom") as bom,
        watching(two, "dal") as dal,
    ):
        assert dal.seen[0]["present"] == 2
        await bom.until_member("present", "count", 2)
        await bom.say("from one")
        assert (await dal.until("said"))["text"] == "from one"
        await dal.say("from two")
        assert (await bom.until("said", lambda e: e["text"] == "from two"))["from"]["seller"]
        await one.chat.publish("spring", {"type": "order", "order": {"id": "o"}}, "seller")
        await dal.until("order")
        assert await one.chat.present("spring") == 2


async def test_the_cookie_counts_when_hello_brings_no_token(node: Node) -> None:
    headers = {"Cookie": "kkot_access=token-bom"}
    async with at_the_door(node, additional_headers=headers) as viewer:
        await viewer.send({"type": "hello"})
        assert (await viewer.until("welcome"))["you"]["name"] == "bom"
    async with at_the_door(node, additional_headers=headers) as viewer:
        await viewer.send({"type": "hello", "token": "forged"})
        assert (await viewer.until("welcome"))["you"] is None


async def test_json_is_spoken_when_no_subprotocol_is_offered(node: Node) -> None:
    async with connect(node.url()) as connection:
        assert connection.subprotocol is None
        viewer = Viewer(connection, JSON)
        await viewer.send({"type": "hello"})
        await viewer.until("welcome")


async def test_unknown_subprotocols_and_foreign_origins_are_turned_away(node: Node) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(node.url(), subprotocols=[Subprotocol("kkot.v9")])
    assert refused.value.response.status_code == 400
    assert msgspec.json.decode(refused.value.response.body)["code"] == "subprotocol"
    with pytest.raises(InvalidStatus) as refused:
        await connect(node.url(), origin=Origin("https://evil.example"))
    assert refused.value.response.status_code == 403
    async with at_the_door(node, origin=Origin(f"http://127.0.0.1:{node.port}")):
        pass


@pytest.mark.parametrize("show", ["winter", "%7Bx%7D", "a" * 65])
async def test_a_show_that_is_none_closes_4004(node: Node, show: str) -> None:
    async with at_the_door(node, show) as viewer:
        with suppress(ConnectionClosed):
            await viewer.send({"type": "hello"})
        assert await viewer.closed() == 4004


async def test_a_fault_of_the_house_closes_1011(node: Node) -> None:
    async with at_the_door(node, "broken") as viewer:
        await viewer.send({"type": "hello"})
        assert await viewer.closed() == 1011


async def test_who_never_says_hello_is_closed_4000(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.visit.HELLO_S", 0.05)
    async with at_the_door(node) as viewer:
        assert await viewer.closed() == 4000


async def test_a_flood_is_closed_4029(node: Node) -> None:
    async with watching(node, "bom") as flood, watching(node, "dal") as calm:
        for _ in range(60):
            await flood.send({"type": "heart", "count": 1})
        assert await flood.closed() == 4029
        await calm.say("still here")
        await calm.until("accepted")


async def test_a_stopping_server_sends_everybody_away_with_4010(
    redis_url: str, house: House
) -> None:
    async with open_node(redis_url, house) as node, watching(node) as viewer:
        node.server.should_exit = True
        assert await viewer.closed() == 4010


async def test_a_closing_room_sends_everybody_away_with_4010(redis_url: str, house: House) -> None:
    async with open_node(redis_url, house) as node, watching(node) as viewer:
        await node.chat.hub.close()
        assert await viewer.closed() == 4010
        async with at_the_door(node) as late:
            await late.send({"type": "hello"})
            assert await late.closed() == 4010
        assert await node.chat.present("spring") == 0


async def test_the_last_viewer_takes_the_crowd_along(node: Node) -> None:
    async with watching(node):
        assert await node.chat.present("spring") == 1
    async with asyncio.timeout(PATIENCE_S):
        await node.chat.hub.empty.wait()
    async with watching(node, "bom") as again:
        await again.say("back")
        await again.until("said")


async def test_a_server_without_the_room_protocol_is_called_wrong(node: Node) -> None:
    async def receive() -> Message:
        raise AssertionError("the connection must not get so far")

    async def send(message: Message) -> None:
        raise AssertionError("the connection must not get so far")

    scope: Scope = {
        "type": "websocket",
        "path": "/shows/spring/events",
        "headers": [],
        "query_string": b"",
        "subprotocols": [],
        "extensions": {},
    }
    with pytest.raises(WrongServerError):
        await Starlette(routes=routes(node.chat))(scope, receive, send)


def test_a_server_with_deflate_is_called_wrong() -> None:
    config = uvicorn.Config(Starlette(), ws=RoomProtocol, lifespan="off", log_config=None)
    config.load()
    with pytest.raises(AssertionError, match="ws_per_message_deflate"):
        RoomProtocol(config, ServerState(), {})


def test_it_all_works_on_uvloop(redis_url: str) -> None:
    async def scene() -> None:
        house = House()
        async with (
            open_node(redis_url, house) as node,
            watching(node, "bom") as bom,
            watching(node, wire=JSON) as other,
        ):
            await bom.say("빠르다")
            assert (await other.until("said"))["text"] == "빠르다"
            await node.chat.hub.close()
            assert await other.closed() == 4010

    uvloop.run(scene())


def test_the_first_known_subprotocol_is_chosen() -> None:
    assert choose_format([]) is Format.JSON
    assert choose_format(["x", JSON, MSGPACK]) is Format.JSON
    assert choose_format([MSGPACK, JSON]) is Format.MSGPACK
    assert choose_format(["graphql-ws"]) is None
