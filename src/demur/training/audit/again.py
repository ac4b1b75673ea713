"""Models that are trained for an audit alone, by the run's own loop, in a folder that is gone afterwards.

Invariants: neither the run nor the register is touched; a model is trained as a replay trains, from the last checkpoint
before the first step that differs, so that without whoever is taken out it has the bytes that a replay would give;
where the run has noise it has fresh noise, as a replay would.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from demur.training.audit.reading import Told, read
from demur.training.audit.scores import Read
from demur.training.audit.served import Served
from demur.training.checking import beside
from demur.training.filling import Plan, first_difference
from demur.training.fixed import UNITS, Units
from demur.training.loop import train
from demur.training.private import Noise, Private
from demur.training.rows import Rows
from demur.training.run import Run
from demur.training.serving import averaged

Stepped = Callable[[int, int], None]
"""Called with the steps done and the steps there are."""


def read_trained(
    served: Served, was: Sequence[Plan] | None, plans: Sequence[Plan], rows: Rows, told: tuple[Stepped, Told]
) -> Read:
    """What a model says of rows that is trained on other plans.

    Args:
        served: what is audited; of a family each cohort whose plan differs is trained.
        was: the plan of what the checkpoint of each part has seen; None to begin from the base.
        plans: what the parts of the other model are trained on, with token ids.
        rows: that it reads then.
        told: of steps, and of tokens that were read.

    Raises:
        CheckFailed: when this is another environment than the run's, or its files were changed.
    """
    stepped, counted = told
    networks: list[Any] = []

    def of_all(step: int, steps: int) -> None:
        stepped(len(networks) * steps + step, len(plans) * steps)

    for at, ((run, checkpoint), plan) in enumerate(zip(served.parts, plans, strict=True)):
        first = None if was is None else first_difference(was[at], plan)
        if was is not None and first is None:  # nobody of it is taken out
            networks.append(averaged(run, checkpoint))
        else:
            begin = 0 if was is None else run.model.newest_clean(first) or 0
            networks.append(_trained(run, begin, plan, of_all))
    return read(served.together(networks), served.run, rows, counted)


def _trained(run: Run, begin: int, plan: Plan, stepped: Stepped) -> Any:  # noqa: ANN401  # a transformers model
    """The averaged weights of one part, trained on from a checkpoint."""
    with beside(run, begin) as folder:
        other = replace(folder, config=replace(run.config, checkpoints=0))
        outcome = train(other, from_step=begin, plan=plan, private=_noise(run), report=lambda s, n, _: stepped(s, n))
        return averaged(other, outcome.saved.step)


def _noise(run: Run) -> Private | None:
    """How a step's gradient is made, where the run has noise."""
    return Private(Units.read(run.model.run.path / UNITS), Noise.fresh()) if run.config.noise else None
