"""Membership inference: what each attack finds, from what the models read.

The primary score is the loss minus the base's. It was chosen before any model was audited; whoever takes the best of
several attacks has to know that the best of several is higher than each.

Invariants: pure functions of arrays and a seed, without a model; every AUC and rate has its interval over persons, or
says why it has none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.training.audit import scores
from demur.training.audit.blind import Words, words_figure
from demur.training.audit.figure import Figure, Finding
from demur.training.audit.scores import Owners, Read
from demur.training.audit.statistics import FEWEST, Floats, Scores, auc_figure, figures, roc, wins

Bools = npt.NDArray[np.bool_]

MEMBERSHIP: Final = "membership inference"
_GUESSING: Final = 0.5
"""AUC of who tells nothing."""
_PARTS: Final = 10
_SHUFFLES: Final = 200
_THIRDS: Final = ("first", "middle", "last")
_OUTPUTS: Final = "the probability that the model gives to each token"


@dataclass(frozen=True, eq=False)
class Seen:
    """Who is audited: p people, as scores need them."""

    held: Bools
    """Who is held out, shape (p,)."""
    owners: Owners
    """Who wrote each predicted token."""
    size: npt.NDArray[np.int64]
    """Tokens that each wrote in all, shape (p,)."""
    position: Floats
    """Half of a member's rows stand before this share of the steps; NaN of those held out; shape (p,)."""
    seed: int
    """Of draws."""

    def parted(self, found: Floats, members: Bools | None = None) -> Scores:
        """Scores of people as those of members, or some of them, and of those held out."""
        return Scores(found[~self.held if members is None else members], found[self.held])

    def loss(self, model: Read) -> Floats:
        """See :func:`demur.training.audit.scores.loss`."""
        return scores.loss(model, self.owners, len(self.held))

    def against(self, model: Read, other: Read) -> Floats:
        """See :func:`demur.training.audit.scores.against`."""
        return scores.against(model, other, self.owners, len(self.held))


@dataclass(frozen=True, eq=False)
class Reference:
    """A model that was trained on some of the people."""

    model: Read
    passed_over: Bools
    """Whom it is no reference for: those it has seen, and as large a share of those held out; shape (p,)."""


def blind(seen: Seen, words: Words) -> Finding:
    """Whether the two groups differ without any model."""
    bag = words_figure(words, seen.seed)
    size = auc_figure(seen.parted(np.log(seen.size)), seen.seed, "auc_size", "by the number of tokens alone")
    biased = [each.name for each in (bag, size) if each.interval and not _holds(each.interval, _GUESSING)]
    return Finding(
        "blind",
        "Can members be told from those held out by what they wrote alone, without any model?",
        "",
        "no model: the words of people, and who was in the model for most of them",
        [bag, size],
        said=_biased(biased)
        if biased or (bag.interval and size.interval)
        else "Too few persons: whether the groups differ is open.",
    )


def _holds(interval: tuple[float, float], value: float) -> bool:
    return interval[0] <= value <= interval[1]


def _biased(names: Sequence[str]) -> str:
    if not names:
        return "Both intervals hold .5: nothing speaks against comparing the two groups."
    return (
        f"The interval of {' and of '.join(names)} leaves out .5: the two groups differ in more than that one was "
        "trained on, or this is one of the honest splits of which one in twenty looks so. The figures of the attacks "
        "may owe as much to that: read them beside this one, or train with another key."
    )


def attacks(seen: Seen, model: Read, base: Read) -> Iterator[Finding]:
    """The attacks that need the model and its base."""
    people = len(seen.held)
    yield _attack(
        "loss",
        "Is what members wrote more probable to the model than what others wrote?",
        f"{_OUTPUTS} (Yeom 2018)",
        seen.parted(seen.loss(model)),
        seen.seed,
    )
    yield _attack(
        "reference",
        "Has what members wrote become more probable than it was to the base, which never saw anybody?",
        f"{_OUTPUTS}, and the base's (Carlini 2021); the primary score",
        seen.parted(seen.against(model, base)),
        seen.seed,
    )
    yield _attack(
        "ez-mia",
        "Where the model is wrong, does it lean to what members wrote more often than away from it?",
        f"{_OUTPUTS}, the likeliest token, and the base's (EZ-MIA, arXiv 2601.12104, over all tokens of a person)",
        seen.parted(scores.error_zone(model, base, seen.owners, people)),
        seen.seed,
    )


def robust(seen: Seen, model: Read, references: Sequence[Reference]) -> Finding:
    """RMIA, with models that were trained on other people."""
    logs = [np.where(each.passed_over, np.nan, seen.loss(each.model)) for each in references]
    found = scores.robust(seen.loss(model), logs, seen.held)
    return _attack(
        "rmia",
        "Is what members wrote more probable than to models trained on other people of the same community?",
        f"{_OUTPUTS}, and {len(references)} models trained on other people (RMIA, arXiv 2312.03262, offline, a = 1, "
        "gamma = 1)",
        seen.parted(found),
        seen.seed,
    )


