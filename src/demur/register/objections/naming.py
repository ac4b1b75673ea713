"""Spellings of a name that are added to an objection, by whoever has shown that it is theirs (ADR 0035).

Invariants: they count at once, as whoever adds them is proven to hold the account; they are sealed with an entry of
their own, as what was said with the objection is with its, go with the same erasure, and end with the objection.
"""

from collections.abc import Sequence

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
    names: Sequence[str],
    former: Sequence[str],
    time: int,
) -> None:
    """Put spellings on record; none of them is an error, and nothing where there is none.

    Raises:
        RegisterError: for an unknown reference, an objection that has ended, or whose details were erased.
    """
    state = read_state(connection, typed)
    said: dict[str, JSON] = {"names": list(names), "former": list(former)}
    spelt = len(said_names(said))
    if not spelt:
        return
    owner = sealer(connection, state.seq)
    if not state.binding or owner is None:
        ended = f"is {state.phase}" if not state.binding else "has lost its details to an erasure"
        raise RegisterError(f"The objection {state.reference} {ended}: lodge a new one with these names.")
    key, wrapped = owner
    sealed = vault.seal(wrapped, plain({"reason": None, "statement": said}), "detail", key)
    number, kind = entries.head(connection).seq + 1, EntryKind.OBJECTION_NAMED
    payload: dict[str, JSON] = {"names": spelt, "objection": state.seq}
    covered = covered_by(connection, state.seq)
    entries.insert(connection, [entries.made(number, kind, payload, time, subjects=covered, sealed=sealed)])
    connection.execute(sa.insert(detail).values(seq=number, account=key, sealed=sealed))
    Spellings(people, vault).typed(connection, key, number, state.seq, said, binds=True)
