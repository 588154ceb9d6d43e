"""Shows in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from live.show.adapters.tables import shows
from live.show.core.stage import Show, Stage
from live.show.ports import Change

LISTED: Final = 100
"""A list has at most this many shows; the rest is not told."""


class SqlBook:
    """The book of `live.show.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, show: Show) -> None:
        """Keep a new show."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.insert(shows).values(_row(show)))

    async def find(self, show: str) -> Show | None:
        """The show with this id."""
        async with self._engine.connect() as connection:
            found = await connection.execute(sa.select(shows).where(shows.c.id == show))
            row = found.first()
        return None if row is None else _show(row)

    async def listed(self, stage: Stage | None) -> Sequence[Show]:
        """Shows for everybody to see: live first, then by start, the newest ended last."""
        rank = sa.case({"live": 0, "scheduled": 1}, value=shows.c.stage, else_=2)
        query = sa.select(shows).order_by(
            rank,
            shows.c.ended_at.desc(),
            shows.c.starts_at.asc().nulls_last(),
            shows.c.created_at.desc(),
        )
        if stage is not None:
            query = query.where(shows.c.stage == stage.value)
        return await self._all(query)

    async def unended(self, store: str) -> Sequence[Show]:
        """A store's shows that are scheduled or live."""
        condition = sa.and_(shows.c.store == store, shows.c.stage != Stage.ENDED.value)
        return await self._all(sa.select(shows).where(condition).order_by(shows.c.created_at))

    async def change(self, show: str, change: Change) -> tuple[Show, Show] | None:
        """Change a show under a lock; the show before and after, None when there is none."""
        async with self._engine.begin() as connection:
            locked = sa.select(shows).where(shows.c.id == show).with_for_update()
            row = (await connection.execute(locked)).first()
            if row is None:
                return None
            before = _show(row)
            after = change(before)
            if after != before:
                update = sa.update(shows).where(shows.c.id == show).values(_row(after))
                await connection.execute(update)
            return before, after

    async def keep_key(self, show: str, digest: bytes) -> None:
        """Keep the digest of the show's publish key instead of any older one."""
        async with self._engine.begin() as connection:
            update = sa.update(shows).where(shows.c.id == show).values(key_digest=digest)
            await connection.execute(update)

    async def key(self, show: str) -> bytes | None:
        """The digest of the show's publish key."""
        async with self._engine.connect() as connection:
            query = sa.select(shows.c.key_digest).where(shows.c.id == show)
            digest: bytes | None = await connection.scalar(query)
        return digest

    async def _all(self, query: sa.Select[Any]) -> list[Show]:
        async with self._engine.connect() as connection:
            return [_show(row) for row in await connection.execute(query.limit(LISTED))]


def _row(show: Show) -> dict[str, Any]:
    return {
        "id": show.id,
        "store": show.store,
        "title": show.title,
        "stage": show.stage.value,
        "starts_at": _moment(show.starts_at_ms),
        "started_at": _moment(show.started_at_ms),
        "ended_at": _moment(show.ended_at_ms),
        "lineup": list(show.lineup),
        "pinned": show.pinned,
    }


def _show(row: sa.Row[Any]) -> Show:
    return Show(
        id=row.id,
        store=row.store,
        title=row.title,
        stage=Stage(row.stage),
        starts_at_ms=_milliseconds(row.starts_at),
        started_at_ms=_milliseconds(row.started_at),
        ended_at_ms=_milliseconds(row.ended_at),
        lineup=tuple(row.lineup),
        pinned=row.pinned,
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
