"""The keys of the log, as the register's own entries tell them: by which key a log was opened, and how it went on.

Invariants: the entry that opens a log names its keys by their public halves, and the pepper by its SHA-256, 32 random
bytes that nobody can try; it is the first one under that name, made once however many servers there are. A rotation is
an entry that the old and the new key signed both (transparency/rotation.py). Which key is in use is what the register
says, and never what a file is called: a rotation that was cut off is finished, or had not begun.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import IdentityError
from demur.identity import LOG_FILE, NEXT_LOG_FILE, Keys, read_signing_key
from demur.register.database.instance import Instance
from demur.register.database.tables import entry
from demur.terms import EntryKind
from demur.transparency.note import NoteKey
from demur.transparency.rotation import KeyHistory, Rotation

_TOLD: Final = (
    sa.select(entry.c.kind, entry.c.payload)
    .where(entry.c.kind.in_([EntryKind.LOG_OPENED.value, EntryKind.LOG_ROTATED.value]))
    .order_by(entry.c.seq)
)

Told = list[tuple[EntryKind, dict[str, Any]]]

Finder = Callable[[Instance], Ed25519PrivateKey | None]
"""Finds the private half of the key that an instance names; None where it is not at hand."""


def told(connection: sa.Connection) -> Told:
    """What entries say of the log's keys, in their order."""
    return [(EntryKind(kind), orjson.loads(payload)) for kind, payload in connection.execute(_TOLD)]


def rotations(said: Told, origin: str) -> list[Rotation]:
    """The rotations of one log.

    Raises:
        CheckFailed: when an entry holds none.
    """
    of = (Rotation.read(each) for kind, each in said if kind is EntryKind.LOG_ROTATED)
    return [each for each in of if each.origin == origin]


def opening(connection: sa.Connection, origin: str) -> int | None:
    """The number of the entry that opens a log; None where none does."""
    opens = sa.select(entry.c.seq, entry.c.payload).where(entry.c.kind == EntryKind.LOG_OPENED.value)
    rows = connection.execute(opens.order_by(entry.c.seq))
    return next((seq for seq, payload in rows if orjson.loads(payload)["origin"] == origin), None)


def history(said: Told, key: NoteKey) -> KeyHistory:
    """The keys of the log in use.

    Args:
        said: what entries say.
        key: the one in use, under the log's name.

    Raises:
        CheckFailed: when the entries don't lead to it.
    """
    return KeyHistory.of(key, rotations(said, key.name))


def history_of(said: Told, origin: str, public: bytes) -> KeyHistory:
    """The keys of a log that the register had, whichever.

    Args:
        said: what entries say.
        origin: its name.
        public: of the key in use now, 32 bytes: the one of every log that no entry says more of.

    Raises:
        CheckFailed: when the entries don't go on from one another.
    """
    of = rotations(said, origin)
    if of:
        return KeyHistory.of(of[-1].new, of)
    first = next((each for kind, each in said if kind is EntryKind.LOG_OPENED and each["origin"] == origin), None)
    if first is not None:
        return KeyHistory.of(NoteKey.read(first["keys"]["log"]))
    later = next(iter(said), None)  # a log of before there were such entries: the first one names its key
    if later is None:
        return KeyHistory.of(NoteKey(origin, public))
    kind, payload = later
    text = payload["keys"]["log"] if kind is EntryKind.LOG_OPENED else payload["signed"]["from"]
    return KeyHistory.of(NoteKey(origin, NoteKey.read(text).public))


def opened(said: Told, origin: str) -> bool:
    """Whether a log was opened on record."""
    return any(kind is EntryKind.LOG_OPENED and each["origin"] == origin for kind, each in said)


def find_in(folder: Path | None) -> Finder:
    """Looks for the key in a folder of keys; a rotation that was cut off left it under its first name.

    It looks at the last name again at the end: somebody may have given the key that name in between.
    """

    def find(known: Instance) -> Ed25519PrivateKey | None:
        if folder is None:
            return None
        for path in (folder / LOG_FILE, folder / NEXT_LOG_FILE, folder / LOG_FILE):
            try:
                found = read_signing_key(path) if path.exists() else None
            except IdentityError:
                continue  # another file may be the one
            if found is not None and known.log_check(found) == known.checks.get("log"):
                return found
        return None

    return find


def settle(folder: Path | None, known: Instance) -> None:
    """Give the key in use its name, where a rotation was committed; the old one's private half is gone with that.

    A file under the next key's name that can't be read, or holds another key, stays as it is.

    Raises:
        IdentityError: when the file can't be renamed.
    """
    if folder is None or not (folder / NEXT_LOG_FILE).exists():
        return
    try:
        following = read_signing_key(folder / NEXT_LOG_FILE)
    except IdentityError:
        return  # half copied, or renamed just now: whether log.key is the one is checked apart
    if known.log_check(following) == known.checks.get("log"):
        Keys.settle_log(folder)
