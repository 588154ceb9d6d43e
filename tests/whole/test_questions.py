"""Questions by HTTP: who may see the queue and answer, what is refused and how, and restarts."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from chat.core.events import Accepted
from tests.whole.server import Server
from tests.whole.shop import Json, Shop, open_shop, read, sign_up, visit

SIGNED_OUT: Final = HTTPStatus.UNAUTHORIZED
REFUSED: Final = HTTPStatus.FORBIDDEN
UNKNOWN: Final = HTTPStatus.NOT_FOUND
CONFLICT: Final = HTTPStatus.CONFLICT
INVALID: Final = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True, slots=True)
class Case:
    """A show in which `viewer` asked `question` about its product, and those who come by HTTP."""

    shop: Shop
    question: str
    clients: dict[str, httpx.AsyncClient]

    async def act(
        self, who: str, what: str, body: Any = None, question: str = ""
    ) -> httpx.Response:
        """Somebody answers or dismisses a question."""
        path = f"/shows/{self.shop.show}/questions/{question or self.question}/{what}"
        return await self.clients[who].post(path, json=body)

    async def queue(self) -> list[Json]:
        """What waits, as the seller sees it."""
        path = f"/shows/{self.shop.show}/questions"
        found: list[Json] = (await read(await self.clients["seller"].get(path)))["questions"]
        return found

    async def answers(self, path: str = "") -> list[Json]:
        """What anybody is told of answers in the show, or elsewhere."""
        place = path or f"/shows/{self.shop.show}/answers"
        found: list[Json] = (await read(await self.clients["guest"].get(place)))["answers"]
        return found


@pytest_asyncio.fixture
async def case(mortal: Server) -> AsyncIterator[Case]:
    """A case of its own on the module's server; `stranger` sells elsewhere."""
    shop, viewer = await open_shop(mortal), await sign_up(mortal, "봄")
    elsewhere, moderator = await open_shop(mortal), await sign_up(mortal, "하루")
    tokens = {"seller": shop.seller.token, "viewer": viewer.token, "guest": None}
    tokens |= {"stranger": elsewhere.seller.token, "moderator": moderator.token}
    async with AsyncExitStack() as closing:
        clients = {
            who: await closing.enter_async_context(mortal.client(token))
            for who, token in tokens.items()
        }
        place = f"/stores/{shop.slug}/moderators/{moderator.id}"
        assert (await clients["seller"].put(place)).is_success
        async with visit(mortal, shop.show, viewer.token) as room:
            asked = await room.room.say("향이 진한가요?", question=True, product=shop.product)
            assert isinstance(asked, Accepted)
            said = await room.hears(lambda event: event["type"] == "said")
        yield Case(shop, said["id"], clients)


async def test_the_queue_is_the_sellers_and_moderators(case: Case) -> None:
    path = f"/shows/{case.shop.show}/questions"
    refused = {"guest": SIGNED_OUT, "viewer": REFUSED, "stranger": REFUSED}
    for who, status in refused.items():
        assert (await case.clients[who].get(path)).status_code == status, who
        for what, body in (("answer", {"text": "네"}), ("dismiss", None)):
            assert (await case.act(who, what, body)).status_code == status, (who, what)
    for who in ("seller", "moderator"):
        (waiting,) = (await read(await case.clients[who].get(path)))["questions"]
        assert (waiting["id"], waiting["product"]) == (case.question, case.shop.product)
        assert (waiting["state"], waiting["handed_over"]) == ("open", False)
    assert await case.answers() == []


