"""A bar for each of some figures, as an SVG file that stands alone: for docs, which show it beside its table.

Colours follow the reader's light or dark mode; every bar has its name and its number as text.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import escape

_WIDTH, _LEFT, _RIGHT, _ROW, _BAR, _TOP = 720, 170, 150, 34, 20, 44
_STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1b1b1b } .title { font-weight: 600 } .bar { fill: #4a6fa5 }
  .ours { fill: #b5541c } @media (prefers-color-scheme: dark) { text { fill: #e8e8e8 } .bar { fill: #8fb0dd }
  .ours { fill: #ef9a66 } }
"""


class Bar(NamedTuple):
    """One of them."""

    name: str
    value: float
    said: str
    """The number as it is written."""
    ours: bool = False


def drawn(title: str, description: str, bars: Sequence[Bar]) -> str:
    """The picture.

    Args:
        title: what it shows, with the unit.
        description: what there is to see, in a sentence, for who can't see it.
        bars: from above to below.
    """
    high = _TOP + _ROW * len(bars) + 8
    scale = (_WIDTH - _LEFT - _RIGHT) / max(bar.value for bar in bars)
    rows = "".join(_row(bar, _TOP + number * _ROW, bar.value * scale) for number, bar in enumerate(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {high}" role="img" '
        f'aria-labelledby="title description">\n<title id="title">{escape(title)}</title>\n'
        f'<desc id="description">{escape(description)}</desc>\n<style>{_STYLE}</style>\n'
        f'<text class="title" x="8" y="24">{escape(title)}</text>\n{rows}</svg>\n'
    )


def _row(bar: Bar, top: float, wide: float) -> str:
    middle, kind = top + _BAR / 2 + 5, "ours" if bar.ours else "bar"
    return (
        f'<text x="{_LEFT - 10}" y="{middle:g}" text-anchor="end">{escape(bar.name)}</text>\n'
        f'<rect class="{kind}" x="{_LEFT}" y="{top:g}" width="{wide:.1f}" height="{_BAR}"/>\n'
        f'<text x="{_LEFT + wide + 8:.1f}" y="{middle:g}">{escape(bar.said)}</text>\n'
    )
