"""What an audit says: numbers with their units and intervals, what was tried, and what was not.

Invariant: equal figures have equal JSON; a value without an interval says why it has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demur.canonical import JSON


@dataclass(frozen=True)
class Figure:
    """One number."""

    name: str
    """What it is called in a report, such as ``auc``; unique within its finding."""
    value: float | None
    """None where it can't be said."""
    unit: str
    """Such as ``AUC``, ``share``, ``nats a token``, ``bits``."""
    n: int
    """How many it is over."""
    of: str
    """Of what these are: ``persons``, ``canaries``, ``rows``, ``prompts``."""
    interval: tuple[float, float] | None = None
    """Of 95 %, over that unit."""
    note: str = ""
    """Why there is no value or no interval, or what else has to be known to read it."""

    def json(self) -> dict[str, JSON]:
        """As JSON, fractions as text (RFC 8785 writes no other way than JavaScript's)."""
        low_high = None if self.interval is None else [repr(float(each)) for each in self.interval]
        return {
            "name": self.name,
            "value": None if self.value is None else repr(float(self.value)),
            "unit": self.unit,
            "n": self.n,
            "of": self.of,
            "interval": low_high,
            "note": self.note,
        }


@dataclass(frozen=True)
class Curve:
    """What is plotted of an attack: two rows of numbers of the same length."""

    name: str
    across: str
    """What the first row is, with its unit."""
    up: str
    """What the second is."""
    points: Sequence[tuple[float, float]]

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        points: list[JSON] = [[repr(float(x)), repr(float(y))] for x, y in self.points]
        return {"name": self.name, "across": self.across, "up": self.up, "points": points}


@dataclass(frozen=True)
class Finding:
    """What one attack or test found."""

    attack: str
    """Such as ``loss``; unique within a report."""
    asks: str
    """The question that it answers, in one sentence."""
    stands_for: str
    """Which of EDPB's six it is: membership inference, attribute inference, exfiltration, regurgitation, inversion or
    reconstruction; empty for what only helps to read the others."""
    needs: str
    """What the attacker holds: ``outputs``, ``probabilities`` or ``weights``, of which models."""
    figures: Sequence[Figure]
    curves: Sequence[Curve] = ()
    said: str = ""
    """What the figures say, in a sentence that promises nothing."""

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        return {
            "attack": self.attack,
            "asks": self.asks,
            "stands_for": self.stands_for,
            "needs": self.needs,
            "figures": [each.json() for each in self.figures],
            "curves": [each.json() for each in self.curves],
            "said": self.said,
        }


@dataclass(frozen=True)
class NotRun:
    """An attack that was not tried."""

    attack: str
    why: str

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        return {"attack": self.attack, "why": self.why}
