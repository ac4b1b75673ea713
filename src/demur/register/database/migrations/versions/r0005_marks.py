"""The corpus says itself what it honours: the mark that said so beside the log goes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Remove it; nothing reads it any more."""
    state = sa.table("state", sa.column("name"))
    op.execute(sa.delete(state).where(state.c.name == "honoured"))
