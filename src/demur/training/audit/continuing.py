"""How a network goes on from given tokens: how likely with given others, with which beams, with which drawn texts.

Invariants: the network is only read; what is drawn follows from the seed; the likelihood of a token under a scheme is
that with which the scheme draws it, exactly: 0 for what the scheme never draws.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from demur.training.model import name_of_past
from demur.training.rows import Ints
from demur.training.tokenizer import Tokenizer

Numbers = npt.NDArray[np.float64]

_SCORES_AT_ONCE: Final = 1 << 23
"""Numbers of float32 that a network gives in one call, at most."""
_BEAMS_AT_ONCE: Final = 1 << 23
"""Numbers of float64 that are compared for the next token of beams, at most."""


@dataclass(frozen=True)
class Scheme:
    """How tokens are drawn."""

    temperature: float = 1.0
    """What scores are divided by; above 0."""
    top_k: int = 40
    """Only so many of the likeliest are drawn, of equal ones the first; 0 draws from all."""

    def log_chances(self, scores: npt.NDArray[np.floating[Any]]) -> Numbers:
        """The log-probability, in nats, with which each token is drawn; -inf for what never is.

        Args:
            scores: as a network gives them, shape (..., vocabulary).
        """
        ids, chances = self.drawn_from(scores)
        if chances.shape == scores.shape:
            return chances
        found = np.full(scores.shape, -np.inf)
        np.put_along_axis(found, ids, chances, axis=-1)
        return found

    def drawn_from(self, scores: npt.NDArray[np.floating[Any]]) -> tuple[Ints, Numbers]:
        """The tokens that may be drawn, ascending, and their log-probabilities, in nats; shape (..., k) both.

        Args:
            scores: as a network gives them, shape (..., vocabulary).
        """
        size = scores.shape[-1]
        k = min(self.top_k or size, size)
        ids = np.broadcast_to(np.arange(size), scores.shape)
        if k < size:
            ids = (np.flatnonzero(_likeliest(scores, k)) % size).reshape(*scores.shape[:-1], k)
            scores = np.take_along_axis(scores, ids, axis=-1)
        scaled = scores.astype(np.float64) / self.temperature
        scaled -= scaled.max(axis=-1, keepdims=True)
        return ids, np.asarray(scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True)), np.float64)


ALL: Final = Scheme(top_k=0)
"""The network's own distribution."""
LIKELIEST: Final = Scheme()
"""As papers on extraction draw: from the 40 likeliest (arXiv 2410.19482)."""


class Outputs(Protocol):
    """A model that goes on with a text: all that an attacker who may only ask has of it."""

    def texts(self, prompt: str, number: int, tokens: int) -> Sequence[str]:
        """What it says behind a prompt, drawn so many times.

        Args:
            prompt: what goes on.
            number: of texts.
            tokens: of each, at most.
        """


@dataclass(frozen=True)
class Continuation:
    """A network of transformers that goes on with a text; drawn under a seed, all texts of a prompt at once."""

    network: Any = field(repr=False)
    tokenizer: Tokenizer = field(repr=False)
    scheme: Scheme = LIKELIEST
    seed: int = 0

    def texts(self, prompt: str, number: int, tokens: int) -> Sequence[str]:
        """As :class:`Outputs` has it."""
        first = [] if self.tokenizer.begin is None else [self.tokenizer.begin]
        ids = [*first, *self.tokenizer.inner.encode(prompt, add_special_tokens=False).ids]
        drawn = sampled(self.network, np.array(ids, np.int64), number, tokens, self.scheme, self.seed)
        return [str(self.tokenizer.inner.decode(self._until_end(each), skip_special_tokens=True)) for each in drawn]

    def _until_end(self, ids: Ints) -> list[int]:
        said: list[int] = ids.tolist()
        return said[: said.index(self.tokenizer.end)] if self.tokenizer.end in said else said


def suffix_chances(
    network: Any,  # noqa: ANN401  # a transformers model
    rows: Ints,
    prefix: int,
    scheme: Scheme,
) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """How likely a network goes on with the end of each row, in nats, and whether it would greedily; shape (n,) both.

    Args:
        network: that drops nothing.
        rows: token ids, shape (n, length).
        prefix: so many tokens of each are given, at least one.
        scheme: how tokens are drawn.
    """
    chances, greedy = np.zeros(len(rows)), np.ones(len(rows), bool)
    for where, scores in _scores(network, rows, prefix):
        wanted = rows[where, prefix:, None]
        found = np.take_along_axis(scheme.log_chances(scores), wanted, axis=-1)[..., 0]
        chances[where] = found.sum(axis=1)
        greedy[where] = (scores.argmax(axis=-1) == wanted[..., 0]).all(axis=1)
    return chances, greedy


