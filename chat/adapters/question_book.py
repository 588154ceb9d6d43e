"""The questions in PostgreSQL. Whether one is taken is decided under a lock of its show."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chat.adapters.archive import LOCK
from chat.adapters.archive_tables import erasures
from chat.adapters.question_tables import questions
from chat.core.questions import (
    ANSWERS_PER_PRODUCT,
    ANSWERS_PER_SHOW,
    ANSWERS_TOLD,
    REPEATED_S,
    Objection,
    Origin,
    Question,
    State,
    objection,
)
from chat.errors import UnavailableError
from chat.ports import Page, QuestionBook

_TABLE: Final = questions.c
_OPEN: Final = _TABLE.state == State.OPEN.value
_ANSWERED: Final = _TABLE.state.in_((State.ANSWERED_LIVE.value, State.ANSWERED_TEXT.value))
_IN_TEXT: Final = _TABLE.state == State.ANSWERED_TEXT.value
_LATEST: Final = (_TABLE.settled_at.desc(), _TABLE.number.desc())


class SqlQuestionBook(QuestionBook):
    """The question book of `chat.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, question: Question, origin: Origin, key: str) -> Question | Objection:
        """Keep a new question; one that was kept under this key lately; or why it is not kept.

        Raises `UnavailableError` where its asker was erased after asking.
        """
        key = key.replace("\0", "\ufffd")  # PostgreSQL has no text with a NUL in it
        async with self._engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(LOCK)))
            if await _is_erased(connection, question):
                raise UnavailableError("Its asker was erased meanwhile.")
            lock = sa.func.hashtextextended(f"chat questions {question.show}", 0)
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
            known = await _repeated(connection, question, key)
            if known is not None:
                return known
            reason = await _objection(connection, question, origin)
            if reason is not None:
                return reason
            await connection.execute(sa.insert(questions).values(_row(question) | {"key": key}))
        return question

    async def find(self, show: str, question: str) -> Question | None:
        """A show's question by its id."""
        query = sa.select(questions).where(_TABLE.id == question, _TABLE.show == show)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _question(row)

    async def change(
        self, question: str, change: Callable[[Question], Question | None]
    ) -> Question | None:
        """Change a question under a lock; how it is then, None where it cannot be changed."""
        this = _TABLE.id == question
        query = sa.select(questions).where(this).with_for_update()
        async with self._engine.begin() as connection:
            row = (await connection.execute(query)).first()
            before = None if row is None else _question(row)
            after = None if before is None else change(before)
            if after is not None and after != before:
                await connection.execute(sa.update(questions).where(this).values(_row(after)))
        return after

    async def waiting(self, show: str, after: int, limit: int) -> Page:
        """The show's open questions after a place, oldest first."""
        query = sa.select(questions).where(_TABLE.show == show, _OPEN, _TABLE.number > after)
        return await self._page(query.order_by(_TABLE.number), limit)

    async def answered_in(self, show: str, before: int | None, limit: int) -> Page:
        """The show's answered questions before a place, newest first."""
        query = sa.select(questions).where(_TABLE.show == show, _ANSWERED)
        return await self._page(_newest(query, before), limit)

    async def answered_about(self, product: str, before: int | None, limit: int) -> Page:
        """Those about a product that were answered in text, before a place, newest first."""
        query = sa.select(questions).where(_TABLE.product == product, _IN_TEXT)
        return await self._page(_newest(query, before), limit)

    async def told(self, show: str, products: Sequence[str]) -> list[Question]:
        """The last answers about each of the products, and in the show, newest first."""
        here = sa.select(questions).where(_TABLE.show == show, _ANSWERED).order_by(*_LATEST)
        async with self._engine.connect() as connection:
            rows = [*await connection.execute(_about_each(products))]
            rows += await connection.execute(here.limit(ANSWERS_PER_SHOW))
        rows.sort(key=lambda row: (row.settled_at, row.number), reverse=True)
        found = {row.id: _question(row) for row in rows}
        return [*found.values()][:ANSWERS_TOLD]

    async def _page(self, query: sa.Select[Any], limit: int) -> Page:
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.limit(limit + 1))).all()
        shown = rows[:limit]
        more = shown[-1].number if len(rows) > limit else None
        return Page([_question(row) for row in shown], more)


def _about_each(products: Sequence[str]) -> sa.Select[Any]:
    wanted = sa.func.unnest(sa.cast(list(products), ARRAY(sa.Text)))
    each = wanted.table_valued("product").render_derived()
    about = sa.select(questions).where(_TABLE.product == each.c.product, _IN_TEXT)
    last = about.order_by(*_LATEST).limit(ANSWERS_PER_PRODUCT).lateral()
    return sa.select(last).select_from(each.join(last, sa.true()))


def _newest(query: sa.Select[Any], before: int | None) -> sa.Select[Any]:
    query = query if before is None else query.where(_TABLE.number < before)
    return query.order_by(_TABLE.number.desc())


async def _is_erased(connection: AsyncConnection, question: Question) -> bool:
    this = erasures.c.account == question.asker
    this &= erasures.c.until >= _moment(question.asked_at_ms)
    return bool(await connection.scalar(sa.select(sa.exists().where(this))))


async def _repeated(connection: AsyncConnection, question: Question, key: str) -> Question | None:
    since = _moment(question.asked_at_ms) - timedelta(seconds=REPEATED_S)
    mine = (_TABLE.asker == question.asker) & (_TABLE.asked_at > since)
    query = sa.select(questions).where(mine, _TABLE.show == question.show, _TABLE.key == key)
    row = (await connection.execute(query)).first()
    return None if row is None else _question(row)


async def _objection(
    connection: AsyncConnection, question: Question, origin: Origin
) -> Objection | None:
    mine = _TABLE.asker == question.asker
    same = mine & (_TABLE.text == question.text)
    same &= _TABLE.product.is_not_distinct_from(question.product)
    of_person = mine & (_TABLE.handed_over == question.handed_over)
    count = sa.func.count()
    query = sa.select(count, count.filter(of_person), count.filter(same))
    query = query.where(_TABLE.show == question.show, _OPEN)
    in_show, of_person_count, alike = (await connection.execute(query)).one()
    if alike:
        return Objection.ASKED_ALREADY
    return objection(origin, in_show, of_person_count)


def _row(question: Question) -> dict[str, Any]:
    row = msgspec.structs.asdict(question)
    settled_at_ms = row.pop("settled_at_ms")
    row["settled_at"] = None if settled_at_ms is None else _moment(settled_at_ms)
    return row | {"asked_at": _moment(row.pop("asked_at_ms")), "state": question.state.value}


def _question(row: sa.Row[Any]) -> Question:
    kept = dict(row._mapping)
    settled_at = kept.pop("settled_at")
    kept["settled_at_ms"] = None if settled_at is None else _milliseconds(settled_at)
    kept |= {"asked_at_ms": _milliseconds(kept.pop("asked_at")), "state": State(row.state)}
    return Question(**{name: kept[name] for name in Question.__struct_fields__})


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
