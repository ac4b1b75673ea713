"""Cleaning text by the column: NFC without control characters, no Python per row unless a row needs it.

Invariants: the answer equals :func:`demur.sources.text.clean` of every row; a column that is clean already is
handed back as it is. A text whose characters are all inert (NFC quick check *yes* and combining class 0, UAX #15,
9) is NFC, so that a look at the bytes decides for nearly all text.
"""

import functools
import unicodedata
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.sources.text import Span, clean
from demur.terms import SPAN

_PLANE: Final = 0x10000
_EMOJI: Final = range(0x1F000, 0x1FB00)  # pictographs: inert, and beside the basic plane the only common letters
_JAMO: Final = (*range(0x1160, 0x1200), *range(0xD7B0, 0xD800))  # Hangul vowels and finals

Rows = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


def clean_column(text: pa.LargeStringArray, spans: pa.ListArray) -> tuple[pa.LargeStringArray, pa.ListArray]:
    """A column of text cleaned, with its spans (list<:data:`demur.terms.SPAN`>) moved along and clamped."""
    rows = np.union1d(_suspect_texts(text), _stray_spans(text, spans))
    if not len(rows):
        return text, spans
    chosen = pa.array(rows)
    before, marked = text.take(chosen).to_pylist(), spans.take(chosen).to_pylist()
    cleaned = [_cleaned(one, marks) for one, marks in zip(before, marked, strict=True)]
    text = _replaced(text, rows, pa.array([one for one, _ in cleaned], pa.large_string()))
    if any(marked):
        spans = _replaced(spans, rows, pa.array([marks for _, marks in cleaned], pa.list_(SPAN)))
    return text, spans


def _cleaned(text: str | None, marks: list[dict[str, object]] | None) -> tuple[str | None, list[Span] | None]:
    spans = [Span(**mark) for mark in marks or ()]  # type: ignore[arg-type]  # checked: both offsets are there
    cleaned, moved = clean(text or "", spans)
    return (None if text is None else cleaned), (None if marks is None else list(moved))


def _replaced(column: pa.Array, rows: Rows, values: pa.Array) -> pa.Array:
    """The column with other values at ``rows``; by taking, which knows every type."""
    places = np.arange(len(column), dtype=np.int64)
    places[rows] = len(column) + np.arange(len(rows), dtype=np.int64)
    return pa.concat_arrays([column, values]).take(pa.array(places))


# Which rows need a closer look


def _suspect_texts(text: pa.LargeStringArray) -> Rows:
    """The rows that may hold a control character or text that is not NFC."""
    buffers = text.buffers()
    if not len(text) or buffers[2] is None:
        return np.empty(0, np.int64)
    offsets = np.frombuffer(buffers[1], np.int64)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(buffers[2], np.uint8)[: offsets[-1]]
    start = int(offsets[0])
    data = data[start:]
    found = [_controls(data)] if _has_controls(data) else []
    if len(data) and data.max() >= 0x80:  # noqa: PLR2004  # the first byte beyond ASCII
        found.append(_attention(data))
    if not found:
        return np.empty(0, np.int64)
    places = np.concatenate(found) + start
    return np.unique(np.searchsorted(offsets, places, side="right") - 1)


def _has_controls(data: Bytes) -> bool:
    """Whether a byte is a control character other than line feed and tab; only counting, for speed."""
    low = np.count_nonzero(data < ord(" "))
    kept = np.count_nonzero(data == ord("\n")) + np.count_nonzero(data == ord("\t")) if low else 0
    return bool(low != kept or np.count_nonzero(data == 0x7F))  # noqa: PLR2004  # DELETE


def _controls(data: Bytes) -> Rows:
    low = (data < ord(" ")) & (data != ord("\n")) & (data != ord("\t"))
    return np.flatnonzero(low | (data == 0x7F))  # noqa: PLR2004  # DELETE


def _attention(data: Bytes) -> Rows:
    """Where a character begins that is not inert; ``data`` is valid UTF-8 (RFC 3629)."""
    two = np.flatnonzero((data >= 0xC2) & (data < 0xE0))  # noqa: PLR2004  # lead bytes, here and below
    three = np.flatnonzero((data >= 0xE0) & (data < 0xF0))  # noqa: PLR2004
    four = np.flatnonzero(data >= 0xF0)  # noqa: PLR2004
    table = _attentive()
    points2 = (_bits(data, two, 0x1F) << 6) | _bits(data, two + 1)
    points3 = (_bits(data, three, 0x0F) << 12) | (_bits(data, three + 1) << 6) | _bits(data, three + 2)
    points4 = (_bits(data, four, 0x07) << 18) | (_bits(data, four + 1) << 12) | (_bits(data, four + 2) << 6)
    other = (points4 < _EMOJI.start) | (points4 >= _EMOJI.stop)
    return np.concatenate([two[table[points2]], three[table[points3]], four[other]])


def _bits(data: Bytes, places: Rows, mask: int = 0x3F) -> npt.NDArray[np.uint32]:
    return (data[places] & mask).astype(np.uint32)


@functools.cache
def _attentive() -> npt.NDArray[np.bool_]:
    """For each code point of the basic plane: whether text with it may not be NFC, or it is a control character."""
    table = np.zeros(_PLANE, np.bool_)
    table[list(_JAMO)] = True
    for point in range(0x80, _PLANE):
        letter = chr(point)
        decomposed = unicodedata.decomposition(letter)
        if unicodedata.combining(letter) or 0x80 <= point < 0xA0:  # noqa: PLR2004  # C1 controls
            table[point] = True
        elif decomposed and not decomposed.startswith("<"):
            table[point] |= unicodedata.normalize("NFC", letter) != letter
            table[[int(part, 16) for part in decomposed.split()[1:]]] = True
    return table


def _stray_spans(text: pa.LargeStringArray, spans: pa.ListArray) -> Rows:
    """The rows with a span that does not lie within its text."""
    flat = spans.flatten()
    if not len(flat):
        return np.empty(0, np.int64)
    parents = pc.list_parent_indices(spans)
    ends = pc.fill_null(pc.utf8_length(text), 0).take(parents).to_numpy(zero_copy_only=False)
    start, end = (flat.field(name).to_numpy(zero_copy_only=False) for name in ("start", "end"))
    stray = (start < 0) | (start > end) | (end > ends)
    return np.unique(parents.to_numpy(zero_copy_only=False)[stray])
