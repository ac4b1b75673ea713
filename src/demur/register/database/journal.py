"""What of a transaction goes into the mark: the end of the register, and what a restore can replay.

Invariants: whoever appends an entry notes its number on the connection, so that a transaction knows what it appended;
numbers are given under the write lock, so that all from the first one on are its own; what is noted names nobody: it
holds subject keys and references, with what each entry changed (effects.py), and the mark seals it.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import orjson
import sqlalchemy as sa

from demur.register.database.mark import Group, Point
from demur.register.database.tables import checkpoint, entry, kept_name
from demur.terms import BINDING, EntryKind

ROTATED: Final = "demur.rotated"
"""In the connection's own notes: the key by which the log is signed from this transaction on (signing.py)."""
MOST_UNNOTED: Final = 16
"""Transactions: more than processes that die one after another leave."""
_SPAN: Final = "demur.span"
"""In the connection's own notes: the first entry of its transaction, and the last one so far."""

REPLAYED: Final = frozenset(
    {
        EntryKind.OBJECTION_LODGED,
        EntryKind.OBJECTION_CONFIRMED,
        EntryKind.OBJECTION_LAPSED,
        EntryKind.OBJECTION_WITHDRAWN,
        EntryKind.OBJECTION_REVIVED,
        EntryKind.OBJECTION_DOUBTED,
        EntryKind.OBJECTION_ASKED,
        EntryKind.OBJECTION_REMINDED,
        EntryKind.OBJECTION_UNASKED,
        EntryKind.OBJECTION_NAMED,
        EntryKind.NAME_CLEARED,
        EntryKind.ACCOUNT_LINKED,
        EntryKind.ACCOUNT_UNLINKED,
        EntryKind.ACCOUNTS_ALIKE,
        EntryKind.CONSENT_GIVEN,
        EntryKind.CONSENT_WITHDRAWN,
        EntryKind.PERSON_ERASED,
        EntryKind.KEY_REVOKED,
        EntryKind.STAFF_REMOVED,
        EntryKind.VERSION_RETIRED,
        EntryKind.VERSION_EXPORTED,
        EntryKind.RUN_TRAINED,
        EntryKind.RUN_ROLLED_BACK,
        EntryKind.RUN_REPLAYED,
        EntryKind.RUN_DESTROYED,
        EntryKind.RUN_EXPORTED,
        EntryKind.MODEL_AUDITED,
    }
)
"""Entries whose doing a restore repeats (replay.py)."""

TOLD: Final = frozenset(
    {
        EntryKind.IMPORT_FINISHED,
        EntryKind.MEMBERS_IMPORTED,
        EntryKind.POLICY_CHANGED,
        EntryKind.VERSION_PUBLISHED,
        EntryKind.REGISTER_RESTORED,
        EntryKind.MARK_RENEWED,
        EntryKind.LOSS_ACCEPTED,
    }
)
"""Entries that a restore can't repeat, and of which it tells more than their number (loss.py): by payload alone."""

_KEPT: Final = REPLAYED | TOLD

_URGENT: Final = BINDING | {EntryKind.PERSON_ERASED, EntryKind.VERSION_PUBLISHED, EntryKind.VERSION_EXPORTED}
"""Entries that somebody relies on once they are acknowledged: the mark is on disk before."""


_ROWS: Final = (
    sa.select(entry.c.seq, entry.c.kind, entry.c.commitment, entry.c.time, entry.c.payload)
    .where(entry.c.seq.between(sa.bindparam("first"), sa.bindparam("last")))
    .order_by(entry.c.seq)
)
_LAST: Final = (1 << 63) - 1
_SIGNED: Final = (
    sa.select(checkpoint.c.size, checkpoint.c.note)
    .where(checkpoint.c.size > sa.bindparam("after"), checkpoint.c.size <= sa.bindparam("until"))
    .order_by(checkpoint.c.size.desc())
    .limit(sa.bindparam("most"))
)
_SAID: Final = sa.select(entry.c.seq, entry.c.subjects, entry.c.effect).where(
    entry.c.seq.in_(sa.bindparam("which", expanding=True))
)
"""Apart from the rest: what an import of members changed may be megabytes, and no restore repeats it."""
_NAMES: Final = sa.select(
    kept_name.c.entry, kept_name.c.account, kept_name.c.binds, kept_name.c.compiled, kept_name.c.mark
).where(kept_name.c.entry.between(sa.bindparam("first"), sa.bindparam("last")), kept_name.c.compiled.is_not(None))


def begin(connection: sa.Connection) -> None:
    """A transaction begins that has appended nothing."""
    connection.info.pop(_SPAN, None)
    connection.info.pop(ROTATED, None)


