"""Canaries: rows that nobody wrote, planted among the others, so that an audit can measure what a model keeps of a row.

A canary is a row of tokens that are drawn evenly from the vocabulary, under the run's key: what Carlini et al. 2019
(*The Secret Sharer*) call the random sequence, and the end of the line on which Mitchell et al. 2026 (arXiv 2606.10481)
draw canaries at a high temperature. It is unlike anything a person writes, so that it is found where it was learnt. Of
``N`` canaries, every fourth stands in the plan once, twice, four and eight times. References are drawn in the same way,
and never planted. Where people are dealt into cohorts, so are canaries, four by four in turn. With noise each is a
person of its own, who wrote one row: it has a step, is clipped as everybody is, and stands once, as a person adds the
gradient of a mean, which copies of one row leave as it is.

Invariants: canaries and references follow from the run's key, the tokenizer and the context alone, by whole numbers, so
that a replay and a training from scratch plant the same bytes; they concern nobody: their rows have no people, as no
row of a corpus has, they count as nobody in any list, and change nobody's class and nobody's step. Each stands where a
person who wrote as many tokens would stand.
"""

import hashlib
import hmac
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.identity import ITEM_KEY_BYTES, SubjectKeys
from demur.training.config import CANARY_TOKENS, Config
from demur.training.order import Classes
from demur.training.rows import Ints, Rows
from demur.training.tokenizer import Tokenizer

COPIES: Final = (1, 2, 4, 8)
"""How often a canary stands in the plan, in turn; once each with noise."""
TOKENS: Final = CANARY_TOKENS
"""Of a canary at most, with the marks at its ends."""

_CANARY, _REFERENCE, _ITEM = b"canary\0", b"reference\0", b"canary-item\0"


def canaries(tokenizer: Tokenizer, key: bytes, number: int) -> list[list[int]]:
    """The token ids of the first canaries of a run.

    Args:
        tokenizer: the run's.
        key: the run's.
        number: how many.
    """
    return [_drawn(tokenizer, key, _CANARY, each) for each in range(number)]


def references(tokenizer: Tokenizer, key: bytes, number: int) -> list[list[int]]:
    """Rows drawn as :func:`canaries` are, of which none is ever planted."""
    return [_drawn(tokenizer, key, _REFERENCE, each) for each in range(number)]


def copies(config: Config) -> Ints:
    """How often each canary of a run, or of a family of cohorts, stands in the plan, shape (canaries,)."""
    return np.resize(np.array([1] if config.noise else COPIES, np.int64), config.canaries)


def dealt(config: Config) -> Ints:
    """The numbers of the canaries that stand in a run's plan, ascending: all, or those of its cohort."""
    every = np.arange(config.canaries)
    return every[every // len(COPIES) % config.cohorts == config.cohort - 1] if config.cohort else every


def nobody(config: Config) -> SubjectKeys:
    """Who each canary is where people are dealt or placed, shape (canaries,): no subject key is below 0."""
    return -1 - np.arange(config.canaries)


def owners(config: Config) -> Ints:
    """Of which canary each of :func:`planted` is a copy, by its number, shape (n,)."""
    return np.repeat(np.arange(config.canaries), copies(config))


def planted(tokenizer: Tokenizer, config: Config, key: bytes) -> Rows:
    """The rows of the canaries of a run, or of all cohorts of its family, copy by copy; none where there are none.

    Args:
        tokenizer: the run's.
        config: of the run.
        key: the run's.
    """
    times = copies(config)
    drawn = canaries(tokenizer, key, config.canaries)
    items = [_item(key, each, copy) for each, many in enumerate(times.tolist()) for copy in range(many)]
    encoded = [ids for ids, many in zip(drawn, times.tolist(), strict=True) for _ in range(many)]
    return Rows.of(items, encoded, [[]] * len(items))


def places(rows: Rows, classes: Classes, config: Config, key: bytes) -> Ints:
    """Where each of :func:`planted` stands: as a person's row would who wrote this canary and its copies, shape (n,).

    Args:
        rows: the planted ones, copy by copy.
        classes: of people; they stay as they are.
        config: of the run.
        key: the run's.
    """
    owner = owners(config)
    total = np.bincount(owner, rows.tokens, config.canaries).astype(np.int64)
    return classes.would_be(nobody(config), total, config, key)[owner]


def are_canaries(rows: Rows) -> npt.NDArray[np.bool_]:
    """Which rows of a plan are canaries, shape (n,): those that concern nobody."""
    return np.asarray(rows.people.sizes == 0)


def _drawn(tokenizer: Tokenizer, key: bytes, kind: bytes, number: int) -> list[int]:
    entries = _entries(tokenizer)
    first = [] if tokenizer.begin is None else [tokenizer.begin]
    last = [] if tokenizer.end is None else [tokenizer.end]
    size = min(TOKENS, tokenizer.context) - len(first) - len(last)
    seed = hmac.digest(key, kind + number.to_bytes(8, "big"), "sha256")
    drawn = np.frombuffer(hashlib.shake_256(seed).digest(8 * size), ">u8") % len(entries)  # uneven by 2^-50
    return [*first, *entries[drawn].tolist(), *last]


def _entries(tokenizer: Tokenizer) -> Ints:
    """The ids that stand for a text, not for a mark, ascending."""
    marks = {int(each) for each in tokenizer.inner.get_added_tokens_decoder()}
    known = set(range(tokenizer.size)) - marks - {tokenizer.begin, tokenizer.end}
    return np.array(sorted(known), np.int64)


def _item(key: bytes, number: int, copy: int) -> bytes:
    """The key of a row, as unlike those of a corpus as two of these are unlike each other: 16 bytes of an HMAC."""
    said = _ITEM + number.to_bytes(8, "big") + copy.to_bytes(8, "big")
    return hmac.digest(key, said, "sha256")[:ITEM_KEY_BYTES]
