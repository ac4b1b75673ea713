"""The log: entries that are appended, numbered without a gap, and committed to; and the log as others see it.

Invariants: entries are appended only under the write lock, so `seq` counts 1, 2, 3, ...; an entry is never changed (an
erasure destroys the salts of some, see persons.py); a binding entry (terms.BINDING) names the subject keys whose
standing it may change, and its effect says what it changed (effects.py). :func:`made` and :func:`insert` are the one
way into the table. Only entries that bind nothing can be appended from outside, by :class:`Log`; a binding entry is
appended by the method that makes its change, in the same transaction. Compare-and-append compares the last *binding*
entry (law 3).

An entry's commitment is ``SHA-256(salt || canonical entry)`` with 32 random bytes of salt; the canonical entry is JSON
in the form of RFC 8785 (canonical.py) of `format`, `seq`, `kind`, `time`, `payload`, the SHA-256 of the
sealed detail, and ``SHA-256(subject salt || ...)`` of `subjects` and of `effect`, with another 32 random bytes.
Whoever is shown entry and salt learns what happened, and not to whose subject keys. The first format (null in the
table) had neither `format` nor `effect`, and the SHA-256 of `subjects` without a salt.

An objection's entry is of format 3. Of its subjects it commits apart to those that are proven to be of who holds the
first account that it names, and to the others: ``SHA-256(SHA-256(salt || own) || SHA-256(salt || others))``, keys as 8
bytes, big-endian, each half under a salt that is derived from the subject salt. So :func:`own_subjects` shows a
person all that is theirs, and neither whom else the objection covers nor whether there is anybody (ADR 0017).

The commitment is the leaf of an
RFC 9162 tree (tree.py): it can be published without telling anything, and the detail can be erased without breaking
it.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import sqlalchemy as sa

from demur.canonical import canonical_json
from demur.errors import RegisterError
from demur.identity import SubjectKeys, inside
from demur.register.database import journal
from demur.register.database.clock import micros, moment
from demur.register.database.effects import NO_KEYS, Effect
from demur.register.database.records import JSON, Changes, Entry, Head, Told
from demur.register.database.store import Store
from demur.register.database.tables import entry
from demur.terms import BINDING, EntryKind

FORMAT: Final = 2
"""Of the entries that are made now,"""
OWN_FORMAT: Final = 3
"""and of those whose subjects are committed to in two halves."""
SALT_BYTES: Final = 32
_EMPTIED: Final = b"demur/emptied\0"
_OWN: Final = b"demur/subjects/own\0"
_OTHERS: Final = b"demur/subjects/others\0"
_INSERT: Final = sa.insert(entry)
_HEAD: Final = sa.select(
    sa.select(sa.func.max(entry.c.seq)).scalar_subquery(),
    sa.select(sa.func.max(entry.c.seq)).where(entry.c.binding.is_(True)).scalar_subquery(),
)
_FIRST: Final = b'{"detail":%b,"kind":%b,"payload":%b,"seq":%d,"subjects":%b,"time":"%b"}'
_SECOND: Final = b'{"detail":%b,"effect":%b,"format":%d,"kind":%b,"payload":%b,"seq":%d,"subjects":%b,"time":"%b"}'
_PAGE: Final = 1000


class Stored(NamedTuple):
    """A row of `entry`; the fields are the table's columns, in their order."""

    seq: int
    kind: str
    binding: bool
    time: int
    payload: str
    salt: bytes
    commitment: bytes
    detail_digest: bytes | None
    subjects: bytes | None
    format: int | None
    subject_salt: bytes | None
    effect: bytes | None


def head(connection: sa.Connection) -> Head:
    """The numbers of the last entry and of the last binding one."""
    seq, bound = connection.execute(_HEAD).one()
    return Head(seq or 0, bound or 0)


