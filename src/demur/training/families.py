"""Families of cohorts: their first training, run by run.

Invariants: all folders are there before anything is trained, so that a family that was cut off can be gone on with; all
of its runs have one key and one base, that of the first.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace

from demur.corpus.session import Session
from demur.errors import DemurError, UsageError
from demur.runs.facts import ModelState
from demur.runs.folder import RunFolder, answering, cohort_named
from demur.training import first
from demur.training.config import Config
from demur.training.first import Trained
from demur.training.loop import Report
from demur.training.run import Run


def begin(
    session: Session, version: str, *, name: str, config: Config, base: Sequence[str], like: str | None = None
) -> list[Run]:
    """Make the folders of new runs: one, or one for each cohort.

    Args:
        session: as :func:`demur.training.first.begin`, like what follows.
        version: likewise.
        name: of the run, or of the family.
        config: of the run, or of the family.
        base: likewise.
        like: likewise.

    Raises:
        UsageError: as there, or when the configuration says which cohort it is of.
    """
    if config.cohort:
        raise UsageError("`cohort` is said by demur, which begins a run for each: leave it out, and give `cohorts`.")
    if not config.cohorts:
        return [first.begin(session, version, name=name, config=config, base=base, like=like)]
    of = cohort_named(name, 1)
    first.require_not_begun(RunFolder(session.workspace.models_path, of), version)
    runs = [first.begin(session, version, name=of, config=replace(config, cohort=1), base=base, like=like)]
    try:
        for each in range(2, config.cohorts + 1):
            own, called = replace(config, cohort=each), cohort_named(name, each)
            runs.append(first.begin(session, version, name=called, config=own, base=[f"run:{of}"], like=of))
    except DemurError:
        _give_back(runs)
        raise
    return runs


def carry_out(session: Session, runs: Sequence[Run], report: Report | None = None) -> list[Trained]:
    """Train runs to their ends, one after the other, as :func:`demur.training.first.carry_out` does one.

    Args:
        session: of the workspace.
        runs: as they were begun, or cut off.
        report: told of the steps of all, each run's in their share of as many parts.
    """
    trained: list[Trained] = []

    def told(step: int, steps: int, loss: float) -> None:
        if report is not None:
            report(len(trained) * steps + step, len(runs) * steps, loss)

    try:
        for run in runs:
            trained.append(first.carry_out(session, run, told))  # noqa: PERF401  # `told` counts them meanwhile
    except UsageError:
        if not runs[0].model.run.path.exists():  # its base can't be read: the names of all are free again
            _give_back(runs)
        raise
    return trained


def _give_back(runs: Sequence[Run]) -> None:
    """Take back folders in which nothing was trained."""
    for run in runs:
        shutil.rmtree(run.model.run.path, ignore_errors=True)


def resumed(session: Session, name: str, version: str) -> list[Run]:
    """Runs that were cut off, those of a family that are finished left out.

    Raises:
        UsageError, CheckFailed: as :func:`demur.training.first.resumed`.
    """
    folders = answering(session.workspace.models_path, name)
    open_ = [each for each in folders if Run.open(each.model("0001")).facts().state is ModelState.RUNNING]
    return [first.resumed(session, each.name, version) for each in open_ or folders]
