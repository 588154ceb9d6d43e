"""The archive in a real PostgreSQL."""

import asyncio
from functools import partial

import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.adapters import archive_tables
from chat.adapters.archive import SqlArchive
from chat.adapters.question_book import SqlQuestionBook
from chat.adapters.rulebook import SqlRulebook
from chat.core.archive import Kept, Place, Recall, Saying
from chat.core.deeds import Deed, Report
from chat.core.moderation import PinnedSaying
from chat.core.questions import Origin, Question, State

NOW = 1_800_000_000_123
replace = msgspec.structs.replace


@pytest_asyncio.fixture
async def archive(engine: AsyncEngine) -> SqlArchive:
    """An empty archive."""
    return SqlArchive(engine)


def saying(number: int, author: str = "bom", show: str = "spring") -> Saying:
    """The so-manieth saying, a second after the one before."""
    return Saying(
        id=f"s{number}",
        show=show,
        number=number,
        author=author,
        name="봄",
        badges=("moderator", "buyer") if number % 2 else (),
        text=f'{number}번 🌸 {{a,"b"}} \\',
        at_ms=NOW + number * 1_000,
        reply_to="s0" if number == 2 else None,
        shadowed=number == 3,
    )


def report(message: str, at_ms: int) -> Report:
    """A report of something `bom` said."""
    return Report(
        show="spring",
        message=message,
        author="bom",
        name="봄",
        text="광고",
        reporter="haru",
        reason="ad",
        at_ms=at_ms,
    )


async def ids(engine: AsyncEngine) -> list[str]:
    """What is there, oldest first."""
    table = archive_tables.sayings
    async with engine.connect() as connection:
        return [*(await connection.scalars(sa.select(table.c.id).order_by(table.c.at)))]


async def test_what_is_kept_twice_is_there_once(archive: SqlArchive, engine: AsyncEngine) -> None:
    sayings = [saying(number) for number in range(6)]
    await archive.keep(sayings[:4])
    changed = [replace(each, text="something else") for each in sayings]
    await archive.keep([*changed, changed[5]])
    await archive.keep([])
    assert await ids(engine) == [each.id for each in sayings]
    async with engine.connect() as connection:
        texts = await connection.scalars(sa.select(archive_tables.sayings.c.text))
        assert sorted(texts) == sorted([each.text for each in sayings[:4]] + ["something else"] * 2)


async def test_many_nodes_keep_the_same_at_once(archive: SqlArchive, engine: AsyncEngine) -> None:
    sayings = [saying(number) for number in range(300)]
    await asyncio.gather(
        *(archive.keep(sayings[start::-1] + sayings[start:]) for start in range(0, 300, 30))
    )
    assert await ids(engine) == [each.id for each in sayings]


