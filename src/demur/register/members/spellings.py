"""The names under which people are looked for in what others wrote, kept as keyed forms (people/compiled.py).

A row of `kept_name` holds all spellings of one source: what a member and the identifier of their account say (entry 0),
what an erasure left of that (entry -1), or what somebody typed with an objection, by the entry whose detail holds it.

Invariants: no letter of a name stands in a row; a row of an account's own names is there only while an objection covers
the account, and is made by whoever needs it first, from what is sealed; an erasure makes it before it destroys that
(Art. 17(3)(b), 21 GDPR: for honouring alone), and it ends with the last objection that covers the account; what was
typed with an objection ends with it, and is made again of what is sealed if that is brought back.
"""

import base64
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.people.compiled import Compiled
from demur.people.locale import languages_of
from demur.register.database import bulk
from demur.register.database.effects import Effect
from demur.register.database.records import JSON
from demur.register.database.tables import account, detail, kept_name, member, objection
from demur.register.database.vault import Vault
from demur.register.members.called import handle_of
from demur.register.members.people import People, together
from demur.register.members.standing import suppressed

OWN: Final = 0
"""The entry of a row made of a member and an account's identifier."""
LEFT: Final = -1
"""The entry of what an erasure left of it."""
MOST: Final = 100
"""Spellings of one source that are kept."""
_SIZE: Final = struct.Struct("<I")
_AT_ONCE: Final = 500
_ROW: Final = np.dtype([("account", "i8"), ("entry", "i8"), ("mark", "i8")])

Rows = npt.NDArray[np.int64]
"""Rows of keyed names as an erasure's entry has them: account, entry and mark, shape (n, 3)."""


def packed(names: Iterable[Compiled]) -> bytes:
    """Spellings as one value, each once, those that name nobody left out."""
    each = dict.fromkeys(name.to_bytes() for name in names if name.tokens)
    return b"".join(_SIZE.pack(len(one)) + one for one in each)


def pieces(value: bytes) -> Iterator[bytes]:
    """The spellings of one value, each as :meth:`Compiled.to_bytes` wrote it."""
    at = 0
    while at < len(value):
        (size,) = _SIZE.unpack_from(value, at)
        at += _SIZE.size
        yield value[at : at + size]
        at += size


def said_names(statement: Mapping[str, JSON] | None) -> list[str]:
    """The spellings that a statement gives: names, and former ones."""
    said = statement or {}
    lists = (said.get(part) for part in ("names", "former"))
    found = [str(each).strip() for part in lists if isinstance(part, list) for each in part]
    return list(dict.fromkeys(filter(None, found)))[:MOST]


def mark_of(vault: Vault, row: Mapping[str, Any]) -> int:
    """A keyed digest of a row that holds names, int64: tells whether a register with these keys made it.

    A row of typed names may get another number, by a restore.
    """
    said = orjson.dumps([row["account"], min(row["entry"], 1), bool(row["binds"])])
    said += b"\0" + bytes(row["source"] or b"") + b"\0" + bytes(row["compiled"])
    return int.from_bytes(vault.digest(b"demur/kept_name\0" + said)[:8], "little", signed=True)


