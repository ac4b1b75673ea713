"""A text goes on: tokens are drawn from a model one after another, and come out as text piece by piece.

Invariants: what comes out, joined, is what the tokens decode to, up to the first of the texts that end it; a piece is
never taken back, so that half a character, or what may become a text that ends it, waits; with a seed the same model
and prompt give the same text in the same environment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from demur.errors import UsageError
from demur.training.model import name_of_past
from demur.training.remembered import Remembered
from demur.training.tokenizer import Tokenizer

TOKENS: Final = 64
"""How many are drawn at most, where nobody says otherwise."""
_HALF: Final = "\N{REPLACEMENT CHARACTER}"
"""What bytes decode to that are no whole character yet."""
_SEEDS: Final = 1 << 63


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn."""

    tokens: int = TOKENS
    """At most."""
    temperature: float = 1.0
    """What the scores are divided by; 0 takes the likeliest token each time."""
    nucleus: float = 1.0
    """Only the likeliest tokens are drawn that have this share of probability together (Holtzman 2020)."""
    seed: int | None = None
    """None: another text each time."""
    stop: tuple[str, ...] = ()
    """Texts that end it, and are not part of it."""


class Generation:
    """One text that goes on; iterate over its pieces once."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401  # of transformers
        tokenizer: Tokenizer,
        prompt: str,
        sampling: Sampling,
        remembered: Remembered | None = None,
    ) -> None:
        """Read a prompt.

        Args:
            model: a decoder of transformers, which drops nothing.
            tokenizer: its own.
            prompt: what goes on.
            sampling: how.
            remembered: what is read beside the model's weights.

        Raises:
            UsageError: when the prompt is empty, or leaves no room for the tokens that are asked for.
        """
        self._model, self._tokenizer, self._sampling, self._remembered = model, tokenizer, sampling, remembered
        self._prompt = _ids(tokenizer, prompt, sampling.tokens)
        self.prompt_tokens = len(self._prompt)
        self.tokens = 0
        """Drawn so far."""
        self.finish = "length"
        """Why it ended: `stop` (the model, or a text that ends it), `length`, or `content_filter` (the guard)."""
        self.masked: int | None = None
        """Names that the guard masked in what left; None where none stands at the door."""

    def __iter__(self) -> Iterator[str]:
        """The pieces, as far as they can be told; the next token is drawn when the next piece is asked for."""
        drawn: list[int] = []
        given = ""
        for token in self._drawn():
            drawn.append(token)
            text = str(self._tokenizer.inner.decode(drawn, skip_special_tokens=True))
            ended = min((at for each in self._sampling.stop if (at := text.find(each)) >= 0), default=None)
            if ended is not None:
                self.finish = "stop"
                yield text[len(given) : ended]
                return
            told = text[: len(text) - _waiting(text, self._sampling.stop)]
            if len(told) > len(given):
                yield told[len(given) :]
                given = told
            else:
                yield ""
        yield str(self._tokenizer.inner.decode(drawn, skip_special_tokens=True))[len(given) :]

    def _drawn(self) -> Iterator[int]:
        """The tokens, until the model ends the text or there are enough."""
        torch = import_module("torch")
        seed = self._sampling.seed
        source = torch.Generator().manual_seed(seed % _SEEDS) if seed is not None else None
        given, past, name, read = self._prompt, None, name_of_past(self._model), list(self._prompt)
        recalls = {} if self._remembered is None else {"output_hidden_states": True}
        device = next(self._model.parameters()).device
        while self.tokens < self._sampling.tokens:
            with torch.inference_mode():
                told = self._model(torch.tensor([given], device=device), use_cache=True, **recalls, **{name: past})
            scores = told.logits[0, -1].float().cpu()
            if self._remembered is not None:
                state = told.hidden_states[-1][0, -1:].float().cpu().numpy()
                scores = torch.from_numpy(self._remembered.scores(scores[None].numpy(), state, [read])[0])
            token = _draw(torch, scores, self._sampling, source)
            self.tokens += 1
            if token == self._tokenizer.end:
                self.finish = "stop"
                return
            yield token
            read.append(token)
            given, past = [token], getattr(told, name)


def _ids(tokenizer: Tokenizer, prompt: str, tokens: int) -> list[int]:
    """A prompt as a row begins."""
    first = [] if tokenizer.begin is None else [tokenizer.begin]
    ids = [*first, *(int(each) for each in tokenizer.inner.encode(prompt, add_special_tokens=False).ids)]
    if not ids:
        raise UsageError("The prompt is empty, and this model has no token that begins a text: write some words.")
    if len(ids) + tokens > tokenizer.context:
        raise UsageError(
            f"The prompt has {len(ids):,} tokens and {tokens:,} more are asked for, but this model reads "
            f"{tokenizer.context:,} together: shorten the prompt, or ask for fewer."
        )
    return ids


def _draw(torch: Any, scores: Any, sampling: Sampling, source: Any) -> int:  # noqa: ANN401  # torch, and what is its
    """One token.

    Args:
        torch: the module.
        scores: of each token, shape (vocabulary,), float32.
        sampling: how.
        source: of random numbers; None for torch's own.
    """
    if not sampling.temperature:
        return int(scores.argmax())
    chances, order = torch.softmax(scores / sampling.temperature, dim=-1).sort(descending=True, stable=True)
    before = chances.cumsum(0) - chances
    chances[before >= sampling.nucleus] = 0  # the likeliest one stays
    return int(order[torch.multinomial(chances, 1, generator=source)])


def _waiting(text: str, stop: Sequence[str]) -> int:
    """How many characters at the end of a text may not be told yet."""
    half = len(text) - len(text.rstrip(_HALF))
    begun = [size for each in stop for size in range(1, len(each)) if text.endswith(each[:size])]
    return max([half, *begun])
