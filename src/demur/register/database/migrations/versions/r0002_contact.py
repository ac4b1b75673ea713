"""Notices and letters, sessions and keys, attachments and staff; the day on which a notice reached a member."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NEVER = 2**31 - 1


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, _BIG, primary_key=True, autoincrement=False)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _bytes(name: str, *, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=null)


def _digest(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=True)


def upgrade() -> None:
    """Create the tables and the column."""
    noticed = sa.Column("noticed_on", sa.Integer, nullable=False, server_default=str(_NEVER))
    op.add_column("member", noticed)
    _notices()
    _letters()
    _visits()
    _keys_and_attachments()
    _staff()


def _notices() -> None:
    op.create_table(
        "campaign",
        _key("number"),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        _number("started"),
        _text("channels"),
        _number("people"),
    )
    op.create_table(
        "notice",
        _key("campaign"),
        sa.Column("channel", sa.Text, primary_key=True),
        _key("subject"),
        _text("status"),
        sa.Column("attempt", sa.Integer, nullable=False),
        *(_number("due"), _number("queued"), _number("sent", null=True), _number("changed")),
        _text("language", null=True),
        _bytes("digest", null=True),
        _text("message_id", null=True),
        _text("cause", null=True),
    )
    op.create_index("notice_due", "notice", ["channel", "status", "due"])
    op.create_index("notice_subject", "notice", ["subject"])
    op.create_index("notice_message", "notice", ["message_id"])


def _letters() -> None:
    op.create_table(
        "letter",
        _key("id"),
        _number("subject", null=True),
        _text("status"),
        sa.Column("attempt", sa.Integer, nullable=False),
        *(_number("due"), _number("queued"), _number("changed")),
        _text("cause", null=True),
        _bytes("wrapped", null=True),
        _bytes("sealed", null=True),
    )
    op.create_index("letter_due", "letter", ["status", "due"])
    op.create_index("letter_subject", "letter", ["subject"])


def _visits() -> None:
    op.create_table("session", _digest("digest"), _text("kind"), _number("subject"), _number("expires"))
    op.create_index("session_subject", "session", ["subject"])
    op.create_index("session_expires", "session", ["expires"])
    op.create_table("spent", _digest("digest"), _number("expires"))
    op.create_index("spent_expires", "spent", ["expires"])
    op.create_table("answered", _digest("key"), _number("time"), _bytes("wrapped"), _bytes("sealed"))
    op.create_index("answered_time", "answered", ["time"])


def _keys_and_attachments() -> None:
    op.create_table("api_key", _digest("digest"), _text("name"), _number("created"), _number("revoked", null=True))
    op.create_index("api_key_name", "api_key", ["name"])
    numbers = (_number("objection"), _number("account"), _number("size"))
    op.create_table("attachment", _key("id"), *numbers, _bytes("sealed"))
    op.create_index("attachment_objection", "attachment", ["objection"])
    op.create_index("attachment_account", "attachment", ["account"])
    op.create_table("attachment_content", _key("id"), _bytes("sealed"))


def _staff() -> None:
    op.create_table(
        "staff",
        *(_key("id"), _text("name"), _text("role"), _number("invited")),
        sa.Column("invite", sa.LargeBinary, unique=True),
        *(_number("invite_until"), _number("joined", null=True), _number("removed", null=True)),
    )
    op.create_table(
        "passkey",
        *(_digest("credential"), _number("staff"), _bytes("public_key"), _number("sign_count")),
        *(_number("created"), _number("used", null=True)),
    )
    op.create_index("passkey_staff", "passkey", ["staff"])
