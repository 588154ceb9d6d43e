"""The migration makes exactly the tables that cart works with, and takes them away again."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from cart.adapters.tables import metadata

FILE = Path(__file__).parents[3] / "live/server/migrations/versions/0002_cart.py"

DEFINITIONS = text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace"
    " UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " UNION SELECT table_name, column_name, data_type || coalesce(column_default, '')"
    " || is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
)


def migration() -> ModuleType:
    """The migration's module."""
    spec = importlib.util.spec_from_file_location("cart_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def definitions(connection: Connection) -> set[Any]:
    """Every column, constraint and index, as PostgreSQL tells them."""
    return {tuple(row) for row in connection.execute(DEFINITIONS)}


def check(connection: Connection) -> None:
    """Migrate there and back, and compare with the metadata."""
    module = migration()
    context = MigrationContext.configure(connection)
    with Operations.context(context):
        module.upgrade()
        migrated = definitions(connection)
        assert compare_metadata(context, metadata) == []
        module.downgrade()
    assert definitions(connection) == set()
    metadata.create_all(connection)
    assert definitions(connection) == migrated


async def test_migration_and_metadata_agree(database_url: str) -> None:
    url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(check)
    await engine.dispose()
    assert (migration().revision, migration().down_revision) == ("0002", "0001")
