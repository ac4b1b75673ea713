"""Checks of a certificate by training again: all of it from the base, or the intervals that a verifier's nonce picks.

Invariants: what is checked is not touched: it is trained in a folder of its own, which is gone afterwards; a spot check
stands on checkpoints that the signed certificate commits to, so that none can be made to fit the question.
"""

import hmac
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from demur.corpus.session import Session
from demur.errors import CheckFailed, UsageError
from demur.files import make_folder
from demur.runs.facts import ModelState, read_facts, write_facts
from demur.runs.folder import ModelFolder
from demur.training.certificate import Certificate, check, store_digest
from demur.training.checkpoints import PARTS, Checkpoints
from demur.training.environment import of_now, require_same
from demur.training.log import Log
from demur.training.loop import Report, train
from demur.training.plan import Plan, rows_now
from demur.training.private import Private
from demur.training.remembering import Remembering
from demur.training.replay import link
from demur.training.run import Run

_BESIDE: Final = ".check"
"""The model folder in which something is trained again."""


@dataclass(frozen=True)
class Checked:
    """What was trained again, and came to the same bytes."""

    certificate: Certificate
    intervals: Sequence[tuple[int, int]]
    """From one checkpoint to the next; from 0 to the end, where all of it was."""
    steps: int
    """That were taken again."""


def verify(session: Session, model: ModelFolder, report: Report | None = None) -> Checked:
    """Train a model again from its base, and compare the bytes with its certificate.

    Args:
        session: of the workspace, with rows.
        model: a finished one.
        report: told of each step.

    Raises:
        CheckFailed: naming what differs; or the environment, or the rows, where it can't be trained again.
    """
    certificate, run, plan = _opened(session, model)
    _compare(session, run, plan, (0, plan.steps), report)
    return Checked(certificate, [(0, plan.steps)], plan.steps)


def spot(session: Session, model: ModelFolder, number: int, nonce: bytes, report: Report | None = None) -> Checked:
    """Train some of a model's intervals between checkpoints again, and compare the bytes at their ends.

    Args:
        session: of the workspace, with rows.
        model: a finished one.
        number: of intervals.
        nonce: the verifier's, told to nobody before the model was certified.
        report: told of each step.

    Raises:
        UsageError: when no interval is asked for.
        CheckFailed: as of :func:`verify`.
    """
    if number < 1 or not nonce:
        raise UsageError("A spot check needs a number of intervals from 1 on, and a nonce: --spot 3 --nonce WORDS.")
    certificate, run, plan = _opened(session, model)
    chosen = picked(model.steps(), number, nonce, bytes.fromhex(certificate.digest))
    for begin, end in chosen:
        _compare(session, run, plan, (begin, end), report)
    return Checked(certificate, chosen, sum(end - begin for begin, end in chosen))


def picked(steps: Sequence[int], number: int, nonce: bytes, certificate: bytes) -> list[tuple[int, int]]:
    """The intervals between checkpoints that a nonce picks, ascending: the first by a keyed hash, without repetition.

    Args:
        steps: the checkpoints, ascending.
        number: how many intervals, at most as many as there are.
        nonce: the verifier's.
        certificate: digest of the signed certificate.
    """
    intervals = list(pairwise(steps))
    drawn = sorted(intervals, key=lambda each: hmac.digest(nonce, certificate + each[0].to_bytes(8), "sha256"))
    return sorted(drawn[:number])


def _opened(session: Session, model: ModelFolder) -> tuple[Certificate, Run, Plan]:
    """The model with its certificate checked, and its plan with token ids."""
    certificate, run = check(session, model), Run.open(model)
    require_same(run.environment(), of_now(run.config))
    if read_facts(model).state is not ModelState.FINISHED:
        raise UsageError(
            f"The model {model.name} is not finished, or a replay took its place: check the one that serves."
        )
    return certificate, run, run.plan().with_ids(rows_now(session, run))


def _compare(session: Session, run: Run, plan: Plan, interval: tuple[int, int], report: Report | None) -> None:
    """Train from one checkpoint to the next, in a folder of its own.

    Raises:
        CheckFailed: naming the first part that differs.
    """
    (begin, end), private = interval, Private.of(run, session.keys)
    wanted = Checkpoints(run.model).saved(end)
    with beside(run, begin) as other:
        remember = Remembering.of(other, report=report)
        found = train(
            other, from_step=begin, plan=plan.until(end), private=private, remember=remember, report=report
        ).saved
        if remember is not None:
            _compare_stores(run.model, other.model)
    for name in ("chain", *PARTS):
        if getattr(found, name) != getattr(wanted, name):
            raise CheckFailed(
                f"Training the steps {begin} to {end} of the model {run.model.name} again gives another "
                f"{name}: its certificate does not hold; replay the run, and find out who changed its folder."
            )


def _compare_stores(model: ModelFolder, other: ModelFolder) -> None:
    """Compare what a model remembers with what was built from nothing.

    Raises:
        CheckFailed: when it is something else.
    """
    if store_digest(model) != store_digest(other):
        raise CheckFailed(
            f"The store of the model {model.name} is not what its rows give: replay the run, and find out who changed "
            "its folder."
        )


@contextmanager
def beside(run: Run, begin: int) -> Iterator[Run]:
    """A model that stands at a checkpoint of another, in a folder of its own, until the block ends."""
    folder = run.model.run.model(_BESIDE)
    shutil.rmtree(folder.path, ignore_errors=True)
    try:
        make_folder(folder.path)
        make_folder(folder.checkpoints)
        write_facts(folder, run.facts())
        link(run.model.checkpoint(begin), folder.checkpoint(begin))
        Log.reopen(folder.log, begin, source=run.model.log)
        yield replace(run, model=folder)
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)
