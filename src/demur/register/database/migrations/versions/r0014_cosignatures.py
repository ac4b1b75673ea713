"""A place for cosignatures of checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "cosignature",
        sa.Column("origin", sa.Text, primary_key=True),
        sa.Column("size", _BIG, primary_key=True, autoincrement=False),
        sa.Column("witness", sa.Text, primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
    )
