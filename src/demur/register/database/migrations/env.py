"""Alembic's entry point: migrates on the connection, and in the transaction, that schema.py has opened."""

from alembic import context

from demur.register.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, though Alembic assumes it can't: an interrupted revision leaves nothing
)
context.run_migrations()
