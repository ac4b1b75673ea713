"""What is a person's own in the register: their accounts, what was said for them, and the destruction of it.

Invariants: an account counts as a person's own when it is the one that was asked for, or is linked with it by the
platform's members or by staff in a way that proves it (people.py); that an objection named two accounts, or that two
members gave one mail address which nobody verified, covers both, and opens, shows and erases nothing of the other
(Art. 15(4) GDPR: whoever names an account or an address does not prove that it is theirs). A mark of an erasure that
is under way stands until it is finished, and holds subject keys and no name.

Erasing destroys the keys of all accounts that are proven to be a person's, and of their profiles, and drops what they
sealed, with every mail, attachment and session of theirs, and leaves the subject keys, which say nothing without the
pepper and are needed to honour objections; what waits to be delivered to them is not delivered any more. Entries that
held words of theirs lose their salts, so that nobody can show by a commitment what they said any more; number, kind,
time, payload, subjects and effect of these stay, as they bind.

An entry without salts can't be checked against its commitment. So the entry of the erasure (`person.erased`, whose own
salts stay) names each of them with a digest of all that is left, its commitment included, and the keys that stay, and
is signed by the workspace: only who holds its key can take salts away without being seen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from demur.identity import SubjectKeys
from demur.kernel.rules import NEVER
from demur.register import claims
from demur.register.access.sessions import close_sessions
from demur.register.contact import mails, notices
from demur.register.database import bulk, entries, state
from demur.register.database.clock import micros, moment
from demur.register.database.effects import NO_ROWS, Effect
from demur.register.database.entries import Stored, content_digest
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import account, detail, doubt, entry, kept_name, letter, member, objected, objection
from demur.register.database.tables import account as account_table
from demur.register.database.vault import Vault
from demur.register.members import alike, profiles, standing
from demur.register.members.people import People, mail_account, neighbours, own_accounts
from demur.register.members.spellings import Rows, Spellings
from demur.register.members.standing import UNKNOWN_REGION
from demur.register.objections import attachments, doubts
from demur.register.objections.states import ObjectionPhase, ObjectionState, accounts_of, read_state
from demur.terms import EntryKind, NoticeStatus

_STATEMENT: Final = b"demur/person.erased\0"
"""Stands before what is signed, so that a signature is good for nothing else."""
_FAREWELL: Final = "erased"
"""The mail that tells of an erasure: it alone outlives one."""

_MAIL: Final = "mail:"
_IRC: Final = "irc:"
_UNFINISHED: Final = "erasures"
"""The progress mark: a JSON list of :class:`Erasure`."""
_STEPS: Final = (
    EntryKind.OBJECTION_CONFIRMED,
    EntryKind.OBJECTION_LAPSED,
    EntryKind.OBJECTION_WITHDRAWN,
    EntryKind.OBJECTION_REVIVED,
    EntryKind.OBJECTION_DOUBTED,
)


def erased(connection: sa.Connection, keys: SubjectKeys, signing: Ed25519PrivateKey, kept: Rows = NO_ROWS) -> Effect:
    """Destroy the salts of the entries whose words :func:`erase_keys` destroyed; what the erasure's entry says of it.

    With them go those of entries whose words a demur destroyed that left the salts.
    """
    naming = sa.select(objected.c.objection).where(bulk.among(connection, objected.c.account, keys))
    doubting = sa.select(doubt.c.entry).where(doubt.c.objection.in_(naming))
    spelling = sa.select(kept_name.c.entry).where(kept_name.c.objection.in_(naming))
    wordless = ~sa.exists().where(detail.c.seq == entry.c.seq)
    which = (
        entry.c.seq.in_(naming)
        | entry.c.seq.in_(doubting)
        | entry.c.seq.in_(spelling)
        | claims.with_words(connection, keys),
        entry.c.detail_digest.is_not(None),
        sa.func.length(entry.c.salt) > 0,
        wordless,
    )
    found = [Stored._make(row) for row in connection.execute(sa.select(entry).where(*which))]
    gone = {"salt": b"", "subject_salt": sa.case((entry.c.format.is_not(None), b""))}
    numbers = bulk.among(connection, entry.c.seq, [each.seq for each in found])
    connection.execute(sa.update(entry).where(numbers).values(**gone))
    effect = Effect(keys=keys, kept=kept, emptied={each.seq: content_digest(each) for each in found})
    return replace(effect, signature=signing.sign(_STATEMENT + effect.to_bytes()))


def is_signed(effect: Effect, public_key: Ed25519PublicKey) -> bool:
    """Whether the effect of an erasure is one that a workspace signed."""
    try:
        public_key.verify(effect.signature, _STATEMENT + replace(effect, signature=b"").to_bytes())
    except InvalidSignature:
        return False
    return True


def erase_keys(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys of accounts and of their profiles, and what they sealed."""
    gone = {"wrapped": None, "sealed": None}
    forget(connection, keys)
    theirs = bulk.among(connection, member.c.key, keys)
    connection.execute(sa.update(member).where(theirs).values(**gone, digest=None))
    connection.execute(sa.delete(detail).where(bulk.among(connection, detail.c.account, keys)))
    attachments.destroy(connection, keys)
    mails.destroy(connection, keys)
    notices.cancel(connection, keys)
    close_sessions(connection, keys)


