"""The people of the synthetic community: invented names, their accounts, and what members say of themselves.

Invariants: a person is a pure function of the seed, their number and the day; every handle ends in the person's
number, so that no two are alike and a byte search for one finds nothing else; mail addresses and hosts stand under
``.example`` and ``example.org`` (RFC 2606), so that they reach nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Final

import pyarrow as pa

from demur.demo.texts import Draw, Language, languages
from demur.register.members.rows import MEMBER

SOURCES: Final = ("forum", "mastodon", "instagram")
HOSTS: Final = ("demo.example", "tidepool.example")
STRANGERS: Final = "elsewhere.example"
"""A host nobody imports from: people there are only written about."""

_ROWS: Final = 8192
_HOW_MANY: Final = Draw({1: 80, 2: 15, 3: 5})
_AGES: Final = Draw({"adult": 93, "minor": 4, "unknown": 3})
_NOTICES: Final = Draw({"early": 93, "late": 4, "never": 3})
_STRANGERS_TO_THE_TABLE: Final = 0.01
_UNLINKED: Final = 0.35
_NO_REGION: Final = 0.02
_CONSENTED: Final = 0.6


@dataclass(frozen=True, slots=True)
class Person:
    """A data subject of the community, with all their accounts."""

    index: int
    language: str
    """BCP 47."""
    name: str
    """The display name."""
    accounts: tuple[str, ...]
    """``namespace:value``, one to three."""
    member: bool
    """Whether the platform's member table knows them."""
    linked: bool
    """Whether that table links their accounts; otherwise the link is found later, or never."""
    region: str | None
    birth_year: int | None
    told: date | None
    consented: bool

    @property
    def mail(self) -> str:
        """A mail address that reaches nobody; ASCII, as such addresses nearly always are whatever the name."""
        name = handle(self.accounts[0])
        return f"{name if name.isascii() else f'member{self.index}'}@mail.example"


def handle(account: str) -> str:
    """The bare handle of an account: ``ann12`` of ``mastodon:@ann12@demo.example``."""
    return account.partition(":")[2].lstrip("@").partition("@")[0]


def called(account: str) -> str:
    """How others call an account in a text: ``@`` and its handle, on Mastodon with its host."""
    return "@" + account.partition(":")[2].lstrip("@")


def profile_url(account: str) -> str:
    """Where an account's profile would be."""
    namespace, _, value = account.partition(":")
    if namespace == "mastodon":
        name, _, host = value.lstrip("@").partition("@")
        return f"https://{host}/@{name}"
    return f"https://www.instagram.com/{value}/" if namespace == "instagram" else f"https://forum.example/u/{value}"


def member(seed: int, index: int, today: date) -> Person:
    """Person number ``index`` of the community."""
    rng = Random(f"{seed}/person/{index}")  # noqa: S311  # a repeatable invention, no secret
    language = _tongues().one(rng)
    name, latin = language.name(rng.getrandbits(64))
    chance = rng.random
    return Person(
        index=index,
        language=language.tag,
        name=name,
        accounts=_accounts(rng, name, latin, index),
        member=chance() > _STRANGERS_TO_THE_TABLE,
        linked=chance() > _UNLINKED,
        region=rng.choice(language.regions) if chance() > _NO_REGION else None,
        birth_year=_birth_year(rng, today),
        told=_told(rng, today),
        consented=chance() < _CONSENTED,
    )


def stranger(seed: int, index: int) -> Person:
    """Someone without an account here, whom members mention all the same."""
    rng = Random(f"{seed}/stranger/{index}")  # noqa: S311  # a repeatable invention, no secret
    language: Language = rng.choice(languages())
    name, latin = language.name(rng.getrandbits(64))
    account = f"mastodon:@{latin}_s{index}@{STRANGERS}"
    return Person(index, language.tag, name, (account,), False, False, None, None, None, False)  # noqa: FBT003  # all they lack


@cache
def _tongues() -> Draw[Language]:
    return Draw({language: language.weight for language in languages()})


def _accounts(rng: Random, name: str, latin: str, index: int) -> tuple[str, ...]:
    """One account for most, two or three for a fifth; forum handles keep the script of the name."""
    given, family = latin.split("_")
    native = name.partition(" ")[0].lower()
    every = [
        f"forum:{native}{index}",
        f"mastodon:@{latin}{index}@{rng.choice(HOSTS)}",
        f"instagram:{family}.{given}{index}",
    ]
    rng.shuffle(every)
    return tuple(every[: _HOW_MANY.one(rng)])


def _birth_year(rng: Random, today: date) -> int | None:
    """3 % unknown, 4 % minors; nobody close to the limit, so that no answer hangs on a birthday."""
    years = {"adult": rng.randint(20, 80), "minor": rng.randint(13, 16)}.get(_AGES.one(rng))
    return None if years is None else today.year - years


def _told(rng: Random, today: date) -> date | None:
    """3 % never told, 4 % told too late; nobody close to the limit, so that no answer hangs on midnight."""
    days = {"early": rng.randint(60, 400), "late": rng.randint(2, 20)}.get(_NOTICES.one(rng))
    return None if days is None else today - timedelta(days=days)


def corrected(person: Person, today: date) -> Person:
    """What the platform later says of some: a birth year put right, a notice found in the old records."""
    if len(person.accounts) > 1 and not person.linked:
        return person  # a new row of theirs would speak of links again
    minor = person.index % 400 == 7 and person.birth_year is not None  # noqa: PLR2004  # one in 400
    told = person.told is None and person.index % 2 == 0
    return replace(
        person,
        birth_year=today.year - 15 if minor else person.birth_year,
        told=today - timedelta(days=90) if told else person.told,
    )


def member_batches(people: Iterator[Person]) -> Iterator[pa.RecordBatch]:
    """The member table, one row an account, in batches of the register's MEMBER."""
    rows = (row for person in people if person.member for row in _member_rows(person))
    while chunk := list(islice(rows, _ROWS)):
        yield pa.RecordBatch.from_pylist(chunk, schema=MEMBER)


def _member_rows(person: Person) -> Iterator[dict[str, object]]:
    for account in person.accounts:
        others = [each for each in person.accounts if each != account] if person.linked else []
        yield {
            "account": account,
            "names": [person.name],
            "locale": person.language,
            "region": person.region,
            "birth_year": person.birth_year,
            "told_on": person.told,
            "linked": others,
            "consented": person.consented,
            "mail": person.mail if person.linked or account == person.accounts[0] else None,  # one address links them
            "mail_verified": True,
        }
