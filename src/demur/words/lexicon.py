"""What the distinct tokens of batches mean: their words, folded and keyed once and then looked up.

A token of up to 16 bytes is its own identity, two 64-bit lanes (no token holds a zero byte), and is looked up in a
table of fixed size, four places to a bucket; a longer one in a dictionary of bounded size. Invariants: an answer is
exact, whatever was asked before; memory is bounded by the limits below and by the batch; a token that has lost its
place is folded anew.
"""

import threading
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.words.folding import Piece, fold_word
from demur.words.keys import WordKeys
from demur.words.letters import folds
from demur.words.scanning import lanes
from demur.words.shapes import SHORT, Shape, spaced_shape

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Lanes = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
Records = npt.NDArray[np.void]

_LANE: Final = 8
_SHORT_TOKEN: Final = 2 * _LANE
_BUCKET_BITS: Final = 18
_WAYS: Final = 4
"""A million tokens: a vocabulary of some hundred thousand fills a quarter, 37 MB."""
_MOST_LONG: Final = 100_000
_LONGEST_KEPT: Final = 64
_MOST_ENTRIES: Final = 200_000
"""Tokens that are not simple; over it everything is forgotten, before the next batch."""
_MULTIPLIERS: Final = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))

WORD: Final = np.dtype(
    [("key", "<i8"), ("start", "<i4"), ("end", "<i4"), ("place", "<i4"), ("last", "<i4"), ("shape", "u1"), ("gap", "?")]
)
"""A word of a token: offsets in code points of the token, numbers from its first plain word."""

ENTRY: Final = np.dtype([("begin", "<i8"), ("count", "<i4"), ("plain", "<i4"), ("short", "?")])
"""The words of a token that is not simple: where they begin, how many they and the plain ones are, and whether the last
plain one is short."""


class Meaning(NamedTuple):
    """What tokens mean, each array of shape (tokens,)."""

    key: Ints
    """Of a simple token: one plain word over the whole of it."""
    shape: Bytes
    """Its shape; of another token SINGLE if it holds one word, of one letter, else 0."""
    entry: npt.NDArray[np.int32]
    """-1 for a simple token, else its number in the :class:`Store`."""

    def take(self, at: Ints) -> "Meaning":
        """What the tokens at these places mean."""
        return Meaning(self.key[at], self.shape[at], self.entry[at])


class Store:
    """The words of tokens that are not simple: none, several, or one that does not fill its token."""

    def __init__(self) -> None:
        self.words = np.zeros(1024, WORD)
        self.entries = np.zeros(1024, ENTRY)
        self.size = 0
        self._words = 0

    def add(self, pieces: tuple[Piece, ...], keys: list[int]) -> int:
        """The number of a new entry."""
        plain = [piece for piece in pieces if not piece.further]
        short = bool(plain) and plain[-1].end - plain[-1].start <= SHORT
        self.words = _room(self.words, self._words + len(pieces))
        self.entries = _room(self.entries, self.size + 1)
        self.words[self._words : self._words + len(pieces)] = [
            (key, piece.start, piece.end, piece.place, piece.last, piece.shape, piece.gap)
            for key, piece in zip(keys, pieces, strict=True)
        ]
        self.entries[self.size] = (self._words, len(pieces), len(plain), short)
        self._words += len(pieces)
        self.size += 1
        return self.size - 1


def _room(array: Records, wanted: int) -> Records:
    """The array, or one twice or more as long that begins with it."""
    if wanted <= len(array):
        return array
    return np.concatenate([array, np.zeros(max(wanted, 2 * len(array)) - len(array), array.dtype)])