async def test_an_answer_in_text_is_the_products_and_again_changes_nothing(case: Case) -> None:
    first = await read(await case.act("moderator", "answer", {"text": "은은해요"}))
    assert await read(await case.act("seller", "answer", {"text": "은은해요"})) == first
    late = await case.act("seller", "answer", {"text": "진해요"})
    assert (late.status_code, late.json()["state"]) == (CONFLICT, "answered_text")
    assert (await case.act("seller", "answer", {"text": None})).status_code == CONFLICT
    assert await case.queue() == []
    (told,) = await case.answers()
    assert (told["question"], told["answer"]) == ("향이 진한가요?", "은은해요")
    assert "asker" not in told
    about = f"/products/{case.shop.product}/answers"
    assert await case.answers(about) == [told]
    back = await read(await case.act("seller", "dismiss"))
    assert await read(await case.act("moderator", "dismiss")) == back
    assert (await case.act("seller", "answer", {"text": "네"})).status_code == CONFLICT
    assert await case.answers() == await case.answers(about) == []


async def test_an_answer_on_air_may_be_written_down_later(case: Case) -> None:
    live = await read(await case.act("seller", "answer", {"text": None}))
    assert (live["state"], live["answer"]) == ("answered_live", None)
    assert await case.answers(f"/products/{case.shop.product}/answers") == []
    assert [told["state"] for told in await case.answers()] == ["answered_live"]
    written = await read(await case.act("seller", "answer", {"text": "은은해요"}))
    assert (written["state"], written["version"]) == ("answered_text", 3)


async def test_what_is_not_there_is_not_found(case: Case) -> None:
    for what, body in (("answer", {"text": "네"}), ("dismiss", None)):
        assert (await case.act("seller", what, body, "nobody-asked")).status_code == UNKNOWN
    seller, guest = case.clients["seller"], case.clients["guest"]
    assert (await seller.get("/shows/nowhere/questions")).status_code == UNKNOWN
    assert (await guest.get("/shows/nowhere/answers")).status_code == UNKNOWN
    assert (await guest.get("/products/nothing/answers")).status_code == UNKNOWN


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": " \u3164"}, {"text": "x" * 301}, {"text": 1}, {"on_air": True}],
)
async def test_what_is_no_answer_is_refused(case: Case, body: Json) -> None:
    assert (await case.act("seller", "answer", body)).status_code == INVALID
    path = f"/shows/{case.shop.show}/questions"
    assert (await case.clients["seller"].get(f"{path}?after=x")).status_code == INVALID
    assert len(await case.queue()) == 1


async def test_a_deleted_message_is_no_question(case: Case) -> None:
    await read(await case.act("seller", "answer", {"text": "은은해요"}))
    path = f"/shows/{case.shop.show}/moderation/delete"
    body = {"message": case.question}
    assert (await case.clients["moderator"].post(path, json=body)).is_success
    assert await case.answers() == []


async def test_what_waits_and_what_was_answered_outlive_a_killed_server(
    case: Case, mortal: Server
) -> None:
    about = f"/products/{case.shop.product}/answers"
    waiting = await case.queue()
    await mortal.kill()
    await mortal.start()
    assert await case.queue() == waiting
    await read(await case.act("seller", "answer", {"text": "은은해요"}))
    await mortal.kill()
    await mortal.start()
    assert await case.queue() == []
    (told,) = await case.answers(about)
    async with visit(mortal, case.shop.show) as newcomer:
        await newcomer.room.sync()
        welcome = await newcomer.hears(lambda event: event["type"] == "welcome")
    assert welcome["answers"] == [told]


async def test_what_the_assistant_cannot_answer_waits_for_the_seller(
    case: Case, mortal: Server
) -> None:
    person = await sign_up(mortal, "나비")
    async with (
        visit(mortal, case.shop.show, case.shop.seller.token) as seller,
        visit(mortal, case.shop.show, person.token) as room,
    ):
        text = f"이 화병은 어느 공방 {secrets.token_hex(2)} 작품인가요?"
        await asyncio.gather(
            room.room.say(text),
            seller.hears(lambda event: event["type"] == "question"),
        )
    handed = [each for each in await case.queue() if each["handed_over"]]
    assert [each["text"] for each in handed] == [text]
