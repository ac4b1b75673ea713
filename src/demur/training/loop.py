"""The loop: the steps of a plan, one after the other, from a checkpoint on.

Invariants: the state after a step follows from the state before it, the configuration, the environment, the run's key
and the step's rows: rows of a step are put together by their lengths alone, no row sees another, the loss is a sum over
a constant, and rate, average and dropout follow from the place in the plan; so training from a checkpoint and from
scratch give the same bytes. Nobody who objected is in a step that begins after the register said so.
"""

import hmac
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from demur.errors import CheckFailed
from demur.identity import SubjectKeys
from demur.runs.facts import write_facts
from demur.training.checkpoints import Checkpoints, Saved
from demur.training.config import Config
from demur.training.environment import load, of_now, require_same
from demur.training.filling import Plan
from demur.training.log import Log, Record, require_config
from demur.training.run import Run
from demur.training.spacing import checkpoint_steps
from demur.training.state import State

NOTHING: Final = -100
"""A target that counts for nothing (torch's `ignore_index`)."""
_DROPOUT: Final = b"dropout\0"
_EASING: Final = 10
"""Updates after which the average begins to forget: its decay is at most (1 + t) / (10 + t)."""

Report = Callable[[int, int, float], None]
"""Called after each step with the steps done, those there are, and the loss."""


class Gradient(Protocol):
    """How the gradient of a step is made, where that is not the sum of its rows' (training.private)."""

    def __call__(self, state: State, plan: Plan, step: int) -> float:
        """Put it into a network that has none; the loss a predicted token, in nats."""


class Remember(Protocol):
    """How a step is taken that changes no weight (training.remembering)."""

    def __call__(self, state: State, plan: Plan, step: int) -> Record:
        """Take it; what the log says of it."""


class Head(Protocol):
    """The register's head, as the loop follows it."""

    def withheld(self) -> SubjectKeys | None:
        """Everybody who may not be used now; None where nothing has changed since it was asked last."""


@dataclass(frozen=True)
class Outcome:
    """What came of a training."""

    plan: Plan
    """As it was trained on: whoever objected meanwhile is out of the steps after that."""
    saved: Saved
    """The last checkpoint: its number is the plan's number of steps."""
    seen: SubjectKeys
    """Who objected meanwhile and stands in a step that was taken before, sorted: to be replayed."""


class Diverged(CheckFailed):
    """A loss, gradient or weight that is no number: the last checkpoint stays, and nothing behind it."""

    def __init__(self, what: str, step: int, saved: Saved, config: Config) -> None:
        """Say ``what`` is no number, in which step, and what is left."""
        super().__init__(
            f"{what} no number: the run stops at its checkpoint {saved.step}; train another one with a lower `rate` "
            f"than {config.rate:g}, or a longer `warmup`."
        )
        self.step = step


@contextmanager
def noting_where_it_stops(run: Run) -> Iterator[None]:
    """Put down in the facts of a model where its loss was no number: whoever lists runs can tell that from a kill."""
    try:
        yield
    except Diverged as error:
        write_facts(run.model, replace(run.facts(), stopped=error.step))
        raise


def train(
    run: Run,
    *,
    from_step: int,
    plan: Plan,
    follow: Head | None = None,
    private: Gradient | None = None,
    remember: Remember | None = None,
    report: Report | None = None,
) -> Outcome:
    """Train a model from a checkpoint to the end of a plan.

    Args:
        run: the model's folder, configuration and key; its log holds the steps up to the checkpoint.
        from_step: the number of the checkpoint.
        plan: with token ids; its first ``from_step`` steps are those that the checkpoint has seen.
        follow: the register's head; None where nobody can object.
        private: how a step's gradient is made, where the configuration asks for noise.
        remember: how a step is taken, where rows train nothing and are remembered.
        report: told of each step.

    Raises:
        CheckFailed: when the environment is another one, or the checkpoint or the log was changed.
        Diverged: when the loss is no number.
    """
    config, checkpoints = run.config, Checkpoints(run.model)
    require_same(run.environment(), of_now(config))
    state = State.of(run.network(), config)
    saved = checkpoints.load(from_step, state)
    require_config(run.model.log, run.config_digest)
    log = Log.reopen(run.model.log, from_step)
    if log.chain != saved.chain:
        raise CheckFailed(f"{run.model.log} is not the log of checkpoint {from_step}: put both back from your backup.")
    tokens, gone = saved.tokens, np.zeros(0, np.int64)
    marks = set(checkpoint_steps(plan, config.hazard, config.checkpoints))
    step = from_step
    while True:
        if follow is not None and (now := follow.withheld()) is not None:
            gone, kept = now, plan.without(now, config.plan_tokens, after=step)
            if len(kept) < len(plan):
                plan, marks = kept, set(checkpoint_steps(kept, config.hazard, config.checkpoints))
                run.keep_plan(plan)
        if step > saved.step and (step in marks or step >= plan.steps):
            _require_finite(state, step, saved)
            log.sync()
            saved = checkpoints.save(step, state, tokens=tokens, chain=log.chain)
        if step >= plan.steps:
            break
        record = one_step(state, plan, step, run.key, private) if remember is None else remember(state, plan, step)
        if not (math.isfinite(record.loss) and math.isfinite(record.norm)):
            raise Diverged(f"The loss of step {step} is", step, saved, config)
        log.append(record)
        step, tokens = step + 1, tokens + record.tokens
        if report is not None:
            report(step, plan.steps, record.loss)
    taken = plan.rows.people.flat[plan.step[plan.rows.people.owner] < step]
    return Outcome(plan, saved, np.intersect1d(gone, taken))


