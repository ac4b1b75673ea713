"""Does a register belong to the mark, and to the keys, that it is opened with?

Invariants: a register that is behind its mark, or is another one, is refused before anything is written, and nothing
is ever healed in silence; one that was made before there were instances is adopted once, and says so in an entry; a
kill in between leaves a state that the next opening finishes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import Keys
from demur.register.continuity.loss import UNKNOWN
from demur.register.database import entries, instance, journal, logkeys
from demur.register.database.clock import micros
from demur.register.database.instance import Instance
from demur.register.database.mark import Mark, Point
from demur.register.database.records import JSON
from demur.register.database.signing import Signer
from demur.register.database.store import Store
from demur.register.database.tables import account
from demur.register.database.vault import Vault
from demur.terms import EntryKind


@dataclass(frozen=True)
class Renewed:
    """A mark that was begun anew."""

    path: Path
    begin: int
    """The register's last entry then."""
    incarnation: int
    lost: bool
    """Whether the old one is lost, so that publishing waits for a decision."""


def begin(store: Store, keys: Keys, path: Path) -> None:
    """Make a new register an instance's, with a mark at ``path``.

    Raises:
        RegisterError: when the register is in use already, or there is a mark.
    """
    with store.reading() as connection:
        if instance.read(connection) is not None or journal.end(connection).seq:
            raise RegisterError(
                f"{_where(store)} holds the register of another workspace: name an empty database, or take that one's "
                "folder for a further server."
            )
    begun = Instance.begin(keys)
    with _new_mark(store, keys, path, begun), store.writing() as connection:
        instance.write(connection, begun)


def check(store: Store, keys: Keys, path: Path) -> None:
    """Make sure that register, keys and mark belong together; from then on commits are noted in the mark.

    Raises:
        IdentityError: when a key is another one.
        RegisterError: when the register is older than its mark, or another one; or when the mark is not there.
    """
    with store.reading() as connection:
        known = instance.read(connection)
    if known is None:
        known = _adopt(store, keys, path)
    known, keys = _with_log(store, keys, known)
    known.require(keys, f"the register {_where(store)}")
    mark = Mark(path, keys, known)
    if not path.is_file() and not mark.finish():
        raise RegisterError(
            f"The mark {path}, which says how far this register was acknowledged, is not there: put it back; if it is "
            "lost, `demur mark renew` begins another one."
        )
    head = mark.head()
    if (head.instance, head.incarnation) != (known.id, known.incarnation):
        raise RegisterError(_other_age(store, mark, head.incarnation, known))
    with store.reading() as connection:
        require_point(connection, mark.end(), f"the mark {path}", _where(store))
    assert keys.log is not None  # its check value was required
    folder = keys.folder
    settle = partial(logkeys.settle, folder)
    store.mark, store.signer = mark, Signer(mark, known.origin, keys.log, logkeys.find_in(folder), settle)


def renew(store: Store, keys: Keys, path: Path) -> Renewed:
    """Begin a new mark at the register's end, because the old one is lost or from before a restore.

    A mark from before a restore which took everything in it is followed by one of the register's incarnation: that is
    how the folder of a further server goes on. Where it is lost, nobody can tell that the register is not an older one:
    that goes on record, publishing waits for a decision (loss.py), and an incarnation begins, so that the lost mark is
    refused should it turn up.

    Raises:
        IdentityError: when a key is another one.
        RegisterError: when the mark is there and fits, or is ahead of the register; or when there is no instance.
    """
    with store.reading() as connection:
        known, end = instance.read(connection), journal.end(connection)
    if known is None:
        raise RegisterError(f"The register {_where(store)} never had a mark: any other command gives it one.")
    known.require(keys, f"the register {_where(store)}")
    mark = Mark(path, keys, known)
    if path.is_file() or mark.finish():
        _require_followed(store, mark, known)
        mark.begin_again(end, known.incarnation, drop=True)
        return Renewed(path, end.seq, known.incarnation, lost=False)
    begun = known.next()
    with store.writing() as connection:
        instance.write(connection, begun)
        payload: dict[str, JSON] = {"incarnation": begun.incarnation, "loss": UNKNOWN}
        seq = entries.append(connection, EntryKind.MARK_RENEWED, payload, micros(None))
        end = journal.end(connection)
        prepared = Mark.prepare(path, keys, begun, end)
    prepared.establish()
    return Renewed(path, seq, begun.incarnation, lost=True)


def _require_followed(store: Store, mark: Mark, known: Instance) -> None:
    """Make sure that a mark is from before a restore which took in all that it notes."""
    head, end = mark.head(), mark.end()
    if head.incarnation == known.incarnation:
        with store.reading() as connection:
            require_point(connection, end, f"the mark {mark.path}", _where(store))
        raise RegisterError(f"The mark {mark.path} is there and fits: there is nothing to renew.")
    with store.reading() as connection:
        restored = entries.last_of(connection, EntryKind.REGISTER_RESTORED) or {}
        held = journal.commitment_at(connection, end.seq) == end.commitment
    taken = [end.seq, end.commitment.hex()] in (restored.get("marks") or [])  # type: ignore[operator]  # a list
    if head.incarnation > known.incarnation or not (held or taken):
        raise RegisterError(
            f"The mark {mark.path} (incarnation {head.incarnation}) notes what the register (incarnation "
            f"{known.incarnation}) does not hold: restore the backup again and name this mark, too, with --mark; or "
            "move it away, and `demur mark renew` puts on record that it is lost."
        )


