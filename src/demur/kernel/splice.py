"""Replaces regions of many texts at once, and moves the spans that stand in them.

Invariants: regions are sorted and disjoint; a text without a region comes back byte for byte; offsets are code
points outside and bytes inside this module; the work is a few array operations a batch, whatever the row lengths.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.kernel.spans import Ints, Spans

_LAST_CONTINUATION: Final = -65  # as a signed byte: continuation bytes of UTF-8 are 0x80 to 0xBF (RFC 3629)


class CodePoints(NamedTuple):
    """Where the code points of a column stand in its bytes, told by the few bytes that begin none."""

    first: Ints
    """The index in the column of each row's first code point; shape (rows + 1,), the last entry is the end."""
    followers: Ints
    """The bytes that continue a code point, ascending."""

    def bytes_at(self, points: Ints) -> Ints:
        """The byte at which each code point of the column begins."""
        before = self.followers - np.arange(len(self.followers))  # code points that begin before each follower
        return points + np.searchsorted(before, points, side="right")

    def of_bytes(self, begins: Ints) -> Ints:
        """The code point of the column that begins at each byte."""
        return begins - np.searchsorted(self.followers, begins)


@dataclass(frozen=True)
class Regions:
    """What to replace: struct of arrays of shape (n,), sorted by (row, start), disjoint within a row."""

    row: Ints
    start: Ints
    """Code points of the row's text."""
    end: Ints
    mask: Ints
    """Index into the masks given to :func:`splice`."""

    def __len__(self) -> int:
        return len(self.row)


def code_points(texts: pa.LargeStringArray) -> CodePoints:
    """The code points of a column."""
    offsets, data = _buffers(texts)
    followers = np.flatnonzero(data.view(np.int8) <= _LAST_CONTINUATION)
    return CodePoints(offsets - np.searchsorted(followers, offsets), followers)


def splice(
    texts: pa.LargeStringArray, points: CodePoints, regions: Regions, masks: tuple[bytes, ...]
) -> pa.LargeStringArray:
    """The texts, whose :func:`code_points` are ``points``, with every region replaced by its (ASCII) mask."""
    if not len(regions):
        return texts
    offsets, data = _buffers(texts)
    first = points.first[regions.row]
    begin, end = points.bytes_at(first + regions.start), points.bytes_at(first + regions.end)
    pieces = _pieces(data, begin, end, [masks[mask] for mask in regions.mask.tolist()])
    grown = np.array([len(mask) for mask in masks])[regions.mask] - (end - begin)
    shift = np.concatenate([[0], np.cumsum(grown)])
    moved = offsets + shift[np.searchsorted(regions.row, np.arange(len(offsets)))]
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(moved), pa.py_buffer(pieces))


def found(texts: pa.LargeStringArray, points: CodePoints, words: tuple[bytes, ...]) -> Regions:
    """Where one of ``words`` stands in the texts; ``mask`` is its index. They are ASCII and begin alike.

    Sorted by (row, start); the words must not be able to overlap.
    """
    offsets, data = _buffers(texts)
    heads = np.flatnonzero(data == words[0][0])
    begin, which = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for index, word in enumerate(words):
        at = heads[heads <= len(data) - len(word)]
        for place in range(1, len(word)):
            at = at[data[at + place] == word[place]]
        begin, which = np.concatenate([begin, at]), np.concatenate([which, np.full(len(at), index)])
    order = np.argsort(begin, kind="stable")
    begin, which = begin[order], which[order]
    end = begin + np.array([len(word) for word in words])[which]
    row = np.searchsorted(offsets, begin, side="right") - 1
    whole = end <= offsets[row + 1]
    row, begin, end, which = row[whole], begin[whole], end[whole], which[whole]
    start = points.of_bytes(begin) - points.first[row]
    return Regions(row, start, start + (end - begin), which)


def _pieces(data: npt.NDArray[np.uint8], begin: Ints, end: Ints, masks: list[bytes]) -> bytes:
    """What stands between the regions, with the masks in their places."""
    view = data.data
    out: list[bytes | memoryview] = []
    at = 0
    for start, stop, mask in zip(begin.tolist(), end.tolist(), masks, strict=True):
        out += (view[at:start], mask)
        at = stop
    out.append(view[at:])
    return b"".join(out)


def move(spans: Spans, regions: Regions, masks: tuple[bytes, ...]) -> Spans:
    """The spans at their new places; each is disjoint from (at an edge, too), around, or exactly over every region."""
    if not len(regions):
        return spans
    grown = np.array([len(mask) for mask in masks])[regions.mask] - (regions.end - regions.start)
    total = np.concatenate([[0], np.cumsum(grown)])
    width = int(max(regions.end.max(), spans.end.max(initial=0))) + 1
    ends = regions.row * width + regions.end
    before_row = total[np.searchsorted(regions.row, spans.row)]

    def moved(position: Ints) -> Ints:
        shift = total[np.searchsorted(ends, spans.row * width + position, side="right")] - before_row
        return np.asarray(position + shift)

    return Spans(spans.row, moved(spans.start), moved(spans.end), spans.role, spans.subject)


def _buffers(texts: pa.LargeStringArray) -> tuple[Ints, npt.NDArray[np.uint8]]:
    """Row offsets from 0, shape (rows + 1,), and the bytes they point into."""
    raw = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[raw[0] : raw[-1]]
    return raw - raw[0], data
