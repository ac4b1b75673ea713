"""The register's tables, the same on SQLite and PostgreSQL.

Invariants: `entry` is only ever appended to; every other table is what the entries came to, and changes in the
transaction that appends the entry; accounts appear as subject keys, and what names a person stands only in columns
called `sealed`. The migrations create these tables (a test compares the two).
"""

from typing import Final

import sqlalchemy as sa

from demur.kernel.facts import NEVER

BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""int64; on SQLite only the word INTEGER makes a key the row's address."""

metadata: Final = sa.MetaData()

entry: Final = sa.Table(
    "entry",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("binding", sa.Boolean, nullable=False),
    sa.Column("time", BIG, nullable=False),  # microseconds since 1970-01-01, UTC
    sa.Column("payload", sa.Text, nullable=False),  # canonical JSON
    sa.Column("salt", sa.LargeBinary, nullable=False),  # 32 random bytes; none once an erasure destroyed them
    sa.Column("commitment", sa.LargeBinary, nullable=False),  # 32 bytes, see entries.py
    sa.Column("detail_digest", sa.LargeBinary),  # SHA-256 of the sealed detail, so that it can be erased
    sa.Column("subjects", sa.LargeBinary),  # little-endian int64; behind the rest, as it may be megabytes
    sa.Column("format", sa.SmallInteger),  # null: the first one, which has none of the columns behind
    sa.Column("subject_salt", sa.LargeBinary),  # 32 random bytes, of `subjects` and `effect`; none as `salt`
    sa.Column("effect", sa.LargeBinary),  # what it changed, see effects.py; may be megabytes, too
    sa.Index("entry_kind", "kind", "seq"),
    sa.Index("entry_binding", "binding", "seq"),
)

detail: Final = sa.Table(
    "detail",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),
    sa.Column("account", BIG, nullable=False),  # whose key seals it
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index("detail_account", "account"),
)

account: Final = sa.Table(
    "account",
    metadata,
    sa.Column("key", BIG, primary_key=True, autoincrement=False),
    sa.Column("person", BIG, nullable=False),  # the smallest key among the linked accounts
    sa.Column("wrapped", sa.LargeBinary),  # the account's key; null once erased
    sa.Column("sealed", sa.LargeBinary),  # the canonical identifier
    sa.Index("account_person", "person"),
)

link: Final = sa.Table(
    "link",
    metadata,
    sa.Column("low", BIG, primary_key=True, autoincrement=False),
    sa.Column("high", BIG, primary_key=True, autoincrement=False),
    sa.Column("active", sa.Boolean, nullable=False),  # false: unlinked by a decision, which imports respect
    sa.Column("proven", sa.Boolean, nullable=False, server_default=sa.false()),  # whether it shows, not only covers
    sa.Index("link_high", "high"),
)

objection: Final = sa.Table(
    "objection",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),  # of the entry that lodged it
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),  # lodged or confirmed: it binds
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("received", sa.Integer),  # days since 1970-01-01
    sa.Column("lodged", BIG, nullable=False),
    sa.Column("confirm_by", BIG),
    sa.Column("changed", BIG, nullable=False),
    sa.Index("objection_due", "phase", "confirm_by"),
)

objected: Final = sa.Table(
    "objected",
    metadata,
    sa.Column("objection", BIG, primary_key=True, autoincrement=False),
    sa.Column("account", BIG, primary_key=True, autoincrement=False),
    sa.Index("objected_account", "account"),
)

member: Final = sa.Table(
    "member",
    metadata,
    sa.Column("key", BIG, primary_key=True, autoincrement=False),
    sa.Column("region", sa.Text, nullable=False),  # '' if unknown
    sa.Column("birth_year", sa.SmallInteger, nullable=False),  # 0 if unknown
    sa.Column("told_on", sa.Integer, nullable=False),  # days since 1970-01-01, or NEVER; as imported
    sa.Column("imported_consent", sa.Boolean),  # what the last import said
    sa.Column("recorded_consent", sa.Boolean),  # what a consent entry said since; goes first
    sa.Column("digest", sa.LargeBinary),  # keyed, 16 bytes, of the last imported row; null if none
    sa.Column("wrapped", sa.LargeBinary),  # the key of `sealed`; null once erased
    sa.Column("sealed", sa.LargeBinary),  # names, locale, mail
    sa.Column("noticed_on", sa.Integer, nullable=False, server_default=str(NEVER)),  # the day of demur's own notice
)

state: Final = sa.Table(
    "state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
