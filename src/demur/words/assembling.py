"""From the tokens of a few rows to their words: places, neighbours, and letters that were set apart.

Invariants: what is said here of arrays, :func:`demur.words.folding.fold` says of one text; rows and numbers count from
the first row given.
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from demur.words.classes import CONNECTOR, LINE, SPACE, STOP, WORD
from demur.words.lexicon import Lexicon, Meaning
from demur.words.scanning import Scan, lanes
from demur.words.shapes import FARTHEST, LEAST_SPACED, SHORT, Shape, spaced_runs

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_ORDER: Final = (7, 8)
"""The columns by which words are sorted: place and last."""
_NUMBER_BITS: Final = 31  # of words in a few rows: their bytes fit an int32


class Columns(NamedTuple):
    """Words, sorted by (row, place, last); see :class:`demur.words.batch.Words` for what each column holds."""

    row: Ints
    start: Ints
    end: Ints
    key: Ints
    shape: Bytes
    gap: Flags
    opens: Flags
    place: Ints
    last: Ints

    def take(self, at: Ints) -> "Columns":
        """The words at these places."""
        columns: list[Any] = [column[at] for column in self]
        return Columns(*columns)


_SIGNED: Final = 3
"""Bytes between two letters that are set apart, of which the middle one is a sign within a name."""
_SIGNS: Final = np.array([ord(sign) for sign in "-._"], np.uint64)
_ASCII: Final = 128
_NO_INTS: Final = np.zeros(0, np.int64)
_NO_FLAGS: Final = np.zeros(0, np.bool_)
NO_WORDS: Final = Columns(
    *(_NO_INTS, _NO_INTS, _NO_INTS, _NO_INTS), np.zeros(0, np.uint8), _NO_FLAGS, _NO_FLAGS, _NO_INTS, _NO_INTS
)


def together(parts: list[Columns]) -> Columns:
    """The words of several parts, one behind the other."""
    columns: list[Any] = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Columns(*columns)


@dataclass(frozen=True)
class _Tokens:
    """Tokens that hold words; arrays of shape (tokens,)."""

    begin: Ints
    """Bytes of the scan."""
    stop: Ints
    row: Ints
    start: Ints
    """Code points of the row's text."""
    end: Ints
    meaning: Meaning
    count: Ints
    """Words."""
    number: Ints
    """Of its first plain word."""
    short: Flags
    """Whether its last plain word is."""


def words_of(scanned: Scan, known: Lexicon) -> tuple[Columns, int]:
    """The words of a scan, and how many plain ones there are."""
    tokens, plain = _tokens(scanned, known)
    gap, opens = _neighbours(scanned, tokens)
    columns = _expanded(tokens, gap, opens, known)
    further = _spaced(scanned, tokens, gap, opens, known)
    return (_merged(columns, further) if further else columns), plain


def _tokens(scanned: Scan, known: Lexicon) -> tuple[_Tokens, int]:
    """The tokens that hold words, and how many plain words these are."""
    begin, stop = scanned.start, scanned.end
    meaning = known.meaning(scanned.data, begin, stop)
    count, plain = np.ones(len(begin), np.int64), np.ones(len(begin), np.int64)
    start, end = scanned.points(begin), scanned.points(stop)
    short = end - start <= SHORT
    several = np.flatnonzero(meaning.entry >= 0)
    if len(several):
        entries = known.store.entries[meaning.entry[several]]
        count[several], plain[several], short[several] = entries["count"], entries["plain"], entries["short"]
        if not count[several].all():
            kept = np.flatnonzero(count)
            meaning, count, plain, short = meaning.take(kept), count[kept], plain[kept], short[kept]
            begin, stop, start, end = begin[kept], stop[kept], start[kept], end[kept]
    sizes = np.diff(np.searchsorted(begin, scanned.begin), append=len(begin))
    row = np.repeat(np.arange(len(scanned.begin)), sizes)
    first = np.repeat(scanned.points(scanned.begin), sizes)
    numbers = np.cumsum(plain)
    tokens = _Tokens(begin, stop, row, start - first, end - first, meaning, count, numbers - plain, short)
    return tokens, int(numbers[-1]) if len(numbers) else 0


def _neighbours(scanned: Scan, tokens: _Tokens) -> tuple[Flags, Flags]:
    """Whether something stands between each token and the one before it, and whether it begins a sentence."""
    before = np.concatenate([[0], tokens.stop[:-1]])
    classes = scanned.between(before, tokens.begin) & ~np.uint8(WORD)
    length = tokens.start - np.concatenate([[0], tokens.end[:-1]])
    short = np.concatenate([[False], tokens.short[:-1]])
    gap = classes & ~np.uint8(SPACE | LINE) != 0
    gap &= (classes != CONNECTOR) | (length > 1)
    gap &= (classes & ~np.uint8(SPACE) != CONNECTOR | STOP) | (length > SHORT) | ~short
    ends = gap & (classes & (STOP | SPACE) == STOP | SPACE)
    opens = (classes & LINE != 0) | ends
    first = np.diff(tokens.row, prepend=-1) != 0
    return gap | first, opens | first


