"""What comes out of the API.

Invariants: a caller is told nothing but these fields; the accounts of an objection are not among them.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from demur.register import ObjectionState
from demur.worker.bounces import Came

REFERENCE: Final = "7KQ2-9XJM-4TPA-C0WD"


class Told(BaseModel):
    """What a caller is told."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Lodged(Told):
    """An objection that is recorded and binds."""

    reference: Annotated[str, Field(examples=[REFERENCE])]
    """What the person needs to withdraw it: show it to them."""
    lodged: datetime
    covers: int
    """How many accounts it covers now."""
    confirm_by: datetime | None
    """Always null: nothing has a deadline when it is lodged."""
    receipt_url: str
    """The person's receipt: what stops, from when, and how to withdraw; in their language, where it is on file."""


class Objection(Told):
    """An objection as it stands."""

    reference: Annotated[str, Field(examples=[REFERENCE])]
    status: Literal["lodged", "confirmed", "lapsed", "withdrawn"]
    binding: bool
    """Whether this objection keeps the person's content out: from lodging on, until it lapses or is withdrawn."""
    channel: str
    received: date | None
    lodged: datetime
    changed: datetime
    confirm_by: datetime | None
    """When it lapses unless it is confirmed; null unless it was typed in and an officer has recorded a doubt."""
    covers: int
    others: int
    """How many other objections bind for the same accounts: these stay after a withdrawal."""

    @classmethod
    def of(cls, state: ObjectionState) -> Self:
        """From the register's record."""
        return cls(
            reference=state.reference,
            status=state.phase.value,
            binding=state.binding,
            channel=state.channel,
            received=state.received,
            lodged=state.lodged,
            changed=state.changed,
            confirm_by=state.confirm_by,
            covers=state.covered,
            others=state.others,
        )


class Named(Told):
    """How many spellings of a person's names are kept; none is told."""

    reference: Annotated[str, Field(examples=[REFERENCE])]
    searched: int
    """Spellings that are looked for now in what others wrote: what members have on file among them."""
    waiting: int
    """Spellings that wait until the objection with which they were given is confirmed."""


class Standing(Told):
    """Whether an objection of a person is in force."""

    in_force: bool
    """Whether any covers the account."""
    objections: list[Objection]
    """Those for any account that is proven to be the same person's, the ended ones too, oldest first."""


class Claim(Told):
    """A claim that a model repeats somebody's data, as it stands."""

    reference: Annotated[str, Field(examples=[REFERENCE])]
    status: Literal["lodged", "tested", "answered"]
    outcome: Literal["reproduced", "held", "not-found"] | None
    """What the last test found: the model said it again; the words stand in rows that it was trained on; neither, which
    is no proof that it never says them. Null before it is tested."""
    received: date
    lodged: datetime
    changed: datetime
    answer_by: date
    """The last day for the answer (Art. 12(3) GDPR)."""
    page_url: str
    """Where the person sees how it stands, and reads the answer."""


class Details(Told):
    """A problem (RFC 9457)."""

    type: Annotated[str, Field(examples=["urn:demur:problem:malformed"])]
    title: str
    status: int
    detail: str
    """One sentence: what is wrong, and what to do."""
    errors: list[dict[str, str]] | None = None
    """Each with `pointer` (a JSON pointer, RFC 6901) and `detail`."""


class Outcome(Told):
    """What became of one objection of many: either of the two."""

    objection: Lodged | None = None
    problem: Details | None = None


class Outcomes(Told):
    """What became of each, in the order in which they were sent."""

    results: list[Outcome]


class InAppNotice(Told):
    """A notice that waits to be shown."""

    campaign: str
    language: str
    digest: str
    """SHA-256 of the text, hexadecimal: hand it back once the notice was shown."""
    subject: str
    text: str
    """To be shown as plain text; the last line is the link by which the reader objects."""
    object_url: str
    """The reader's own link: opens without a login and never expires."""


class Notices(Told):
    """The notices that wait for one person."""

    notices: list[InAppNotice]


class ShownNotices(Told):
    """What became of notices that were shown."""

    shown: int
    """How many of them were waiting until now."""


class Bounced(Told):
    """What became of reported bounces."""

    known: int
    """How many of them were notices of ours; whoever they went to is not told any more."""
    outcome: Came | None = None
    """Of a mail: returned, unknown (and none of ours), delayed, complaint, automatic (a reply), or unclear."""


class Erasure(Told):
    """What an erasure destroyed (Art. 17 GDPR)."""

    reference: Annotated[str, Field(examples=[REFERENCE])]
    """Of the objection that keeps the content out from now on."""
    finished: bool
    """False while another process writes to the workspace: then it is recorded, and the next maintenance does it."""
    accounts: int | None = None
    """Accounts that are proven to be the person's."""
    own: int | None = None
    """Rows that the person wrote."""
    about: int | None = None
    """Rows of others that named, quoted, passed on or showed them."""
    retired: list[str] = []
    """Versions that held such rows, and are retired."""
    recalls: list[str] = []
    """Exports that hold, or may hold, such rows: tell whoever has them."""


class HeadFacts(Told):
    """What is signed of the register's head."""

    format: int
    version: str
    manifest: str
    nonce: str
    """Of the question."""
    time: str
    instance: str
    incarnation: int
    seq: int
    """The number of the register's last entry."""
    commitment: str
    """Of that entry."""
    binding: int
    """The number of the last entry that changes what may be used."""
    stale: int
    """How many rows of the version may not be used any more, or not as they are."""
    digest: str
    """SHA-256 over their item keys, ascending, 16 bytes each."""


class SignedHead(Told):
    """The register's head for one version, signed with the key that signed the version."""

    signed: HeadFacts
    signature: str
    """Ed25519 over the canonical JSON (RFC 8785) of `signed`, hexadecimal."""
    public_key: str
    items: list[str] | None
    """The item keys of the stale rows, hexadecimal; null where you know them by their digest."""


class Status(Told):
    """Where the register stands."""

    version: str
    entries: int
    """The number of the last entry."""
    binding: int
    """The number of the last entry that changes what may be used."""
    in_force: int
    """How many objections bind now."""
