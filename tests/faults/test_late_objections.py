"""An objection at any moment of a command is honoured by it, or by the next one; never by none.

While honour, publish, import and maintain run, somebody objects between two of their steps: at every second step in
`make test`, at all of them in `make soak`.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register import Register
from demur.register.database.entries import Log
from demur.register.members.standing import Standing
from demur.terms import EntryKind
from demur.versions import leave
from demur.versions.export import ExportReport, export_rows
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
STEPS: Final = (
    *((Standing, name) for name in ("changes", "snapshot")),
    *((Log, name) for name in ("head", "append", "append_if")),
    *((Register, name) for name in ("state", "set_state")),
    *((Corpus, name) for name in ("write", "commit", "batches", "concerning")),
)
LATE: Final = "forum:cyd"


def items() -> Iterator[Any]:
    text = "@cyd said so"
    yield batch(
        item(f"{author}{number}", f"forum:{author}", text, spans=[span(0, 4, "mention", LATE)])
        for author in ("ann", "bob", "cyd")
        for number in range(3)
    )


COMMANDS: Final[dict[str, Callable[[Workspace], object]]] = {
    "honour": lambda workspace: honour(workspace, now=NOW),
    "import": lambda workspace: import_items(workspace, "table", items(), now=NOW),
    "publish": lambda workspace: publish(workspace, "v1", now=NOW),
    "maintain": lambda workspace: maintain(workspace, now=NOW),
}


@cache
def _template() -> Path:
    """A workspace with rows and an objection, made once and copied for every step."""
    root = Path(tempfile.mkdtemp(prefix="demur-late-", dir=RAM if RAM.is_dir() else None)) / "w"
    atexit.register(shutil.rmtree, root.parent)
    workspace = workspaces.create(root, open_policy())
    import_items(workspace, "table", items(), now=NOW)
    object_to(workspace, "forum:ann")
    return root


def prepared(folder: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(_template(), folder / "w")))


def object_to(workspace: Workspace, account: str) -> int:
    """Lodges an objection by another connection; its entry."""
    with workspace.register() as register:
        return register.objections.lodge([account], channel="mail", now=NOW).seq


class Interruption:
    """Lodges the late objection before the n-th step that a command takes."""

    def __init__(self, workspace: Workspace, at: int, patch: pytest.MonkeyPatch) -> None:
        self.workspace, self.at, self.seq = workspace, at, 0
        self._steps = 0
        self._busy = False
        for owner, name in STEPS:
            patch.setattr(owner, name, self._stepping(getattr(owner, name)))

    def _stepping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: object, **kwargs: object) -> object:
            if not self._busy:
                self._steps += 1
                if self._steps == self.at:
                    self._busy = True
                    self.seq = object_to(self.workspace, LATE)
            return function(*args, **kwargs)

        return step


def traces(workspace: Workspace, rows: Iterator[Any]) -> list[dict[str, Any]]:
    """Rows by or about the late objector."""
    key = workspace.keys().pepper.subject_key(LATE)
    return [row for part in rows for row in part.to_pylist() if row["author"] == key or key in row["subjects"]]


def corpus_traces(workspace: Workspace) -> list[dict[str, Any]]:
    with reading(workspace, NOW) as session:
        return traces(workspace, session.corpus.batches())


@pytest.mark.parametrize("begin", [1, pytest.param(2, marks=pytest.mark.soak)], ids=["odd", "even"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_objection_between_any_two_steps_is_honoured(
    command: str, begin: int, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(begin, 1000, 2):
        folder = fast_tmp / str(at)
        folder.mkdir()
        workspace = prepared(folder)
        with monkeypatch.context() as patch:
            interruption = Interruption(workspace, at, patch)
            COMMANDS[command](workspace)
        if not interruption.seq:
            assert at > 5, "the command took hardly a step"
            return
        if command == "publish":
            check_version(workspace, interruption.seq)
        honour(workspace, now=NOW)
        assert not corpus_traces(workspace), f"objected before step {at}"


def check_version(workspace: Workspace, lodged: int) -> None:
    """Law 3: a version honours what was acknowledged before its entry."""
    with workspace.register() as register:
        [entry] = register.log.entries(EntryKind.VERSION_PUBLISHED)
    found = traces(workspace, rows_of(workspace, "v1"))
    assert bool(found) == (lodged > entry.seq)
    assert verify(workspace, "v1", now=NOW).ok
    assert verify(workspace, "v1", current=True, now=NOW).ok == (lodged < entry.seq)


def test_an_export_that_becomes_stale_while_it_is_written_is_refused(
    fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = prepared(fast_tmp)
    publish(workspace, "v1", now=NOW)

    def interrupted(*args: Any, **kwargs: Any) -> ExportReport:  # noqa: ANN401  # whatever export_rows takes
        report = export_rows(*args, **kwargs)
        object_to(workspace, LATE)
        return report

    monkeypatch.setattr(leave, "export_rows", interrupted)
    with pytest.raises(CheckFailed, match="stale"):
        leave.export(workspace, "v1", fast_tmp / "out", now=NOW)
    assert not (fast_tmp / "out").exists()