def _expanded(tokens: _Tokens, gap: Flags, opens: Flags, known: Lexicon) -> Columns:
    """The words of each token."""
    key, shape, entries = tokens.meaning
    simple = entries < 0
    found = Columns(tokens.row, tokens.start, tokens.end, key, shape, gap, opens, tokens.number, tokens.number)
    if simple.all():
        return found
    which = np.repeat(np.arange(len(simple)), tokens.count)
    begins = np.cumsum(tokens.count) - tokens.count
    found = found.take(which)
    at = np.flatnonzero(~simple[which])
    entry = entries[which[at]]
    words = known.store.words[known.store.entries["begin"][entry] + at - begins[which[at]]]
    later = words["place"] > 0
    found.end[at] = found.start[at] + words["end"]
    found.start[at] += words["start"]
    found.key[at], found.shape[at] = words["key"], words["shape"]
    found.gap[at] = np.where(later, words["gap"], found.gap[at])
    found.opens[at] &= ~later
    found.place[at] += words["place"]
    found.last[at] += words["last"]
    return found


def _spaced(scanned: Scan, tokens: _Tokens, gap: Flags, opens: Flags, known: Lexicon) -> list[tuple[int, ...]]:
    """The further words that single letters make which are set apart by one and the same thing, as rows of columns."""
    found: list[tuple[int, ...]] = []
    for first, letters in _letter_runs(scanned, tokens):
        for begin, end in spaced_runs(letters):
            one, other = first + begin, first + end - 1
            raw = b"".join(scanned.data[tokens.begin[at] : tokens.stop[at]].tobytes() for at in range(one, other + 1))
            start, stop = _place(tokens, one, known)[0], _place(tokens, other, known)[1]
            edges = (gap[one], opens[one], tokens.number[one], tokens.number[other])
            found += ((int(tokens.row[one]), start, stop, key, shape, *edges) for key, shape in known.joined(raw))
    return found


def _place(tokens: _Tokens, at: int, known: Lexicon) -> tuple[int, int]:
    """Where the one word of a token is."""
    start, entry = int(tokens.start[at]), int(tokens.meaning.entry[at])
    if entry < 0:
        return start, int(tokens.end[at])
    word = known.store.words[known.store.entries["begin"][entry]]
    return start + int(word["start"]), start + int(word["end"])


def _letter_runs(scanned: Scan, tokens: _Tokens) -> list[tuple[int, int]]:
    """Runs of tokens of one letter or digit each with one thing between any two, as (first token, tokens)."""
    letter = (tokens.meaning.shape & np.uint8(Shape.SINGLE) > 0) & (tokens.count == 1)
    digit = (tokens.meaning.shape & np.uint8(Shape.DIGITS) > 0) & (tokens.stop - tokens.begin == 1)
    single = letter | digit
    size = tokens.begin[1:] - tokens.stop[:-1]
    pairs = np.flatnonzero(single[1:] & single[:-1] & (np.diff(tokens.row) == 0) & (size > 0) & (size <= FARTHEST))
    if len(pairs) <= 1:
        return []
    between, size = _unsigned(lanes(scanned.data, tokens.stop[pairs], size[pairs]), size[pairs])
    other = (between[1:] != between[:-1]) | (size[1:] != size[:-1])
    breaks = np.flatnonzero((np.diff(pairs) != 1) | other) + 1
    first = np.concatenate([[0], breaks])
    pair_counts = np.diff(first, append=len(pairs))
    letters = np.add.reduceat(letter[pairs].astype(np.int64), first) + letter[pairs[first + pair_counts - 1] + 1]
    enough = (pair_counts > 1) & (letters >= LEAST_SPACED)
    return list(zip(pairs[first[enough]].tolist(), (pair_counts[enough] + 1).tolist(), strict=True))


def _unsigned(between: npt.NDArray[np.uint64], size: Ints) -> tuple[npt.NDArray[np.uint64], Ints]:
    """What stands between letters, and its bytes; a sign within a name is as good as what is on both sides of it."""
    first, middle, last = (between >> np.uint64(8 * at) & np.uint64(255) for at in range(3))
    signed = (size == _SIGNED) & (first == last) & np.isin(middle, _SIGNS) & (first < _ASCII)
    return np.where(signed, first, between), np.where(signed, 1, size)


def _merged(columns: Columns, further: list[tuple[int, ...]]) -> Columns:
    """Both, in order: further words behind those of the same place and last."""
    added = [np.array(column) for column in zip(*sorted(further, key=itemgetter(*_ORDER)), strict=True)]
    order = columns.place << _NUMBER_BITS | columns.last
    at: Ints = np.searchsorted(order, added[_ORDER[0]] << _NUMBER_BITS | added[_ORDER[1]], side="right")
    both: list[Any] = [np.insert(np.asarray(old), at, new) for old, new in zip(columns, added, strict=False)]
    return Columns(*both)
