"""How much of withheld people may be left in a version: a sample of its rows, read again with every uncertain find.

Invariants: what counts is anything of which the finder is sure with a score of 1 or more, however far below what the
policy masks from; so a count is of what *may* be left, and mostly of what means somebody else. The interval is exact
(Clopper and Pearson 1934, 95 %). It holds for what demur can see, and for nothing else: names that are known, in the
forms that it makes of them, and words whose fingerprints are kept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, exp, lgamma, log
from random import Random
from typing import Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.session import Session
from demur.errors import UsageError
from demur.kernel.evidence import writing_of
from demur.kernel.rules import Rules
from demur.kernel.schema import ROW
from demur.kernel.wording import Pages, Wording, read
from demur.people.finds import Tier
from demur.versions.states import manifest_of, published

LEAST_SCORE: Final = 1
PICTURE: Final = "picture"
"""A description of a picture that may name somebody: its find has no place in the text, and no tier."""
ANY: Final = "any"
TIERS: Final = (*(tier.name.lower() for tier in Tier), PICTURE, ANY)
_BATCH: Final = 4_096
_TAIL: Final = 0.025
_HALVINGS: Final = 60

ASSUMED: Final = (
    "The rows were drawn at random. Counted is whatever may mean somebody withheld, however unlikely: most of it means "
    "somebody else. Not counted is what demur can't see: names that nobody declared and nothing told, forms that it "
    "does not make of them, and words without a fingerprint."
)
"""What the figures rest on, for whoever reads them."""


@dataclass(frozen=True)
class Left:
    """The rows of one tier."""

    tier: str
    """A people.finds.Tier in lower case, :data:`PICTURE` or :data:`ANY`."""
    rows: int
    """Of the sample: rows that may hold something of somebody withheld."""
    sure: int
    """Of these: rows in which the policy of today masks it; 0 in a version that is not stale."""
    low: float
    """The share of the version's rows, at least (95 %); the share itself, where every row was read."""
    high: float
    """And at most."""


@dataclass(frozen=True)
class Residual:
    """What a sample of a version says."""

    name: str
    sampled: int
    of: int
    """Rows of the version."""
    seed: int
    newer: bool
    """Whether the register has binding entries since the version was published: what they withhold counts, too."""
    left: tuple[Left, ...]
    """By tier, all tiers, and any of them last."""

    def at_most(self, left: Left) -> int:
        """Rows of the version, at most (95 %)."""
        return min(self.of, ceil(left.high * self.of))


def residual(session: Session, name: str, sample: int, seed: int) -> Residual:
    """Read a random sample of a version again.

    Args:
        session: reading is enough.
        name: of the version.
        sample: how many rows; all, where it has fewer.
        seed: which rows: the same seed draws the same.

    Raises:
        UsageError: when there is no such version, it was retired, or no row is asked for.
    """
    if sample < 1:
        raise UsageError(f"A sample of {sample} rows tells nothing: ask for at least 1.")
    published(session.register, name)
    version = Corpus.open(session.workspace.corpus_place, name)
    rules, binding = session.rules()
    of = version.count()
    loose = doubting(rules, binding, session)
    places = sorted(Random(seed).sample(range(of), min(sample, of)))  # noqa: S311  # a sample that can be drawn again
    may, sure = Counter[str](), Counter[str]()
    for rows in _taken(version, places):
        context = session.threads(rules).context(writing_of(rows).thread)
        may.update(_by_tier(read(Pages(rows, loose), context)))
        sure.update(_by_tier(read(Pages(rows, rules), context)))
    left = tuple(Left(tier, may[tier], sure[tier], *_share(may[tier], len(places), of)) for tier in TIERS)
    newer = binding > manifest_of(session, name).checkpoint.binding
    return Residual(name, len(places), of, seed, newer, left)


def doubting(rules: Rules, binding: int, session: Session) -> Rules:
    """The rules, but that everything counts that may mean somebody."""
    every = {"names": "mask", "names_from": LEAST_SCORE, "copies": "mask", "copies_from": LEAST_SCORE}
    others = rules.policy.others.model_copy(update=every)
    return session.worded(replace(rules, policy=rules.policy.model_copy(update={"others": others})), binding)


def _share(hits: int, sampled: int, of: int) -> tuple[float, float]:
    """The share of a version's rows, at least and at most: known where every row was read."""
    return (hits / of, hits / of) if sampled == of > 0 else exact_interval(hits, sampled)


def exact_interval(hits: int, of: int) -> tuple[float, float]:
    """The interval of 95 % of a share of which ``hits`` of ``of`` were seen (Clopper and Pearson); 0 and 1 of none."""
    if not of:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else 1 - _solved(of - hits, of)
    return low, 1.0 if hits == of else _solved(hits, of)


def _solved(hits: int, of: int) -> float:
    """The share under which so few hits or fewer come with the probability of one tail."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        low, high = (share, high) if _at_most(hits, of, share) > _TAIL else (low, share)
    return high


def _at_most(hits: int, of: int, share: float) -> float:
    """The probability of at most so many hits."""
    whole, part, rest = lgamma(of + 1), log(share), log(1 - share)
    return sum(exp(whole - lgamma(k + 1) - lgamma(of - k + 1) + k * part + (of - k) * rest) for k in range(hits + 1))


def _taken(version: Corpus, places: list[int]) -> Iterator[pa.RecordBatch]:
    """The rows at some places of a version, of schema.ROW."""
    for start in range(0, len(places), _BATCH):
        taken = version.dataset.take(places[start : start + _BATCH], columns=ROW.names).combine_chunks()
        yield from (pa.RecordBatch.from_arrays(batch.columns, schema=ROW) for batch in taken.to_batches())


def _by_tier(wording: Wording) -> dict[str, int]:
    """How many rows have something of each tier."""
    finds = wording.finds
    rows = {tier.name.lower(): len(np.unique(finds.row[finds.tier == tier])) for tier in Tier}
    return rows | {PICTURE: int(wording.shows.sum()), ANY: len(wording.rows)}
