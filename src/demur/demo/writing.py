"""Writes the items: who says what to whom, in which kind of item, before which audience.

Invariants: an item is a pure function of (seed, person, slot, day); what is quoted or reshared are the exact words of
another item's body, under the account that wrote it; a parent is an item of the same source.

Direct identifiers in them look real and reach nobody, as they come from ranges kept free for examples: mail RFC 2606,
IP addresses RFC 5737 and RFC 3849; telephone numbers from the ranges that Ofcom, ARCEP, the Bundesnetzagentur, PTS and
the NANPA keep for fiction; IBANs with a valid checksum (ISO 13616) at banks that do not exist.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final

from demur.demo import copying, naming
from demur.demo.items import Fate, Form, Item, Media, Piece, around
from demur.demo.people import STRANGERS, Person, called, handle, profile_url
from demur.demo.texts import Draw, Language, by_tag, mix
from demur.terms import Audience, Kind, Role

Maker = Callable[[Random], str]
Place = tuple[int, int]
"""A person and one of their slots."""

_PHONES: Final = (
    ("+44 20 7946 0{}", 3),
    ("+33 1 99 00 {}", 4),
    ("+49 30 23125 {}", 3),
    ("+46 8 465 004 {}", 2),
    ("+1 202-555-01{}", 2),
)
_BANKS: Final = (("DE", "99999999", 10), ("NL", "DEMO", 10), ("PL", "99999999", 16), ("IE", "DEMO999999", 8))


def mail(rng: Random) -> str:
    """A mail address under example.org."""
    return f"contact.{rng.randrange(10**6):06}@example.org"


def phone(rng: Random) -> str:
    """A telephone number that is valid in form and given to nobody."""
    form, digits = rng.choice(_PHONES)
    return form.format(_digits(rng, digits))


def iban(rng: Random) -> str:
    """An IBAN with the right checksum at a bank that does not exist."""
    country, bank, digits = rng.choice(_BANKS)
    return with_checksum(country, bank + _digits(rng, digits))


def with_checksum(country: str, account: str) -> str:
    """The IBAN of a national account number (ISO 13616, check digits by ISO 7064 MOD 97-10)."""
    number = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02}{account}"


def address(rng: Random) -> str:
    """An IPv4 or IPv6 address of the documentation ranges."""
    if rng.random() < 0.3:  # noqa: PLR2004  # a share
        return f"2001:db8::{rng.randrange(1, 0xFFFF):x}:{rng.randrange(1, 0xFFFF):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _digits(rng: Random, count: int) -> str:
    return f"{rng.randrange(10**count):0{count}}"


MAKERS: Final[tuple[Maker, ...]] = (mail, phone, iban, address)


SLOTS: Final = (
    *[Kind.POST] * 8,
    *[Kind.COMMENT] * 7,
    *[Kind.PHOTO, Kind.REVIEW, Kind.GROUP_POST, Kind.MESSAGE] * 2,
    *[Kind.CAPTION, Kind.STORY, Kind.REEL, Kind.PROFILE, Kind.PAGE_POST, Kind.THIRD_PARTY_RECORD, Kind.POST],
)
"""The kinds of a person's thirty items."""

PARTNER: Final = "Harbour Ledger"
"""The third party whose records the demo's policy uses."""
BROKER: Final = "Tidewater Data"
"""The third party whose records it does not use."""
SINCE_YEARS: Final = 8
"""The demo's policy uses items of this many years, and of the year it stands in."""

