"""The keys with which the platform's own servers use the API, and those with which a trainer asks for the head.

Invariants: a key is random (256 bits), shown once and kept as its SHA-256; it is for one purpose, its scope, and opens
nothing else; one that was revoked or has expired opens nothing, and the name of a revoked one may be given again;
making and revoking a key are entries.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.access.sessions import digest
from demur.register.database import entries
from demur.register.database.clock import micros, moment
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.register.database.tables import api_key
from demur.terms import EntryKind


class KeyScope(StrEnum):
    """What a key is for."""

    PLATFORM = "platform"  # all that the platform does for its members
    LOAD = "load"  # asking which rows of an export may not be used any more, and nothing else
    GENERATE = "generate"  # asking a model for texts, and nothing else
    METRICS = "metrics"  # reading the figures of a server, which name nobody, and nothing else


@dataclass(frozen=True)
class ApiKey:
    """One key of the API; the key itself is nowhere."""

    name: str
    created: datetime
    revoked: datetime | None
    scope: KeyScope = KeyScope.PLATFORM
    expires: datetime | None = None
    """From when on it opens nothing; None: it does not expire."""


_PREFIX: Final = "demur_"
_SECRET_BYTES: Final = 32


class ApiKeys:
    """The API's keys of one register."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        name: str,
        scope: KeyScope = KeyScope.PLATFORM,
        *,
        expires: datetime | None = None,
        now: datetime | None = None,
    ) -> str:
        """Make a key; it is shown once.

        Args:
            name: what it is called.
            scope: what it is for.
            expires: from when on it opens nothing; by default it does not expire.
            now: this moment.

        Raises:
            RegisterError: if a key of this name is in use.
        """
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        time, until = micros(now), None if expires is None else micros(expires)
        with self._store.writing() as connection:
            if not name.strip() or connection.scalar(sa.select(api_key.c.name).where(*_in_use(name))):
                raise RegisterError(f"A key {name!r} is in use or no name: revoke it, or choose another name.")
            made = {"digest": digest(secret), "name": name, "created": time, "scope": scope.value, "expires": until}
            connection.execute(sa.insert(api_key).values(made))
            told: dict[str, JSON] = {"name": name}
            told |= {} if scope is KeyScope.PLATFORM else {"scope": scope.value}
            told |= {} if expires is None else {"expires": moment(micros(expires)).isoformat()}
            entries.append(connection, EntryKind.KEY_CREATED, told, time)
        return secret

    def check(self, secret: str, now: datetime | None = None) -> ApiKey | None:
        """A key that holds; None for any other."""
        lives = sa.or_(api_key.c.expires.is_(None), api_key.c.expires > micros(now))
        statement = sa.select(api_key).where(api_key.c.digest == digest(secret), api_key.c.revoked.is_(None), lives)
        with self._store.reading() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _read(row)

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
            return [_read(row) for row in rows]


def _read(row: "sa.Row[tuple[Any, ...]]") -> ApiKey:
    return ApiKey(row.name, moment(row.created), _moment(row.revoked), KeyScope(row.scope), _moment(row.expires))


def _moment(time: int | None) -> datetime | None:
    return None if time is None else moment(time)


def _in_use(name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (api_key.c.name == name, api_key.c.revoked.is_(None))