def append(  # an entry has this many parts
    connection: sa.Connection,
    kind: EntryKind,
    payload: Mapping[str, JSON],
    time: int,
    *,
    subjects: SubjectKeys | None = None,
    effect: Effect | None = None,
) -> int:
    """Append an entry without a detail; the caller holds the write lock.

    Args:
        connection: a write transaction.
        kind: what it records.
        payload: its facts, which name nobody.
        time: microseconds since 1970-01-01, UTC.
        subjects: the keys whose standing it may change, shape (n,).
        effect: what it changed.

    Returns:
        Its number.
    """
    seq = head(connection).seq + 1
    insert(connection, [made(seq, kind, payload, time, subjects=subjects, effect=effect)])
    return seq


def insert(connection: sa.Connection, made_ones: Sequence[Mapping[str, Any]]) -> None:
    """Append entries that :func:`made` gave, with the numbers that come next."""
    connection.execute(_INSERT, made_ones)
    journal.note(connection, made_ones[0]["seq"], made_ones[-1]["seq"])


def made(  # an entry has this many parts
    seq: int,
    kind: EntryKind,
    payload: Mapping[str, JSON],
    time: int,
    *,
    subjects: SubjectKeys | None = None,
    effect: Effect | None = None,
    sealed: bytes | None = None,
) -> dict[str, Any]:
    """The row of a new entry, with fresh salts; arguments as of :func:`append`, and its sealed detail."""
    noise = os.urandom(2 * SALT_BYTES)
    bare = Stored(
        seq=seq,
        kind=kind.value,
        binding=kind in BINDING,
        time=time,
        payload=canonical_json(payload).decode(),
        salt=noise[:SALT_BYTES],
        commitment=b"",
        detail_digest=None if sealed is None else hashlib.sha256(sealed).digest(),
        subjects=None if subjects is None else subjects.astype("<i8").tobytes(),
        format=OWN_FORMAT if effect is not None and effect.own else FORMAT,
        subject_salt=noise[SALT_BYTES:],
        effect=None if effect is None else effect.to_bytes(),
    )
    return {**bare._asdict(), "commitment": commitment(bare)}


def commitment(stored: Stored) -> bytes:
    """The salted commitment to an entry, 32 bytes; see the module's docstring.

    Raises:
        ValueError, OverflowError: for a format or a time that no entry has.
    """
    return hashlib.sha256(stored.salt + opened(stored)).digest()


def opened(stored: Stored) -> bytes:
    """An entry as it is shown to others: with its first salt in front, its SHA-256 is the commitment."""
    return _canonical(stored, stored.subject_salt or b"")


def content_digest(stored: Stored) -> bytes:
    """What stands for an entry once its salts are destroyed: SHA-256 of all the rest, its commitment included."""
    return hashlib.sha256(_EMPTIED + stored.commitment + _canonical(stored, b"")).digest()


def _canonical(stored: Stored, salt: bytes) -> bytes:
    """Canonical JSON of an entry, put together from its payload, which is stored in that form already."""
    detail = _quoted(stored.detail_digest)
    kind, payload, when = orjson.dumps(stored.kind), stored.payload.encode(), moment(stored.time).isoformat().encode()
    if stored.format is None:
        return _FIRST % (detail, kind, payload, stored.seq, _hashed(salt, stored.subjects), when)
    if stored.format == FORMAT:
        subjects = _hashed(salt, stored.subjects)
    elif stored.format == OWN_FORMAT:
        own, others = _halves(stored, salt)
        subjects = _quoted(hashlib.sha256(own.digest + others.digest).digest())
    else:
        raise ValueError("This demur knows no such format of an entry.")
    return _SECOND % (detail, _hashed(salt, stored.effect), stored.format, kind, payload, stored.seq, subjects, when)


class Half(NamedTuple):
    """Some subject keys of an entry, and what opens that it commits to them."""

    keys: bytes
    """8 bytes each, big-endian, end to end."""
    salt: bytes

    @property
    def digest(self) -> bytes:
        """What the entry's `subjects` is made of."""
        return hashlib.sha256(self.salt + self.keys).digest()


