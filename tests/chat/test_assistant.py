"""The assistant in a real room: who hears what it answers, and when it is silent."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chat.adapters.faq_book import SqlFaqBook
from chat.adapters.faq_routes import FaqDocument, FaqEntry, operations
from chat.adapters.faq_tables import metadata
from chat.adapters.redis_answers import ANSWERS_KEPT, RedisAnswers
from chat.assistant import WAITING, Assistant
from chat.core.assistant.facts import Answered, Entry, Order, Shop, Ware
from chat.core.questions import Objection, Origin, Question
from chat.errors import InvalidFaqError
from chat.ports import StoreFaq
from tests.chat.house import Event, House, Node, Viewer, open_node, watching

TULIP = Ware("tulip", "튤립", 18_000, "KRW", 5)


@dataclass
class Facts:
    """A shop with one ware and one order, which is bom's."""

    asked_for: list[str | None] = field(default_factory=list)

    async def store(self, show: str) -> str | None:
        return {"spring": "flowers", "autumn": "leaves"}.get(show)

    async def shop(self, show: str, asker: str | None) -> Shop:
        self.asked_for.append(asker)
        return Shop((TULIP,), "tulip", order=Order("튤립", "paid") if asker == "id-bom" else None)


@dataclass
class Room:
    """A node with an assistant, and what it rests on."""

    node: Node
    faqs: SqlFaqBook
    memory: RedisAnswers
    facts: Facts
    assistant: Assistant


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with the table of FAQs."""
    url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def room(redis_url: str, engine: AsyncEngine) -> AsyncIterator[Room]:
    """A room with a running assistant."""
    async with Redis.from_url(redis_url) as redis, open_node(redis_url, House()) as node:
        faqs, memory, facts = SqlFaqBook(engine), RedisAnswers(redis), Facts()
        assistant = Assistant(node.chat.hub, faqs, facts, memory)
        node.chat.hub.overheard = assistant.overhear
        running = asyncio.create_task(assistant.run())
        yield Room(node, faqs, memory, facts, assistant)
        running.cancel()


def by_assistant(event: Event) -> bool:
    return bool(event["from"].get("assistant"))


def answers(viewer: Viewer) -> list[str]:
    """What the assistant was heard saying so far."""
    return [e["text"] for e in viewer.seen if e["type"] == "said" and by_assistant(e)]


async def test_everybody_hears_the_answer_to_a_question(room: Room) -> None:
    async with watching(room.node, "bom") as bom, watching(room.node) as guest:
        await bom.say("몇 개 남았어요?")
        question = await guest.until("said")
        answer = await guest.until("said")
        assert answer["from"]["assistant"] is True
        assert (answer["reply_to"], answer["text"]) == (question["id"], "튤립: 5개 남았어요.")
        assert "private" not in answer
        assert (await bom.until("said", by_assistant))["id"] == answer["id"]
    assert room.facts.asked_for == [None]


async def test_what_it_cannot_answer_it_hands_over_unless_the_seller_was_asked(room: Room) -> None:
    handed: asyncio.Queue[tuple[str, Origin, str, bool]] = asyncio.Queue()

    async def ask(
        show: str, said: Mapping[str, Any], origin: Origin, key: str
    ) -> Question | Objection:
        handed.put_nowait((show, origin, said["text"], key == said["id"]))
        return Objection.FULL if origin is Origin.ASSISTANT else question(said)

    room.node.chat.hub.ask = ask
    async with watching(room.node, "bom") as bom:
        asked = {"type": "say", "id": "1", "text": "누가 만든 화병인가요?", "question": True}
        await bom.send(asked)
        await bom.say("어느 공방 작품인가요?", "2")
        await bom.say("진짜요?", "3")
        await bom.say("몇 개 남았어요?", "4")
        await bom.until("said", by_assistant)
    assert [handed.get_nowait() for _ in range(handed.qsize())] == [
        ("spring", Origin.VIEWER, "누가 만든 화병인가요?", False),
        ("spring", Origin.ASSISTANT, "어느 공방 작품인가요?", True),
    ]


def question(said: Mapping[str, Any]) -> Question:
    """What was said, kept as a question."""
    return Question(
        **{name: said[name] for name in ("id", "text")},
        show="spring",
        store="flowers",
        asker="id-bom",
        name="bom",
        product=None,
        handed_over=False,
        asked_at_ms=said["at_ms"],
    )


async def test_only_the_asker_hears_of_an_order(room: Room) -> None:
    async with watching(room.node, "bom") as bom, watching(room.node, "nabi") as nabi:
        await bom.say("where is my order?")
        heard = await bom.until("said", by_assistant)
        assert heard["text"] == "튤립: your order is paid and being prepared."
        assert heard["private"] is True
        await nabi.say("where is my order?")
        assert (await nabi.until("said", by_assistant))["text"].startswith("You have no order")
        await nabi.say("고마워요", "2")
        await bom.until_member("said", "text", "고마워요")
        assert len(answers(bom)) == 1
    assert await room.memory.lately("spring") == []


async def test_what_was_just_told_is_told_to_the_asker_alone(room: Room) -> None:
    async with watching(room.node, "bom") as bom, watching(room.node, "nabi") as nabi:
        await bom.say("얼마예요?")
        await nabi.until("said", by_assistant)
        await nabi.say("가격이 얼마예요?")
        assert (await nabi.until("said", by_assistant))["private"] is True
        await nabi.say("고마워요", "2")
        await bom.until_member("said", "text", "고마워요")
        assert len(answers(bom)) == 1
    assert [one.private for one in await room.memory.lately("spring")] == [True, False]


async def test_chatter_the_seller_and_a_hasty_asker_are_not_answered(room: Room) -> None:
    async with watching(room.node, "dal") as dal, watching(room.node, "bom") as bom:
        await dal.say("얼마예요?")
        await bom.say("너무 예뻐요")
        await bom.say("몇 개 남았어요?", "2")
        await bom.until("said", by_assistant)
        await bom.say("얼마예요?", "3")
        await bom.say("how much is it?", "4")
        async with watching(room.node, "nabi") as nabi:
            await nabi.say("is it sold out?")
            await nabi.until("said", by_assistant)
        assert [one.topic for one in await room.memory.lately("spring")] == ["stock:tulip"] * 2


async def test_a_switched_off_assistant_is_silent(room: Room) -> None:
    faq = (Entry("선물 포장 되나요?", "네, 무료로 해 드려요."),)
    await room.faqs.save("leaves", StoreFaq(False, faq))
    await room.faqs.save("flowers", StoreFaq(True, faq))
    async with watching(room.node, "bom", "autumn") as bom, watching(room.node, "nabi") as nabi:
        await bom.say("선물 포장 되나요?")
        await bom.until("said")
        await nabi.say("선물 포장 되나요?")
        assert (await nabi.until("said", by_assistant))["text"] == "네, 무료로 해 드려요."
    assert await room.memory.lately("autumn") == []
    assert room.facts.asked_for == [None]


async def test_too_many_questions_at_once_are_left_to_the_seller(room: Room) -> None:
    said = {"id": "s", "text": "얼마예요?", "from": {"id": "id-bom"}}
    async with watching(room.node, "nabi") as nabi:
        for _ in range(WAITING * 3):
            room.assistant.overhear("spring", said)
        await nabi.until("said", by_assistant)
        while len(room.facts.asked_for) < WAITING:
            await asyncio.sleep(0)
        await nabi.say("몇 개 남았어요?")
        await nabi.until_member("said", "text", "튤립: 5개 남았어요.")
    assert len(room.facts.asked_for) == WAITING + 1


async def test_the_memory_is_short(room: Room) -> None:
    for number in range(ANSWERS_KEPT + 5):
        await room.memory.note("spring", Answered(number, "a", "q", "t", "price:x", False))
    kept = await room.memory.lately("spring")
    assert [kept[0].at_ms, kept[-1].at_ms, len(kept)] == [ANSWERS_KEPT + 4, 5, ANSWERS_KEPT]


async def test_a_faq_is_kept_in_place_of_the_one_before(room: Room) -> None:
    assert await room.faqs.load("flowers") == StoreFaq()
    for faq in (StoreFaq(True, (Entry("q", "a"), Entry("q2", "a2"))), StoreFaq(False)):
        await room.faqs.save("flowers", faq)
        assert await room.faqs.load("flowers") == faq


async def test_only_the_seller_sets_the_faq_and_sees_the_answers(room: Room) -> None:
    async def known(slug: str) -> None:
        assert slug == "flowers"

    async def owner(person: str, _name: str) -> None:
        if person != "dal":
            raise PermissionError

    calls = {
        (method, path): call
        for method, path, call, _ in operations(
            room.faqs,
            room.memory,
            demand_store=known,
            demand_store_owner=owner,
            demand_show_owner=owner,
        )
    }
    put, get = calls["PUT", "/stores/{slug}/faq"], calls["GET", "/stores/{slug}/faq"]
    entry = FaqEntry(question=" 포장\n되나요? ", answer="네")
    with pytest.raises(PermissionError):
        await put("bom", "flowers", FaqDocument(on=True, entries=[entry]))
    assert (await get("flowers")).entries == []
    kept = await put("dal", "flowers", FaqDocument(on=False, entries=[entry]))
    assert kept.entries[0].question == "포장 되나요?"
    assert await get("flowers") == kept
    with pytest.raises(InvalidFaqError):
        await put(
            "dal", "flowers", FaqDocument(on=True, entries=[FaqEntry(question=" ", answer="네")])
        )
    lately = calls["GET", "/shows/{show}/assistant"]
    await room.memory.note("spring", Answered(1, "id-bom", "q", "a", "price:tulip", False))
    assert [one.question for one in (await lately("dal", "spring")).answers] == ["q"]
    with pytest.raises(PermissionError):
        await lately("bom", "spring")
