"""Moderation by HTTP: who may, what is refused and how, and that again changes nothing."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from chat.core.events import Accepted, Refused
from tests.whole.server import Server
from tests.whole.shop import Json, Person, Shop, open_shop, read, sign_up, visit

DONE: Final = HTTPStatus.NO_CONTENT
REFUSED: Final = HTTPStatus.FORBIDDEN
UNKNOWN: Final = HTTPStatus.NOT_FOUND
INVALID: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True, slots=True)
class Case:
    """A show in which `viewer` said `message`, and those who ask."""

    server: Server
    shop: Shop
    viewer: Person
    message: str
    clients: dict[str, httpx.AsyncClient]

    async def ask(
        self, who: str, what: str, body: Any = None, show: str = "", key: str = ""
    ) -> httpx.Response:
        """Somebody asks for a deed; without one, for a look or a switch."""
        path = f"/shows/{show or self.shop.show}/moderation/{what}".rstrip("/")
        method = "POST" if what else "GET" if body is None else "PATCH"
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        return await self.clients[who].request(method, path, json=body, headers=headers)

    async def look(self) -> Json:
        """What the seller sees."""
        return await read(await self.ask("seller", ""))

    def mute(self, **other: Any) -> Json:
        """A mute of the viewer."""
        return {"account": self.viewer.id, "kind": "mute", "seconds": 60} | other


@pytest_asyncio.fixture
async def case(server: Server) -> AsyncIterator[Case]:
    """A case of its own on the module's server; `stranger` sells elsewhere."""
    shop, viewer = await open_shop(server), await sign_up(server, "봄")
    elsewhere = await open_shop(server)
    async with AsyncExitStack() as closing:
        room = await closing.enter_async_context(visit(server, shop.show, viewer.token))
        await room.room.say("예뻐요")
        said = await room.hears(lambda event: event["type"] == "said")
        tokens = {"seller": shop.seller.token, "viewer": viewer.token, "guest": None}
        tokens["stranger"] = elsewhere.seller.token
        clients = {
            who: await closing.enter_async_context(server.client(token))
            for who, token in tokens.items()
        }
        yield Case(server, shop, viewer, said["id"], clients)


async def test_a_guest_is_asked_to_sign_in_and_others_are_refused(case: Case) -> None:
    message = {"message": case.message}
    asked: list[tuple[str, Any]] = [
        *(("", None), ("", {"frozen": True}), ("delete", message), ("pin", message)),
        *(("sanction", case.mute()), ("settle", {"report": 1})),
        ("lift", {"account": case.viewer.id, "kind": "mute"}),
    ]
    for what, body in asked:
        assert (await case.ask("guest", what, body)).status_code == HTTPStatus.UNAUTHORIZED, what
        for who in ("viewer", "stranger"):
            assert (await case.ask(who, what, body)).status_code == REFUSED, (who, what)
    assert (await case.ask("guest", "report", message)).status_code == HTTPStatus.UNAUTHORIZED
    seen = await case.look()
    assert (seen["sanctions"], seen["reports"], seen["settings"]["version"]) == ([], [], 0)


async def test_who_came_is_told_to_the_seller_alone(case: Case) -> None:
    async def ask(who: str, show: str = case.shop.show) -> httpx.Response:
        return await case.clients[who].get(f"/shows/{show}/attendance")

    statuses = {who: (await ask(who)).status_code for who in case.clients}
    allowed, signed_out = HTTPStatus.OK, HTTPStatus.UNAUTHORIZED
    others = {"viewer": REFUSED, "stranger": REFUSED, "guest": signed_out}
    assert statuses == {"seller": allowed, **others}
    assert (await ask("seller", "nowhere")).status_code == UNKNOWN
    assert set(await read(await ask("seller"))) == {"viewers", "peak", "visitors"}


async def test_what_is_not_there_is_not_found(case: Case) -> None:
    for what, body in (("delete", {"message": case.message}), ("report", {"message": "x"})):
        nowhere = await case.ask("seller", what, body, show="nowhere")
        assert nowhere.status_code == UNKNOWN, what
    for what in ("report", "pin"):
        assert (await case.ask("seller", what, {"message": "nobody-said"})).status_code == UNKNOWN
    appointing = await case.clients["seller"].put(f"/stores/none/moderators/{case.viewer.id}")
    assert appointing.status_code == UNKNOWN


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("", {"slow_s": 121}),
        ("", {"slow_s": -1}),
        ("", {"frozen": "yes"}),
        ("", {"links": True}),
        ("delete", {}),
        ("delete", {"message": "x" * 65}),
        ("sanction", {"account": "a", "kind": "exile", "seconds": 1}),
        ("sanction", {"account": "a", "kind": "mute", "seconds": 0}),
        ("sanction", {"account": "", "kind": "mute", "seconds": 1}),
        ("report", {"message": "m", "reason": "x" * 201}),
        ("settle", {"report": -1}),
    ],
)
async def test_what_is_no_request_is_refused(case: Case, what: str, body: Json) -> None:
    assert (await case.ask("seller", what, body)).status_code == INVALID
    assert (await case.look())["trail"] == []


