"""Questions as the people in a room meet them: two nodes, a real Valkey, a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, cast

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chat.adapters import archive_tables
from chat.adapters.question_book import SqlQuestionBook
from chat.adapters.question_tables import metadata
from chat.core.moderation import Rules, Sanction, SanctionKind, Settings
from chat.core.questions import OPEN_PER_PERSON, State, told_to_everybody
from chat.errors import ForbiddenError, InvalidAnswerError, SettledError, UnknownError
from chat.ports import Bus, Room, Verdict
from chat.questioning import KEPT_AT_ONCE, Questioning
from tests.chat.house import PATIENCE_S, Event, House, Node, Viewer, open_node, watching


class AskedHouse(House):
    """A house that tells newcomers what was answered."""

    def __init__(self, book: SqlQuestionBook) -> None:
        super().__init__()
        self.book: SqlQuestionBook | None = book

    async def describe(self, show: str) -> Room | None:
        """With the answers of the book."""
        room = await super().describe(show)
        if room is None or self.book is None:
            return room
        found = await self.book.told(show, ["tulip"])
        return replace(room, answers=[told for one in found if (told := told_to_everybody(one))])


@dataclass(frozen=True)
class Street:
    """Two nodes of one house; moderators use the other one's `questioning`."""

    house: AskedHouse
    engine: AsyncEngine
    one: Node
    other: Node
    questioning: Questioning