_USUAL_DAYS: Final = (2, 6 * 365)
_OLD_DAYS: Final = ((SINCE_YEARS + 1) * 366 + 30, (SINCE_YEARS + 6) * 366)
_ROOTS: Final = tuple(range(8))
_COMMENTS: Final = tuple(range(8, 15))
_ANSWERED: Final = tuple(slot for slot in _COMMENTS if slot % 4)
"""Comments that answer a root, and that others answer: a thread is two deep."""
_PICTURES: Final = frozenset({Kind.PHOTO, Kind.STORY, Kind.REEL})
_FEW: Final = Draw({Audience.PUBLIC: 86, Audience.UNLISTED: 4, Audience.FOLLOWERS: 8, Audience.DIRECT: 2})
_PUBLIC: Final = Draw({Audience.PUBLIC: 1})
_AUDIENCES: Final = {
    Kind.STORY: Draw({Audience.PUBLIC: 50, Audience.FOLLOWERS: 50}),
    Kind.GROUP_POST: Draw({Audience.PUBLIC: 40, Audience.GROUP: 60}),
    Kind.MESSAGE: Draw({Audience.DIRECT: 1}),
    **dict.fromkeys((Kind.REVIEW, Kind.PROFILE, Kind.PAGE_POST, Kind.THIRD_PARTY_RECORD), _PUBLIC),
}
_TURNS: Final = Draw(
    {"plain": 530, "mention": 100, "named": 50, "bare": 30, "quote": 60, "reshare": 20, "contact": 50, "words": 160}
)
"""What an item does besides talking, per thousand; "words" names somebody without markup."""
_ESSAYS: Final = range(3)
"""The slots of longer posts, which others copy."""
_FATES: Final = Draw({Fate.STAYS: 940, Fate.EDITED: 30, Fate.DELETED: 15, Fate.PRIVATE: 15})
_FLAWS: Final = Draw({"": 980, "author": 4, "kind": 3, "audience": 4, "date": 5, "empty": 4})
"""What the source can't say, per thousand."""
_OLD: Final = 0.015
_OF_WHOM_IT_ANSWERS: Final = 0.8
_TRIES: Final = 4
"""How often somebody of one's own language is looked for."""
_BARE_PICTURES: Final = 0.4
_OF_STRANGERS: Final = 0.08
_NAMED_IN_ALT: Final = 0.3
_SHORT_FORMS: Final = 0.3
_CONTACTS: Final = Draw({"profile": 25, "mail": 15, "other": 60})
_TYPES: Final = {Kind.REEL: ("video/mp4", "mp4")}

_THREAD, _DRAFT = 1, 2
"""Which of a slot's numbers: each use has its own."""