async def test_nobody_acts_against_the_seller(case: Case) -> None:
    place = f"/stores/{case.shop.slug}/moderators/{case.viewer.id}"
    for who, status in (("viewer", REFUSED), ("stranger", REFUSED), ("seller", DONE)):
        assert (await case.clients[who].put(place)).status_code == status
    seller = case.mute(account=case.shop.seller.id)
    assert (await case.ask("viewer", "sanction", seller)).status_code == REFUSED
    assert (await case.ask("viewer", "")).status_code == HTTPStatus.OK
    assert (await case.clients["seller"].delete(place)).status_code == DONE
    assert (await case.ask("viewer", "")).status_code == REFUSED


async def test_done_again_it_changes_nothing(case: Case) -> None:
    message = {"message": case.message}
    for _ in range(2):
        assert (await case.ask("viewer", "report", message)).status_code == DONE
    (report,) = (await case.look())["reports"]
    assert (report["author"], report["text"]) == (case.viewer.id, "예뻐요")
    for what, body in (("settle", {"report": report["id"]}), ("delete", message)):
        for _ in range(2):
            assert (await case.ask("seller", what, body)).status_code == DONE
    for key in ("a", "b", "a"):
        told = await read(await case.ask("seller", "sanction", case.mute(seconds=600), key=key))
    seen = await case.look()
    assert [(one["until_ms"], one["version"]) for one in seen["sanctions"]] == [
        (told["until_ms"], 2)
    ]
    assert seen["names"][case.viewer.id] == "봄"
    for _ in range(2):
        pardon = {"account": case.viewer.id, "kind": "mute"}
        assert (await case.ask("seller", "lift", pardon)).status_code == DONE
    seen = await case.look()
    assert (seen["reports"], seen["sanctions"]) == ([], [])
    deeds = [noted["deed"]["what"] for noted in seen["trail"]]
    assert deeds.count("settle") == deeds.count("delete") == deeds.count("lift") == 1


async def test_a_store_is_followed_by_who_is_signed_in_and_its_room_knows(case: Case) -> None:
    path = f"/stores/{case.shop.slug}/following"

    async def follow(who: str, method: str) -> httpx.Response:
        return await case.clients[who].request(method, path)

    nobody = {"follows": False, "followers": 0}
    assert await read(await follow("guest", "GET")) == nobody
    assert (await follow("guest", "PUT")).status_code == HTTPStatus.UNAUTHORIZED
    nowhere = await case.clients["viewer"].put("/stores/none/following")
    assert nowhere.status_code == UNKNOWN
    switched = await read(await case.ask("seller", "", {"followers_only": True}))
    assert switched["followers_only"] is True
    async with visit(case.server, case.shop.show, case.viewer.token) as visitor:
        refused = await visitor.room.say("안녕")
        assert isinstance(refused, Refused)
        assert refused.reason == "followers_only"
        for _ in range(2):
            assert await read(await follow("viewer", "PUT")) == {"follows": True, "followers": 1}
        await visitor.hears(lambda event: event["type"] == "followed" and event["follows"])
        assert isinstance(await visitor.room.say("안녕"), Accepted)
        assert await read(await follow("viewer", "DELETE")) == nobody
        await visitor.hears(lambda event: event["type"] == "followed" and not event["follows"])
        assert isinstance(await visitor.room.say("또 안녕"), Refused)


async def test_somebody_unknown_can_be_sanctioned_and_lifted(case: Case) -> None:
    nobody = case.mute(account="nobody-we-know", seconds=None)
    sanction = await read(await case.ask("seller", "sanction", nobody))
    assert sanction["until_ms"] is None
    pardon = {"account": "nobody-we-know", "kind": "mute"}
    assert (await case.ask("seller", "lift", pardon)).status_code == DONE
    assert (await case.look())["sanctions"] == []
