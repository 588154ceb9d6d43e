"""The switch that makes a message a question, and the answers on a card, with a canned room."""

import asyncio
from typing import Any, Final

import msgpack
import pytest
from playwright.async_api import Locator, Page, Request, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, WELCOME

YOU: Final = {"id": "a9", "name": "Jun", "seller": False, "moderator": False, "sanctions": []}


def answer(number: int, **other: Any) -> dict[str, Any]:
    """An answer about the pinned product; those with a higher number are newer."""
    told = {"type": "answered", "id": f"q{number}", "product": "p1", "question": f"Q {number}"}
    facts = {"answer": f"A {number}", "state": "answered_text", "version": 2}
    return told | facts | {"answered_at_ms": number} | other


class Room:
    """A room that answers everything said in the same way, and notes it."""

    def __init__(
        self,
        page: Page,
        outcome: dict[str, Any],
        answers: list[dict[str, Any]],
        you: dict[str, Any],
    ) -> None:
        self.page = page
        self.said: list[Any] = []
        self._outcome = outcome
        self._welcome = WELCOME | {"you": you, "answers": answers}
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
    page: Page,
    outcome: dict[str, Any],
    answers: list[dict[str, Any]] | None = None,
    *,
    moderator: bool = False,
) -> Room:
    """A room that is open."""
    room = Room(page, outcome, answers or [], YOU | {"moderator": moderator})
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


class Desk:
    """The queue as the server has it; an answer that is sent finds the question as `settled`."""

    def __init__(self, *waiting: dict[str, Any]) -> None:
        self.waiting = list(waiting)
        self.sent: list[tuple[str, Any]] = []
        self.settled: dict[str, Any] | None = None

    async def serve(self, route: Route, request: Request) -> None:
        """Tell what waits, or settle."""
        if request.method == "GET":
            await route.fulfill(json={"questions": self.waiting, "more": None})
            return
        self.sent.append((request.url.partition("questions/")[2], request.post_data_json))
        if self.settled is None:
            conflict = {"code": "conflict", "state": "dismissed"}
            await route.fulfill(status=409, json=conflict, content_type="application/problem+json")
        else:
            await route.fulfill(json=self.settled)


def question(number: int, **other: Any) -> dict[str, Any]:
    """A question that waits; those with a higher number were asked later."""
    facts = {"id": f"q{number}", "show": "s1", "store": "flowers", "asker": "a7", "name": "Mina"}
    told = {"text": f"Q {number}", "product": "p1", "handed_over": False, "asked_at_ms": number}
    open_ = {"state": "open", "answer": None, "settled_by": None, "settled_at_ms": None}
    return facts | told | open_ | {"version": 1} | other


async def test_a_moderator_answers_from_the_page_and_sees_what_others_did(page: Page) -> None:
    desk = Desk(question(1), question(3, handed_over=True))
    await page.route("**/shows/s1/questions**", desk.serve)
    room = await enter(page, {}, moderator=True)
    await expect(room.part("questions-count")).to_have_text("2")
    room.tell({"type": "question", "question": question(2)})
    await expect(room.part("questions-count")).to_have_text("3")
    desk.waiting.insert(1, question(2))
    await room.part("questions-open").click()
    rows = room.part("question")
    await expect(rows.locator(".question-text")).to_have_text(["Q 1", "Q 2", "Q 3"])
    await expect(rows.last).to_contain_text("The assistant had no answer")
    desk.settled = question(1, state="answered_live", version=2)
    await rows.first.locator("[data-test=question-live]").click()
    await expect(rows).to_have_count(2)
    room.tell({"type": "question", "question": question(1)})  # late: older than what is known
    desk.settled, desk.waiting = None, [question(3)]
    await rows.first.locator("[data-test=question-write]").click()
    await room.part("question-answer").first.fill("Lightly.")
    await room.part("question-send").first.click()
    await expect(rows.locator(".question-text")).to_have_text(["Q 3"])
    await expect(room.part("questions-sheet").locator("[data-alert]")).to_be_visible()
    room.tell({"type": "question", "question": question(3, state="dismissed", version=2)})
    await expect(rows).to_have_count(0)
    await expect(room.part("questions-count")).to_be_hidden()
    assert desk.sent == [("q1/answer", {"text": None}), ("q2/answer", {"text": "Lightly."})]


async def test_a_viewer_sees_no_queue_until_it_moderates(page: Page) -> None:
    desk = Desk(question(1))
    await page.route("**/shows/s1/questions**", desk.serve)
    room = await enter(page, {})
    await expect(room.part("questions-open")).to_be_hidden()
    room.tell({"type": "moderator", "account": "a9", "moderates": True})
    await expect(room.part("questions-count")).to_have_text("1")
    room.tell({"type": "moderator", "account": "a9", "moderates": False})
    await expect(room.part("questions-open")).to_be_hidden()
    await expect(room.part("question")).to_have_count(0)
