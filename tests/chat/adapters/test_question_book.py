"""The questions in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from chat.adapters import archive_tables
from chat.adapters.question_book import SqlQuestionBook
from chat.adapters.question_tables import metadata
from chat.core.questions import (
    ANSWERS_PER_PRODUCT,
    ANSWERS_PER_SHOW,
    OPEN_PER_PERSON,
    OPEN_PER_SHOW,
    REPEATED_S,
    Objection,
    Origin,
    Question,
    State,
    settle,
)

NOW = 1_800_000_000_000


@pytest_asyncio.fixture
async def book(database_url: str) -> AsyncIterator[SqlQuestionBook]:
    """A book on its table."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(archive_tables.metadata.create_all)
    yield SqlQuestionBook(engine)
    await engine.dispose()


def question(number: int, **other: Any) -> Question:
    """One of `bom`'s questions."""
    members: dict[str, Any] = {
        "id": f"q{number}",
        "show": "spring",
        "store": "flowers",
        "asker": "bom",
        "name": "봄",
        "text": f"질문 {number}",
        "product": "tulip",
        "handed_over": False,
        "asked_at_ms": NOW + number,
    }
    return Question(**members | other)


async def asked(book: SqlQuestionBook, number: int, **other: Any) -> Question:
    """Keep one, by somebody who has asked nothing else."""
    new = question(number, **{"asker": f"person {number}"} | other)
    kept = await book.keep(new, Origin.VIEWER, f"k{number}")
    assert kept == new
    return new


async def answered(
    book: SqlQuestionBook, number: int, text: str | None = "네", **other: Any
) -> Question:
    """Keep one and answer it, later than those with a lower number."""
    new = await asked(book, number, **other)
    state = State.ANSWERED_LIVE if text is None else State.ANSWERED_TEXT
    after = await book.change(
        new.id, lambda now: settle(now, state, text, "dal", NOW + 1_000 + number)
    )
    assert after is not None
    return after


async def test_what_is_kept_waits_in_its_show_and_is_told_in_pages(book: SqlQuestionBook) -> None:
    kept = [await asked(book, number) for number in range(5)]
    await asked(book, 9, show="autumn")
    first = await book.waiting("spring", 0, 3)
    assert first.more is not None
    rest = await book.waiting("spring", first.more, 3)
    assert [*first.questions, *rest.questions] == kept
    assert rest.more is None
    assert await book.find("spring", "q3") == kept[3]
    assert await book.find("autumn", "q3") is None


async def test_a_repeated_question_is_the_same_one_even_after_its_answer(
    book: SqlQuestionBook,
) -> None:
    first = question(1)
    assert await book.keep(first, Origin.VIEWER, "k") == first
    assert await book.keep(question(2, text="질문 1"), Origin.VIEWER, "k") == first
    done = await book.change("q1", lambda now: settle(now, State.DISMISSED, None, "dal", NOW))
    assert await book.keep(question(3, text="질문 1"), Origin.VIEWER, "k") == done
    other = question(4, asker="nabi")
    assert await book.keep(other, Origin.VIEWER, "k") == other
    later = question(5, asked_at_ms=NOW + REPEATED_S * 1_000 + 1)
    assert await book.keep(later, Origin.VIEWER, "k") == later
    assert len((await book.waiting("spring", 0, 9)).questions) == 2


async def test_a_key_may_be_any_text(book: SqlQuestionBook) -> None:
    first = question(1)
    assert await book.keep(first, Origin.VIEWER, "\0") == first
    assert await book.keep(question(2), Origin.VIEWER, "\0") == first


async def test_the_same_words_wait_once_for_each_product(book: SqlQuestionBook) -> None:
    first = question(1, text="향이 진한가요?")
    await book.keep(first, Origin.VIEWER, "a")
    again = msgspec.structs.replace(first, id="q2")
    assert await book.keep(again, Origin.VIEWER, "b") is Objection.ASKED_ALREADY
    for number, product in ((3, "rose"), (4, None)):
        about = msgspec.structs.replace(first, id=f"q{number}", product=product)
        assert await book.keep(about, Origin.VIEWER, f"c{number}") == about
    about = msgspec.structs.replace(about, id="q5")
    assert await book.keep(about, Origin.VIEWER, "d") is Objection.ASKED_ALREADY


