"""What officers look for among objections, beside the sealed words: whether a child is spoken for, and the like."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; of what was said before, nothing is known but by opening it."""
    op.add_column("detail", sa.Column("child", sa.Boolean))
    op.add_column("detail", sa.Column("written", sa.Boolean))
    op.add_column("detail", sa.Column("warning", sa.Text))
    op.add_column("detail", sa.Column("contact", sa.BigInteger().with_variant(sa.Integer(), "sqlite")))
    op.create_index("detail_contact", "detail", ["contact"])
    op.create_index("objection_channel", "objection", ["phase", "channel"])
