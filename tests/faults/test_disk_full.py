"""A full disk: one sentence, the workspace as it was, and the same command finishes once there is room.

A memory-backed file system of a few megabytes is mounted for it, which needs root and the right to mount.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any, Final, NoReturn

import pytest
from calling import PYTHON
from disks import small_disk
from making import open_policy
from victim import COMMANDS, LATER, prepare

from demur import workspace as workspaces
from demur.corpus.session import reading
from demur.errors import DemurError
from demur.terms import EntryKind
from demur.versions.leave import export, verify
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

SIZE: Final = 4 << 20
FILLER: Final = "filler"
TIGHT: Final = (0, 40, 96, 160)
"""Kilobytes that are left: too little for any of the commands, each time at another point."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every command has something to do; copied, never changed."""
    root = tmp_path_factory.mktemp("full") / "w"
    prepare(workspaces.create(root, open_policy()), overdue=False)
    return root


@pytest.fixture
def disk(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A small disk, empty."""
    with small_disk(tmp_path / "disk", SIZE, missing) as place:
        yield place


@pytest.fixture
def small(disk: Path, prepared: Path) -> Workspace:
    """The prepared workspace on the small disk."""
    copytree(prepared, disk / "w")
    return Workspace(disk / "w")


def fill(disk: Path, left: int) -> None:
    """Takes all room but ``left`` kilobytes."""
    room = os.statvfs(disk)
    with (disk / FILLER).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - left * 1024)


def rows(workspace: Workspace) -> list[dict[str, Any]]:
    with reading(workspace, LATER) as session:
        found = [row for batch in session.corpus.batches(["item", "text"]) for row in batch.to_pylist()]
    return sorted(({"item": row["item"], "text": row["text"]} for row in found), key=lambda row: bytes(row["item"]))


def undisturbed(prepared: Path, folder: Path, command: str) -> list[dict[str, Any]]:
    copytree(prepared, folder)
    COMMANDS[command](Workspace(folder))
    return rows(Workspace(folder))


def is_one_sentence(message: str) -> bool:
    return message.endswith(".") and "\n" not in message and "Traceback" not in message


@pytest.mark.parametrize("left", TIGHT)
@pytest.mark.parametrize("command", ["import", "publish"])
def test_a_full_disk_is_one_sentence_and_leaves_the_workspace_usable(
    small: Workspace, prepared: Path, tmp_path: Path, command: str, left: int
) -> None:
    before, expected = rows(small), undisturbed(prepared, tmp_path / "roomy", command)
    honoured = undisturbed(prepared, tmp_path / "honoured", "honour")
    fill(small.root.parent, left)
    with pytest.raises(DemurError) as told:
        COMMANDS[command](small)
    assert is_one_sentence(str(told.value))
    (small.root.parent / FILLER).unlink()
    assert rows(small) in (before, honoured)
    COMMANDS[command](small)
    assert rows(small) == expected
    assert all(verify(small, name, now=LATER).ok for name in _versions(small))


def test_after_a_full_disk_maintenance_clears_what_was_half_done(small: Workspace) -> None:
    fill(small.root.parent, 96)
    with pytest.raises(DemurError):
        COMMANDS["publish"](small)
    (small.root.parent / FILLER).unlink()
    maintain(small, now=LATER)
    assert {path.name for path in small.versions_path.iterdir()} == {"v1.json", "v1.rows"}
    assert _versions(small) == ["v1"]


def test_the_corpus_can_be_read_while_the_disk_is_full(small: Workspace) -> None:
    before = rows(small)
    fill(small.root.parent, 40)
    with pytest.raises(DemurError):
        COMMANDS["import"](small)
    assert rows(small) == before


def test_an_export_to_a_full_disk_leaves_nothing_there(disk: Path, prepared: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    copytree(prepared, workspace.root)
    COMMANDS["publish"](workspace)
    fill(disk, 24)
    with pytest.raises(DemurError) as told:
        export(workspace, "v2", disk / "out", now=LATER)
    assert is_one_sentence(str(told.value))
    assert {path.name for path in disk.iterdir()} == {FILLER}
    (disk / FILLER).unlink()
    assert export(workspace, "v2", disk / "out", now=LATER).rows == len(rows(workspace))
    assert verify(workspace, "v2", export=disk / "out", now=LATER).ok


def test_the_command_line_says_it_in_one_sentence(small: Workspace) -> None:
    fill(small.root.parent, 96)
    command = [*PYTHON, "publish", "v2", "--workspace", str(small.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert is_one_sentence(done.stderr.strip())
    (small.root.parent / FILLER).unlink()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert _versions(small) == ["v1", "v2"]


def _versions(workspace: Workspace) -> list[str]:
    with workspace.register() as register:
        return [str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_PUBLISHED)]