class Spellings:
    """Makes and reads the rows; each method works in the caller's transaction."""

    def __init__(self, people: People, vault: Vault) -> None:
        self._people = people
        self._vault = vault

    # What was typed

    def typed(
        self,
        connection: sa.Connection,
        owner: int,
        entry: int,
        objection_: int,
        statement: Mapping[str, JSON] | None,
        *,
        binds: bool,
    ) -> None:
        """Keep the spellings that somebody typed, if they typed any.

        Of what was added to an objection later a row stands in any case: by it the entry is found.

        Args:
            connection: a write transaction.
            owner: the account whose key seals what was said.
            entry: of which that is the detail.
            objection_: the number of the objection that it belongs to.
            statement: what was said.
            binds: whether they count at once, or once the objection is confirmed (ADR 0035).
        """
        names = said_names(statement)
        if names or entry != objection_:
            row = {"account": owner, "entry": entry, "objection": objection_, "binds": binds, "source": None}
            self._write(connection, [{**row, "compiled": self._compiled(names)}])

    def _compiled(self, names: Sequence[str], locale: str | None = None) -> bytes:
        compiler = self._people.compiler
        return packed(compiler.name(each, languages_of(each, locale)) for each in names[:MOST])

    # What members and identifiers say

    def fresh(self, connection: sa.Connection, keys: SubjectKeys | None) -> dict[int, bytes]:
        """The kept own names of some accounts, or of all, as far as they are those of now."""
        rows = _fresh(kept_name.c.account, kept_name.c.compiled)
        return {key: bytes(compiled) for key, compiled in connection.execute(_only(connection, rows, keys))}

    def unkept(self, connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
        """Those of some accounts whose own names can be made and are not kept as they are now, sorted."""
        known = sa.select(account.c.key).where(account.c.wrapped.is_not(None))
        made = bulk.read_keys(connection, known.where(bulk.among(connection, account.c.key, keys)))
        return np.setdiff1d(made, bulk.read_keys(connection, _only(connection, _fresh(kept_name.c.account), keys)))

    def left(self, connection: sa.Connection, keys: SubjectKeys | None) -> dict[int, bytes]:
        """What erasures left of the own names of some accounts, or of all."""
        rows = sa.select(kept_name.c.account, kept_name.c.compiled).where(kept_name.c.entry == LEFT)
        return {key: bytes(compiled) for key, compiled in connection.execute(_only(connection, rows, keys))}

    def made(self, connection: sa.Connection, keys: SubjectKeys) -> Iterator[tuple[int, bytes, bytes]]:
        """Own names made now of what is sealed: account, source and value, for those of some accounts that have any."""
        columns = (
            account.c.key,
            account.c.wrapped,
            account.c.sealed,
            member.c.digest,
            member.c.wrapped.label("wraps"),
            member.c.sealed.label("profile"),
        )
        joined = sa.select(*columns).outerjoin_from(account, member, member.c.key == account.c.key)
        for start in range(0, len(keys), _AT_ONCE):
            among = bulk.among(connection, account.c.key, keys[start : start + _AT_ONCE])
            for row in connection.execute(joined.where(among, account.c.wrapped.is_not(None))).all():
                yield row.key, bytes(row.digest or b""), self._own(row)

    def _own(self, row: Any) -> bytes:  # noqa: ANN401  # a row of `made`
        spelt = self._vault.open(row.wrapped, row.sealed, "account", row.key).decode()
        names, locale = [], None
        if row.wraps is not None:
            names, locale, _ = orjson.loads(self._vault.open(row.wraps, row.profile, "member", row.key))
        handle = handle_of(spelt)
        own = [] if handle is None else [self._people.compiler.handle(handle).to_bytes()]
        value = self._compiled(names, locale)
        return value + b"".join(_SIZE.pack(len(each)) + each for each in own if each not in set(pieces(value)))

    def keep(self, connection: sa.Connection, keys: SubjectKeys) -> int:
        """Keep the own names of some covered accounts; how many rows that makes."""
        rows = [
            {"account": key, "entry": OWN, "objection": None, "binds": True, "source": source, "compiled": value}
            for key, source, value in self.made(connection, keys)
        ]
        own = (kept_name.c.entry == OWN, bulk.among(connection, kept_name.c.account, keys))
        connection.execute(sa.delete(kept_name).where(*own))
        self._write(connection, rows)
        return len(rows)

    def _write(self, connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
        marked = [{**row, "mark": mark_of(self._vault, row)} for row in rows]
        if marked:
            connection.execute(sa.insert(kept_name), marked)

    # What is brought back

    def dormant(self, connection: sa.Connection, keys: SubjectKeys | None = None) -> list[Any]:
        """Rows of typed names whose objection binds again since it had ended; not what nobody can open any more.

        Args:
            connection: a transaction.
            keys: only of these accounts.
        """
        joined = sa.join(kept_name, objection, objection.c.seq == kept_name.c.objection)
        joined = joined.join(detail, detail.c.seq == kept_name.c.entry)
        rows = sa.select(kept_name.c.account, kept_name.c.entry, kept_name.c.binds).select_from(joined)
        waiting = rows.where(objection.c.active.is_(True), kept_name.c.compiled.is_(None))
        return list(connection.execute(_only(connection, waiting, keys)))

    def awoken(self, connection: sa.Connection, row: Any) -> bytes:  # noqa: ANN401  # a row of `dormant`
        """The value of a dormant row, made again of what is sealed."""
        joined = sa.select(account.c.wrapped, detail.c.sealed).join(detail, detail.c.account == account.c.key)
        found = connection.execute(joined.where(detail.c.seq == row.entry)).one_or_none()
        if found is None or found.wrapped is None:
            return b""
        said = orjson.loads(self._vault.open(found.wrapped, found.sealed, "detail", row.account))
        return self._compiled(said_names(said["statement"]))

    def wake(self, connection: sa.Connection, keys: SubjectKeys | None = None) -> None:
        """Keep the values of dormant rows again: of all, or of some accounts."""
        for row in self.dormant(connection, keys):
            self._wake(connection, row)

    def _wake(self, connection: sa.Connection, row: Any) -> None:  # noqa: ANN401  # a row of `dormant`
        said = {"account": row.account, "entry": row.entry, "binds": row.binds, "source": None}
        value = {"compiled": self.awoken(connection, row)}
        here = (kept_name.c.account == row.account, kept_name.c.entry == row.entry)
        connection.execute(sa.update(kept_name).where(*here).values(**value, mark=mark_of(self._vault, said | value)))

    # What ends

    def leave(self, connection: sa.Connection, keys: SubjectKeys) -> Rows:
        """Before an erasure: keep what it must not take from honouring; the rows that survive what it destroys."""
        covered = suppressed(connection, keys)
        before = self.left(connection, covered)
        for key, _, value in list(self.made(connection, covered)):
            both = packed(map(Compiled.from_bytes, [*pieces(before.get(key, b"")), *pieces(value)]))
            self._replace(connection, key, both)
        self.wake(connection, keys)
        theirs = bulk.among(connection, kept_name.c.account, keys)
        connection.execute(sa.delete(kept_name).where(theirs, kept_name.c.entry == OWN))
        kept = sa.select(kept_name.c.account, kept_name.c.entry, kept_name.c.mark)
        rows = bulk.read(connection, kept.where(theirs, kept_name.c.compiled.is_not(None)), _ROW)
        return np.column_stack([rows[name] for name in ("account", "entry", "mark")]).reshape(-1, 3)

    def _replace(self, connection: sa.Connection, key: int, value: bytes) -> None:
        connection.execute(sa.delete(kept_name).where(kept_name.c.account == key, kept_name.c.entry == LEFT))
        row = {"account": key, "entry": LEFT, "objection": None, "binds": True, "source": None, "compiled": value}
        self._write(connection, [row])


def end(connection: sa.Connection, subjects: SubjectKeys, objection_: int | None = None) -> Effect | None:
    """End the names that no objection needs any more, once one of them ended or some accounts were unlinked.

    Args:
        connection: a write transaction, in which that is done already.
        subjects: the accounts that it concerns.
        objection_: the number of the objection that ended.

    Returns:
        What the entry says of it; None where no name ends.
    """
    bare = np.setdiff1d(subjects, suppressed(connection, np.unique(subjects)))
    own = sa.and_(bulk.among(connection, kept_name.c.account, bare), kept_name.c.entry <= OWN)
    number = -1 if objection_ is None else objection_
    typed = sa.and_(kept_name.c.objection == number, kept_name.c.compiled.is_not(None))
    rows = sa.select(kept_name.c.account, kept_name.c.entry).where(sa.or_(own, typed), kept_name.c.entry != OWN)
    ended = [tuple(row) for row in connection.execute(rows)]
    connection.execute(sa.delete(kept_name).where(own))
    connection.execute(sa.update(kept_name).where(typed).values(compiled=None, mark=None))
    return Effect(ended=np.array(ended, np.int64)) if ended else None


def restore_names(connection: sa.Connection, noted: Iterable[Mapping[str, Any]], entry: int, objection_: int) -> None:
    """Keep typed names again that a journal holds, under the numbers of now."""
    rows = [
        {
            "account": int(row["account"]),
            "entry": entry,
            "objection": objection_,
            "binds": bool(row["binds"]),
            "source": None,
            "compiled": base64.b64decode(row["compiled"]),
            "mark": int(row["mark"]),
        }
        for row in noted
    ]
    if rows:
        connection.execute(sa.insert(kept_name), rows)


def everybody_of(connection: sa.Connection, keys: SubjectKeys) -> SubjectKeys:
    """These accounts with all that links make one person's with them, sorted."""
    return np.union1d(keys, together(connection, keys))


def _fresh(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Columns of the rows that hold accounts' own names as they are now."""
    joined = sa.join(kept_name, account, account.c.key == kept_name.c.account).outerjoin(
        member, member.c.key == kept_name.c.account
    )
    now = sa.func.coalesce(member.c.digest, b"") == kept_name.c.source
    which = (kept_name.c.entry == OWN, account.c.wrapped.is_not(None), now)
    return sa.select(*columns).select_from(joined).where(*which)


def _only(connection: sa.Connection, rows: sa.Select[Any], keys: SubjectKeys | None) -> sa.Select[Any]:
    return rows if keys is None else rows.where(bulk.among(connection, kept_name.c.account, keys))
