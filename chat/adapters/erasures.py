"""Erasing a person from what PostgreSQL has of rooms: what was said, asked and reported.

`begin` makes sure that nothing more of it is archived and tells where traces are; they are found
by what `finish` takes away, so an erasure that failed between the two is whole when it is repeated.
"""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.adapters import archive_tables, moderation_tables
from chat.adapters.archive import LOCK, moment
from chat.adapters.question_tables import questions
from chat.core.moderation import Action
from chat.ports import Erasures, Trace, Traces

_AT_ONCE: Final = 5_000
"""So many sayings go in one transaction."""

_sayings, _erasures = archive_tables.sayings, archive_tables.erasures
_reports, _deeds = moderation_tables.reports, moderation_tables.deeds
_settings: Final = moderation_tables.settings

_GO: Final = sa.text(
    "DELETE FROM chat_sayings WHERE id IN"
    " (SELECT id FROM chat_sayings WHERE author = :account AND at <= :until LIMIT :limit)"
)


class SqlErasures(Erasures):
    """The erasures of `chat.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, account: str, until_ms: int, asked_by: str) -> Traces:
        """From now on nothing is archived that the account said until then."""
        row = {"until": moment(until_ms), "asked_by": asked_by}
        adding = insert(_erasures).values(account=account, sayings=0, **row)
        latest = sa.func.greatest(_erasures.c.until, adding.excluded.until)
        adding = adding.on_conflict_do_update(
            index_elements=["account"], set_={"until": latest, "asked_by": asked_by}
        )
        async with self._engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            await connection.execute(adding)
        async with self._engine.connect() as connection:
            shows = (await connection.scalars(_shows(account, until_ms))).all()
            pinned = (await connection.execute(_pinned(account))).all()
            asked = (await connection.execute(_asked(account, until_ms))).all()
            reported = (await connection.execute(_reported(account, until_ms))).all()
        return Traces(
            shows=frozenset(shows),
            stores=frozenset(store for _, _, store in asked),
            pinned=[Trace(show, saying) for show, saying in pinned],
            questions=[Trace(show, question) for show, question, _ in asked],
            reports=[Trace(show, str(report)) for show, report in reported],
        )

    async def finish(self, account: str, until_ms: int) -> int:
        """Take everything away that the account said until then; how many sayings it were."""
        until = moment(until_ms)
        gone = 0
        while True:
            async with self._engine.begin() as connection:
                window = {"account": account, "until": until, "limit": _AT_ONCE}
                count = (await connection.execute(_GO, window)).rowcount
                gone += count
                more = _erasures.c.sayings + count
                counting = sa.update(_erasures).where(_erasures.c.account == account)
                await connection.execute(counting.values(sayings=more))
                if count < _AT_ONCE:
                    for statement in _blanking(account, until):
                        await connection.execute(statement)
                    return gone


def _blanking(account: str, until: Any) -> list[sa.Update]:
    """What else has a text or a name of the person stays without it."""
    theirs = (_reports.c.author == account) & (_reports.c.at <= until)
    made = (_reports.c.reporter == account) & (_reports.c.at <= until)
    deleted = (_deeds.c.whom == account) & (_deeds.c.what == Action.DELETE.value)
    asked = (questions.c.asker == account) & (questions.c.asked_at <= until)
    theirs &= (_reports.c.text != "") | ~_reports.c.settled
    made &= _reports.c.reason != ""
    deleted &= _deeds.c.detail != ""
    return [
        sa.update(_reports).where(theirs).values(name="", text="", settled=True),
        sa.update(_reports).where(made).values(reason=""),
        sa.update(_deeds).where(deleted, _deeds.c.at <= until).values(detail=""),
        sa.update(questions).where(asked).values(asker="", name="", text=""),
    ]


def _shows(account: str, until_ms: int) -> sa.CompoundSelect[Any]:
    """Where something of the account may be remembered outside."""
    until = moment(until_ms)
    return sa.union(
        sa.select(_sayings.c.show).where(_sayings.c.author == account, _sayings.c.at <= until),
        sa.select(questions.c.show).where(
            questions.c.asker == account, questions.c.asked_at <= until
        ),
        sa.select(_reports.c.show).where(
            (_reports.c.author == account) | (_reports.c.reporter == account),
            _reports.c.at <= until,
        ),
    )


def _pinned(account: str) -> sa.Select[Any]:
    saying = _settings.c.pinned_saying
    theirs = saying["author"].astext == account
    return sa.select(_settings.c.show, saying["id"].astext).where(theirs)


def _asked(account: str, until_ms: int) -> sa.Select[Any]:
    return sa.select(questions.c.show, questions.c.id, questions.c.store).where(
        questions.c.asker == account, questions.c.asked_at <= moment(until_ms)
    )


def _reported(account: str, until_ms: int) -> sa.Select[Any]:
    return sa.select(_reports.c.show, _reports.c.id).where(
        _reports.c.author == account, _reports.c.at <= moment(until_ms), ~_reports.c.settled
    )
