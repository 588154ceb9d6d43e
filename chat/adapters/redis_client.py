"""Redis as the room asks it: nothing is tried twice behind our back, and nothing takes for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chat.errors import UnavailableError

TIMEOUT_S: Final = 2.0
"""The longest wait for a connection or an answer; then `UnavailableError`."""


def connect_options() -> dict[str, Any]:
    """What every connection of the room has in common."""
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": TIMEOUT_S,
    }


def open_client(redis_url: str) -> Redis:
    """A client for commands; the caller closes it."""
    return Redis.from_url(redis_url, socket_timeout=TIMEOUT_S, **connect_options())


@contextmanager
def unavailable() -> Iterator[None]:
    """Turn what Redis and its connections raise into `UnavailableError`."""
    try:
        yield
    except (TimeoutError, RedisError, OSError) as error:
        raise UnavailableError(str(error)) from error
