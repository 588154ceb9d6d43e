"""The bus between nodes, on Redis 7 or Valkey: sharded publish and subscribe, and a short past.

What has to happen together is one script each (`redis_scripts`). The past of a show is short
(`LOG_EVENTS` numbered events, `TALK_KEPT` sayings) and forgotten after `KEPT_S`.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_client import unavailable
from chat.adapters.redis_publisher import Publisher
from chat.adapters.redis_scripts import CHEER, FORGET, NUMBER, SAY, TAIL
from chat.adapters.redis_subscriber import Subscriber
from chat.adapters.redis_unarchived import ENLIST, WAITING_SAYINGS
from chat.core import bus_messages
from chat.core.budget import IN_TICK, Part
from chat.core.frames import Event, unpack
from chat.core.log import LOG_EVENTS, Position, Tail
from chat.core.moderation import SLOW_MAX_S
from chat.core.pending import Pending
from chat.core.talk import TALK_SHOWN, WHISPERS_KEPT, Past
from chat.ports import Bus, Listener, Pace, TooSoon, Verdict

TALK_KEPT: Final = 200
"""About how many sayings a show's stream keeps; older ones go."""
KEPT_S: Final = 7 * 86_400
"""How long a show's events and hearts are kept after the last of them, and each saying."""
KEYS_KEPT_S: Final = 300
"""How long it is remembered what has been done once."""
FORGOTTEN_AT_ONCE: Final = 200
"""So many sayings are forgotten by one script: the store does nothing else meanwhile."""
TICK_US: Final = 200_000


