"""What shows need from the world around them, and what they tell it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from live.show.core.stage import Show, Stage

StoreOwner = Callable[[str], Awaitable[str | None]]
"""Store slug → the owner's account id; None: no such store."""

StoreProducts = Callable[[str], Awaitable[list[str]]]
"""Store slug → the ids of its products."""

Viewers = Callable[[str], Awaitable[int]]
"""Show id → how many watch it now, on all nodes."""


@dataclass(frozen=True, slots=True)
class WentOnAir:
    """The publisher's media flows."""

    show: Show


@dataclass(frozen=True, slots=True)
class WentOffAir:
    """The publisher is away."""

    show: Show


@dataclass(frozen=True, slots=True)
class Pinned:
    """Another product is pinned, or none."""

    show: Show


@dataclass(frozen=True, slots=True)
class Arranged:
    """The line-up changed; `added` products were not carried before."""

    show: Show
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The seller ended the show."""

    show: Show


Event = WentOnAir | WentOffAir | Pinned | Arranged | Ended

Tell = Callable[[Event], Awaitable[None]]
"""Who must know of events; must not raise for a lost store, snapshots heal what is missed."""

Change = Callable[[Show], Show]
"""From the show as it is to the show as it shall be; raises to refuse."""


class Book(Protocol):
    """The shows, kept durably."""

    async def add(self, show: Show) -> None:
        """Keep a new show."""

    async def find(self, show: str) -> Show | None:
        """The show with this id."""

    async def listed(self, stage: Stage | None) -> Sequence[Show]:
        """Shows for everybody to see: live first, then by start, the newest ended last."""

    async def unended(self, store: str) -> Sequence[Show]:
        """A store's shows that are scheduled or live."""

    async def change(self, show: str, change: Change) -> tuple[Show, Show] | None:
        """Change a show under a lock; the show before and after, None when there is none."""

    async def keep_key(self, show: str, digest: bytes) -> None:
        """Keep the digest of the show's publish key instead of any older one."""

    async def key(self, show: str) -> bytes | None:
        """The digest of the show's publish key."""


class Directory(Protocol):
    """Which node has a show's publisher; may forget everything without harm."""

    async def claim(self, show: str) -> None:
        """The publisher is on this node."""

    async def release(self, show: str) -> None:
        """The publisher left this node."""

    async def origin(self, show: str) -> str | None:
        """The public URL of the node that has the publisher."""

    async def on_air(self, shows: Sequence[str]) -> set[str]:
        """Those of the shows that have a publisher somewhere."""
