"""The steps lead to the tables the packages describe."""

import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine

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