class RedisBus(Bus):
    """The bus as `open_bus` makes it."""

    def __init__(
        self, client: Redis, publisher: Publisher, subscriber: Subscriber, talk_kept_s: int
    ) -> None:
        self._client = client
        self._publisher = publisher
        self._subscriber = subscriber
        self._talk_kept_s = talk_kept_s
        self.pending = Pending()
        """Where something was said here and may wait for the archive."""

    async def publish(self, show: str, packed: bytes, to: str, key: str | None) -> None:
        """Number an event, remember it and tell it, once for a key."""
        keys = (
            redis_keys.sequence(show),
            redis_keys.log(show),
            redis_keys.events(show),
            redis_keys.once(show, f"event:{key}"),
        )
        told = bus_messages.body(packed, to)
        remember_s = 0 if key is None else KEYS_KEPT_S
        await self._publisher.execute(
            *("EVAL", NUMBER, len(keys), *keys),
            *(_epoch(), KEPT_S, told, LOG_EVENTS, remember_s),
        )

    async def tail(self, show: str, since: Position) -> Tail:
        """The end of a show's sequence, and the events after a place or all that are kept."""
        keys = (redis_keys.sequence(show), redis_keys.log(show))
        place = (since.epoch, str(since.offset))
        with unavailable():
            answer: Any = await self._client.eval(
                TAIL, len(keys), *keys, _epoch(), str(KEPT_S), *place
            )
        epoch, offset, entries = answer
        events = [
            bus_messages.from_body(fields[1], int(entry.partition(b"-")[0]))
            for entry, fields in entries
        ]
        return Tail(Position(epoch.decode(), offset), events)

    async def say(
        self, show: str, event: Event, key: str, part: Part, pace: Pace | None = None
    ) -> Verdict | TooSoon:
        """Tell it and remember it, as slow mode and the room's budget allow, once for a key."""
        person, slow_s = ("", 0) if pace is None else (pace.person, pace.slow_s)
        keys = (
            redis_keys.events(show),
            redis_keys.whispers(show) if event.to else redis_keys.talk(show),
            redis_keys.budget(show),
            redis_keys.once(show, f"said:{key}"),
            redis_keys.unarchived(show),
            redis_keys.unarchived_lost(show),
            redis_keys.spoke(show, person),
        )
        kept = WHISPERS_KEPT if event.to else TALK_KEPT
        self._enlist(show)
        try:
            verdict, until_ms = await self._publisher.execute(
                *("EVAL", SAY, len(keys), *keys),
                *(bus_messages.said(event.packed, event.to), kept, self._talk_kept_s),
                *(0 if event.to else part.value, TICK_US, KEYS_KEPT_S, WAITING_SAYINGS),
                *(slow_s * 1_000, SLOW_MAX_S if person else 0),
                *(IN_TICK[each] for each in Part),
            )
        finally:
            self.pending.note(show)
        return TooSoon(until_ms) if verdict == b"slow" else Verdict(verdict.decode())

    async def too_soon(self, show: str, key: str, pace: Pace) -> TooSoon | None:
        """Whether slow mode would not let it be said now."""
        if not pace.slow_s:
            return None
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.exists(redis_keys.once(show, f"said:{key}"))
                pipeline.get(redis_keys.spoke(show, pace.person))
                pipeline.time()
                done, spoke_ms, (seconds, microseconds) = await pipeline.execute()
        until_ms = int(spoke_ms or 0) + pace.slow_s * 1_000
        waits = seconds * 1_000 + microseconds // 1_000 < until_ms
        return TooSoon(until_ms) if waits and not done else None

    def _enlist(self, show: str) -> None:
        """What is said next is found by an archivist, whatever becomes of this node."""
        now = time.monotonic()
        if not self.pending.enlists(show, now):
            return

        def answered(answer: asyncio.Future[Any]) -> None:
            if answer.exception() is None:
                self.pending.enlisted(show, now)

        answer = self._publisher.give("EVAL", ENLIST, 1, redis_keys.TO_ARCHIVE, show)
        answer.add_done_callback(answered)

    async def cheer(self, show: str, count: int) -> None:
        """Add hearts and tell everybody how many."""
        keys = (redis_keys.events(show), redis_keys.hearts(show))
        message = bus_messages.hearts(count)
        await self._publisher.execute("EVAL", CHEER, len(keys), *keys, message, count, KEPT_S)

    async def find(self, show: str, saying: str) -> dict[str, Any] | None:
        """A saying that is remembered."""
        found = await self._kept(show, saying)
        return None if found is None else found[1]

    async def erase(self, show: str, saying: str) -> None:
        """Forget a saying."""
        found = await self._kept(show, saying)
        if found is not None:
            with unavailable():
                await self._client.xdel(redis_keys.talk(show), found[0])

    async def _kept(self, show: str, saying: str) -> tuple[bytes, dict[str, Any]] | None:
        with unavailable():
            entries: Any = await self._client.xrevrange(redis_keys.talk(show))
        for entry, fields in entries:
            said = unpack(fields[b"said"])
            if said["id"] == saying:
                return entry, said
        return None

    async def said_by(self, show: str, account: str, until_ms: int) -> Sequence[str]:
        """The ids of what an account said until then and is remembered."""
        with unavailable():
            entries: Any = await self._client.xrange(redis_keys.talk(show))
            whispers: Any = await self._client.xrange(redis_keys.whispers(show))
        said = [unpack(fields[b"said"]) for _, fields in entries]
        said += [unpack(bus_messages.whispered(kept[b"said"]).packed) for _, kept in whispers]
        return [
            each["id"]
            for each in said
            if each["from"]["id"] == account and each["at_ms"] <= until_ms
        ]

    async def forget(self, show: str, account: str, sayings: Sequence[str]) -> bool:
        """Forget these and what tells of them; whether nodes have to do so too."""
        keys = (
            redis_keys.talk(show),
            redis_keys.log(show),
            redis_keys.whispers(show),
            redis_keys.answered(show),
            redis_keys.outdated(show, account),
        )
        outdated = 0
        with unavailable():
            for start in range(0, max(1, len(sayings)), FORGOTTEN_AT_ONCE):
                some = sayings[start : start + FORGOTTEN_AT_ONCE]
                words = (str(KEPT_S), account, *some)
                outdated = int(await self._client.eval(FORGET, len(keys), *keys, *words))
        return bool(outdated)

    async def forgotten(self, show: str, account: str) -> None:
        """Nodes were told to forget."""
        with unavailable():
            await self._client.delete(redis_keys.outdated(show, account))

    async def talking(self) -> Sequence[str]:
        """The shows where something was said in the last seconds."""
        with unavailable():
            shows: Any = await self._client.zrange(redis_keys.TO_ARCHIVE, 0, -1)
        return [show.decode() for show in shows]

    async def past(self, show: str) -> Past:
        """The last sayings and all hearts."""
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.xrevrange(redis_keys.talk(show), count=TALK_SHOWN)
                pipeline.get(redis_keys.hearts(show))
                pipeline.xrevrange(redis_keys.whispers(show), count=WHISPERS_KEPT)
                entries: Any
                whispers: Any
                total: bytes | None
                entries, total, whispers = await pipeline.execute()
        talk = [unpack(fields[b"said"]) for _, fields in reversed(entries)]
        own = [bus_messages.whispered(fields[b"said"]) for _, fields in reversed(whispers)]
        return Past(talk, int(total or 0), own)

    async def subscribe(self, show: str, listener: Listener) -> None:
        """Hear a show."""
        await self._subscriber.subscribe(show, listener)

    async def unsubscribe(self, show: str, listener: Listener) -> None:
        """Stop hearing it."""
        await self._subscriber.unsubscribe(show, listener)


def _epoch() -> str:
    """The name of an epoch that may begin now."""
    return secrets.token_hex(bus_messages.EPOCH_CHARS // 2)


@asynccontextmanager
async def open_bus(
    redis_url: str, client: Redis, talk_kept_s: int = KEPT_S
) -> AsyncIterator[RedisBus]:
    """A running bus. At the end commands still waiting fail and the connection is dropped.

    `talk_kept_s`: how long a saying is kept at most, if less than `KEPT_S`.
    """
    publisher, subscriber = Publisher(client), Subscriber(redis_url)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(publisher.run(), name="publisher"),
            tasks.create_task(subscriber.run(), name="subscriber"),
        ]
        try:
            yield RedisBus(client, publisher, subscriber, min(talk_kept_s, KEPT_S))
        finally:
            for task in running:
                task.cancel()
