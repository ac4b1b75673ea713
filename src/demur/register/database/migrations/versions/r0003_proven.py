"""Which links prove that two accounts are one person's; of those that are on record nothing is known yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; members' links are proven by their next import, others by `demur link`."""
    op.add_column("link", sa.Column("proven", sa.Boolean, nullable=False, server_default=sa.false()))
