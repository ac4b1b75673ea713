"""The members of one register: linked and unlinked, imported, asked for consent, and read.

Invariants: every change appends its entry in the same transaction, whose subjects are the accounts that it may concern.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from demur.identity import Pairs, SubjectKeys
from demur.people.context import Pairs as Beside
from demur.policy.fields import ADULT
from demur.register.database import entries
from demur.register.database.clock import micros
from demur.register.database.effects import Effect
from demur.register.database.store import Store
from demur.register.database.vault import Vault
from demur.register.members import alike, called, profiles
from demur.register.members.people import People, add_link, pair, person_of_each, remove_link, together
from demur.register.members.profiles import Member, retell
from demur.register.members.spellings import end
from demur.register.members.staging import MemberImport, MemberImporter, MemberPreview
from demur.terms import EntryKind


class Members:
    """The accounts of one register, and what members say of themselves."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._vault = vault

    def link(self, first: str, second: str, *, now: datetime | None = None) -> int | None:
        """Record that two accounts are proven one person's; the entry's number, or None if that was recorded already.

        Raises:
            IdentityError: for a malformed account.
        """
        time = micros(now)
        with self._store.writing() as connection:
            one, other = self._people.ensure(connection, [first, second], time).tolist()
            subjects = add_link(connection, one, other)
            if subjects is None:
                return None
            retell(connection, [one])
            payload, effect = {"accounts": len(subjects)}, Effect(proven=pair(one, other))
            kind = EntryKind.ACCOUNT_LINKED
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

    def unlink(self, first: str, second: str, *, now: datetime | None = None) -> int:
        """Take the link between two accounts back; the entry's number.

        Raises:
            IdentityError: for a malformed account.
            RegisterError: if these two are not linked with each other.
        """
        one, other = self._people.keys([first, second]).tolist()
        with self._store.writing() as connection:
            subjects = remove_link(connection, one, other)
            retell(connection, subjects)
            effect = replace(end(connection, subjects) or Effect(), unlinked=pair(one, other))
            payload, time = {"accounts": len(subjects)}, micros(now)
            kind = EntryKind.ACCOUNT_UNLINKED
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

    def import_all(
        self, batches: Iterable[pa.RecordBatch], *, minimum_age: int = ADULT, now: datetime | None = None
    ) -> MemberImport:
        """Import members, batches of rows.MEMBER: all rows, or none.

        Args:
            batches: any number, of any size.
            minimum_age: of the policy: the names of whoever is younger are looked for in what others wrote.
            now: the time of the entry.

        Raises:
            SourceError: naming the first bad row and its column.
        """
        return MemberImporter(self._store, self._people, self._vault).run(batches, micros(now), minimum_age)

    def preview(self, batches: Iterable[pa.RecordBatch], *, now: datetime | None = None) -> MemberPreview:
        """What :meth:`import_all` would do; nothing is recorded.

        Raises:
            SourceError: naming the first bad row and its column.
        """
        return MemberImporter(self._store, self._people, self._vault).preview(batches, micros(now))

    def consent(self, accounts: Iterable[str], *, given: bool, now: datetime | None = None) -> int:
        """Record that people consent, or don't any more (Art. 7 GDPR); the entry's number.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.writing() as connection:
            subjects = profiles.consent(connection, self._people, list(accounts), micros(now), given=given)
            kind = EntryKind.CONSENT_GIVEN if given else EntryKind.CONSENT_WITHDRAWN
            payload, effect, time = {"accounts": len(subjects)}, Effect(keys=subjects, consent=given), micros(now)
            return entries.append(connection, kind, payload, time, subjects=subjects, effect=effect)

    def note_alike(self, pairs: Pairs, *, now: datetime | None = None) -> int | None:
        """Put on record which keys are spellings of one account; the entry's number, or None if all were known."""
        if not len(pairs):
            return None
        with self._store.writing() as connection:
            return alike.note(connection, pairs, micros(now))

    def get(self, account: str) -> Member | None:
        """What is known of a member, unsealed; None if nothing is, or it was erased.

        Raises:
            IdentityError: for a malformed account.
        """
        with self._store.reading() as connection:
            return profiles.read(connection, self._people, self._vault, account)

    def covered_with(self, account: str) -> SubjectKeys:
        """The keys of every account that an objection for this one covers, sorted, shape (n,); itself where unknown.

        What is proven to be one person's, and may be shown or erased, is what `persons` has.

        Raises:
            IdentityError: for a malformed account.
        """
        keys = self._people.keys([account])
        with self._store.reading() as connection:
            return np.union1d(keys, together(connection, keys))

    def persons(self, subjects: SubjectKeys) -> SubjectKeys:
        """The person behind each subject key, shape (n,): the smallest key that an objection of theirs would cover.

        That is of all accounts that are linked with it and of all spellings of it; itself where nothing is known.
        """
        with self._store.reading() as connection:
            return person_of_each(connection, subjects, alike.edges(connection))

    def bears(self, subjects: SubjectKeys) -> Beside:
        """Subject and keyed word: by which words some people are or were called, as members say; see called.py."""
        with self._store.reading() as connection:
            return called.bears(connection, subjects)

    def identifiers(self, subjects: SubjectKeys) -> list[str | None]:
        """The account identifiers behind subject keys, in their order; None where unknown or erased."""
        with self._store.reading() as connection:
            return self._people.identifiers(connection, subjects)
