"""The first training of a run, from a published version: begun, carried on after a cut, and finished.

Invariants: what was cut off at any moment, by a kill or a full disk, is carried on to the bytes that it would have had;
a run is put on record, and serves, once its plan, its log and its last checkpoint are on disk; a checkpoint serves only
if it has seen nobody who may not be used at that moment.
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from demur.corpus.session import Session
from demur.errors import UsageError, WorkspaceError
from demur.files import disk_full
from demur.runs.entries import note_trained
from demur.runs.facts import Facts, ModelState, write_facts
from demur.runs.folder import RunFolder, answering, begin_run, find_replayable
from demur.runs.following import put_in_service
from demur.training.base import Chosen, is_under_way, lay_base
from demur.training.certificate import certify, is_on_record, settled, with_lineage
from demur.training.config import Config
from demur.training.environment import of_now, require_same
from demur.training.head import RegisterHead
from demur.training.loop import Outcome, Report, noting_where_it_stops, train
from demur.training.order import KEY_BYTES
from demur.training.plan import Plan, plan_of
from demur.training.private import NOISE, Noise, Private
from demur.training.remembering import Remembering
from demur.training.run import Run, read_key, write_settings
from demur.versions.lineage import as_of
from demur.versions.states import published

_FIRST: Final = "0001"
_BASE: Final = "base"
"""Of the facts: what was asked for as the base, until the model is finished."""


@dataclass(frozen=True)
class Trained:
    """A run that was finished."""

    run: Run
    outcome: Outcome
    serving: int
    """The checkpoint that serves."""


def begin(
    session: Session, version: str, *, name: str, config: Config, base: Sequence[str], like: str | None = None
) -> Run:
    """Make the folder of a new run.

    Args:
        session: of the workspace.
        version: what it will be trained on.
        name: of the run.
        config: of the run.
        base: what :meth:`demur.training.base.Chosen.read` reads.
        like: a run whose key it gets, so that it holds out the same people; None for a key of its own.

    Raises:
        UsageError: when there is no such version or run, the name is taken or malformed, or the base can't be one.
    """
    published(session.register, version)
    Chosen.read(base, session.workspace.models_path)
    key = (
        secrets.token_bytes(KEY_BYTES) if like is None else read_key(answering(session.workspace.models_path, like)[0])
    )
    pins = of_now(config).pins
    folder = begin_run(session.workspace.models_path, name)
    write_settings(folder, config, key)
    model = folder.begin_model()
    facts = Facts(1, None, version, as_of(session.register), pins, session.now, unknown={_BASE: list(base)})
    write_facts(model, facts)
    return Run(model, config, folder.key.read_bytes())


def resumed(session: Session, name: str, version: str) -> Run:
    """A run that was cut off.

    Raises:
        UsageError: when there is none of that name, it is of another version or trainer, or it was finished.
        CheckFailed: when its files were changed, or this is another environment.
    """
    run = Run.open(find_replayable(session.workspace.models_path, name).model(_FIRST))
    facts = run.facts()
    if facts.version != version:
        raise UsageError(f"The run {name} is one of version {facts.version}: name that one, or another run.")
    if facts.state is not ModelState.RUNNING:
        raise UsageError(f"The run {name} is finished: there is nothing to resume; choose another name for a new run.")
    require_same(run.environment(), of_now(run.config))
    return run


def require_not_begun(folder: RunFolder, version: str) -> None:
    """Make sure that no run of that name was begun and not finished.

    Raises:
        UsageError: when one was: saying how to go on with it, or that it can't be gone on with.
    """
    model = folder.model(_FIRST)
    if folder.is_tracked or not model.facts.exists():
        return
    facts = Run.open(model).facts()
    if facts.state is not ModelState.RUNNING:
        return
    if facts.stopped is not None:
        raise UsageError(
            f"The run {folder.name} stopped at step {facts.stopped}, as its loss was no number: choose another name "
            "with --run, and a lower `rate` or a longer `warmup`."
        )
    raise UsageError(
        f"The run {folder.name} was cut off: go on with `demur train {version} --run {folder.name} --resume`, or "
        "choose another name with --run."
    )


def carry_out(session: Session, run: Run, report: Report | None = None) -> Trained:
    """Train a run from where it stands to its end, put it on record, and let it serve.

    Args:
        session: of the workspace.
        run: its first model.
        report: told of each step, of the base's first.

    Raises:
        UsageError: when its base can't be read; a run of which nothing was trained is gone then, and its name is free.
        CheckFailed: when its files were changed, or the loss is no number.
        WorkspaceError: when the disk is full, or another process works on the run.
    """
    name, version = run.model.run.name, str(run.facts().version)
    with (
        _room(f"demur train {version} --run {name} --resume"),
        run.model.run.held("train"),
        noting_where_it_stops(run),
    ):
        if not run.model.run.base.exists():
            _lay_base(run, report)
            run = Run.open(run.model)  # with the shares of what it will remember
        last = run.model.newest_clean(None) or 0
        if run.config.noise and not (run.model.path / NOISE).exists():
            Noise.fresh().write(run.model, session.keys)
        plan = _plan(session, version, run, last)
        follow = RegisterHead(session, plan.people())
        private, remember = Private.of(run, session.keys), Remembering.of(run, report=report)
        outcome = train(
            run, from_step=last, plan=plan, follow=follow, private=private, remember=remember, report=report
        )
        return _finish(session, run, outcome)


def _lay_base(run: Run, report: Report | None) -> None:
    folder, said = run.model.run, run.facts().unknown.get(_BASE, [])
    base = Chosen.read([str(each) for each in said] if isinstance(said, list) else [], folder.models_path)
    try:
        lay_base(run, base, run.facts(), report)
    except UsageError:
        if not is_under_way(folder):
            shutil.rmtree(folder.path)
        raise


def _plan(session: Session, version: str, run: Run, last: int) -> Plan:
    """What is trained on: the first steps as they were taken, and behind them what may be used now."""
    fresh = plan_of(session, version, run)
    if not run.model.plan.exists():
        run.keep_plan(fresh)
        return fresh
    recorded = run.plan()
    plan = recorded.onward(last, fresh, run.config.plan_tokens)
    if plan.digest() != recorded.digest():
        run.keep_plan(plan)
    return plan


def _finish(session: Session, run: Run, outcome: Outcome) -> Trained:
    if not is_on_record(session, run.model, outcome):
        certificate = certify(session, run, outcome)
        note_trained(session.register, run.model, with_lineage(certificate))
    finished = replace(settled(run.facts()), state=ModelState.FINISHED, finished=datetime.now(UTC))
    write_facts(run.model, finished)
    pointer = put_in_service(run.model, session.register, session.policy)
    return Trained(run, outcome, pointer.checkpoint)


@contextmanager
def _room(command: str) -> Iterator[None]:
    """Say in one sentence that the disk is full, and how to go on."""
    try:
        yield
    except Exception as error:
        if not disk_full(error):
            raise
        raise WorkspaceError(
            f"There is no room left on the disk: make room, then run `{command}`; nothing that was trained up to the "
            "last checkpoint is lost."
        ) from None
