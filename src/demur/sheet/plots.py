"""Plots as inline SVG: for people who look; whoever reads gets the same numbers in the table beside each.

Invariants: pure functions of their numbers; every text is escaped; colours, dark mode and print are the stylesheet's
(classes alone, as the policy for content forbids inline style). Nothing is told from another by its colour alone:
lines have dashes of their own and a name at their end, bars have one beside them, and the second part of a bar is
hatched. Sizes are in units of the view box.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup, escape

SERIES: Final = 6
"""Lines that can be told apart in one plot."""

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 130, 16, 34
DASHES: Final = ("", "8 4", "2 4", "12 4 2 4", "5 5 1 5", "1 3")
_LABEL_GAP: Final = 15
_WIDEST: Final = 40
"""Of a column: of few days, too."""
_BAR_LEFT, _BAR_RIGHT = 160, 150
"""What is left free beside bars: for their names, and for their numbers."""
_BAR_FILLS: Final = 0.7
"""Of its place."""
_BAR_HIGHEST: Final = 36
_LABEL_LENGTH: Final = 20
"""Characters of a name that fit beside a bar; the table has all of it."""
_STEPS: Final = (1, 2, 5, 10)
_TICKS: Final = 4

Points = Sequence[tuple[date, float]]
"""Days in order, and a number for each."""

_NAMED: Final = 150
_NOTES: Final = 150
_ROW: Final = 28
_BAR: Final = 16
_LEGEND: Final = 30
_PER_LETTER: Final = 7.5
"""About how wide a letter of 13 units is."""
_COLUMN, _HEAD, _FOOT = 220, 24, 30
"""Of a histogram: its highest column, and what is above and below."""


@dataclass(frozen=True)
class _Scale:
    """Where a day stands."""

    first: date
    wide: float
    """Of a day."""
    offset: float

    def __call__(self, day: date) -> float:
        return _LEFT + (day - self.first).days * self.wide + self.offset


def columns(name: str, title: str, description: str, points: Points) -> Markup:
    """A column for each day.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        points: the days; those between that are not given count nothing.
    """
    right = 12
    first, last = _span([points])
    top = _round_up(max((value for _, value in points), default=0))
    days = (last - first).days + 1
    wide = (_WIDTH - _LEFT - right) / days
    drawn = [*_axis(top, "", right), *_days(first, last, _Scale(first, wide, wide / 2))]
    for day, value in points:
        high = value / top * (_HEIGHT - _TOP - _BOTTOM)
        x, y = _LEFT + (day - first).days * wide, _HEIGHT - _BOTTOM - high
        gap = max(min(2.0, wide / 5), wide - _WIDEST)
        size = f'width="{wide - gap:.1f}" height="{high:.1f}"'
        drawn.append(f'<rect class="plot-column" x="{x + gap / 2:.1f}" y="{y:.1f}" {size}/>')
    return framed(name, title, description, drawn)


def lines(
    name: str, title: str, description: str, series: Mapping[str, Points], *, top: float, unit: str = ""
) -> Markup:
    """A line for each series.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        series: at most SERIES, by their names.
        top: of the scale.
        unit: of the scale: "%".
    """
    first, last = _span(series.values())
    first = min(first, last - timedelta(days=1))  # a single day stands at the end, by the names
    wide = (_WIDTH - _LEFT - _RIGHT) / (last - first).days
    x_of = _Scale(first, wide, 0)
    drawn = [*_axis(top, unit, _RIGHT), *_days(first, last, x_of)]
    ends: list[tuple[float, str]] = []
    for number, (label, points) in enumerate(list(series.items())[:SERIES]):
        places = [(x_of(day), _y(value, top)) for day, value in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashes = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
        drawn.append(f'<polyline class="plot-line plot-{number + 1}" points="{path}"{dashes}/>')
        drawn.extend(
            f'<circle class="plot-mark plot-{number + 1}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places[-1:]
        )
        ends.append((places[-1][1], label))
    drawn.extend(_labels(ends))
    return framed(name, title, description, drawn)


def dated_bars(
    name: str, title: str, description: str, series: Mapping[str, Points], *, top: float, unit: str = ""
) -> Markup:
    """A bar for each series and day, with its number: of one or two days, which make no line.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        series: at most SERIES, by their names.
        top: of the scale, where a line stands.
        unit: of the numbers: "%".
    """
    named = list(series.items())[:SERIES]
    slot = (_HEIGHT - _TOP) / sum(len(points) for _, points in named)
    high = min(slot * _BAR_FILLS, _BAR_HIGHEST)
    y, drawn = float(_TOP), [_upright(_BAR_LEFT), _upright(_WIDTH - _BAR_RIGHT)]
    for number, (label, points) in enumerate(named, 1):
        drawn.append(_text(_BAR_LEFT - 8, y + slot * len(points) / 2, _short(label), "plot-end plot-name"))
        for day, value in points:
            wide, middle = value / top * (_WIDTH - _BAR_LEFT - _BAR_RIGHT), y + slot / 2
            size = f'width="{wide:.1f}" height="{high:.1f}"'
            drawn.append(f'<rect class="plot-mark plot-{number}" x="{_BAR_LEFT}" y="{middle - high / 2:.1f}" {size}/>')
            drawn.append(_text(_BAR_LEFT + wide + 8, middle, f"{value:,.0f}{unit} on {day.isoformat()}", "plot-start"))
            y += slot
    return framed(name, title, description, drawn)


def _upright(x: float) -> str:
    """A line from the top to the bottom."""
    return f'<line class="plot-grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT}"/>'


def _text(x: float, y: float, text: str, classes: str) -> str:
    """A text beside a mark, at its height."""
    return f'<text class="plot-text {classes}" x="{x:.1f}" y="{y + 4:.1f}">{escape(text)}</text>'


def _short(label: str) -> str:
    return label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 1].rstrip() + "\u2026"


def _axis(top: float, unit: str, right: float) -> Iterator[str]:
    """Lines across with their numbers."""
    for step in range(_TICKS + 1):
        value = top * step / _TICKS
        y = _y(value, top)
        yield f'<line class="plot-grid" x1="{_LEFT}" x2="{_WIDTH - right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="plot-text plot-end" x="{_LEFT - 8}" y="{y + 4:.1f}">{value:,g}{escape(unit)}</text>'


def _days(first: date, last: date, x_of: "_Scale") -> Iterator[str]:
    """The first and the last day, and one between where there is room."""
    middle = first + timedelta(days=(last - first).days // 2)
    shown = {first: "start", last: "end"} if first != last else {first: "middle"}
    if (last - first).days > 1:
        shown[middle] = "middle"
    for day, place in shown.items():
        x, y = x_of(day), _HEIGHT - _BOTTOM + 22
        yield f'<text class="plot-text plot-{place}" x="{x:.1f}" y="{y}">{day.isoformat()}</text>'


def _labels(ends: list[tuple[float, str]]) -> Iterator[str]:
    """The names of lines at their ends, moved apart where they would overlap."""
    below = -math.inf
    for y, label in sorted(ends):
        below = max(y, below + _LABEL_GAP)
        x = _WIDTH - _RIGHT + 10
        yield f'<text class="plot-text plot-name" x="{x}" y="{below + 4:.1f}">{escape(label)}</text>'


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)


def _span(series: Iterable[Points]) -> tuple[date, date]:
    """The first and the last day of all.

    Raises:
        ValueError: if there is none: nothing is drawn of nothing.
    """
    days = [day for points in series for day, _ in points]
    return min(days), max(days)


def _round_up(value: float) -> float:
    """The next number that the lines across part into whole ones: 4, 8, 20, 40, 80, 200, ..."""
    each = max(value / _TICKS, 1)
    scale = 10 ** math.floor(math.log10(each))
    return float(_TICKS * scale * next(step for step in _STEPS if step * scale >= each))


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
        drawn.extend(_row(name, row, top + number * _ROW, (_WIDTH - _NAMED - _NOTES) / most))
    return framed(name, title, description, drawn, top + len(rows) * _ROW + 4, _hatch(name))


def histogram(name: str, title: str, description: str, bins: Sequence[tuple[str, int]]) -> Markup:
    """A column for each stretch of a scale, with how often what fell into it above.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        bins: the stretches in order, each with its number.
    """
    wide, most = _WIDTH / max(1, len(bins)), max((number for _, number in bins), default=0) or 1
    return framed(name, title, description, _columns(bins, wide, most), _COLUMN + _HEAD + _FOOT, _hatch(name))


def _columns(bins: Sequence[tuple[str, int]], wide: float, most: int) -> Iterator[str]:
    foot = _HEAD + _COLUMN
    for at, (label, number) in enumerate(bins):
        middle, high = (at + 0.5) * wide, number / most * _COLUMN
        size = f'width="{wide * 0.8:.1f}" height="{high:.1f}"'
        yield f'<rect class="plot-column" x="{middle - wide * 0.4:.1f}" y="{foot - high:.1f}" {size} rx="2"/>'
        yield f'<text class="plot-text plot-middle" x="{middle:.1f}" y="{foot - high - 7:.1f}">{number:,}</text>'
        yield f'<text class="plot-text plot-middle" x="{middle:.1f}" y="{foot + 20}">{escape(label)}</text>'
    yield f'<line class="plot-grid" x1="0" x2="{_WIDTH}" y1="{foot}" y2="{foot}"/>'


def _row(name: str, row: Bar, top: float, scale: float) -> Iterator[str]:
    middle, left = top + _ROW / 2 + 4.5, float(_NAMED)
    yield f'<text class="plot-text plot-end" x="{_NAMED - 10}" y="{middle:.1f}">{escape(row.label)}</text>'
    for part, value in enumerate(row.parts):
        wide = max(value * scale, 1.5 if value else 0)
        yield _part(name, part, left, top + (_ROW - _BAR) / 2, wide)
        left += wide
    yield f'<text class="plot-text" x="{left + 8:.1f}" y="{middle:.1f}">{escape(row.note)}</text>'


def _part(name: str, part: int, left: float, top: float, wide: float) -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_BAR}"'
    if not part:
        return f'<rect class="plot-column" {place}/>'
    return f'<rect class="plot-hatched" fill="url(#{escape(name)}-hatch)" {place}/>'


def _legend(name: str, names: Sequence[str]) -> Iterator[str]:
    left = float(_NAMED)
    for part, each in enumerate(names):
        yield _part(name, part, left, 4, _BAR)
        yield f'<text class="plot-text" x="{left + _BAR + 6:.1f}" y="17">{escape(each)}</text>'
        left += _BAR + 30 + _PER_LETTER * len(each)


def framed(
    name: str, title: str, description: str, drawn: Iterable[str], high: float = _HEIGHT, hatch: str = ""
) -> Markup:
    """The drawing, with what it is told by; ``hatch`` is for a second part of bars."""
    ids = escape(name)
    head = (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {high:.0f}" role="img" aria-labelledby="{ids}-title {ids}-desc">'
        f'<title id="{ids}-title">{escape(title)}</title><desc id="{ids}-desc">{escape(description)}</desc>'
    )
    return Markup(head + hatch + "".join(drawn) + "</svg>")  # noqa: S704  # numbers, and texts that are escaped


def _hatch(name: str) -> str:
    return (
        f'<defs><pattern id="{escape(name)}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="plot-hatch-back" width="6" height="6"/>'
        '<line class="plot-hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )
