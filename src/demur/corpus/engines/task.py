"""What a worker of a cluster is given, does, and gives back; the same function on Ray and on Spark.

Invariants: what people wrote, and the pepper, are sealed under a key of this one import wherever an engine may put them
down (an object store that spills, a block that is evicted, a temporary file); the key is in no file. A worker reads the
rules once. It writes the rows that it keeps as fragments of the corpus, that no version has: those of an attempt whose
result is not the one that counts are never committed, and go with the next command that finds the journal. Of an error
its type and place alone leave the worker: engines log what is raised, and its words may quote what somebody wrote.
"""

import hashlib
import json
import pickle
import platform
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa

from demur.corpus.carried import Carried
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.pool import Asked
from demur.identity import seal, unseal
from demur.kernel import schema
from demur.kernel.govern import Answer, govern_to_store
from demur.kernel.rules import Rules

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata

TASKS: Final = pa.schema([("number", pa.int64()), ("sealed", pa.binary())])
"""A row is one task, or what came of it: its number in the stream, and what :func:`closed` made of it."""

_WRITTEN: Final = pa.RecordBatch.from_pylist([], schema=schema.STORED)
"""Instead of kept rows that are on disk already: a slice of them would travel as a whole."""
_SOFTWARE: Final = ("demur", "pylance", "pyarrow", "numpy")


@dataclass(frozen=True)
class Task:
    """Batches that follow each other in the stream."""

    asked: list[Asked]
    into: tuple[str, dict[str, str] | None] | None
    """Where the corpus is whose fragments the kept rows become, and Lance's storage options; None leaves them in the
    answers."""


@dataclass(frozen=True)
class Done:
    """What came of a task."""

    answers: list[Answer]
    fragments: list[str] = field(default_factory=list)
    """Lance's metadata of each, as JSON."""


@dataclass(frozen=True)
class Refused:
    """What a worker says instead that would not do the same as this process."""

    has: str
    """Its versions."""


@dataclass(frozen=True)
class Told:
    """What workers are told once."""

    software: str
    """The versions that this process has, see :func:`software`."""
    rules: bytes = field(repr=False)
    """The rules but for their arrays, sealed."""


Given = tuple[Told, bytes, memoryview]
"""What a worker knows besides: what it was told, the key, and the arrays of the rules."""

Work = Callable[[pa.RecordBatch, Callable[[], Given]], pa.RecordBatch]
"""As :func:`work`."""


class WorkerError(Exception):
    """What leaves a worker of an error: its type and where it came up, and nothing that it says."""


_opened: dict[bytes, Rules] = {}
"""The rules of the import that this process works for, by :attr:`Told.rules`."""


def work(tasks: pa.RecordBatch, given: Callable[[], Given]) -> pa.RecordBatch:
    """Does some tasks: rows of :data:`TASKS` in, rows of :data:`TASKS` out.

    Args:
        tasks: each with its number.
        given: gives what the worker knows besides.
    """
    told, key, arrays = given()
    results = []
    for sealed in tasks.column("sealed"):
        if (has := software()) != told.software:
            result: Done | Refused = Refused(has)
        else:
            result = _done(opened(key, sealed.as_py()), _rules(told, key, arrays))
        results.append(closed(key, result))
    return pa.RecordBatch.from_arrays([tasks.column("number"), pa.array(results, pa.binary())], schema=TASKS)


def attempted(work: Work, tasks: pa.RecordBatch, given: Callable[[], Given]) -> pa.RecordBatch:
    """Does some tasks as :func:`work`, for an engine that logs, and sends on, what is raised.

    Raises:
        WorkerError: whatever went wrong; what it came from is not attached to it.
    """
    try:
        return work(tasks, given)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise  # how engines end a worker
    except BaseException as error:  # noqa: BLE001  # a panic of Rust's is no Exception
        failed = WorkerError(_told(error))
    raise failed


def _told(error: BaseException) -> str:
    """The type of an error, and the module and line at which it was raised."""
    kind = type(error)
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{kind.__module__}.{kind.__qualname__} in {frame.f_globals.get('__name__')}, line {line}"


def closed(key: bytes, what: object) -> bytes:
    """Something on its way to another process."""
    return seal(key, pickle.dumps(what, pickle.HIGHEST_PROTOCOL))


def opened(key: bytes, sealed: bytes) -> Any:  # noqa: ANN401  # what `closed` was given
    """What was sealed under the key by :func:`closed`, and by nobody else: it would not open."""
    return pickle.loads(unseal(key, sealed))  # noqa: S301  # only who has the key can have made it


@cache
def software() -> str:
    """What decides over what the kernel says and what Lance writes: versions, and a digest of demur's own code.

    Demur's version alone would not tell two checkouts apart.
    """
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    told = {"python": platform.python_version()} | {name: _version(name) for name in _SOFTWARE}
    return ", ".join(f"{name} {told[name]}" for name in told) + f", code {digest.hexdigest()[:12]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _rules(told: Told, key: bytes, arrays: memoryview) -> Rules:
    if told.rules not in _opened:
        pa.set_cpu_count(1)  # workers share a machine
        _opened.clear()
        carried: Carried = opened(key, told.rules)
        _opened[told.rules] = carried.over(arrays)
    return _opened[told.rules]


def _done(task: Task, rules: Rules) -> Done:
    answers = [govern_to_store(batch, rules, context) for batch, context in task.asked]
    if task.into is None:
        return Done(answers)
    fragments = _written([answer.kept for answer in answers if len(answer.kept)], *task.into)
    return Done([replace(answer, kept=_WRITTEN) for answer in answers], fragments)


def _written(kept: Sequence[pa.RecordBatch], uri: str, storage: dict[str, str] | None) -> list[str]:
    return [json.dumps(each.to_json()) for each in Corpus.known_at(uri, storage).write(kept)]


def fragments_of(told: Iterable[str]) -> "list[FragmentMetadata]":
    """The fragments that workers wrote."""
    from lance.fragment import FragmentMetadata  # noqa: PLC0415  # see demur.corpus.datasets.base

    return cast("list[FragmentMetadata]", [FragmentMetadata.from_json(each) for each in told])
