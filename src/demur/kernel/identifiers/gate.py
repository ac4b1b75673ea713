"""The gate: look at the bytes of a whole batch at once, and say which rows need the exact search.

Three answers for a row: nothing is in it; nothing but plain handles is in it, and here they are; or *slow*, ask
:func:`demur.kernel.identifiers.find.scan`. Invariant: a row that is not slow gets the answer that ``scan`` would
give. For that, each condition below is necessary for a hit of its kind and reads only what the hit itself is made
of, not what surrounds it: masking a part of the text then cannot bring forth a hit in a row that was not slow. What
a condition reads beyond a row's end may make the row slow in vain, never the reverse.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.kernel.identifiers.letters import FOLDS
from demur.kernel.identifiers.links import GATE as LINK
from demur.kernel.identifiers.national import DIGITS
from demur.kernel.identifiers.phones import SEPARATOR_SIGNS, SEPARATORS

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.bool_]

_PAD: Final = 16
"""Zero bytes before and behind the batch, so that neighbours can be read without a check."""
_IBAN_SHORTEST: Final = 15  # Norway's, in the registry of ISO 13616
_IPV6_WIDTH: Final = 7 * 5  # seven groups of four and their colons
_IPV4_WIDTH: Final = 3 + 4 + 4  # from the first digit before a dot to the third dot
_LONGEST: Final = 64  # bytes of a plain handle; a longer one is slow


def _table(characters: str) -> Table:
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters.encode())] = True
    return table


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER: Final = _table(_LETTERS)
_DIGIT: Final = _table("0123456789")
_IN_HANDLE: Final = _table(_LETTERS + "0123456789_.-")
_OPENS_HANDLE: Final = _table(_LETTERS + "_")
_BEFORE_HANDLE: Final = _table(" \n\t(.,:;!?")
_NOT_BEHIND_HANDLE: Final = _table("@") | (np.arange(256) >= 0x80)  # noqa: PLR2004 - not ASCII
_SEPARATOR: Final = _table(SEPARATOR_SIGNS)
_BRACKET: Final = _table("([{")
_IN_IBAN: Final = _table(_LETTERS + "0123456789 -")
_IN_BRACKET: Final = _table("aA ") | (np.arange(256) == 0xC3)  # noqa: PLR2004 - first byte of ä, as in (ät)
_FOLDED: Final = np.isin(np.arange(256), [chr(point).encode()[0] for point in FOLDS if point > 0x7F])  # noqa: PLR2004 - the same

_SOFT: Final = {point for point, folded in FOLDS.items() if folded in {" ", "-"}} | {0x200D, *range(0xFE00, 0xFE10)}
"""Folded characters that are common in plain text (spaces, dashes, the joints of emoji): they matter near others."""


def _re2(points: set[int]) -> str:
    return "[" + "".join(f"\\x{{{point:x}}}" for point in sorted(points)) + "]"


_HARD_FOLD: Final = _re2(set(FOLDS) - _SOFT)
_SOFT_FOLD: Final = _re2(_SOFT)
_NEAR_SOFT: Final = r"[/(\[{]|:[^:\s]{0,16}:|[0-9][^0-9]*[0-9]"


class Gated(NamedTuple):
    """What the gate found."""

    slow: npt.NDArray[np.int64]
    """Rows for the exact search, ascending."""
    row: npt.NDArray[np.int64]
    """Of each plain handle, ascending; shape (handles,)."""
    start: npt.NDArray[np.int64]
    """Byte offset in the batch of its ``@``."""
    end: npt.NDArray[np.int64]
    """Byte offset, exclusive."""


class Batch:
    """The bytes of a string array, padded, and where its rows begin."""

    def __init__(self, texts: pa.LargeStringArray) -> None:
        if texts.null_count:
            texts = pc.fill_null(texts, "")
        _, offsets, data = texts.buffers()
        self.texts = texts
        bounds = np.frombuffer(offsets or bytes(8), dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
        self.offsets: Positions = bounds - bounds[0]
        self.view = memoryview(data or b"")[int(bounds[0]) : int(bounds[-1])]
        self.padded: Bytes = np.zeros(len(self.view) + 2 * _PAD, dtype=np.uint8)
        self.padded[_PAD : _PAD + len(self.view)] = np.frombuffer(self.view, dtype=np.uint8)
        self.bytes: Bytes = self.padded[_PAD : _PAD + len(self.view)]

    def at(self, positions: Positions) -> Bytes:
        """The bytes at offsets that may lie a little before the batch or behind it, where they are 0."""
        return self.padded[positions + _PAD]

    def rows(self, positions: Positions) -> Positions:
        """The row of each byte offset."""
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def text(self, row: int) -> str:
        """The text of one row."""
        return str(self.view[self.offsets[row] : self.offsets[row + 1]], "utf-8")

    def points(self, positions: Positions, rows: Positions) -> npt.NDArray[np.int32]:
        """Byte offsets in the batch as code points of their rows' texts."""
        offsets = positions - self.offsets[rows]
        followers = np.flatnonzero((self.bytes & 0xC0) == 0x80)  # noqa: PLR2004 - bytes that continue a character (RFC 3629)
        if len(followers):
            before = np.searchsorted(followers, positions) - np.searchsorted(followers, self.offsets[rows])
            offsets = offsets - before
        return offsets.astype(np.int32)


