"""The switch that makes a message a question, and the answers on a card, with a canned room."""

import asyncio
from typing import Any, Final

import msgpack
import pytest
from playwright.async_api import Locator, Page, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, WELCOME

YOU: Final = {"id": "a9", "name": "Jun", "seller": False, "moderator": False, "sanctions": []}


def answer(number: int, **other: Any) -> dict[str, Any]:
    """An answer about the pinned product; those with a higher number are newer."""
    told = {"type": "answered", "id": f"q{number}", "product": "p1", "question": f"Q {number}"}
    facts = {"answer": f"A {number}", "state": "answered_text", "version": 2}
    return told | facts | {"answered_at_ms": number} | other


class Room:
    """A room that answers everything said in the same way, and notes it."""

    def __init__(self, page: Page, outcome: dict[str, Any], answers: list[dict[str, Any]]) -> None:
        self.page = page
        self.said: list[Any] = []
        self._outcome = outcome
        self._welcome = WELCOME | {"you": YOU, "answers": answers}
        self._socket = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Come in, signed in."""
        await self.page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
        await self.page.route("**/me", self._me)
        await self.page.route_web_socket("**/shows/s1/events", self._serve)
        await self.page.goto(f"{BASE}/shows/s1/watch")
        await self.part("said").first.wait_for()

    def tell(self, *events: dict[str, Any]) -> None:
        """Tell the page."""
        self._socket.result().send(msgpack.packb(list(events)))

    def part(self, test: str) -> Locator:
        """A part of the page."""
        return self.page.locator(f"[data-test={test}]")

    def _serve(self, socket: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            said = msgpack.unpackb(message)
            if said["type"] == "hello":
                socket.send(msgpack.packb([self._welcome]))
                self._socket.set_result(socket)
            if said["type"] == "say":
                self.said.append({name: said[name] for name in said if name != "id"})
                socket.send(msgpack.packb([self._outcome | {"id": said["id"]}]))

        socket.on_message(receive)

    async def _me(self, route: Route) -> None:
        await route.fulfill(
            json={"id": "a9", "name": "Jun", "email": "j@kkot.example", "stores": []}
        )


async def enter(
    page: Page, outcome: dict[str, Any], answers: list[dict[str, Any]] | None = None
) -> Room:
    """A room that is open."""
    room = Room(page, outcome, answers or [])
    await room.open()
    return room


@pytest.mark.parametrize("shown", [True, False])
async def test_a_question_is_sent_once_whether_the_talk_shows_it_or_not(
    page: Page, shown: bool
) -> None:
    room = await enter(page, {"type": "accepted", "shown": shown})
    await room.part("ask").click()
    await room.part("say").fill("Fragrant?")
    await room.part("send").click()
    await expect(room.part("deed-done")).to_have_text("The seller has your question.")
    await expect(room.part("ask")).to_have_attribute("aria-pressed", "false")
    await room.part("say").fill("Pretty")
    await room.part("send").click()
    await expect(room.part("say")).to_have_value("" if shown else "Pretty")
    question = {"type": "say", "text": "Fragrant?", "question": True, "product": "p1"}
    assert room.said == [question, {"type": "say", "text": "Pretty"}]


async def test_a_refused_question_stays_in_the_box_as_one(page: Page) -> None:
    room = await enter(page, {"type": "refused", "reason": "too_many_questions"})
    await room.part("ask").click()
    await room.part("asking-drop").click()
    await room.part("say").fill("Fragrant?")
    await room.part("send").click()
    await expect(room.part("talk-alert")).to_contain_text("once your earlier questions")
    await expect(room.part("say")).to_have_value("Fragrant?")
    await expect(room.part("ask")).to_have_attribute("aria-pressed", "true")
    question = {"type": "say", "text": "Fragrant?", "question": True, "product": None}
    assert room.said == [question]


async def test_a_card_shows_its_answers_newest_first_and_drops_one_taken_back(page: Page) -> None:
    room = await enter(page, {}, [answer(3), answer(1), answer(9, product="p2")])
    card = room.part("pinned")
    await card.locator("summary").click()
    shown = card.locator("[data-test=product-answer]")
    await expect(shown).to_have_text(["Q 3A 3", "Q 1A 1"])
    live = {"answer": None, "state": "answered_live"}
    room.tell(answer(4), answer(3, answer="old", version=1), answer(5, **live))
    await expect(shown).to_have_text(["Q 4A 4", "Q 3A 3", "Q 1A 1"])
    taken_back = {"answer": None, "question": "", "state": "dismissed", "version": 3}
    room.tell(*(answer(number, **taken_back) for number in (1, 3, 4)))
    await expect(card.locator("summary")).to_be_hidden()
    room.tell(answer(4))
    room.tell(answer(6, question="<b>Q</b>"))
    await expect(shown).to_have_text(["<b>Q</b>A 6"])
