"""Staff: who may come in, by invitation and passkey.

Invariants: an invitation is a random secret (256 bits) that is shown once, kept as its SHA-256, used once and in
time; whoever was removed has no passkey and no session left; inviting, joining, signing in and removing are entries,
which name a member of staff by number.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.access.sessions import STAFF, digest
from demur.register.database import entries
from demur.register.database.clock import micros, moment
from demur.register.database.store import Store
from demur.register.database.tables import passkey, session, staff
from demur.terms import EntryKind


class StaffRole(StrEnum):
    """What a member of staff may do."""

    OFFICER = "officer"
    ENGINEER = "engineer"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Staff:
    """One member of staff."""

    id: int
    name: str
    role: StaffRole
    invite_until: datetime
    joined: datetime | None
    removed: datetime | None


_SECRET_BYTES: Final = 32


class StaffBook:
    """The staff of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def invite(self, name: str, role: str, until: datetime, *, now: datetime | None = None) -> str:
        """Invite somebody; the secret of their link, which is shown once.

        Raises:
            RegisterError: for a role that does not exist, or an empty name.
        """
        if role not in set(StaffRole) or not name.strip():
            raise RegisterError(f"Staff have a name and a role ({', '.join(StaffRole)}): give both.")
        secret, time = secrets.token_urlsafe(_SECRET_BYTES), micros(now)
        with self._store.writing() as connection:
            number = (connection.scalar(sa.select(sa.func.max(staff.c.id))) or 0) + 1
            values: dict[str, Any] = {"id": number, "name": name, "role": str(role), "invited": time}
            invited = sa.insert(staff).values(**values, invite=digest(secret), invite_until=micros(until))
            connection.execute(invited)
            entries.append(connection, EntryKind.STAFF_INVITED, {"staff": number, "role": str(role)}, time)
        return secret

    def joining(self, secret: str, *, now: datetime | None = None) -> Staff | None:
        """Whom an invitation is for; None if it was used, has expired or is none."""
        with self._store.reading() as connection:
            row = connection.execute(sa.select(staff).where(*_invited(secret, micros(now)))).one_or_none()
        return None if row is None else _record(row)

    def join(
        self, secret: str, credential_id: bytes, public_key: bytes, sign_count: int, *, now: datetime | None = None
    ) -> Staff:
        """Take an invitation up with a passkey.

        Raises:
            RegisterError: if the invitation was used, has expired or is none, or the passkey is known already.
        """
        time = micros(now)
        with self._store.writing() as connection:
            row = connection.execute(sa.select(staff).where(*_invited(secret, time))).one_or_none()
            if row is None:
                raise RegisterError("This invitation was used or has expired: ask for a new one.")
            if connection.scalar(sa.select(passkey.c.staff).where(passkey.c.credential == credential_id)) is not None:
                raise RegisterError("This passkey is in use already: choose another one.")
            connection.execute(sa.update(staff).where(staff.c.id == row.id).values(invite=None, joined=time))
            values = {"credential": credential_id, "public_key": public_key, "sign_count": sign_count}
            connection.execute(sa.insert(passkey).values(**values, staff=row.id, created=time))
            entries.append(connection, EntryKind.STAFF_JOINED, {"staff": row.id, "role": row.role}, time)
        return self.staff(row.id)

    def passkey(self, credential_id: bytes) -> tuple[Staff, bytes, int] | None:
        """Whose passkey this is, its public key (COSE) and its count of signatures; None if it is nobody's."""
        joined = sa.select(staff, passkey.c.public_key, passkey.c.sign_count)
        joined = joined.join(passkey, passkey.c.staff == staff.c.id)
        here = (passkey.c.credential == credential_id, staff.c.removed.is_(None))
        with self._store.reading() as connection:
            row = connection.execute(joined.where(*here)).one_or_none()
        return None if row is None else (_record(row), row.public_key, row.sign_count)

    def used(self, credential_id: bytes, sign_count: int, *, now: datetime | None = None) -> None:
        """Record that somebody signed in.

        Raises:
            RegisterError: for a passkey that is nobody's.
        """
        time = micros(now)
        here = passkey.c.credential == credential_id
        with self._store.writing() as connection:
            number = connection.scalar(sa.select(passkey.c.staff).where(here))
            if number is None:
                raise RegisterError("This passkey is nobody's: ask for an invitation.")
            connection.execute(sa.update(passkey).where(here).values(sign_count=sign_count, used=time))
            entries.append(connection, EntryKind.STAFF_SIGNED_IN, {"staff": number}, time)

    def staff(self, number: int) -> Staff:
        """One member of staff.

        Raises:
            RegisterError: if there is none of this number.
        """
        with self._store.reading() as connection:
            row = connection.execute(sa.select(staff).where(staff.c.id == number)).one_or_none()
        if row is None:
            raise RegisterError(f"There is no member of staff {number}: see who there is.")
        return _record(row)

    def remove(self, number: int, *, now: datetime | None = None) -> None:
        """Take somebody's access away, at once; doing it again changes nothing.

        Raises:
            RegisterError: if there is none of this number.
        """
        time = micros(now)
        with self._store.writing() as connection:
            if self.staff(number).removed is not None:
                return
            connection.execute(sa.update(staff).where(staff.c.id == number).values(removed=time, invite=None))
            connection.execute(sa.delete(passkey).where(passkey.c.staff == number))
            connection.execute(sa.delete(session).where(session.c.subject == number, session.c.kind == STAFF))
            entries.append(connection, EntryKind.STAFF_REMOVED, {"staff": number}, time)

    def list(self) -> Sequence[Staff]:
        """Everybody who was ever invited, in that order."""
        with self._store.reading() as connection:
            return [_record(row) for row in connection.execute(sa.select(staff).order_by(staff.c.id))]


def _invited(secret: str, time: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (staff.c.invite == digest(secret), staff.c.invite_until > time, staff.c.removed.is_(None))


def _record(row: Any) -> Staff:  # noqa: ANN401  # a row of `staff`
    joined, removed = (None if time is None else moment(time) for time in (row.joined, row.removed))
    return Staff(row.id, row.name, StaffRole(row.role), moment(row.invite_until), joined, removed)
