"""Who no longer counts as told, because links prove less than they were taken to: put on record once.

Invariants: nobody is told by it who was not; who no longer counts as told is named in one binding entry, so that their
rows leave the corpus with the next honouring, and a next campaign reaches them. A register from when a link that only
covers told people, too, is brought to telling by proof when it is opened.
"""

from typing import Final

import numpy as np
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.kernel.rules import NEVER
from demur.register.database import bulk, entries, state
from demur.register.database.clock import micros
from demur.register.database.store import Store
from demur.register.database.tables import member
from demur.register.members.profiles import retell
from demur.terms import EntryKind

_BY_COVERAGE: Final = "told-by-coverage"
"""The mark that migration 0006 leaves in a register in which notices have gone out."""
_TOLD: Final = member.c.noticed_on < NEVER
_DAY: Final = np.dtype([("key", "i8"), ("day", "i8")])


def tell_by_proof(store: Store) -> None:
    """Set anew who is told, where that has not been done."""
    with store.reading() as connection:
        if state.read(connection, _BY_COVERAGE) is None:
            return
    with store.writing() as connection:
        if state.read(connection, _BY_COVERAGE) is not None:  # no other process was faster
            tell_anew(connection, bulk.read_keys(connection, sa.select(member.c.key).where(_TOLD)), micros(None))
            state.remove(connection, _BY_COVERAGE)


def tell_anew(connection: sa.Connection, keys: SubjectKeys, time: int) -> None:
    """Set the day of some accounts anew, after links prove less; an entry names those for whom it is another one."""
    columns = sa.select(member.c.key, sa.cast(member.c.noticed_on, sa.BigInteger)).order_by(member.c.key)
    told = columns.where(bulk.among(connection, member.c.key, keys))
    before = bulk.read(connection, told, _DAY)
    retell(connection, keys)
    subjects = before["key"][before["day"] != bulk.read(connection, told, _DAY)["day"]].copy()
    if len(subjects):
        payload = {"accounts": len(subjects)}
        entries.append(connection, EntryKind.NOTICES_REGROUPED, payload, time, subjects=subjects)
