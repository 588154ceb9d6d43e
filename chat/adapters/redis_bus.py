"""The bus between nodes, on Redis 7 or Valkey: sharded publish and subscribe, and a short past.

What is said is remembered and told by one script, hearts are added and told by another: both or
neither. The past of a show is short (`TALK_KEPT` sayings) and forgotten after `KEPT_S`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_client import unavailable
from chat.adapters.redis_publisher import Publisher
from chat.adapters.redis_subscriber import Subscriber
from chat.core.frames import Event, hearts, to_bus, unpack
from chat.core.room import TALK_SHOWN
from chat.ports import Bus, Listener, Past

TALK_KEPT: Final = 200
"""About how many sayings a show's stream keeps; older ones go."""
KEPT_S: Final = 7 * 86_400
"""How long a show's talk and hearts are kept after the last of them."""

SAY: Final = """\
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'said', string.sub(ARGV[1], 2))
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('SPUBLISH', KEYS[1], ARGV[1])
"""
CHEER: Final = """\
redis.call('INCRBY', KEYS[2], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return redis.call('SPUBLISH', KEYS[1], ARGV[1])
"""


class RedisBus(Bus):
    """The bus as `open_bus` makes it."""

    def __init__(self, client: Redis, publisher: Publisher, subscriber: Subscriber) -> None:
        self._client = client
        self._publisher = publisher
        self._subscriber = subscriber

    async def publish(self, show: str, event: Event) -> None:
        """Tell everybody."""
        await self._publisher.execute("SPUBLISH", redis_keys.events(show), to_bus(event))

    async def say(self, show: str, event: Event) -> None:
        """Tell everybody and remember it."""
        keys = (redis_keys.events(show), redis_keys.talk(show))
        await self._publisher.execute("EVAL", SAY, 2, *keys, to_bus(event), TALK_KEPT, KEPT_S)

    async def cheer(self, show: str, count: int) -> None:
        """Add hearts and tell everybody how many."""
        keys = (redis_keys.events(show), redis_keys.hearts(show))
        await self._publisher.execute("EVAL", CHEER, 2, *keys, to_bus(hearts(count)), count, KEPT_S)

    async def past(self, show: str) -> Past:
        """The last sayings and all hearts."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.xrevrange(redis_keys.talk(show), count=TALK_SHOWN)
                pipeline.get(redis_keys.hearts(show))
                entries: Any
                total: bytes | None
                entries, total = await pipeline.execute()
        talk = [unpack(fields[b"said"]) for _, fields in reversed(entries)]
        return Past(talk, int(total or 0))

    async def subscribe(self, show: str, listener: Listener) -> None:
        """Hear a show."""
        await self._subscriber.subscribe(show, listener)

    async def unsubscribe(self, show: str, listener: Listener) -> None:
        """Stop hearing it."""
        await self._subscriber.unsubscribe(show, listener)


@asynccontextmanager
async def open_bus(redis_url: str, client: Redis) -> AsyncIterator[RedisBus]:
    """A running bus. At the end commands still waiting fail and the connection is dropped."""
    publisher, subscriber = Publisher(client), Subscriber(redis_url)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(publisher.run(), name="publisher"),
            tasks.create_task(subscriber.run(), name="subscriber"),
        ]
        try:
            yield RedisBus(client, publisher, subscriber)
        finally:
            for task in running:
                task.cancel()