def gate(batch: Batch, links: str = LINK) -> Gated:
    """Which rows of ``batch`` are slow, and the handles of those that hold nothing else.

    ``links``, RE2, is in every text that holds the address of a profile.
    """
    signs, which = _signs(batch.bytes)
    slow = np.zeros(len(batch.offsets), dtype=np.bool_)
    for positions in (_digits(batch, signs, which), _colons(signs[which == ord(":")]), _brackets(batch, signs, which)):
        slow[batch.rows(positions)] = True
    slow[_matching(batch, _rows_with(batch, signs[which == ord("/")]), links)] = True
    folded = _rows_with(batch, signs[_FOLDED[which]])
    slow[_matching(batch, folded, _HARD_FOLD)] = True
    slow[_matching(batch, _matching(batch, folded, _SOFT_FOLD), _NEAR_SOFT)] = True
    at = signs[which == ord("@")]
    row = batch.rows(at)
    end = _plain_end(batch, at, row)
    slow[row[end == 0]] = True
    plain = ~slow[row]
    return Gated(np.flatnonzero(slow[:-1]), row[plain], at[plain], end[plain])


def _signs(text: Bytes) -> tuple[Positions, Bytes]:
    """Where the bytes stand that any condition begins with, and what they are; the other nine tenths are letters.

    One comparison takes in digits and ``( . / : @``, which follow each other in ASCII; ``[`` and ``{`` differ by a bit.
    """
    ascii_signs = (text - np.uint8(ord("("))) <= ord("@") - ord("(")
    brackets = (text | np.uint8(0x20)) == ord("{")
    signs = np.flatnonzero(ascii_signs | brackets | (text >= 0xC2))  # noqa: PLR2004 - first bytes beyond ASCII (RFC 3629)
    return signs, text[signs]


def _rows_with(batch: Batch, positions: Positions) -> Positions:
    """The rows that hold any of the byte offsets, once each."""
    rows = batch.rows(positions)
    return rows[np.diff(rows, prepend=-1) > 0]


def _matching(batch: Batch, rows: Positions, pattern: str) -> Positions:
    """Those of ``rows`` whose text the RE2 pattern matches somewhere."""
    if not len(rows):
        return rows
    matched: Table = pc.match_substring_regex(batch.texts.take(pa.array(rows)), pattern).to_numpy(zero_copy_only=False)
    return rows[matched]


def _near(positions: Positions, count: int, width: int) -> Positions:
    """Each position with which a run of ``count`` begins whose last lies at most ``width`` behind the first."""
    first, last = positions[: 1 - count], positions[count - 1 :]
    close: Table = last - first <= width
    return first[close]


def _digits(batch: Batch, signs: Positions, which: Bytes) -> Positions:
    """Where digits stand as close as in a phone number, an IBAN or a dotted quad."""
    digits = signs[_DIGIT[which]]
    phones = digits[_near(np.flatnonzero(_joined(batch, digits)), DIGITS - 1, DIGITS - 2)]
    checked = digits[_LETTER[batch.at(digits - 1)] & _LETTER[batch.at(digits - 2)] & _DIGIT[batch.at(digits + 1)]]
    for place in range(2, _IBAN_SHORTEST - 2):
        checked = checked[_IN_IBAN[batch.at(checked + place)]]
    dots = signs[which == ord(".")]
    dots = dots[_DIGIT[batch.at(dots - 1)] & _DIGIT[batch.at(dots + 1)]]
    return np.concatenate([phones, checked, _near(dots, 3, _IPV4_WIDTH)])


def _joined(batch: Batch, digits: Positions) -> Table:
    """For each digit whether nothing but separators of a phone number stands before the next; shape (digits - 1,)."""
    step = np.diff(digits)
    joined: Table = step == 1
    for width in range(2, SEPARATORS + 2):
        apart = np.flatnonzero(step == width)
        between = [_SEPARATOR[batch.at(digits[apart] + place)] for place in range(1, width)]
        joined[apart] = np.logical_and.reduce(between)
    return joined


def _colons(colons: Positions) -> Positions:
    """Where colons stand as in an IPv6 address: two together, or six (with a dotted quad) in its full width."""
    return np.concatenate([_near(colons, 2, 1), _near(colons, 6, _IPV6_WIDTH)])


def _brackets(batch: Batch, signs: Positions, which: Bytes) -> Positions:
    """Where a bracket opens that may hold a word for ``@``."""
    brackets = signs[_BRACKET[which]]
    worded: Table = _IN_BRACKET[batch.at(brackets + 1)]
    return brackets[worded]


def _plain_end(batch: Batch, at: Positions, row: Positions) -> Positions:
    """For each ``@`` the end of the plain handle it opens; 0 where it does not, or where that takes a closer look.

    Plain: behind a space or common punctuation, ASCII, not followed by another ``@`` or a letter beyond ASCII.
    """
    first = at == batch.offsets[row]
    fine = (first | _BEFORE_HANDLE[batch.at(at - 1)]) & _OPENS_HANDLE[batch.at(at + 1)]
    ends = np.zeros(len(at), dtype=np.int64)
    open_ = np.flatnonzero(fine & (at + 1 < batch.offsets[row + 1]))
    last = at[open_] + 1  # the last letter, digit or _ seen
    limit = batch.offsets[row[open_] + 1]
    for step in range(2, _LONGEST):
        here = at[open_] + step
        byte = batch.padded[np.minimum(here, len(batch.bytes)) + _PAD]
        going = (here < limit) & _IN_HANDLE[byte]
        done = ~going
        clean = (here >= limit) | ~_NOT_BEHIND_HANDLE[byte]
        ends[open_[done & clean]] = last[done & clean] + 1
        open_, limit, last, here, byte = open_[going], limit[going], last[going], here[going], byte[going]
        last = np.where((byte != ord(".")) & (byte != ord("-")), here, last)
        if not len(open_):
            break
    return ends
