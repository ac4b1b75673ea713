"""What is held of a person, read from the register and the corpus as plain values for a copy (Art. 15 GDPR).

Invariants: only accounts that are proven to be the person's are read; what somebody else may have said with their
account is not theirs to read before it was checked, or they confirmed it; rows are streamed, so that memory does not
grow with them; a row of somebody else's that not everybody could read shows the passages that are about the person and
nothing else, and no row names who wrote it (Art. 15(4) GDPR). Pictures at rest come with rows that the person wrote
and, where everybody could see them, with those of others that tag the person in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.pictures import Pictures
from demur.corpus.depicted import Depicted, depicted, names_of
from demur.corpus.find import OPEN_TO_ALL, how_of, passages_of
from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.errors import CorpusError
from demur.identity import SubjectKeys
from demur.notices.content import NoticeContent, NoticeSection
from demur.notices.languages import N_
from demur.notices.words import speaker
from demur.objecting.channels import RECORDED, Route, nameless
from demur.register import ClaimState, ObjectionPhase, OwnObjection
from demur.rights.where_held import held_in, kept_beside, readable
from demur.runs.holding import HeldIn
from demur.runs.holding import held_in as held_in_models
from demur.terms import EntryKind

JSON = Any
"""Values that orjson writes: no more than that is asked of them here."""

_COLUMNS: Final = (
    "item author kind audience region created language text spans thread rating media origin source".split()  # noqa: SIM905
)

_TOLD: Final = frozenset({*RECORDED, Route.TYPED, Route.API_UNCONFIRMED})
"""Channels by which anybody can name an account: what came with it may be another person's words."""

_NO_PICTURES: Final = N_(
    "We do not hold photos and videos. We only hold what was written with them, and who is tagged there."
)
"""Said where the policy lets no picture in, and none rests."""

NOT_HELD: Final = (
    N_("We do not keep what may not be used. Of content that we left out, we only hold coded numbers, no words."),
    N_("Who wrote what, who answers whom and in which group: we hold this as coded numbers, not as names."),
    _NO_PICTURES,
    N_("This copy is about the training data. It does not show what our service knows about you besides."),
    N_("The software that made this copy takes no decision about you that has legal or like effects (Art. 22 GDPR)."),
)
"""What a reader might look for and not find."""


PICTURES_FOLDER: Final = "pictures"
"""Of the copy's zip."""

_CHANGED: Final = "The corpus was changed while the copy was written, so that nothing was written: ask for it again."


@dataclass
class Counted:
    """How many rows went by."""

    own: int = 0
    about: int = 0


@dataclass(frozen=True)
class Rows:
    """The rows of the corpus, or of one version, that are by or about a person; each call reads them anew."""

    corpus: Corpus = field(repr=False)
    keys: SubjectKeys
    names: Mapping[int, str] = field(repr=False)
    """Identifiers of the person's accounts, by subject key."""
    pictures: Mapping[tuple[bytes, str], str] = field(default_factory=dict, repr=False)
    """Where the copy has the pictures that come with it, by their items' keys and what the rows call them."""

    def read(self, counted: Counted | None = None) -> Iterator[dict[str, JSON]]:
        """The rows as plain values; counts them in ``counted``.

        Raises:
            CorpusError: when the files were replaced meanwhile.
        """
        theirs = frozenset(self.keys.tolist())
        for row in self._rows():
            told = _row(row, theirs, self.pictures)
            if counted is not None:
                counted.own += told["how"] == ["author"]
                counted.about += told["how"] != ["author"]
            yield told

    def own(self) -> Iterator[tuple[dict[str, JSON], str | None]]:
        """The rows that the person wrote, each with the account that they wrote it with.

        Raises:
            CorpusError: when the files were replaced meanwhile.
        """
        theirs = frozenset(self.keys.tolist())
        return (
            (_row(row, theirs, self.pictures), self.names.get(row["author"]))
            for row in self._rows()
            if row["author"] in theirs
        )

    def about(self) -> Iterator[dict[str, JSON]]:
        """The rows of others that are about the person.

        Raises:
            CorpusError: when the files were replaced meanwhile.
        """
        theirs = frozenset(self.keys.tolist())
        return (_row(row, theirs, self.pictures) for row in self._rows() if row["author"] not in theirs)

    def _rows(self) -> Iterator[dict[str, Any]]:
        try:
            for batch in self.corpus.concerning(self.keys):
                yield from batch.select(_COLUMNS).to_pylist()
        except (OSError, ValueError, pa.ArrowException):
            raise CorpusError(_CHANGED) from None


