"""The runs of a workspace as a list: what each was trained on, what serves, and what is still to be done.

Invariants: a process that works on a run holds it, so that a model which is not finished is *under way* where somebody
does, and was *cut off* where nobody does, or has *stopped* where its loss was no number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from demur.errors import CorpusError
from demur.register import Register
from demur.runs.facts import Facts, ModelState, read_facts
from demur.runs.folder import RunFolder, cohort_named, runs_in
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind

REPLAY = "replay"
RESUME = "resume"
_CUT_OFF = "cut off"


@dataclass(frozen=True)
class Listed:
    """One run."""

    run: str
    model: str
    """The newest model, four digits; "" for one that was trained by another program."""
    version: str | None
    """What its first model was trained on."""
    serving: str | None
    """``0001 at 40``: a model and its checkpoint; None where nothing serves."""
    state: str
    """Of the newest model, "cut off", "stopped ...", "damaged", or "elsewhere" for one that another program trained."""
    waits: str
    """What is to be done: "replay", "resume", or "", also where the first training is under way."""
    to_do: str
    """The same in words, with the command."""
    audited: str | None = None
    """The day in UTC on which what serves was audited last, alone or with its family; None where it was not."""


def listed(models: Path, register: Register) -> list[Listed]:
    """Every run, by name; with those that another program trained, and of which the register alone knows."""
    here = {run.name: _listed(run) for run in runs_in(models)}
    found = [each for _, each in sorted((_elsewhere(register) | here).items())]
    days = _audited(register, {each.run: _number(each) for each in found})
    return [replace(each, audited=days.get(each.run)) for each in found]


def _audited(register: Register, serves: Mapping[str, str]) -> dict[str, str]:
    """The day in UTC on which what serves of each run was audited last, alone or with its family.

    Args:
        register: with the audits on record.
        serves: the model of each run that serves, four digits, or "".
    """
    days: dict[str, str] = {}
    for entry in register.log.entries(EntryKind.MODEL_AUDITED):
        run, numbers = str(entry.payload["run"]), str(entry.payload["model"]).split("+")
        runs = [run] if run in serves else [cohort_named(run, each + 1) for each in range(len(numbers))]
        if [serves.get(each) for each in runs] == numbers:
            days |= dict.fromkeys(runs, f"{entry.time:%Y-%m-%d}")
    return days


def _number(each: Listed) -> str:
    return (each.serving or "")[:4]


def waits(run: RunFolder) -> bool:
    """Whether a run is to be replayed: it serves an earlier checkpoint than its last, or a replay is not finished.

    Raises:
        CorpusError: when its files are damaged.
    """
    models = _models(run)
    if run.is_tracked or not any(facts.state is ModelState.FINISHED for facts in models):
        return False
    pointer = read_pointer(run)
    if pointer is None or models[-1].state is ModelState.RUNNING:
        return True
    return pointer.checkpoint < max(run.model(pointer.model).steps(), default=0)


def trained_on(register: Register, version: str) -> list[tuple[str, str]]:
    """The runs whose first model was trained on a version: run and model of each."""
    entries = register.log.entries(EntryKind.RUN_TRAINED)
    found = (
        (str(e.payload["run"]), str(e.payload.get("model", ""))) for e in entries if e.payload.get("version") == version
    )
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Recalled:
    """What was trained on a version, and what of it may have to go."""

    run: str
    models: tuple[str, ...]
    """The models that are there, four digits each."""
    checkpoints: int
    """Of these models."""
    waits: str
    """What is to be done here, as in :class:`Listed`; "" for a run that another program trained, too."""
    exported: tuple[tuple[str, str], ...]
    """Where weights went, and the SHA-256 of each: their holders must be told."""


def recalled(models: Path, register: Register, version: str) -> list[Recalled]:
    """Every run whose first model was trained on a version."""
    left = [entry.payload for entry in register.log.entries(EntryKind.RUN_EXPORTED)]
    return [
        _recalled(RunFolder(models, name), tuple((str(e["to"]), str(e["weights"])) for e in left if e["run"] == name))
        for name in dict.fromkeys(run for run, _ in trained_on(register, version))
    ]


def _recalled(run: RunFolder, exported: tuple[tuple[str, str], ...]) -> Recalled:
    there = [model for model in run.models() if model.steps()]
    to_do = _listed(run).waits if there else ""
    steps = sum(len(model.steps()) for model in there)
    return Recalled(run.name, tuple(model.number for model in there), steps, to_do, exported)


def _listed(run: RunFolder) -> Listed:
    try:
        models, held = _models(run), run.is_held()
        pointer = read_pointer(run)
        serving = None if pointer is None else f"{pointer.model} at {pointer.checkpoint}"
        version = next((facts.version for facts in models if facts.version), None)
        newest = f"{models[-1].number:04d}" if models else ""
        state = _state(models[-1] if models else None, held=held)
        to_do = _waits(run, state)
        return Listed(run.name, newest, version, serving, state, to_do, _words(run, version, state, to_do, held=held))
    except CorpusError as error:
        return Listed(run.name, "", None, None, "damaged", "", str(error))


def _models(run: RunFolder) -> list[Facts]:
    """What is known of its models, oldest first."""
    return [read_facts(model) for model in run.models() if model.facts.exists()]


def _state(newest: Facts | None, *, held: bool) -> str:
    """Where the newest model of a run stands."""
    if newest is not None and newest.state is not ModelState.RUNNING:
        return newest.state.value
    if held:
        return ModelState.RUNNING.value
    if newest is None or newest.stopped is None:
        return _CUT_OFF
    return f"stopped at step {newest.stopped}: its loss was no number"


def _waits(run: RunFolder, state: str) -> str:
    if waits(run):
        return REPLAY
    return RESUME if state == _CUT_OFF and not run.is_tracked else ""


def _words(run: RunFolder, version: str | None, state: str, to_do: str, *, held: bool) -> str:
    """What is to be done, with the command."""
    if state == ModelState.RUNNING:
        return ""
    if state.startswith("stopped"):
        return "train another run, with a lower `rate` or a longer `warmup`"
    if to_do == RESUME:
        return f"go on with `demur train {version or 'VERSION'} --run {run.name} --resume`"
    if to_do == REPLAY:
        return "wait: somebody works on it" if held else f"run `demur replay {run.name}`"
    return "train it again by your own trainer" if state == _CUT_OFF else ""


def _elsewhere(register: Register) -> dict[str, Listed]:
    said = (entry.payload for entry in register.log.entries(EntryKind.RUN_TRAINED))
    return {
        str(each["run"]): Listed(str(each["run"]), "", _text(each.get("version")), None, "elsewhere", "", "")
        for each in said
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
