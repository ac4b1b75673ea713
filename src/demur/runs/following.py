"""The pointer follows the register: whoever objects is not in what serves, from the acknowledgement on.

Invariants: it only ever moves to an earlier checkpoint here, and to the newest one that has seen no row of anybody whom
a binding entry covers; it is moved before that is put on record, and owes the entry until then; whoever serves asks
:func:`current` before each answer, so that a crash between an acknowledgement and the move lets nothing serve that
should not. Nobody's rows are read: `people.keys` tells from which step on somebody is in a model.

Rows of others that honouring finds by name or as copies are followed by :func:`follow_rows`, before they are changed: a
kill in between leaves them to be found again. What stays the same for a model is not followed: a mention that it read
as a mask.

A run that remembers beside its weights (forgetting.py) forgets whoever objects in the same moment. Its pointer then
stands at the base, which says that a replay waits; what is left in the store goes on to answer with it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demur.errors import CheckFailed, CorpusError, DemurError
from demur.files import sync
from demur.identity import SubjectKeys
from demur.kernel.rules import Known, compile_rules
from demur.policy import Policy
from demur.register import Register
from demur.runs.entries import note_rolled_back
from demur.runs.folder import ModelFolder, RunFolder, runs_in
from demur.runs.forgetting import forget, forget_rows, has_forgotten, is_behind
from demur.runs.people import read_people
from demur.runs.pointer import Pointer, read_pointer, write_pointer
from demur.runs.reading import read_json
from demur.terms import Basis

_FEW: Final = 10_000
"""People of a model up to which the register is asked of each, and not of everybody."""
_logger: Final = logging.getLogger("demur")


@dataclass(frozen=True)
class Moved:
    """A pointer that was moved."""

    model: ModelFolder
    was: int
    """The checkpoint at which it stood."""
    now: int | None
    """The one at which it stands; None where nothing may serve."""


def follow_all(models: Path, register: Register, policy: Policy, *, now: datetime | None = None) -> list[Moved]:
    """Move the pointer of every run to where the register's head wants it.

    A run whose files are damaged is told of in the log, and does not keep the others from following.

    Args:
        models: the workspace's folder; it need not be there.
        register: the workspace's.
        policy: with the age limit in force.
        now: this moment.
    """
    moved = []
    for run in runs_in(models):
        try:
            done = follow(run, register, policy, now=now)
        except (DemurError, OSError) as error:
            _logger.warning("The serving pointer of the run %s did not follow the register: %s", run.name, error)
        else:
            moved += [done] if done else []
    return moved


def follow(run: RunFolder, register: Register, policy: Policy, *, now: datetime | None = None) -> Moved | None:
    """Move the pointer of one run to where the register's head wants it; what was moved.

    Raises:
        CorpusError: when its files are damaged.
        UnavailableError: when the register can't be asked.
    """
    now = now or datetime.now(UTC)
    with run.pointing():
        pointer = read_pointer(run)
        if pointer is None:
            return None
        head, moved, gone = register.point(register.log.head().binding), None, None
        model, known = run.model(pointer.model), (pointer.binding, pointer.commitment)
        at = (head.seq, head.commitment.hex())
        if known != at or is_behind(model, at):
            full = known == at or is_behind(model, known)  # a store that is not the one which followed so far
            gone = withheld_in(model, register, policy, now) if full else _gone(model, pointer, register, policy, now)
            forget(model, gone, at)
            pointer = replace(pointer, binding=head.seq, commitment=head.commitment.hex())
            if len(gone):
                moved = _move(pointer, model, read_people(model).first_step(gone))
            else:
                write_pointer(run, pointer, durably=False)
    _settle(run, register, lambda model: withheld_in(model, register, policy, now) if gone is None else gone, now)
    return moved


def follow_rows(
    models: Path, register: Register, items: Sequence[bytes], shown: Sequence[bytes], *, now: datetime | None = None
) -> None:
    """Move each pointer before the first row that its model read otherwise, of rows that are deleted or rewritten next.

    Args:
        models: the workspace's folder; it need not be there.
        register: the workspace's.
        items: keys of rows, 16 bytes each.
        shown: those of them that give another text where mentions are masked; nothing else of them counts for a run
            that masks mentions.
        now: this moment.
    """
    now = now or datetime.now(UTC)
    for run in runs_in(models):
        with run.pointing():
            pointer = read_pointer(run)
            if pointer is None:
                continue
            model = run.model(pointer.model)
            counts = shown if _masks_mentions(run) else items
            forget_rows(model, counts)
            first = _first_step_or_any(model, counts) if counts else None
            if first is not None and first < pointer.checkpoint:
                _move(pointer, model, first)
        _settle(run, register, lambda _: np.zeros(0, np.int64), now)


def current(run: RunFolder, register: Register, policy: Policy) -> Pointer:
    """Where the pointer stands, once it is as far as the register; to be asked before each answer of a model.

    Costs one look at the register while nothing bound since the last time.

    Raises:
        CheckFailed: when nothing of the run may serve.
        CorpusError: when its files are damaged.
        UnavailableError: when the register can't be asked.
    """
    pointer = read_pointer(run)
    if pointer is not None:
        head = register.point(register.log.head().binding)
        known, at = (pointer.binding, pointer.commitment), (head.seq, head.commitment.hex())
        if pointer.moved_from is None and known == at and not is_behind(run.model(pointer.model), at):
            return pointer
        follow(run, register, policy)
        pointer = read_pointer(run)
    if pointer is None:
        raise CheckFailed(
            f"Nothing of the run {run.name} may serve: train it, or replay it (`demur replay {run.name}`)."
        )
    return pointer


def put_in_service(model: ModelFolder, register: Register, policy: Policy, *, now: datetime | None = None) -> Pointer:
    """Let a finished model serve: the newest of its checkpoints that has seen nobody who may not be in it.

    Raises:
        CheckFailed: when it has no such checkpoint.
    """
    now = now or datetime.now(UTC)
    run = model.run
    with run.pointing():
        head = register.point(register.log.head().binding)  # first: who objects meanwhile is looked at again
        gone = withheld_in(model, register, policy, now)
        forget(model, gone, (head.seq, head.commitment.hex()))
        first = 0 if has_forgotten(model) else read_people(model).first_step(gone)
        checkpoint = model.newest_clean(first)
        if checkpoint is None:
            raise CheckFailed(f"The model {model.name} has no checkpoint that may serve: replay it.")
        pointer = Pointer(model.number, checkpoint, now, head.seq, head.commitment.hex())
        write_pointer(run, pointer)
    return pointer


def first_step_of(model: ModelFolder, items: Sequence[bytes]) -> int | None:
    """The first step of a model's plan in which one of these rows stands; None where none does.

    Raises:
        CorpusError: when the plan can't be read.
    """
    try:
        plan = pq.read_table(model.plan, columns=["step", "item"])
    except (OSError, pa.ArrowException):
        raise CorpusError(f"{model.plan} can't be read: put it back from your backup, or replay the run.") from None
    wanted = pa.array(items, pa.binary(16))
    return pc.min(plan.column("step").filter(pc.is_in(plan.column("item"), value_set=wanted))).as_py()  # type: ignore[no-any-return]


def _first_step_or_any(model: ModelFolder, items: Sequence[bytes]) -> int | None:
    """The same; the first step of all where the plan can't be read, so that the base serves and no row has to wait."""
    try:
        return first_step_of(model, items)
    except CorpusError as error:
        _logger.warning("The base of the run %s serves until it is replayed: %s", model.run.name, error)
        return 0


