"""What the assistant answered lately, in Redis; forgotten a day after the last answer."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_client import unavailable
from chat.core.assistant.facts import Answered
from chat.ports import AnswerMemory

ANSWERS_KEPT: Final = 50
KEPT_S: Final = 86_400


class RedisAnswers(AnswerMemory):
    """The memory in Redis."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def claim(self, show: str, what: str, seconds: int) -> bool:
        """Whether nobody has claimed this in the last so many seconds; it is claimed now."""
        with unavailable():
            key = redis_keys.claimed(show, what)
            return bool(await self._client.set(key, b"", nx=True, ex=seconds))

    async def note(self, show: str, answered: Answered) -> None:
        """Remember an answer; the oldest make room."""
        key = redis_keys.answered(show)
        with unavailable():
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.lpush(key, msgspec.msgpack.encode(answered))
                pipeline.ltrim(key, 0, ANSWERS_KEPT - 1)
                pipeline.expire(key, KEPT_S)
                await pipeline.execute()

    async def lately(self, show: str) -> Sequence[Answered]:
        """The last answers, newest first."""
        with unavailable():
            kept: Any = await self._client.lrange(redis_keys.answered(show), 0, -1)
        return [msgspec.msgpack.decode(one, type=Answered) for one in kept]
