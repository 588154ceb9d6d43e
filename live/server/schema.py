"""The database's shape: every package's tables, and the steps that bring a database there."""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cart.adapters.schema import metadata as cart_metadata
from chat.adapters.archive_tables import metadata as archive_metadata
from chat.adapters.faq_tables import metadata as faq_metadata
from chat.adapters.moderation_tables import metadata as chat_metadata
from chat.adapters.question_tables import metadata as question_metadata
from live.accounts.adapters.tables import metadata as accounts_metadata
from live.discovery.adapters.tables import metadata as discovery_metadata
from live.server.errors import StartError
from live.show.adapters.tables import metadata as show_metadata

METADATA: Final[tuple[sa.MetaData, ...]] = (
    *(accounts_metadata, show_metadata, discovery_metadata),
    *(cart_metadata, chat_metadata, faq_metadata, question_metadata, archive_metadata),
)

MIGRATION_LOCK: Final = 0x6B6B6F74
"""The advisory lock that lets only one process migrate at a time ("kkot")."""

POOL_CONNECTIONS: Final = 20
OVERFLOW_CONNECTIONS: Final = 10
POOL_TIMEOUT_S: Final = 5
"""Who waits longer for a connection is answered 503."""


def make_engine(database_url: str) -> AsyncEngine:
    """The engine for a `postgresql://` or `postgres://` URL, on asyncpg."""
    _, _, rest = database_url.partition("://")
    return create_async_engine(
        f"postgresql+asyncpg://{rest}",
        pool_size=POOL_CONNECTIONS,
        max_overflow=OVERFLOW_CONNECTIONS,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=False,
    )


async def migrate(engine: AsyncEngine) -> None:
    """Take every step the database has not taken yet."""
    async with engine.begin() as connection:
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        await connection.run_sync(_upgrade)


async def demand_current(engine: AsyncEngine) -> None:
    """Raises `StartError` when the database has not taken every step, or steps we do not know."""
    async with engine.connect() as connection:
        found = await connection.run_sync(_revision)
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if found != newest:
        raise StartError(
            f"the database's schema is at {found or 'nothing'}, this server needs {newest}: "
            "run `kkot migrate` with the newest Kkot"
        )


def _config() -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: sa.Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