@pytest_asyncio.fixture
async def street(redis_url: str, database_url: str) -> AsyncIterator[Street]:
    """A street whose shows are both open."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(archive_tables.metadata.create_all)
    book = SqlQuestionBook(engine)
    house = AskedHouse(book)

    async def open_shows(_store: str) -> list[str]:
        return ["spring", "autumn"]

    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        one = await closing.enter_async_context(open_node(redis_url, house, "one"))
        other = await closing.enter_async_context(open_node(redis_url, house, "other"))
        one.chat.hub.ask = Questioning(one.chat.hub, book, open_shows).ask
        questioning = Questioning(other.chat.hub, book, open_shows)
        other.chat.hub.ask = questioning.ask
        yield Street(house, engine, one, other, questioning)


async def ask(viewer: Viewer, text: str, client_id: str = "1", **about: Any) -> str:
    """What becomes of a question: `accepted`, or the reason it is refused."""
    await viewer.send({"type": "say", "id": client_id, "text": text, "question": True, **about})
    told = await viewer.answer(client_id)
    return str(told.get("reason", told["type"]))


def kinds(viewer: Viewer) -> set[str]:
    """What kinds of events somebody was told."""
    return {event["type"] for event in viewer.seen}


async def queue(street: Street) -> list[str]:
    """What waits, as the seller sees it."""
    page = await street.questioning.queue("id-dal", "spring", 0)
    return [question.text for question in page.questions]


async def test_a_question_is_said_waits_is_answered_and_stays_for_newcomers(
    street: Street,
) -> None:
    async with (
        watching(street.one, "bom") as bom,
        watching(street.other) as guest,
        watching(street.other, "dal") as dal,
        watching(street.one, "haru") as haru,
        watching(street.one, show="autumn") as elsewhere,
    ):
        assert await ask(bom, "010-1234-5678로 답 주세요, 향이 진한가요?", product="tulip") == (
            "accepted"
        )
        said = await guest.until("said")
        assert (said["question"], said["product"]) == (True, "tulip")
        assert "1234" not in said["text"]
        for moderator in (dal, haru):
            told = (await moderator.until("question"))["question"]
            assert (told["id"], told["text"]) == (said["id"], said["text"])
            assert (told["state"], told["product"], told["name"]) == ("open", "tulip", "bom")
        answered = await street.questioning.answer("id-haru", "spring", said["id"], " 은은해요 ")
        assert (answered.state, answered.settled_by) == (State.ANSWERED_TEXT, "id-haru")
        for viewer in (bom, guest, elsewhere):
            told = await viewer.until("answered")
            assert (told["id"], told["product"], told["answer"]) == (
                said["id"],
                "tulip",
                "은은해요",
            )
        changed = (await dal.until("question"))["question"]
        assert (changed["state"], changed["version"]) == ("answered_text", 2)
        assert "question" not in kinds(bom) | kinds(guest)
    assert await queue(street) == []
    async with watching(street.other, show="autumn") as newcomer:
        (known,) = newcomer.seen[0]["answers"]
        assert (known["question"], known["answer"]) == (said["text"], "은은해요")


async def test_a_repeated_question_is_asked_and_said_once(street: Street) -> None:
    async with watching(street.one, "bom") as bom, watching(street.other, "dal") as dal:
        assert await ask(bom, "언제 오나요?") == "accepted"
        asked = await dal.until("question")
        async with watching(street.other, "bom") as again:
            assert await ask(again, "언제 오나요?") == "accepted"
            await again.say("고마워요", "2")
            await dal.until_member("said", "text", "고마워요")
        sayings = [event for event in dal.seen if event["type"] == "said"]
        assert [said["id"] for said in sayings[:-1]] == [asked["question"]["id"]]
        assert len([event for event in dal.seen if event["type"] == "question"]) == 1
    assert await queue(street) == ["언제 오나요?"]


async def test_what_is_asked_too_soon_does_not_wait_and_may_be_asked_later(
    street: Street,
) -> None:
    street.house.rules = Rules(Settings(slow_s=60))
    async with watching(street.one, "bom") as bom, watching(street.other, "bom") as again:
        assert await ask(bom, "향이 진한가요?", "1") == "accepted"
        assert await ask(again, "오늘 출발해요?", "2") == "slow"
        assert await queue(street) == ["향이 진한가요?"]
    street.house.rules = Rules()
    async with watching(street.one, "bom") as bom:
        assert await ask(bom, "오늘 출발해요?", "2") == "accepted"
    assert await queue(street) == ["향이 진한가요?", "오늘 출발해요?"]


async def test_what_may_not_be_asked_is_refused_and_nobody_hears_it(street: Street) -> None:
    async with watching(street.one, "bom") as bom, watching(street.one) as guest:
        assert await ask(guest, "누구나?") == "sign_in"
        assert await ask(bom, "이거 시발 뭐예요?", "1") == "banned_word"
        assert await ask(bom, " ", "2") == "empty"
        async with watching(street.one, "nabi") as nabi:
            assert await ask(nabi, "장미는요?", "1", product="rose") == "unknown_product"
        assert [event for event in guest.seen if event["type"] == "said"] == []
    assert await queue(street) == []


async def test_a_person_asks_so_many_over_all_nodes_a_moderator_more(
    street: Street, redis_url: str
) -> None:
    async with AsyncExitStack() as closing:
        for number in range(OPEN_PER_PERSON + 1):
            # Each node keeps its own rates, so each is asked one question.
            node = await closing.enter_async_context(
                open_node(redis_url, street.house, f"node {number}")
            )
            node.chat.hub.ask = street.questioning.ask
            bom = await closing.enter_async_context(watching(node, "bom"))
            outcome = await ask(bom, f"질문 {number}", str(number))
            enough = number == OPEN_PER_PERSON
            assert outcome == ("too_many_questions" if enough else "accepted")
        bom = await closing.enter_async_context(watching(street.one, "bom"))
        assert await ask(bom, "질문 0", "again") == "asked_already"
    async with watching(street.one, "dal") as dal:
        for number in range(OPEN_PER_PERSON + 1):
            assert await ask(dal, f"내 질문 {number}", str(number)) == "accepted"


@pytest.mark.parametrize("kind", ["mute", "ban", "shadow_ban"])
async def test_who_is_sanctioned_asks_nobody(street: Street, kind: SanctionKind) -> None:
    sanction = Sanction("id-bom", kind, None, 1)
    street.house.rules = Rules(sanctions=MappingProxyType({("id-bom", kind): sanction}))
    async with watching(street.one, "bom") as bom, watching(street.one, "dal") as dal:
        expected = {"mute": "muted", "ban": "banned", "shadow_ban": "accepted"}
        assert await ask(bom, "답해 주세요?") == expected[kind]
        await dal.say("조용하네요")
        await dal.until_member("said", "text", "조용하네요")
        assert "question" not in kinds(dal)
    assert await queue(street) == []


async def test_the_queue_is_for_moderators_and_an_answer_says_something(street: Street) -> None:
    async with watching(street.one, "bom") as bom:
        assert await ask(bom, "향이 진한가요?") == "accepted"
    (question,) = (await street.questioning.queue("id-haru", "spring", 0)).questions
    with pytest.raises(ForbiddenError):
        await street.questioning.queue("id-bom", "spring", 0)
    with pytest.raises(ForbiddenError):
        await street.questioning.dismiss("id-bom", "spring", question.id)
    for show, name in (("nowhere", question.id), ("autumn", question.id), ("spring", "q")):
        with pytest.raises(UnknownError):
            await street.questioning.answer("id-dal", show, name, None)
    for text in ("", " \u3164 ", "x" * 301):
        with pytest.raises(InvalidAnswerError):
            await street.questioning.answer("id-dal", "spring", question.id, text)
    live = await street.questioning.answer("id-dal", "spring", question.id, None)
    assert await street.questioning.answer("id-haru", "spring", question.id, None) == live
    masked = await street.questioning.answer("id-dal", "spring", question.id, "010-1234-5678")
    assert masked.answer == "***-****-****"
    with pytest.raises(SettledError) as late:
        await street.questioning.answer("id-haru", "spring", question.id, "아니요")
    assert late.value.facts == {"state": "answered_text"}
    await street.questioning.withdraw("id-haru", "spring", question.id)
    await street.questioning.withdraw("id-haru", "spring", "never said")
    assert (await street.questioning.answered_in("spring", None)).questions == []


async def test_an_answer_that_is_taken_back_is_told_without_its_words(street: Street) -> None:
    async with watching(street.one, "bom") as bom:
        assert await ask(bom, "향이 진한가요?", product="tulip") == "accepted"
        (question,) = (await street.questioning.queue("id-dal", "spring", 0)).questions
        await street.questioning.answer("id-dal", "spring", question.id, "네")
        await bom.until("answered")
        await street.questioning.dismiss("id-dal", "spring", question.id)
        back: Event = await bom.until("answered")
        assert (back["state"], back["question"], back["answer"]) == ("dismissed", "", None)
    async with watching(street.one) as newcomer:
        assert newcomer.seen[0]["answers"] == []


class FullBus:
    """A bus whose talk has no room; the rest is the real one's."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def say(self, *_: Any, **__: Any) -> Verdict:
        """Nobody is shown it."""
        return Verdict.THINNED


