"""One connection to Redis on which this node hears its shows, and which notices when it is lost.

redis-py's own PubSub connects again in silence, and what was published meanwhile is lost with
nobody told. Here a lost connection ends the reading; after a new one every show is subscribed
again, and each listener is told `restored` when its subscription is confirmed. A connection that
is only half open is found out by pings.
"""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from chat.adapters import redis_keys
from chat.adapters.redis_client import TIMEOUT_S, connect_options
from chat.core import bus_messages
from chat.ports import Listener

log = structlog.get_logger()

PING_EVERY_S: Final = 3.0
"""How often the connection is asked whether it lives."""
SILENCE_S: Final = 8.0
"""A connection silent for so long, pings and all, is lost."""
RETRY_MIN_S: Final = 0.05
RETRY_MAX_S: Final = 2.0
"""Pauses between attempts grow from the one to the other, with jitter."""


@dataclass(eq=False, slots=True)
class _Subscription:
    listener: Listener
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Subscriber:
    """The subscriptions of this node; `run` must be running."""

    def __init__(self, redis_url: str) -> None:
        self._pool = ConnectionPool.from_url(redis_url, socket_timeout=None, **connect_options())
        self._connection: AbstractConnection | None = None
        self._subscriptions: dict[bytes, _Subscription] = {}
        self._expected: deque[tuple[bytes, bytes, _Subscription | None]] = deque()

    async def subscribe(self, show: str, listener: Listener) -> None:
        """Hear a show from when this returns, or from the listener's first `restored` on."""
        channel = redis_keys.events(show).encode()
        subscription = self._subscriptions[channel] = _Subscription(listener)
        await self._send(b"SSUBSCRIBE", channel)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await subscription.answered.wait()
        except TimeoutError:
            subscription.answered.set()

    async def unsubscribe(self, show: str, listener: Listener) -> None:
        """Stop hearing, unless another listener has taken the show over."""
        channel = redis_keys.events(show).encode()
        subscription = self._subscriptions.get(channel)
        if subscription is not None and subscription.listener is listener:
            del self._subscriptions[channel]
            await self._send(b"SUNSUBSCRIBE", channel)

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            since = loop.time()
            try:
                await connection.connect()  # type: ignore[no-untyped-call]
                await self._serve(connection)
            except* (RedisError, OSError, TimeoutError) as errors:
                failures = 1 if loop.time() - since > RETRY_MAX_S else failures + 1
                log.warning("the room's Redis is lost", errors=[str(e) for e in errors.exceptions])
            finally:
                self._connection = None
                self._expected.clear()
                await connection.disconnect(nowait=True)
            pause = min(RETRY_MAX_S, RETRY_MIN_S * 2 ** min(failures, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _serve(self, connection: AbstractConnection) -> None:
        self._connection = connection
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(connection))
            tasks.create_task(self._ping(connection))
            await self._send(b"SSUBSCRIBE", *self._subscriptions)

    async def _read(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as silence:
            while True:
                silence.reschedule(loop.time() + SILENCE_S)
                self._heard(await connection.read_response())

    async def _ping(self, connection: AbstractConnection) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if not connection.is_connected:
                return
            await connection.send_command("PING", check_health=False)

    async def _send(self, verb: bytes, *channels: bytes) -> None:
        """Send one command per channel: a shard's slots may not be mixed in one."""
        connection = self._connection
        if connection is None or not connection.is_connected or not channels:
            return
        self._expected.extend(
            (verb.lower(), channel, self._subscriptions.get(channel)) for channel in channels
        )
        packed = connection.pack_commands([(verb, channel) for channel in channels])
        try:
            await connection.send_packed_command(packed, check_health=False)
        except (RedisError, OSError):
            log.info("a subscription waits for Redis", channels=len(channels))

    def _heard(self, answer: Any) -> None:
        match answer:
            case [b"smessage", bytes() as channel, bytes() as message]:
                subscription = self._subscriptions.get(channel)
                heard = bus_messages.read(message)
                if subscription is not None and heard is not None:
                    subscription.listener.received(*heard)
            case [b"ssubscribe" | b"sunsubscribe" as verb, bytes() as channel, _]:
                self._confirmed(verb, channel)

    def _confirmed(self, verb: bytes, channel: bytes) -> None:
        expected = self._expected.popleft() if self._expected else None
        if expected is None or expected[:2] != (verb, channel):
            raise ConnectionError("Redis moved a subscription away")
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription is not expected[2]:
            return
        if subscription.answered.is_set():
            subscription.listener.restored()
        else:
            subscription.answered.set()
