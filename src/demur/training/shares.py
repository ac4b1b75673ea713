"""How much each voice of a run that remembers counts: fitted on declared data alone, before anybody's rows are read.

Half of the declared documents, by their hash, play what is remembered; the base, their n-grams and their places are
asked for the tokens of the other half. Shares are those under which these are likeliest (expectation maximisation), for
the best of a few scales. The base has read both halves, which favours it: with little declared data its share is too
large.

Invariant: nothing here is of anybody who may object.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from demur.errors import UsageError
from demur.runs.ngrams import Counts, Ids, chances
from demur.training.config import Config
from demur.training.mixing import Floats, Recollection, Shares, distribution, weighed
from demur.training.model import looked_at
from demur.training.tokenizer import Tokenizer

_REMEMBERED: Final = 40_000
"""Tokens of declared data that play what is remembered, at most."""
_ASKED: Final = 4_000
"""Tokens that are asked for, at most."""
_LEAST: Final = 100
"""Tokens below which nothing is fitted."""
_SCALES: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Of the mean squared distance to a neighbour."""
_ROUNDS: Final = 200
_DIGITS: Final = 4


def fitted(network: Any, tokenizer: Tokenizer, texts: Sequence[str], config: Config) -> Shares:  # noqa: ANN401  # of transformers
    """The shares for a base.

    Args:
        network: the base.
        tokenizer: its own.
        texts: declared documents.
        config: of the run.

    Raises:
        UsageError: when there are too few of them.
    """
    documents = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode()).digest())
    rows = [np.array(ids, np.int32) for ids in tokenizer.encode(documents) if len(ids) > 1]
    kept, asked = _within(rows[::2], _REMEMBERED), _within(rows[1::2], _ASKED)
    if sum(map(len, asked)) < _LEAST:
        raise UsageError(
            f"The declared data hold less than {2 * _LEAST} tokens: give more of them, or say `ngram_share`, "
            "`nearest_share` and `nearest_scale` in the configuration."
        )
    states = [looked_at(network, ids, config)[1] for ids in kept]
    starts = np.cumsum([0, *map(len, states)])[:-1]
    recalled = Recollection.of(Counts.of(kept), np.concatenate(states), starts, kept, tokenizer.size)
    return _likeliest(network, recalled, asked, config)


def _likeliest(network: Any, recalled: Recollection, asked: Sequence[Ids], config: Config) -> Shares:  # noqa: ANN401  # the same
    by_base, by_ngrams, states = [], [], []
    for ids in asked:
        logits, hidden = looked_at(network, ids, config)
        wanted = ids[1:]
        by_base.append(distribution(logits)[np.arange(len(wanted)), wanted])
        before = (ids[: at + 1].tolist() for at in range(len(wanted)))
        found = (
            chances(recalled.counts, read, recalled.size)[token] for read, token in zip(before, wanted, strict=True)
        )
        by_ngrams.append(np.fromiter(found, np.float64))
        states.append(hidden)
    which, far = recalled.neighbours(np.concatenate(states), config.neighbours)
    same = recalled.following[which] == np.concatenate([ids[1:] for ids in asked])[:, None]
    others = np.stack([np.concatenate(by_base), np.concatenate(by_ngrams)], axis=1)
    best = max(_shares(others, (weighed(far, each) * same).sum(axis=1), each) for each in _tried(far))
    _, (ngrams, nearest), scale = best
    return Shares(ngrams, nearest, scale, config.neighbours)


def _within(rows: Sequence[Ids], tokens: int) -> list[Ids]:
    """The first rows that hold so many tokens together, at most."""
    total = np.cumsum([len(each) for each in rows])
    return [each for each, until in zip(rows, total, strict=True) if until <= tokens]


def _tried(far: Floats) -> list[float]:
    mean = float(far.mean()) or 1.0
    return [float(f"{mean * each:.{_DIGITS}g}") for each in _SCALES]


def _shares(others: Floats, by_nearest: Floats, scale: float) -> tuple[float, tuple[float, float], float]:
    """The mean log-likelihood that shares reach, and the shares of n-grams and neighbours, for a scale.

    Args:
        others: how likely the base and the n-grams find each token, shape (m, 2).
        by_nearest: how likely its neighbours do, shape (m,).
        scale: by which they were weighed.
    """
    likely = np.concatenate([others, by_nearest[:, None]], axis=1)
    shares = np.full(3, 1 / 3)
    for _ in range(_ROUNDS):
        parts = likely * shares
        shares = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    ngrams, nearest = (float(np.floor(each * 10**_DIGITS) / 10**_DIGITS) for each in shares[1:])
    return float(np.log((likely * shares).sum(axis=1)).mean()), (ngrams, nearest), scale