@dataclass(frozen=True)
class Files:
    """The pictures that a copy hands out, as they rest; all that is said of them is in memory, they are not."""

    stored: Pictures = field(repr=False)
    found: Depicted = field(repr=False)

    @property
    def names(self) -> dict[tuple[bytes, str], str]:
        """Where the copy has them, by their items' keys and what the rows call them."""
        return {each: f"{PICTURES_FOLDER}/{name}" for each, name in names_of(self.found).items()}

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Each picture, with its place in the copy.

        Raises:
            CorpusError: when the files were replaced meanwhile.
        """
        addresses = [each.column(ADDRESS).to_numpy() for each in (self.found.own, self.found.about)]
        together = np.concatenate(addresses).astype(np.uint64)
        try:
            yield from zip(self.names.values(), self.stored.images(together), strict=True)
        except (OSError, ValueError, pa.ArrowException):
            raise CorpusError(_CHANGED) from None


@dataclass(frozen=True)
class VersionHeld:
    """A published version that is not retired."""

    name: str
    published: datetime
    exports: tuple[Mapping[str, JSON], ...]
    """When it was exported, and the name of the folder that it went to."""
    rows: Rows


@dataclass(frozen=True)
class Held:
    """All that is held of a person."""

    facts: Mapping[str, JSON] = field(repr=False)
    """Everything but rows and pictures."""
    corpus: Rows
    pictures: Files
    versions: tuple[VersionHeld, ...]
    language: str
    """That the person reads, one of LANGUAGES."""


def held(session: Session, account: str, language: str) -> Held:
    """What is held of the person who has ``account``, told in one of LANGUAGES; rows are read later.

    Raises:
        IdentityError: when the account is malformed.
    """
    keys = session.register.persons.own(account)
    shown = session.register.persons.shown(keys)
    names = session.register.persons.names(account)
    versions = tuple(_versions(session, shown, names))
    pictures = Files(session.beside.pictures, depicted(session, shown, OPEN_TO_ALL))
    rows = Rows(session.corpus, shown, names, pictures.names)
    return Held(_facts(session, names, keys, language), rows, pictures, versions, language)


def _facts(session: Session, names: Mapping[int, str], keys: SubjectKeys, language: str) -> dict[str, JSON]:
    register, accounts = session.register, list(names.values())
    members = [member for member in map(register.members.get, accounts) if member is not None]
    region = next((member.region for member in members if member.region), None)
    return {
        "format": 1,
        "made": session.now,
        "accounts": accounts,
        "named_together": register.persons.claimed(keys),
        "members": [_plain(vars(member)) for member in members],
        "objections": [_objection(session, each, accounts) for each in register.persons.objections(keys)],
        "claims": [_claim(session, each, accounts) for each in register.claims.of(keys)],
        "spellings": vars(register.names.kept(keys)),
        "notices": [_notice(vars(each)) for each in register.notices.of(accounts[0])],
        "kept": vars(kept_beside(session, keys)),
        "models": [vars(each) for each in _models(session, register.persons.shown(keys))],
        "information": _information(session, language, region),
        "not_held": [speaker(language)(sentence) for sentence in _not_held(session)],
    }


def _not_held(session: Session) -> list[str]:
    pictures = session.policy.pictures.come_in or session.beside.pictures.there
    return [sentence for sentence in NOT_HELD if not (pictures and sentence == _NO_PICTURES)]


def _objection(session: Session, own: OwnObjection, accounts: Sequence[str]) -> dict[str, JSON]:
    """An objection; what was said with one that also names accounts of others is not this person's to read."""
    state, unchecked = own.state, own.whole and _unchecked(own, accounts)
    told: dict[str, JSON] = {
        "channel": state.channel,
        "phase": state.phase.value,
        "binding": state.binding,
        "received": state.received,
        "confirm_by": state.confirm_by,
        "steps": [{"phase": phase, "time": time} for phase, time in own.steps],
        "shared": not own.whole,
        "unchecked": unchecked,
        "reference": state.reference if own.whole else None,
        "reason": None,
        "statement": None,
        "attachments": [],
    }
    if own.whole and not unchecked:
        register, reference = session.register, state.reference
        attached = [
            {"name": each.name, "type": each.type, "size": each.size} for each in register.attachments.of(reference)
        ]
        told |= {"reason": register.objections.reason(reference), "attachments": attached}
        told |= {"statement": register.objections.statement(reference)}
    return told


