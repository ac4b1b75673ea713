"""Testing a claim: against the rows that runs were trained on, and by asking what answers, where that is at hand.

Invariants: a test refuses nothing: that something was not found is an answer, with what was looked at; the entry holds
counts and names of runs, and commits to whose rows hold the words; where what serves has seen a row of somebody who is
withheld, its pointer moves before that is recorded, and the entry says so. What is in no plan that is kept is not seen:
a run of another program, a model that is destroyed, a row that has changed since.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demur.claims.passages import Found, Passage, find
from demur.corpus.session import reading
from demur.errors import CorpusError, UsageError
from demur.identity import SubjectKeys
from demur.register import JSON, ClaimState, Outcome
from demur.register.claims import Said
from demur.runs.folder import ModelFolder, RunFolder, by_name, runs_in
from demur.runs.following import follow_rows
from demur.runs.pointer import read_pointer
from demur.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """What came of asking a model."""

    run: str
    times: int
    """How often a text was drawn."""
    reproduced: bool
    """Whether one of these said it again."""
    facts: Mapping[str, JSON]
    """Numbers, for the entry."""


Ask = Callable[[str, Said], Asked]
"""Asks what answers for a run; of training/claims.py, as nothing else imports torch."""


@dataclass(frozen=True)
class LookedAt:
    """One run, in numbers."""

    run: str
    model: str
    """The model that serves, or else the newest; four digits, "" for none."""
    rows: int
    """Rows that it was trained on and that hold the words."""
    served: int
    """Those of them that what serves has seen."""


@dataclass(frozen=True)
class Looked:
    """What a test looked at, as its entry says."""

    runs: tuple[LookedAt, ...]
    corpus: int
    """Rows of the corpus that hold the words, trained on or not."""
    longest: int
    """Words of the longest passage in common."""
    withheld: int
    """Passages that are words of people who objected."""
    moved: int
    """Rows of such people that what served had seen."""
    asked: int
    """How often models were asked."""
    answers: tuple[Mapping[str, Any], ...] = ()
    """Of each model that was asked: training/claims.py says what."""

    @classmethod
    def read(cls, result: Mapping[str, Any]) -> "Looked":
        """From the payload of the entry."""
        runs = tuple(LookedAt(**each) for each in result["runs"])
        numbers = {name: int(result[name]) for name in ("corpus", "longest", "withheld", "moved", "asked")}
        return cls(runs, **numbers, answers=tuple(result["answers"]))


@dataclass(frozen=True)
class Tested:
    """What a test found."""

    state: ClaimState
    """With the entry's facts in its result."""
    looked: Looked
    incident: bool
    """Whether what served had seen a row of somebody withheld, or says words that withheld people wrote."""


@dataclass(frozen=True)
class InRun:
    """Which of the rows that were found a run was trained on."""

    run: str
    model: str
    rows: tuple[Passage, ...]
    """In the plan of the model that serves, or else of its newest."""
    served: tuple[Passage, ...]
    """Those of them that what serves has seen."""


def try_claim(workspace: Workspace, reference: str, ask: Ask | None = None, *, now: datetime | None = None) -> Tested:
    """Test a claim, and record what was found.

    Args:
        workspace: where.
        reference: the claim's.
        ask: asks what answers; without it the rows alone are looked at.
        now: this moment.

    Raises:
        RegisterError: for an unknown reference, or one that was answered.
        UsageError: where nothing is left of what was said.
        CorpusError: when the plan of a run is damaged.
    """
    models = workspace.models_path
    with reading(workspace, now) as session:
        register = session.register
        state = register.claims.get(reference)
        said = register.claims.said(reference)
        if said is None:
            raise UsageError(f"What was said with the claim {state.reference} was erased: nothing is left to test.")
        found = find(session, said.output)
        looked = _looked_at(models, state)
        runs = [_in_run(run, found.rows) for each in looked.values() for run in each]
        gone = _withheld_rows(session.wordless()[0].is_withheld, [row for each in runs for row in each.served])
        follow_rows(models, register, gone, gone, now=session.now)
        answers = [] if ask is None else [ask(name, said) for name, each in looked.items() if all(map(_asks, each))]
        outcome, facts = _outcome(runs, answers), _facts(found, runs, answers, len(gone))
        whose = _people(row for each in runs for row in each.rows)
        recorded = register.claims.tested(reference, outcome, facts, whose, now=session.now)
    return Tested(recorded, Looked.read(facts), bool(facts["incident"]))


