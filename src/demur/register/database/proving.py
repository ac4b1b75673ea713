"""The log as others see it: its key, the newest checkpoint, tiles and bundles; and proofs of single entries.

Invariants: nothing is handed out that the newest checkpoint does not cover, so that all of it fits together; what is
handed out names nobody: commitments are salted, and an entry is opened without the second salt, so that it says what
happened and not to whose subject keys. One of the first format, or whose salts an erasure destroyed, is opened to
nobody. The subjects of an objection are opened apart, as far as they are proven to be one person's: that is for this
person alone (ADR 0017), and whoever asks for it makes sure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from demur.errors import CheckFailed, RegisterError
from demur.identity import SubjectKeys
from demur.register.database import cosigned, entries, instance, logkeys, signing, tree
from demur.register.database.signing import Signer
from demur.register.database.store import Store
from demur.register.database.tables import entry
from demur.transparency.checkpoint import Checkpoint, InclusionProof
from demur.transparency.note import NoteKey
from demur.transparency.rotation import KeyHistory, Rotation
from demur.transparency.tiles import WIDTH, Piece, bundle, pieces_of, width_at
from demur.transparency.tree import consistency_proof, inclusion_proof, root_at


@dataclass(frozen=True)
class Opened:
    """One entry, with what shows that it is in the log."""

    entry: str
    """Canonical JSON (RFC 8785), to the byte as it was committed to."""
    salt: bytes
    """32 bytes; ``SHA-256(salt || entry)`` is the leaf."""
    proof: InclusionProof
    """That the leaf is in the log of a signed checkpoint: of the newest that witnesses cosigned, if one covers it."""
    key: NoteKey
    """The log's key in use."""
    rotations: Sequence[Rotation]
    """How it followed the log's earlier ones, oldest first."""


@dataclass(frozen=True)
class OwnSubjects:
    """What opens of an objection's subjects those that are proven to be its person's, and none besides (entries.py)."""

    keys: SubjectKeys
    """In their order."""
    salt: bytes
    """32 bytes."""
    others: bytes
    """What stands for the others, whether there are any or not; 32 bytes."""


