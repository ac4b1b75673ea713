"""What a key of the API is for, and until when it holds."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add both: a key that was made before is the platform's, and does not expire."""
    op.add_column("api_key", sa.Column("scope", sa.Text, nullable=False, server_default="platform"))
    op.add_column("api_key", sa.Column("expires", _BIG))