async def test_the_sweep_forgets_the_oldest_so_many_at_a_time(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    await archive.keep([saying(number) for number in range(10)])
    before = NOW + 7_000
    assert [await archive.sweep(before, 3) for _ in range(4)] == [3, 3, 1, 0]
    assert await ids(engine) == ["s7", "s8", "s9"]


async def test_reports_and_the_trail_outlive_what_was_said_without_its_text(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    rulebook = SqlRulebook(engine)
    old = Deed(store="flowers", show="spring", actor="haru", what="delete", whom="bom", at_ms=NOW)
    old = replace(old, message="s1", detail="광고", reason="ad")
    await rulebook.note(old)
    await rulebook.note(replace(old, what="set", detail="slow_s 10"))
    await rulebook.note(replace(old, at_ms=NOW + 9, detail="또 광고"))
    for message, at_ms in (("s1", NOW), ("s2", NOW + 9)):
        await rulebook.report(report(message, at_ms))
    await archive.sweep(NOW + 5, 10)
    trail = await rulebook.trail("flowers", None, 9)
    assert [noted.deed.detail for noted in trail] == ["또 광고", "slow_s 10", ""]
    reports = await rulebook.reports("spring", 0, 9)
    assert [(each.name, each.text, each.reason) for each in reports] == [
        ("", "", "ad"),
        ("봄", "광고", "ad"),
    ]


async def test_what_is_pinned_is_not_kept_longer_than_what_was_said(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    rulebook = SqlRulebook(engine)
    for show, at_ms in (("spring", NOW), ("autumn", NOW + 9)):
        deed = Deed(store="flowers", show=show, actor="haru", what="pin", at_ms=NOW)
        pinned = PinnedSaying("s1", "봄", "반값", "bom", at_ms)
        await rulebook.switch(deed, partial(replace, pinned_saying=pinned))
    await archive.sweep(NOW + 5, 10)
    spring, autumn = [
        (await rulebook.rules("flowers", show, NOW)).settings for show in ("spring", "autumn")
    ]
    assert (spring.pinned_saying, spring.version) == (None, 2)
    assert autumn.pinned_saying is not None


async def test_of_old_questions_those_answered_in_writing_stay_without_who_asked(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    book = SqlQuestionBook(engine)
    for state in State:
        for name, at_ms in (("old", NOW), ("new", NOW + 9)):
            asked = question(f"{name} {state.value}", at_ms)
            await book.keep(asked, Origin.MODERATOR, asked.id)
            answer = "네" if state is State.ANSWERED_TEXT else None
            settle = partial(replace, state=state, answer=answer, settled_at_ms=at_ms)
            await book.change(asked.id, settle)
    await archive.sweep(NOW + 5, 10)
    query = sa.text("SELECT id, name, asker, key, text FROM chat_questions ORDER BY number")
    async with engine.connect() as connection:
        rows = (await connection.execute(query)).all()
    assert [row.id for row in rows if row.id.startswith("old")] == ["old answered_text"]
    assert sum(row.id.startswith("new") for row in rows) == len(State)
    for row in rows:
        who = ("", "", "") if row.id.startswith("old") else ("봄", "bom", row.id)
        assert (row.name, row.asker, row.key) == who
        assert row.text == row.id


def question(name: str, at_ms: int) -> Question:
    """Something Bom asked."""
    return Question(
        id=name,
        show="spring",
        store="flowers",
        asker="bom",
        name="봄",
        text=name,
        product=None,
        handed_over=False,
        asked_at_ms=at_ms,
    )


async def test_while_one_node_sweeps_another_does_not(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    await archive.keep([saying(0)])
    key = sa.func.hashtextextended("chat archive sweep", 0)
    async with engine.begin() as sweeping:
        await sweeping.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        assert await archive.sweep(NOW + 1, 10) == 0
    assert await archive.sweep(NOW + 1, 10) == 1


async def delete(engine: AsyncEngine, number: int, show: str = "spring") -> None:
    """A moderator takes the so-manieth saying out of the room."""
    deed = Deed(
        store="flowers",
        show=show,
        actor="haru",
        what="delete",
        whom="bom",
        message=f"s{number}",
        at_ms=NOW,
    )
    await SqlRulebook(engine).note(deed)


async def walk(archive: SqlArchive, recall: Recall, after: Place | None = None) -> list[Kept]:
    """All pages one after another."""
    found: list[Kept] = []
    while True:
        page = await archive.recall("spring", after, recall)
        assert len(page) <= recall.limit + 1
        found += page[: recall.limit]
        if len(page) <= recall.limit:
            return found
        after = found[-1].place


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_every_page_goes_on_where_the_one_before_ended(
    archive: SqlArchive, limit: int
) -> None:
    sayings = [saying(number) for number in (0, 1, 2, 4, 5, 6)]
    sayings += [replace(saying(6), id=f"t{letter}") for letter in "Zab"]
    await archive.keep([*sayings, saying(7, show="autumn")])
    expected = sorted(sayings, key=lambda each: (each.number, each.id))
    assert [kept.saying for kept in await walk(archive, Recall(limit))] == expected
    seek = Place(2, "")
    assert [kept.saying for kept in await walk(archive, Recall(limit), seek)] == expected[2:]


async def test_what_was_hidden_moderators_alone_are_shown(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    await archive.keep([saying(number) for number in range(5)])
    await delete(engine, 1)
    await delete(engine, 2, show="autumn")
    everybody = await archive.recall("spring", None, Recall(9))
    assert [kept.saying.id for kept in everybody] == ["s0", "s2", "s4"]
    moderators = await archive.recall("spring", None, Recall(9, hidden=True))
    told = [(kept.saying.id, kept.deleted, kept.saying.shadowed) for kept in moderators]
    assert told == [
        ("s0", False, False),
        ("s1", True, False),
        ("s2", False, False),
        ("s3", False, True),
        ("s4", False, False),
    ]


async def test_what_one_person_said_is_found(archive: SqlArchive, engine: AsyncEngine) -> None:
    await archive.keep([saying(number, "bom" if number % 2 else "haru") for number in range(5)])
    mine = await archive.recall("spring", None, Recall(9, hidden=True, author="bom"))
    assert [kept.saying.id for kept in mine] == ["s1", "s3"]
    assert await archive.find("spring", "s1") == saying(1)
    assert await archive.find("autumn", "s1") is None
    await delete(engine, 1)
    assert await archive.find("spring", "s1") is None
