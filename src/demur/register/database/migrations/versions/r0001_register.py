"""The first register: entries, accounts and links, objections, members, progress marks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, _BIG, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Create every table."""
    _entries()
    _people()
    _objections()
    _members()
    op.create_table("state", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))


def _entries() -> None:
    op.create_table(
        "entry",
        _key("seq"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("binding", sa.Boolean, nullable=False),
        sa.Column("time", _BIG, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.Column("detail_digest", sa.LargeBinary),
        sa.Column("subjects", sa.LargeBinary),
    )
    op.create_index("entry_kind", "entry", ["kind", "seq"])
    op.create_index("entry_binding", "entry", ["binding", "seq"])
    op.create_table(
        "detail",
        _key("seq"),
        sa.Column("account", _BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("detail_account", "detail", ["account"])


def _people() -> None:
    op.create_table(
        "account",
        _key("key"),
        sa.Column("person", _BIG, nullable=False),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_index("account_person", "account", ["person"])
    op.create_table("link", _key("low"), _key("high"), sa.Column("active", sa.Boolean, nullable=False))
    op.create_index("link_high", "link", ["high"])


def _objections() -> None:
    op.create_table(
        "objection",
        _key("seq"),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("received", sa.Integer),
        sa.Column("lodged", _BIG, nullable=False),
        sa.Column("confirm_by", _BIG),
        sa.Column("changed", _BIG, nullable=False),
    )
    op.create_index("objection_due", "objection", ["phase", "confirm_by"])
    op.create_table("objected", _key("objection"), _key("account"))
    op.create_index("objected_account", "objected", ["account"])


def _members() -> None:
    op.create_table(
        "member",
        _key("key"),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("birth_year", sa.SmallInteger, nullable=False),
        sa.Column("told_on", sa.Integer, nullable=False),
        sa.Column("imported_consent", sa.Boolean),
        sa.Column("recorded_consent", sa.Boolean),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
    )
