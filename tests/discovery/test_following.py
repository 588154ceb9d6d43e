"""Following a store, against a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from live.discovery.adapters.followers import SqlFollowers
from live.discovery.adapters.tables import metadata
from live.discovery.errors import RestlessError
from live.discovery.following import CHANGES, CHANGES_S, COUNT_KEPT_S, Following, Followings


class World:
    """Two stores, a clock, and what was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []
        self.away = False
        self.now = 0.0

    async def demand_store(self, slug: str) -> object:
        """There are two."""
        if slug not in {"flowers", "toys"}:
            raise LookupError(slug)
        return slug

    async def tell(self, store: str, account: str, follows: bool) -> None:
        """Remember it, or fail."""
        if self.away:
            raise OSError("the rooms are away")
        self.told.append((store, account, follows))


@pytest.fixture
def world() -> World:
    """A world."""
    return World()


@pytest_asyncio.fixture
async def followers(database_url: str) -> AsyncIterator[SqlFollowers]:
    """The table."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield SqlFollowers(engine)
    await engine.dispose()


@pytest.fixture
def followings(followers: SqlFollowers, world: World) -> Followings:
    """The use cases on it."""
    return Followings(followers, world.demand_store, world.tell, lambda: world.now)


async def test_a_store_is_followed_once_and_told_once(followings: Followings, world: World) -> None:
    assert await followings.look("flowers", None) == Following(False, 0)
    for _ in range(2):
        assert await followings.set("flowers", "bom", follows=True) == Following(True, 1)
    assert await followings.set("flowers", "dal", follows=True) == Following(True, 2)
    assert await followings.look("flowers", "bom") == Following(True, 2)
    assert await followings.look("flowers", None) == Following(False, 2)
    assert await followings.look("toys", "bom") == Following(False, 0)
    for _ in range(2):
        assert await followings.set("flowers", "bom", follows=False) == Following(False, 1)
    assert [told[1:] for told in world.told] == [("bom", True), ("dal", True), ("bom", False)]


async def test_many_who_follow_at_once_are_counted_once_each(
    followings: Followings, world: World
) -> None:
    persons = [f"{n % 30}" for n in range(60)]
    await asyncio.gather(*(followings.set("flowers", each, follows=True) for each in persons))
    world.now = COUNT_KEPT_S
    assert (await followings.look("flowers", None)).followers == 30
    assert len(world.told) == 30


async def test_a_count_is_kept_for_a_moment(
    followings: Followings, followers: SqlFollowers, world: World
) -> None:
    assert (await followings.look("flowers", None)).followers == 0
    await followers.add("flowers", "bom")
    assert (await followings.look("flowers", "bom")) == Following(True, 0)
    world.now = COUNT_KEPT_S
    assert (await followings.look("flowers", "bom")) == Following(True, 1)


async def test_what_cannot_be_told_is_kept_all_the_same(
    followings: Followings, world: World
) -> None:
    world.away = True
    assert await followings.set("flowers", "bom", follows=True) == Following(True, 1)
    assert (await followings.look("flowers", "bom")).follows


async def test_nobody_changes_its_mind_for_ever(followings: Followings, world: World) -> None:
    for number in range(CHANGES):
        await followings.set("flowers", "bom", follows=number % 2 == 0)
    with pytest.raises(RestlessError) as refused:
        await followings.set("flowers", "bom", follows=True)
    assert refused.value.facts == {"retry_after_s": CHANGES_S}
    assert len(world.told) == CHANGES
    assert (await followings.set("toys", "bom", follows=True)).follows
    assert (await followings.set("flowers", "dal", follows=True)).follows
    world.now = CHANGES_S
    assert (await followings.set("flowers", "bom", follows=True)).follows


async def test_only_stores_are_followed(followings: Followings, world: World) -> None:
    for act in (
        followings.look("none", "bom"),
        followings.set("none", "bom", follows=True),
    ):
        with pytest.raises(LookupError):
            await act
    assert world.told == []
