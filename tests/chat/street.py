"""A street of two nodes whose rooms are moderated: a real rulebook, a real archive."""

import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import create_async_engine

from chat.adapters import archive_tables
from chat.adapters.archive import SqlArchive
from chat.adapters.moderation_tables import metadata
from chat.adapters.rulebook import SqlRulebook
from chat.moderating import Moderating
from chat.ports import Room
from tests.chat.house import House, Node, open_node


class RuledHouse(House):
    """A house whose rules are in a rulebook."""

    def __init__(self, rulebook: SqlRulebook) -> None:
        super().__init__()
        self.rulebook = rulebook

    async def describe(self, show: str) -> Room | None:
        """As the rulebook has it; `dal` sells."""
        moderators = await self.rulebook.moderators("flowers")
        rules = await self.rulebook.rules("flowers", show, time.time_ns() // 1_000_000)
        room = await super().describe(show)
        if room is None:
            return None
        return Room("live", True, None, [], "id-dal", moderators, "flowers", rules)


@dataclass(frozen=True)
class Street:
    """Two nodes of one house, and who moderates on the first."""

    house: RuledHouse
    one: Node
    other: Node
    moderating: Moderating
    archive: SqlArchive
    withdrawn: list[str]
    """The sayings that are no questions any longer."""


@asynccontextmanager
async def open_street(redis_url: str, database_url: str) -> AsyncIterator[Street]:
    """A street where `haru` moderates."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(archive_tables.metadata.create_all)
    rulebook, archive = SqlRulebook(engine), SqlArchive(engine)
    house = RuledHouse(rulebook)

    async def owner_of(store: str) -> str | None:
        return "id-dal" if store == "flowers" else None

    async def open_shows(_store: str) -> list[str]:
        return ["spring"]

    withdrawn: list[str] = []

    async def withdraw(_actor: str, _show: str, saying: str) -> None:
        withdrawn.append(saying)

    async def names_of(accounts: Collection[str]) -> dict[str, str]:
        return {account: account.removeprefix("id-") for account in accounts if account != "x"}

    async with AsyncExitStack() as closing:
        closing.push_async_callback(engine.dispose)
        one = await closing.enter_async_context(open_node(redis_url, house, "one"))
        other = await closing.enter_async_context(open_node(redis_url, house, "other"))
        moderating = Moderating(
            *(one.chat.hub, rulebook, owner_of, open_shows, withdraw, archive, names_of)
        )
        await moderating.appoint("id-dal", "flowers", "id-haru", moderates=True)
        yield Street(house, one, other, moderating, archive, withdrawn)
