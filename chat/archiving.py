"""The archivist of a node: what was said is moved from Redis into the archive, behind the talk.

What is said waits in Redis, written there by the step that tells it; nobody waits for the archive.
Sayings are taken away only after they were archived, and one that is archived twice is there once:
so whichever node is killed when, each is there exactly once as long as Redis still has it. While
the archive is away they go on waiting, as many as Redis keeps; what it drops is counted.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from chat.core.archive import oldest_ms, shares
from chat.core.pending import Pending
from chat.ports import Archive, Taken, Unarchived

log = structlog.get_logger()

ROUND_S: Final = 0.3
"""How long what is said is gathered before it is archived."""
PAUSE_S: Final = 0.05
"""Between batches other work of the loop comes first: a backlog of thousands is no hurry."""
ORPHANS_EVERY_S: Final = 2.0
SWEEP_EVERY_S: Final = 600.0
SWEPT_AT_ONCE: Final = 2_000
RETRY_S: Final = 1.0


@dataclass(slots=True)
class Tally:
    """What became of sayings since the node began; so many that were taken here wait now."""

    archived: int = 0
    lost: int = 0
    swept: int = 0
    waiting: int = 0


class Archivist:
    """Moves sayings, and forgets those older than `retention_days`. `run` must be running."""

    def __init__(
        self, pending: Pending, unarchived: Unarchived, archive: Archive, retention_days: int
    ) -> None:
        self.tally = Tally()
        self._pending = pending
        self._unarchived = unarchived
        self._archive = archive
        self._retention_days = retention_days
        self._waiting: dict[str, int] = {}

    async def run(self) -> None:
        """Archive until cancelled; what waits then is archived by another node, or later."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_repeat(self.archive_said, ROUND_S))
            tasks.create_task(_repeat(self.archive_orphans, ORPHANS_EVERY_S))
            tasks.create_task(_repeat(self.sweep, SWEEP_EVERY_S))

    async def archive_said(self) -> None:
        """Archive what was said on this node, until nothing is left or others are at it."""
        shows = self._pending.take(time.monotonic())
        try:
            while shows:
                more = await self._archive_some(shows)
                self._pending.note(*(show for show, left in more.items() if left is None))
                shows = [show for show, left in more.items() if left]
        except BaseException:
            self._pending.note(*shows)
            raise

    async def archive_orphans(self) -> None:
        """Archive what another node, or this one before it started, has left behind."""
        orphans = await self._unarchived.orphans()
        left = await self._archive_some([orphan.show for orphan in orphans])
        self._pending.note(*(show for show, count in left.items() if count))
        await self._unarchived.delist([each for each in orphans if left[each.show] == 0])

    async def sweep(self) -> None:
        """Forget what is older than anything is kept, some at a time."""
        before_ms = oldest_ms(time.time_ns() // 1_000_000, self._retention_days)
        swept = SWEPT_AT_ONCE
        while swept == SWEPT_AT_ONCE:
            swept = await self._archive.sweep(before_ms, SWEPT_AT_ONCE)
            self.tally.swept += swept

    async def _archive_some(self, shows: Sequence[str]) -> dict[str, int | None]:
        """How many are left in each show; None where another node is at it."""
        left: dict[str, int | None] = {}
        for share in shares(shows):
            taken = await self._unarchived.take(share)
            mine = [each for each in taken if each is not None]
            for show in share.shows:
                self._wait(show, 0)
            self._count_waiting(mine)
            await self._archive.keep([saying for each in mine for saying in each.sayings])
            await self._unarchived.archived(mine)
            left |= dict.fromkeys(share.shows) | {each.show: each.left for each in mine}
            self._count_archived(mine)
            await asyncio.sleep(PAUSE_S)
        return left

    def _count_waiting(self, taken: Sequence[Taken]) -> None:
        for each in taken:
            self.tally.lost += each.lost
            self._wait(each.show, len(each.sayings) + each.left)

    def _count_archived(self, taken: Sequence[Taken]) -> None:
        for each in taken:
            self.tally.archived += len(each.sayings)
            self._wait(each.show, each.left)

    def _wait(self, show: str, count: int) -> None:
        self.tally.waiting += count - self._waiting.pop(show, 0)
        if count:
            self._waiting[show] = count


async def _repeat(step: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - the archive catches up when a store is back
            log.warning("the archive waits", error=repr(error))
            await asyncio.sleep(RETRY_S)
        else:
            await asyncio.sleep(every_s)
