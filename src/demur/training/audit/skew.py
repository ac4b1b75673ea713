"""What a model makes of the people who stay, by language: the loss on rows of people whom it was never trained on.

Invariants: the unit is the person, and intervals are over persons; a language is the tag that the source gave; one with
fewer than ten people has neither a value nor a name.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.kernel.cells import languages
from demur.training.audit.figure import Figure, Finding
from demur.versions.few import FEWEST

DRAWS: Final = 1_000
_BOUNDS: Final = (2.5, 97.5)
_UNIT: Final = "nats a token"
_FEW: Final = f"Of fewer than {FEWEST} persons: not told."

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def loss_by_language(
    loss: Floats, tokens: Ints, persons: Ints, tags: Sequence[str | None], *, seed: int = 0, draws: int = DRAWS
) -> Finding:
    """The loss on rows of held-out people, for each token, by language; of people who did not object alone.

    Args:
        loss: summed over the tokens of each row, in nats; shape (rows,).
        tokens: of each row that are scored; shape (rows,).
        persons: the person whose row each is; shape (rows,).
        tags: the language of each row, BCP 47, as its source gave it; shape (rows,).
        seed: of the bootstrap.
        draws: how many.
    """
    names = np.array(languages(pa.array(list(tags), pa.string())).to_pylist(), object)
    every = [_figure("all languages", loss, tokens, persons, seed, draws)]
    found = [*every, *_by_language(names, loss, tokens, persons, seed, draws)]
    return Finding(
        attack="skew by language",
        asks="Does the model know some languages of those who stay worse than others?",
        stands_for="",
        needs="probabilities of the model",
        figures=found,
        said="A difference between languages has many causes: how much of each there was, and what it is about.",
    )


def _by_language(
    names: npt.NDArray[np.object_], loss: Floats, tokens: Ints, persons: Ints, seed: int, draws: int
) -> Iterator[Figure]:
    """A figure for each language of enough people, the one of most first; and one for all others."""
    people = {str(name): len(np.unique(persons[names == name])) for name in set(names.tolist())}
    many = [name for name in people if people[name] >= FEWEST]
    for name in sorted(many, key=lambda each: (-people[each], each)):
        at = names == name
        yield _figure(name or "unknown", loss[at], tokens[at], persons[at], seed, draws)
    if len(many) < len(people):
        yield Figure("other languages", None, _UNIT, 0, "persons", note=f"Each of them: {_FEW[0].lower()}{_FEW[1:]}")


def _figure(name: str, loss: Floats, tokens: Ints, persons: Ints, seed: int, draws: int) -> Figure:
    """The loss for each token, with an interval over persons."""
    who, of = np.unique(persons, return_inverse=True)
    if len(who) < FEWEST:
        return Figure(name, None, _UNIT, 0, "persons", note=_FEW)
    nats, counted = np.bincount(of, loss), np.bincount(of, tokens)
    if not counted.sum():
        return Figure(name, None, _UNIT, len(who), "persons", note="None of their rows has a token that is scored.")
    drawn = np.random.default_rng(seed).integers(0, len(who), (draws, len(who)))
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanpercentile(nats[drawn].sum(axis=1) / counted[drawn].sum(axis=1), _BOUNDS)
    return Figure(name, float(nats.sum() / counted.sum()), _UNIT, len(who), "persons", (float(low), float(high)))
