"""Attachments: what people add to an objection of their own accord; nothing ever asks for one.

Invariants: name, type and content are sealed under the key of the account that the objection was lodged for, and go
with it; nothing here looks into a file, or limits it: what takes uploads does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.identity import SubjectKeys
from demur.register.database import bulk
from demur.register.database.store import Store
from demur.register.database.tables import account, attachment, attachment_content
from demur.register.database.vault import Vault, plain
from demur.register.objections import states


@dataclass(frozen=True)
class Attachment:
    """What was attached to an objection."""

    id: int
    name: str
    type: str
    """Media type, as it was said."""
    size: int
    """Bytes."""


class Attachments:
    """The attachments of one register."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def add(self, reference: str, name: str, media_type: str, content: bytes) -> int:
        """Attach something to an objection; its number.

        Raises:
            RegisterError: for an unknown reference, or one whose person was erased.
        """
        with self._store.writing() as connection:
            seq = states.read_state(connection, reference).seq
            owner, wrapped = _owner(connection, seq)
            number = (connection.scalar(sa.select(sa.func.max(attachment_content.c.id))) or 0) + 1
            about = self._vault.seal(wrapped, plain([name, media_type]), f"attachment/{number}", owner)
            values: dict[str, Any] = {"id": number, "objection": seq, "account": owner, "size": len(content)}
            connection.execute(sa.insert(attachment).values(**values, sealed=about))
            sealed = self._vault.seal(wrapped, content, f"content/{number}", owner)
            connection.execute(sa.insert(attachment_content).values(id=number, sealed=sealed))
        return number

    def of(self, reference: str) -> Sequence[Attachment]:
        """What is attached to an objection, oldest first.

        Raises:
            RegisterError: for an unknown reference.
        """
        joined = sa.select(attachment, account.c.wrapped).join(account, account.c.key == attachment.c.account)
        with self._store.reading() as connection:
            seq = states.read_state(connection, reference).seq
            rows = connection.execute(joined.where(attachment.c.objection == seq).order_by(attachment.c.id)).all()
        return [self._opened(row) for row in rows]

    def read(self, number: int) -> bytes:
        """The content of an attachment.

        Raises:
            RegisterError: if there is none of this number, or it was erased.
        """
        joined = sa.select(attachment_content.c.sealed, attachment.c.account, account.c.wrapped)
        joined = joined.join(attachment, attachment.c.id == attachment_content.c.id)
        joined = joined.join(account, account.c.key == attachment.c.account)
        with self._store.reading() as connection:
            row = connection.execute(joined.where(attachment.c.id == number)).one_or_none()
        if row is None:
            raise RegisterError(f"There is no attachment {number}, or it was erased: see what the objection has.")
        return self._vault.open(row.wrapped, row.sealed, f"content/{number}", row.account)

    def _opened(self, row: Any) -> Attachment:  # noqa: ANN401  # a row of `attachment`
        name, kind = orjson.loads(self._vault.open(row.wrapped, row.sealed, f"attachment/{row.id}", row.account))
        return Attachment(row.id, name, kind, row.size)


def destroy(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Drop every attachment of some accounts."""
    theirs = bulk.among(connection, attachment.c.account, keys)
    content = attachment_content.c.id.in_(sa.select(attachment.c.id).where(theirs))
    connection.execute(sa.update(attachment_content).where(content).values(sealed=b""))  # numbers are never given twice
    connection.execute(sa.delete(attachment).where(theirs))


def _owner(connection: sa.Connection, seq: int) -> tuple[int, bytes]:
    """An account the objection was lodged for that has a key, and its wrapped key."""
    found = states.sealer(connection, seq)
    if found is None:
        raise RegisterError("The details of this objection were erased: nothing can be attached to it any more.")
    return found
