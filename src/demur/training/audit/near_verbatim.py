"""Near-verbatim extraction: whether a model adds the rest of a row almost word for word.

A beam search follows the likeliest ends from the beginning of a row, within what the way of drawing allows. All of them
that are near the true end are different texts, so that their probabilities add up to a lower bound of the probability
that one query gives something near it (Cooper et al., arXiv 2603.24917: decoding-constrained beam search); the true end
itself is added where no beam found it. The bound goes on to (n, p) as in ``extraction``.

Near is an edit distance (Levenshtein 1966), in tokens, of at most a share of the end's length.

Invariants: the bound is at least the probability of the true end, word for word; unit is the person, and people whose
rows the model has never seen are the baseline.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.continuing import LIKELIEST, Numbers, Scheme, beams, suffix_chances
from demur.training.audit.extraction import extractable
from demur.training.audit.figure import Figure, Finding, NotRun
from demur.training.audit.intervals import share
from demur.training.audit.passages import Cut, Passages, Persons
from demur.training.rows import Ints

NAME: Final = "near-verbatim"
WIDTH: Final = 20
NEAR: Final = 0.2
"""Edits over the tokens of the end, at most."""
RUN: Final = 0.5
"""A run of tokens in common is long that has this share of the end."""
_QUERIES: Final = (1, 100, 10_000)
_CHANCE: Final = 0.5
_CUT: Final = Cut(each=2)


def near_extracted(
    network: Any,  # noqa: ANN401  # a transformers model
    members: Persons,
    held: Persons,
    *,
    cut: Cut = _CUT,
    scheme: Scheme = LIKELIEST,
    width: int = WIDTH,
) -> Finding | NotRun:
    """How many people there are of whom a model adds the rest of a row nearly, among members and people it never saw.

    Args:
        network: with the weights that are audited; it drops nothing.
        members: token ids of the rows of each.
        held: those of people whom the run's key held out.
        cut: what is given, and what is wanted.
        scheme: how the attacker draws.
        width: ends that are followed at once.
    """
    groups = [("members", Passages.of(members, cut)), ("held", Passages.of(held, cut))]
    if not groups[0][1].persons:
        return NotRun(NAME, f"no member has a row of {cut.length} tokens: ask for shorter passages")
    figures: list[Figure] = []
    for name, passages in groups:
        figures += _figures(name, passages, found_near(network, passages.rows, cut, scheme, width))
    edits = int(NEAR * cut.suffix)
    return Finding(
        attack=NAME,
        asks="Of how many people does the model add the rest of a row to its beginning, nearly word for word?",
        stands_for="regurgitation",
        needs="probabilities",
        figures=figures,
        said=(
            f"{cut.said()}; at most {edits} edits of {cut.suffix} tokens, {width} beams, temperature "
            f"{scheme.temperature:g}, the {scheme.top_k:,} likeliest tokens. The shares at n queries are lower bounds: "
            "what no beam reaches is not counted. People held out are what common words give without memory."
        ),
    )


@dataclass(frozen=True, eq=False)
class Near:
    """What the beams of each passage came to, n of them."""

    chances: Numbers
    """Log-probability that one query gives something near, at least, shape (n,)."""
    near: npt.NDArray[np.bool_]
    """Whether a beam is near, shape (n,)."""
    run: npt.NDArray[np.bool_]
    """Whether a beam has a long run of tokens in common with the end, shape (n,)."""


def found_near(
    network: Any,  # noqa: ANN401  # a transformers model
    rows: Ints,
    cut: Cut,
    scheme: Scheme,
    width: int,
) -> Near:
    """What a beam search finds near the ends of passages.

    Args:
        network: that drops nothing.
        rows: token ids, shape (n, length).
        cut: where they are cut.
        scheme: how tokens are drawn.
        width: ends that are followed at once.
    """
    ends = rows[:, None, cut.prefix :]
    ids, chances = beams(network, rows[:, : cut.prefix], cut.suffix, width, scheme)
    verbatim, _ = suffix_chances(network, rows, cut.prefix, scheme)
    drawn = np.isfinite(chances)
    near = (edits(ids, ends) <= NEAR * cut.suffix) & drawn
    missed = ~((ids == ends).all(axis=-1) & drawn).any(axis=1)
    total = np.where(near, np.exp(chances), 0.0).sum(axis=1) + np.where(missed, np.exp(verbatim), 0.0)
    with np.errstate(divide="ignore"):  # nothing near has log 0
        bound = np.log(total)
    run = (common_run(ids, ends) >= RUN * cut.suffix) & drawn
    return Near(np.maximum(bound, verbatim), np.asarray(near.any(axis=1)), np.asarray(run.any(axis=1)))


def edits(ids: Ints, ends: Ints) -> Ints:
    """The edit distance of ends of one length (Levenshtein 1966), shape (...).

    Args:
        ids: shape (..., l).
        ends: likewise, or of a shape that stretches to it.
    """
    ids, ends = np.broadcast_arrays(ids, ends)
    size = ids.shape[-1]
    steps = np.arange(size + 1)
    line = np.broadcast_to(steps, (*ids.shape[:-1], size + 1))
    for at in range(size):
        changed = line[..., :-1] + (ids[..., at, None] != ends)
        new = np.concatenate([line[..., :1] + 1, np.minimum(changed, line[..., 1:] + 1)], axis=-1)
        line = np.minimum.accumulate(new - steps, axis=-1) + steps  # what stands before it, and one more each
    return np.asarray(line[..., -1], np.int64)


def common_run(ids: Ints, ends: Ints) -> Ints:
    """The longest run of tokens that both have, wherever it stands, shape (...); arguments as of :func:`edits`."""
    ids, ends = np.broadcast_arrays(ids, ends)
    size = ids.shape[-1]
    line = np.zeros((*ids.shape[:-1], size + 1), np.int64)
    longest = np.zeros(ids.shape[:-1], np.int64)
    for at in range(size):
        same = ids[..., at, None] == ends
        line = np.concatenate([line[..., :1] * 0, np.where(same, line[..., :-1] + 1, 0)], axis=-1)
        longest = np.maximum(longest, line.max(axis=-1))
    return longest


def _figures(name: str, passages: Passages, found: Near) -> list[Figure]:
    hits = {f"n{queries}_p{_CHANCE:g}": extractable(found.chances, queries, _CHANCE) for queries in _QUERIES}
    hits |= {"beam_near": found.near, "beam_run": found.run}
    figures = []
    for each, hit in hits.items():
        value, interval = share(passages.any(hit))
        figures.append(Figure(f"{name}_{each}", value, "share", passages.persons, "persons", interval, passages.note()))
    return figures
