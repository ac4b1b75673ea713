"""A second process on a workspace while one imports: objecting and reading work, a second writer is turned away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import WorkspaceError
from demur.terms import EntryKind
from demur.versions.publish import publish
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

SLOW_IMPORT: Final = """
import sys
from pathlib import Path
from making import NOW, batch, item, span
from demur.corpus import gathering
from demur.corpus.importing import import_items
from demur.workspace import Workspace

gathering.ROWS = 1

def slowly():
    for number in range(20):
        if number == 15:
            print("half", flush=True)
            assert sys.stdin.readline() == "go on\\n"
        text = f"@ann said {number}"
        mention = span(0, 4, "mention", "forum:ann")
        yield batch([
            item(f"a{number}", "forum:ann", "mine"), item(f"b{number}", "forum:bob", text, spans=[mention]),
        ])

import_items(Workspace(Path(sys.argv[1])), "table", slowly(), now=NOW)
"""
"""It stops once more than the first batches were read and governed, and waits for a word."""


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    """One earlier import: an item of bob's that the next import reads again, and one of cyd's."""
    workspace = workspaces.create(fast_tmp / "w", open_policy())
    items = [item("b0", "forum:bob", "before"), item("c", "forum:cyd", "hello")]
    import_items(workspace, "table", iter([batch(items)]), now=NOW)
    return workspace


@pytest.fixture
def importing(workspace: Workspace) -> Iterator["subprocess.Popen[str]"]:
    """A process in the middle of an import."""
    command = [sys.executable, "-c", SLOW_IMPORT, str(workspace.root)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        yield process
        if process.poll() is None:
            process.kill()


def finish(process: "subprocess.Popen[str]") -> None:
    _, errors = process.communicate("go on\n", timeout=60)
    assert (process.returncode, errors) == (0, "")


def rows(workspace: Workspace) -> list[dict[str, Any]]:
    with reading(workspace, NOW) as session:
        return [row for part in session.corpus.batches() for row in part.to_pylist()]


def test_an_objection_during_an_import_binds_what_it_brings(
    workspace: Workspace, importing: "subprocess.Popen[str]"
) -> None:
    with workspace.register() as register:
        register.objections.lodge(["forum:ann"], channel="mail", now=NOW)
        ann, bob = workspace.keys().pepper.subject_keys(["forum:ann", "forum:bob"]).tolist()
    finish(importing)
    found = rows(workspace)
    assert not [row for row in found if row["author"] == ann or ann in row["subjects"]]
    assert sorted(row["text"] for row in found if row["author"] == bob) == sorted(
        f"[person] said {number}" for number in range(20)
    )
    with workspace.register() as register:
        assert [entry.payload["deleted"] for entry in register.log.entries(EntryKind.CORPUS_HONOURED)] == [20]


def test_readers_see_the_corpus_as_it_was_before_the_import(
    workspace: Workspace, importing: "subprocess.Popen[str]"
) -> None:
    assert sorted(row["text"] for row in rows(workspace)) == ["before", "hello"]
    finish(importing)
    assert sorted(row["text"] for row in rows(workspace))[:2] == ["[person] said 0", "[person] said 1"]
    assert len(rows(workspace)) == 41


def test_a_second_writer_is_told_who_writes(workspace: Workspace, importing: "subprocess.Popen[str]") -> None:
    writers = (
        lambda: import_items(workspace, "table", iter([batch([item("x")])]), now=NOW),
        lambda: publish(workspace, "v1", now=NOW),
        lambda: honour(workspace, now=NOW),
        lambda: maintain(workspace, now=NOW),
    )
    for write in writers:
        with pytest.raises(WorkspaceError, match=rf"\(pid {importing.pid}, `demur import`\).*wait for it to finish"):
            write()
    finish(importing)
    assert publish(workspace, "v1", now=NOW).content.rows == 41


def test_readers_see_the_corpus_as_it_was_after_the_import_was_killed(
    workspace: Workspace, importing: "subprocess.Popen[str]"
) -> None:
    importing.kill()
    importing.wait()
    assert sorted(row["text"] for row in rows(workspace)) == ["before", "hello"]
    assert publish(workspace, "v1", now=NOW).content.rows == 2


POOLED_IMPORT: Final = """
import sys, time
from pathlib import Path
from making import NOW, batch, item
from demur.corpus import gathering
from demur.corpus.importing import import_items
from demur.workspace import Workspace

gathering.ROWS = 1

def endless():
    number = 0
    while True:
        number += 1
        yield batch([item(str(number))])
        if number > 20:
            time.sleep(0.01)

if __name__ == "__main__":
    def told(count, seen=[0]):
        seen[0] += count
        if seen[0] == 40:
            print("half", flush=True)
    import_items(Workspace(Path(sys.argv[1])), "table", endless(), workers=2, now=NOW, progress=told)
"""
"""An import that goes on for ever, on two workers."""


def test_the_workers_of_a_killed_import_end_too(workspace: Workspace, tmp_path: Path) -> None:
    script = tmp_path / "pooled.py"  # spawned workers load the main module from its file
    script.write_text(POOLED_IMPORT)
    command = [sys.executable, str(script), str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        said, workers = process.stdout.readline(), children(process.pid)
        process.kill()
    assert said == b"half\n"
    assert len(workers) >= 2
    deadline = time.monotonic() + 20
    while (left := [worker for worker in workers if Path(f"/proc/{worker}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left
    assert sorted(row["text"] for row in rows(workspace)) == ["before", "hello"]


def children(process: int) -> list[int]:
    """The processes that a process started, from whichever of its threads."""
    told = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for each in told for number in each.read_text().split()]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
