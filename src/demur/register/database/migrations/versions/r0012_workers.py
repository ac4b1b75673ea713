"""Several workers: who is at work, and which of them has a notice or a mail in hand."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add their table, empty: what is in hand without one is given back by the next worker."""
    op.create_table(
        "worker",
        sa.Column("number", _BIG, primary_key=True, autoincrement=False),
        sa.Column("beat", _BIG, nullable=False),
    )
    op.add_column("notice", sa.Column("worker", _BIG))
    op.add_column("letter", sa.Column("worker", _BIG))
