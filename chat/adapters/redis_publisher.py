"""Commands to Redis in order: what queued while the last batch was in flight is the next batch.

One connection, one pipeline at a time, so that commands given one after another take effect one
after another however many callers there are. Nothing is repeated: after a failure it is not known
whether a command took effect, and its caller is told so.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat.adapters.redis_client import unavailable
from chat.errors import UnavailableError

BATCH_COMMANDS: Final = 512
"""The most commands in one pipeline."""
QUEUED_COMMANDS: Final = 10_000
"""More callers than this waiting are refused with `UnavailableError`."""

Word = str | bytes | int


@dataclass(frozen=True, slots=True)
class _Command:
    words: tuple[Word, ...]
    done: asyncio.Future[Any]


class Publisher:
    """The queue of commands; `run` must be running."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._queue: asyncio.Queue[_Command] = asyncio.Queue(QUEUED_COMMANDS)

    async def execute(self, *words: Word) -> Any:
        """Run one command after all given before it; its answer. Raises `UnavailableError`."""
        return await self.give(*words)

    def give(self, *words: Word) -> asyncio.Future[Any]:
        """What `execute` does, without waiting: the answer to come, or `UnavailableError`."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait(_Command(words, done))
        except asyncio.QueueFull:
            raise UnavailableError("too many commands are waiting for Redis") from None
        return done

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_COMMANDS and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._send(batch)
            finally:
                for command in batch:
                    _settle(command, UnavailableError("the room is closing"))

    async def _send(self, batch: list[_Command]) -> None:
        try:
            with unavailable():
                async with self._client.pipeline(transaction=False) as pipeline:
                    for command in batch:
                        pipeline.execute_command(*command.words)
                    answers: list[Any] = await pipeline.execute(raise_on_error=False)
        except UnavailableError as error:
            for command in batch:
                _settle(command, error)
        else:
            for command, answer in zip(batch, answers, strict=True):
                failed = isinstance(answer, RedisError)
                _settle(command, UnavailableError(str(answer)) if failed else answer)


def _settle(command: _Command, answer: Any) -> None:
    if command.done.done():
        return
    if isinstance(answer, UnavailableError):
        command.done.set_exception(UnavailableError(str(answer)))
    else:
        command.done.set_result(answer)
