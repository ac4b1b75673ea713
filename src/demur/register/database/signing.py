"""The log's signature: a checkpoint of every group, in the transaction that appends it.

Invariants: whoever signs remembers the edge of the tree that was signed last, and goes on from there alone, so that
each checkpoint is consistent with the one before it, whatever became of the database; the first edge of a process is
that of the highest checkpoint in its mark, and has the root that stands there; what other processes note in the mark
is held against the register before the next signature. A register that is behind that, beside it or has a gap is
neither appended to nor signed. What is kept is committed: a transaction that failed leaves the edge
as it was. The key is the one that the register names: a process that others went ahead of with a rotation takes the
new one up under the write lock, and one that has not got it signs nothing. Whoever reads gets the key of what it
reads, which may be older, and changes nothing. The checkpoint of a rotation is signed by the old key and by the new
one.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CheckFailed, IdentityError, RegisterError
from demur.register.database import instance, logkeys, tree
from demur.register.database.instance import Instance
from demur.register.database.journal import ROTATED
from demur.register.database.logkeys import Finder
from demur.register.database.mark import Group, Mark, Point
from demur.register.database.tables import checkpoint, entry
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.note import NoteKey, sign_note
from demur.transparency.rotation import KeyHistory, Rotation
from demur.transparency.tree import Edge, leaf_hash

_FROM: Final = sa.select(entry.c.seq, entry.c.commitment).where(entry.c.seq >= sa.bindparam("first"))
_BEYOND: Final = _FROM.order_by(entry.c.seq)
_BACK: Final = (
    "nothing was changed; put the register back as it was, or restore a backup with `demur restore`, which replays "
    "what the mark holds."
)
_INSERT: Final = sa.insert(checkpoint)
_NEWEST: Final = sa.select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)


@dataclass(frozen=True, eq=False)
class Signed:
    """The log as it was signed."""

    edge: Edge
    last: bytes
    """The commitment of its last entry; none at the beginning."""
    note: str
    """The checkpoint; none before the first one."""
    beyond: Group | None = None
    """What another process had noted, and was held against it."""
    key: Ed25519PrivateKey | None = None
    """The key that signs from now on, where it is another one."""


@dataclass(frozen=True)
class _Pair:
    """A key of the log: both halves, which are taken up together."""

    private: Ed25519PrivateKey
    public: NoteKey


class Signer:
    """Signs for one register with one mark; safe to use from several threads."""

    def __init__(
        self,
        mark: Mark,
        origin: str,
        key: Ed25519PrivateKey,
        find: Finder = lambda _: None,
        settle: Callable[[Instance], None] = lambda _: None,
    ) -> None:
        """Sign for a log.

        Args:
            mark: where it is noted.
            origin: its name.
            key: its key.
            find: finds the next one where the register names it.
            settle: gives it its place among the files, once it is in use.
        """
        self.origin = origin
        self._pair = self._both(key)
        self._find, self._settle = find, settle
        self._had = [self._pair.public]
        """The public halves of the keys that this process signed with: a reader may see one of before."""
        self._mark = mark
        self._lock = Lock()
        self._known: Signed | None = None
        self._beyond: Group | None = None
        """What another process noted, and this one has not signed beyond yet: it is held against each try."""

    def sign(self, connection: sa.Connection, points: Sequence[Point]) -> Signed:
        """Sign the log with what this transaction appended, and store the checkpoint.

        Args:
            connection: the transaction.
            points: the entries that it appended, and the one before.

        Raises:
            RegisterError: when the log does not go on from where it was signed last.
        """
        rotated: Ed25519PrivateKey | None = connection.info.pop(ROTATED, None)
        pair = self._pair if rotated is not None else self._follow(connection)
        edge, last, beyond = self._grown(connection, points)
        note = self._note(edge, pair, rotated)
        connection.execute(_INSERT, {"size": edge.size, "note": note})
        return Signed(edge, last, note, beyond, rotated)

    def _note(self, edge: Edge, pair: _Pair, rotated: Ed25519PrivateKey | None) -> str:
        """The signed checkpoint; that of a rotation is signed by the next key, too."""
        text = Checkpoint(self.origin, edge.size, edge.root()).text
        note = sign_note(text, pair.public, pair.private)
        if rotated is None:
            return note
        return note + sign_note(text, NoteKey.of(self.origin, rotated), rotated).removeprefix(text + "\n")

    def rotate(self, connection: sa.Connection, key: Ed25519PrivateKey, size: int) -> Rotation:
        """Have another key sign from the end of this transaction on, which both sign; the caller puts it on record.

        Args:
            connection: a write transaction.
            key: the new one.
            size: how many entries there are with that of the rotation.

        Raises:
            RegisterError: when another process rotated, and the key in use is not at hand.
        """
        pair = self._follow(connection)
        connection.info[ROTATED] = key
        return Rotation.make(self.origin, size, pair.private, key)

    def key(self, connection: sa.Connection) -> NoteKey:
        """The public half of the key that the register names, as this transaction sees it.

        Raises:
            RegisterError: when nothing here tells it.
        """
        known = instance.read(connection)
        if known is None:
            return self._pair.public
        for each in self._had:
            if known.log_check_of(each.public) == known.checks.get("log"):
                return each
        for each in self._told(connection):
            if known.log_check_of(each.public) == known.checks.get("log"):
                return each
        return self._in_use(known).public

    def _told(self, connection: sa.Connection) -> list[NoteKey]:
        """The log's keys that followed another one, as its entries tell them; the newest first."""
        try:
            return [each.new for each in reversed(logkeys.rotations(logkeys.told(connection), self.origin))]
        except CheckFailed as error:
            raise RegisterError(f"The entries of the log's keys do not fit together: {error}") from None

    def _follow(self, connection: sa.Connection) -> _Pair:
        """Take up the key that the register names; only under the write lock, so that no older one comes back.

        Raises:
            RegisterError: when it is not at hand.
        """
        known = instance.read(connection)
        if known is None:
            return self._pair
        pair = self._in_use(known)
        if pair is not self._pair:
            self._take(pair)
            with suppress(IdentityError):  # the next opening tries again, and says why it can't
                self._settle(known)
        return pair

    def _in_use(self, known: Instance) -> _Pair:
        """Both halves of the key that an instance names.

        Raises:
            RegisterError: when it is not at hand.
        """
        pair = self._pair
        if known.log_check(pair.private) == known.checks.get("log"):
            return pair
        found = self._find(known)
        if found is None:
            raise RegisterError(
                "The log has another key by now, which is not here: copy keys/log.key from the server on which `demur "
                "log rotate` ran into keys/ of this one. Nothing was changed, and nothing is signed."
            )
        return self._both(found)

    def _both(self, key: Ed25519PrivateKey) -> _Pair:
        return _Pair(key, NoteKey.of(self.origin, key))

    def _take(self, pair: _Pair) -> None:
        with self._lock:
            self._pair = pair
            if pair.public not in self._had:
                self._had.append(pair.public)

    def history(self, connection: sa.Connection, said: logkeys.Told | None = None) -> KeyHistory:
        """The log's keys, each with the checkpoints that it counts for.

        Args:
            connection: a transaction.
            said: what its entries say of them, where that was read already.

        Raises:
            RegisterError: when the entries don't lead to the key in use.
        """
        try:
            told = logkeys.told(connection) if said is None else said
            return logkeys.history(told, self._pair.public if ROTATED in connection.info else self.key(connection))
        except CheckFailed as error:
            raise RegisterError(f"The entries of the log's keys do not fit together: {error}") from None

    def require(self, connection: sa.Connection, groups: Sequence[Group]) -> None:
        """Make sure that the register goes on from what was signed last, and that this log's key signed these groups.

        Args:
            connection: a transaction.
            groups: what others appended, with its checkpoints.

        Raises:
            RegisterError: when that is not so.
        """
        if ROTATED not in connection.info:  # else the register names the next key already
            self._follow(connection)
        self._grown(connection, ())
        for group in groups:
            self._require_same(connection, tree.edge(connection, group.end.seq), group.end.commitment, group)

    def look(self) -> None:
        """See what other processes have noted in the mark since this was asked last."""
        if (noted := self._mark.unseen()) is not None:
            self._beyond = noted

    def _grown(self, connection: sa.Connection, points: Sequence[Point]) -> tuple[Edge, bytes, Group | None]:
        """The log up to its end, its last commitment, and what another process had noted, held against it."""
        self.look()
        beyond = self._beyond
        known = self._known or self.noted(connection)
        edge, last = known.edge.copy(), known.last
        first = max(1, edge.size)
        if not points or points[0].seq != first:  # another process signed since, or the register is another one
            points = [Point(seq, bytes(hashed)) for seq, hashed in connection.execute(_BEYOND, {"first": first})]
        if edge.size and (not points or points[0] != Point(edge.size, last)):
            raise RegisterError(
                f"The register's entry {edge.size} is missing or another one than the one that was signed: {_BACK}"
            )
        if beyond is not None and edge.size == beyond.end.seq:
            self._require_same(connection, edge, last, beyond)
        for point in points[1:] if edge.size else points:
            if point.seq != edge.size + 1:
                raise RegisterError(f"The register lacks entry {edge.size + 1}: {_BACK}")
            last = point.commitment
            edge.append(leaf_hash(last))
            if beyond is not None and edge.size == beyond.end.seq:
                self._require_same(connection, edge, last, beyond)
        if beyond is not None and edge.size < beyond.end.seq:
            raise RegisterError(
                f"The register would end at entry {edge.size}, before entry {beyond.end.seq}, which was acknowledged: "
                f"{_BACK}"
            )
        return edge, last, beyond

    def sign_other(self, connection: sa.Connection, message: bytes) -> bytes:
        """The signature of something that begins as no checkpoint does, by the key that the register names.

        Raises:
            RegisterError: when it is not at hand.
        """
        known = instance.read(connection)
        return (self._pair if known is None else self._in_use(known)).private.sign(message)

    def keep(self, signed: Signed) -> None:
        """Go on from here: it was committed."""
        with self._lock:
            newest = self._known is None or self._known.edge.size < signed.edge.size
            if newest:
                self._known = signed
            if self._beyond is signed.beyond:
                self._beyond = None
        if signed.key is not None and newest:  # else whoever signed since took up the key that the register names
            self._take(self._both(signed.key))

    def noted(self, connection: sa.Connection) -> Signed:
        """The log at the highest checkpoint of the mark, as this register has it.

        Raises:
            RegisterError: when the register has another tree there, or the mark another log.
        """
        noted = self._mark.newest()
        edge = tree.edge(connection, noted.end.seq)
        self._require_same(connection, edge, noted.end.commitment, noted)
        return Signed(edge, noted.end.commitment, noted.checkpoint)

    def _require_same(self, connection: sa.Connection, edge: Edge, last: bytes, noted: Group) -> None:
        """Make sure that the register has the log that the mark notes, up to where that goes."""
        try:
            said = self.history(connection).read(noted.checkpoint.encode()) if noted.checkpoint else None
        except CheckFailed as error:
            raise RegisterError(f"The mark {self._mark.path} holds no checkpoint of this log: {error}") from None
        if last != noted.end.commitment or (said is not None and (said.size, said.root) != (edge.size, edge.root())):
            raise RegisterError(
                f"The register is not the one of the mark {self._mark.path}: up to entry {edge.size} its tree has "
                "another root, because an entry was changed or exchanged. Nothing was changed, and nothing is "
                "signed; `demur verify` looks for the entry; put the register back as it was, or restore a backup."
            )


def newest(connection: sa.Connection) -> str | None:
    """The newest checkpoint; None before the first one."""
    return connection.scalar(_NEWEST)


def at(connection: sa.Connection, size: int) -> str:
    """The checkpoint of a size; empty where none was signed."""
    return connection.scalar(sa.select(checkpoint.c.note).where(checkpoint.c.size == size)) or ""
