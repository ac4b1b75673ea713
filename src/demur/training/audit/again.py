"""Models that are trained for an audit alone, by the run's own loop, in a folder that is gone afterwards.

Invariants: neither the run nor the register is touched; a model is trained as a replay trains, from the last checkpoint
before the first step that differs, so that without whoever is taken out it has the bytes that a replay would give;
where the run has noise it has fresh noise, as a replay would.
"""

from collections.abc import Callable
from dataclasses import replace

from demur.training.audit.reading import Told, read_at
from demur.training.audit.scores import Read
from demur.training.checking import beside
from demur.training.filling import Plan, first_difference
from demur.training.fixed import UNITS, Units
from demur.training.loop import train
from demur.training.private import Noise, Private
from demur.training.rows import Rows
from demur.training.run import Run

Stepped = Callable[[int, int], None]
"""Called with the steps done and the steps there are."""


def read_trained(run: Run, was: Plan | None, plan: Plan, rows: Rows, told: tuple[Stepped, Told]) -> Read:
    """What a model says of rows that is trained on another plan.

    Args:
        run: the audited model.
        was: the plan of what its checkpoint has seen; None to begin from the base.
        plan: what the other model is trained on, with token ids.
        rows: that it reads then.
        told: of steps, and of tokens that were read.

    Raises:
        CheckFailed: when this is another environment than the run's, or its files were changed.
    """
    stepped, counted = told
    begin = 0 if was is None else run.model.newest_clean(first_difference(was, plan)) or 0
    with beside(run, begin) as folder:
        other = replace(folder, config=replace(run.config, checkpoints=0))
        outcome = train(other, from_step=begin, plan=plan, private=_noise(run), report=lambda s, n, _: stepped(s, n))
        return read_at(other, outcome.saved.step, rows, counted)


def _noise(run: Run) -> Private | None:
    """How a step's gradient is made, where the run has noise."""
    return Private(Units.read(run.model.run.path / UNITS), Noise.fresh()) if run.config.noise else None
