"""Sign-in attempts, counted in Redis for all nodes together, in windows of fifteen minutes.

Without Redis nobody is locked out: attempts go on uncounted, and a log line says so.
"""

import hashlib
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

WINDOW_S: Final = 15 * 60
ATTEMPTS_PER_EMAIL: Final = 20
ATTEMPTS_PER_ADDRESS: Final = 200

COUNT: Final = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {n, redis.call('TTL', KEYS[1])}
"""


class RedisLimiter:
    """The limiter of `live.accounts.ports`. Emails are not readable in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._count = redis.register_script(COUNT)

    async def attempt(self, email: str, address: str) -> int | None:
        """Count an attempt; None when it may go on, else the seconds to wait."""
        limits = ((_email_key(email), ATTEMPTS_PER_EMAIL), (_key(address), ATTEMPTS_PER_ADDRESS))
        try:
            for key, limit in limits:
                count, left_s = await self._count(keys=[key], args=[WINDOW_S])
                if count > limit:
                    return max(1, int(left_s))
        except (RedisError, OSError) as error:
            log.warning("sign-in attempts are not counted", error=repr(error))
        return None

    async def succeeded(self, email: str) -> None:
        """Forget the attempts for this email."""
        try:
            await self._redis.delete(_email_key(email))
        except (RedisError, OSError) as error:
            log.warning("sign-in attempts are not forgotten", error=repr(error))


def _email_key(email: str) -> str:
    return _key("email:" + hashlib.sha256(email.encode("utf-8", "replace")).hexdigest())


def _key(what: str) -> str:
    return f"kkot:sign-in:{what}"
