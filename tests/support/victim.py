"""Commands that are killed: a nursery that loads demur once and forks one child for each command.

Invariants: a child is a process of its own and dies by SIGKILL, from its own hand at a given call of a given function
(before or after it) or from outside after a given time; the nursery itself never touches a corpus, because Lance must
not be forked while it runs.
"""

import functools
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import import_module
from inspect import getattr_static
from pathlib import Path
from typing import Any, Final, Self

import albums
import pyarrow as pa
import talking
from making import NOW, batch, item, span
from silence import doubted

from demur.backup import back_up, restore
from demur.backup.restoring import Source
from demur.corpus import gathering
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.rights.erasing import erase
from demur.versions.publish import publish, retire
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

gathering.ROWS = 200  # type: ignore[misc]  # a constant but here: an import is cut off between its batches, too

PEOPLE: Final = 40
ITEMS: Final = 1_000
LATER: Final = NOW + timedelta(days=1)
"""When the commands run that are killed; the workspace was made at NOW."""

STEPS: Final = (
    "demur.corpus.datasets.corpus:Corpus.create",
    "demur.corpus.datasets.corpus:Corpus.write",
    "demur.corpus.datasets.corpus:Corpus.commit",
    "demur.corpus.datasets.corpus:Corpus.restore",
    "demur.corpus.datasets.corpus:Corpus.index",
    "demur.corpus.datasets.pictures:Pictures.begin",
    "demur.corpus.datasets.pictures:Pictures.commit",
    "demur.corpus.datasets.pictures:Pictures.tidy",
    "demur.corpus.journal:begin",
    "demur.corpus.journal:end",
    "demur.corpus.journal:write_durably",
    "demur.corpus.scratch.spool:Spool.add",
    "demur.corpus.scratch.spool:Spool.supersede",
    "demur.corpus.scratch.spool:Spool.write_ledger",
    "demur.corpus.outcomes:carry_on",
    "demur.versions.digests:Digester.add",
    "demur.versions.digests:Digester.finish",
    "demur.suppression.lists:SuppressionList.write",
    "demur.register.database.entries:Log.append",
    "demur.register.database.entries:Log.append_if",
    "demur.register:Register.set_state",
    "demur.register.database.entries:Log.note_policy",
    "demur.register.persons:Persons.note",
    "demur.register.persons:Persons.destroy",
    "demur.register.persons:Persons.scrub",
    "demur.register.persons:Persons.finished",
    "demur.register.objections.objections:Objections.lapse_overdue",
    "lance.dataset:DatasetOptimizer.compact_files",
    "lance.dataset:DatasetOptimizer.optimize_indices",
    "lance.dataset:LanceDataset.cleanup_old_versions",
    "lance.dataset:LanceDataset.commit",
    "lance.dataset:LanceDataset.create_scalar_index",
    "lance.dataset:LanceDataset.restore",
    "lance.dataset:LanceDataset.update_config",
    "lance.dataset:Tags.create",
    "lance.dataset:Tags.delete",
    "lance.fragment:LanceFragment.delete",
    "os:fsync",
    "pathlib:Path.mkdir",
    "pathlib:Path.replace",
    "pathlib:Path.unlink",
    "shutil:rmtree",
)
"""The functions whose calls change something, or begin or end a change: ``module:name``."""


@dataclass(frozen=True)
class Kill:
    """The moment at which a child kills itself."""

    step: str
    """One of :data:`STEPS`."""
    call: int
    """Which call of it, from 1."""
    after: bool
    """Once the call has returned, instead of before it."""


def readings(*, edited: bool = False) -> Iterator[pa.RecordBatch]:
    """The community's items; edited: every third has a new text, some are gone or private, some are new or twice."""
    names = [str(number) for number in range(ITEMS)]
    if edited:
        names = [*names[::2], *names[:60:7], *(f"new{number}" for number in range(100))]
    for start in range(0, len(names), gathering.ROWS):
        yield batch(
            _reading(name, number, edited=edited)
            for number, name in enumerate(names[start : start + gathering.ROWS], start)
        )


def author(number: int) -> str:
    return f"forum:u{number % PEOPLE}"


def _reading(name: str, number: int, *, edited: bool) -> dict[str, Any]:
    other = f"@u{number * 7 % PEOPLE}"
    text = f"{other} says item {name}{' again' if edited and number % 3 == 0 else ''}, and {other} means it"
    spans = [span(0, len(other), "mention", f"forum:{other[1:]}")]
    hidden = {"deleted": number % 10 == 3, "audience": "followers" if number % 10 == 5 else "public"} if edited else {}
    return item(name, author(number), text, spans=spans, **hidden)


