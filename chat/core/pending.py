"""In which shows something was said on this node that may not be archived yet.

A show is enlisted in the store before anything is said in it, and again every `ENLIST_EVERY_S`, so
that another node finds what this one leaves behind when it dies. Enlisted longer than
`ORPHAN_AFTER_S` ago, a show is either silent or left behind.
"""

from collections.abc import Sequence
from typing import Final

ENLIST_EVERY_S: Final = 2.0
ORPHAN_AFTER_S: Final = 8
"""Longer than `ENLIST_EVERY_S` and any command's wait: a saying is there before this is over."""


class Pending:
    """Times are seconds of a steady clock."""

    def __init__(self) -> None:
        self._shows: dict[str, None] = {}
        self._enlisted: dict[str, float] = {}

    def enlists(self, show: str, now: float) -> bool:
        """Whether the show is to be enlisted before something is said."""
        enlisted = self._enlisted.get(show)
        return enlisted is None or now - enlisted >= ENLIST_EVERY_S

    def enlisted(self, show: str, since: float) -> None:
        """It was, when or after it was to be."""
        self._enlisted[show] = since

    def note(self, *shows: str) -> None:
        """Something may wait there."""
        self._shows.update(dict.fromkeys(shows))

    def take(self, now: float) -> Sequence[str]:
        """All shows noted since the last time; those silent for long need no memory."""
        shows, self._shows = self._shows, {}
        self._enlisted = {
            show: enlisted
            for show, enlisted in self._enlisted.items()
            if now - enlisted < ENLIST_EVERY_S
        }
        return [*shows]
