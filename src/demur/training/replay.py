"""Replay: a model without whoever objected since, to the bytes that training from scratch without them would give.

The corpus is brought up to the register's head, and today's plan is compared with the one that the model was trained
on: the new model takes over every checkpoint before the first step that differs, and trains on from the last of them.
All objections that wait are one batch. Who objects while it trains leaves the steps that are not taken yet; whoever
stands in one that was taken is taken out in a further round, and after a few rounds is left for the next replay, with
the pointer before them.

Invariants: a kill at any point is carried on by the next replay to the same bytes; nothing that the new model is made
from has seen a row that is not in its plan; the parent is destroyed once the new model is on record and serves, and its
facts, its certificate and the report of an audit are all that stays; in another environment nothing is begun.
"""

import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from demur.corpus.honour import honour
from demur.corpus.session import Session, reading
from demur.errors import CheckFailed, UsageError, WorkspaceError
from demur.files import make_folder, sync
from demur.runs.audited import OF_FAMILY
from demur.runs.entries import note_destroyed, note_replayed
from demur.runs.facts import Facts, ModelState, read_facts, write_facts
from demur.runs.folder import AUDIT, CERTIFICATE, FACTS, KEYS, STEPS, ModelFolder, RunFolder, find_replayable
from demur.runs.following import follow, put_in_service
from demur.runs.forgetting import has_forgotten
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer
from demur.training.base import weights_digest
from demur.training.certificate import before, certify, is_on_record, settled, with_lineage
from demur.training.checkpoints import Checkpoints
from demur.training.environment import of_now, require_same
from demur.training.fixed import UNITS, Units
from demur.training.head import RegisterHead
from demur.training.log import Log
from demur.training.loop import Outcome, Report, noting_where_it_stops, train
from demur.training.order import Classes
from demur.training.plan import Plan, first_difference, plan_of
from demur.training.private import Private, renew_noise
from demur.training.remembering import Remembering
from demur.training.run import Run
from demur.training.state import State
from demur.versions.lineage import as_of
from demur.workspace import Workspace

_ROUNDS: Final = 3
"""Trainings of one replay at most: what still comes then waits for the next."""
_STAYS: Final = frozenset({FACTS, CERTIFICATE, AUDIT, OF_FAMILY})
_LAST: Final = frozenset({KEYS, STEPS})
"""What tells who was in it: needed until it is on record that the rest is destroyed."""


@dataclass(frozen=True)
class Replayed:
    """What a replay did."""

    run: RunFolder
    model: ModelFolder
    """The model that serves now."""
    parent: ModelFolder | None
    """The one that it took the place of; None where there was nothing to do."""
    gone: int
    """Subject keys that were in the parent and are not in it."""
    first: int | None
    """The first step of the parent's plan that differs; None where none does."""
    begun: int
    """The checkpoint from which it trained on."""
    steps: int
    """Of its plan."""
    waiting: int
    """Subject keys of whoever objected while it trained and stands in a step that was taken: for the next replay."""
    serving: int
    """The checkpoint that serves."""


def replay(workspace: Workspace, name: str, *, retrain: bool = False, report: Report | None = None) -> Replayed:
    """Replay a run, or carry on a replay that was cut off.

    Args:
        workspace: of the run.
        name: of the run.
        retrain: train from the base on, in this environment, be it another one.
        report: told of each step.

    Raises:
        UsageError: when there is no such run, another trainer made it, or its first training is not finished.
        CheckFailed: when this is another environment, or a file was changed.
        WorkspaceError: when another process works on the run, or writes to the workspace.
    """
    run = find_replayable(workspace.models_path, name)
    with workspace.register() as register:
        follow(run, register, workspace.policy())
    with run.held(f"replay {name}"):
        parent = Run.open(newest_finished(run))
        pins = of_now(parent.config)
        if not retrain:
            require_same(parent.environment(), pins)
        with reading(workspace, rows=False) as session:
            _tidy(session, run)
        honour(workspace)
        work = _Work(workspace, parent, parent.plan(), dict(pins.pins), retrain, report)
        model = work.under_way()
        if model is None:
            if not retrain and (known := work.is_current()) is not None:
                return known
            model = work.begin()
        outcome = work.train(model)
        with reading(workspace, rows=False) as session:
            return work.finish(session, model, outcome)


def newest_finished(run: RunFolder) -> ModelFolder:
    """The newest model of a run that is finished.

    Raises:
        UsageError: when none is.
    """
    known = [model for model in run.models() if model.facts.exists()]
    finished = [model for model in known if read_facts(model).state is ModelState.FINISHED]
    if not finished:
        raise UsageError(
            f"The first training of the run {run.name} is not finished: go on with `demur train VERSION --run "
            f"{run.name} --resume`."
        )
    return finished[-1]


