"""The history of the database's shape, told to Alembic."""
