"""What it is time to ask a provider about: attempts to pay, and refunds, by their `ask_at`."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, func, select, text, update

from cart.adapters.database import Database
from cart.adapters.tables import among

ASK_AGAIN: Final = text(
    "least(interval '2 seconds' * power(2, least(asked, 10)), interval '5 min')"
)
"""How long until something is asked about again: twice as long each time, with a limit."""

AS_NEW: Final[dict[str, Any]] = {"asked": 0, "ask_at": func.clock_timestamp()}
"""What makes it due at once, and often at first."""


async def take_due(
    database: Database, table: Table, unsettled: ColumnElement[bool], limit: int
) -> Sequence[str]:
    """The ids of the longest due rows; each is given later next time, so a node that dies with
    them delays them only. Several nodes may take at once; none gets what another has.
    """
    due = (
        select(table.c.id)
        .where(unsettled, table.c.ask_at <= func.clock_timestamp())
        .order_by(table.c.ask_at)
        .limit(limit)
    )
    async with database.reading() as connection:
        if (await connection.execute(due.limit(1))).first() is None:
            return []
    later = func.clock_timestamp() + ASK_AGAIN
    async with database.writing() as connection:
        locked = due.with_for_update(key_share=True, skip_locked=True)
        ids = list((await connection.execute(locked)).scalars())
        change = update(table).where(among(table.c.id, ids))
        await connection.execute(change.values(asked=table.c.asked + 1, ask_at=later))
    return ids
