"""Text and time as items hold them: NFC without control characters, spans moved along, microseconds in UTC.

Invariants: a span marks the same words before and after cleaning; cleaning costs one pass however many spans
there are; text that is clean already is handed back as it is.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from demur.characters import C1, IN_TEXT, SURROGATES
from demur.errors import SourceError


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
    if not text.isprintable() and _CONTROL.search(text):  # the former is faster, and says the same of most texts
        text, spans = _rewrite(text, spans, _printable, _separate)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text, spans = _rewrite(text, spans, _composed, _apart)
    size = len(text)
    if spans and any(not 0 <= span.start <= span.end <= size for span in spans):
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
