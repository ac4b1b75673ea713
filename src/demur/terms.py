"""The vocabulary: the words of the GDPR, of W3C DPV and of data engineering that demur uses, and no logic.

Invariants: every enumeration is closed (an unknown value is never guessed, it means *not used*: law 4),
and the order of :class:`Reason` is fixed, because an item is counted once, by its first reason (law 5).
"""

from enum import StrEnum
from typing import Final

import pyarrow as pa


class Kind(StrEnum):
    """What an item is."""

    POST = "post"
    COMMENT = "comment"
    CAPTION = "caption"
    PHOTO = "photo"
    STORY = "story"
    REEL = "reel"
    PROFILE = "profile"
    REVIEW = "review"
    GROUP_POST = "group-post"
    PAGE_POST = "page-post"
    MESSAGE = "message"
    THIRD_PARTY_RECORD = "third-party-record"


class Audience(StrEnum):
    """Who could read an item at its source."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    GROUP = "group"
    DIRECT = "direct"


class Role(StrEnum):
    """What a span of an item's text does with the account it names."""

    MENTION = "mention"
    QUOTE = "quote"
    RESHARE = "reshare"
    TAG = "tag"


class Basis(StrEnum):
    """The six legal bases of Art. 6(1) GDPR, in its order."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTERESTS = "legitimate-interests"


class Reason(StrEnum):
    """Why an item was left out, in the order in which reasons are tried; the first that holds is counted."""

    SUPERSEDED = "superseded"  # a later reading of the same item stands in the same import
    DELETED = "deleted"  # the source says it is gone
    UNKNOWN_AUTHOR = "unknown-author"
    UNKNOWN_KIND = "unknown-kind"
    KIND = "kind"  # a kind that the policy does not use
    UNKNOWN_AUDIENCE = "unknown-audience"
    AUDIENCE = "audience"  # an audience that the policy does not use
    ORIGIN = "origin"  # a third party that the policy does not use
    UNKNOWN_DATE = "unknown-date"  # no date, where the policy asks for one
    BEFORE_SINCE = "before-since"  # older than the policy's time range
    UNKNOWN_REGION = "unknown-region"
    REGION = "region"
    UNKNOWN_AGE = "unknown-age"
    MINOR = "minor"
    NOT_TOLD = "not-told"  # no notice reached the author
    NOTICE_PERIOD = "notice-period"  # told, but not long enough ago
    NO_CONSENT = "no-consent"  # consent is the basis in use, and none is recorded
    OBJECTED = "objected"  # the author objected (Art. 21 GDPR)
    RESHARE = "reshare"  # it passes on what a suppressed person wrote
    QUOTE = "quote"  # it quotes a suppressed person, and the policy drops such items
    MENTION = "mention"  # it names a suppressed person, and the policy drops such items
    COPY = "copy"  # it copies a suppressed person's words: nothing else is in it, or the policy drops such items
    NAME = "name"  # it names a suppressed person by name, and the policy drops such items
    EMPTY = "empty"  # nothing is left of it, or nothing was there


class PictureReason(StrEnum):
    """Why a picture that an item names was left out, in the order in which reasons are tried; no item is counted so."""

    ITEM = "item"  # the item itself was left out
    TAGGED = "tagged"  # it shows, or its description names, a suppressed person or a known minor
    MISSING = "missing"  # its file is not in what was read
    UNREADABLE = "unreadable"  # it is broken, too large, or in a format that is not read
    RIGHTS = "rights"  # what is written in it reserves mining or training (Art. 4(3) of Directive (EU) 2019/790)
    COPY = "copy"  # it copies a suppressed person's picture
    FACES = "faces"  # faces are seen in it, and the policy drops such pictures
    WORDS = "words"  # words in it are a suppressed person's, or name one


class Channel(StrEnum):
    """How a notice reaches a person."""

    MAIL = "mail"
    IN_APP = "in-app"


class NoticeStatus(StrEnum):
    """Where one notice to one person stands."""

    QUEUED = "queued"
    SENDING = "sending"  # a worker has it in hand
    SENT = "sent"
    BOUNCED = "bounced"  # sent, and came back
    FAILED = "failed"  # could not be sent: whoever was not reached is not told
    CANCELLED = "cancelled"


class EntryKind(StrEnum):
    """What a register entry records."""

    OBJECTION_LODGED = "objection.lodged"
    OBJECTION_CONFIRMED = "objection.confirmed"
    OBJECTION_LAPSED = "objection.lapsed"
    OBJECTION_WITHDRAWN = "objection.withdrawn"
    OBJECTION_REVIVED = "objection.revived"  # one that had ended binds again
    OBJECTION_DOUBTED = "objection.doubted"  # reasonable doubt whose it is (Art. 12(6) GDPR): unanswered, it lapses
    OBJECTION_ASKED = "objection.asked"  # its holder was asked to confirm it, and has until then to answer
    OBJECTION_REMINDED = "objection.reminded"  # a reminder of that question was put into the outgoing mail
    OBJECTION_UNASKED = "objection.unasked"  # nobody could be asked to confirm it: it does not lapse
    OBJECTION_NAMED = "objection.named"  # whoever has shown that it is theirs gave further spellings of their name
    NAME_CLEARED = "name.cleared"  # an officer said that an item does not mean somebody whose name is found in it
    ACCOUNT_LINKED = "account.linked"
    ACCOUNT_UNLINKED = "account.unlinked"
    ACCOUNTS_ALIKE = "accounts.alike"  # keys that are spellings of one account; pairs, the exact one first
    LINKS_UNPROVEN = "links.unproven"  # whose proof rests on an earlier rule of spelling; pairs of keys
    MEMBERS_IMPORTED = "members.imported"
    CONSENT_GIVEN = "consent.given"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    POLICY_CHANGED = "policy.changed"
    IMPORT_FINISHED = "import.finished"
    EVIDENCE_TOLD = "evidence.told"  # beside it: an import told something new of withheld people's threads or words
    CORPUS_HONOURED = "corpus.honoured"
    VERSION_PUBLISHED = "version.published"
    VERSION_RETIRED = "version.retired"
    VERSION_EXPORTED = "version.exported"
    RUN_TRAINED = "run.trained"
    RUN_ROLLED_BACK = "run.rolled-back"  # its serving pointer stands before all rows of somebody who objected
    RUN_REPLAYED = "run.replayed"  # without those who objected since
    RUN_DESTROYED = "run.destroyed"  # what of it had seen somebody who objected
    RUN_EXPORTED = "run.exported"  # weights of it left
    MODEL_AUDITED = "model.audited"  # what shows of people in it was tested
    CLAIM_LODGED = "claim.lodged"  # somebody says that a model repeats their data
    CLAIM_TESTED = "claim.tested"  # what was looked for, and what was found
    CLAIM_ANSWERED = "claim.answered"
    CAMPAIGN_STARTED = "campaign.started"
    NOTICE_SENT = "notice.sent"
    NOTICE_BOUNCED = "notice.bounced"
    NOTICES_REGROUPED = "notices.regrouped"  # told goes by proof since: who is told otherwise
    PERSON_ERASED = "person.erased"
    COPY_GIVEN = "copy.given"
    DATA_READ = "data.read"  # by staff
    STAFF_INVITED = "staff.invited"
    STAFF_JOINED = "staff.joined"
    STAFF_SIGNED_IN = "staff.signed-in"
    STAFF_REMOVED = "staff.removed"
    STAFF_ACTED = "staff.acted"  # beside the entry of the act itself: who did it
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    WORKSPACE_ADOPTED = "workspace.adopted"  # one that was made before there were instances got one
    REGISTER_RESTORED = "register.restored"  # from a backup, with what the mark's journal holds beyond it
    LOG_OPENED = "log.opened"  # under a name of its own: its keys, and the digest of the pepper
    LOG_ROTATED = "log.rotated"  # signed by the log's old key and by the new one
    MARK_RENEWED = "mark.renewed"  # the mark was lost: how far the register was acknowledged is unknown
    LOSS_ACCEPTED = "loss.accepted"  # somebody decided that publishing goes on without what is lost
    CLOCK_DOUBTED = "clock.doubted"  # the time was far from the last entry's, so that nothing lapsed
    CLOCK_AGREED = "clock.agreed"  # it no longer is


BINDING: Final = frozenset(
    {
        EntryKind.OBJECTION_LODGED,
        EntryKind.OBJECTION_CONFIRMED,
        EntryKind.OBJECTION_LAPSED,
        EntryKind.OBJECTION_WITHDRAWN,
        EntryKind.OBJECTION_REVIVED,
        EntryKind.OBJECTION_NAMED,
        EntryKind.ACCOUNT_LINKED,
        EntryKind.ACCOUNT_UNLINKED,
        EntryKind.ACCOUNTS_ALIKE,
        EntryKind.MEMBERS_IMPORTED,
        EntryKind.CONSENT_GIVEN,
        EntryKind.CONSENT_WITHDRAWN,
        EntryKind.POLICY_CHANGED,
        EntryKind.EVIDENCE_TOLD,
        EntryKind.NOTICE_SENT,
        EntryKind.NOTICE_BOUNCED,
        EntryKind.NOTICES_REGROUPED,
    }
)
"""The entries that change what may be used; publishing compares the last of these, not the log's head (law 3)."""

