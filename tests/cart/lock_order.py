"""Hears every statement of an engine, and tells who locks rows in another order than all others."""

import re
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

ORDER: Final = (
    *("orders", "payments", "products", "holds", "auctions", "coupons"),
    *("point_earnings", "point_wallets"),
)
"""Whose rows are locked first, and whose then; a table that was locked before may be again."""

_LOCK: Final = re.compile(r"\bFOR (?:NO KEY )?UPDATE(?: OF (\w+))?( SKIP LOCKED)?")
_INSIDE: Final = re.compile(r"\([^()]*\)")
_FROM: Final = re.compile(r"\bFROM (\w+)")
_WRITE: Final = re.compile(r"\bUPDATE (\w+) SET\b")


def locked_by(statement: str) -> list[tuple[str, bool]]:
    """The tables of which a statement locks rows, and whether it waits for them."""
    tables = [(table, True) for table in _WRITE.findall(statement)]
    outside = statement
    while outside != (outside := _INSIDE.sub("", outside)):
        pass
    lock, source = _LOCK.search(outside), _FROM.search(outside)
    if lock is not None and source is not None:
        tables.append((lock[1] or source[1], lock[2] is None))
    return [(table, waits) for table, waits in tables if table in ORDER]


class LockOrder:
    """`faults`: what was out of order; `seen`: the tables that were locked at all."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self._held: dict[int, list[str]] = {}
        event.listen(engine.sync_engine, "before_cursor_execute", self._hear)
        event.listen(engine.sync_engine, "begin", self._begin)

    def _hear(self, connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        held = self._held[id(connection.connection.dbapi_connection)]
        for table, waits in locked_by(statement):
            later = [one for one in held if ORDER.index(one) > ORDER.index(table)]
            if waits and later and table not in held:
                self.faults.append(f"{table} after {', '.join(later)}: {statement}")
            held.append(table)
            self.seen.add(table)

    def _begin(self, connection: Any) -> None:
        self._held[id(connection.connection.dbapi_connection)] = []