def _require_finite(state: State, step: int, saved: Saved) -> None:
    """Make sure that no checkpoint is written that nobody could go on from.

    Raises:
        Diverged: when a weight is no number.
    """
    if not state.is_finite():
        raise Diverged(f"A weight after {step} steps is", step - 1, saved, state.config)


def one_step(state: State, plan: Plan, step: int, key: bytes, private: Gradient | None = None) -> Record:
    """Take a step of a plan: `passes` updates on its rows; what the log says of it."""
    config, torch = state.config, load(state.config)
    where = plan.of_step(step)
    rows = [plan.ids(row) for row in range(where.start, where.stop)]
    loss, norm, rate = 0.0, 0.0, rate_of(step, config)
    for each in range(config.passes):
        state.optimizer.zero_grad(set_to_none=True)
        if private is None:
            lost, predicted = add_gradient(state, rows, config.step_tokens, (key, step, each))
            found = lost / max(predicted, 1)
        else:
            found = private(state, plan, step)
        loss = found if each == 0 else loss
        clip = (config.clip if private is None else 0) or math.inf  # what one person adds was clipped then
        norm = float(torch.nn.utils.clip_grad_norm_(state.weights.values(), clip, foreach=False))
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        state.optimizer.step()
        update_average(state, step * config.passes + each)
    total = int(plan.rows.tokens[where].sum())
    return Record(step, total, rate, loss, norm, plan.step_digest(step))


def add_gradient(
    state: State, rows: Sequence[npt.NDArray[np.int32]], over: int, place: tuple[bytes, int, int] | None = None
) -> tuple[float, int]:
    """Add the gradient of the rows' summed loss over a number; the loss in nats, and the tokens that it is of.

    Args:
        state: whose network.
        rows: token ids of each.
        over: what the sum is divided by.
        place: the run's key, the step and the pass, which dropout is drawn by; None where nothing is dropped.
    """
    config, torch = state.config, load(state.config)
    total, predicted = 0.0, 0
    for number, (ids, targets) in enumerate(microbatches(rows, config.micro_tokens)):
        if config.dropout:
            assert place is not None  # the configuration refuses dropout with noise
            torch.manual_seed(dropout_seed(*place, number))
        logits = state.model(input_ids=torch.from_numpy(ids).to(config.device), use_cache=False).logits
        wanted = torch.from_numpy(targets).to(config.device).reshape(-1)
        flat = logits.reshape(-1, logits.shape[-1])
        loss = torch.nn.functional.cross_entropy(flat, wanted, ignore_index=NOTHING, reduction="sum")
        (loss / over).backward()
        total, predicted = total + loss.item(), predicted + int((targets != NOTHING).sum())
    return total, predicted


def microbatches(
    rows: Sequence[npt.NDArray[np.int32]], most: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """The rows of a step, padded: inputs and targets, shape (rows, longest - 1) each.

    The longest come first, and of one length those that stand first in the plan; a row that predicts nothing is left
    out. Padding stands behind, where causal attention does not look, and is no target.

    Args:
        rows: token ids of each.
        most: tokens at once, padding included.
    """
    order = [at for at in np.argsort([-len(row) for row in rows], kind="stable").tolist() if len(rows[at]) > 1]
    while order:
        longest = len(rows[order[0]])
        now, order = order[: max(1, most // longest)], order[max(1, most // longest) :]
        ids = np.zeros((len(now), longest - 1), np.int64)
        targets = np.full((len(now), longest - 1), NOTHING, np.int64)
        for line, at in enumerate(now):
            ids[line, : len(rows[at]) - 1], targets[line, : len(rows[at]) - 1] = rows[at][:-1], rows[at][1:]
        yield ids, targets


def rate_of(step: int, config: Config) -> float:
    """The learning rate of a step: in proportion during the warm-up, then constant."""
    return config.rate * min(1.0, (step + 1) / max(config.warmup, 1))


def update_average(state: State, update: int) -> None:
    """Let the average follow the weights after an update, by its number from 0."""
    decay = min(state.config.average, (1 + update) / (_EASING + update))
    for name, parameter in state.weights.items():
        state.average[name].lerp_(parameter.detach(), 1 - decay)


def dropout_seed(key: bytes, step: int, each: int, micro: int) -> int:
    """What random numbers of a microbatch follow from: the run's key and the place in the plan."""
    place = b"".join(value.to_bytes(8, "little") for value in (step, each, micro))
    return int.from_bytes(hmac.digest(key, _DROPOUT + place, "sha256")[:8], "little") >> 1