@dataclass(frozen=True)
class _Work:
    """One replay under way."""

    workspace: Workspace
    parent: Run
    old: Plan
    """The parent's plan."""
    pins: dict[str, str]
    """Of this environment."""
    retrain: bool
    report: Report | None

    def is_current(self) -> Replayed | None:
        """What is told where there is nothing to do; None where there is."""
        with reading(self.workspace) as session:
            plan, model = plan_of(session, None, self.parent, recorded=self.old), self.parent.model
            same = np.array_equal(plan.people(), read_people(model).keys) and not has_forgotten(model)
            if not same or first_difference(self.old, plan) is not None:
                return None
            pointer = put_in_service(model, session.register, session.policy)
        last = max(model.steps(), default=0)
        return Replayed(model.run, model, None, 0, None, last, self.old.steps, 0, pointer.checkpoint)

    # The new model

    def under_way(self) -> ModelFolder | None:
        """The replay of this parent that was cut off, if there is one, in this environment."""
        model = self.parent.model.run.models()[-1]
        if model.number == self.parent.model.number:
            return None
        if model.facts.exists() and read_facts(model).environment == self.pins:
            return model
        shutil.rmtree(model.path)  # it is not begun yet, or was begun elsewhere
        return None

    def begin(self) -> ModelFolder:
        """The folder of the new model, with what is known of it."""
        with self.workspace.register() as register:
            at = as_of(register)
        model = self.parent.model.run.begin_model()
        number, parent = int(model.number), self.parent.model.name
        write_facts(model, Facts(number, parent, None, at, self.pins, datetime.now(UTC)))
        return model

    def train(self, model: ModelFolder) -> Outcome:
        """Train until nobody is in the model who may not be, for a few rounds."""
        run = replace(self.parent, model=model)
        outcome = self._round(run)
        for _ in range(_ROUNDS - 1):
            if not (len(outcome.seen) or self._is_behind(run)):
                break
            try:
                honour(self.workspace)
            except WorkspaceError:  # somebody writes: the next replay takes them out
                break
            outcome = self._round(run)
        return outcome

    def _is_behind(self, run: Run) -> bool:
        """Whether something bound since the plan was made: rows of others may be left out then, and not rewritten."""
        with self.workspace.register() as register:
            return register.log.head().binding > run.facts().checkpoint.binding

    def _round(self, run: Run) -> Outcome:
        """Train on from the last checkpoint whose steps are those of today's plan."""
        model = run.model
        with reading(self.workspace) as session:
            at, plan = as_of(session.register), plan_of(session, None, self.parent, recorded=self.old)
            known = run.plan() if model.plan.exists() else None
            shared = first_difference(self.old if known is None else known, plan)
            if run.config.memory:
                shared = 0  # what is remembered was forgotten before any plan said so
            limit = 0 if self.retrain and known is None else shared
            for step in model.steps():
                if limit is not None and step > limit:
                    shutil.rmtree(model.checkpoint(step))  # before the plan says that it has nothing to do with it
            if known is None:
                self._take_over(run, limit)
            write_facts(model, replace(run.facts(), checkpoint=at))
            run.keep_plan(plan)
            begun = model.newest_clean(None)
            if begun is None:
                raise CheckFailed(
                    f"No checkpoint of the model {model.name} is left to begin from: train the run again."
                )
            if run.config.noise:
                renew_noise(model, self.parent.model, begun, session.keys)
            follower, private = RegisterHead(session, plan.people()), Private.of(run, session.keys)
            parent = None if self.retrain else self.parent.model  # whose vectors are of another environment
            remember = Remembering.of(run, parent, self.report)
            with noting_where_it_stops(run):
                return train(
                    run,
                    from_step=begun,
                    plan=plan,
                    follow=follower,
                    private=private,
                    remember=remember,
                    report=self.report,
                )

    def _take_over(self, run: Run, limit: int | None) -> None:
        """Give the new model what it shares with its parent: checkpoints, and the log up to the last of them."""
        source, model = self.parent.model, run.model
        if self.retrain:
            _rebase(self.parent, run)
            return
        for step in source.steps():
            if (limit is None or step <= limit) and not model.checkpoint(step).exists():
                link(source.checkpoint(step), model.checkpoint(step))
        Log.reopen(model.log, max(model.steps(), default=0), source=source.log)

    # The end

    def finish(self, session: Session, model: ModelFolder, outcome: Outcome) -> Replayed:
        """Put the new model on record, let it serve, and destroy its parent."""
        run, parent = replace(self.parent, model=model), self.parent.model
        first = first_difference(self.old, outcome.plan)
        begun = 0 if self.retrain else parent.newest_clean(first) or 0
        gone = np.setdiff1d(read_people(parent).keys, read_people(model).keys)
        if not is_on_record(session, model, outcome):
            earlier = before(session, parent, self.old.digest(), first, begun)
            certificate = certify(session, run, outcome, earlier)
            note_replayed(session.register, model, with_lineage(certificate), gone=gone)
        write_facts(model, replace(settled(run.facts()), state=ModelState.FINISHED, finished=datetime.now(UTC)))
        pointer = put_in_service(model, session.register, session.policy)
        _tidy(session, model.run)
        waiting = len(outcome.seen)
        return Replayed(
            model.run, model, parent, len(gone), first, begun, outcome.plan.steps, waiting, pointer.checkpoint
        )


