"""What goes into the API; what comes out of it is in answers.py.

Invariants: unknown fields are refused, types are never converted, every text and list has a limit, and no text holds
a control character that a database could not store; examples are valid (a test reads each).
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from demur.characters import C1, IN_LINE, IN_TEXT

MOST_ACCOUNTS: Final = 50
MOST_OBJECTIONS: Final = 1000
MOST_NOTICES: Final = 1000
MOST_NAMES: Final = 50
MOST_INTEGER: Final = 2**53 - 1
NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
ACCOUNT: Final = r"^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
"""A namespace and a value that is not blank, without control characters."""

NO_CONTROLS_IN_TEXT: Final = r"^[^\x00-\x08\x0b-\x1f\x7f]+$"
MAIL: Final = r"^[^\s@<>()\[\],;:\"\\/]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
"""A mail address, as far as a form can tell."""

_CONTROLS: Final = re.compile(f"[{IN_LINE}{C1}]")
_IN_TEXT: Final = re.compile(f"[{IN_TEXT}]")


def without_controls(text: str) -> str:
    """The text.

    Raises:
        ValueError: when it holds a control character.
    """
    if _CONTROLS.search(text):
        raise ValueError("This can't hold control characters.")
    return text


Account = Annotated[
    str,
    Field(
        min_length=3,
        max_length=500,
        description="An account, as `namespace:value`.",
        examples=["forum:ann"],
        json_schema_extra={"pattern": ACCOUNT},  # the register says in a sentence what is wrong with one
    ),
    AfterValidator(without_controls),
]


Name = Annotated[
    str, Field(min_length=1, max_length=300, pattern=NO_CONTROLS, examples=["Steve"]), AfterValidator(without_controls)
]
Names = Annotated[list[Name], Field(max_length=MOST_NAMES)]
Link = Annotated[str, Field(min_length=1, max_length=2000, pattern=NO_CONTROLS), AfterValidator(without_controls)]


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("A text can't hold the character NUL.")
    return text


def _not_to_come(day: date) -> date:
    if day > datetime.now(UTC).date() + timedelta(days=1):  # "today" is a day ahead east of Greenwich
        raise ValueError("This day has not come yet.")
    return day


Text = Annotated[str, AfterValidator(_without_nul)]


class Said(BaseModel):
    """What a caller says."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class NewObjection(Said):
    """An objection (Art. 21 GDPR). A reason is optional and never judged; it is kept sealed."""

    accounts: Annotated[list[Account], Field(min_length=1, max_length=MOST_ACCOUNTS)]
    """Every account of the person that you know; the objection covers each, with whatever is linked with it. A handle
    elsewhere is one, too: `mastodon:@ann@social.example`."""
    names: Names = []
    """What else people call them: spellings, nicknames, handles of which you don't know where they are. Others may
    write "Hi Steve" about Stephen. Each is looked for in what others wrote, beside the names that members have on file:
    at once, or, of an unconfirmed objection, once it is confirmed. Kept sealed."""
    former: Names = []
    """Names that they had; looked for in the same way. Kept sealed."""
    links: Annotated[list[Link], Field(max_length=MOST_NAMES)] = []
    """Addresses of what others wrote about them, for officers to look at. Kept sealed."""
    reason: Annotated[Text, Field(max_length=10_000)] | None = None
    channel: Literal["api", "form", "letter", "mail", "ticket"] = "api"
    """How it reached you."""
    received: Annotated[date, AfterValidator(_not_to_come)] | None = None
    """The day it reached you, if not today: the answer is due within a month (Art. 12(3) GDPR)."""
    unconfirmed: bool = False
    """True where nobody knows yet that the account's holder sent it: it binds all the same, has no deadline, and waits
    for officers to look at it (channel `api-unconfirmed`, where you name none). What you lodge never lapses."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"accounts": ["forum:ann", "mail:ann@mail.example"], "channel": "api"}]}
    )


class NewObjections(Said):
    """Many objections; each is recorded or refused on its own."""

    objections: Annotated[list[NewObjection], Field(min_length=1, max_length=MOST_OBJECTIONS)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"objections": [{"accounts": ["forum:ann"]}, {"accounts": ["forum:ben"]}]}]}
    )


class MoreNames(Said):
    """What else the person of an objection is called; no reason and no proof."""

    names: Names = []
    """Spellings, nicknames, handles that are no account you could name."""
    former: Names = []
    """Names that they had."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"names": ["Steve", "stevem42"], "former": ["Mills"]}]})