def own_subjects(stored: Stored) -> tuple[Half, bytes]:
    """The keys that are proven to be of who holds the first account of an objection, and what stands for the others.

    Raises:
        ValueError: for an entry that does not say them apart.
    """
    if stored.format != OWN_FORMAT or not stored.subject_salt:
        raise ValueError("This entry does not say apart whose its subjects are.")
    own, others = _halves(stored, stored.subject_salt)
    return own, others.digest


def _halves(stored: Stored, salt: bytes) -> tuple[Half, Half]:
    subjects = np.frombuffer(stored.subjects or b"", "<i8").astype(">i8").tobytes()
    end = 8 * int(orjson.loads(stored.effect or b"{}").get("own", 0))
    own, others = hashlib.sha256(_OWN + salt).digest(), hashlib.sha256(_OTHERS + salt).digest()
    return Half(subjects[:end], own), Half(subjects[end:], others)


def _hashed(salt: bytes, value: bytes | None) -> bytes:
    return _quoted(None if value is None else hashlib.sha256(salt + value).digest())


def _quoted(digest: bytes | None) -> bytes:
    return b"null" if digest is None else b'"%b"' % digest.hex().encode()


def page(connection: sa.Connection, kind: EntryKind | None, after: int) -> list[Entry]:
    """The next entries after a number, of one kind or of any; at most a thousand, none at the end."""
    columns = (entry.c.seq, entry.c.kind, entry.c.time, entry.c.payload, entry.c.commitment)
    statement = sa.select(*columns).where(entry.c.seq > after).order_by(entry.c.seq).limit(_PAGE)
    if kind is not None:
        statement = statement.where(entry.c.kind == kind.value)
    return [
        Entry(seq, EntryKind(name), moment(time), orjson.loads(payload), bytes(committed))
        for seq, name, time, payload, committed in connection.execute(statement)
    ]


def changes(connection: sa.Connection, after: int) -> Changes:
    """What the binding entries after a number may have changed."""
    statement = sa.select(entry.c.kind, entry.c.subjects).where(entry.c.binding.is_(True), entry.c.seq > after)
    kinds, blobs = set(), [b""]
    for kind, subjects in connection.execute(statement):
        kinds.add(kind)
        blobs.append(subjects or b"")
    subjects = np.unique(np.frombuffer(b"".join(blobs), dtype="<i8")).astype(np.int64)
    told = _told(connection, after) if EntryKind.EVIDENCE_TOLD in kinds else Told(NO_KEYS, NO_KEYS)
    return Changes(subjects, EntryKind.POLICY_CHANGED in kinds, head(connection), told)


def erased(connection: sa.Connection, after: int) -> SubjectKeys:
    """The keys of whoever was erased in entries after a number: nothing is known of them since, also of no member."""
    erasing = sa.select(entry.c.subjects).where(entry.c.kind == EntryKind.PERSON_ERASED.value, entry.c.seq > after)
    found = b"".join(subjects or b"" for subjects in connection.scalars(erasing))
    return np.unique(np.frombuffer(found, dtype="<i8")).astype(np.int64)


def _told(connection: sa.Connection, after: int) -> Told:
    """What imports told since the entry with a number."""
    statement = sa.select(entry.c.effect).where(entry.c.kind == EntryKind.EVIDENCE_TOLD.value, entry.c.seq > after)
    effects = [Effect.read(stored) for stored in connection.scalars(statement)]
    threads, wrote = (
        np.unique(np.concatenate(each)) for each in zip(*((e.threads, e.keys) for e in effects), strict=True)
    )
    return Told(threads, wrote)


def last_of(connection: sa.Connection, kind: EntryKind) -> Mapping[str, JSON] | None:
    """The payload of the last entry of a kind."""
    statement = sa.select(entry.c.payload).where(entry.c.kind == kind.value).order_by(entry.c.seq.desc()).limit(1)
    payload = connection.scalar(statement)
    return None if payload is None else dict(orjson.loads(payload))


