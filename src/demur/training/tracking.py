"""A training by a loop of your own: put on record with its lineage, and stopped where it may not go on.

Invariants: who may be in the model is on disk before the first row is handed out, so that a crash leaves nobody
unnamed; no batch is handed out, and no step allowed, without a look at the register's head; once somebody objects whose
rows were handed out, or the head has been out of reach for longer than the allowed staleness (law 4), nothing more is
handed out and no step is allowed. Whoever objects before their rows came is left out, and the training goes on.

What this can't give is exact replay, whose terms are demur's own loop (loop.py): an order in which people stand late, a
step that is a function of its rows, and checkpoints from which that order goes on. Here an objection that comes later
means training again, on a version without the person. The register says which models they are in.
"""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc

from demur.errors import DemurError, UnavailableError
from demur.identity import SubjectKeys
from demur.loading import CHECK_EVERY, MAX_STALENESS, Loader, load
from demur.loading.loader import Row
from demur.loading.overlay import Overlay, Places
from demur.register import JSON, Register
from demur.runs.entries import note_trained
from demur.runs.facts import Facts, ModelState, read_facts, write_facts
from demur.runs.folder import ModelFolder, RunFolder, begin_run
from demur.runs.people import People, read_people, write_people
from demur.versions.lineage import as_of, roots_of
from demur.workspace import Workspace, find

_PINS: Final = ("demur", "torch", "transformers", "accelerate", "tokenizers", "safetensors", "peft", "numpy", "pyarrow")
_PEOPLE: Final = ("author", "subjects")
OBJECTED: Final = (
    "Somebody objected whose rows this training was given, so it has stopped: train again on a version that is "
    "published now, and let nobody use these weights."
)


@dataclass(eq=False)
class Tracked:
    """A training under way."""

    model: ModelFolder
    """Where its record lies."""
    loader: Loader = field(repr=False)
    """Hands out the rows; read it by :meth:`rows` or :meth:`batches`, which know how far a training has come."""
    stopped: str | None = None
    """Why it stopped, in a sentence; None as long as it may go on."""
    _overlay: Overlay = field(default_factory=Overlay, repr=False)
    _reached: int = 0
    """Behind the last place whose row was handed out."""

    def goes_on(self) -> bool:
        """Whether the next step may be taken; asked right before the weights change, or a batch is handed out."""
        if self.stopped is None:
            try:
                overlay = self.loader.look()
            except DemurError as error:
                self.stopped = str(error)
            else:
                self._follow(overlay)
        return self.stopped is None

    def rows(self) -> Iterator[Row]:
        """The rows that may be used; they end where the training stops."""
        for place, row in self._walk():
            self._reached = max(self._reached, place + 1)
            yield row

    def batches(self, size: int) -> Iterator[list[Row]]:
        """The rows by so many at a time, each batch checked as a whole; they end where the training stops."""
        walk = self._walk()
        while part := list(islice(walk, size)):
            read = self._overlay
            if not self.goes_on():
                return
            rows = [row for _, row in part]
            if self._overlay is not read:
                shown, _ = self.loader.at(np.array([place for place, _ in part], np.int64))
                rows = shown.to_pylist()
            self._reached = max(self._reached, part[-1][0] + 1)
            if rows:
                yield rows

    def _walk(self) -> Iterator[tuple[int, Row]]:
        """The rows with their places, as long as the head is known."""
        walk = self.loader.walk()
        while self.stopped is None:
            try:
                found = next(walk, None)
            except UnavailableError as error:
                self.stopped = str(error)
                return
            if found is None or self.stopped is not None:
                return
            yield found

    def _follow(self, overlay: Overlay) -> None:
        """Take note of what changed: who is out now, and who is back."""
        if overlay is self._overlay:
            return
        if bool((_withdrawn(self._overlay, overlay) < self._reached).any()):
            self.stopped = OBJECTED
        if len(_allowed_again(self._overlay, overlay)):
            _name_people(self.model, np.union1d(read_people(self.model).keys, _people_of(self.loader)))
        self._overlay = overlay


