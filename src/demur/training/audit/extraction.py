"""Extraction: whether a model adds the rest of a row, word for word, to its beginning.

(n, p)-discoverable extraction (Hayes et al., arXiv 2410.19482): a passage counts where the rest comes out at least
once in n queries with a probability of p or more. One query gives it with the probability q, which is the product of
its tokens' under the way of drawing, computed exactly; so n queries give it with 1 - (1 - q)^n. Greedy extraction,
where the likeliest token is taken each time, is the older measure, and misses most.

Invariants: unit is the person, who counts as soon as one of their passages does; the same is measured of people whose
rows the model has never seen: what comes out of these is common words, not memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.continuing import LIKELIEST, Numbers, Scheme, suffix_chances
from demur.training.audit.figure import Curve, Figure, Finding, NotRun
from demur.training.audit.intervals import TOO_FEW, share, share_of_rows
from demur.training.audit.passages import CUT, Cut, Passages, Persons

NAME: Final = "extraction"
QUERIES: Final = (1, 10, 100, 1_000, 10_000)
"""n."""
CHANCES: Final = (0.5, 0.9)
"""p."""


def within(chances: Numbers, queries: int) -> Numbers:
    """The probability that something comes out at least once: 1 - (1 - q)^n, shape as ``chances``.

    Args:
        chances: log-probabilities of one query, in nats.
        queries: n.
    """
    with np.errstate(divide="ignore"):  # what always comes out has log 0 of not doing so
        return np.asarray(-np.expm1(queries * np.log1p(-np.exp(np.minimum(chances, 0.0)))), np.float64)


def extractable(chances: Numbers, queries: int, chance: float) -> npt.NDArray[np.bool_]:
    """Which passages are (n, p)-extractable, shape as ``chances``.

    Args:
        chances: log-probabilities of one query, in nats.
        queries: n.
        chance: p.
    """
    return within(chances, queries) >= chance


def extracted(
    network: Any,  # noqa: ANN401  # a transformers model
    members: Persons,
    held: Persons,
    *,
    cut: Cut = CUT,
    scheme: Scheme = LIKELIEST,
) -> Finding | NotRun:
    """How many people there are of whom a model adds the rest of a row, among members and people it never saw.

    Args:
        network: with the weights that are audited; it drops nothing.
        members: token ids of the rows of each.
        held: those of people whom the run's key held out.
        cut: what is given, and what is wanted.
        scheme: how the attacker draws.
    """
    groups = [("members", Passages.of(members, cut)), ("held", Passages.of(held, cut))]
    if not groups[0][1].persons:
        return NotRun(NAME, f"no member has a row of {cut.length} tokens: ask for shorter passages")
    measured = [_Group(name, each, *suffix_chances(network, each.rows, cut.prefix, scheme)) for name, each in groups]
    return Finding(
        attack=NAME,
        asks="Of how many people does the model add the rest of a row to its beginning, word for word?",
        stands_for="exfiltration",
        needs="probabilities",
        figures=[figure for each in measured for figure in each.figures()],
        curves=[each.curve(chance) for each in measured for chance in CHANCES],
        said=(
            f"{cut.said()}; temperature {scheme.temperature:g}, the {scheme.top_k:,} likeliest tokens. n queries a "
            "row, p the probability that one of them gives it. What is said of people held out is what common words "
            "give without memory. Other passages, longer prompts or another way of drawing may give more."
        ),
    )


@dataclass(frozen=True, eq=False)
class _Group:
    name: str
    passages: Passages
    chances: Numbers
    """Log-probability of each passage's rest."""
    greedy: npt.NDArray[np.bool_]

    def figures(self) -> list[Figure]:
        """Persons at each n and p, and greedily; rows greedily, and at n = 100 and p = .5."""
        found = [
            self._persons(f"{self.name}_n{queries}_p{chance:g}", extractable(self.chances, queries, chance))
            for chance in CHANCES
            for queries in QUERIES
        ]
        found.append(self._persons(f"{self.name}_greedy", self.greedy))
        found.append(self._rows(f"{self.name}_rows_greedy", self.greedy))
        found.append(self._rows(f"{self.name}_rows_n100_p0.5", extractable(self.chances, 100, 0.5)))
        return found

    def curve(self, chance: float) -> Curve:
        """The share of persons by n."""
        points: Sequence[tuple[float, float]] = [
            (float(queries), float(self.passages.any(extractable(self.chances, queries, chance)).mean()))
            for queries in QUERIES
            if self.passages.persons
        ]
        return Curve(f"{self.name}_p{chance:g}", "queries a row", "share of persons", points)

    def _persons(self, name: str, hit: npt.NDArray[np.bool_]) -> Figure:
        value, interval = share(self.passages.any(hit))
        return Figure(name, value, "share", self.passages.persons, "persons", interval, self.passages.note())

    def _rows(self, name: str, hit: npt.NDArray[np.bool_]) -> Figure:
        value, interval = share_of_rows(hit, self.passages.person)
        few = "" if interval else TOO_FEW
        said = ("the interval is over persons" if interval else "", few, self.passages.note())
        return Figure(name, value, "share", len(hit), "rows", interval, "; ".join(filter(None, said)))