def note(connection: sa.Connection, first: int, last: int) -> None:
    """Entries were appended, from a number to a number."""
    begun, highest = connection.info.get(_SPAN, (first, last))
    connection.info[_SPAN] = begun, max(highest, last)


def span(connection: sa.Connection) -> tuple[int, int] | None:
    """The first and the last number that the transaction gave, savepoints that were taken back included."""
    noted: tuple[int, int] | None = connection.info.pop(_SPAN, None)
    return noted


def appended(connection: sa.Connection, first: int, last: int = _LAST) -> tuple[Group, Sequence[Point]] | None:
    """What was appended from a number on, up to another, and the entries with the one before; None for nothing."""
    found = connection.execute(_ROWS, {"first": first - 1, "last": last}).all()
    points = [Point(row.seq, bytes(row.commitment)) for row in found]
    rows = [row for row in found if row.seq >= first]
    if not rows:  # a savepoint took it back
        return None
    kept = [row for row in rows if row.kind in _KEPT]
    others = Counter[str](row.kind for row in rows if row.kind not in _KEPT)
    return Group(points[-1], _kept(connection, first, kept) if kept else (), others), points


def noted(connection: sa.Connection, seq: int) -> Mapping[str, Any] | None:
    """What would be noted of one entry, but for its subjects, which follow from what it says; None for no entry."""
    rows = connection.execute(_ROWS, {"first": seq, "last": seq}).all()
    if not rows:
        return None
    (found,) = _kept(connection, seq, rows)
    return {name: value for name, value in found.items() if name != "subjects"}


def unnoted(connection: sa.Connection, noted: int, before: int) -> list[Group]:
    """What was committed beyond the mark's end, with its checkpoints: whoever did so died, or notes it just now.

    Each is what one transaction appended. Other servers' marks have what is further back than that many.

    Args:
        connection: a write transaction.
        noted: the mark's end.
        before: the first entry that this transaction appended, or would append.
    """
    if before <= noted + 1:
        return []
    found = connection.execute(_SIGNED, {"after": noted, "until": before - 1, "most": MOST_UNNOTED + 1}).all()
    signed = [(row.size, row.note) for row in reversed(found)]
    if len(signed) <= MOST_UNNOTED:
        signed.insert(0, (noted, ""))
    return [
        replace(which[0], checkpoint=note)
        for (begin, _), (size, note) in pairwise(signed)
        if (which := appended(connection, begin + 1, size)) is not None
    ]


def urgent(group: Group) -> bool:
    """Whether the mark has to be on disk before anybody is told of a group."""
    noted = [each["kind"] for each in group.entries]
    return any(EntryKind(kind) in _URGENT | REPLAYED for kind in (*noted, *group.others))


def binds(group: Group) -> bool:
    """Whether a group changes what may be used."""
    return any(EntryKind(kind) in BINDING for kind in (*(each["kind"] for each in group.entries), *group.others))


def end(connection: sa.Connection) -> Point:
    """The register's last entry."""
    last = sa.select(entry.c.seq, entry.c.commitment).order_by(entry.c.seq.desc()).limit(1)
    found = connection.execute(last).one_or_none()
    return Point(0, b"") if found is None else Point(found.seq, bytes(found.commitment))


def commitment_at(connection: sa.Connection, seq: int) -> bytes | None:
    """The commitment of an entry; empty for the beginning, None where there is no such entry."""
    if seq == 0:
        return b""
    found = connection.scalar(sa.select(entry.c.commitment).where(entry.c.seq == seq))
    return None if found is None else bytes(found)


def _kept(connection: sa.Connection, first: int, rows: Sequence[Any]) -> list[Mapping[str, Any]]:
    replayed = [row.seq for row in rows if row.kind in REPLAYED]
    said = {row.seq: row for row in connection.execute(_SAID, {"which": replayed})} if replayed else {}
    names = _names(connection, first, rows[-1].seq)
    return [
        {"seq": row.seq, "kind": row.kind, "time": row.time, "payload": orjson.loads(row.payload)}
        | ({"subjects": _text(also.subjects), "effect": _text(also.effect)} if (also := said.get(row.seq)) else {})
        | ({"names": names[row.seq]} if row.seq in names else {})
        for row in rows
    ]


def _names(connection: sa.Connection, first: int, last: int) -> dict[int, list[dict[str, Any]]]:
    """The keyed names typed with the entries from a number to a number; no entry has them, as it would for ever."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(_NAMES, {"first": first, "last": last}):
        row_ = {"account": row.account, "binds": row.binds, "compiled": _text(row.compiled), "mark": row.mark}
        found.setdefault(row.entry, []).append(row_)
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
