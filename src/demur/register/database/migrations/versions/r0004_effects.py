"""What an entry changed, and a salt of its own for whom it concerns; entries on record stay in their first format."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns: null in every entry so far, which says that it has the first format."""
    op.add_column("entry", sa.Column("format", sa.SmallInteger))
    op.add_column("entry", sa.Column("subject_salt", sa.LargeBinary))
    op.add_column("entry", sa.Column("effect", sa.LargeBinary))
