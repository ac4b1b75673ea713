"""Doubts whose an objection is, each on record; a deadline from before there were any counts for nothing (ADR 0026)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, empty: nobody has put a doubt on record yet."""
    op.create_table(
        "doubt",
        sa.Column("entry", _BIG, primary_key=True, autoincrement=False),
        sa.Column("objection", _BIG, nullable=False),
        sa.Column("stands", sa.Boolean, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("reminded", sa.SmallInteger, nullable=False),
    )
    op.create_index("doubt_objection", "doubt", ["objection"])