def beams(
    network: Any,  # noqa: ANN401  # a transformers model
    prefixes: Ints,
    length: int,
    width: int,
    scheme: Scheme,
) -> tuple[Ints, Numbers]:
    """The likeliest ends that a search of a fixed width finds, and their log-probabilities under the scheme, in nats.

    Each end is another one, so that their probabilities add up. Where there are fewer than ``width``, the rest have
    -inf.

    Args:
        network: that drops nothing.
        prefixes: token ids, shape (n, k).
        length: tokens of an end.
        width: ends that are followed at once.
        scheme: how tokens are drawn.

    Returns:
        Token ids, shape (n, width, length), and log-probabilities, shape (n, width).
    """
    at_once = max(1, _BEAMS_AT_ONCE // (width * _vocabulary(network)))
    parts = [
        _beams(network, prefixes[at : at + at_once], length, width, scheme) for at in range(0, len(prefixes), at_once)
    ]
    if not parts:
        return np.zeros((0, width, length), np.int64), np.zeros((0, width))
    return np.concatenate([ids for ids, _ in parts]), np.concatenate([chances for _, chances in parts])


def sampled(
    network: Any,  # noqa: ANN401  # a transformers model
    prompt: Ints,
    number: int,
    tokens: int,
    scheme: Scheme,
    seed: int,
) -> Ints:
    """How a network goes on with a prompt, drawn so many times; shape (number, tokens).

    Args:
        network: that drops nothing.
        prompt: token ids, shape (k,), at least one.
        number: of texts.
        tokens: of each.
        scheme: how they are drawn.
        seed: of the draws.
    """
    source, found = np.random.default_rng(seed), np.zeros((number, tokens), np.int64)
    reading = _Reading(network, np.tile(prompt, (number, 1)))
    for at in range(tokens):
        if at:
            reading.go_on(np.arange(number), found[:, at - 1])
        ids, chances = scheme.drawn_from(reading.scores)
        total = np.exp(chances).cumsum(axis=1)
        which = (total <= source.random((number, 1)) * total[:, -1:]).sum(axis=1, keepdims=True)
        found[:, at] = np.take_along_axis(ids, which, axis=1)[:, 0]
    return found


class _Reading:
    """Texts of one length that a network reads together, a token further each time."""

    def __init__(self, network: Any, ids: Ints) -> None:  # noqa: ANN401  # a transformers model
        self._network, self._name, self._past = network, name_of_past(network), None
        self.scores = self._read(ids)
        """Of the next token, shape (n, vocabulary), float32."""

    def go_on(self, which: Ints, tokens: Ints) -> None:
        """Read one more token.

        Args:
            which: of the texts go on, shape (m,); one may stand there several times.
            tokens: with which token each, shape (m,).
        """
        torch = import_module("torch")
        past: Any = self._past
        with torch.inference_mode():
            past.reorder_cache(torch.as_tensor(which, device=_device(self._network)))
        self.scores = self._read(tokens[:, None])

    def _read(self, ids: Ints) -> npt.NDArray[np.float32]:
        torch = import_module("torch")
        with torch.inference_mode():
            given = torch.as_tensor(ids, device=_device(self._network))
            told = self._network(given, use_cache=True, **{self._name: self._past})
        self._past = getattr(told, self._name)
        return np.asarray(told.logits[:, -1].float().cpu().numpy())


def _beams(
    network: Any,  # noqa: ANN401  # a transformers model
    prefixes: Ints,
    length: int,
    width: int,
    scheme: Scheme,
) -> tuple[Ints, Numbers]:
    n, reading = len(prefixes), _Reading(network, prefixes)
    ids, chances = np.zeros((n, width, 0), np.int64), np.full((n, width), -np.inf)
    chances[:, 0] = 0  # one beginning; the others are none yet
    of_row = np.arange(n)[:, None]
    for at in range(length):
        tokens, told = scheme.drawn_from(reading.scores)
        size = told.shape[-1]
        best, chances = _best(chances[..., None] + told.reshape(n, -1, size), width)
        begun, which = np.divmod(best, size)
        token = np.broadcast_to(tokens.reshape(n, -1, size), (n, width, size))[of_row, begun, which]
        ids = np.concatenate([ids[of_row, begun], token[..., None]], axis=-1)
        if at + 1 < length:
            text = np.broadcast_to(of_row, begun.shape) if at == 0 else of_row * width + begun
            reading.go_on(text.reshape(-1), token.reshape(-1))
    return ids, chances


def _best(chances: Numbers, width: int) -> tuple[Ints, Numbers]:
    """The places, among all of a row, of its highest values, and these, highest first; shape (n, width) both."""
    flat = chances.reshape(len(chances), -1)
    best = np.argpartition(-flat, width - 1, axis=1)[:, :width]
    found = np.take_along_axis(flat, best, axis=1)
    order = np.argsort(-found, axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1), np.take_along_axis(found, order, axis=1)


def _scores(
    network: Any,  # noqa: ANN401  # a transformers model
    rows: Ints,
    prefix: int,
) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """What a network says of each token behind a prefix: some of the rows, and scores (rows, length - prefix, ids)."""
    torch = import_module("torch")
    at_once = max(1, _SCORES_AT_ONCE // (max(rows.shape[1], 1) * _vocabulary(network)))
    for at in range(0, len(rows), at_once):
        where = slice(at, min(at + at_once, len(rows)))
        with torch.inference_mode():
            given = torch.as_tensor(rows[where, :-1], device=_device(network))
            logits = network(given, use_cache=False).logits[:, prefix - 1 :]
        yield where, np.asarray(logits.float().cpu().numpy())


def _likeliest(scores: npt.NDArray[np.floating[Any]], number: int) -> npt.NDArray[np.bool_]:
    """Which are among the highest, of equal ones the first."""
    at = scores.shape[-1] - number
    least = np.partition(scores, at, axis=-1)[..., at : at + 1]
    stay, equal = scores > least, scores == least
    left = number - stay.sum(axis=-1, keepdims=True)
    if (equal.sum(axis=-1, keepdims=True) > left).any():
        equal &= equal.cumsum(axis=-1) <= left
    return np.asarray(stay | equal)


def _device(network: Any) -> Any:  # noqa: ANN401  # of torch
    return next(network.parameters()).device


def _vocabulary(network: Any) -> int:  # noqa: ANN401  # a transformers model
    return int(network.get_input_embeddings().weight.shape[0])