class Proving:
    """The log of one register; safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def key(self) -> NoteKey:
        """The public half of the key that signs it."""
        with self._store.reading() as connection:
            return self._signer.key(connection)

    @property
    def _signer(self) -> Signer:
        signer = self._store.signer
        assert signer is not None  # a workspace's register has one
        return signer

    @property
    def history(self) -> KeyHistory:
        """The log's keys, each with the checkpoints that it counts for.

        Raises:
            RegisterError: when the entries don't lead to the key in use.
        """
        with self._store.reading() as connection:
            return self._signer.history(connection)

    def history_of(self, origin: str) -> KeyHistory:
        """The keys of a log that this register has or had, as its entries tell them.

        Raises:
            RegisterError: when it never had that log, or its entries do not fit together.
        """
        with self._store.reading() as connection:
            key, known, said = self._signer.key(connection), instance.read(connection), logkeys.told(connection)
        if known is None or origin not in known.origins:
            raise RegisterError("This register never had that log: it is another workspace's.")
        try:
            return logkeys.history_of(said, origin, key.public)
        except CheckFailed as error:
            raise RegisterError(f"The entries of the log's keys do not fit together: {error}") from None

    def goes_on_from(self, note: str) -> bool:
        """Whether the log has, up to its size, the tree of a checkpoint that somebody kept.

        Raises:
            CheckFailed: when no key of this workspace's log signed that.
            RegisterError: when the register lacks an entry.
        """
        said = self.history_of(note.partition("\n")[0]).read(note.encode())
        with self._store.reading() as connection:
            if said.size > entries.head(connection).seq:
                return False
            return root_at(tree.nodes(connection, said.size), said.size) == said.root

    def holds(self, commitment: bytes, seq: int) -> bool:
        """Whether the register has an entry of a commitment at a number."""
        with self._store.reading() as connection:
            return connection.scalar(sa.select(entry.c.commitment).where(entry.c.seq == seq)) == commitment

    def rotations(self) -> list[Rotation]:
        """How one key of this log followed another, oldest first.

        Raises:
            RegisterError: when the register holds something else.
        """
        with self._store.reading() as connection:
            said = logkeys.told(connection)
        try:
            return logkeys.rotations(said, self._signer.origin)
        except CheckFailed as error:
            raise RegisterError(f"The entries of the log's keys do not fit together: {error}") from None

    @property
    def begun(self) -> bool:
        """Whether the log has a checkpoint."""
        with self._store.reading() as connection:
            note = signing.newest(connection)
            return note is not None and self._is_ours(note)

    def checkpoint(self) -> str:
        """The newest checkpoint, as it was signed, and cosigned.

        Raises:
            RegisterError: when none was signed yet.
        """
        with self._store.reading() as connection:
            note = self._newest(connection)
            return cosigned.with_lines(connection, self._signer.origin, self._read(connection, note).size, note)

    def piece(self, piece: Piece) -> bytes | None:
        """A tile or a bundle; None where the newest checkpoint covers none of that width.

        Raises:
            RegisterError: when no checkpoint was signed yet, or the register lacks an entry.
        """
        with self._store.reading() as connection:
            size = self._read(connection, self._newest(connection)).size
            if piece.width > width_at(piece.level, piece.n, size):
                return None
            return _content(connection, piece)

    def files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Path and content of every tile and bundle of the log's first ``size`` entries.

        Raises:
            RegisterError: when the register lacks an entry.
        """
        with self._store.reading() as connection:
            for piece in pieces_of(size):
                yield piece.path, _content(connection, piece)

    def open(self, seq: int) -> Opened:
        """Open an entry, with its proof of inclusion in the newest checkpoint.

        Raises:
            RegisterError: when there is no such entry, it can't be opened, or no checkpoint covers it yet.
        """
        (opened,) = self.open_all([seq])
        return opened

    def open_all(self, seqs: Sequence[int]) -> list[Opened]:
        """Open entries, all with proofs of inclusion in one checkpoint, so that their order shows.

        Raises:
            RegisterError: when :meth:`open` would for one of them.
        """
        with self._store.reading() as connection:
            found = [_openable(connection, seq) for seq in seqs]
            note = self._newest(connection)
            said, last = logkeys.told(connection), max(seqs)
            history = self._signer.history(connection, said)
            size = _read(history, note).size
            if last > size:
                raise RegisterError(f"No checkpoint covers entry {last} yet: try again once the next one is on record.")
            best = cosigned.best(connection, self._signer.origin, range(max(last, history.spans[-1].first), size + 1))
            if best is not None:
                note, size = best, _read(history, best).size
            key, rotations = history.newest, logkeys.rotations(said, self._signer.origin)
            nodes, opened = tree.nodes(connection, size), list[Opened]()
            for each in found:
                proof = InclusionProof(each.seq - 1, inclusion_proof(nodes, each.seq - 1, size), note)
                text = entries.opened(each).decode()
                opened.append(Opened(text, bytes(each.salt), proof, key, rotations))
        return opened

    def own_subjects(self, seq: int) -> OwnSubjects:
        """What opens the subjects of an objection's entry that are proven to be its person's.

        Raises:
            RegisterError: when the entry can't be opened, or does not say them apart.
        """
        with self._store.reading() as connection:
            stored = _openable(connection, seq)
        if stored.format != entries.OWN_FORMAT:
            raise RegisterError(
                f"Entry {seq} is no objection, or one of an older demur, which opens no account without the others: a "
                "new objection for the same account does."
            )
        own, others = entries.own_subjects(stored)
        return OwnSubjects(np.frombuffer(own.keys, ">i8").astype(np.int64), own.salt, others)

    def reached(self) -> Mapping[str, int]:
        """The largest size that each witness cosigned, by its key."""
        with self._store.reading() as connection:
            return cosigned.reached(connection, self._signer.origin)

    def keep_cosignatures(self, size: int, lines: Mapping[str, str]) -> None:
        """Keep the lines of some witnesses, by their keys, for the checkpoint of a size."""
        with self._store.writing() as connection:
            cosigned.keep(connection, self._signer.origin, size, lines)

    def opening(self) -> Opened:
        """The entry that opens this log, which names its keys and the digest of the pepper.

        Raises:
            RegisterError: when there is none yet, or no checkpoint covers it.
        """
        with self._store.reading() as connection:
            seq = logkeys.opening(connection, self._signer.origin)
            if seq is None:
                raise RegisterError("The log was not opened on record yet: the next command that can write does so.")
            return self.open(seq)

    def opens(self, seq: int) -> bool:
        """Whether :meth:`open` would open an entry."""
        which = (entry.c.seq == seq, entry.c.format.is_not(None), sa.func.length(entry.c.salt) > 0)
        with self._store.reading() as connection:
            there = connection.scalar(sa.select(entry.c.seq).where(*which)) is not None
            note = signing.newest(connection)
            return there and note is not None and self._is_ours(note) and self._read(connection, note).size >= seq

    def consistency(self, first: int, size: int) -> list[bytes]:
        """The hashes that show that the log of ``size`` entries goes on from that of the ``first`` ones.

        Raises:
            RegisterError: when the register lacks an entry.
        """
        with self._store.reading() as connection:
            return consistency_proof(tree.nodes(connection, size), first, size)

    def sign(self, message: bytes) -> bytes:
        """The signature (Ed25519, RFC 8032) of something else than a checkpoint by the log's key in use now.

        Args:
            message: begins with a line that no checkpoint begins with.

        Raises:
            RegisterError: when another process rotated, and the key in use is not at hand.
        """
        with self._store.reading() as connection:
            return self._signer.sign_other(connection, message)

    def _newest(self, connection: sa.Connection) -> str:
        note = signing.newest(connection)
        if note is None or not self._is_ours(note):
            raise RegisterError("The log has no checkpoint yet: the next entry of the register signs one.")
        return note

    def _is_ours(self, note: str) -> bool:
        """Whether it is of this incarnation: a restore begins another log."""
        return note.partition("\n")[0] == self._signer.origin

    def _read(self, connection: sa.Connection, note: str) -> Checkpoint:
        return _read(self._signer.history(connection), note)


