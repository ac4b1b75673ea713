"""Figures with their targets beside them, as ``make bench-people`` prints them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

WIDTH: Final = 62


class Shares(Protocol):
    """A share with its counts and its interval: scoring.Rate, or _real.Share."""

    @property
    def hits(self) -> int:
        """How many."""

    @property
    def of(self) -> int:
        """Of how many."""


@dataclass(frozen=True)
class Figure:
    """One figure."""

    what: str
    share: Shares
    least: float | None = None
    """The share that is aimed at, at least."""
    most: float | None = None
    """Or at most."""

    def __str__(self) -> str:
        return f"{self.what:<{WIDTH}} {self.share}{aim(self.share, self.least, self.most)}"


def aim(share: Shares, least: float | None = None, most: float | None = None) -> str:
    """What is aimed at, and whether it is met; nothing without an aim. A share of nothing misses none."""
    if least is None and most is None:
        return ""
    value = share.hits / share.of if share.of else None
    low, high = (least or 0.0), (1.0 if most is None else most)
    told = f">= {low:g}" if least is not None else f"<= {high:g}"
    return f"  aim {told}: {'met' if value is None or low <= value <= high else 'MISSED'}"


def heading(text: str) -> Iterator[str]:
    """A line above figures."""
    yield ""
    yield f"## {text}"
