"""Real data that the benchmarks read where it is at hand, and the interval of a share.

The data stands outside the repository, in ``DEMUR_SHARED`` or ``../shared``, and nothing of it is kept or printed
here beyond places and counts.
"""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_SAID: Final = re.compile(r"\[\d\d:\d\d\] (?:<([^>\n]*)> ?| \* (\S+) ?)(.*)", re.DOTALL)
_Z: Final = 1.959963984540054
"""The normal quantile of a two-sided interval of 95 %."""


def shared(name: str) -> Path | None:
    """The folder of a data set, or None where it is not at hand."""
    root = os.environ.get("DEMUR_SHARED")
    folder = (Path(root) if root else Path(__file__).resolve().parents[2] / "shared") / "data" / name
    return folder if folder.is_dir() else None


class Line(NamedTuple):
    """A line of a log that somebody wrote."""

    file: str
    number: int
    """Of the line, from 0, as in the annotations."""
    nick: str
    text: str
    """Behind ``<nick> ``, or behind `` * nick `` of an action; offsets of labels are its code points."""


def irc_lines() -> Iterator[Line]:
    """What people wrote in all the logs, in the order of the files' names.

    Raises:
        FileNotFoundError: when the logs are not at hand.
    """
    folder = shared("irc")
    if folder is None:
        raise FileNotFoundError("no IRC logs: set DEMUR_SHARED to the folder that holds data/irc")
    for path in sorted(folder.glob("*.raw.txt")):
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n")):
            if match := _SAID.fullmatch(line):
                yield Line(path.name, number, match[1] or match[2] or "", match[3])


class Share(NamedTuple):
    """A share of a count, with its interval of 95 % (Wilson 1927, without continuity correction)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; NaN of nothing."""
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Its lower and upper bound; 0 and 1 of nothing."""
        if not self.of:
            return 0.0, 1.0
        centre = self.hits + _Z * _Z / 2
        half = _Z * math.sqrt(self.hits * (self.of - self.hits) / self.of + _Z * _Z / 4)
        whole = self.of + _Z * _Z
        return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.4f} [{low:.4f}, {high:.4f}] ({self.hits:,} of {self.of:,})"


def wilson(hits: int, of: int) -> Share:
    """How many of how many, to print."""
    return Share(hits, of)
