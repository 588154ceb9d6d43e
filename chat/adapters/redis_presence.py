"""Who watches, over all nodes: for each show a hash of node → count and when it was counted.

Times are Redis's own, so that nodes need not agree on the clock. Beside it the most viewers there
were and a HyperLogLog of who came, both for `KEPT_S` after the last beat.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_client import unavailable
from chat.core.presence import FRESH_MS, Attendance, Count, decode_count, gone, present
from chat.ports import Beat, Presence

KEPT_S: Final = 30 * 86_400
PEAK: Final = "viewers"

BEAT: Final = """\
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d:%.0f', ARGV[2], now_ms))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {now_ms, redis.call('HGETALL', KEYS[1])}
"""


class RedisPresence(Presence):
    """One node's view of everybody's counts. `node`: its name, unlike any other's."""

    def __init__(self, client: Redis, node: str) -> None:
        self._client = client
        self._node = node

    async def beat(self, beats: Mapping[str, Beat]) -> dict[str, int]:
        """Tell this node's beats by show; the totals of the same shows."""
        if not beats:
            return {}
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for show, beat in beats.items():
                    key = redis_keys.present(show)
                    pipeline.eval(BEAT, 1, key, self._node, str(beat.viewers), str(FRESH_MS))
                answers = await pipeline.execute()
        totals: dict[str, int] = {}
        for show, (now_ms, flat) in zip(beats, answers, strict=True):
            everybody = _counts(dict(zip(flat[::2], flat[1::2], strict=True)))
            totals[show] = present(everybody, now_ms)
            await self._remove(show, gone(everybody, now_ms))
        await self._keep(beats, totals)
        return totals

    async def leave(self, shows: Sequence[str]) -> None:
        """This node has no viewers there any more."""
        for show in shows:
            await self._remove(show, [self._node])

    async def attendance(self, show: str) -> Attendance:
        """How many watch a show, did at most, and came."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.hgetall(redis_keys.present(show))
                pipeline.zscore(redis_keys.peak(show), PEAK)
                pipeline.pfcount(redis_keys.visitors(show))
                (seconds, microseconds), kept, peak, visitors = await pipeline.execute()
        viewers = present(_counts(kept), seconds * 1000 + microseconds // 1000)
        return Attendance(viewers, max(viewers, int(peak or 0)), visitors)

    async def _keep(self, beats: Mapping[str, Beat], totals: Mapping[str, int]) -> None:
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                for show, beat in beats.items():
                    peak, visitors = redis_keys.peak(show), redis_keys.visitors(show)
                    pipeline.zadd(peak, {PEAK: totals[show]}, gt=True)
                    pipeline.expire(peak, KEPT_S)
                    pipeline.pfadd(visitors, *beat.arrived)
                    pipeline.expire(visitors, KEPT_S)
                await pipeline.execute()

    async def _remove(self, show: str, nodes: Sequence[str]) -> None:
        if nodes:
            with unavailable():
                await self._client.hdel(redis_keys.present(show), *nodes)


def _counts(kept: Mapping[Any, bytes]) -> dict[str, Count]:
    decoded = {node.decode(): decode_count(value) for node, value in kept.items()}
    return {node: count for node, count in decoded.items() if count is not None}
