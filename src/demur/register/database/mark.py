"""The mark: a signed file outside the register, with its log's highest checkpoint: how far it was acknowledged.

Invariants: it is on disk before an acknowledgement leaves, so that a register which ends before it is an older one; a
line is appended whole, under a shared lock, and is signed (Ed25519, RFC 8032) together with the instance, so that no
line of another workspace passes; a line that a crash cut off was never acknowledged, and is skipped. Besides the end
of the register, and the checkpoint that was signed there (signing.py), a line carries what can be replayed after a
restore, the *journal*: binding entries and erasures since the last backup, sealed (AES-256-GCM), by subject key and
without any detail.

The file holds one JSON object a line, each behind a line feed: first a head, then a line for each group of entries
that was committed together. Several processes append side by side, so that neighbours may stand in another order, and
a group twice: whoever goes on from one that is not noted, or tells somebody of it, notes it, because whoever committed
it may be dead.
"""

import base64
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson
from cryptography.exceptions import InvalidSignature

from demur.canonical import canonical_json
from demur.errors import RegisterError, UnavailableError
from demur.files import partial, sync
from demur.identity import Keys, seal, unseal
from demur.register.database.instance import Instance

FORMAT: Final = 2
"""Of marks that are begun now: their lines hold checkpoints. The first one's had none, and are read."""
NAME: Final = "register.mark"
"""Its name in a workspace, unless demur.toml puts it elsewhere."""
_TAIL_BYTES: Final = 1 << 16
_NEIGHBOURS: Final = 64
"""Lines at the end among which the furthest one stands: more than processes can overtake each other by."""


@dataclass(frozen=True)
class Point:
    """One entry of a register, by its number and its commitment."""

    seq: int
    """0 for the beginning, before any entry."""
    commitment: bytes
    """32 bytes; empty at the beginning."""


@dataclass(frozen=True)
class Group:
    """What one transaction appended."""

    end: Point
    """Its last entry."""
    entries: Sequence[Mapping[str, Any]]
    """What can be replayed of it, as plain JSON."""
    others: Mapping[str, int]
    """How many further entries it has, by kind."""
    checkpoint: str = ""
    """The log as it was signed with it; none in lines of an older demur."""


@dataclass(frozen=True)
class MarkHead:
    """The first line of a mark."""

    instance: str
    incarnation: int
    begin: Point
    """Where the journal begins: the end of the register at the last backup, or at its creation."""
    checkpoint: str = ""
    """The log as it was signed there, if it was."""


