"""The tree over the entries, as rows: full tiles alone, each inserted by the transaction that completes it.

Invariants: the leaf with index `n` is the commitment of entry `n + 1`; a tile is inserted once and never changed, in
the transaction of the entry that completes it, so that tiles and entries are always of one moment; the right edge, all
that no full tile holds, is computed from the entries when it is needed. Whoever asks for a tree that lacks an entry
gets no root of it.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database.tables import entry, tile
from demur.transparency.tiles import WIDTH, Piece, TileNodes, split, tile_root, width_at
from demur.transparency.tree import Edge, edge_at, leaf_hash

_COMMITMENTS: Final = (
    sa.select(entry.c.seq, entry.c.commitment)
    .where(entry.c.seq > sa.bindparam("after"), entry.c.seq <= sa.bindparam("last"))
    .order_by(entry.c.seq)
)
_LAST: Final = sa.select(sa.func.max(entry.c.seq))
_HASHES: Final = sa.select(tile.c.hashes).where(tile.c.level == sa.bindparam("l"), tile.c.n == sa.bindparam("of"))
_ROOTS: Final = (
    sa.select(tile.c.n, tile.c.root)
    .where(tile.c.level == sa.bindparam("l"), tile.c.n >= sa.bindparam("begin"), tile.c.n < sa.bindparam("end"))
    .order_by(tile.c.n)
)


def complete(connection: sa.Connection, first: int, last: int) -> None:
    """Insert the tiles that the entries from ``first`` to ``last`` completed, if any; the caller holds the write lock.

    Raises:
        RegisterError: when an entry of such a tile is missing.
    """
    level, begin, end = 0, (first - 1) // WIDTH, last // WIDTH
    if begin < end:  # a savepoint may have taken the last ones back
        end = min(last, connection.scalar(_LAST) or 0) // WIDTH
    while begin < end:
        for n in range(begin, end):
            hashes = leaf_hashes(connection, n * WIDTH, (n + 1) * WIDTH) if level == 0 else _roots(connection, level, n)
            if len(hashes) < WIDTH:
                raise RegisterError(_lacking(f"tile {n} of level {level - 1}"))
            row = {"level": level, "n": n, "root": tile_root(hashes), "hashes": b"".join(hashes)}
            connection.execute(sa.insert(tile), row)
        level, begin, end = level + 1, begin // WIDTH, end // WIDTH


def build(connection: sa.Connection) -> None:
    """Insert the tiles of an older register: of every entry, or of those before the first one that is missing."""
    end = connection.scalar(_LAST) or 0
    for last in range(WIDTH, end + 1, WIDTH):
        try:
            complete(connection, last - WIDTH + 1, last)
        except RegisterError:
            return  # an audit says which one, and nothing is signed any more


def edge(connection: sa.Connection, size: int) -> Edge:
    """The right edge of the tree of the first ``size`` entries.

    Raises:
        RegisterError: when an entry of it is missing.
    """
    return edge_at(nodes(connection, size), size)


def nodes(connection: sa.Connection, size: int) -> TileNodes:
    """The nodes of the tree of the first ``size`` entries.

    Reading one raises:
        RegisterError: when an entry of it is missing.
    """
    return TileNodes(lambda level, n: hashes_of(connection, Piece(level, n, width_at(level, n, size))))


def hashes_of(connection: sa.Connection, piece: Piece) -> Sequence[bytes]:
    """The hashes of a tile, full or partial.

    Raises:
        RegisterError: when an entry of it is missing.
    """
    level, n = piece.level or 0, piece.n
    stored = connection.scalar(_HASHES, {"l": level, "of": n})
    if stored is not None:
        return split(bytes(stored))[: piece.width]
    if level == 0:
        return leaf_hashes(connection, n * WIDTH, n * WIDTH + piece.width)
    found = _roots(connection, level, n)[: piece.width]
    if len(found) < piece.width:
        raise RegisterError(_lacking(f"tile {n * WIDTH + len(found)} of level {level - 1}"))
    return found


def leaf_hashes(connection: sa.Connection, begin: int, end: int) -> list[bytes]:
    """The hashes of the leaves from ``begin`` to before ``end``.

    Raises:
        RegisterError: when one is missing.
    """
    return [leaf_hash(leaf) for leaf in leaves(connection, begin, end)]


def leaves(connection: sa.Connection, begin: int, end: int) -> list[bytes]:
    """The leaves from ``begin`` to before ``end``: the commitments of the entries.

    Raises:
        RegisterError: when one is missing.
    """
    rows = connection.execute(_COMMITMENTS, {"after": begin, "last": end}).all()
    for place, (seq, _) in enumerate(rows, begin + 1):
        if seq != place:
            raise RegisterError(_lacking(f"entry {place}"))
    if len(rows) < end - begin:
        raise RegisterError(_lacking(f"entry {begin + len(rows) + 1}"))
    return [bytes(commitment) for _, commitment in rows]


def _roots(connection: sa.Connection, level: int, n: int) -> list[bytes]:
    """The hashes above the full tiles below a tile, up to the first one that is not there."""
    rows = connection.execute(_ROOTS, {"l": level - 1, "begin": n * WIDTH, "end": (n + 1) * WIDTH})
    found = list[bytes]()
    for place, root in rows:
        if place != n * WIDTH + len(found):
            break
        found.append(bytes(root))
    return found


def _lacking(what: str) -> str:
    return (
        f"The register lacks {what}: somebody took it out. Nothing was changed; put the register back as it was, or "
        "restore a backup with `demur restore`."
    )
