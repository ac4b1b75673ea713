"""Keyed names, replayed: that what was typed is kept, that what an erasure left stays until it ends, and decisions.

What stands in a row can't be made again once its person was erased, so a row is checked by its mark, which only a
register with these keys can make; that such a row is there follows from the entries.
"""

from collections.abc import Callable
from typing import Any, Final

import orjson
import sqlalchemy as sa

from demur.register.database.effects import Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import cleared, kept_name, objected
from demur.register.database.vault import Vault
from demur.register.members.spellings import OWN, mark_of
from demur.terms import EntryKind

_ENDING: Final = frozenset(
    {EntryKind.OBJECTION_LAPSED.value, EntryKind.OBJECTION_WITHDRAWN.value, EntryKind.ACCOUNT_UNLINKED.value}
)
_TYPING: Final = frozenset({EntryKind.OBJECTION_LODGED.value, EntryKind.OBJECTION_NAMED.value})
_KINDS: Final = frozenset({*_ENDING, *_TYPING, EntryKind.PERSON_ERASED.value, EntryKind.NAME_CLEARED.value})

_Place = tuple[int, int]
"""Account and entry of a row."""


class Names:
    """The names and decisions of the entries that were read so far."""

    kinds: Final = _KINDS

    def __init__(self, connection: sa.Connection, vault: Vault, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._vault = vault
        self._report = report
        self._typed: dict[int, int] = {}
        """The objection of each entry with which names were typed."""
        self._left: dict[_Place, int] = {}
        """The mark of each row that erasures left."""
        self._cleared: set[_Place] = set()

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            KeyError, TypeError, ValueError: when it does not say what it must.
        """
        if stored.kind in _TYPING:
            payload = orjson.loads(stored.payload)
            if payload.get("names"):
                self._typed[stored.seq] = int(payload.get("objection", stored.seq))
            return
        effect = Effect.read(stored.effect)
        self._left |= {(account, entry): mark for account, entry, mark in effect.kept.tolist()}
        for place in map(tuple, effect.ended.tolist()):
            self._left.pop(place, None)
        self._cleared.update((item, subject) for item, subject in effect.cleared.tolist())

    def finish(self) -> None:
        """Compare with the tables."""
        left, typed = dict(self._left), dict(self._typed)
        for row in self._connection.execute(sa.select(kept_name)):
            self._row(row, left.pop((row.account, row.entry), None), typed.pop(row.entry, None))
        for account, _ in left:
            self._report(f"The keyed names of account {account}, which an erasure left, are missing.")
        for entry in typed:
            self._report(f"The keyed names that were typed with entry {entry} are missing.")
        self._owners()
        self._decisions()

    def _row(self, row: Any, left: int | None, objection: int | None) -> None:  # noqa: ANN401  # a row
        if row.compiled is not None and row.mark != mark_of(self._vault, row._mapping):  # noqa: SLF001  # SQLAlchemy's name
            self._report(f"The keyed names of account {row.account} ({row.entry}) are not those that were made.")
        elif left is not None and left != row.mark:
            self._report(f"The keyed names of account {row.account} ({row.entry}) are not those that an erasure left.")
        if row.entry < OWN and left is None:
            self._report(f"Keyed names of account {row.account} stand as left by an erasure, and no entry says so.")
        if objection is not None and objection != row.objection:
            self._report(f"The keyed names of entry {row.entry} stand with another objection than it says.")

    def _owners(self) -> None:
        named = sa.exists().where(
            objected.c.objection == kept_name.c.objection, objected.c.account == kept_name.c.account
        )
        rows = sa.select(kept_name.c.entry).where(kept_name.c.entry > OWN, ~named)
        for entry in self._connection.scalars(rows):
            self._report(f"The keyed names of entry {entry} are an account's that its objection does not name.")

    def _decisions(self) -> None:
        rows = {(row.item, row.subject) for row in self._connection.execute(sa.select(cleared))}
        for _, subject in sorted(rows ^ self._cleared):
            self._report(f"What officers decided about finds of {subject} is not what the entries say.")