class Mark:
    """The mark of one workspace; safe to use from several threads and processes."""

    def __init__(self, path: Path, keys: Keys, instance: Instance) -> None:
        self.path = path
        self._keys = keys
        self._context = b"demur mark\0" + instance.id.encode() + b"\0"
        self._journal_key = hashlib.sha256(b"demur/mark/journal" + keys.sealing).digest()
        self._instance = instance
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._seen: tuple[int, int] | None = None
        """The file, and its size, up to which every line is our own or was read."""
        self.noted = 0
        """The furthest entry that is known to be in it."""

    # Beginning one

    @classmethod
    def prepare(cls, path: Path, keys: Keys, instance: Instance, begin: Point) -> Self:
        """A new mark, on disk beside its place; :meth:`establish` puts it there.

        Raises:
            RegisterError: when something stands there, or its folder is not there.
        """
        if path.exists():
            raise RegisterError(f"{path} exists already and is the mark of a register: name another place for it.")
        mark = cls(path, keys, instance)
        mark._write_beside([mark._head_line(begin)])
        return mark

    def establish(self) -> None:
        """Give a prepared mark its name; another process may have been faster."""
        try:
            partial(self.path).replace(self.path)
        except FileNotFoundError:
            if not self.path.exists():
                raise
        sync(self.path.parent)

    def finish(self) -> bool:
        """Establish the mark that a crash left beside its place, if it is this instance's; whether there was one."""
        beside = partial(self.path)
        head = self._read_head(beside) if beside.is_file() else None
        if head is None or head.incarnation != self._instance.incarnation:
            return False
        self.establish()
        return True

    def discard(self) -> None:
        """Remove a prepared mark whose register was not made."""
        partial(self.path).unlink(missing_ok=True)

    def begin_again(self, begin: Point, incarnation: int, checkpoint: str = "", *, drop: bool = False) -> None:
        """Begin the journal anew after a backup or a restore; lines that go beyond ``begin`` stay, unless ``drop``."""
        with self._lock, self._held(fcntl.LOCK_EX):
            later = [] if drop else [line for line, group in self._lines() if group.end.seq > begin.seq]
            self._instance = Instance(self._instance.id, incarnation, self._instance.checks)
            self._write_beside([self._head_line(begin, checkpoint), *later])
            self.establish()

    # Going on

    def append(self, *groups: Group, durable: bool = True) -> None:
        """Note what a transaction appended, after its commit and before anybody is told.

        Args:
            groups: what it appended; before that what was committed earlier and is not noted, in order.
            durable: whether the file must be on disk when this returns.

        Raises:
            UnavailableError: when it can't be written: what was committed must not be acknowledged.
        """
        lines = b"".join(map(self._line, groups))
        try:
            with self._lock, self._held(fcntl.LOCK_SH) as descriptor:
                _write_all(descriptor, lines)
                if durable:
                    os.fdatasync(descriptor)
                there = os.fstat(descriptor)
                if self._seen == (there.st_ino, there.st_size - len(lines)):
                    self._seen = there.st_ino, there.st_size
                self.noted = max(self.noted, groups[-1].end.seq)
        except OSError as error:
            raise UnavailableError(
                f"The mark {self.path} can't be written ({error.strerror or error}), so that nothing may be "
                "acknowledged: make room or put it back, and try again."
            ) from None

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._drop()

    # Reading it

    def head(self) -> MarkHead:
        """The first line.

        Raises:
            RegisterError: when the file is no mark of this instance.
            UnavailableError: when it can't be read.
        """
        found = self._read_head(self.path)
        if found is None:
            raise RegisterError(
                f"{self.path} is no mark of this workspace: put the mark back that belongs to this register."
            )
        return found

    def end(self) -> Point:
        """How far the register was acknowledged.

        Raises:
            RegisterError: when the file is no mark of this instance.
        """
        return self.newest().end

    def newest(self) -> Group:
        """The furthest group that was noted, without its journal; at the beginning one of no entries.

        Raises:
            RegisterError: when the file is no mark of this instance.
        """
        head = self.head()
        begin = Group(head.begin, (), {}, head.checkpoint)
        size, wanted = self.path.stat().st_size, _TAIL_BYTES
        while True:
            with self.path.open("rb") as file:
                file.seek(max(0, size - wanted))
                lines = file.read().split(b"\n")
            newest_first = sorted(lines[-_NEIGHBOURS:], key=_end_said, reverse=True)
            groups = (self._group(line, journal=False) for line in newest_first)  # lazily: a signature costs time
            newest = next((group for group in groups if group is not None), None)
            if newest is not None:
                return max(begin, newest, key=lambda group: group.end.seq)
            if wanted >= size:
                return begin
            wanted *= 4

    def unseen(self) -> Group | None:
        """The furthest group, if another process has written since this was asked last; else None.

        Raises:
            RegisterError: when the file is no mark of this instance, or of another incarnation.
            UnavailableError: when it can't be read.
        """
        try:
            there = self.path.stat()
        except OSError as error:
            raise self._unreadable(self.path, error) from None
        if self._seen == (there.st_ino, there.st_size):
            return None
        head = self.head()
        if head.incarnation != self._instance.incarnation:
            raise RegisterError(
                f"The mark {self.path} is of incarnation {head.incarnation}, and this process of "
                f"{self._instance.incarnation}: a restore, or a new mark, came between; start it again."
            )
        newest = self.newest()
        self._seen, self.noted = (there.st_ino, there.st_size), max(self.noted, newest.end.seq)
        return newest

    def groups(self) -> Iterator[Group]:
        """Every group that was noted, once, in the order of the register."""
        groups = {group.end.seq: group for _, group in self._lines()}
        yield from (groups[seq] for seq in sorted(groups))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    # Lines

    def _lines(self) -> Iterator[tuple[bytes, Group]]:
        with self.path.open("rb") as file:
            for line in file:
                if (group := self._group(line, journal=True)) is not None:
                    yield b"\n" + line.strip(b"\n"), group

    def _head_line(self, begin: Point, checkpoint: str = "") -> bytes:
        body = {
            "begin": [begin.seq, begin.commitment.hex()],
            "checkpoint": checkpoint,
            "format": FORMAT,
            "incarnation": self._instance.incarnation,
            "instance": self._instance.id,
        }
        return self._signed(body).removeprefix(b"\n")

    def _line(self, group: Group) -> bytes:
        plain = orjson.dumps({"entries": list(group.entries), "others": dict(group.others)})
        sealed = seal(self._journal_key, plain, context=self._context)
        return self._signed(
            {
                "checkpoint": group.checkpoint,
                "end": [group.end.seq, group.end.commitment.hex()],
                "journal": base64.b64encode(sealed).decode(),
            }
        )

    def _signed(self, body: Mapping[str, Any]) -> bytes:
        message = canonical_json(body)
        signature = self._keys.signing.sign(self._context + message).hex().encode()
        return b'\n{"signature":"' + signature + b'","signed":' + message + b"}"

    def _verified(self, line: bytes) -> dict[str, Any] | None:
        """The signed part of a line; None for a line that was cut off, changed, or is another instance's."""
        try:
            read = orjson.loads(line)
            body, signature = read["signed"], bytes.fromhex(read["signature"])
            message = canonical_json(body)
            self._keys.signing.public_key().verify(signature, self._context + message)
        except (ValueError, KeyError, TypeError, InvalidSignature):
            return None
        return dict(body)

    def _group(self, line: bytes, *, journal: bool) -> Group | None:
        body = self._verified(line) if line.strip() else None
        if body is None or "end" not in body:
            return None
        seq, commitment = body["end"]
        end, checkpoint = Point(int(seq), bytes.fromhex(commitment)), str(body.get("checkpoint", ""))
        if not journal:
            return Group(end, (), {}, checkpoint)
        said = orjson.loads(unseal(self._journal_key, base64.b64decode(body["journal"]), context=self._context))
        return Group(end, said["entries"], said["others"], checkpoint)

    def _read_head(self, path: Path) -> MarkHead | None:
        try:
            with path.open("rb") as file:
                body = self._verified(file.readline())
        except OSError as error:
            raise self._unreadable(path, error) from None
        if body is None or "begin" not in body:
            return None
        if body["format"] > FORMAT:
            raise RegisterError(f"{path} has format {body['format']}, newer than this demur reads: upgrade demur.")
        seq, commitment = body["begin"]
        begin = Point(int(seq), bytes.fromhex(commitment))
        return MarkHead(body["instance"], body["incarnation"], begin, str(body.get("checkpoint", "")))

    def _unreadable(self, path: Path, error: OSError) -> UnavailableError:
        return UnavailableError(
            f"The mark {path} can't be read ({error.strerror}), so that nothing may be acknowledged: put it back, and "
            "try again."
        )

    # The file

    def _write_beside(self, lines: Sequence[bytes]) -> None:
        try:
            descriptor = os.open(partial(self.path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write_all(descriptor, b"".join(lines))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise RegisterError(
                f"The mark {self.path} can't be written ({error.strerror}): see to its folder, or name another place "
                "for it in demur.toml (register.mark)."
            ) from None

    @contextmanager
    def _held(self, how: int) -> Iterator[int]:
        """The file, locked; it may have been replaced by another process since it was opened."""
        while True:
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            fcntl.flock(self._descriptor, how)
            if _same_file(self._descriptor, self.path):
                break
            self._drop()
        try:
            yield self._descriptor
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _drop(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _same_file(descriptor: int, path: Path) -> bool:
    ours, theirs = os.fstat(descriptor), path.stat()
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _end_said(line: bytes) -> int:
    """The number of the entry that a line says to end at, whether or not it is signed; -1 where it says none."""
    try:
        return int(orjson.loads(line)["signed"]["end"][0])
    except (ValueError, KeyError, TypeError, IndexError):
        return -1
