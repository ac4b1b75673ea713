"""Which subject keys are spellings of one account: the exact key, and those that other rules gave it (spelling.py).

Invariants: a pair is noted in an entry of its own, ``accounts.alike``, whose subjects are the pairs one after the
other, the exact key first; it is never taken back, so that whoever objected under an old spelling stays covered, also
when nothing but keys is left of them. A pair covers and proves nothing: what is shown, erased and mailed goes by exact
keys. What the policy declared of names, now and before, is the mark ``spelling``: the rules in their order.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.identity import Pairs
from demur.register.database import entries, state
from demur.register.database.tables import entry
from demur.spelling import RULE, Names
from demur.terms import EntryKind

SPELLING: Final = "spelling"
"""The mark: a JSON list of rules, each with its number and what was declared under it; the last one is in force."""

FIRST: Final[dict[str, Any]] = {"rule": 1}


def note(connection: sa.Connection, pairs: Pairs, time: int) -> int | None:
    """Put pairs on record that are not yet; the entry's number, or None. The caller holds the write lock."""
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if not len(pairs):
        return None
    known = set(map(tuple, edges(connection).tolist()))
    new = sorted(set(map(tuple, pairs.tolist())) - known)
    if not new:
        return None
    subjects = np.array(new, np.int64).ravel()
    return entries.append(connection, EntryKind.ACCOUNTS_ALIKE, {"pairs": len(new)}, time, subjects=subjects)


def edges(connection: sa.Connection) -> Pairs:
    """Every pair on record, in the order of the log."""
    blobs = sa.select(entry.c.subjects).where(entry.c.kind == EntryKind.ACCOUNTS_ALIKE.value).order_by(entry.c.seq)
    found = b"".join(blob or b"" for blob in connection.scalars(blobs))
    return np.frombuffer(found, dtype="<i8").astype(np.int64).reshape(-1, 2)


# The rules that were ever in force


def rules(connection: sa.Connection) -> list[dict[str, Any]]:
    """The rules in their order; empty where none was ever noted."""
    stored = state.read(connection, SPELLING)
    found: list[dict[str, Any]] = orjson.loads(stored or "[]")
    return found


def put(connection: sa.Connection, known: Sequence[dict[str, Any]]) -> None:
    """Set the mark."""
    state.write(connection, SPELLING, orjson.dumps(list(known), option=orjson.OPT_SORT_KEYS).decode())


def respelt(connection: sa.Connection) -> bool:
    """Whether accounts of this register were spelt by another rule before: then likeness reaches whole people.

    A row of that time may be of either of two accounts that were one then, and so may what was linked with it.
    """
    return len(rules(connection)) > 1


def written(names: Names) -> dict[str, Any]:
    """A rule as the mark has it."""
    profiles = [list(each) for each in names.profiles]
    return {
        "rule": RULE,
        "ignore_case": sorted(names.ignore_case),
        "mail_case": names.mail_case,
        "profiles": profiles,
    }


def read(rule: dict[str, Any]) -> Names:
    """A rule of the mark; rule 1, which every name is looked up by anyway, folded as one that declares nothing."""
    if rule["rule"] == FIRST["rule"]:
        return Names()
    profiles = tuple((str(namespace), str(pattern)) for namespace, pattern in rule["profiles"])
    return Names(frozenset(rule["ignore_case"]), bool(rule["mail_case"]), profiles)
