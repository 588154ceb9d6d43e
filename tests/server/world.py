"""A server's application over real stores, without sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest_asyncio
from argon2 import PasswordHasher
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from live.accounts.accounts import Accounts
from live.accounts.adapters.limiter import RedisLimiter
from live.accounts.adapters.passwords import Argon2Passwords
from live.accounts.adapters.registry import SqlRegistry
from live.accounts.adapters.routes import operations as account_operations
from live.accounts.adapters.tokens import JwtTokens
from live.accounts.core.claims import Person
from live.relay.adapters.neighbours import Neighbours
from live.relay.adapters.routes import operations as relay_operations
from live.relay.relay import Relay
from live.server.app import Doors, build_app
from live.server.identity import Origins, Visitors
from live.server.schema import make_engine
from live.show.adapters.book import SqlBook
from live.show.adapters.directory import RedisDirectory
from live.show.adapters.routes import operations as show_operations
from live.show.ports import Event
from live.show.shows import Shows

BASE_URL = "http://kkot.test"
ORIGIN = {"Origin": BASE_URL}
SECRET = "a secret of the tests, thirty-two characters"
PASSWORD = "correct horse battery"


@dataclass
class Clock:
    """Seconds since the epoch, moved by tests."""

    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now_s


@dataclass
class World:
    """The application, and what stands in for the shop around accounts and shows."""

    client: httpx.AsyncClient
    accounts: Accounts
    shows: Shows
    directory: RedisDirectory
    engine: AsyncEngine
    redis: Redis
    owners: dict[str, str]
    shelves: dict[str, list[str]]
    told: list[Event]
    clock: Clock
    relay: Relay

    async def person(self, email: str = "flower@example.com") -> str:
        """Make an account; the client is not signed in. Returns its id."""
        session = await self.accounts.sign_up(email, PASSWORD, "꽃집", None)
        return session.account.id

    async def bearer(self, email: str = "flower@example.com") -> dict[str, str]:
        """The Authorization header of an existing account."""
        session = await self.accounts.sign_in(email, PASSWORD, "192.0.2.1")
        return {"Authorization": f"Bearer {session.access_token}"}


@pytest_asyncio.fixture
async def engine(migrated_url: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database."""
    engine = make_engine(migrated_url)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def world(engine: AsyncEngine, redis_url: str) -> AsyncIterator[World]:
    """Accounts and shows behind the real application."""
    owners: dict[str, str] = {}
    shelves: dict[str, list[str]] = {}
    told: list[Event] = []

    async def stores_of(account: str) -> list[str]:
        return [slug for slug, owner in owners.items() if owner == account]

    async def owner(slug: str) -> str | None:
        return owners.get(slug)

    async def products(slug: str) -> list[str]:
        return shelves.get(slug, [])

    async def tell(event: Event) -> None:
        told.append(event)

    def judge(name: str) -> str | None:
        return "banned_word" if "rotten" in name else None

    async def viewers(_show: str) -> int:
        return 7

    async with Redis.from_url(redis_url) as redis, httpx.AsyncClient() as http:
        cheap = Argon2Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))

        clock = Clock()
        registry, limiter = SqlRegistry(engine), RedisLimiter(redis)
        accounts = Accounts(registry, cheap, JwtTokens(SECRET), limiter, stores_of, judge, clock)
        directory = RedisDirectory(redis, BASE_URL)
        shows = Shows(SqlBook(engine), directory, tell, owner, products, clock)

        relay = Relay(on_stage=lambda _show, _on_air: None)

        def account_of(token: str) -> str | None:
            person = accounts.who(token)
            return person.id if person else None

        def vouch(person: str) -> str:
            return JwtTokens(SECRET).issue(Person(person, ""), int(clock()))

        async def ping() -> None:
            await redis.ping()

        app = build_app(
            [
                Doors(operations=account_operations(accounts)),
                Doors(operations=show_operations(shows, viewers=viewers, public_url=BASE_URL)),
                Doors(
                    operations=relay_operations(
                        relay,
                        demand_owner=shows.demand_owner,
                        elsewhere=directory.elsewhere,
                        ask_node=Neighbours(http, vouch).media,
                    )
                ),
            ],
            Visitors(account_of, Origins([]), secure=False),
            {"redis": ping, "postgres": check_postgres(engine)},
            version="0",
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            parts = (client, accounts, shows, directory, engine, redis)
            yield World(*parts, owners, shelves, told, clock, relay)


def check_postgres(engine: AsyncEngine) -> Callable[[], Awaitable[None]]:
    """A readiness check."""

    async def check() -> None:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    return check