def _masks_mentions(run: RunFolder) -> bool:
    """Whether mentions are one mask in what a run reads; no where that is unknown, so that every row counts."""
    try:
        return read_json(run.config).get("mask_mentions") is True
    except CorpusError:
        return False


def _gone(model: ModelFolder, pointer: Pointer, register: Register, policy: Policy, now: datetime) -> SubjectKeys:
    """Who of a model may not be in it, of those whom an entry since the pointer's concerns."""
    if register.point(pointer.binding).commitment.hex() != pointer.commitment:  # another numbering: a restore
        return withheld_in(model, register, policy, now)
    changes = register.standing.changes(pointer.binding)
    if changes.policy:
        return withheld_in(model, register, policy, now)
    asked = read_people(model).among(changes.subjects)
    gone = _withheld(asked, register, policy, now)
    if policy.basis.use is Basis.CONSENT and len(asked):  # somebody in a model who takes it back
        facts = register.standing.of(asked).facts
        gone = np.union1d(gone, np.setdiff1d(asked, facts.keys[facts.consented]))
    return gone


def withheld_in(model: ModelFolder, register: Register, policy: Policy, now: datetime) -> SubjectKeys:
    """Who of a model may not be in it, sorted: objectors and minors, by any spelling."""
    return _withheld(np.asarray(read_people(model).keys), register, policy, now)


def _withheld(keys: SubjectKeys, register: Register, policy: Policy, now: datetime) -> SubjectKeys:
    """Which of these keys are objectors' or minors'."""
    if not len(keys):
        return keys
    standing = register.standing
    known: Known = standing.of(keys) if len(keys) <= _FEW else standing.snapshot()
    rules = compile_rules(policy, register.pepper, known, now)
    return keys[rules.is_withheld(keys)]


def _move(pointer: Pointer, model: ModelFolder, first: int | None) -> Moved | None:
    """Move a pointer before a step; it owes the entry that says so."""
    run, was = model.run, pointer.checkpoint
    clean = model.newest_clean(first)
    if clean is None:  # the base itself is gone
        run.pointer.unlink()
        sync(run.path)
        return Moved(model, was, None)
    if clean < was:
        write_pointer(run, replace(pointer, checkpoint=clean, since=datetime.now(UTC), moved_from=was))
        return Moved(model, was, clean)
    write_pointer(run, replace(pointer, moved_from=was))
    return None


def _settle(run: RunFolder, register: Register, gone: Callable[[ModelFolder], SubjectKeys], now: datetime) -> None:
    """Put on record that a pointer was moved, if it owes that; nobody waits for the register meanwhile."""
    pointer = read_pointer(run)
    if pointer is None or pointer.moved_from is None:
        return
    model = run.model(pointer.model)
    moved = pointer.moved_from != pointer.checkpoint
    note_rolled_back(register, model, binding=pointer.binding, moved=moved, subjects=gone(model), now=now)
    with run.pointing():
        if read_pointer(run) == pointer:
            write_pointer(run, replace(pointer, moved_from=None))
