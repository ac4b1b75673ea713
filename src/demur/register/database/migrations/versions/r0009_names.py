"""The keyed spellings of people's names, what members are called, and what officers decided about finds of names."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them, empty, and leave a mark: what members and objections say is sealed, and is read when it is opened."""
    op.create_table(
        "kept_name",
        sa.Column("account", _BIG, primary_key=True, autoincrement=False),
        sa.Column("entry", _BIG, primary_key=True, autoincrement=False),
        sa.Column("objection", _BIG),
        sa.Column("binds", sa.Boolean, nullable=False),
        sa.Column("source", sa.LargeBinary),
        sa.Column("compiled", sa.LargeBinary),
        sa.Column("mark", _BIG),
    )
    op.create_index("kept_name_entry", "kept_name", ["entry"])
    op.create_index("kept_name_objection", "kept_name", ["objection"])
    op.create_table(
        "cleared",
        sa.Column("item", _BIG, primary_key=True, autoincrement=False),
        sa.Column("subject", _BIG, primary_key=True, autoincrement=False),
    )
    op.add_column("member", sa.Column("bears", sa.LargeBinary))
    connection = op.get_bind()
    used = sa.select(sa.exists().select_from(sa.table("entry")))
    if connection.scalar(used):
        mark = sa.table("state", sa.column("name", sa.Text), sa.column("value", sa.Text))
        connection.execute(sa.insert(mark).values(name="unread-names", value="1"))
