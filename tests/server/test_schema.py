"""The steps lead to the tables the packages describe."""

import asyncio
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine

import live.server.migrations.versions
from live.server.errors import StartError
from live.server.schema import METADATA, _config, demand_current, make_engine, migrate

BEFORE_SKUS: Final = (
    "INSERT INTO stores VALUES ('s', 'ann', 'S', '', 'KRW')",
    "INSERT INTO products (id, store, title, description, price_minor, currency, on_hand, free,"
    " held, sold, version) VALUES ('p', 's', 'P', '', 900, 'KRW', 3, 2, 1, 0, 1)",
    "INSERT INTO orders VALUES ('o', 's', 'bo', 'k', 'd', 'placed', 900, 'KRW', 'b', 'c', 'd',"
    " now(), now())",
    "INSERT INTO order_lines VALUES ('o', 0, 'p', 'P', 1, 900)",
    "INSERT INTO holds (id, buyer, idempotency_key, product, title, quantity, price_minor,"
    " currency, order_id, state, expires_at)"
    " VALUES ('h', 'bo', 'k', 'p', 'P', 1, 900, 'KRW', 'o', 'ordered', now())",
)


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


def through_the_skus(connection: sa.Connection) -> list[Any]:
    """A shop of before there were SKUs, brought here and back again: its pieces each time."""
    config = _config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0013")
    for statement in BEFORE_SKUS:
        connection.execute(sa.text(statement))
    before = connection.execute(sa.text("SELECT * FROM products")).mappings().all()
    command.upgrade(config, "head")
    skus = connection.execute(sa.text("SELECT id, product, price_minor, free, held FROM skus"))
    pieces = [tuple(row) for row in skus]
    for table in ("holds", "order_lines"):
        told = connection.execute(sa.text(f"SELECT sku, options FROM {table}"))
        pieces += [tuple(row) for row in told]
    command.downgrade(config, "0013")
    after = connection.execute(sa.text("SELECT * FROM products")).mappings().all()
    return [*pieces, [dict(row) for row in before] == [dict(row) for row in after]]


async def test_units_of_before_there_were_skus_are_kept(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        pieces = await connection.run_sync(through_the_skus)
    assert pieces == [("p", "p", 900, 2, 1), ("p", []), ("p", []), True]


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
