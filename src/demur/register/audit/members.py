"""Members, consents and sealed identifiers: whether they are what was imported and recorded.

What an import said of a member is in no entry: an erasure could not take it out again. Its entry has a keyed digest of
each row instead, so that a row that was changed is seen, and one that was erased says nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from demur.errors import IdentityError
from demur.kernel.rules import NEVER
from demur.register.audit.latest import Latest, matched
from demur.register.database import bulk
from demur.register.database.effects import Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import account, member
from demur.register.database.vault import Vault
from demur.register.members.people import People
from demur.register.members.standing import UNKNOWN_REGION
from demur.terms import EntryKind

_CONSENT: Final = {EntryKind.CONSENT_GIVEN.value: 1, EntryKind.CONSENT_WITHDRAWN.value: 0}
KINDS: Final = frozenset({*_CONSENT, EntryKind.MEMBERS_IMPORTED.value, EntryKind.PERSON_ERASED.value})
"""The entries that change what is known of members."""

_NONE: Final = -1
_ERASED: Final = (UNKNOWN_REGION, 0, NEVER, None)
"""Region, birth year, told on and imported consent of a member of whom nothing is known."""
_RECORDED: Final = np.dtype([("key", "i8"), ("recorded", "i8")])
_MARKED: Final = np.dtype([("key", "i8"), ("marked", "i8"), ("mark", "i8")])
_PAGE: Final = 5_000


class Members:
    """What the entries that were read so far say of members."""

    def __init__(self, connection: sa.Connection, people: People, vault: Vault, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._people = people
        self._vault = vault
        self._report = report
        self._recorded = Latest(_RECORDED, ["key"])
        self._marks = Latest(_MARKED, ["key"])
        self._older = False
        """Whether an import of the first format may have said something of anybody."""

    def take(self, stored: Stored) -> None:
        """Take an entry of one of KINDS.

        Raises:
            ValueError: when it does not say what it must.
        """
        effect = Effect.read(stored.effect)
        subjects = np.frombuffer(stored.subjects or b"", "<i8") if stored.format is None else effect.keys
        if (word := _CONSENT.get(stored.kind)) is not None:
            self._recorded.put(key=subjects, recorded=word)
        elif stored.kind == EntryKind.PERSON_ERASED:
            self._recorded.put(key=subjects, recorded=_NONE)
            self._marks.put(key=subjects, marked=0, mark=0)
        else:
            if stored.format is None:
                self._older = True
                self._marks = Latest(_MARKED, ["key"])  # whoever was erased may be a member again
            self._recorded.put(key=effect.unrecorded, recorded=_NONE)
            self._marks.put(key=effect.members[:, 0], marked=1, mark=effect.members[:, 1])

    def finish(self) -> None:
        """Compare with the tables."""
        self._consents()
        marks = self._marks.rows()
        seen = np.zeros(len(marks), np.bool_)
        for row in self._rows(member):
            place = int(np.searchsorted(marks["key"], row.key))
            known = place < len(marks) and marks["key"][place] == row.key
            if known:
                seen[place] = True
            self._member(row, marks[place] if known else None)
        for key in marks["key"][~seen & (marks["marked"] == 1)].tolist():
            self._report(f"Member {key} was imported, and is missing.")
        for row in self._rows(account):
            self._identifier(row)

    def _consents(self) -> None:
        column = sa.func.coalesce(sa.cast(member.c.recorded_consent, sa.Integer), _NONE)
        stands = bulk.read(self._connection, sa.select(member.c.key, sa.cast(column, sa.BigInteger)), _RECORDED)
        told = self._recorded.rows()
        here, there = matched(stands, told, ["key"])
        expected = np.where(here >= 0, told["recorded"][here] if len(told) else _NONE, _NONE)
        wrong = stands["recorded"] != expected
        if self._older:  # an import may have taken a word back, and its entry does not say so
            wrong &= stands["recorded"] != _NONE
        for key in stands["key"][wrong].tolist():
            self._report(f"Member {key}: the recorded consent is not what the entries say.")
        for key in told["key"][(there < 0) & (told["recorded"] != _NONE)].tolist():
            self._report(f"Member {key}: a consent was recorded, and the member is missing.")

    def _member(self, row: Any, marked: Any) -> None:  # noqa: ANN401  # a row, and a row of _MARKED
        facts = (row.region, row.birth_year, row.told_on, row.imported_consent)
        try:
            profile = self._vault.open(row.wrapped, row.sealed, "member", row.key) if row.wrapped else b""
        except (IdentityError, TypeError, ValueError):
            self._report(f"Member {row.key}: the sealed profile can't be opened.")
            return
        if marked is None:
            wrong = not self._older and facts != _ERASED
        elif marked["marked"]:
            wrong = self._vault.mark(row.key, facts, profile) != marked["mark"]
        else:
            wrong = bool(profile) or facts != _ERASED
        if wrong:
            self._report(f"Member {row.key}: what stands is not what was imported last, or erased since.")

    def _identifier(self, row: Any) -> None:  # noqa: ANN401  # a row of `account`
        if row.wrapped is None and row.sealed is None:
            return
        try:
            spelt = self._vault.open(row.wrapped, row.sealed, "account", row.key).decode()
        except (IdentityError, TypeError, ValueError):
            self._report(f"Account {row.key}: the sealed identifier can't be opened.")
            return
        if int(self._people.spelt_keys([spelt])[0]) != row.key:
            self._report(f"Account {row.key}: the sealed identifier is another account's.")

    def _rows(self, table: sa.Table) -> Iterator[Any]:
        """All rows, a page at a time."""
        after = -(2**63)
        while True:
            columns = [
                sa.type_coerce(each, sa.Integer) if isinstance(each.type, sa.Boolean) else each for each in table.c
            ]
            page = sa.select(*columns).where(table.c.key > after).order_by(table.c.key).limit(_PAGE)
            rows = self._connection.execute(page).all()
            yield from rows
            if len(rows) < _PAGE:
                return
            after = rows[-1].key
