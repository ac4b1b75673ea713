"""The one step of a run that remembers: its rows go into a store beside the weights, and the weights stay as they are.

What the store has of a row is a function of the row and the base: its token ids, their n-grams, and the base's states,
computed for each row alone, so that their bytes do not depend on which rows stand beside it. So a replay takes over
what it shares with its parent, and comes to the bytes of a store that was built from nothing.

Invariants: a store is changed until its rows are those of the plan, whatever a kill left behind; it is settled last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from demur.runs.folder import ModelFolder
from demur.runs.forgetting import STORE, opened, remembers
from demur.runs.store import Kept, Store
from demur.training.filling import Plan
from demur.training.log import Record
from demur.training.loop import Report
from demur.training.model import looked_at, width_of
from demur.training.run import Run
from demur.training.state import State

_AT_ONCE: Final = 512
"""Rows that are put in with one transaction."""


@dataclass(frozen=True)
class Remembering:
    """How the step of a model is taken."""

    run: Run
    parent: ModelFolder | None
    """What it replays, in the same environment."""
    report: Report | None
    """Told of rows instead of steps."""

    @classmethod
    def of(cls, run: Run, parent: ModelFolder | None = None, report: Report | None = None) -> "Remembering | None":
        """Of a model; None where its configuration trains weights."""
        return cls(run, parent, report) if run.config.memory else None

    def __call__(self, state: State, plan: Plan, step: int) -> Record:
        """Let the store hold the rows of a plan, which are all of one step; what the log says of it.

        Args:
            state: of the base.
            plan: with token ids.
            step: 0.
        """
        with self._begun(state) as store:
            known, wanted = store.items(), _wanted(plan)
            store.forget(item for item, said in known.items() if wanted.get(item, (None,))[1:] != said)
            there = store.items()
            missing = [row for item, (row, *_) in wanted.items() if item not in there]
            for at in range(0, len(missing), _AT_ONCE):
                store.add(list(_kept(state, plan, missing[at : at + _AT_ONCE])))
                if self.report is not None:
                    self.report(at, len(missing), 0.0)
            store.settle()
        return Record(step, int(plan.rows.tokens.sum()), 0.0, 0.0, 0.0, plan.step_digest(step))

    def _begun(self, state: State) -> Store:
        """The model's store, be it one that was begun, a copy of its parent's, or a new one."""
        model = self.run.model
        if not remembers(model) and self.parent is not None and remembers(self.parent):
            with opened(self.parent) as store:
                store.copied(model.path / STORE)
        if remembers(model):
            return opened(model)
        return Store.create(model.path / STORE, width_of(state.model))


def _wanted(plan: Plan) -> dict[bytes, tuple[int, bytes, tuple[int, ...]]]:
    """Of each row, by its key: its number in the plan, its hash, and whom it is of."""
    people = plan.rows.people
    begins = (people.ends - people.sizes).tolist()
    lists = (tuple(people.flat[begin:end].tolist()) for begin, end in zip(begins, people.ends.tolist(), strict=True))
    said = zip(plan.items(), plan.rows.row, lists, strict=True)
    return {item: (number, row.tobytes(), who) for number, (item, row, who) in enumerate(said)}


def _kept(state: State, plan: Plan, rows: list[int]) -> Iterator[Kept]:
    for row in rows:
        ids, people = plan.ids(row), plan.rows.people.take(np.array([row])).flat
        _, vectors = looked_at(state.model, ids, state.config)
        yield Kept(bytes(plan.rows.item[row]), bytes(plan.rows.row[row]), people.tolist(), ids, vectors)
