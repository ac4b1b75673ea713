"""The tables of what demur tells people and of who may come in: notices, letters, sessions, keys, attachments, staff.

Invariants: those of tables.py. People appear as subject keys; what names somebody stands in columns called `sealed`,
whose keys :meth:`Register.erase_details` destroys; a secret that opens something is kept as its SHA-256 alone. The
one name in the clear is the one that staff chose for themselves.
"""

from typing import Final

import sqlalchemy as sa

from demur.register.tables import BIG, metadata

campaign: Final = sa.Table(
    "campaign",
    metadata,
    sa.Column("number", BIG, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("started", BIG, nullable=False),  # microseconds since 1970-01-01, UTC, as every time here
    sa.Column("channels", sa.Text, nullable=False),  # JSON list of Channel
    sa.Column("people", BIG, nullable=False),
)

notice: Final = sa.Table(
    "notice",
    metadata,
    sa.Column("campaign", BIG, primary_key=True, autoincrement=False),
    sa.Column("channel", sa.Text, primary_key=True),  # a Channel
    sa.Column("subject", BIG, primary_key=True, autoincrement=False),  # one account of the person
    sa.Column("status", sa.Text, nullable=False),  # a NoticeStatus
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("due", BIG, nullable=False),  # not to be delivered before
    sa.Column("queued", BIG, nullable=False),
    sa.Column("sent", BIG),
    sa.Column("changed", BIG, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("digest", sa.LargeBinary),  # SHA-256 of the text that was sent
    sa.Column("message_id", sa.Text),  # random, without its brackets
    sa.Column("cause", sa.Text),  # why it came back: a code, never the reply
    sa.Index("notice_due", "channel", "status", "due"),
    sa.Index("notice_subject", "subject"),
    sa.Index("notice_message", "message_id"),
)

letter: Final = sa.Table(
    "letter",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("subject", BIG),  # whom it concerns, if that is known
    sa.Column("status", sa.Text, nullable=False),  # a NoticeStatus
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("due", BIG, nullable=False),
    sa.Column("queued", BIG, nullable=False),
    sa.Column("changed", BIG, nullable=False),
    sa.Column("cause", sa.Text),
    sa.Column("wrapped", sa.LargeBinary),  # the key of `sealed`; null once it was sent, failed or erased
    sa.Column("sealed", sa.LargeBinary),  # address, template, language, parameters
    sa.Index("letter_due", "status", "due"),
    sa.Index("letter_subject", "subject"),
)

session: Final = sa.Table(
    "session",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of the secret
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", BIG, nullable=False),  # a subject key, or a member of staff
    sa.Column("expires", BIG, nullable=False),
    sa.Index("session_subject", "subject"),
    sa.Index("session_expires", "expires"),
)

spent: Final = sa.Table(
    "spent",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # of a token
    sa.Column("expires", BIG, nullable=False),
    sa.Index("spent_expires", "expires"),
)

answered: Final = sa.Table(
    "answered",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),  # keyed digest of what the client called the request
    sa.Column("time", BIG, nullable=False),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the request's digest, and the answer
    sa.Index("answered_time", "time"),
)

api_key: Final = sa.Table(
    "api_key",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of the key
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created", BIG, nullable=False),
    sa.Column("revoked", BIG),
    sa.Index("api_key_name", "name"),
)

attachment: Final = sa.Table(
    "attachment",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("objection", BIG, nullable=False),
    sa.Column("account", BIG, nullable=False),  # whose key seals it
    sa.Column("size", BIG, nullable=False),  # bytes
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # name and media type
    sa.Index("attachment_objection", "objection"),
    sa.Index("attachment_account", "account"),
)

attachment_content: Final = sa.Table(
    "attachment_content",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

staff: Final = sa.Table(
    "staff",
    metadata,
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),  # a StaffRole
    sa.Column("invited", BIG, nullable=False),
    sa.Column("invite", sa.LargeBinary, unique=True),  # SHA-256 of the invitation; null once it was used
    sa.Column("invite_until", BIG, nullable=False),
    sa.Column("joined", BIG),
    sa.Column("removed", BIG),
)

passkey: Final = sa.Table(
    "passkey",
    metadata,
    sa.Column("credential", sa.LargeBinary, primary_key=True),
    sa.Column("staff", BIG, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", BIG, nullable=False),
    sa.Column("created", BIG, nullable=False),
    sa.Column("used", BIG),
    sa.Index("passkey_staff", "staff"),
)
