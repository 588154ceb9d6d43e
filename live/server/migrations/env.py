"""Alembic's way in: runs the steps on the connection that `live.server.schema` hands over."""

from alembic import context

from live.server.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=list(METADATA),
    compare_type=True,
    compare_server_default=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