def _looked_at(models: Path, state: ClaimState) -> dict[str, list[RunFolder]]:
    """What answers, with its runs: the one that is said to have answered, be it a cohort or a family, else everyone."""
    found = by_name(models)
    one = found.get(state.run or "") or [run for run in runs_in(models) if run.name == state.run]
    return {str(state.run): one} if one else found


def _in_run(run: RunFolder, rows: Sequence[Passage]) -> InRun:
    pointer = read_pointer(run)
    kept = [model for model in run.models() if model.plan.exists()]
    if not kept or not rows:
        return InRun(run.name, kept[-1].number if kept else "", (), ())
    model = run.model(pointer.model) if pointer is not None and run.model(pointer.model) in kept else kept[-1]
    steps = _steps(model, [row.item for row in rows])
    seen = pointer.checkpoint if pointer is not None and pointer.model == model.number else 0
    held = tuple(row for row in rows if row.item in steps)
    return InRun(run.name, model.number, held, tuple(row for row in held if steps[row.item] < seen))


def _steps(model: ModelFolder, items: Sequence[bytes]) -> dict[bytes, int]:
    """The first step in which each of some rows stands in a model's plan; of those that do.

    Raises:
        CorpusError: when the plan can't be read.
    """
    try:
        plan = pq.read_table(model.plan, columns=["step", "item"])
    except (OSError, pa.ArrowException):
        raise CorpusError(f"{model.plan} can't be read: put it back from your backup, or replay the run.") from None
    wanted = plan.filter(pc.is_in(plan.column("item"), value_set=pa.array(items, pa.binary(16))))
    pairs = zip(wanted.column("item").to_pylist(), wanted.column("step").to_pylist(), strict=True)
    return dict(sorted(pairs, key=lambda each: -each[1]))


def _withheld_rows(is_withheld: Callable[[SubjectKeys], np.ndarray], rows: Sequence[Passage]) -> list[bytes]:
    """The keys of the rows by or about somebody who is withheld."""
    return sorted({row.item for row in rows if is_withheld(np.array(row.people, np.int64)).any()})


def _asks(run: RunFolder) -> bool:
    """Whether something of a run can be asked: it serves, and its weights are here."""
    return run.config.exists() and read_pointer(run) is not None


def _outcome(runs: Sequence[InRun], answers: Sequence[Asked]) -> Outcome:
    if any(each.reproduced for each in answers):
        return Outcome.REPRODUCED
    return Outcome.HELD if any(each.rows for each in runs) else Outcome.NOT_FOUND


def _facts(found: Found, runs: Sequence[InRun], answers: Sequence[Asked], moved: int) -> dict[str, JSON]:
    """What the entry says."""
    reproduced = any(each.reproduced for each in answers)
    return {
        "runs": [
            {"run": each.run, "model": each.model, "rows": len(each.rows), "served": len(each.served)} for each in runs
        ],
        "corpus": len(found.rows),
        "longest": max((row.words for row in found.rows), default=0),
        "withheld": found.withheld,
        "moved": moved,
        "incident": bool(moved) or bool(found.withheld and reproduced),
        "asked": sum(each.times for each in answers),
        "answers": [{"run": each.run, **each.facts} for each in answers],
    }


def _people(rows: Iterable[Passage]) -> SubjectKeys:
    """Whose rows they are, sorted."""
    return np.unique(np.array([key for row in rows for key in row.people], np.int64))
