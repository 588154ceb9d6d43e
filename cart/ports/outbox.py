"""What has happened, on its way to the rooms."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cart.core.event import Event

Publish = Callable[[str, Sequence[Event]], Awaitable[None]]
"""Tell the viewers of a store's shows; at least once, so receivers keep the newest version."""


class Outbox(Protocol):
    """Events written in the transactions that caused them."""

    def take(self, limit: int) -> AbstractAsyncContextManager[Sequence[tuple[str, Event]]]:
        """The oldest (store, event), nobody else taking any; gone if the context ends well.

        An event's `key` is the same each time it is taken, and no other's.
        """
