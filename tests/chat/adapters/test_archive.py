"""The archive in a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chat.adapters import archive_tables, moderation_tables
from chat.adapters.archive import SqlArchive
from chat.core.archive import Saying

NOW = 1_800_000_000_123
replace = msgspec.structs.replace


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with the room's tables."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(moderation_tables.metadata.create_all)
        await connection.run_sync(archive_tables.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def archive(engine: AsyncEngine) -> SqlArchive:
    """An empty archive."""
    return SqlArchive(engine)


def saying(number: int, author: str = "bom", show: str = "spring") -> Saying:
    """The so-manieth saying, a second after the one before."""
    return Saying(
        id=f"s{number}",
        show=show,
        author=author,
        name="봄",
        badges=("moderator", "buyer") if number % 2 else (),
        text=f'{number}번 🌸 {{a,"b"}} \\',
        at_ms=NOW + number * 1_000,
        reply_to="s0" if number == 2 else None,
        shadowed=number == 3,
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


async def test_while_one_node_sweeps_another_does_not(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    await archive.keep([saying(0)])
    key = sa.func.hashtextextended("chat archive sweep", 0)
    async with engine.begin() as sweeping:
        await sweeping.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        assert await archive.sweep(NOW + 1, 10) == 0
    assert await archive.sweep(NOW + 1, 10) == 1
