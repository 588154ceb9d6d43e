"""The steps lead to the tables the packages describe."""

import asyncio
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine

import live.server.migrations.versions
from live.server.errors import StartError
from live.server.schema import METADATA, demand_current, make_engine, migrate


async def test_the_steps_lead_to_the_tables(engine: AsyncEngine) -> None:
    together = sa.MetaData()
    for metadata in METADATA:
        for table in metadata.tables.values():
            table.to_metadata(together)

    def differences(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, together))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


DEFINITIONS = sa.text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
    " UNION SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " UNION SELECT table_name, column_name, data_type || coalesce(column_default, '')"
    " || is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
)
VERSIONS = Path(live.server.migrations.versions.__file__).parent


def steps() -> list[ModuleType]:
    """The steps' modules, first to last."""
    names = sorted(file.stem for file in VERSIONS.glob("[0-9]*.py"))
    return [importlib.import_module(f"live.server.migrations.versions.{name}") for name in names]


def definitions(connection: sa.Connection) -> set[Any]:
    """Every column, constraint and index, as PostgreSQL tells them."""
    return {tuple(row) for row in connection.execute(DEFINITIONS)}


async def test_the_steps_lead_there_and_back(database_url: str) -> None:
    def there_and_back(connection: sa.Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            for step in steps():
                step.upgrade()
            migrated = definitions(connection)
            for step in reversed(steps()):
                step.downgrade()
        assert definitions(connection) == set()
        for metadata in METADATA:
            metadata.create_all(connection)
        assert definitions(connection) == migrated

    engine = make_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(there_and_back)
    await engine.dispose()


async def test_an_old_schema_stops_the_start(database_url: str) -> None:
    engine = make_engine(database_url)
    with pytest.raises(StartError, match="kkot migrate"):
        await demand_current(engine)
    await asyncio.gather(migrate(engine), migrate(engine))
    await demand_current(engine)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartError, match="9999"):
        await demand_current(engine)
    await engine.dispose()