def rounded(seen: Seen, model: Read, base: Read) -> Finding:
    """The primary score, once weights have eight bits."""
    return _attack(
        "quantised",
        "Does the reference attack still work when each weight is rounded to eight bits?",
        "the rounded model's probabilities, and the base's; rounded by the row of a matrix, arithmetic as before",
        seen.parted(seen.against(model, base)),
        seen.seed,
    )


def position(seen: Seen, model: Read, base: Read) -> Finding:
    """The primary score by where people stand in the order, and by how much they wrote."""
    found = seen.against(model, base)
    thirds = np.array_split(_by_position(seen), len(_THIRDS))
    told = [
        auc_figure(seen.parted(found).of(third), seen.seed, f"auc_{name}_third", "by the place of half of their rows")
        for name, third in zip(_THIRDS, thirds, strict=True)
        if len(third)
    ]
    return Finding(
        "position",
        "Whose membership shows most: by their place in the order of training, and by how much they wrote?",
        MEMBERSHIP,
        f"{_OUTPUTS}, and the base's, as for the reference attack",
        [*told, *_worst_tenth(seen, found), *_by_size(seen, found)],
        said="Whoever stands last is whom the model has seen last, and mostly wrote little: the two go together.",
    )


def _by_position(seen: Seen) -> npt.NDArray[np.int64]:
    """The numbers of members, by their place in the order."""
    return np.argsort(seen.position[~seen.held], kind="stable")


def _worst_tenth(seen: Seen, found: Floats) -> Iterator[Figure]:
    """The tenth of members by place whose AUC is highest, and what the highest of ten is by chance."""
    parted, order = seen.parted(found), _by_position(seen)
    if len(order) < _PARTS:
        return
    won, random = wins(parted), np.random.default_rng(seen.seed)
    tenths = np.array_split(order, _PARTS)
    worst = int(np.argmax([won[each].mean() for each in tenths]))
    chance = np.mean([_highest(random.permutation(won)) for _ in range(_SHUFFLES)])
    note = (
        f"tenth {worst + 1} of {_PARTS} by place, the highest of them; if places made no difference, the highest would "
        f"be {chance:.3f}; the interval is of this tenth, as if it had not been picked"
    )
    yield auc_figure(parted.of(tenths[worst]), seen.seed, "auc_worst_tenth", note)


def _highest(won: Floats) -> float:
    return float(max(part.mean() for part in np.array_split(won, _PARTS)))


def _by_size(seen: Seen, found: Floats) -> Iterator[Figure]:
    """Members and held out of like sizes against each other, each class with as many held out."""
    parts = max(1, min(_PARTS, int(seen.held.sum()) // FEWEST))
    ends = np.quantile(seen.size[seen.held], np.arange(1, parts) / parts)
    cut = np.searchsorted(ends, seen.size, "right")
    for each in range(parts):
        here = cut == each
        name = f"auc_size_{each + 1}_of_{parts}"
        members, held = here & ~seen.held, here & seen.held
        if not (members.any() and held.any()):
            yield Figure(name, None, "AUC", int(here.sum()), "persons", None, "one of the groups has nobody so large")
            continue
        note = f"{seen.size[here].min():,} to {seen.size[here].max():,} tokens a person, on both sides"
        yield auc_figure(Scores(found[members], found[held]), seen.seed, name, note)


def without(seen: Seen, out: Bools, before: Read, after: Read, base: Read) -> Iterator[Finding]:
    """Members as if they had objected: what shows before, after, and to whoever holds both models.

    Args:
        seen: who is audited.
        out: the members who were taken out, shape (p,).
        before: what the audited model says.
        after: what the model says that was trained again without them.
        base: what the base says.
    """
    was, now = (seen.parted(seen.against(each, base), out) for each in (before, after))
    note = "near .5 it is a sanity check, and proves nothing: what a replay took out is what its certificate says"
    yield Finding(
        "objectors",
        "What shows of members, as if they objected: while they are in the model, and in one trained again without?",
        MEMBERSHIP,
        f"{_OUTPUTS}, and the base's, as for the reference attack",
        [auc_figure(was, seen.seed, "auc_before"), auc_figure(now, seen.seed, "auc_after", note)],
        said=(
            "Drawn at random from members who did not object; what a real objector wrote is not kept to be audited. "
            "Rows that name them stay, as they stay, masked, after an objection."
        ),
    )
    yield _attack(
        "version-diff",
        "Can whoever holds the model from before and the one from after tell who was taken out?",
        "the probabilities of both models",
        seen.parted(seen.against(before, after), out),
        seen.seed,
        "Only a hand that never gets both helps against this: gather objections, and don't hand out what is replaced.",
    )


def _attack(attack: str, asks: str, needs: str, found: Scores, seed: int, said: str = "") -> Finding:
    return Finding(attack, asks, MEMBERSHIP, needs, figures(found, seed), [roc(found)], said)