async def test_a_person_who_asks_at_once_over_many_connections_asks_so_many(
    book: SqlQuestionBook,
) -> None:
    found = await asyncio.gather(
        *(book.keep(question(n), Origin.VIEWER, f"k{n}") for n in range(OPEN_PER_PERSON + 5))
    )
    assert found.count(Objection.TOO_MANY) == 5
    assert len((await book.waiting("spring", 0, 99)).questions) == OPEN_PER_PERSON
    handed = question(50, handed_over=True)
    assert await book.keep(handed, Origin.ASSISTANT, "k50") == handed
    moderator = question(51)
    assert await book.keep(moderator, Origin.MODERATOR, "k51") == moderator


async def test_a_full_queue_takes_no_more_until_one_is_settled(book: SqlQuestionBook) -> None:
    for number in range(OPEN_PER_SHOW[Origin.VIEWER]):
        await asked(book, number)
    late = question(900, asker="late")
    assert await book.keep(late, Origin.VIEWER, "late") is Objection.FULL
    elsewhere = question(901, asker="late", show="autumn")
    assert await book.keep(elsewhere, Origin.VIEWER, "else") == elsewhere
    await book.change("q0", lambda now: settle(now, State.DISMISSED, None, "dal", NOW))
    assert await book.keep(late, Origin.VIEWER, "late") == late


async def test_of_two_who_answer_at_once_one_is_too_late(book: SqlQuestionBook) -> None:
    await asked(book, 1)

    async def answer(text: str) -> Question | None:
        return await book.change(
            "q1", lambda now: settle(now, State.ANSWERED_TEXT, text, "dal", NOW)
        )

    found = await asyncio.gather(answer("네"), answer("아니요"))
    assert found.count(None) == 1
    (winner,) = (each for each in found if each is not None)
    assert await book.find("spring", "q1") == winner
    assert await book.change("nothing", lambda now: now) is None


async def test_answers_are_told_by_show_and_by_product(book: SqlQuestionBook) -> None:
    tulip = [await answered(book, number) for number in range(3)]
    live = await answered(book, 10, None)
    about_all = await answered(book, 11, product=None)
    elsewhere = await answered(book, 12, show="autumn")
    await asked(book, 13)
    in_show = await book.answered_in("spring", None, 9)
    assert in_show.questions == [about_all, live, *reversed(tulip)]
    about = await book.answered_about("tulip", None, 2)
    assert about.questions == [elsewhere, tulip[2]]
    rest = await book.answered_about("tulip", about.more, 2)
    assert (rest.questions, rest.more) == ([tulip[1], tulip[0]], None)


async def test_a_newcomer_is_told_the_last_answers_about_each_product(
    book: SqlQuestionBook,
) -> None:
    old = [await answered(book, number, show="winter") for number in range(5)]
    rose = await answered(book, 20, product="rose", show="winter")
    await answered(book, 21, product="lily", show="winter")
    await answered(book, 22, product=None, show="winter")
    await answered(book, 23, None, show="winter")
    back = await answered(book, 26)
    await book.change(back.id, lambda now: settle(now, State.DISMISSED, None, "dal", NOW))
    last = [*reversed(old)][:ANSWERS_PER_PRODUCT]
    assert await book.told("spring", ["tulip", "rose", "nothing"]) == [rose, *last]
    assert await book.told("spring", []) == []


async def test_a_newcomer_is_told_the_last_answers_in_the_show_each_once(
    book: SqlQuestionBook,
) -> None:
    here = [
        await answered(book, number, product=["tulip", "lily", None][number % 3])
        for number in range(ANSWERS_PER_SHOW + 5)
    ]
    live = await answered(book, 90, None)
    told = await book.told("spring", ["tulip"])
    assert told == [live, *reversed(here)][:ANSWERS_PER_SHOW]
