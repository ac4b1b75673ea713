"""What else somebody is called, added to an objection by whoever has shown that it is theirs (ADR 0035).

Invariants: spellings count at once, as whoever adds them is proven to hold the account; all is sealed with an entry of
its own, as what was said with the objection is with its, is in the same copy, goes with the same erasure, and ends with
the objection. Accounts and links are here for the copy alone: what binds by them has objections of its own.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database import entries
from demur.register.database.records import JSON
from demur.register.database.tables import detail
from demur.register.database.vault import Vault, plain
from demur.register.members.people import People
from demur.register.members.spellings import Spellings, said_names
from demur.register.objections.states import covered_by, read_state, sealer
from demur.terms import EntryKind


def add(  # what an entry with words is made of
    connection: sa.Connection,
    people: People,
    vault: Vault,
    typed: str,
    said: Mapping[str, Sequence[str]],
    time: int,
    *,
    beside: int | None = None,
) -> None:
    """Put on record what else somebody is called, nothing where that is empty.

    Args:
        connection: a write transaction.
        people: whose accounts they are.
        vault: seals it.
        typed: the objection's reference.
        said: lists by ``states.ADDED``.
        time: microseconds since 1970-01-01, UTC.
        beside: the number of an objection, of nobody's account, that holds accounts and links; its entry names it, so
            that whoever erases one finds the other.

    Raises:
        RegisterError: for an unknown reference, an objection that has ended, or whose details were erased.
    """
    state = read_state(connection, typed)
    words: dict[str, JSON] = {name: tidied for name, some in said.items() if (tidied := _tidied(some))}
    if not words:
        return
    owner = sealer(connection, state.seq)
    if not state.binding or owner is None:
        ended = f"is {state.phase}" if not state.binding else "has lost its details to an erasure"
        raise RegisterError(f"The objection {state.reference} {ended}: lodge a new one with these names.")
    key, wrapped = owner
    sealed = vault.seal(wrapped, plain({"reason": None, "statement": words}), "detail", key)
    number, kind = entries.head(connection).seq + 1, EntryKind.OBJECTION_NAMED
    payload: dict[str, JSON] = {"names": len(said_names(words)), "objection": state.seq}
    payload |= {} if beside is None else {"beside": beside}
    covered = covered_by(connection, state.seq)
    entries.insert(connection, [entries.made(number, kind, payload, time, subjects=covered, sealed=sealed)])
    connection.execute(sa.insert(detail).values(seq=number, account=key, sealed=sealed))
    Spellings(people, vault).typed(connection, key, number, state.seq, words, binds=True)


def _tidied(lines: Sequence[str]) -> list[JSON]:
    return list(dict.fromkeys(filter(None, map(str.strip, lines))))
