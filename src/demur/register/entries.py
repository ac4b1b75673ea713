"""The log: entries that are appended, numbered without a gap, and committed to.

Invariants: entries are appended only under the write lock, so `seq` counts 1, 2, 3, ...; an entry is never changed;
a binding entry (terms.BINDING) names the subject keys whose standing it may change. An entry's commitment is
``SHA-256(salt || canonical entry)`` with 32 random bytes of salt; the canonical entry is JSON with sorted keys and
no spaces (the form of RFC 8785) of `seq`, `kind`, `time`, `payload`, and the SHA-256 of `subjects` and of the sealed
detail. The commitment is what will become the leaf of an RFC 9162 tree: it can be published without telling
anything, and the detail can be erased without breaking it.
"""

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register import journal
from demur.register.clock import moment
from demur.register.records import JSON, Changes, Entry, Head
from demur.register.tables import detail, entry
from demur.terms import BINDING, EntryKind

SALT_BYTES: Final = 32
_PAGE: Final = 1000


def head(connection: sa.Connection) -> Head:
    """The numbers of the last entry and of the last binding one."""
    last = sa.select(sa.func.max(entry.c.seq)).scalar_subquery()
    binding = sa.select(sa.func.max(entry.c.seq)).where(entry.c.binding.is_(True)).scalar_subquery()
    seq, bound = connection.execute(sa.select(last, binding)).one()
    return Head(seq or 0, bound or 0)


def append(  # an entry has this many parts
    connection: sa.Connection,
    kind: EntryKind,
    payload: Mapping[str, JSON],
    time: int,
    *,
    subjects: SubjectKeys | None = None,
    sealed: bytes | None = None,
    owner: int | None = None,
) -> int:
    """Append an entry; the caller holds the write lock.

    Args:
        connection: a write transaction.
        kind: what it records.
        payload: its facts, which name nobody.
        time: microseconds since 1970-01-01, UTC.
        subjects: the keys whose standing it may change, shape (n,).
        sealed: its personal details, sealed.
        owner: the subject key of the account whose key seals them.

    Returns:
        Its number.
    """
    seq = head(connection).seq + 1
    values: dict[str, Any] = {
        "seq": seq,
        "kind": kind.value,
        "binding": kind in BINDING,
        "time": time,
        "payload": canonical_json(payload).decode(),
        "salt": os.urandom(SALT_BYTES),
        "detail_digest": None if sealed is None else hashlib.sha256(sealed).digest(),
        "subjects": None if subjects is None else subjects.astype("<i8").tobytes(),
    }
    connection.execute(sa.insert(entry).values(**values, commitment=commitment(**values)))
    journal.note(connection, seq)
    if sealed is not None:
        connection.execute(sa.insert(detail).values(seq=seq, account=owner, sealed=sealed))
    return seq


def commitment(  # it commits to every part of an entry
    *,
    seq: int,
    kind: str,
    time: int,
    payload: str,
    salt: bytes,
    detail_digest: bytes | None,
    subjects: bytes | None,
    **_: object,
) -> bytes:
    """The salted commitment to a stored entry, 32 bytes; see the module's docstring."""
    canonical = canonical_json(
        {
            "detail": None if detail_digest is None else detail_digest.hex(),
            "kind": kind,
            "payload": orjson.loads(payload),
            "seq": seq,
            "subjects": None if subjects is None else hashlib.sha256(subjects).hexdigest(),
            "time": moment(time).isoformat(),
        }
    )
    return hashlib.sha256(salt + canonical).digest()


def canonical_json(value: Mapping[str, JSON]) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


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
    return Changes(subjects, EntryKind.POLICY_CHANGED in kinds, head(connection))


def last_of(connection: sa.Connection, kind: EntryKind) -> Mapping[str, JSON] | None:
    """The payload of the last entry of a kind."""
    statement = sa.select(entry.c.payload).where(entry.c.kind == kind.value).order_by(entry.c.seq.desc()).limit(1)
    payload = connection.scalar(statement)
    return None if payload is None else dict(orjson.loads(payload))
