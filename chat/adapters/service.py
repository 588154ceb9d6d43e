"""The room, put together: bus, presence and hub over one Redis, each owned by the next.

Closing goes from the viewers inwards: connections are closed with 4010, the crowds end, presence
forgets the node, the bus lets go of Redis.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chat.adapters.redis_bus import open_bus
from chat.adapters.redis_client import open_client
from chat.adapters.redis_presence import RedisPresence
from chat.adapters.redis_unarchived import RedisUnarchived
from chat.adapters.word_lists import read_words
from chat.archiving import Archivist
from chat.core.addressee import EVERYBODY
from chat.core.pending import Pending
from chat.core.presence import Attendance
from chat.hub import Hub, open_hub
from chat.ports import Archive, Customers, Describe, Identify, OriginAllowed, Unarchived


@dataclass(frozen=True, slots=True)
class Chat:
    """The rooms as the house uses them; made by `open_chat`."""

    hub: Hub
    origin_allowed: OriginAllowed
    pending: Pending
    unarchived: Unarchived

    def archivist(self, archive: Archive, retention_days: int) -> Archivist:
        """Who moves what is said here into the archive; to be run."""
        return Archivist(self.pending, self.unarchived, archive, retention_days)

    async def publish(
        self, show: str, event: Mapping[str, Any], to: str = EVERYBODY, key: str | None = None
    ) -> None:
        """Tell those in a show it is for, on every node; see `Hub.publish`."""
        await self.hub.publish(show, event, to, key)

    async def present(self, show: str) -> int:
        """How many watch the show, on all nodes together."""
        return await self.hub.present(show)

    async def attendance(self, show: str) -> Attendance:
        """How many watch on all nodes, did at most, and came; raises `UnavailableError`."""
        return await self.hub.attendance(show)


@asynccontextmanager
async def open_chat(
    redis_url: str,
    *,
    node: str,
    identify: Identify,
    describe: Describe,
    customers: Customers,
    origin_allowed: OriginAllowed,
    banned_words: str = "",
    retention_days: int = 30,
) -> AsyncIterator[Chat]:
    """The rooms of a node. Works without Redis too: then nothing is said until it is back.

    `node`: this process's name, unlike any other's on the same Redis.
    `retention_days`: what was said is not archived, pinned or told to newcomers for longer.
    Questions are kept with their answers; a room's numbered events go a week after the last one.
    `banned_words`: path of a file that adds to the words nobody may say; see `read_words`.
    """
    unwanted = read_words(banned_words)
    client = open_client(redis_url)
    try:
        async with (
            open_bus(redis_url, client, retention_days * 86_400) as bus,
            open_hub(
                bus, RedisPresence(client, node), identify, describe, customers, unwanted
            ) as hub,
        ):
            yield Chat(hub, origin_allowed, bus.pending, RedisUnarchived(client, node))
    finally:
        await client.aclose()