def _older(place: Path) -> Source:
    """A backup that lies beside the workspace, with the keys that belong to it."""
    return Source(place / "older", keys=place / "keys")


COMMANDS: Final[dict[str, Callable[[Workspace], object]]] = {
    "first import": lambda workspace: import_items(workspace, "table", readings(), now=LATER),
    "import": lambda workspace: import_items(workspace, "table", readings(edited=True), now=LATER),
    "honour": lambda workspace: honour(workspace, now=LATER),
    "publish": lambda workspace: publish(workspace, "v2", now=LATER),
    "retire": lambda workspace: retire(workspace, "v1", now=LATER),
    "maintain": lambda workspace: maintain(workspace, now=LATER),
    "import words": lambda workspace: import_items(workspace, "table", iter([batch(talking.MORE)]), now=LATER),
    "honour words": lambda workspace: honour(workspace, now=LATER),
    "import pictures": lambda workspace: albums.import_more(workspace, LATER),
    "honour pictures": lambda workspace: honour(workspace, now=LATER),
    "erase": lambda workspace: erase(workspace, "forum:flora.quince", now=LATER),
    "backup": lambda workspace: back_up(workspace, workspace.root.parent / "backup", None, now=LATER),
    "restore": lambda workspace: restore(_older(workspace.root.parent), workspace.root, now=LATER),
}


class Nursery:
    """A process that runs commands in children; use as a context manager."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", __file__]  # Lance warns of forks: see the module's docstring
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with self._process:  # which waits for it, and closes its pipes
            self._process.stdin.close()

    def steps(self, root: Path, command: str) -> list[tuple[str, int]]:
        """Runs a command to its end; the steps it took, in order, each with the number of its call."""
        answer = self._ask(root=str(root), command=command, trace=True)
        assert answer["exit"] == 0, answer
        return [(step, call) for step, call in answer["trace"]]

    def run(self, root: Path, command: str, kill: Kill | None = None, seconds: float | None = None) -> int:
        """Runs a command that is killed at a step, or after some time; its exit status, -9 when it was killed."""
        told = None if kill is None else asdict(kill)
        return int(self._ask(root=str(root), command=command, kill=told, seconds=seconds)["exit"])

    def _ask(self, **order: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(_child(**order)) + "\n")
        sys.stdout.flush()


def _child(
    root: str,
    command: str,
    kill: dict[str, Any] | None = None,
    seconds: float | None = None,
    *,
    trace: bool = False,
) -> dict[str, Any]:
    """Forks, runs the command in the child, and says how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            told = _watch(Kill(**kill) if kill else None)
            COMMANDS[command](Workspace(Path(root)))
            code = 0
            os.write(writer, json.dumps(told if trace else []).encode())
        except BaseException:  # noqa: BLE001  # the child ends here, whatever it met, and says what that was
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writer)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"exit": os.waitstatus_to_exitcode(status), "trace": json.loads(said or b"[]")}


def _watch(kill: Kill | None) -> list[tuple[str, int]]:
    """Replaces every step by one that counts its calls, notes them, and kills this process at the right one."""
    calls: dict[str, int] = {}
    told: list[tuple[str, int]] = []

    def watched(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: object, **kwargs: object) -> object:
            number = calls[step] = calls.get(step, 0) + 1
            told.append((step, number))
            here = kill is not None and (kill.step, kill.call) == (step, number)
            if here and kill is not None and not kill.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if here:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for step in STEPS:
        module, _, name = step.partition(":")
        owner: Any = import_module(module)
        *parents, last = name.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        plain = getattr_static(owner, last)  # which leaves a class method what it is
        if isinstance(plain, classmethod | staticmethod):
            setattr(owner, last, type(plain)(watched(step, plain.__func__)))
        else:
            setattr(owner, last, watched(step, plain))
    return told


def prepare(workspace: Workspace, *, overdue: bool) -> None:
    """What stands before the command: two imports, a published version, objections not yet honoured.

    Args:
        workspace: a new one.
        overdue: whether one of the objections lapses before the command, as it is doubted and nobody answers.
    """
    import_items(workspace, "table", readings(), now=NOW)
    with workspace.register() as register:
        register.objections.lodge([author(5)], channel="mail", now=NOW)
    publish(workspace, "v1", now=NOW)
    import_items(workspace, "table", readings(), now=NOW)
    with workspace.register() as register:
        register.objections.lodge([author(3), author(11)], channel="mail", now=NOW)
        typed = register.objections.lodge([author(17)], channel="typed-in", now=NOW)
        if overdue:
            doubted(register, typed.reference, NOW + timedelta(hours=1))
            register.objections.lodge([author(11)], channel="mail", now=NOW)


if __name__ == "__main__":
    _serve()