def require_point(connection: sa.Connection, point: Point, of: str, where: str) -> None:
    """Make sure that the register holds an entry that something outside it names.

    Args:
        connection: a transaction.
        point: the entry.
        of: what names it.
        where: the register, for the sentence.

    Raises:
        RegisterError: when the register ends before it, or holds another entry at its number.
    """
    found = journal.commitment_at(connection, point.seq)
    if found == point.commitment:
        return
    end = entries.head(connection).seq
    if found is None and end > point.seq:
        raise RegisterError(
            f"The register {where} lacks entry {point.seq}, which {of} names: somebody took it out. Nothing was "
            "changed; put the register back as it was, or restore a backup with `demur restore`."
        )
    if found is None:
        raise RegisterError(
            f"The register {where} is older than {of}: it ends at entry {end}, {point.seq - end} before entry "
            f"{point.seq}, which was acknowledged. Nothing was changed; put the newer register back, or restore a "
            "backup with `demur restore`, which replays what the mark holds."
        )
    raise RegisterError(
        f"The register {where} is not the one of {of}: its entry {point.seq} is another one. Nothing was changed; put "
        "back what belongs together, or restore a backup with `demur restore`."
    )


def _adopt(store: Store, keys: Keys, path: Path) -> Instance:
    """Make the register of an older demur an instance's: once, and on record."""
    if path.exists():
        raise RegisterError(
            f"The register {_where(store)} is older than the mark {path}: it is from before this workspace had one. "
            "Nothing was changed; put the newer register back, or restore a backup with `demur restore`."
        )
    _require_pepper(store, keys)
    begun = Instance.begin(keys)
    with store.writing() as connection:
        known = instance.read(connection)  # again: another process may have been faster
        if known is not None:
            return known
        instance.write(connection, begun)
        entries.append(connection, EntryKind.WORKSPACE_ADOPTED, {"instance": begun.id}, micros(None))
        mark = Mark.prepare(path, keys, begun, journal.end(connection))
    mark.establish()
    return begun


def _with_log(store: Store, keys: Keys, known: Instance) -> tuple[Instance, Keys]:
    """Instance and keys with the log's: a workspace of an older demur gets it once, and its register knows it."""
    if "log" not in known.checks:
        known.require(keys, f"the register {_where(store)}")
        with store.writing() as connection:
            known = instance.read(connection) or known  # again: another process may have been faster
            if "log" not in known.checks:
                keys = keys.with_log()
                known = known.with_log(keys)
                instance.write(connection, known)
    if keys.log is None and keys.folder is not None:  # it was made since these were loaded
        keys = replace(keys, log=Keys.load(keys.folder).log)
    if keys.log is not None and known.log_check(keys.log) != known.checks["log"]:  # it was rotated since, or just now
        with store.reading() as connection:  # again: these keys may be newer than what was read of the register
            known = instance.read(connection) or known
        keys = replace(keys, log=logkeys.find_in(keys.folder)(known) or keys.log)
    logkeys.settle(keys.folder, known)
    return known, keys


def _require_pepper(store: Store, keys: Keys) -> None:
    """An older register has no check value: the identifiers that it sealed have to give their keys."""
    vault = Vault(keys.sealing)
    columns = (account.c.key, account.c.wrapped, account.c.sealed)
    with store.reading() as connection:
        row = connection.execute(sa.select(*columns).where(account.c.wrapped.is_not(None)).limit(1)).one_or_none()
    if row is None:
        return
    spelt = vault.open(row.wrapped, row.sealed, "account", row.key).decode()
    if int(keys.pepper.spelt_keys([spelt])[0]) != row.key:
        raise IdentityError(
            f"keys/pepper.key is not the key that the register {_where(store)} was made with: nothing was changed; "
            "restore the keys that belong to this workspace from your backup."
        )


@contextmanager
def _new_mark(store: Store, keys: Keys, path: Path, begun: Instance) -> Iterator[None]:
    """A mark beside its place while the register learns its instance, and in its place after."""
    with store.reading() as connection:
        mark = Mark.prepare(path, keys, begun, journal.end(connection))
    try:
        yield
    except BaseException:
        mark.discard()
        raise
    mark.establish()


def _other_age(store: Store, mark: Mark, incarnation: int, known: Instance) -> str:
    which = "older" if incarnation > known.incarnation else "newer"
    return (
        f"The register {_where(store)} is {which} than the mark {mark.path}: a restore came between (incarnation "
        f"{known.incarnation} and {incarnation}). Nothing was changed; put back what belongs together."
    )


def _where(store: Store) -> str:
    return store.url.render_as_string(hide_password=True)