class Lapse(Said):
    """Why an objection ends that its person did not withdraw."""

    cause: Literal["denied", "unconfirmed"]
    """The account's holder denied it; or it is doubted, and its holder has not answered in time, though reminded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cause": "denied"}]})


def _plain(text: str) -> str:
    if _IN_TEXT.search(text):
        raise ValueError("A text can't hold control characters but line breaks and tabs.")
    return text


Words = Annotated[str, Field(min_length=1, max_length=10_000, pattern=NO_CONTROLS_IN_TEXT), AfterValidator(_plain)]


class NewClaim(Said):
    """A claim that a model repeats somebody's data. Nobody needs a proof or a reason; all of it is kept sealed."""

    output: Words
    """What the model said, in its words."""
    prompt: Words | None = None
    """What it was asked."""
    model: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROLS, examples=["helper"])] | None = None
    """The run that answered, as `demur runs` lists it; null where they don't know."""
    account: Account | None = None
    """An account of the person: the claim is in their copy then, and goes with their deletion. It is no objection."""
    contact: Annotated[str, Field(min_length=3, max_length=300, pattern=MAIL)] | None = None
    """The mail address that the answer goes to."""
    channel: Literal["api", "form", "letter", "mail", "ticket"] = "api"
    """How it reached you."""
    received: Annotated[date, AfterValidator(_not_to_come)] | None = None
    """The day it reached you, if not today: the answer is due within a month (Art. 12(3) GDPR)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"output": "Ann lives at 7 Harbour Row.", "prompt": "Where does Ann live?", "account": "forum:ann"}
            ]
        }
    )


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class Who(Said):
    """A person, by one of their accounts; somebody who has none, by the reference on their receipt. One of the two."""

    account: Account | SkipJsonSchema[None] = Field(default=None, json_schema_extra=_without_default)
    reference: Annotated[str, Field(min_length=1, max_length=100)] | SkipJsonSchema[None] = Field(
        default=None, json_schema_extra=_without_default
    )
    """Of the objection in which somebody without an account said who they are. Of an account it proves nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"account": "forum:ann"}, {"reference": "7KQ2-9XJM-4TPA-C0WD"}],
            "oneOf": [{"required": ["account"]}, {"required": ["reference"]}],
        }
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or (self.account is None and self.reference is None):
            raise ValueError("Give `account` or `reference`, one of them.")
        return self


class SeenHead(Said):
    """The head of the register as it was seen last: the last entry and its commitment."""

    instance: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    incarnation: Annotated[int, Field(ge=1, le=MOST_INTEGER)]
    seq: Annotated[int, Field(ge=0, le=MOST_INTEGER)]
    commitment: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class HeadAsked(Said):
    """A question of somebody who holds an export of a version: what of it may not be used any more?"""

    version: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROLS)]
    manifest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the export's manifest.json."""
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Random, and new for each question: the answer repeats it."""
    after: SeenHead | None = None
    """What the last answer said: an older head than that is a conflict."""
    known: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The digest of the last answer: while it stays the same, the item keys are not sent again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": "v3", "manifest": "ab" * 32, "nonce": "0f" * 16}]}
    )


class Bounce(Said):
    """A mail that came back."""

    message_id: Annotated[str, Field(min_length=3, max_length=998, pattern=NO_CONTROLS)]
    """The Message-ID of the notice, with or without angle brackets."""
    cause: Annotated[str, Field(max_length=500, pattern=NO_CONTROLS)] = "bounced"
    """Why, for instance an enhanced status code (RFC 3463)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message_id": "<notice.1@forum.example>", "cause": "5.1.1"}]}
    )


class Shown(Said):
    """An in-app notice that its reader has seen."""

    campaign: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_CONTROLS)]
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """As `GET /api/notices` gave it."""


class ShownTo(Said):
    """The notices that one person has seen."""

    account: Account
    notices: Annotated[list[Shown], Field(min_length=1, max_length=MOST_NOTICES)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "account": "forum:ann",
                    "notices": [{"campaign": "autumn", "language": "de", "digest": "c0" * 32}],
                }
            ]
        }
    )


def example(model: type[BaseModel]) -> dict[str, Any]:
    """The first example of a model."""
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    first = examples[0]
    assert isinstance(first, dict)
    return first
