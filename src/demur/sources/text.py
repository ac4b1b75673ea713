"""Text and time as items hold them: NFC without control characters, spans moved along, microseconds in UTC.

Invariants: a span marks the same words before and after cleaning; cleaning costs one pass however many spans
there are; text that is clean already is handed back as it is.

Cleaning a column answers what :func:`clean` does of every row, with no Python per row unless a row needs it. A text
whose characters are all inert (NFC quick check *yes* and combining class 0, UAX #15, 9) is NFC, so that a look at the
bytes decides for nearly all text. To find many phrases in one text (people whom an item tags, by the thousand) takes
time that follows the text and the phrases, not one times the other.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from demur.characters import C1, IN_TEXT, SURROGATES
from demur.errors import SourceError
from demur.terms import SPAN


class Span(NamedTuple):
    """What the markup said about a part of an item's text."""

    start: int
    """Code points of the text, from 0."""
    end: int
    """Code points of the text, exclusive."""
    role: str
    """A :class:`demur.terms.Role`."""
    account: str | None
    """``namespace:value``; null if unknown."""


_CONTROL: Final = re.compile(f"[{IN_TEXT}{C1}{SURROGATES}]")
_CARRIAGE: Final = re.compile("\r\n?")
SURROGATE: Final = re.compile(f"[{SURROGATES}]")
_JOINING: Final = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\U00016d63-\U00016d6a]")
"""Letters that compose with the one before them (Hangul and Kirat Rai vowels; NFC_QC=Maybe)."""


def clean(text: str, spans: Sequence[Span] = ()) -> tuple[str, Sequence[Span]]:
    """Text in NFC (UAX #15), without control characters, with its spans moved along.

    Line feed and tab stay, other line ends become a line feed, a lone surrogate becomes U+FFFD. Spans are
    clamped to the text; one that marked only removed characters stays, empty: its account still matters.
    """
    if _CONTROL.search(text):
        text, spans = _rewrite(text, spans, _printable, _separate)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text, spans = _rewrite(text, spans, _composed, _apart)
    size = len(text)
    if any(not 0 <= span.start <= span.end <= size for span in spans):
        spans = [_clamped(span, size) for span in spans]
    return text, spans


def _printable(piece: str) -> str:
    return _CONTROL.sub("", SURROGATE.sub("\ufffd", _CARRIAGE.sub("\n", piece)))


def _composed(piece: str) -> str:
    return unicodedata.normalize("NFC", piece)


def _separate(before: str, after: str) -> bool:
    """Whether a cut leaves line ends whole."""
    return (before, after) != ("\r", "\n")


def _apart(_before: str, after: str) -> bool:
    """Whether normalising both sides of a cut by themselves equals normalising the whole."""
    return not (unicodedata.category(after).startswith("M") or _JOINING.match(after))


def _clamped(span: Span, size: int) -> Span:
    start = min(max(span.start, 0), size)
    return span._replace(start=start, end=min(max(span.end, start), size))


def _rewrite(
    text: str, spans: Sequence[Span], change: Callable[[str], str], may_cut: Callable[[str, str], bool]
) -> tuple[str, Sequence[Span]]:
    """Apply ``change`` piece by piece, cutting at span ends, so that new offsets cost one pass."""
    if not spans:
        return change(text), spans
    cuts = sorted({min(max(offset, 0), len(text)) for span in spans for offset in span[:2]})
    moved, pieces, done, length = {}, [], 0, 0
    for cut in cuts:
        end = cut
        while end < len(text) and end and not may_cut(text[end - 1], text[end]):
            end += 1
        pieces.append(change(text[done:end]) if end > done else "")
        done, length = max(done, end), length + len(pieces[-1])
        moved[cut] = length
    pieces.append(change(text[done:]))
    return "".join(pieces), [
        span._replace(start=moved[_at(span.start, text)], end=moved[_at(span.end, text)]) for span in spans
    ]


def _at(offset: int, text: str) -> int:
    return min(max(offset, 0), len(text))


_EARLIEST: Final = -62_135_596_800  # 0001-01-01, in seconds: what Python and the readers of an export can show
_LATEST: Final = 253_402_300_799  # 9999-12-31


def microseconds(seconds: float | str, where: str) -> int:
    """Seconds since 1970-01-01 UTC as the microseconds that :attr:`ItemRow.created` holds.

    Raises:
        SourceError: naming ``where``, for what is no number or lies outside the years 1 to 9999.
    """
    try:
        exact = int(seconds) if isinstance(seconds, str | int) else float(seconds)
        if not _EARLIEST <= exact <= _LATEST:
            raise ValueError  # noqa: TRY301  # one sentence for both, NaN and infinity included
    except (ValueError, TypeError, OverflowError):
        raise SourceError(
            f"{where}: the timestamp is no time in seconds between the years 1 and 9999: "
            "check its unit, or export the data again."
        ) from None
    return round(exact * 1_000_000)


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


_PREFIX: Final = 8
_LONGEST: Final = 512
"""Characters of a phrase that is looked for: no name and no handle has more (a domain has 253)."""


class Phrases:
    """A set of phrases, each of which counts only where no letter of ``around`` stands beside it."""

    def __init__(self, phrases: Iterable[str], *, around: str, fold: bool = False) -> None:
        """Know the phrases; ``around`` is the inside of a character class, ``fold`` says that case does not matter."""
        self._fold = fold
        self._known = {each.lower() if fold else each for each in phrases if 0 < len(each) <= _LONGEST}
        self._lengths: dict[str, list[int]] = {}
        for each in sorted(self._known, key=len, reverse=True):
            lengths = self._lengths.setdefault(each[:_PREFIX], [])
            if len(each) not in lengths[-1:]:
                lengths.append(len(each))
        self._prefixes = sorted({len(each) for each in self._lengths}, reverse=True)
        begins = {form for each in self._known for form in (each[0], each[0].upper(), each[0].lower())}
        self._start = re.compile(rf"(?<![{around}])[{''.join(map(re.escape, sorted(begins)))}]") if begins else None
        self._beside = re.compile(f"[{around}]")

    def found(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Every place where phrases begin, in order, and the phrases as they stand there, the longest first."""
        for start in self._start.finditer(text) if self._start else ():
            if here := list(self._at(text, start.start())):
                yield start.start(), here

    def _at(self, text: str, start: int) -> Iterator[str]:
        for size in self._prefixes:  # one, unless some phrases are shorter than a prefix
            written = text[start : start + size]
            for length in self._lengths.get(written.lower() if self._fold else written, ()):
                if size < _PREFIX and length > size:
                    continue
                if start + length < len(text) and self._beside.match(text, start + length):
                    continue
                phrase = text[start : start + length]
                if len(phrase) == length and (phrase.lower() if self._fold else phrase) in self._known:
                    yield phrase
