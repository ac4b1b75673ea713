"""The log's tree, made again from the entries: its tiles, and every checkpoint that was signed of it.

Memory does not grow with the entries: of each level what is not yet a full tile is held.
"""

from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa

from demur.errors import CheckFailed, UsageError
from demur.register.database import instance, logkeys
from demur.register.database.tables import checkpoint, cosignature, tile
from demur.transparency.cosignature import WitnessKey, cosigned
from demur.transparency.rotation import KeyHistory
from demur.transparency.tiles import WIDTH, tile_root
from demur.transparency.tree import Edge, leaf_hash

_PAGE: Final = 1_000


class Tree:
    """The tree over the commitments that were read so far."""

    def __init__(self, connection: sa.Connection, public: bytes | None, report: Callable[[str], None]) -> None:
        """Take the public half of the log's key; without one, checkpoints are not looked at."""
        self._connection = connection
        self._public = public
        self._report = report
        self._edge = Edge()
        self._levels: list[list[bytes]] = []
        self._tiles = 0
        self._whole = True
        self._checkpoints = self._stored()
        self._next = next(self._checkpoints, None)
        self._told = logkeys.told(connection)
        self._histories: dict[str, KeyHistory] = {}

    def take(self, seq: int, commitment: bytes) -> None:
        """Take the next entry; after a gap there is no tree."""
        self._whole &= seq == self._edge.size + 1
        if not self._whole:
            return
        hashed = leaf_hash(commitment)
        self._edge.append(hashed)
        self._add(0, hashed)
        while self._public is not None and self._next is not None and self._next[0] <= seq:
            self._checkpoint(*self._next)
            self._next = next(self._checkpoints, None)

    def finish(self) -> None:
        """Say what is left over: that stands beyond the last entry, or behind one that is missing."""
        self._newest()
        if not self._whole:
            return
        if self._public is not None and self._next is not None:
            self._report(f"A checkpoint of {self._next[0]} entries is on record, and there are {self._edge.size}.")
        self._cosignatures()
        count = self._connection.scalar(sa.select(sa.func.count()).select_from(tile)) or 0
        if count > self._tiles:
            self._report(f"The log has {count} tiles on record, and its entries make {self._tiles}.")

    def _add(self, level: int, hashed: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(hashed)
        if len(hashes) < WIDTH:
            return
        root, n = tile_root(hashes), (self._edge.size >> (8 * (level + 1))) - 1
        found = self._connection.execute(sa.select(tile).where(tile.c.level == level, tile.c.n == n)).one_or_none()
        if found is None:
            self._report(f"Tile {n} of level {level} of the log is missing.")
        elif (bytes(found.hashes), bytes(found.root)) != (b"".join(hashes), root):
            self._report(f"Tile {n} of level {level} of the log is not what the entries make.")
        self._tiles += found is not None
        self._levels[level] = []
        self._add(level + 1, root)

    def _stored(self) -> Iterator[tuple[int, str]]:
        """Every checkpoint, in the order of the sizes."""
        after = 0
        while True:
            rows = sa.select(checkpoint).where(checkpoint.c.size > after).order_by(checkpoint.c.size).limit(_PAGE)
            page = self._connection.execute(rows).all()
            yield from ((row.size, row.note) for row in page)
            if len(page) < _PAGE:
                return
            after = page[-1].size

    def _cosignatures(self) -> None:
        """Make sure that each line of a witness is of the checkpoint beside which it is kept, by the key it names."""
        joined = cosignature.join(checkpoint, cosignature.c.size == checkpoint.c.size, isouter=True)
        rows = sa.select(cosignature, checkpoint.c.note).select_from(joined).order_by(cosignature.c.size)
        for row in self._connection.execute(rows):
            try:
                key = WitnessKey.read(row.witness)
                theirs = row.note is not None and row.note.partition("\n")[0] == row.origin
                held = theirs and key in cosigned(f"{row.note}{row.line}".encode(), [key])
            except (CheckFailed, UsageError):
                held = False
            if not held:
                self._report(f"A cosignature of the checkpoint of {row.size} entries is none, or of another one.")

    def _checkpoint(self, size: int, note: str) -> None:
        try:
            said = self._history(note).read(note.encode())
        except CheckFailed as error:
            self._report(f"The checkpoint of {size} entries is none that this log signed: {error}")
            return
        if (said.size, said.root) != (size, self._edge.root()):
            self._report(f"The checkpoint of {size} entries is of another tree than the entries make.")

    def _history(self, note: str) -> KeyHistory:
        """The log's keys under the origin that a note says, if this log ever had it."""
        known, origin = instance.read(self._connection), note.partition("\n")[0]
        if known is None or self._public is None or origin not in known.origins:
            raise CheckFailed("it is of another log.")
        if origin not in self._histories:
            self._histories[origin] = logkeys.history_of(self._told, origin, self._public)
        return self._histories[origin]

    def _newest(self) -> None:
        """Make sure that the entries lead to the key in use."""
        known = instance.read(self._connection)
        if known is None or self._public is None or not self._told:
            return
        try:
            newest = logkeys.history_of(self._told, known.origin, self._public).newest
        except CheckFailed as error:
            self._report(f"The entries of the log's keys do not fit together: {error}")
            return
        if newest.public != self._public:
            self._report("The log's key is another one than the entries lead to.")
