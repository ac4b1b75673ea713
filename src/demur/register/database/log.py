"""The log as others see it: reading entries, and appending what binds nothing.

Invariants: only entries that bind nothing can be appended from outside; a binding entry is appended by the method
that makes its change, in the same transaction; compare-and-append compares the last *binding* entry (law 3).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from demur.errors import RegisterError
from demur.identity import SubjectKeys
from demur.register.database import entries
from demur.register.database.clock import micros
from demur.register.database.records import JSON, Entry, Head
from demur.register.database.store import Store
from demur.terms import BINDING, EntryKind


class Log:
    """The entries of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> Head:
        """The numbers of the last entry and of the last binding one."""
        with self._store.reading() as connection:
            return entries.head(connection)

    def entries(self, kind: EntryKind | None = None, after: int = 0) -> Iterator[Entry]:
        """The entries with a number greater than ``after``, of one kind or of all, in order."""
        while True:
            with self._store.reading() as connection:
                page = entries.page(connection, kind, after)
            if not page:
                return
            yield from page
            after = page[-1].seq

    def last(self, kind: EntryKind) -> Mapping[str, JSON] | None:
        """The payload of the last entry of a kind, found by the kind, however many there are; None if there is none."""
        with self._store.reading() as connection:
            return entries.last_of(connection, kind)

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
            return entries.append(connection, _unbinding(kind), payload, micros(now), subjects=subjects)

    def append_all(
        self, kind: EntryKind, payloads: Sequence[Mapping[str, JSON]], *, now: datetime | None = None
    ) -> None:
        """Append entries of a kind that binds nothing and concerns nobody, in their order.

        Raises:
            RegisterError: for a binding kind.
        """
        time = micros(now)
        with self._store.writing() as connection:
            first = entries.head(connection).seq + 1
            made = [entries.made(seq, _unbinding(kind), each, time) for seq, each in enumerate(payloads, first)]
            if made:
                entries.insert(connection, made)

    def append_if(
        self, binding: int, kind: EntryKind, payload: Mapping[str, JSON], *, now: datetime | None = None
    ) -> int | None:
        """Append an entry that binds nothing, only while the last binding entry is still number ``binding``.

        Returns:
            Its number, or None if a binding entry came between.
        """
        with self._store.writing() as connection:
            if entries.head(connection).binding != binding:
                return None
            return entries.append(connection, _unbinding(kind), payload, micros(now))

    def note_policy(self, rules_hash: str, *, now: datetime | None = None) -> int | None:
        """Record the policy in force, if it is another one than before; the entry's number, or None."""
        with self._store.writing() as connection:
            if entries.last_of(connection, EntryKind.POLICY_CHANGED) == {"rules": rules_hash}:
                return None
            return entries.append(connection, EntryKind.POLICY_CHANGED, {"rules": rules_hash}, micros(now))


def _unbinding(kind: EntryKind) -> EntryKind:
    if kind in BINDING:
        raise RegisterError(f"An entry {kind} changes what may be used: record it by its own method.")
    return kind
