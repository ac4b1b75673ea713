"""The runs of a workspace as a list: what each was trained on, what serves, and what is still to be done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from demur.errors import CorpusError
from demur.register import Register
from demur.runs.facts import ModelState, read_facts
from demur.runs.folder import ModelFolder, RunFolder, runs_in
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind

REPLAY = "replay"
RESUME = "resume"


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
    """Of the newest model, "damaged", or "elsewhere" for one that another program trained."""
    waits: str
    """What is to be done: "replay", "resume", or ""."""
    audited: str | None = None
    """The day in UTC on which what serves was audited last, by the register; None where it was not."""


def listed(models: Path, register: Register) -> list[Listed]:
    """Every run, by name; with those that another program trained, and of which the register alone knows."""
    here = {run.name: _listed(run) for run in runs_in(models)}
    days = {
        (str(entry.payload["run"]), str(entry.payload["model"])): f"{entry.time:%Y-%m-%d}"
        for entry in register.log.entries(EntryKind.MODEL_AUDITED)
    }
    found = (each for _, each in sorted((_elsewhere(register) | here).items()))
    return [replace(each, audited=days.get((each.run, (each.serving or "")[:4]))) for each in found]


def waits(run: RunFolder) -> bool:
    """Whether a run is to be replayed: it serves an earlier checkpoint than its last, or a replay was cut off.

    Raises:
        CorpusError: when its files are damaged.
    """
    states = _states(run)
    if ModelState.FINISHED not in states.values():
        return False
    pointer = read_pointer(run)
    if pointer is None or states[max(states)] is ModelState.RUNNING:
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
        states = _states(run)
        newest = max(states, default="")
        pointer = read_pointer(run)
        serving = None if pointer is None else f"{pointer.model} at {pointer.checkpoint}"
        to_do = REPLAY if waits(run) else RESUME if _is_cut_off(states) else ""
        state = states[newest].value if newest else ModelState.RUNNING.value
        return Listed(run.name, newest, _version(run), serving, state, to_do)
    except CorpusError:
        return Listed(run.name, "", None, None, "damaged", "")


def _states(run: RunFolder) -> dict[str, ModelState]:
    return {model.number: read_facts(model).state for model in _known(run)}


def _known(run: RunFolder) -> Iterator[ModelFolder]:
    return (model for model in run.models() if model.facts.exists())


def _version(run: RunFolder) -> str | None:
    return next((facts.version for facts in map(read_facts, _known(run)) if facts.version), None)


def _is_cut_off(states: dict[str, ModelState]) -> bool:
    return ModelState.RUNNING in states.values() and ModelState.FINISHED not in states.values()


def _elsewhere(register: Register) -> dict[str, Listed]:
    said = (entry.payload for entry in register.log.entries(EntryKind.RUN_TRAINED))
    return {
        str(each["run"]): Listed(str(each["run"]), "", _text(each.get("version")), None, "elsewhere", "")
        for each in said
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
