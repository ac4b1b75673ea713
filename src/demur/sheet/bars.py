"""Bars as inline SVG: one for each of a few things, parted or not, and how often what came between two bounds.

Invariants: pure functions of their numbers; every text is escaped; colours are the stylesheet's (classes alone), and no
part is told from another by its colour alone: the second one is hatched. Sizes are in units of the view box.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

PARTS: Final = 2
"""Parts of a bar that can be told apart."""

_WIDTH: Final = 640
_LABELS: Final = 150
_NOTES: Final = 150
_ROW: Final = 28
_BAR: Final = 16
_LEGEND: Final = 30
_PER_LETTER: Final = 7.5
"""About how wide a letter of 13 units is."""
_HIGH: Final = 220
_HEAD, _FOOT = 24, 30


@dataclass(frozen=True)
class Bar:
    """One bar."""

    label: str
    parts: tuple[float, ...]
    """One or two numbers, from the left."""
    note: str = ""
    """What stands at its end."""


def bars(name: str, title: str, description: str, rows: Sequence[Bar], names: Sequence[str] = ()) -> Markup:
    """A bar for each of a few things, all on one scale.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        rows: the bars, from the top.
        names: of their parts, where they have two.
    """
    most = max((sum(row.parts) for row in rows), default=0) or 1
    top = _LEGEND if names else 4
    drawn = [*_legend(name, names)]
    for number, row in enumerate(rows):
        drawn.extend(_row(name, row, top + number * _ROW, (_WIDTH - _LABELS - _NOTES) / most))
    return _framed(name, title, description, top + len(rows) * _ROW + 4, drawn)


def histogram(name: str, title: str, description: str, bins: Sequence[tuple[str, int]]) -> Markup:
    """A column for each stretch of a scale, with how often what fell into it above.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        bins: the stretches in order, each with its number.
    """
    wide, most = _WIDTH / max(1, len(bins)), max((number for _, number in bins), default=0) or 1
    return _framed(name, title, description, _HIGH + _HEAD + _FOOT, _columns(bins, wide, most))


def _columns(bins: Sequence[tuple[str, int]], wide: float, most: int) -> Iterator[str]:
    foot = _HEAD + _HIGH
    for at, (label, number) in enumerate(bins):
        middle, high = (at + 0.5) * wide, number / most * _HIGH
        size = f'width="{wide * 0.8:.1f}" height="{high:.1f}"'
        yield f'<rect class="plot-column" x="{middle - wide * 0.4:.1f}" y="{foot - high:.1f}" {size} rx="2"/>'
        yield f'<text class="plot-text plot-middle" x="{middle:.1f}" y="{foot - high - 7:.1f}">{number:,}</text>'
        yield f'<text class="plot-text plot-middle" x="{middle:.1f}" y="{foot + 20}">{escape(label)}</text>'
    yield f'<line class="plot-grid" x1="0" x2="{_WIDTH}" y1="{foot}" y2="{foot}"/>'


def _row(name: str, row: Bar, top: float, scale: float) -> Iterator[str]:
    middle, left = top + _ROW / 2 + 4.5, float(_LABELS)
    yield f'<text class="plot-text plot-end" x="{_LABELS - 10}" y="{middle:.1f}">{escape(row.label)}</text>'
    for part, value in enumerate(row.parts):
        wide = max(value * scale, 1.5 if value else 0)
        yield _block(name, part, left, top + (_ROW - _BAR) / 2, wide)
        left += wide
    yield f'<text class="plot-text" x="{left + 8:.1f}" y="{middle:.1f}">{escape(row.note)}</text>'


def _block(name: str, part: int, left: float, top: float, wide: float) -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_BAR}"'
    if not part:
        return f'<rect class="plot-column" {place}/>'
    return f'<rect class="plot-hatched" fill="url(#{escape(name)}-hatch)" {place}/>'


def _legend(name: str, names: Sequence[str]) -> Iterator[str]:
    left = float(_LABELS)
    for part, each in enumerate(names):
        yield _block(name, part, left, 4, _BAR)
        yield f'<text class="plot-text" x="{left + _BAR + 6:.1f}" y="17">{escape(each)}</text>'
        left += _BAR + 30 + _PER_LETTER * len(each)


def _framed(name: str, title: str, description: str, high: float, drawn: Iterable[str]) -> Markup:
    ids = escape(name)
    head = (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {high:.0f}" role="img" aria-labelledby="{ids}-title {ids}-desc">'
        f'<title id="{ids}-title">{escape(title)}</title><desc id="{ids}-desc">{escape(description)}</desc>'
        f'<defs><pattern id="{ids}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="plot-hatch-back" width="6" height="6"/>'
        '<line class="plot-hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )
    return Markup(head + "".join(drawn) + "</svg>")  # noqa: S704  # numbers, and texts that are escaped
