"""Which models hold, or held, the rows of somebody, and what was done about it.

Invariants: nothing is changed; who was in a model that is destroyed follows from the register's entries, whose subjects
the log commits to; a model whose files can't be read may hold anybody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np

from demur.errors import CorpusError
from demur.identity import SubjectKeys
from demur.register import Entry, Register
from demur.runs.facts import read_facts
from demur.runs.folder import KEYS, ModelFolder, RunFolder, runs_in
from demur.runs.forgetting import opened, remembers
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind


class Done(StrEnum):
    """What was done about somebody in a model."""

    HOLDS = "holds"  # it was trained on their rows, and answers
    ROLLED_BACK = "rolled-back"  # an earlier state of it answers, that never saw them; a replay is still to come
    REPLAYED = "replayed"  # it was trained again without them, and what had seen them is destroyed
    ELSEWHERE = "elsewhere"  # another trainer trained it on a version that holds them; nothing can be replayed


@dataclass(frozen=True)
class HeldIn:
    """One model of a run that holds, or held, rows by or about somebody."""

    run: str
    model: str
    """Four digits; "" where another program trained it."""
    version: str | None
    """What the run was trained on."""
    done: Done
    time: datetime
    """When that was so: of the last entry that says so, else of the training."""
    exported: bool
    """Whether weights of the run left."""


def held_in(
    models: Path, register: Register, keys: SubjectKeys, versions: Callable[[str], bool] = lambda _: False
) -> list[HeldIn]:
    """Every model that holds, or held, rows by or about whoever has some keys; by run and number.

    Args:
        models: the workspace's folder; it need not be there.
        register: the workspace's.
        keys: theirs, shape (n,).
        versions: whether a version holds rows of theirs; asked only of one that another program trained on.
    """
    trained = {str(entry.payload["run"]): entry for entry in register.log.entries(EntryKind.RUN_TRAINED)}
    if not trained and not models.is_dir():
        return []
    left = {str(entry.payload["run"]) for entry in register.log.entries(EntryKind.RUN_EXPORTED)}
    said = register.log.concerning((EntryKind.RUN_ROLLED_BACK, EntryKind.RUN_DESTROYED), keys)
    found: dict[tuple[str, str], tuple[Done, datetime]] = dict(_said(said))
    runs = runs_in(models)
    for run in runs:
        found |= _here(run, keys, found)
    for name, entry in trained.items():
        version = entry.payload.get("version")
        if name not in {run.name for run in runs} and version is not None and versions(str(version)):
            found[name, ""] = (Done.ELSEWHERE, entry.time)
    return [
        HeldIn(run, model, _version(trained.get(run)), done, time, run in left)
        for (run, model), (done, time) in sorted(found.items())
    ]


def replays_all(models: Path, register: Register) -> bool:
    """Whether there are runs, and each of them can be replayed: none was trained elsewhere, and no weights left."""
    here = {run.name for run in runs_in(models) if not run.is_tracked}
    trained = {str(entry.payload["run"]) for entry in register.log.entries(EntryKind.RUN_TRAINED)}
    left = any(True for _ in register.log.entries(EntryKind.RUN_EXPORTED))
    return bool(here) and trained <= here and not left


def _said(entries: list[Entry]) -> Iterator[tuple[tuple[str, str], tuple[Done, datetime]]]:
    """What the register says, the last word of each model."""
    for entry in entries:
        done = Done.REPLAYED if entry.kind is EntryKind.RUN_DESTROYED else Done.ROLLED_BACK
        yield (str(entry.payload["run"]), str(entry.payload["model"])), (done, entry.time)


def _here(
    run: RunFolder, keys: SubjectKeys, said: dict[tuple[str, str], tuple[Done, datetime]]
) -> dict[tuple[str, str], tuple[Done, datetime]]:
    """What the folders of a run say: they go before the register, which may have an entry from before a restore."""
    found = {}
    for model in run.models():
        known = said.get((run.name, model.number))
        try:
            stand = _stand(model, keys)
        except CorpusError:
            stand = Done.HOLDS
        if stand is not None:
            time = known[1] if known is not None and known[0] is stand else _trained(model)
            found[run.name, model.number] = (stand, time)
    return found


def _stand(model: ModelFolder, keys: SubjectKeys) -> Done | None:
    """How somebody stands in a model that is there; None where they are not in it."""
    if not (model.path / KEYS).exists():
        return None
    first = read_people(model).first_step(np.unique(keys))
    if first is None:
        return None
    if model.run.is_tracked:
        return Done.ELSEWHERE
    pointer = read_pointer(model.run)
    serves = pointer is not None and pointer.model == model.number
    if serves and remembers(model):
        with opened(model) as store:
            return Done.HOLDS if store.holds(keys) else Done.ROLLED_BACK
    serves = serves and pointer is not None and pointer.checkpoint > first
    return Done.HOLDS if serves else Done.ROLLED_BACK


def _trained(model: ModelFolder) -> datetime:
    facts = read_facts(model)
    return facts.finished or facts.started


def _version(entry: Entry | None) -> str | None:
    version = None if entry is None else entry.payload.get("version")
    return None if version is None else str(version)
