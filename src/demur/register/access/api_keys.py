"""The keys with which the platform's own servers use the API.

Invariants: a key is random (256 bits), shown once and kept as its SHA-256; a revoked key opens nothing, and its name
may be given again; making and revoking a key are entries.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.access.sessions import digest
from demur.register.database import entries
from demur.register.database.clock import micros, moment
from demur.register.database.store import Store
from demur.register.database.tables import api_key
from demur.terms import EntryKind


@dataclass(frozen=True)
class ApiKey:
    """One key of the API; the key itself is nowhere."""

    name: str
    created: datetime
    revoked: datetime | None


_PREFIX: Final = "demur_"
_SECRET_BYTES: Final = 32


class ApiKeys:
    """The API's keys of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, name: str, *, now: datetime | None = None) -> str:
        """Make a key; it is shown once.

        Raises:
            RegisterError: if a key of this name is in use.
        """
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        time = micros(now)
        with self._store.writing() as connection:
            if not name.strip() or connection.scalar(sa.select(api_key.c.name).where(*_in_use(name))):
                raise RegisterError(f"A key {name!r} is in use or no name: revoke it, or choose another name.")
            connection.execute(sa.insert(api_key).values(digest=digest(secret), name=name, created=time))
            entries.append(connection, EntryKind.KEY_CREATED, {"name": name}, time)
        return secret

    def check(self, secret: str) -> str | None:
        """The name of a key that holds; None for any other."""
        here = (api_key.c.digest == digest(secret), api_key.c.revoked.is_(None))
        with self._store.reading() as connection:
            return connection.scalar(sa.select(api_key.c.name).where(*here))

    def revoke(self, name: str, *, now: datetime | None = None) -> None:
        """End a key.

        Raises:
            RegisterError: if no key of this name is in use.
        """
        time = micros(now)
        with self._store.writing() as connection:
            ended = connection.execute(sa.update(api_key).where(*_in_use(name)).values(revoked=time))
            if not ended.rowcount:
                raise RegisterError(f"No key {name!r} is in use: see which there are.")
            entries.append(connection, EntryKind.KEY_REVOKED, {"name": name}, time)

    def list(self) -> Sequence[ApiKey]:
        """Every key there was, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(sa.select(api_key).order_by(api_key.c.created, api_key.c.name))
            return [
                ApiKey(row.name, moment(row.created), None if row.revoked is None else moment(row.revoked))
                for row in rows
            ]


def _in_use(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (api_key.c.name == name, api_key.c.revoked.is_(None))