async def test_a_question_waits_also_when_the_talk_has_no_room_for_it(street: Street) -> None:
    hub = street.one.chat.hub
    hub.bus = cast("Bus", FullBus(hub.bus))
    async with watching(street.one, "bom") as bom, watching(street.other, "dal") as dal:
        await bom.send({"type": "say", "id": "1", "text": "향이 진한가요?", "question": True})
        assert (await bom.answer("1"))["shown"] is False
        assert (await dal.until("question"))["question"]["text"] == "향이 진한가요?"
    assert await queue(street) == ["향이 진한가요?"]


async def waiting(connection: AsyncConnection) -> int:
    """How many transactions wait for a show's lock."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return int(await connection.scalar(sa.text(query)) or 0)


async def test_askers_wait_a_few_at_a_time_in_the_database_and_delay_no_talk(
    street: Street,
) -> None:
    lock = "(hashtextextended('chat questions spring', 0))"
    async with AsyncExitStack() as closing:
        holder = await closing.enter_async_context(street.engine.connect())
        await holder.execute(sa.text(f"SELECT pg_advisory_lock{lock}"))
        askers = [
            await closing.enter_async_context(watching(street.one, f"asker {number}"))
            for number in range(KEPT_AT_ONCE + 3)
        ]
        for asker in askers:
            await asker.send({"type": "say", "id": "1", "text": "언제 오나요?", "question": True})
        async with asyncio.timeout(PATIENCE_S):
            while await waiting(holder) < KEPT_AT_ONCE:
                await asyncio.sleep(0)
        async with watching(street.one, "bom") as bom:
            await bom.say("예뻐요")
            assert (await bom.answer("1"))["type"] == "accepted"
        assert await waiting(holder) == KEPT_AT_ONCE
        await holder.execute(sa.text(f"SELECT pg_advisory_unlock{lock}"))
        for asker in askers:
            assert (await asker.answer("1"))["type"] == "accepted"
    assert len(await queue(street)) == len(askers)


async def test_without_its_database_a_question_is_refused_and_talk_goes_on(
    street: Street,
) -> None:
    async with watching(street.one, "bom") as bom, street.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE chat_questions RENAME TO away"))
        await connection.commit()
        street.house.book = None
        assert await ask(bom, "향이 진한가요?") == "unavailable"
        await bom.say("예뻐요", "2")
        assert (await bom.answer("2"))["type"] == "accepted"
    async with watching(street.one, "bom") as bom, street.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE away RENAME TO chat_questions"))
        await connection.commit()
        assert await ask(bom, "향이 진한가요?") == "accepted"
    assert await queue(street) == ["향이 진한가요?"]
