"""The folders of runs: where each part lies, which runs and models there are, and which checkpoints they still have.

::

    models/RUN/
      config.json base.json key classes.parquet tokenizer/     what all of its models share
      serving.json                                             which checkpoint serves (pointer.py)
      0001/                                                    a model: one training, or one replay
        run.json plan.parquet log.bin people.keys people.steps certificate.json audit.json audit.family.json
        checkpoints/STEP/                                      the state after STEP steps; 0 is the base

Invariants: a name is one folder's and nothing else (no separator, no leading dot); folders have mode 0700; what is
being made stands under a name that begins with a dot, and is no checkpoint until it is whole.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demur.errors import CorpusError, UsageError, WorkspaceError, suggestion
from demur.files import exclusive, is_held, make_folder, sync
from demur.runs.reading import read_json

MODELS: Final = "models"
"""The folder of all runs, in a workspace."""
PLAN: Final = "plan.parquet"
LOG: Final = "log.bin"
FACTS: Final = "run.json"
CERTIFICATE: Final = "certificate.json"
AUDIT: Final = "audit.json"
KEYS: Final = "people.keys"
STEPS: Final = "people.steps"
CHECKPOINTS: Final = "checkpoints"
POINTER: Final = "serving.json"
_COHORT: Final = ".c"
"""What stands between the name of a family and the number of a cohort."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NUMBER: Final = re.compile(r"\d{4}")
_STEP: Final = re.compile(r"0|[1-9]\d{0,9}")


@dataclass(frozen=True)
class ModelFolder:
    """One model of a run: a training, or a replay."""

    run: "RunFolder"
    number: str
    """Four digits."""

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.run.path / self.number

    @property
    def name(self) -> str:
        """``RUN/0001``, as a certificate names its parent."""
        return f"{self.run.name}/{self.number}"

    @property
    def plan(self) -> Path:
        """Which rows stood in which step."""
        return self.path / PLAN

    @property
    def log(self) -> Path:
        """The chained records of its steps."""
        return self.path / LOG

    @property
    def facts(self) -> Path:
        """What it is (facts.py)."""
        return self.path / FACTS

    @property
    def certificate(self) -> Path:
        """What is signed of it."""
        return self.path / CERTIFICATE

    @property
    def audit(self) -> Path:
        """What its last audit found; there where it was audited."""
        return self.path / AUDIT

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / CHECKPOINTS

    def checkpoint(self, step: int) -> Path:
        """The folder of the state after ``step`` steps."""
        return self.checkpoints / str(step)

    def steps(self) -> list[int]:
        """The steps after which there is a checkpoint, ascending."""
        found = self.checkpoints.iterdir() if self.checkpoints.is_dir() else iter(())
        return sorted(int(path.name) for path in found if _STEP.fullmatch(path.name) and path.is_dir())

    def newest_clean(self, first: int | None) -> int | None:
        """The last checkpoint that has seen nothing of step ``first`` and later; None where none is left.

        Args:
            first: number of the first step that must not be in it; None where every step may.
        """
        return max((step for step in self.steps() if first is None or step <= first), default=None)


