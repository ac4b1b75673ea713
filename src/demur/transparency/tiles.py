"""Tiles (C2SP tlog-tiles 0.1): the tree in pieces of 256 hashes, and where each piece lies.

Invariants: tile `n` of level `l` has the hashes over ``256**l`` leaves each, from ``256 * n`` on; a full one never
changes; a partial one is never hashed into the level above, and is made again whenever it is asked for. A bundle holds
the leaves below a tile of level 0.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from demur.transparency.tree import HASH_BYTES, level_above

WIDTH: Final = 256
HEIGHT: Final = 8
"""Levels of the tree that a tile spans: 2**HEIGHT is WIDTH."""
_GROUP: Final = 1000
_HIGHEST: Final = 63
_MOST: Final = 1 << 55
_PATH: Final = re.compile(r"tile/(\d{1,2}|entries)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)

Hashes = Callable[[int, int], Sequence[bytes]]
"""``hashes(level, n)`` gives the hashes of a tile, as many as there are."""


@dataclass(frozen=True)
class Piece:
    """A tile, or the bundle below one of level 0."""

    level: int | None
    """None: a bundle of leaves."""
    n: int
    """Which one of its level, from 0."""
    width: int = WIDTH
    """How many hashes or leaves, 1 to 256."""

    @property
    def path(self) -> str:
        """Where it lies below the log's address."""
        digits, rest = [f"{self.n % _GROUP:03}"], self.n // _GROUP
        while rest:
            digits.append(f"x{rest % _GROUP:03}")
            rest //= _GROUP
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{'/'.join(reversed(digits))}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def at(cls, path: str) -> "Piece | None":
        """The piece at a path; None where the path is none, or not in its one form."""
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        level, digits, width = found.groups()
        n = int(digits.replace("x", "").replace("/", ""))
        piece = cls(None if level == "entries" else int(level), n, WIDTH if width is None else int(width))
        fits = (piece.level or 0) <= _HIGHEST and n < _MOST and piece.width <= WIDTH
        return piece if fits and piece.path == path else None


def width_at(level: int | None, n: int, size: int) -> int:
    """How many hashes a tile has in a tree of ``size`` leaves; 0 where there is none."""
    return max(0, min(WIDTH, (size >> (HEIGHT * (level or 0))) - n * WIDTH))


def pieces_of(size: int) -> Iterator[Piece]:
    """Every tile and bundle of a tree of ``size`` leaves, each at its widest."""
    level = 0
    while count := -(-(size >> (HEIGHT * level)) // WIDTH):
        for n in range(count):
            yield Piece(level, n, width_at(level, n, size))
            if level == 0:
                yield Piece(None, n, width_at(0, n, size))
        level += 1


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The hash above a full tile, which stands in the tile of the next level."""
    return pyramid(hashes)[HEIGHT][0]


def pyramid(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The levels within a tile, from its hashes upwards, as far as they are complete."""
    levels = [list(hashes)]
    for _ in range(HEIGHT):
        below = levels[-1]
        levels.append(level_above(below[: len(below) & ~1]))
    return levels


class TileNodes:
    """The nodes of a tree, read from its tiles; each tile is read once."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._read: dict[tuple[int, int], list[list[bytes]]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """See :data:`demur.transparency.tree.Nodes`."""
        tile, within = divmod(level, HEIGHT)
        n, place = divmod(index, WIDTH >> within)
        if (tile, n) not in self._read:
            self._read[tile, n] = pyramid(self._hashes(tile, n))
        return self._read[tile, n][within][place]


def bundle(leaves: Iterable[bytes]) -> bytes:
    """Leaves end to end, each behind its length in two bytes, big-endian."""
    return b"".join(len(leaf).to_bytes(2) + leaf for leaf in leaves)


def split(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]
