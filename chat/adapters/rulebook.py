"""The rules of rooms in PostgreSQL. Each change is one transaction with its deed.

A change locks its row first, so that versions rise in the order of commits.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chat.adapters import moderation_tables as tables
from chat.core.deeds import REPORTS_OPEN, SANCTIONS_HELD, Deed, Noted, Report
from chat.core.moderation import Action, PinnedSaying, Rules, Sanction, SanctionKind, Settings
from chat.errors import TooManyError, UnknownError
from chat.ports import Rulebook


class SqlRulebook(Rulebook):
    """The rulebook of `chat.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rules(self, store: str, show: str, now_ms: int) -> Rules:
        """A show's switches, and the sanctions that hold."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_settings_of(show))).first()
            held = sa.select(tables.sanctions).where(_holding(store, now_ms))
            rows = (await connection.execute(held)).all()
        sanctions = {(each.account, each.kind): _sanction(each) for each in rows}
        return Rules(_settings(row) if row else Settings(), sanctions)

    async def moderators(self, store: str) -> frozenset[str]:
        """The accounts that moderate a store."""
        query = sa.select(tables.moderators.c.account).where(tables.moderators.c.store == store)
        async with self._engine.connect() as connection:
            return frozenset((await connection.scalars(query)).all())

    async def appoint(self, deed: Deed) -> bool:
        """`whom` moderates from now on; False: it did already."""
        row = {"store": deed.store, "account": deed.whom, "since": _moment(deed.at_ms)}
        adding = insert(tables.moderators).values(row).on_conflict_do_nothing()
        return await self._done(adding, deed)

    async def dismiss(self, deed: Deed) -> bool:
        """`whom` moderates no longer; False: it did not."""
        table = tables.moderators
        mine = (table.c.store == deed.store) & (table.c.account == deed.whom)
        return await self._done(sa.delete(table).where(mine), deed)

    async def sanction(
        self, deed: Deed, kind: SanctionKind, until_ms: int | None, key: str | None = None
    ) -> Sanction:
        """Sanction `whom`; the same again when it is there already. Raises `TooManyError`."""
        async with self._engine.begin() as connection:
            known = await _locked(connection, deed, kind)
            if known is not None and await _is_repeated(connection, deed, kind, key):
                return known
            if known is not None and not known.lifted and known.until_ms == until_ms:
                return known
            count = sa.select(sa.func.count()).select_from(tables.sanctions)
            held = await connection.scalar(count.where(_holding(deed.store, deed.at_ms)))
            if (known is None or not known.holds(deed.at_ms)) and (held or 0) >= SANCTIONS_HELD:
                raise TooManyError("Too many sanctions hold.", {"limit": SANCTIONS_HELD})
            assert deed.whom is not None
            version = 1 if known is None else known.version + 1
            sanction = Sanction(deed.whom, kind, until_ms, version)
            await _keep(connection, deed, sanction, key and f"{kind} {key}")
        return sanction

    async def lift(self, deed: Deed, kind: SanctionKind) -> Sanction | None:
        """Forgive `whom`, or who is forgiven already; None when there was nothing to forgive."""
        async with self._engine.begin() as connection:
            known = await _locked(connection, deed, kind)
            if known is None or known.lifted:
                return known
            lifted = Sanction(known.account, kind, None, known.version + 1, lifted=True)
            await _keep(connection, deed, lifted)
        return lifted

    async def switch(self, deed: Deed, change: Callable[[Settings], Settings]) -> Settings:
        """Change the show's switches under a lock; how they are then. Raises `UnknownError`."""
        assert deed.show is not None
        table = tables.settings
        async with self._engine.begin() as connection:
            first = insert(table).values(_settings_row(deed.show, Settings()))
            await connection.execute(first.on_conflict_do_nothing())
            row = (await connection.execute(_settings_of(deed.show).with_for_update())).one()
            if deed.message is not None and await _is_deleted(connection, deed):
                raise UnknownError("What was said is deleted.")
            before = _settings(row)
            after = change(before)
            if after == before:
                return before
            after = msgspec.structs.replace(after, version=before.version + 1)
            values = _settings_row(deed.show, after)
            await connection.execute(
                sa.update(table).where(table.c.show == deed.show).values(values)
            )
            await _note(connection, deed)
        return after

    async def note(self, deed: Deed) -> None:
        """Keep a deed that changes nothing here."""
        async with self._engine.begin() as connection:
            await _note(connection, deed)

    async def report(self, report: Report) -> Report | None:
        """Keep a report; None when this person reported this before. Raises `TooManyError`."""
        table = tables.reports
        row = msgspec.structs.asdict(report) | {"at": _moment(report.at_ms), "settled": False}
        del row["id"], row["at_ms"]
        waiting = (table.c.show == report.show) & (table.c.reporter == report.reporter)
        count = sa.select(sa.func.count()).select_from(table).where(waiting, ~table.c.settled)
        adding = insert(table).values(row).on_conflict_do_nothing().returning(table.c.id)
        async with self._engine.begin() as connection:
            await _alone(connection, f"report {report.show} {report.reporter}")
            if (await connection.scalar(count) or 0) >= REPORTS_OPEN:
                raise TooManyError("Too many reports wait.", {"limit": REPORTS_OPEN})
            number = await connection.scalar(adding)
        return None if number is None else msgspec.structs.replace(report, id=number)

    async def settle(self, deed: Deed, report: int) -> bool:
        """The show's report is dealt with; False when none waits by this id."""
        table = tables.reports
        this = (table.c.id == report) & (table.c.show == deed.show) & ~table.c.settled
        return await self._done(sa.update(table).where(this).values(settled=True), deed)

    async def reports(self, show: str, after: int, limit: int) -> Sequence[Report]:
        """Those that wait in a show and have a higher id, oldest first."""
        table = tables.reports
        waiting = (table.c.show == show) & (table.c.id > after) & ~table.c.settled
        query = sa.select(table).where(waiting).order_by(table.c.id).limit(limit)
        async with self._engine.connect() as connection:
            return [_report(row) for row in await connection.execute(query)]

    async def trail(self, store: str, before: int | None, limit: int) -> Sequence[Noted]:
        """What was done in a store's rooms before an id, newest first."""
        table = tables.deeds
        query = sa.select(table).where(table.c.store == store).order_by(table.c.id.desc())
        if before is not None:
            query = query.where(table.c.id < before)
        async with self._engine.connect() as connection:
            return [_noted(row) for row in await connection.execute(query.limit(limit))]

    async def _done(self, statement: sa.Executable, deed: Deed) -> bool:
        """Whether the statement changed a row; if so the deed is kept."""
        async with self._engine.begin() as connection:
            changed = (await connection.execute(statement)).rowcount > 0
            if changed:
                await _note(connection, deed)
        return changed


async def _alone(connection: AsyncConnection, what: str) -> None:
    """Until the transaction ends nobody else does this: there may be no row yet to lock."""
    key = sa.func.hashtextextended(f"chat {what}", 0)
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def _locked(connection: AsyncConnection, deed: Deed, kind: str) -> Sanction | None:
    table = tables.sanctions
    await _alone(connection, f"sanction {deed.store} {deed.whom} {kind}")
    this = (table.c.store == deed.store) & (table.c.account == deed.whom) & (table.c.kind == kind)
    row = (await connection.execute(sa.select(table).where(this))).first()
    return None if row is None else _sanction(row)


async def _is_deleted(connection: AsyncConnection, deed: Deed) -> bool:
    """Whether what the deed is about was deleted before."""
    table = tables.deeds
    deleting = (table.c.message == deed.message) & (table.c.show == deed.show)
    deleting &= table.c.what == Action.DELETE.value
    return bool(await connection.scalar(sa.select(sa.exists().where(deleting))))


async def _is_repeated(connection: AsyncConnection, deed: Deed, kind: str, key: str | None) -> bool:
    """Whether this person has asked for this before, by the same key."""
    if key is None:
        return False
    table = tables.deeds
    before = (table.c.store == deed.store) & (table.c.actor == deed.actor)
    before &= (table.c.key == f"{kind} {key}") & (table.c.whom == deed.whom)
    return (await connection.scalar(sa.select(table.c.id).where(before).limit(1))) is not None


async def _keep(
    connection: AsyncConnection, deed: Deed, sanction: Sanction, key: str | None = None
) -> None:
    values = {
        "store": deed.store,
        "account": sanction.account,
        "kind": sanction.kind,
        "until": None if sanction.until_ms is None else _moment(sanction.until_ms),
        "lifted": sanction.lifted,
        "version": sanction.version,
    }
    keys = ["store", "account", "kind"]
    adding = insert(tables.sanctions).values(values)
    await connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=values))
    await _note(connection, deed, key)


async def _note(connection: AsyncConnection, deed: Deed, key: str | None = None) -> None:
    row = msgspec.structs.asdict(deed) | {"at": _moment(deed.at_ms), "key": key}
    del row["at_ms"]
    await connection.execute(sa.insert(tables.deeds).values(row))


def _settings_of(show: str) -> sa.Select[Any]:
    return sa.select(tables.settings).where(tables.settings.c.show == show)


def _holding(store: str, now_ms: int) -> sa.ColumnElement[bool]:
    table = tables.sanctions
    lasting = table.c.until.is_(None) | (table.c.until > _moment(now_ms))
    return (table.c.store == store) & ~table.c.lifted & lasting


def _settings_row(show: str, settings: Settings) -> dict[str, Any]:
    return {
        "show": show,
        "slow_s": settings.slow_s,
        "buyers_only": settings.buyers_only,
        "followers_only": settings.followers_only,
        "links_allowed": settings.links_allowed,
        "frozen": settings.frozen,
        "pinned_saying": msgspec.to_builtins(settings.pinned_saying),
        "version": settings.version,
    }


def _settings(row: sa.Row[Any]) -> Settings:
    return Settings(
        slow_s=row.slow_s,
        buyers_only=row.buyers_only,
        followers_only=row.followers_only,
        links_allowed=row.links_allowed,
        frozen=row.frozen,
        pinned_saying=msgspec.convert(row.pinned_saying, PinnedSaying | None),
        version=row.version,
    )


def _sanction(row: sa.Row[Any]) -> Sanction:
    until_ms = None if row.until is None else _milliseconds(row.until)
    return Sanction(row.account, row.kind, until_ms, row.version, row.lifted)


def _report(row: sa.Row[Any]) -> Report:
    facts = {name: getattr(row, name) for name in Report.__struct_fields__ if name != "at_ms"}
    return Report(**facts, at_ms=_milliseconds(row.at))


def _noted(row: sa.Row[Any]) -> Noted:
    facts = {name: getattr(row, name) for name in Deed.__struct_fields__ if name != "at_ms"}
    return Noted(id=row.id, deed=Deed(**facts, at_ms=_milliseconds(row.at)))


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