def _unchecked(own: OwnObjection, accounts: Sequence[str]) -> bool:
    """Whether nobody knows that what came with an objection was said by the holder of these accounts."""
    if any(phase == ObjectionPhase.CONFIRMED for phase, _ in own.steps):
        return False
    doubtful = own.state.channel in _TOLD or own.state.unsure
    return doubtful and not all(nameless(account) for account in accounts)


def _claim(session: Session, state: ClaimState, accounts: Sequence[str]) -> dict[str, JSON]:
    """A claim that a model repeats something; the words only where somebody checked that the person sent it."""
    unchecked = state.channel in _TOLD and not all(nameless(account) for account in accounts)
    told: dict[str, JSON] = {
        "channel": state.channel,
        "phase": state.phase.value,
        "received": state.received,
        "changed": state.changed,
        "outcome": state.outcome,
        "unchecked": unchecked,
        "reference": None if unchecked else state.reference,
        "output": None,
        "prompt": None,
        "contact": None,
        "note": None,
    }
    said = session.register.claims.said(state.reference)
    if not unchecked and said is not None:
        note = session.register.claims.note(state.reference) or None
        told |= {"output": said.output, "prompt": said.prompt, "contact": said.contact, "note": note}
    return told


def _notice(record: Mapping[str, Any]) -> dict[str, JSON]:
    digest = record["digest"]
    return _plain({**record, "digest": digest.hex() if digest else None})


def _plain(values: Mapping[str, Any]) -> dict[str, JSON]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _information(session: Session, language: str, region: str | None) -> list[JSON]:
    """What Art. 15(1)(a) to (h) GDPR asks for, as the notice says it."""
    content = NoticeContent.of(session.policy, language, region)
    return [_section(each) for each in (content.objecting, *content.sections)]


def _section(section: NoticeSection) -> dict[str, JSON]:
    def words(texts: Any) -> list[JSON]:  # noqa: ANN401  # of notices.words.Words
        return [{"label": each.label, "text": each.text, "language": each.language} for each in texts]

    return {
        "key": section.key,
        "title": section.title,
        "paragraphs": words(section.paragraphs),
        "points": words(section.points),
    }


def _versions(session: Session, keys: SubjectKeys, names: Mapping[int, str]) -> Iterator[VersionHeld]:
    gone = retired(session.register)
    exports = list(session.register.log.entries(EntryKind.VERSION_EXPORTED))
    for entry in session.register.log.entries(EntryKind.VERSION_PUBLISHED):
        name = str(entry.payload["name"])
        if name not in gone:
            corpus = Corpus.open(session.workspace.corpus_place, name)
            went = tuple(
                {"to": Path(str(each.payload["path"])).name, "time": each.time}
                for each in exports
                if each.payload["name"] == name
            )
            yield VersionHeld(name, entry.time, went, Rows(corpus, keys, names))


def _models(session: Session, keys: SubjectKeys) -> list[HeldIn]:
    """The models that hold, or held, rows by or about the person."""
    there = set(readable(session))

    def holds(version: str) -> bool:
        return version in there and held_in(session, version, keys)

    return held_in_models(session.workspace.models_path, session.register, keys, holds)


def _row(row: Mapping[str, Any], theirs: frozenset[int], pictures: Mapping[tuple[bytes, str], str]) -> dict[str, JSON]:
    own = row["author"] in theirs
    shown = own or row["audience"] in OPEN_TO_ALL
    return {
        "item": row["item"].hex(),
        "how": list(how_of(row, theirs)),
        "kind": row["kind"],
        "audience": row["audience"],
        "created": row["created"],
        "language": row["language"],
        "region": row["region"] if own else None,
        "rating": row["rating"],
        "thread": row["thread"].hex() if row["thread"] else None,
        "origin": row["origin"],
        "source": row["source"],
        "text": row["text"] if shown else None,
        "passages": [] if own else list(passages_of(row, theirs)),
        "media": [
            {
                "type": media["type"],
                "alt": media["alt"] if shown else None,
                "picture": pictures.get((row["item"], media["uri"])),
            }
            for media in row["media"]
        ],
    }


def writable(value: object) -> object:
    """What JSON does not know: days and times as ISO 8601."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError
