"""The revisions of the register's schema, run by Alembic."""