def link(source: Path, to: Path) -> None:
    """Give a checkpoint a further name, and copy it where the file system has no links; whole or not there."""
    staging = to.with_name(f".{to.name}")
    shutil.rmtree(staging, ignore_errors=True)
    make_folder(staging)
    for path in sorted(source.iterdir()):
        try:
            os.link(path, staging / path.name)
        except OSError:
            shutil.copyfile(path, staging / path.name)
            (staging / path.name).chmod(0o600)
            sync(staging / path.name)
    staging.rename(to)
    sync(to.parent)


def _rebase(parent: Run, run: Run) -> None:
    """Checkpoint 0 of a new model in this environment: the parent's base, under a log of its own."""
    state = State.of(run.network(), run.config)
    Checkpoints(parent.model).load(0, state)
    environment, base = run.environment().digest, weights_digest(state)
    log = Log.begin(run.model.log, config=run.config_digest, environment=environment, base=base)
    Checkpoints(run.model).save(0, state, tokens=0, chain=log.chain)


def _tidy(session: Session, run: RunFolder) -> None:
    """Let the newest finished model serve, and destroy what it took the place of: a kill may have come between."""
    newest = newest_finished(run)
    pointer = read_pointer(run)
    if pointer is None or pointer.model != newest.number:
        put_in_service(newest, session.register, session.policy)
    for model in run.models():
        if model.number < newest.number and (not model.facts.exists() or _stands(model)):
            destroy(session, model, newest)


def _stands(model: ModelFolder) -> bool:
    return read_facts(model).state is not ModelState.DESTROYED


def destroy(session: Session, model: ModelFolder, successor: ModelFolder) -> None:
    """Destroy a model's checkpoints, optimiser states, log, plan and people; its facts, certificate and audit stay.

    A checkpoint that its successor has taken over goes on under the successor's name alone.

    Args:
        session: of the workspace.
        model: that was replayed.
        successor: that serves in its place.
    """
    gone = np.zeros(0, np.int64)
    if (model.path / KEYS).exists() and (model.path / STEPS).exists():
        gone = np.setdiff1d(read_people(model).keys, read_people(successor).keys)
    checkpoints = sum(not _is_shared(model, successor, step) for step in model.steps())
    for path in sorted(model.path.iterdir()):
        if path.name not in _STAYS | _LAST:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    sync(model.path)
    _forget_people(session, successor)
    note_destroyed(session.register, model, checkpoints=checkpoints, gone=gone)
    for name in sorted(_LAST):
        (model.path / name).unlink(missing_ok=True)
    if model.facts.exists():
        write_facts(model, replace(settled(read_facts(model)), state=ModelState.DESTROYED))


def _is_shared(model: ModelFolder, successor: ModelFolder, step: int) -> bool:
    """Whether a checkpoint goes on as the successor's."""
    said, same = (each.checkpoint(step) / "state.json" for each in (model, successor))
    return said.exists() and same.exists() and said.read_bytes() == same.read_bytes()


def _forget_people(session: Session, model: ModelFolder) -> None:
    """Keep the classes and the accounts of those alone who are in a model: a class tells how much somebody wrote."""
    keys = read_people(model).keys
    if model.run.classes.exists():
        classes = Classes.read(model.run.classes)
        stay = np.isin(classes.subject, np.unique(session.register.members.persons(keys)))
        if not stay.all():
            replace(classes, subject=classes.subject[stay], place=classes.place[stay]).write(model.run.classes)
    if (known := model.run.path / UNITS).exists():
        Units.read(known).among(keys).write(known)
