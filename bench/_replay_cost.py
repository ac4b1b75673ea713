"""What a replay costs, from the layout alone: which share of the personal phase is trained again when people object.

Counted are the tokens from the first step that differs to the end. For every layout the same rows of the same people
are laid out by demur's own modules; only the place of a row is another one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from _irc_rows import Irc
from demur.training.config import Config, Hazard
from demur.training.filling import Plan
from demur.training.order import Classes, in_order, keyed, packed, rates, row_places, tokens_of
from demur.training.rows import Ints
from demur.training.spacing import checkpoint_steps

Floats = npt.NDArray[np.float64]
KEY: Final = bytes(range(32))
DRAWS: Final = 1000
"""Batches of objections that are drawn."""
RESAMPLES: Final = 400
"""Of a bootstrap."""


def hazard_table(power: float) -> tuple[Hazard, ...]:
    """A hazard in proportion to a power of the tokens, in lines of a factor of about 1.2."""
    if not power:
        return (Hazard(),)
    starts = sorted({0, *(round(2 ** (at / 4)) for at in range(80))})
    return tuple(Hazard(each, max(each, 1) ** power) for each in starts)


HAZARDS: Final = {"alike": 0.0, "root of tokens": 0.5, "tokens": 1.0}
"""How likely people are to object, as a power of their tokens."""


class Figure(NamedTuple):
    """A number with its interval of 95 %."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Layout:
    """Rows in an order, and what objections to them cost."""

    before: Floats
    """For each author, the share of the tokens before the first step that differs without them, shape (people,)."""
    clean: Floats
    """The same to the newest checkpoint before that step."""
    named: Floats
    """The same to the first step in which a row names them, masked or not, or is theirs."""
    weight: Floats
    """Of each author: their hazard, summing up to 1."""

    def mean(self) -> Figure:
        """For one person; the interval is a bootstrap over people."""
        cost = 1 - self.before
        drawn = np.random.default_rng(1).integers(0, len(cost), (RESAMPLES, len(cost)), dtype=np.int32)
        weights = self.weight[drawn]
        means = (cost[drawn] * weights).sum(axis=1) / weights.sum(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        return Figure(float((cost * self.weight).sum()), float(low), float(high))

    def named_mean(self) -> float:
        """For one person, if rows in which they are a masked mention had to be trained again, too."""
        return float(((1 - self.named) * self.weight).sum())

    def quantile(self, share: float) -> float:
        """Of the people by hazard, so many cost at most this."""
        cost = 1 - self.before
        order = np.argsort(cost)
        at = int(np.searchsorted(np.cumsum(self.weight[order]), share))
        return float(cost[order[min(at, len(order) - 1)]])

    def checkpoints_add(self) -> float:
        """What is trained again besides, as there is not a checkpoint before every step."""
        return float(((self.before - self.clean) * self.weight).sum())

    def together(self, people: int) -> Figure:
        """For so many people at once, of the phase; the interval is over the batches that were drawn."""
        drawn = np.random.default_rng(people)
        found: list[float] = []
        for _ in range(DRAWS // 100):
            race = np.log(self.weight) + drawn.gumbel(size=(100, len(self.weight)))
            chosen = np.argpartition(-race, people, axis=1)[:, :people]
            found += (1 - self.before[chosen].min(axis=1)).tolist()
        half = 1.96 * float(np.std(found)) / len(found) ** 0.5
        mean = float(np.mean(found))
        return Figure(mean, mean - half, mean + half)


Places = Callable[[Irc, Config, bytes], Ints]
"""The place of each row."""


def at_random(irc: Irc, _config: Config, _key: bytes) -> Ints:
    """Every row by its keyed hash."""
    return np.zeros(len(irc.author), np.int64)


def together(irc: Irc, _config: Config, key: bytes) -> Ints:
    """The rows of an author together, authors by a keyed hash."""
    persons, index = np.unique(irc.author, return_inverse=True)
    high = keyed(key, b"together\0", packed(persons))[:, 0]
    return np.argsort(np.argsort(high))[index]


def newest_last(irc: Irc, _config: Config, _key: bytes) -> Ints:
    """The rows of an author together, authors by their first row."""
    persons, index = np.unique(irc.author, return_inverse=True)
    first = np.full(len(persons), np.iinfo(np.int64).max)
    np.minimum.at(first, index, irc.created)
    return np.argsort(np.argsort(first, kind="stable"))[index]


def smith_to_the_letter(irc: Irc, config: Config, _key: bytes) -> Ints:
    """The rows of an author together, authors by hazard over tokens."""
    persons, index = np.unique(irc.author, return_inverse=True)
    own = np.bincount(index, irc.rows.tokens, len(persons)).astype(np.int64)
    return np.argsort(np.argsort(rates(own, config.hazard) / own, kind="stable"))[index]


def ours(irc: Irc, config: Config, key: bytes) -> Ints:
    """demur's: classes of a factor of two, mixed inside, a row in the class of the last of its people."""
    people = (irc.rows if config.mask_mentions else irc.open).people
    classes = Classes.first(*tokens_of(people, irc.rows.tokens), config, key)
    return row_places(people, classes.places(people.flat))


def ours_by_everybody(irc: Irc, config: Config, key: bytes) -> Ints:
    """The same, but somebody whose mention is masked counts, too: demur's until 2026-11-30."""
    people = irc.open.people
    classes = Classes.first(*tokens_of(people, irc.rows.tokens), config, key)
    return row_places(people, classes.places(people.flat))


def with_author(irc: Irc, config: Config, key: bytes) -> Ints:
    """The same, but a row stands in the class of its author, whoever is named in it."""
    people = irc.rows.people
    classes = Classes.first(*tokens_of(people, irc.rows.tokens), config, key)
    return classes.places(irc.author)


LAYOUTS: Final[dict[str, Places]] = {
    "random rows": at_random,
    "persons together, random": together,
    "newest author last": newest_last,
    "Smith to the letter": smith_to_the_letter,
    "demur's": ours,
    "demur's, masked mentions count": ours_by_everybody,
    "demur's, a row with its author": with_author,
}


def lay_out(irc: Irc, places: Places, config: Config, key: bytes = KEY) -> Layout:
    """The layout of rows, and what it costs when one of their authors objects.

    Args:
        irc: the rows; whether mentions are masked is the configuration's.
        places: how rows are placed.
        config: with the hazards, by which is laid out and by which people object.
        key: the run's.
    """
    rows = irc.rows if config.mask_mentions else irc.open
    place = places(irc, config, key)
    where = in_order(rows.item, place, key)
    plan = Plan.filled(rows.take(where), place[where], config.step_tokens)
    persons, own = tokens_of(plan.rows.people, plan.rows.tokens)
    authors = np.unique(irc.author)
    keys, steps = plan.rows.people.flat, plan.step[plan.rows.people.owner]
    first = np.full(len(persons), plan.steps)
    np.minimum.at(first, np.searchsorted(persons, keys), steps)
    first, own = first[np.searchsorted(persons, authors)], own[np.searchsorted(persons, authors)]
    begins = np.concatenate([[0], np.cumsum(np.bincount(plan.step, plan.rows.tokens, plan.steps))])
    marks = np.array([0, *checkpoint_steps(plan, config.hazard, config.checkpoints)])
    clean = marks[np.searchsorted(marks, first, side="right") - 1]
    weight = rates(own, config.hazard)
    everybody, total = irc.open.people.take(where), begins[-1]
    named = np.full(len(authors), plan.steps)
    where_known = np.minimum(np.searchsorted(authors, everybody.flat), len(authors) - 1)
    known = authors[where_known] == everybody.flat
    np.minimum.at(named, where_known[known], plan.step[everybody.owner][known])
    before, clean_before, named_before = (begins[each] / total for each in (first, clean, named))
    return Layout(before, clean_before, named_before, weight / weight.sum())


def even_spacing_adds(irc: Irc, config: Config, key: bytes = KEY) -> float:
    """What as many checkpoints at even distances add, in demur's layout."""
    layout = lay_out(irc, ours, config, key)
    marks = np.arange(config.checkpoints + 1) / (config.checkpoints + 1)
    clean = marks[np.searchsorted(marks, layout.before, side="right") - 1]
    return float(((layout.before - clean) * layout.weight).sum())


def misjudged(irc: Irc, config: Config, power: float, key: bytes = KEY) -> float:
    """The mean where rows are laid out for people who are alike, and hazard goes with a power of the tokens."""
    layout = lay_out(irc, ours, config, key)
    persons, index = np.unique(irc.author, return_inverse=True)
    own = np.bincount(index, irc.rows.tokens, len(persons))
    weight = own**power
    return float(((1 - layout.before) * weight).sum() / weight.sum())


def show(irc: Irc, config: Config, keys: Sequence[bytes]) -> None:
    """Print the figures of one set of rows."""
    persons = len(np.unique(irc.author))
    named = float((irc.open.people.sizes > 1).mean())
    print(
        f"{persons:,} people, {len(irc.author):,} rows, {int(irc.rows.tokens.sum()):,} tokens; {named:.0%} name others"
    )
    print("layout | hazard | mean | median | p90 | 32 checkpoints add | mean from the first row that names them")
    for name, places in LAYOUTS.items():
        for said, power in HAZARDS.items():
            layout = lay_out(irc, places, _with(config, power), keys[0])
            print(
                f"{name} | {said} | {layout.mean()} | {layout.quantile(0.5):.3f} | {layout.quantile(0.9):.3f} | "
                f"{layout.checkpoints_add():.4f} | {layout.named_mean():.3f}"
            )
    for name, places in LAYOUTS.items():
        layout = lay_out(irc, places, config, keys[0])
        many = [(people, layout.together(people)) for people in (8, 64)]
        print(name + "".join(f"; {people} at once: {each}, each {each.value / people:.4f}" for people, each in many))
    means = [lay_out(irc, ours, config, key).mean().value for key in keys]
    print(f"demur's, by {len(keys)} keys: {', '.join(f'{each:.4f}' for each in means)}")
    print(f"32 checkpoints at even distances add {even_spacing_adds(irc, config):.4f}")
    for said, power in list(HAZARDS.items())[1:]:
        print(f"laid out for people alike, hazard by {said}: mean {misjudged(irc, config, power):.3f}")
    for masked in (True, False):
        for name, places in (("by the last of its people", ours), ("by its author", with_author)):
            layout = lay_out(irc, places, replace(config, mask_mentions=masked), keys[0])
            said = "masked" if masked else "not masked"
            print(f"mentions {said}, a row stands {name}: mean {layout.mean()}, median {layout.quantile(0.5):.3f}")


def _with(config: Config, power: float) -> Config:
    return replace(config, hazard=hazard_table(power))