class Lexicon:
    """Tokens and their words under one key. One thread at a time: hold ``lock`` from ``begin`` to the last answer."""

    def __init__(self, keys: WordKeys) -> None:
        self.lock = threading.Lock()
        self._keys = keys
        self._forget()

    def _forget(self) -> None:
        shape = (_WAYS, 1 << _BUCKET_BITS)
        self._lanes = np.zeros((2, *shape), np.uint64)
        self._key = np.zeros(shape, np.int64)
        self._shape = np.zeros(shape, np.uint8)
        self._entry = np.zeros(shape, np.int32)
        self._next = np.zeros(1 << _BUCKET_BITS, np.uint8)
        self._long: dict[bytes, tuple[int, int, int]] = {}
        self._joined: dict[bytes, list[tuple[int, int]]] = {}
        self.store = Store()

    def begin(self) -> None:
        """Before a batch: keeps what is remembered within its bounds."""
        if self.store.size > _MOST_ENTRIES:
            self._forget()
        if len(self._long) > _MOST_LONG:
            self._long.clear()
        if len(self._joined) > _MOST_LONG:
            self._joined.clear()

    def meaning(self, data: Bytes, start: Ints, end: Ints) -> Meaning:
        """What the tokens of ``data`` mean."""
        size = end - start
        found = Meaning(
            np.zeros(len(start), np.int64), np.zeros(len(start), np.uint8), np.full(len(start), -1, np.int32)
        )
        lanes, buckets = self._identities(data, start, size)
        unknown = self._look_up(lanes, buckets, size, found)
        if len(unknown):
            self._ask(data, start, size, unknown, found)
            self._remember(lanes, buckets, unknown[size[unknown] <= _SHORT_TOKEN], found)
        return found

    def joined(self, raw: bytes) -> list[tuple[int, int]]:
        """Keys and shapes of single letters that were set apart, written as one."""
        known = self._joined.get(raw)
        if known is None:
            written = raw.decode()
            folded = folds(written)
            shapes = [spaced_shape(written, each) for each in folded]
            known = self._joined[raw] = list(zip(self._keys.keys(folded).tolist(), shapes, strict=True))
        return known

    def _identities(self, data: Bytes, start: Ints, size: Ints) -> tuple[Lanes, Ints]:
        """The two lanes of each token and its bucket; those of a long one mean nothing."""
        first = lanes(data, start, size)
        second = np.zeros(len(start), np.uint64)
        longer = np.flatnonzero(size > _LANE)
        second[longer] = lanes(data, start[longer] + _LANE, size[longer] - _LANE)
        mixed = (first ^ (first >> np.uint64(29))) * _MULTIPLIERS[0] + second * _MULTIPLIERS[1]
        return (first, second), (mixed >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)

    def _look_up(self, lanes: Lanes, buckets: Ints, size: Ints, found: Meaning) -> Ints:
        """Fills in what is in the table; the tokens that are not."""
        first, second = lanes
        left = np.flatnonzero(size <= _SHORT_TOKEN)
        long = np.flatnonzero(size > _SHORT_TOKEN)
        for way in range(_WAYS):
            at = buckets[left]
            same = (self._lanes[0, way][at] == first[left]) & (self._lanes[1, way][at] == second[left])
            hit, at = left[same], at[same]
            found.key[hit] = self._key[way][at]
            found.shape[hit] = self._shape[way][at]
            found.entry[hit] = self._entry[way][at]
            left = left[~same]
            if not len(left):
                break
        return np.concatenate([left, long])

    def _ask(self, data: Bytes, start: Ints, size: Ints, unknown: Ints, found: Meaning) -> None:
        """Fills in what some tokens mean, each distinct one worked out once."""
        ends = np.cumsum(size[unknown])
        at = np.arange(ends[-1]) + np.repeat(start[unknown] - (ends - size[unknown]), size[unknown])
        offsets = np.concatenate([[0], ends]).astype(np.int64)
        raw = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(unknown), [None, pa.py_buffer(offsets), pa.py_buffer(data[at])]
        ).dictionary_encode()
        known = self._known(raw.dictionary.to_pylist())
        which = raw.indices.to_numpy()
        key, shape, entry = zip(*known, strict=True)
        found.key[unknown] = np.array(key, np.int64)[which]
        found.shape[unknown] = np.array(shape, np.uint8)[which]
        found.entry[unknown] = np.array(entry, np.int32)[which]

    def _known(self, tokens: list[bytes]) -> list[tuple[int, int, int]]:
        """Key, shape and entry of distinct tokens."""
        long = {token: self._long[token] for token in tokens if token in self._long}
        new = [token for token in tokens if token not in long]
        pieces = [fold_word(token.decode()) for token in new]
        keys = self._keys.keys(piece.folded for each in pieces for piece in each).tolist()
        worked_out, begin = {}, 0
        for token, each in zip(new, pieces, strict=True):
            worked_out[token] = self._simple(token, each, keys[begin : begin + len(each)])
            begin += len(each)
        self._long |= {token: worked_out[token] for token in new if _SHORT_TOKEN < len(token) <= _LONGEST_KEPT}
        return [long[token] if token in long else worked_out[token] for token in tokens]

    def _simple(self, token: bytes, pieces: tuple[Piece, ...], keys: list[int]) -> tuple[int, int, int]:
        if len(pieces) != 1:
            return 0, 0, self.store.add(pieces, keys)
        (piece,) = pieces
        if piece.start == 0 and piece.end == len(token.decode()):
            return keys[0], piece.shape, -1
        return 0, piece.shape & Shape.SINGLE, self.store.add(pieces, keys)

    def _remember(self, lanes: Lanes, buckets: Ints, new: Ints, found: Meaning) -> None:
        """Puts short tokens into the table, each in the next place of its bucket, in turn."""
        first, second = lanes
        order = np.lexsort((second[new], first[new]))
        new = new[order]
        distinct = np.ones(len(new), np.bool_)
        distinct[1:] = (first[new][1:] != first[new][:-1]) | (second[new][1:] != second[new][:-1])
        new = np.sort(new[distinct])
        for _ in range(_WAYS):
            _, one = np.unique(buckets[new], return_index=True)
            self._put(lanes, buckets, new[one], found)
            new = np.delete(new, one)

    def _put(self, lanes: Lanes, buckets: Ints, chosen: Ints, found: Meaning) -> None:
        """Writes tokens of different buckets."""
        at = buckets[chosen]
        way = self._next[at]
        self._next[at] = (way + 1) % _WAYS
        self._lanes[0][way, at], self._lanes[1][way, at] = lanes[0][chosen], lanes[1][chosen]
        self._key[way, at], self._shape[way, at] = found.key[chosen], found.shape[chosen]
        self._entry[way, at] = found.entry[chosen]


@lru_cache(maxsize=4)
def lexicon(keys: WordKeys) -> Lexicon:
    """The lexicon of this process for one secret."""
    return Lexicon(keys)
