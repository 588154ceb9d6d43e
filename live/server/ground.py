"""What every package stands on: the stores, the engine, the Redis client, the secret, our name."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import ifaddr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from live.server.schema import demand_current, make_engine, migrate
from live.server.secret import keep_secret
from live.server.settings import Settings
from live.server.stores import open_stores

EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground of one node. `node`: its name for this run; `public_url`: where it is found."""

    settings: Settings
    redis_url: str
    engine: AsyncEngine
    redis: Redis
    secret: str
    node: str
    public_url: str


@asynccontextmanager
async def open_ground(settings: Settings, *, tls: bool = False) -> AsyncIterator[Ground]:
    """Stores up and current. Embedded PostgreSQL is migrated; the operator's own must be already.

    Raises `StoreError` and `StartError`.
    """
    async with AsyncExitStack() as closing:
        stores = await closing.enter_async_context(open_stores(settings))
        engine = make_engine(stores.database_url)
        closing.push_async_callback(engine.dispose)
        if settings.database_url:
            await demand_current(engine)
        else:
            await migrate(engine)
        redis = Redis.from_url(stores.redis_url, socket_timeout=5, socket_connect_timeout=2)
        closing.push_async_callback(redis.aclose)
        yield Ground(
            settings=settings,
            redis_url=stores.redis_url,
            engine=engine,
            redis=redis,
            secret=keep_secret(settings.data_dir, settings.secret),
            node=secrets.token_urlsafe(6),
            public_url=public_url(settings, tls=tls),
        )


def public_url(settings: Settings, *, tls: bool) -> str:
    """Where the outside reaches this node: as set, else by the address it listens on."""
    if settings.public_url:
        return settings.public_url
    host = settings.http_host
    if host in EVERY_ADDRESS:
        host = _own_address()
    if ":" in host:
        host = f"[{host}]"
    return f"{'https' if tls else 'http'}://{host}:{settings.http_port}"


def _own_address() -> str:
    for adapter in ifaddr.get_adapters():
        for address in adapter.ips:
            if isinstance(address.ip, str) and not address.ip.startswith("127."):
                return address.ip
    return "127.0.0.1"
