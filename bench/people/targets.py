"""Figures with their targets beside them, as ``make bench-people`` prints them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

WIDTH: Final = 62


class Shares(Protocol):
    """A share with its counts and its interval: scoring.Rate, or _real.Share."""

    hits: int
    of: int


@dataclass(frozen=True)
class Figure:
    """One figure."""

    what: str
    share: Shares
    least: float | None = None
    """The share that is aimed at, at least."""
    most: float | None = None
    """Or at most."""

    @property
    def missed(self) -> bool:
        """Whether the aim is missed; a share of nothing misses none."""
        share = self.share.hits / self.share.of if self.share.of else None
        return share is not None and (
            (self.least is not None and share < self.least) or (self.most is not None and share > self.most)
        )

    def __str__(self) -> str:
        line = f"{self.what:<{WIDTH}} {self.share}"
        if self.least is None and self.most is None:
            return line
        aim = f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"
        return f"{line}  aim {aim}: {'MISSED' if self.missed else 'met'}"


def heading(text: str) -> Iterator[str]:
    """A line above figures."""
    yield ""
    yield f"## {text}"