def _read(history: KeyHistory, note: str) -> Checkpoint:
    """A checkpoint of the register's own.

    Raises:
        RegisterError: when no key of the log signed it that counts there.
    """
    try:
        return history.read(note.encode())
    except CheckFailed as error:
        raise RegisterError(f"A checkpoint of the register does not fit the log's keys: {error}") from None


def _openable(connection: sa.Connection, seq: int) -> entries.Stored:
    """An entry that can be opened, and is what its commitment says.

    Raises:
        RegisterError: for any other.
    """
    row = connection.execute(sa.select(entry).where(entry.c.seq == seq)).one_or_none()
    if row is None:
        raise RegisterError(f"The register has no entry {seq}: name one that it has.")
    stored = entries.Stored._make(row)
    if stored.format is None:
        raise RegisterError(
            f"Entry {seq} is from a demur whose entries can't be opened without telling whose they are: there is no "
            "proof of it."
        )
    if not stored.salt:
        raise RegisterError(f"The salts of entry {seq} were destroyed by an erasure: it has no proof.")
    if entries.commitment(stored) != stored.commitment:
        raise RegisterError(f"Entry {seq} is not what its commitment says: `demur verify` looks at all of them.")
    return stored


def _content(connection: sa.Connection, piece: Piece) -> bytes:
    if piece.level is None:
        begin = piece.n * WIDTH
        return bundle(tree.leaves(connection, begin, begin + piece.width))
    return b"".join(tree.hashes_of(connection, piece))
