"""Models read rows: one forward pass a row and model, of which the log-probability of each token is kept.

Invariants: rows go through a model together by their lengths, as in training, where no row sees another; every model
reads the same rows in the same order, which :func:`in_reading_order` tells.
"""

from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from typing import Any, Final

import numpy as np

from demur.training.audit.scores import Read
from demur.training.loop import NOTHING, microbatches
from demur.training.rows import Ints, Rows
from demur.training.run import Run
from demur.training.serving import averaged

LEVELS: Final = 127
"""Steps of a weight of eight bits on either side of 0."""

Told = Callable[[int], None]
"""Called with a number of tokens that were read."""


def in_reading_order(rows: Rows) -> Ints:
    """The numbers of rows in the order in which their tokens stand in what was read: the longest first."""
    return np.argsort(-rows.tokens, kind="stable")


def read(network: Any, run: Run, rows: Rows, told: Told) -> Read:  # noqa: ANN401  # a transformers model
    """What a model says of the tokens of rows, each of which has two at least.

    Args:
        network: of the run, dropping nothing.
        run: whose configuration tells how many tokens go together, and where.
        rows: with token ids.
        told: of tokens that were read.
    """
    torch, config = import_module("torch"), run.config
    texts = [rows.ids[start : start + size] for start, size in zip(rows.start, rows.tokens, strict=True)]
    logs, likeliest = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
    with torch.inference_mode():
        for ids, targets in microbatches(texts, config.micro_tokens):
            given = torch.from_numpy(ids).to(config.device)
            scores = network(input_ids=given, use_cache=False).logits.float()
            wanted = torch.from_numpy(np.maximum(targets, 0)).to(config.device)
            found = scores.gather(-1, wanted[..., None])[..., 0] - scores.logsumexp(-1)
            counted = targets != NOTHING
            logs.append(found.cpu().numpy()[counted])
            likeliest.append((scores.argmax(-1) == wanted).cpu().numpy()[counted])
            told(int(counted.sum()))
    return Read(np.concatenate(logs), np.concatenate(likeliest))


def read_at(run: Run, step: int, rows: Rows, told: Told) -> Read:
    """What the served weights of a checkpoint say of rows.

    Raises:
        CheckFailed: when the checkpoint was changed, or is of another network.
    """
    return read(averaged(run, step), run, rows, told)


def read_rounded(network: Any, run: Run, rows: Rows, told: Told) -> Read:  # noqa: ANN401  # a transformers model
    """What :func:`read` gives with weights of eight bits, of a copy of the network.

    Each row of every matrix is rounded to 127 levels on either side of 0, of its own largest weight; arithmetic stays
    as it is. It is what a model comes to that leaves the house in eight bits, whichever kernel then computes with it.
    """
    rounded, torch = deepcopy(network), import_module("torch")
    with torch.no_grad():
        for weight in rounded.parameters():
            if weight.ndim > 1:
                scale = weight.abs().amax(dim=-1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny) / LEVELS
                weight.copy_((weight / scale).round() * scale)
    return read(rounded, run, rows, told)
