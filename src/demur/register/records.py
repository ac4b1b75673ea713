"""What goes into and comes out of the register: frozen records, no logic and no database types.

Invariants: every array of subject keys is int64, shape (n,), sorted and without duplicates; every time is aware and
UTC; no record carries a raw account identifier except :class:`Member`, which is unsealed on request only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from demur.identity import SubjectKeys
from demur.kernel.facts import Known
from demur.terms import EntryKind

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]


class ObjectionPhase(StrEnum):
    """Where an objection stands; it binds while it is lodged or confirmed."""

    LODGED = "lodged"
    CONFIRMED = "confirmed"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Head:
    """The end of the log."""

    seq: int
    """Number of the last entry, 0 while there is none."""
    binding: int
    """Number of the last binding entry (terms.BINDING), 0 while there is none."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log, as it was appended."""

    seq: int
    """1, 2, 3, ... without a gap."""
    kind: EntryKind
    time: datetime
    payload: Mapping[str, JSON]
    commitment: bytes
    """32 bytes; see entries.py."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What the binding entries after some number may have changed."""

    subjects: SubjectKeys
    """The keys whose standing may be another one now."""
    policy: bool
    """True if the policy changed, which may concern everybody."""
    head: Head


@dataclass(frozen=True, eq=False)
class Snapshot(Known):
    """The register's answer to "who may be used?", read in one consistent transaction."""

    head: Head = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Receipt:
    """What a person holds once an objection is durable."""

    reference: str
    """Confirms and withdraws the objection; whoever holds it may do so."""
    seq: int
    """The number of its entry."""
    subjects: SubjectKeys
    """The keys it covers now: every account of the person."""
    lodged: datetime


@dataclass(frozen=True)
class ObjectionState:
    """One objection as it stands."""

    reference: str
    seq: int
    """The number of the entry that lodged it."""
    phase: ObjectionPhase
    channel: str
    """How it came: web, mail, letter, ..."""
    received: date | None
    """The day it reached the controller, where that was before it was recorded."""
    accounts: int
    """How many accounts it was lodged for."""
    covered: int
    """How many accounts it covers: those, and every account linked with them."""
    others: int
    """How many other binding objections cover any of the same accounts: these stay after a withdrawal."""
    lodged: datetime
    confirm_by: datetime | None
    """When it lapses unless it is confirmed; None if it need not be."""
    changed: datetime
    """When it last changed its phase."""

    @property
    def binding(self) -> bool:
        """Whether this objection itself keeps its person's content out."""
        return self.phase in {ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED}


@dataclass(frozen=True)
class MemberImport:
    """The outcome of one import of members."""

    seq: int
    """The number of its entry."""
    read: int
    """Rows read."""
    changed: int
    """Members that are new or say something else than before."""


@dataclass(frozen=True)
class Member:
    """One member, unsealed; never log or store it."""

    account: str
    names: tuple[str, ...]
    locale: str | None
    """BCP 47."""
    mail: str | None
    region: str | None
    """ISO 3166-1 alpha-2."""
    birth_year: int | None
    told_on: date | None
    consented: bool
