"""What a model keeps of canaries that were planted in its run: exposure, and the loss of those planted and not.

Exposure (Carlini et al. 2019, *The Secret Sharer*): among R references and the canary, which rank by loss it has; the
logarithm of (R + 1) / rank, in bits. A canary that was not learnt has any rank alike, so that the mean is about 1.44
bits (1 / ln 2); one that is likelier than all references has log2(R + 1).

Invariants: what is measured is what ``training.canaries`` draws from the run's key; whether they stand in the plan is
not asked, so that a run that says it planted them, and did not, is found by its figures.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from demur.training.audit.continuing import ALL, Numbers, suffix_chances
from demur.training.audit.figure import Figure, Finding, NotRun
from demur.training.audit.intervals import TOO_FEW, auc, mean
from demur.training.audit.statistics import FEWEST
from demur.training.canaries import COPIES, canaries, copies, dealt, references
from demur.training.config import Config
from demur.training.tokenizer import Tokenizer

NAME: Final = "canaries"
REFERENCES: Final = 1023
"""Rows that are drawn alike and were never planted; 10 bits at most."""
CHANCE: Final = 1 / float(np.log(2))
"""The mean exposure of what was not learnt, in bits, for many references."""


def exposed(
    network: Any,  # noqa: ANN401  # a transformers model
    tokenizer: Tokenizer,
    config: Config,
    key: bytes,
    *,
    number: int = REFERENCES,
) -> Finding | NotRun:
    """How far the canaries of a run stand out from references.

    Args:
        network: with the weights that are audited; it drops nothing.
        tokenizer: the run's.
        config: of the run.
        key: of the run.
        number: of references.
    """
    if not config.canaries:
        return NotRun(NAME, "no canaries were planted in this run: train one with --canaries")
    which = dealt(config)
    if not len(which):
        return NotRun(NAME, "so few canaries were planted in its family that this cohort has none")
    drawn, times = canaries(tokenizer, key, config.canaries), copies(config)[which]
    planted = _losses(network, [drawn[each] for each in which])
    fresh = _losses(network, references(tokenizer, key, number))
    bits = exposure(planted, fresh)
    told = [each for each in COPIES if not config.noise and (times == each).any()]
    figures = [_exposure("exposure", bits)]
    figures += [_exposure(f"exposure_{each}", bits[times == each]) for each in told]
    figures.append(_auc("auc", planted, fresh))
    figures += [_auc(f"auc_{each}", planted[times == each], fresh) for each in told]
    return Finding(
        attack=NAME,
        asks="Does the model know rows that nobody wrote, and that stood in its plan once or a few times?",
        stands_for="membership inference",
        needs="probabilities",
        figures=figures,
        said=(
            f"Exposure is log2({number + 1:,} / rank); what was not learnt has {CHANCE:.2f} bits on average, and an "
            f"AUC of .5. {_ONCE if config.noise else _OFTEN} Canaries are tokens without sense, so they tell what this "
            "training can keep of a row, not what it kept of what people wrote."
        ),
    )


_OFTEN: Final = (
    "The number behind a name is how often a canary stood in the plan. More copies stand earlier, as people do who "
    "wrote more, and what is trained after them can wear them off: with more copies the figures need not grow."
)
_ONCE: Final = (
    "Each canary stood once, as a person of its own, clipped and under the noise as everybody is. What epsilon allows, "
    "and what one pass takes in, both bound these figures."
)


def exposure(planted: Numbers, fresh: Numbers) -> Numbers:
    """The exposure of each canary, in bits; references that are as likely rank before it.

    Args:
        planted: losses of canaries, shape (n,).
        fresh: losses of references, shape (R,).
    """
    rank = 1 + np.searchsorted(np.sort(fresh), planted, side="right")
    return np.asarray(np.log2((len(fresh) + 1) / rank), np.float64)


def _losses(network: Any, rows: Sequence[Sequence[int]]) -> Numbers:  # noqa: ANN401  # a transformers model
    """Nats of each row behind its first token, shape (n,); all are of one length."""
    chances, _ = suffix_chances(network, np.array(rows, np.int64), 1, ALL)
    return -chances


def _exposure(name: str, bits: Numbers) -> Figure:
    value, interval = mean(bits)
    return Figure(name, value, "bits", len(bits), "canaries", interval, "" if interval else TOO_FEW)


def _auc(name: str, planted: Numbers, fresh: npt.NDArray[np.float64]) -> Figure:
    value, interval = auc(-planted, -fresh)
    few = "" if len(planted) >= FEWEST else f"; {TOO_FEW}"
    note = f"loss of canaries against that of {len(fresh):,} references{few}"
    return Figure(name, value, "AUC", len(planted), "canaries", interval, note)
