"""The archivist between a real Valkey and a real PostgreSQL: each saying once, whoever dies."""

import asyncio
import time
from typing import Any

import pytest
import sqlalchemy as sa
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chat.adapters import archive_tables, redis_keys
from chat.adapters.archive import SqlArchive
from chat.adapters.service import Chat
from chat.archiving import SWEPT_AT_ONCE, Archivist
from chat.core.archive import BATCH_SAYINGS, DAY_MS, Saying, Share
from chat.core.budget import Part
from chat.core.frames import Event, Lane, pack
from chat.core.pending import ORPHAN_AFTER_S
from chat.ports import Verdict
from tests.chat.house import PATIENCE_S, House, Node, open_node, watching

DAYS = 30


def archivist(node: Node, engine: AsyncEngine) -> Archivist:
    """The node's archivist."""
    return node.chat.archivist(SqlArchive(engine), DAYS)


async def say(chat: Chat, count: int, name: str = "dal", show: str = "spring") -> list[str]:
    """Say so much, as somebody for whom there is room; what was shown."""
    shown = []
    for number in range(count):
        text = f"{name} {number}"
        person = {"id": f"id-{name}", "name": name, "seller": True}
        at_ms = time.time_ns() // 1_000_000
        said = {"type": "said", "id": text, "from": person, "text": text, "at_ms": at_ms}
        event = Event(Lane.TALK, pack(said))
        if await chat.hub.bus.say(show, event, text, Part.MODERATORS) is Verdict.SHOWN:
            shown.append(text)
    return shown


async def texts(engine: AsyncEngine) -> list[str]:
    """What is in the archive."""
    async with engine.connect() as connection:
        return [*(await connection.scalars(sa.select(archive_tables.sayings.c.text)))]


async def test_what_viewers_say_is_archived_as_they_were_shown_it(
    node: Node, engine: AsyncEngine
) -> None:
    async with watching(node, "bom") as bom, watching(node, "haru", "autumn") as haru:
        await bom.say("제 번호는 010-1234-5678")
        said = await bom.until("said")
        await haru.say("가을")
        await haru.until("said")
    archivist_ = archivist(node, engine)
    await archivist_.archive_said()
    assert sorted(await texts(engine)) == sorted([said["text"], "가을"])
    assert "1234" not in said["text"]
    async with engine.connect() as connection:
        row = (await connection.execute(_by_author("id-bom"))).one()
    assert (row.id, row.show, row.name) == (said["id"], "spring", "bom")
    assert round(row.at.timestamp() * 1000) == said["at_ms"]
    assert archivist_.tally.archived == 2
    assert archivist_.tally.waiting == 0


def _by_author(author: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(archive_tables.sayings).where(archive_tables.sayings.c.author == author)


async def test_more_than_a_batch_is_archived_in_one_round(
    node: Node, engine: AsyncEngine, client: Redis
) -> None:
    (first,) = await say(node.chat, 1)
    waiting: Any = await client.xrange(redis_keys.unarchived("spring"))
    said = waiting[0][1]
    many = BATCH_SAYINGS + 7
    async with client.pipeline(transaction=False) as pipeline:
        for number in range(many):
            packed = said[b"said"].replace(b"dal 0", f"{number:05}".encode())
            pipeline.xadd(redis_keys.unarchived("spring"), said | {b"said": packed})
        await pipeline.execute()
    await archivist(node, engine).archive_said()
    assert sorted(await texts(engine)) == sorted([first, *(f"{n:05}" for n in range(many))])
    assert await client.xlen(redis_keys.unarchived("spring")) == 0


async def test_two_nodes_archive_everything_once(
    redis_url: str, house: House, engine: AsyncEngine, client: Redis
) -> None:
    async with (
        open_node(redis_url, house, "one") as one,
        open_node(redis_url, house, "two") as two,
    ):
        running = [asyncio.create_task(archivist(node, engine).run()) for node in (one, two)]
        said = await asyncio.gather(
            *(say(node.chat, 40, name) for node in (one, two) for name in ("bom", "dal"))
        )
        expected = sorted({text for shown in said for text in shown})
        async with asyncio.timeout(PATIENCE_S):
            while await client.xlen(redis_keys.unarchived("spring")):
                pass
        for task in running:
            task.cancel()
    assert sorted(await texts(engine)) == expected


async def test_what_a_dead_node_left_behind_another_archives(
    redis_url: str, house: House, engine: AsyncEngine, client: Redis
) -> None:
    async with open_node(redis_url, house, "dead") as dead:
        said = await say(dead.chat, 5)
        # It dies after its sayings were archived, before they were taken away
        taken = await dead.chat.unarchived.take(Share(["spring"], 2))
        await SqlArchive(engine).keep([each for some in taken if some for each in some.sayings])
    async with open_node(redis_url, house, "heir") as heir:
        other = archivist(heir, engine)
        await other.archive_orphans()
        assert len(await texts(engine)) == 2
        await client.zincrby(redis_keys.TO_ARCHIVE, -ORPHAN_AFTER_S, "spring")
        await other.archive_orphans()
        assert len(await texts(engine)) == 2  # the dead node's turn is not over
        await client.delete(redis_keys.archivist("spring"))
        await other.archive_orphans()
        assert sorted(await texts(engine)) == said
        assert await client.xlen(redis_keys.unarchived("spring")) == 0
        assert await client.zcard(redis_keys.TO_ARCHIVE) == 0


async def test_while_the_archive_is_away_talk_goes_on_and_it_catches_up(
    node: Node, engine: AsyncEngine
) -> None:
    nowhere = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    away = node.chat.archivist(SqlArchive(nowhere), DAYS)
    said = await say(node.chat, 3)
    with pytest.raises(ConnectionRefusedError):
        await away.archive_said()
    assert away.tally.waiting == 3
    assert away.tally.archived == 0
    await nowhere.dispose()
    said += await say(node.chat, 2, "bom")
    back = archivist(node, engine)
    await back.archive_said()
    assert sorted(await texts(engine)) == sorted(said)


async def test_the_sweep_goes_on_until_nothing_old_is_left(node: Node, engine: AsyncEngine) -> None:
    now_ms = time.time_ns() // 1_000_000
    old, young = now_ms - DAYS * DAY_MS - 1_000, now_ms - DAYS * DAY_MS + 60_000
    count = SWEPT_AT_ONCE + 1
    sayings = [_saying(f"old {n}", old) for n in range(count)] + [_saying("young", young)]
    await SqlArchive(engine).keep(sayings)
    sweeping = archivist(node, engine)
    await sweeping.sweep()
    assert await texts(engine) == ["young"]
    assert sweeping.tally.swept == count


def _saying(text: str, at_ms: int) -> Saying:
    return Saying(
        id=text, show="spring", number=1, author="bom", name="봄", badges=(), text=text, at_ms=at_ms
    )
