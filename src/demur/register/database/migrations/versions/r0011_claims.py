"""Claims that a model repeats somebody's data."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add their table, empty."""
    op.create_table(
        "claim",
        sa.Column("seq", _BIG, primary_key=True, autoincrement=False),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("incarnation", _BIG, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("received", sa.Integer, nullable=False),
        sa.Column("lodged", _BIG, nullable=False),
        sa.Column("changed", _BIG, nullable=False),
        sa.Column("account", _BIG, nullable=False),
        sa.Column("run", sa.Text),
        sa.Column("tested", _BIG),
        sa.Column("answered", _BIG),
    )
    op.create_index("claim_phase", "claim", ["phase", "received"])
    op.create_index("claim_account", "claim", ["account"])
