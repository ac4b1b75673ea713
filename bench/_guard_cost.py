"""Processor time for each token that a small model draws, with the output guard and without; one thread."""

import statistics
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch

import _measure as measure
from _copied import Talk
from demur.kernel.rules import Rules
from demur.training.config import Config
from demur.training.generating import Generation, Sampling
from demur.training.guard.passing import Passing
from demur.training.model import fresh
from demur.training.tokenizer import Tokenizer, fit

CONFIG = Config(layers=6, width=160, inner=448, heads=4, vocabulary=2048, context=512, threads=1)
"""Two million weights and a little more."""
PROMPT = "the people said that"


@cache
def model() -> tuple[Any, Tokenizer]:
    """A network with its first weights, and a tokenizer of made-up words."""
    talk = Talk(1)
    texts = [talk.written("en", talk.words("en", 40)) for _ in range(400)]
    with measure.scratch() as folder:
        fit(texts, CONFIG.vocabulary, folder)
        tokenizer = Tokenizer.open(folder, CONFIG.context)
    return fresh(CONFIG, tokenizer).eval(), tokenizer


def drawn(tokens: int, rules: Rules, rounds: int) -> Iterator[str]:
    """Lines to print of answers of so many tokens."""
    torch.set_num_threads(1)
    network, tokenizer = model()
    weights = sum(each.numel() for each in network.parameters())
    plain, guarded = [], []
    for number in range(rounds + 1):
        sampling = Sampling(tokens=tokens, temperature=0.7, seed=number)
        began = time.process_time()
        generation = Generation(network, tokenizer, PROMPT, sampling)
        text = "".join(generation)
        middle = time.process_time()
        passing = Passing(PROMPT)
        passing.left(passing.taken(text, rules, ended=True))
        ended = time.process_time()
        if number:  # the first one loads what all need
            plain.append((middle - began) / generation.tokens)
            guarded.append((ended - began) / generation.tokens)
    ratios = [after / before for before, after in zip(plain, guarded, strict=True)]
    yield (
        f"  {tokens:4} tokens of a model of {weights / 1e6:.1f} M weights: {1000 * statistics.median(plain):.2f} ms a "
        f"token, {1000 * statistics.median(guarded):.2f} with the guard; {statistics.median(ratios):.3f} times "
        f"({min(ratios):.3f} to {max(ratios):.3f}, n = {rounds})"
    )