def forget(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Destroy the keys and the identifiers of accounts."""
    theirs = bulk.among(connection, account_table.c.key, keys)
    connection.execute(sa.update(account_table).where(theirs).values(wrapped=None, sealed=None))


def drop_contact_mails(connection: sa.Connection, vault: Vault, references: Collection[str]) -> None:
    """Destroy what waits for the contact of somebody without an account: mails that only their objections tell of."""
    waiting = (letter.c.subject.is_(None), letter.c.status.in_(doubts.OPEN), letter.c.sealed.is_not(None))
    rows = connection.execute(sa.select(letter.c.id, letter.c.wrapped, letter.c.sealed).where(*waiting)).all()
    theirs = []
    for number, wrapped, sealed in rows:
        _, template, _, params = orjson.loads(vault.open(wrapped, sealed, "letter", number))
        if template != _FAREWELL and params.get("reference") in references:
            theirs.append(number)
    gone = {"wrapped": None, "sealed": None, "status": NoticeStatus.CANCELLED.value}
    connection.execute(sa.update(letter).where(bulk.among(connection, letter.c.id, theirs)).values(**gone))


@dataclass(frozen=True)
class Erasure:
    """An erasure that is under way, as far as it is known what it erases."""

    subject: int
    """The subject key of the account it was asked for."""
    reference: str
    """Of the objection that keeps the person's content out from now on."""
    own: int = 0
    """Rows of the corpus that they wrote, when it was asked for."""
    about: int = 0
    """Rows of others that named, quoted or showed them."""
    versions: Sequence[str] = ()
    """Versions that held rows of either kind."""
    recalls: Sequence[Sequence[str]] = ()
    """Exports that hold such rows: version and path."""
    unchecked: Sequence[Sequence[str]] = ()
    """Exports of versions that are gone, which could not be looked into: version and path."""
    destroyed: bool = False
    """Whether the sealed details are destroyed, so that only their traces are left to be overwritten."""
    keys: Sequence[int] = ()
    """The very accounts to erase, where a restore repeats an erasure; else those proven to be the subject's."""
    replayed: int = 0
    """The number of the entry that a restore repeats by it; 0 for none."""


@dataclass(frozen=True)
class OwnObjection:
    """An objection that names an account of a person."""

    state: ObjectionState
    steps: tuple[tuple[str, datetime], ...]
    """Its phases, and doubts about it, each with when it began."""
    whole: bool
    """Whether every account that it names is the person's own; what was said with another is not theirs to read."""


class Persons:
    """The people of one register, by what is proven to be theirs."""

    def __init__(self, store: Store, people: People, vault: Vault, signing: Ed25519PrivateKey) -> None:
        self._store = store
        self._people = people
        self._vault = vault
        self._signing = signing

    def subject(self, account: str) -> int:
        """The subject key of an account.

        Raises:
            IdentityError: for a malformed account.
        """
        return int(self._people.keys([account])[0])

    def own(self, account: str) -> SubjectKeys:
        """The keys of every account proven to be of an account's holder, sorted, shape (n,); itself where unknown.

        Raises:
            IdentityError: for a malformed account.
        """
        return self.own_of(self.subject(account))

    def own_of(self, subject: int) -> SubjectKeys:
        """The keys of every account proven to be of the holder of a subject key's account, sorted, shape (n,)."""
        with self._store.reading() as connection:
            return own_accounts(connection, [subject])

    def names(self, account: str) -> dict[int, str]:
        """The names of every account proven to be of an account's holder, by subject key; the one asked for first.

        Raises:
            IdentityError: for a malformed account.
        """
        subject = self.subject(account)
        with self._store.reading() as connection:
            keys = own_accounts(connection, [subject])
            known = dict(zip(keys.tolist(), self._people.identifiers(connection, keys), strict=True))
        asked = known.pop(subject, None) or self._people.names.canonical(account)
        return {subject: asked} | {key: name for key, name in known.items() if name}

    def erased_by(self, erasure: Erasure) -> SubjectKeys:
        """The keys of the accounts that an erasure erases, sorted, with those of :meth:`beside`."""
        keys = np.unique(np.array(erasure.keys, np.int64)) if erasure.keys else self.own_of(erasure.subject)
        return np.union1d(keys, self.beside(keys))

    def beside(self, keys: SubjectKeys) -> SubjectKeys:
        """What stands for an account in objections that hold what the holders of some accounts gave later, sorted.

        Whoever has shown that an objection is theirs may give accounts and links besides: they are sealed with an
        objection of nobody's account, by a key of its own.
        """
        found, ahead = np.zeros(0, np.int64), keys
        with self._store.reading() as connection:
            while len(ahead):
                new = np.setdiff1d(_beside(connection, ahead), found)
                found, ahead = np.union1d(found, new), new
        return found

    def shown(self, keys: SubjectKeys) -> SubjectKeys:
        """Those of somebody's accounts whose rows are shown to them, sorted.

        In a register that had another rule of spelling, a row may be of either of two accounts that were one then: it
        is shown to neither. On IRC no rule made two names one.
        """
        with self._store.reading() as connection:
            if not alike.respelt(connection):
                return keys
            pairs = alike.edges(connection)
            others = pairs[~np.isin(pairs[:, 0], keys), 1]
            names = self._people.identifiers(connection, keys)
            sure = [(name or "").startswith(_IRC) for name in names]
            return keys[~np.isin(keys, others) | np.array(sure, np.bool_)]

    def claimed(self, keys: SubjectKeys) -> int:
        """How many further accounts objections named together with these, which proves nothing."""
        with self._store.reading() as connection:
            named = sa.select(objected.c.account).where(objected.c.objection.in_(_naming(connection, keys)))
            return len(set(connection.scalars(named)) - set(keys.tolist()))

    def covered(self, subject: int) -> bool:
        """Whether an objection is in force that covers an account, be it by a link that proves nothing."""
        with self._store.reading() as connection:
            return bool(standing.suppressed(connection, np.array([subject], np.int64)).size)

    def objections(self, keys: SubjectKeys) -> list[OwnObjection]:
        """The objections that name any of these accounts, oldest first."""
        with self._store.reading() as connection:
            return [_told(connection, seq, keys) for seq in _naming(connection, keys)]

    def named(self, seq: int) -> SubjectKeys:
        """The keys of the accounts that an objection was lodged for, sorted, without what is linked with them."""
        with self._store.reading() as connection:
            return accounts_of(connection, seq)

    def addresses(self, keys: SubjectKeys) -> frozenset[str]:
        """The mail addresses on file of these accounts, each in its exact spelling.

        None that others gave, too, unless it is proven.
        """
        with self._store.reading() as connection:
            theirs = np.union1d(keys, self._brought(connection, keys))
            known = [name for name in self._people.identifiers(connection, theirs) if name]
            members = [profiles.read(connection, self._people, self._vault, name) for name in known]
        mails = [each.mail for each in members if each is not None and each.mail]
        found = {name.removeprefix(_MAIL) for name in known if name.startswith(_MAIL)}
        found |= {mail for mail in mails if mail_account(mail, self._people.names) in {None, *known}}
        return frozenset(map(self._people.names.mail, found))

    def destroy(
        self, keys: SubjectKeys, payload: Mapping[str, JSON] | None = None, *, now: datetime | None = None
    ) -> int:
        """Destroy every sealed detail of these accounts, and what members said of themselves; the entry's number.

        Args:
            keys: of the accounts, sorted.
            payload: what the entry says besides.
            now: its time.
        """
        with self._store.writing() as connection:
            brought = self._brought(connection, keys)
            kept = Spellings(self._people, self._vault).leave(connection, keys)
            told_of = {each.state.reference for each in self.objections(keys) if each.whole}
            drop_contact_mails(connection, self._vault, told_of | claims.references_of(connection, keys))
            erase_keys(connection, keys)
            forget(connection, brought)
            unknown = {"region": UNKNOWN_REGION, "birth_year": 0, "told_on": NEVER}
            consents = {"imported_consent": None, "recorded_consent": None}
            theirs = bulk.among(connection, member.c.key, keys)
            connection.execute(sa.update(member).where(theirs).values(**unknown, **consents))
            effect, said = erased(connection, keys, self._signing, kept), payload or {"accounts": len(keys)}
            kind = EntryKind.PERSON_ERASED
            return entries.append(connection, kind, said, micros(now), subjects=keys, effect=effect)

    def _brought(self, connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
        """Mail addresses that are on record because members with these accounts gave them, and for nothing else."""
        near = neighbours(connection, keys)[:, 1]
        far = neighbours(connection, near)
        others = _known(connection, np.setdiff1d(far[:, 1], keys))
        shared = far[np.isin(far[:, 1], others), 0]
        alone = np.setdiff1d(near, np.union1d(np.union1d(keys, shared), _spoken_for(connection, near)))
        names = self._people.identifiers(connection, alone)
        return alone[[name is not None and name.startswith(_MAIL) for name in names]]

    def scrub(self) -> bool:
        """Overwrite what was destroyed, as far as the database can; false while a reader keeps it from that."""
        return self._store.scrub()

    # Erasures that are under way

    def erasures(self) -> list[Erasure]:
        """Those that are not finished, oldest first."""
        with self._store.reading() as connection:
            stored = state.read(connection, _UNFINISHED)
        return [Erasure(**each) for each in orjson.loads(stored or "[]")]

    def note(self, erasure: Erasure) -> None:
        """Put an erasure on record, or what is known of it now."""
        with self._store.writing():
            others = [each for each in self.erasures() if each.subject != erasure.subject]
            self._put([*others, erasure])

    def finished(self, erasure: Erasure) -> None:
        """Strike an erasure off, unless it was asked for again since its details were destroyed."""
        with self._store.writing():
            self._put([each for each in self.erasures() if each.subject != erasure.subject or not each.destroyed])

    def _put(self, erasures: Sequence[Erasure]) -> None:
        value = orjson.dumps([asdict(each) for each in erasures]).decode()
        with self._store.writing() as connection:
            state.write(connection, _UNFINISHED, value)


def merged(first: Erasure, second: Erasure) -> Erasure:
    """What two looks at one erasure found; how far it got is what the second one says."""
    return replace(
        second,
        own=max(first.own, second.own),
        about=max(first.about, second.about),
        versions=sorted({*first.versions, *second.versions}),
        recalls=sorted({tuple(each) for each in (*first.recalls, *second.recalls)}),
        unchecked=sorted({tuple(each) for each in (*first.unchecked, *second.unchecked)}),
    )


def _known(connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
    """Those of some accounts that were not erased."""
    here = (bulk.among(connection, account.c.key, keys), account.c.wrapped.is_not(None))
    return bulk.read_keys(connection, sa.select(account.c.key).where(*here))


def _spoken_for(connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
    """Those of some accounts that somebody objected for, or that are a member's."""
    objecting = sa.select(objected.c.account).where(bulk.among(connection, objected.c.account, keys))
    members = sa.select(member.c.key).where(bulk.among(connection, member.c.key, keys))
    return np.union1d(bulk.read_keys(connection, objecting), bulk.read_keys(connection, members))


def _beside(connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
    """The accounts of the objections that hold what was given besides, by entries whose words these accounts seal."""
    added = (bulk.among(connection, kept_name.c.account, keys), kept_name.c.entry != kept_name.c.objection)
    words = sa.select(entry.c.payload).where(entry.c.seq.in_(sa.select(kept_name.c.entry).where(*added)))
    payloads = [_payload(payload) for payload in connection.scalars(words)]
    numbers = [int(str(said["beside"])) for said in payloads if "beside" in said]
    theirs = sa.select(objected.c.account).where(bulk.among(connection, objected.c.objection, numbers))
    return bulk.read_keys(connection, theirs)


def _naming(connection: sa.Connection, keys: SubjectKeys) -> list[int]:
    theirs = sa.select(objected.c.objection).where(bulk.among(connection, objected.c.account, keys))
    return list(connection.scalars(theirs.distinct().order_by(objected.c.objection)))


def _told(connection: sa.Connection, seq: int, keys: SubjectKeys) -> OwnObjection:
    reference = connection.scalar(sa.select(objection.c.reference).where(objection.c.seq == seq))
    accounts = connection.scalars(sa.select(objected.c.account).where(objected.c.objection == seq))
    found = read_state(connection, str(reference))
    return OwnObjection(found, _steps(connection, found), set(accounts) <= set(keys.tolist()))


def _steps(connection: sa.Connection, found: ObjectionState) -> tuple[tuple[str, datetime], ...]:
    """An objection's phases, as the log has them; nothing but the entries after it is looked at."""
    columns = sa.select(entry.c.kind, entry.c.time, entry.c.payload)
    later = columns.where(entry.c.kind.in_([kind.value for kind in _STEPS]), entry.c.seq > found.seq)
    likely = later.where(entry.c.payload.contains(f'"objection":{found.seq}')).order_by(entry.c.seq)
    rows: list[tuple[str, int, Any]] = [(kind, time, payload) for kind, time, payload in connection.execute(likely)]
    steps = [
        (kind.removeprefix("objection."), moment(time))
        for kind, time, payload in rows
        if _payload(payload).get("objection") == found.seq
    ]
    return ((ObjectionPhase.LODGED.value, found.lodged), *steps)


def _payload(stored: str) -> dict[str, JSON]:
    payload: dict[str, JSON] = orjson.loads(stored)
    return payload