SPAN: Final = pa.struct(
    [
        pa.field("start", pa.int32()),  # code points of `text`, from 0
        pa.field("end", pa.int32()),  # code points of `text`, exclusive
        pa.field("role", pa.string()),  # a Role
        pa.field("account", pa.string()),  # `namespace:value`
    ]
)

MEDIA: Final = pa.struct(
    [
        pa.field("uri", pa.string()),
        pa.field("type", pa.string()),  # media type, RFC 6838
        pa.field("alt", pa.string()),
        pa.field("tagged", pa.list_(pa.string())),  # accounts shown in it
    ]
)

ITEM: Final = pa.schema(
    [
        pa.field("item", pa.string(), nullable=False),  # `source:native-id`
        pa.field("author", pa.string()),  # `namespace:value`, null if unknown
        pa.field("kind", pa.string()),  # a Kind
        pa.field("audience", pa.string()),  # an Audience
        pa.field("region", pa.string()),  # ISO 3166-1 alpha-2 of the author's account
        pa.field("created", pa.timestamp("us", tz="UTC")),
        pa.field("language", pa.string()),  # BCP 47
        pa.field("text", pa.large_string()),  # UTF-8, NFC, no markup
        pa.field("spans", pa.list_(SPAN)),
        pa.field("parent", pa.string()),  # the item it answers
        pa.field("thread", pa.string()),  # the root's item id
        pa.field("group", pa.string()),  # group, page or channel id
        pa.field("rating", pa.float64()),  # reviews
        pa.field("media", pa.list_(MEDIA)),
        pa.field("origin", pa.string()),  # `first-party`, or the third party's name
        pa.field("deleted", pa.bool_()),  # true: the source says it is gone
    ]
)
"""An item, the only shape that crosses from a source (design.md, *Data contracts*)."""

ALIKE: Final = b"demur.alike"
"""Metadata of a batch of items: JSON, accounts with the lists of other accounts that are known to be the same one's."""
