"""What goes into and comes out of the books about contact: frozen records, no logic and no database types.

Invariants: every time is aware and UTC; only :class:`Due` and :class:`SingleMail` name somebody: they are unsealed to
be delivered, and never logged or stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from demur.register.database.records import JSON
from demur.register.members.profiles import Member
from demur.terms import Channel, NoticeStatus


@dataclass(frozen=True)
class Selection:
    """Whom a campaign is for; a person is selected with any of their accounts, known minors never are."""

    regions: frozenset[str] | None
    """ISO 3166-1 alpha-2; None for any."""
    unknown_region: bool
    """Whether members without a region are among them."""
    born_by: int | None
    """The last year of birth of those who are old enough; None for any."""
    unknown_age: bool
    """Whether members without a year of birth are among them."""


@dataclass(frozen=True)
class Campaign:
    """One round of notices."""

    name: str
    started: datetime
    channels: tuple[Channel, ...]
    people: int


@dataclass(frozen=True)
class Preview:
    """How many people a selection means now."""

    people: int
    """Who would get a notice."""
    objected: int
    """Left out, as an objection of theirs is in force."""
    unreachable: int
    """Left out, as nothing is known of them but keys: their details were erased, or never came."""


@dataclass(frozen=True)
class Due:
    """One notice to deliver."""

    campaign: str
    subject: int
    """The subject key of the member's account."""
    attempt: int
    """1 for the first."""
    member: Member


@dataclass(frozen=True)
class Delivered:
    """One notice that was handed over."""

    campaign: str
    subject: int
    language: str
    digest: bytes
    """SHA-256 of the rendered text."""
    message_id: str
    tried: bool = False
    """Whether it was only written to the outbox of a try-out, where nobody reads it."""


@dataclass(frozen=True)
class Count:
    """How many notices of a campaign stand where."""

    channel: Channel
    status: NoticeStatus
    number: int


@dataclass(frozen=True)
class NoticeRecord:
    """What is on record of one notice; nothing tells whether it was opened."""

    campaign: str
    channel: Channel
    status: NoticeStatus
    language: str | None
    digest: bytes | None
    """SHA-256 of the text."""
    queued: datetime
    sent: datetime | None
    changed: datetime


@dataclass(frozen=True)
class SingleMail:
    """One single mail to deliver."""

    id: int
    address: str
    template: str
    language: str
    params: Mapping[str, JSON]
    attempt: int
    """1 for the first."""