class Log:
    """The entries of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> Head:
        """The numbers of the last entry and of the last binding one."""
        with self._store.reading() as connection:
            return head(connection)

    def entries(self, kind: EntryKind | None = None, after: int = 0) -> Iterator[Entry]:
        """The entries with a number greater than ``after``, of one kind or of all, in order."""
        while True:
            with self._store.reading() as connection:
                found = page(connection, kind, after)
            if not found:
                return
            yield from found
            after = found[-1].seq

    def concerning(self, kinds: Iterable[EntryKind], subjects: SubjectKeys) -> list[Entry]:
        """The entries of some kinds that concern any of these people, shape (n,), in order; all of a kind are read."""
        kind, wanted = entry.c.kind.in_([each.value for each in kinds]), np.unique(subjects)
        columns = (entry.c.seq, entry.c.kind, entry.c.time, entry.c.payload, entry.c.commitment, entry.c.subjects)
        statement = sa.select(*columns).where(kind, entry.c.subjects.is_not(None)).order_by(entry.c.seq)
        with self._store.reading() as connection:
            return [
                Entry(seq, EntryKind(name), moment(time), orjson.loads(payload), bytes(committed))
                for seq, name, time, payload, committed, theirs in connection.execute(statement)
                if inside(np.frombuffer(theirs, "<i8"), wanted).any()
            ]

    def last(self, kind: EntryKind) -> Mapping[str, JSON] | None:
        """The payload of the last entry of a kind, found by the kind, however many there are; None if there is none."""
        with self._store.reading() as connection:
            return last_of(connection, kind)

    def append(
        self,
        kind: EntryKind,
        payload: Mapping[str, JSON],
        *,
        subjects: SubjectKeys | None = None,
        now: datetime | None = None,
    ) -> int:
        """Append an entry that binds nothing; its number.

        Args:
            kind: what it records.
            payload: its facts, which name nobody.
            subjects: the keys of those whom it concerns, shape (n,).
            now: its time.

        Raises:
            RegisterError: for a binding kind, which only its own method may append.
        """
        with self._store.writing() as connection:
            return append(connection, _unbinding(kind), payload, micros(now), subjects=subjects)

    def append_all(
        self, kind: EntryKind, payloads: Sequence[Mapping[str, JSON]], *, now: datetime | None = None
    ) -> None:
        """Append entries of a kind that binds nothing and concerns nobody, in their order.

        Raises:
            RegisterError: for a binding kind.
        """
        time = micros(now)
        with self._store.writing() as connection:
            first = head(connection).seq + 1
            rows = [made(seq, _unbinding(kind), each, time) for seq, each in enumerate(payloads, first)]
            if rows:
                insert(connection, rows)

    def append_if(
        self, binding: int, kind: EntryKind, payload: Mapping[str, JSON], *, now: datetime | None = None
    ) -> int | None:
        """Append an entry that binds nothing, only while the last binding entry is still number ``binding``.

        Returns:
            Its number, or None if a binding entry came between.
        """
        with self._store.writing() as connection:
            if head(connection).binding != binding:
                return None
            return append(connection, _unbinding(kind), payload, micros(now))

    def note_import(
        self, payload: Mapping[str, JSON], told: Told | None = None, *, now: datetime | None = None
    ) -> None:
        """Record an import, and beside it, as a binding entry, what it told that versions have to be judged by."""
        with self._store.writing() as connection:
            append(connection, EntryKind.IMPORT_FINISHED, payload, micros(now))
            if told:
                counts = {"import": payload["number"], "threads": len(told.threads), "people": len(told.wrote)}
                effect = Effect(keys=told.wrote, threads=told.threads)
                append(connection, EntryKind.EVIDENCE_TOLD, counts, micros(now), effect=effect)

    def note_policy(self, rules_hash: str, *, now: datetime | None = None) -> int | None:
        """Record the policy in force, if it is another one than before; the entry's number, or None."""
        with self._store.writing() as connection:
            if last_of(connection, EntryKind.POLICY_CHANGED) == {"rules": rules_hash}:
                return None
            return append(connection, EntryKind.POLICY_CHANGED, {"rules": rules_hash}, micros(now))


def _unbinding(kind: EntryKind) -> EntryKind:
    if kind in BINDING:
        raise RegisterError(f"An entry {kind} changes what may be used: record it by its own method.")
    return kind