@dataclass(frozen=True)
class RunFolder:
    """One run."""

    models_path: Path
    """The workspace's ``models``."""
    name: str

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.models_path / self.name

    @property
    def pointer(self) -> Path:
        """Which checkpoint serves."""
        return self.path / POINTER

    @property
    def config(self) -> Path:
        """The whole configuration, canonical JSON."""
        return self.path / "config.json"

    @property
    def base(self) -> Path:
        """What it began from."""
        return self.path / "base.json"

    @property
    def key(self) -> Path:
        """32 random bytes that order rows."""
        return self.path / "key"

    @property
    def classes(self) -> Path:
        """The class of each person, as it was recorded first."""
        return self.path / "classes.parquet"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's folder."""
        return self.path / "tokenizer"

    @property
    def is_tracked(self) -> bool:
        """Whether trainers of somebody's own made its models, which can neither be replayed nor serve here."""
        return bool(self.models()) and not self.config.exists()

    def model(self, number: str) -> ModelFolder:
        """One of its models, whether or not it is there."""
        return ModelFolder(self, number)

    def models(self) -> list[ModelFolder]:
        """Its models, oldest first."""
        found = self.path.iterdir() if self.path.is_dir() else iter(())
        return [self.model(name) for name in sorted(path.name for path in found if _NUMBER.fullmatch(path.name))]

    def begin_model(self) -> ModelFolder:
        """The folder of the next model, made now."""
        last = max((int(model.number) for model in self.models()), default=0)
        model = self.model(f"{last + 1:04d}")
        make_folder(model.path)
        make_folder(model.checkpoints)
        sync(self.path)
        return model

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Be the one process that trains or replays this run; it ends with the process, however that ends.

        Raises:
            WorkspaceError: when another process is.
        """
        with exclusive(self._lock, command.encode()) as other:
            if other is not None:
                doing = other.decode(errors="replace") or "train"
                raise WorkspaceError(f"Another demur (`demur {doing}`) works on the run {self.name}: wait for it.")
            yield

    def is_held(self) -> bool:
        """Whether a process trains or replays it right now."""
        return is_held(self._lock)

    @property
    def _lock(self) -> Path:
        return self.path / ".lock"

    @contextmanager
    def pointing(self) -> Iterator[None]:
        """Be the one who reads and moves the pointer, for the moment that this takes; others wait."""
        descriptor = os.open(self.path / ".pointing", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def runs_in(models: Path) -> list[RunFolder]:
    """The runs of a workspace, by name.

    Args:
        models: its folder ``models``, which need not be there.
    """
    found = models.iterdir() if models.is_dir() else iter(())
    return [RunFolder(models, name) for name in sorted(path.name for path in found if _is_run(path))]


def find_run(models: Path, name: str) -> RunFolder:
    """The run of that name.

    Raises:
        UsageError: when there is none.
    """
    known = {run.name: run for run in runs_in(models)}
    if name not in known and (several := _cohorts(models, name)):
        raise UsageError(
            f"{name} is a family of {several} cohorts, each a run of its own: name one, such as "
            f"{cohort_named(name, 1)}."
        )
    if name not in known:
        raise UsageError(f"There is no run {name!r}: {suggestion(name, known)}")
    return known[name]


def find_replayable(models: Path, name: str) -> RunFolder:
    """The run of that name, whose models demur's own loop made.

    Raises:
        UsageError: when there is none, or it is one of a trainer of somebody's own.
    """
    run = find_run(models, name)
    if run.is_tracked:
        raise UsageError(
            f"The run {name} was trained by a trainer of your own, which has its weights: ask it there; after an "
            "objection publish a version, and train it there again."
        )
    return run


def cohort_named(name: str, number: int) -> str:
    """What the run of a cohort is called."""
    return f"{name}{_COHORT}{number}"


def called(models: Path, name: str) -> list[RunFolder]:
    """The runs behind a name: the one that is called so, or a family's cohorts in their order.

    Raises:
        UsageError: when there is none, or a cohort of it is missing.
    """
    return [find_run(models, each.name) for each in _cohorts_of(models, name) or [RunFolder(models, name)]]


def answering(models: Path, name: str) -> list[RunFolder]:
    """The runs that answer to a name together, as :func:`called` gives them.

    Raises:
        UsageError: as there, or when it is one of a trainer of somebody's own.
    """
    return [find_replayable(models, each.name) for each in called(models, name)]


def by_name(models: Path) -> dict[str, list[RunFolder]]:
    """The names that answer, with the runs behind each: a family's cohorts stand under the family's name alone."""
    names = dict.fromkeys(family_of(run) or run.name for run in runs_in(models))
    return {name: _cohorts_of(models, name) or [RunFolder(models, name)] for name in names}


def family_of(run: RunFolder) -> str | None:
    """The name of the family of which a run is a cohort; None for a run of its own, or where it can't be told."""
    name = run.name.rpartition(_COHORT)[0]
    try:
        return name if run in _cohorts_of(run.models_path, name) else None
    except CorpusError:  # its first cohort is damaged: each stands for itself
        return None


def _cohorts_of(models: Path, name: str) -> list[RunFolder]:
    """The cohorts of the family of that name, there or missing; none where a run is called so, or there is none."""
    number = 0 if RunFolder(models, name).path.is_dir() else _cohorts(models, name)
    return [RunFolder(models, cohort_named(name, each)) for each in range(1, number + 1)]


def _cohorts(models: Path, name: str) -> int:
    """How many cohorts the family of that name has; 0 where there is none."""
    config = RunFolder(models, cohort_named(name, 1)).config
    if not _NAME.fullmatch(name) or not config.exists():
        return 0
    said = read_json(config).get("cohorts", 0)
    return said if isinstance(said, int) else 0


def begin_run(models: Path, name: str) -> RunFolder:
    """The folder of a new run, made now.

    Raises:
        UsageError: when the name is malformed or taken.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't name a run: use up to 64 lower-case letters, digits, dots, dashes and underscores, and "
            "begin with a letter or a digit."
        )
    run = RunFolder(models, name)
    if run.path.exists() or _cohorts(models, name):
        raise UsageError(f"There is a run {name} already: choose another name, or replay it (`demur replay {name}`).")
    make_folder(models)
    make_folder(run.path)
    sync(models)
    return run


def _is_run(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and path.is_dir()
