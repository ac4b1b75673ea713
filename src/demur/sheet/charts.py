"""Plots of estimates: numbers with their intervals, and curves over a scale that may be logarithmic.

Invariants: those of the other plots (plots.py): pure functions of numbers, every text escaped, no inline style, and
nothing told from another by its colour alone.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from demur.sheet.plots import DASHES, SERIES, framed

_WIDTH: Final = 640
_NAMED, _NOTED = 170, 170
"""What is left free beside whiskers: for names, and for numbers."""
_ROW, _FOOT = 28, 30
_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 64, 140, 16, 46, 340
_LABEL_GAP: Final = 15
_TICKS: Final = 4


@dataclass(frozen=True)
class Estimate:
    """One number with its interval."""

    label: str
    value: float
    interval: tuple[float, float] | None
    note: str
    """What stands at its end."""


def whiskers(name: str, title: str, description: str, rows: Sequence[Estimate], middle: float) -> Markup:
    """A dot for each number, on a line from one end of its interval to the other; the scale is from 0 to 1.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        rows: from the top.
        middle: where a line stands that numbers are held against.
    """
    foot = len(rows) * _ROW + 8
    drawn = [_upright(_across(at / _TICKS), foot, "plot-grid") for at in range(_TICKS + 1)]
    drawn.append(_upright(_across(middle), foot, "plot-half"))
    drawn += [_text(_across(at / _TICKS), foot + 18, f"{at / _TICKS:g}", "plot-middle") for at in range(_TICKS + 1)]
    for number, row in enumerate(rows):
        drawn += _whisker(row, 4 + number * _ROW + _ROW / 2)
    return framed(name, title, description, drawn, foot + _FOOT)


def _whisker(row: Estimate, y: float) -> Iterator[str]:
    yield _text(_NAMED - 10, y + 4.5, row.label, "plot-end")
    if row.interval is not None:
        low, high = (_across(each) for each in row.interval)
        yield f'<line class="plot-whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<circle class="plot-dot" cx="{_across(row.value):.1f}" cy="{y:.1f}" r="4.5"/>'
    yield _text(_WIDTH - _NOTED + 10, y + 4.5, row.note, "plot-start")


def _across(share: float) -> float:
    return _NAMED + share * (_WIDTH - _NAMED - _NOTED)


@dataclass(frozen=True)
class Axis:
    """A scale."""

    label: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where a number stands, from 0 to 1; below the scale it stands at its beginning."""
        if not self.log:
            return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        at = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return min(at, 1.0)

    def ticks(self) -> list[float]:
        """Where lines stand: at the powers of ten, or at the quarters."""
        if not self.log:
            return [self.low + (self.high - self.low) * at / _TICKS for at in range(_TICKS + 1)]
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


Points = Sequence[tuple[float, float]]


def curves(
    name: str,
    title: str,
    description: str,
    series: Mapping[str, Points],
    axes: tuple[Axis, Axis],
    *,
    diagonal: bool = False,
) -> Markup:
    """A line for each series.

    Args:
        name: what its ids begin with, unique on the page.
        title: what it shows.
        description: what there is to see, in a sentence.
        series: at most SERIES, by their names.
        axes: across and up.
        diagonal: whether a line stands from corner to corner, that series are held against.
    """
    across, up = axes
    drawn = [*_grid(across, up)]
    if diagonal:
        drawn.append(f'<line class="plot-half" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(0)}" y2="{_y(1)}"/>')
    for number, (label, points) in enumerate(list(series.items())[:SERIES]):
        places = [(_x(across.share(x)), _y(up.share(y))) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dashes = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
        drawn.append(f'<polyline class="plot-line" points="{path}"{dashes}/>')
        x, y = _WIDTH - _RIGHT + 10, number * _LABEL_GAP + _TOP + 8
        drawn.append(f'<line class="plot-line" x1="{x}" x2="{x + 30}" y1="{y - 4}" y2="{y - 4}"{dashes}/>')
        drawn.append(_text(x + 36, y, label, "plot-start"))
    return framed(name, title, description, drawn, _HEIGHT)


def _grid(across: Axis, up: Axis) -> Iterator[str]:
    for tick in across.ticks():
        x = _x(across.share(tick))
        yield f'<line class="plot-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        yield _text(x, _HEIGHT - _BOTTOM + 18, f"{tick:g}", "plot-middle")
    for tick in up.ticks():
        y = _y(up.share(tick))
        yield f'<line class="plot-grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(_LEFT - 8, y + 4, f"{tick:g}", "plot-end")
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, f"{across.label} \N{RIGHTWARDS ARROW}", "plot-middle")
    yield _text(_LEFT + 6, _TOP + 12, f"\N{UPWARDS ARROW} {up.label}", "plot-start")


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _upright(x: float, high: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{high:.1f}"/>'


def _text(x: float, y: float, text: str, place: str) -> str:
    return f'<text class="plot-text {place}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
