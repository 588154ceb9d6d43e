"""Which node has a show's publisher: a Redis key per show that its node keeps alive.

The newest claim wins. A node that dies is forgotten after `LEASE_S`; when Redis has forgotten, the
next heartbeat tells it again. While Redis is away a node knows only its own publishers.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

LEASE_S: Final = 15
HEARTBEAT_S: Final = 5

RENEW: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""


class RedisDirectory:
    """The directory of `live.show.ports`. `node`: this node's public URL. `run` must be running.

    `on_lost(show)` hears that another node has the publisher of a show that was claimed here.
    """

    def __init__(
        self, redis: Redis, node: str, on_lost: Callable[[str], None] = lambda _show: None
    ) -> None:
        self._redis = redis
        self._node = node
        self._on_lost = on_lost
        self._renew = redis.register_script(RENEW)
        self._release = redis.register_script(RELEASE)
        self._held: set[str] = set()

    async def run(self) -> None:
        """Keep this node's claims alive until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for show in list(self._held):
                await self.renew(show)

    async def renew(self, show: str) -> None:
        """Keep one claim alive; give it up when another node has the publisher."""
        try:
            ours = await self._renew(keys=[_key(show)], args=[self._node, LEASE_S])
            if not ours and show in self._held:
                self._held.discard(show)
                self._on_lost(show)
        except (RedisError, OSError) as error:
            log.warning("publisher's place not renewed", show=show, error=repr(error))

    async def claim(self, show: str) -> None:
        """The publisher is on this node."""
        try:
            await self._redis.set(_key(show), self._node, ex=LEASE_S)
        except (RedisError, OSError) as error:
            log.warning("publisher's place not told", show=show, error=repr(error))
        self._held.add(show)

    async def release(self, show: str) -> None:
        """The publisher left this node."""
        self._held.discard(show)
        try:
            await self._release(keys=[_key(show)], args=[self._node])
        except (RedisError, OSError) as error:
            log.warning("publisher's leaving not told", show=show, error=repr(error))

    async def release_all(self) -> None:
        """This node goes."""
        for show in list(self._held):
            await self.release(show)

    async def origin(self, show: str) -> str | None:
        """The public URL of the node that has the publisher."""
        if show in self._held:
            return self._node
        try:
            holder = await self._redis.get(_key(show))
        except (RedisError, OSError) as error:
            log.warning("publisher's place unknown", show=show, error=repr(error))
            return None
        return holder.decode() if isinstance(holder, bytes) else holder

    async def elsewhere(self, show: str) -> str | None:
        """The public URL of another node that has the publisher, if one has."""
        origin = await self.origin(show)
        return None if origin == self._node else origin

    async def on_air(self, shows: Sequence[str]) -> set[str]:
        """Those of the shows that have a publisher somewhere."""
        asked = [show for show in shows if show not in self._held]
        found = {show for show in shows if show in self._held}
        if not asked:
            return found
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for show in asked:
                    pipeline.exists(_key(show))
                answers = await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("publishers' places unknown", error=repr(error))
            return found
        return found | {show for show, there in zip(asked, answers, strict=True) if there}


def _key(show: str) -> str:
    return f"kkot:{{{show}}}:origin"
