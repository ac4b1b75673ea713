"""Sessions, links that were used, and requests that were answered; all of it short-lived.

Invariants: a session's secret is random (256 bits) and kept as its SHA-256 alone; a link that is to be used once is
spent in one statement, so that of two at the same moment one wins; the answer to a request is sealed, and what the
client called the request is kept as a keyed digest.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.register.database import bulk
from demur.register.database.clock import micros
from demur.register.database.store import Store
from demur.register.database.tables import answered, session, spent
from demur.register.database.vault import Vault

STAFF: Final = "staff"
"""The kind of a staff session, whose subject is a member of staff and no account."""
ANSWERS_KEPT: Final = timedelta(days=7)
"""How long the same request gets the same answer."""
_SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = 32


class Sessions:
    """The sessions, spent links and answered requests of one register."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def spend(self, digest: bytes, expires: datetime, *, now: datetime | None = None) -> bool:
        """Use up what may be used once; whether this was the first time, and in time."""
        until = micros(expires)
        if until <= micros(now):
            return False
        with self._store.writing() as connection:
            statement = bulk.insert(connection, spent).values(digest=digest, expires=until)
            return connection.execute(statement.on_conflict_do_nothing().returning(spent.c.expires)).first() is not None

    def open(self, kind: str, subject: int, minutes: int, *, now: datetime | None = None) -> str:
        """Begin a session; its secret, which is nowhere else."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        expires = micros(now) + timedelta(minutes=minutes) // timedelta(microseconds=1)
        values = {"digest": digest(secret), "kind": kind, "subject": subject, "expires": expires}
        with self._store.writing() as connection:
            connection.execute(sa.insert(session).values(**values))
        return secret

    def find(self, secret: str, kind: str, *, now: datetime | None = None) -> int | None:
        """The subject of a session that is open; None if there is none of this kind."""
        here = (session.c.digest == digest(secret), session.c.kind == kind, session.c.expires > micros(now))
        with self._store.reading() as connection:
            return connection.scalar(sa.select(session.c.subject).where(*here))

    def close(self, secret: str) -> None:
        """End a session."""
        with self._store.writing() as connection:
            connection.execute(sa.delete(session).where(session.c.digest == digest(secret)))

    def clean(self, *, now: datetime | None = None) -> int:
        """Forget what has expired; how many rows that were."""
        time = micros(now)
        old = time - ANSWERS_KEPT // timedelta(microseconds=1)
        expired = ((session, session.c.expires <= time), (spent, spent.c.expires <= time))
        with self._store.writing() as connection:
            return sum(
                connection.execute(sa.delete(table).where(over)).rowcount
                for table, over in (*expired, (answered, answered.c.time <= old))
            )

    def answered(self, key: bytes) -> tuple[bytes, str] | None:
        """The digest of the request that a client called by a key, and what it was answered; None if it is new."""
        return self.answered_all([key]).get(key)

    def answered_all(self, keys: Iterable[bytes]) -> dict[bytes, tuple[bytes, str]]:
        """For each key the digest of its request and the answer; those that are new are not among them."""
        asked = {self._vault.digest(key): key for key in keys}
        with self._store.reading() as connection:
            rows = connection.execute(sa.select(answered).where(answered.c.key.in_(list(asked)))).all()
        found = {}
        for row in rows:
            opened = self._vault.open(row.wrapped, row.sealed, "answer", _number(row.key))
            found[asked[bytes(row.key)]] = (opened[:_DIGEST_BYTES], opened[_DIGEST_BYTES:].decode())
        return found

    def remember_all(self, answers: Iterable[tuple[bytes, bytes, str]], *, now: datetime | None = None) -> None:
        """Keep what requests were answered; what is kept under a key already stays.

        Args:
            answers: of each what the client called the request, with the client's own name; the request's digest, 32
                bytes; and the answer, in JSON.
            now: from when on they are kept, for ANSWERS_KEPT.
        """
        rows = [self._sealed(key, request + answer.encode(), micros(now)) for key, request, answer in answers]
        if rows:
            with self._store.writing() as connection:
                connection.execute(bulk.insert(connection, answered).on_conflict_do_nothing(), rows)

    def _sealed(self, key: bytes, content: bytes, time: int) -> dict[str, object]:
        keyed = self._vault.digest(key)
        cipher, wrapped = self._vault.fresh(_number(keyed))
        sealed = self._vault.put(cipher, content, "answer", _number(keyed))
        return {"key": keyed, "time": time, "wrapped": wrapped, "sealed": sealed}


def close_sessions(connection: sa.Connection, keys: SubjectKeys) -> None:
    """End every session of some accounts."""
    theirs = (bulk.among(connection, session.c.subject, keys), session.c.kind != STAFF)
    connection.execute(sa.delete(session).where(*theirs))


def close_all(connection: sa.Connection) -> None:
    """End every session, of staff too: who left since a backup must not come back with it."""
    connection.execute(sa.delete(session))


def digest(secret: str) -> bytes:
    """SHA-256 of a random secret, 32 bytes."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def _number(keyed: bytes) -> int:
    """To which row a sealed answer is bound."""
    return int.from_bytes(keyed[:8], "big")
