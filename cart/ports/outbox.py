"""What has happened, on its way to the rooms."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from cart.core.event import Event

Publish = Callable[[str, Sequence[Event]], Awaitable[None]]
"""Tell the viewers of a store's shows; at least once, so receivers keep the newest version."""


@dataclass(slots=True)
class Taken:
    """The oldest (store, event); `told`: how many of the first have got through.

    An event's `key` is the same each time it is taken, and no other's.
    """

    events: Sequence[tuple[str, Event]]
    told: int = 0


class Outbox(Protocol):
    """Events written in the transactions that caused them."""

    def take(self, limit: int) -> AbstractAsyncContextManager[Taken]:
        """So many at most, nobody else taking any; those told are gone if the context ends well."""
