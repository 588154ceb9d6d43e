"""What the stand-in knows, in a file, so that it forgets nothing when killed."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]


class Memory:
    """Things by kind and name; each act is one transaction of one thread."""

    def __init__(self, file: Path) -> None:
        self._rows = sqlite3.connect(file, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = wal")
        self._rows.execute("PRAGMA synchronous = off")  # a killed process loses nothing by it
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS things"
            " (number INTEGER PRIMARY KEY, kind TEXT, name TEXT, said BLOB, UNIQUE (kind, name))"
        )

    def keep(self, kind: str, name: str, said: Any) -> None:
        """Keep a thing, new or as it is now."""
        self._rows.execute(
            "INSERT INTO things (kind, name, said) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, name) DO UPDATE SET said = excluded.said",
            (kind, name, msgspec.json.encode(said)),
        )

    def find(self, kind: str, name: str) -> Any:
        """The thing, or None."""
        row = self._rows.execute(
            "SELECT said FROM things WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return None if row is None else msgspec.json.decode(row[0])

    def all(self, kind: str) -> list[Any]:
        """All things of a kind, oldest first."""
        rows = self._rows.execute(
            "SELECT said FROM things WHERE kind = ? ORDER BY number", (kind,)
        ).fetchall()
        return [msgspec.json.decode(row[0]) for row in rows]

    def forget(self, kind: str, name: str) -> None:
        """Forget a thing."""
        self._rows.execute("DELETE FROM things WHERE kind = ? AND name = ?", (kind, name))

    def count(self, kind: str) -> int:
        """How many things of a kind there are."""
        query = "SELECT count(*) FROM things WHERE kind = ?"
        return int(self._rows.execute(query, (kind,)).fetchone()[0])

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is kept inside is kept together, or none of it."""
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._rows.execute("ROLLBACK")
            raise
        self._rows.execute("COMMIT")

    def once(self, key: str, act: Callable[[], tuple[int, Json]]) -> tuple[int, Json]:
        """Act once for a key; the same answer again afterwards."""
        with self.together():
            kept = self.find("answer", key) if key else None
            if kept is not None:
                return kept[0], kept[1]
            answer = act()
            if key:
                self.keep("answer", key, answer)
            return answer