@dataclass(frozen=True)
class Writer:
    """Knows everybody, and writes any of their items."""

    seed: int
    today: date
    people: tuple[Person, ...]
    strangers: tuple[Person, ...]

    def account(self, person: int, slot: int) -> str:
        """The account that wrote an item."""
        accounts = self.people[person].accounts
        return accounts[slot % len(accounts)]

    def name(self, person: int, slot: int) -> str:
        """An item's id at its source."""
        return f"{self.account(person, slot).partition(':')[0]}:{person}-{slot}"

    def body(self, person: int, slot: int, use: int = 0) -> str:
        """What an item itself says, without what it answers, quotes or links."""
        language, number = self._language(person), mix(self.seed, person, slot, use)
        return language.essay(number) if slot in _ESSAYS and not use else language.body(number)

    def draft(self, person: int, slot: int) -> tuple[Piece, ...]:
        """An earlier reading of an item, for imports that hold one twice."""
        return (Piece(self.body(person, slot, _DRAFT)),)

    def item(self, person: int, slot: int) -> Item:
        """The first reading of an item."""
        rng = Random(mix(self.seed, person, slot))  # noqa: S311  # a repeatable invention, no secret
        kind, who = SLOTS[slot], self.people[person]
        account = self.account(person, slot)
        namespace = account.partition(":")[0]
        parent, root = self._thread(person, slot)
        flaw = _FLAWS.one(rng)
        item = Item(
            person=person,
            slot=slot,
            item=self.name(person, slot),
            author=None if flaw == "author" else account,
            kind=None if flaw == "kind" else kind,
            audience=None if flaw == "audience" else _AUDIENCES.get(kind, _FEW).one(rng),
            region=None if namespace == "forum" else who.region,
            created=None if flaw == "date" else self._created(rng),
            language=who.language,
            pieces=(),
            parent=self.name(*parent) if parent else None,
            thread=self.name(*root),
            group=_group(rng, kind, namespace),
            rating=float(rng.randint(1, 5)) if kind is Kind.REVIEW else None,
            media=self._media(rng, account, kind) if kind in _PICTURES and flaw != "empty" else None,
            origin=rng.choice((PARTNER, BROKER)) if kind is Kind.THIRD_PARTY_RECORD else "first-party",
            fate=_FATES.one(rng),
            edit=self._language(person).edit,
        )
        if flaw == "empty":
            return item
        if slot in copying.SLOTS and (copied := self._unmarked(item)):
            return copied
        pieces = self._pieces(rng, item, parent)
        return replace(item, pieces=(*pieces, *self._signature(item)))

    def _unmarked(self, item: Item) -> Item | None:
        """The item as a copy of somebody else's that no markup tells of, if its author is one who copies."""
        number = len(self.people)
        source = copying.source_of(self.people[item.person], item.slot, number, self.today)
        theirs = self.item(*source) if source else None
        if source is None or theirs is None or not copying.may_be_copied(theirs, self.body(*source), item, self.today):
            return None
        own = self.body(item.person, item.slot)
        pieces = copying.copied(item.slot, source, self.account(*source), self.body(*source), own)
        return replace(item, pieces=pieces, created=copying.after(theirs))

    def _signature(self, item: Item) -> tuple[Piece, ...]:
        """How some sign their first item."""
        nick = self.nick(item.person)
        if item.slot or nick is None or item.fate is not Fate.STAYS or item.author is None:
            return ()
        return Piece("\n— "), Piece(nick, None, item.author, form=Form.SIGNED, name=nick)

    def nick(self, person: int) -> str | None:
        """What somebody signs with, if they sign."""
        return naming.nick(self.people[person], self._language(person).naming)

    def _language(self, person: int) -> Language:
        return by_tag()[self.people[person].language]

    def _created(self, rng: Random) -> datetime:
        """Within six years for nearly all; well before the policy's range for the others."""
        old = rng.random() < _OLD
        days = rng.randint(*_OLD_DAYS if old else _USUAL_DAYS)
        midnight = datetime.combine(self.today, time.min, tzinfo=UTC)
        return midnight - timedelta(days=days, seconds=rng.randrange(86_400))

    def _thread(self, person: int, slot: int) -> tuple[Place | None, Place]:
        """The item that a comment answers, and the root of its thread; other items are roots themselves."""
        if slot not in _COMMENTS:
            return None, (person, slot)
        parent = self._answered(person, slot, _ANSWERED if slot % 4 == 0 else _ROOTS)
        return parent, parent if parent[1] in _ROOTS else self._answered(*parent, _ROOTS)

    def _answered(self, person: int, slot: int, among: tuple[int, ...]) -> tuple[int, int]:
        """An item of the same source; one's own where chance finds no other."""
        namespace = self.account(person, slot).partition(":")[0]
        for attempt in range(6):
            number = mix(self.seed, person, slot, _THREAD, attempt)
            other = number % len(self.people), among[(number >> 32) % len(among)]
            if self.account(*other).startswith(namespace):
                return other
        accounts = len(self.people[person].accounts)
        return person, next((each for each in _ROOTS if each % accounts == slot % accounts), slot)

    def _pieces(self, rng: Random, item: Item, parent: Place | None) -> tuple[Piece, ...]:
        person, slot, namespace = item.person, item.slot, item.namespace
        kind, body, language = SLOTS[slot], self.body(person, slot), self._language(person)
        if kind is Kind.PHOTO and rng.random() < _BARE_PICTURES:
            return ()  # a picture without a caption
        turn = "contact" if kind is Kind.PROFILE else _TURNS.one(rng)
        match turn:
            case "mention" | "bare" | "named":
                target = self._target(rng, namespace)
                return (Piece(body + "\n"), *around(language.to, _named(rng, turn, kind, *target)))
            case "quote" | "reshare":
                return self._copied(rng, person, slot, turn)
            case "words":
                return self._in_words(rng, item, body, parent)
            case "contact":
                return (Piece(body + "\n"), *around(language.contact, _reach(rng, self.people[person])))
            case _:
                return (Piece(body),)

    def _in_words(self, rng: Random, item: Item, body: str, parent: Place | None) -> tuple[Piece, ...]:
        """An item that names somebody without markup, in the languages that do so here; else only what it says."""
        said = self._language(item.person).naming
        if said is None:
            return (Piece(body),)
        if parent and parent[0] != item.person and rng.random() < _OF_WHOM_IT_ANSWERS:
            signs = self.nick(parent[0]) if self.account(*parent) == self.account(parent[0], 0) else None
            return naming.answering(rng, said, body, self.people[parent[0]], self.account(*parent), signs)
        for _ in range(_TRIES):
            target, account = self._target(rng, item.namespace)
            if target.language == item.language:
                break
        if target.index == item.person or STRANGERS in account:
            return (Piece(body),)
        return naming.about(rng, said, body, target, account, inflects=target.language == item.language)

    def _copied(self, rng: Random, person: int, slot: int, turn: str) -> tuple[Piece, ...]:
        """Someone else's words, then one's own; only one's own where chance picks oneself or the same words."""
        other = self._popular(rng), rng.choice((*_ROOTS, *_COMMENTS))
        theirs, own = self.body(*other), self.body(person, slot)
        if other[0] == person or theirs == own:
            return (Piece(own),)
        account, language = self.account(*other), self._language(person)
        if turn == "reshare":
            return (Piece(theirs, Role.RESHARE, account),)
        return Piece(f"{language.said} “"), Piece(theirs, Role.QUOTE, account), Piece(f"”\n{own}")

    def _popular(self, rng: Random) -> int:
        """A person; those with low numbers are talked about most."""
        return int(len(self.people) * rng.random() ** 2.5)

    def _target(self, rng: Random, namespace: str) -> tuple[Person, str]:
        """Somebody to mention, of the same source where chance finds one."""
        if namespace == "mastodon" and rng.random() < _OF_STRANGERS:
            stranger = rng.choice(self.strangers)
            return stranger, stranger.accounts[0]
        for _ in range(6):
            person = self.people[self._popular(rng)]
            for account in person.accounts:
                if account.startswith(namespace):
                    return person, account
        return person, person.accounts[0]

    def _media(self, rng: Random, account: str, kind: Kind) -> Media:
        namespace = account.partition(":")[0]
        mime, ending = _TYPES.get(kind, ("image/jpeg", "jpg"))
        about = [self._target(rng, namespace)[1] for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
        alt = [Piece(self.body(self._popular(rng), rng.choice(_ROOTS), _DRAFT))]
        if about and rng.random() < _NAMED_IN_ALT:
            alt += [Piece(" "), Piece(called(about[0]), None, about[0], direct=True)]
        uri = f"media/{handle(account)}/{rng.getrandbits(40):010x}.{ending}"
        return Media(uri, mime, tuple(alt), tuple(dict.fromkeys(about)))


def _named(rng: Random, turn: str, kind: Kind, person: Person, account: str) -> Piece:
    """A mention: by handle with or without markup, or by display name with markup."""
    if turn == "named":
        return Piece(person.name, Role.MENTION, account)
    if turn == "bare":
        return Piece(called(account), None, account, direct=True)
    short = STRANGERS not in account and rng.random() < _SHORT_FORMS
    role = Role.TAG if kind in _PICTURES else Role.MENTION
    return Piece(f"@{handle(account)}" if short else called(account), role, account, direct=True)


def _reach(rng: Random, person: Person) -> Piece:
    """One way to reach someone: a profile URL, their mail address, or another identifier."""
    match _CONTACTS.one(rng):
        case "profile":
            return Piece(profile_url(person.accounts[0]), None, person.accounts[0], direct=True)
        case "mail":
            return Piece(person.mail, direct=True)
        case _:
            return Piece(rng.choice(MAKERS)(rng), direct=True)


def _group(rng: Random, kind: Kind, namespace: str) -> str | None:
    if kind in {Kind.GROUP_POST, Kind.PAGE_POST}:
        return f"{namespace}:{kind.value.partition('-')[0]}-{rng.randrange(40)}"
    return None
