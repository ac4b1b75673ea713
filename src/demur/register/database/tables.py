"""The register's tables: entries and what they came to, what people are told, who may come in; on either database.

Invariants: `entry`, `tile`, `checkpoint` and `cosignature` are only ever appended to; every other table is what the
entries came to, and changes in the transaction that appends the entry. Accounts appear as subject keys. What names a
person stands only in columns called `sealed`, whose keys an erasure destroys; the one name in the clear is the one that
staff chose for themselves. A secret that opens something is kept as its SHA-256 alone. The migrations create these
tables (a test compares the two).
"""

from typing import Final

import sqlalchemy as sa

from demur.kernel.rules import NEVER

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

tile: Final = sa.Table(
    "tile",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("n", BIG, primary_key=True, autoincrement=False),  # full ones alone: see tree.py
    sa.Column("root", sa.LargeBinary, nullable=False),  # 32 bytes, the hash above; before the rest, as it is read alone
    sa.Column("hashes", sa.LargeBinary, nullable=False),  # 256 times 32 bytes
)

checkpoint: Final = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("size", BIG, primary_key=True, autoincrement=False),  # how many entries it is of
    sa.Column("note", sa.Text, nullable=False),  # as it was signed, to the byte
)

cosignature: Final = sa.Table(
    "cosignature",
    metadata,
    sa.Column("origin", sa.Text, primary_key=True),  # the log's name, as a size of one of before may come again
    sa.Column("size", BIG, primary_key=True, autoincrement=False),  # of the checkpoint
    sa.Column("witness", sa.Text, primary_key=True),  # its key, as it is handed out
    sa.Column("line", sa.Text, nullable=False),  # as it was signed, with its line feed
)

detail: Final = sa.Table(
    "detail",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),
    sa.Column("account", BIG, nullable=False),  # whose key seals it
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("child", sa.Boolean),  # this and what follows: see lodging.py; null where it was sealed before they were
    sa.Column("written", sa.Boolean),
    sa.Column("warning", sa.Text),
    sa.Column("contact", BIG),  # a subject key
    sa.Index("detail_account", "account"),
    sa.Index("detail_contact", "contact"),
)

account: Final = sa.Table(
    "account",
    metadata,
    sa.Column("key", BIG, primary_key=True, autoincrement=False),
    sa.Column("person", BIG, nullable=False),  # the smallest key among the linked accounts
    sa.Column("wrapped", sa.LargeBinary),  # the account's key; null once erased
    sa.Column("sealed", sa.LargeBinary),  # the canonical identifier
    # the smallest key among those that are proven to be one person's
    sa.Column("holder", BIG, nullable=False, server_default="0"),
    sa.Index("account_person", "person"),
    sa.Index("account_holder", "holder"),
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
    sa.Column("confirm_by", BIG),  # counts beside a doubt that stands, and else for nothing
    sa.Column("changed", BIG, nullable=False),
    sa.Index("objection_due", "phase", "confirm_by"),
    sa.Index("objection_channel", "phase", "channel"),
)

objected: Final = sa.Table(
    "objected",
    metadata,
    sa.Column("objection", BIG, primary_key=True, autoincrement=False),
    sa.Column("account", BIG, primary_key=True, autoincrement=False),
    sa.Index("objected_account", "account"),
)

doubt: Final = sa.Table(
    "doubt",
    metadata,
    sa.Column("entry", BIG, primary_key=True, autoincrement=False),  # that recorded it; its detail says why
    sa.Column("objection", BIG, nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),  # false: nobody could be asked, or the objection was revived
    sa.Column("days", sa.Integer, nullable=False),  # that its holder has to answer
    sa.Column("reminded", sa.SmallInteger, nullable=False),  # reminders that were put into the outgoing mail
    sa.Index("doubt_objection", "objection"),
)

claim: Final = sa.Table(
    "claim",
    metadata,
    sa.Column("seq", BIG, primary_key=True, autoincrement=False),  # of the entry that lodged it, whose detail holds it
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("incarnation", BIG, nullable=False),  # in which it was lodged: a link of an earlier one is another's
    sa.Column("phase", sa.Text, nullable=False),  # a ClaimPhase
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("received", sa.Integer, nullable=False),  # days since 1970-01-01
    sa.Column("lodged", BIG, nullable=False),
    sa.Column("changed", BIG, nullable=False),
    sa.Column("account", BIG, nullable=False),  # whose key seals it
    sa.Column("run", sa.Text),  # that is said to have answered; null where they don't know
    sa.Column("tested", BIG),  # the entry of the last test
    sa.Column("answered", BIG),  # the entry of the answer; its detail may hold words
    sa.Index("claim_phase", "phase", "received"),
    sa.Index("claim_account", "account"),
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
    sa.Column("bears", sa.LargeBinary),  # keyed words they are or were called by, see called.py; null: none known
)

kept_name: Final = sa.Table(
    "kept_name",
    metadata,
    sa.Column("account", BIG, primary_key=True, autoincrement=False),  # whose it is, or whose key seals it
    sa.Column("entry", BIG, primary_key=True, autoincrement=False),  # in which it was typed; 0, -1: see spellings.py
    sa.Column("objection", BIG),  # with which it was typed
    sa.Column("binds", sa.Boolean, nullable=False),  # whether it waits for no confirmation
    sa.Column("source", sa.LargeBinary),  # the member's digest that it was made of; null where there is none
    sa.Column("compiled", sa.LargeBinary),  # keyed forms, see spellings.py; null: not now
    sa.Column("mark", BIG),  # a keyed digest of what is compiled; null where nothing is
    sa.Index("kept_name_entry", "entry"),
    sa.Index("kept_name_objection", "objection"),
)

cleared: Final = sa.Table(
    "cleared",
    metadata,
    sa.Column("item", BIG, primary_key=True, autoincrement=False),  # words.page.short_keys
    sa.Column("subject", BIG, primary_key=True, autoincrement=False),  # whom the item does not mean
)

state: Final = sa.Table(
    "state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)


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
    sa.Column("tried", sa.Boolean, nullable=False, server_default=sa.false()),  # only written to an outbox
    sa.Column("worker", BIG),  # that has it in hand
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
    sa.Column("worker", BIG),  # that has it in hand
    sa.Index("letter_due", "status", "due"),
    sa.Index("letter_subject", "subject"),
)

worker: Final = sa.Table(
    "worker",
    metadata,
    sa.Column("number", BIG, primary_key=True, autoincrement=False),
    sa.Column("beat", BIG, nullable=False),  # when it last said that it is at work
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
    sa.Column("scope", sa.Text, nullable=False, server_default="platform"),  # a KeyScope
    sa.Column("expires", BIG),
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
