"""Small networks that learnt some invented rows by heart, and others not: what attacks are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from trainable import TINY

from demur.training.config import Config
from demur.training.rows import Rows, joined

if TYPE_CHECKING:
    from demur.training.tokenizer import Tokenizer

KEY: Final = bytes(range(32))
CONFIG: Final = replace(TINY, canaries=24, step_tokens=2048, rate=1e-2, warmup=1)
UPDATES: Final = 30
Row = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Learnt:
    """A network, and whose rows it was trained on."""

    network: Any
    tokenizer: "Tokenizer"
    members: list[list[Row]]
    held: list[list[Row]]


def people(number: int, seed: int, *, rows: int = 2, length: int = 16, most: int = 300) -> list[list[Row]]:
    """Rows of random tokens, of so many people."""
    source = np.random.default_rng(seed)
    return [[source.integers(4, most, length).astype(np.int32) for _ in range(rows)] for _ in range(number)]


def learnt(tokenizer: "Tokenizer", copies: int, *, canaries: bool, updates: int = UPDATES) -> Learnt:
    """A network that was trained on people's rows, so many times each.

    Args:
        tokenizer: of a run.
        copies: of each row; 0 trains on none.
        canaries: whether those that the configuration names are planted.
        updates: of the weights, each on all rows.
    """
    from demur.training.canaries import planted  # noqa: PLC0415  # it needs the extra

    members, held = people(20, 1), people(20, 2)
    own = [row for theirs in members for row in theirs] * copies
    rows = Rows.of([at.to_bytes(16, "big") for at in range(len(own))], [row.tolist() for row in own], [[1]] * len(own))
    whole = joined(rows, planted(tokenizer, CONFIG, KEY)) if canaries else rows
    return Learnt(trained(tokenizer, whole, CONFIG, updates), tokenizer, members, held)


def trained(tokenizer: "Tokenizer", rows: Rows, config: Config, updates: int) -> Any:  # noqa: ANN401  # of transformers
    """A fresh network after so many updates on all of the rows."""
    from demur.training.filling import Plan  # noqa: PLC0415  # as above
    from demur.training.loop import one_step  # noqa: PLC0415  # as above
    from demur.training.model import fresh  # noqa: PLC0415  # as above
    from demur.training.state import State  # noqa: PLC0415  # as above

    state = State.of(fresh(config, tokenizer), config)
    plan = Plan.filled(rows, np.zeros(len(rows), np.int64), int(rows.tokens.sum()) + 1)
    for _ in range(updates if len(rows) else 0):
        one_step(state, plan, 0, KEY)
    return state.model.eval()


def figures(finding: Any) -> dict[str, Any]:  # noqa: ANN401  # a Finding
    """The figures of a finding by name."""
    return {each.name: each for each in finding.figures}


def texts(tokenizer: "Tokenizer", rows: Sequence[Sequence[Row]]) -> list[list[str]]:
    """What the rows of people are as text."""
    return [[str(tokenizer.inner.decode(row.tolist())) for row in theirs] for theirs in rows]