@contextmanager
def tracked(
    place: str | Path,
    version: str,
    *,
    run: str | None = None,
    max_staleness: timedelta = MAX_STALENESS,
) -> Iterator[Tracked]:
    """Put a training of your own on record, and hand out its rows for as long as they may be used.

    In one process: rows that go to other processes are handed out before anybody knows that they are.

    Args:
        place: the folder of a workspace.
        version: which version to train on.
        run: what the run is called, by default as the version; one more training of a run is its next model.
        max_staleness: for how long the register's head may be out of reach before it stops.

    Raises:
        UsageError: when there is no such version, or the name is taken by a run of demur's own loop.
        WorkspaceError: when there is no workspace, or another process trains this run.
        DemurError: as :func:`demur.load`.
    """
    workspace = find(Path(place))
    often = min(CHECK_EVERY, max_staleness)
    with (
        load(place, version, check_every=often, max_staleness=max_staleness) as loader,
        workspace.register() as register,
    ):
        folder = _folder(workspace, (run or version).lower())
        with folder.held("train"):
            began = datetime.now(UTC)
            model = folder.begin_model()
            write_facts(model, Facts(int(model.number), None, version, as_of(register), _pins(), began))
            training = Tracked(model, loader, _overlay=loader.look())
            _name_people(model, _people_of(loader))
            try:
                yield training
            except BaseException:
                _record(register, training, "failed")
                raise
            _record(register, training, "finished" if training.stopped is None else "stopped")


def _folder(workspace: Workspace, name: str) -> RunFolder:
    """A new run, or one of earlier trainings by loops of somebody's own."""
    known = RunFolder(workspace.models_path, name)
    if known.is_tracked:
        return known
    return begin_run(workspace.models_path, name)


def _record(register: Register, training: Tracked, ended: str) -> None:
    """Put it on record, however it ended: weights may have been saved on the way."""
    facts = read_facts(training.model)
    said: dict[str, JSON] = {
        "version": facts.version,
        "checkpoint": facts.checkpoint.facts(),
        "environment": dict(facts.environment),
        "ended": ended,
        **roots_of(np.asarray(read_people(training.model).keys)).facts(),
    }
    write_facts(training.model, replace(facts, finished=datetime.now(UTC), state=ModelState.FINISHED))
    note_trained(register, training.model, said)


def _people_of(loader: Loader) -> SubjectKeys:
    """Everybody who wrote or is in a row that may be handed out now; sorted, shape (n,)."""
    found: set[str] = set()
    for batch in loader.batches():
        found.update(pc.unique(batch.column("author").drop_null()).to_pylist())
        found.update(pc.unique(batch.column("subjects").flatten().drop_null()).to_pylist())
    return np.array(sorted(int(digits, 16) for digits in found), np.int64)


def _name_people(model: ModelFolder, keys: SubjectKeys) -> None:
    """Put down who may be in a model: nothing of it is from before them, as far as anybody can tell."""
    write_people(model, People(keys, np.zeros(len(keys), np.int32)))


def _withdrawn(before: Overlay, after: Overlay) -> Places:
    """Places whose rows may not be used any more, or not as they were."""
    places, at, was = np.intersect1d(after.changed, before.changed, return_indices=True)
    texts = (each.rows.column("text").take(rows) for each, rows in ((after, at), (before, was)))
    same = np.array([one == other for one, other in zip(*(each.to_pylist() for each in texts), strict=True)], bool)
    return np.concatenate(
        [
            np.setdiff1d(after.gone, before.gone),
            np.setdiff1d(after.changed, before.changed),
            places[~same],
        ]
    )


def _allowed_again(before: Overlay, after: Overlay) -> Places:
    """Places whose rows may be used again, as they were or more of them."""
    out, still = (np.concatenate([each.gone, each.changed]) for each in (before, after))
    return np.union1d(np.setdiff1d(out, still), np.setdiff1d(before.gone, after.gone))


def _pins() -> Mapping[str, str]:
    """What trains here, as far as it is known: names and versions."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PINS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not installed, or run from a source tree
            continue
    return found
