"""The archive of what was said, in PostgreSQL: rows come in batches and go in batches.

Whoever archives, or keeps a question, holds `LOCK` with others, whoever erases a person alone: what
is kept after an erasure knows of it, what was kept before is found by it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chat.adapters import archive_tables as tables
from chat.adapters.moderation_tables import deeds
from chat.core.archive import Kept, Place, Recall, Saying
from chat.core.moderation import Action
from chat.ports import Archive

LOCK: Final = sa.func.hashtextextended("chat archive", 0)
"""Held by whoever archives with others, by whoever begins an erasure alone."""
_SWEEPING: Final = sa.func.hashtextextended("chat archive sweep", 0)

_KEEP: Final = sa.text(
    "INSERT INTO chat_sayings"
    " (id, show, number, author, name, badges, text, at, reply_to, shadowed)"
    " SELECT id, show, number, author, name, string_to_array(badges, ' '), text, at, reply_to,"
    " shadowed FROM unnest(CAST(:ids AS text[]), CAST(:shows AS text[]),"
    " CAST(:numbers AS bigint[]), CAST(:authors AS text[]), CAST(:names AS text[]),"
    " CAST(:badges AS text[]), CAST(:texts AS text[]),"
    " CAST(:moments AS timestamptz[]), CAST(:replies AS text[]), CAST(:shadows AS bool[]))"
    " AS new(id, show, number, author, name, badges, text, at, reply_to, shadowed)"
    " WHERE NOT EXISTS (SELECT 1 FROM chat_erasures erased"
    " WHERE erased.account = new.author AND new.at <= erased.until)"
    " ORDER BY id ON CONFLICT (id) DO NOTHING"
)

_DELETED: Final = sa.exists().where(
    deeds.c.what == Action.DELETE.value,
    deeds.c.message == tables.sayings.c.id,
    deeds.c.show == tables.sayings.c.show,
)

_SWEEP: Final = sa.text(
    "DELETE FROM chat_sayings WHERE id IN"
    " (SELECT id FROM chat_sayings WHERE at < :before ORDER BY at LIMIT :limit)"
)

_BLANK_REPORTS: Final = sa.text(
    "UPDATE chat_reports SET name = '', text = '' WHERE id IN"
    " (SELECT id FROM chat_reports WHERE at < :before AND text <> '' ORDER BY at LIMIT :limit)"
)
_BLANK_DEEDS: Final = sa.text(
    "UPDATE chat_deeds SET detail = '' WHERE id IN"
    " (SELECT id FROM chat_deeds WHERE at < :before AND detail <> '' AND what = 'delete'"
    " ORDER BY at LIMIT :limit)"
)
"""Reports and the trail outlive what was said, without its text."""
_SWEEP_QUESTIONS: Final = sa.text(
    "DELETE FROM chat_questions WHERE number IN"
    " (SELECT number FROM chat_questions WHERE asked_at < :before AND state <> 'answered_text'"
    " ORDER BY asked_at LIMIT :limit)"
)
_BLANK_ASKERS: Final = sa.text(
    "UPDATE chat_questions SET asker = '', name = '', key = '' WHERE number IN"
    " (SELECT number FROM chat_questions WHERE asked_at < :before AND asker <> ''"
    " AND state = 'answered_text' ORDER BY asked_at LIMIT :limit)"
)
"""What was answered in writing belongs to the product, and stays without who asked it."""
_UNPIN: Final = sa.text(
    "UPDATE chat_settings SET pinned_saying = NULL, version = version + 1 WHERE show IN"
    " (SELECT show FROM chat_settings WHERE pinned_saying IS NOT NULL"
    " AND COALESCE(CAST(pinned_saying->>'at_ms' AS bigint), 0) < :before_ms"
    " LIMIT :limit FOR UPDATE)"
)


class SqlArchive(Archive):
    """The archive of `chat.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, sayings: Sequence[Saying]) -> None:
        """Keep them, all or none; those kept already, or erased, are passed over."""
        if not sayings:
            return
        columns = {
            "ids": [each.id for each in sayings],
            "shows": [each.show for each in sayings],
            "numbers": [each.number for each in sayings],
            "authors": [each.author for each in sayings],
            "names": [each.name for each in sayings],
            "badges": [" ".join(each.badges) for each in sayings],
            "texts": [each.text for each in sayings],
            "moments": [moment(each.at_ms) for each in sayings],
            "replies": [each.reply_to for each in sayings],
            "shadows": [each.shadowed for each in sayings],
        }
        async with self._engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(LOCK)))
            await connection.execute(_KEEP, columns)

    async def recall(self, show: str, after: Place | None, recall: Recall) -> Sequence[Kept]:
        """What was said in a show after a place, oldest first; one more than asked for, if any."""
        table = tables.sayings
        query = sa.select(table, _DELETED.label("deleted")).where(table.c.show == show)
        if after is not None:
            place = sa.tuple_(sa.literal(after.number, sa.BigInteger), sa.literal(after.id))
            query = query.where(sa.tuple_(table.c.number, table.c.id) > place)
        if not recall.hidden:
            query = query.where(~table.c.shadowed, ~_DELETED)
        if recall.author is not None:
            query = query.where(table.c.author == recall.author)
        query = query.order_by(table.c.number, table.c.id).limit(recall.limit + 1)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [Kept(_saying(row), deleted=row.deleted) for row in rows]

    async def find(self, show: str, saying: str) -> Saying | None:
        """What was said by this id, unless it was deleted."""
        table = tables.sayings
        this = (table.c.id == saying) & (table.c.show == show) & ~_DELETED
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(table).where(this))).first()
        return None if row is None else _saying(row)

    async def sweep(self, before_ms: int, limit: int) -> int:
        """Forget so many of those said before; how many it were, 0 while another node is at it."""
        async with self._engine.begin() as connection:
            if not await _alone(connection):
                return 0
            window = {"before": moment(before_ms), "limit": limit}
            swept = (await connection.execute(_SWEEP, window)).rowcount
            for statement in (_BLANK_REPORTS, _BLANK_DEEDS, _SWEEP_QUESTIONS, _BLANK_ASKERS):
                await connection.execute(statement, window)
            await connection.execute(_UNPIN, {"before_ms": before_ms, "limit": limit})
        return swept


async def _alone(connection: AsyncConnection) -> bool:
    return bool(await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_SWEEPING))))


def _saying(row: sa.Row[Any]) -> Saying:
    return Saying(
        id=row.id,
        show=row.show,
        number=row.number,
        author=row.author,
        name=row.name,
        badges=tuple(row.badges),
        text=row.text,
        at_ms=round(row.at.timestamp() * 1000),
        reply_to=row.reply_to,
        shadowed=row.shadowed,
    )


def moment(milliseconds: int) -> datetime:
    """A moment of the wall clock as the database has it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
