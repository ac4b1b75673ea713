"""A kill -9 at any moment leaves a workspace that the next command finishes.

Each command that writes is killed at every step it takes, before it and after it: a sample of these in `make test`,
all moments alike by chance in `make soak` (``DEMUR_KILLS``, 300 unless given), there also by the clock. After each
kill, readers see the corpus as it was or as it will be; the next command, whichever it is, leaves what an undisturbed
run leaves, and nothing else.
"""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import lance
import pytest
from making import open_policy
from victim import COMMANDS as ALL
from victim import LATER, STEPS, Kill, Nursery, prepare

from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.honour import honour
from demur.corpus.session import reading
from demur.errors import CorpusError, UsageError
from demur.suppression.lists import parts_named
from demur.terms import EntryKind
from demur.versions.leave import verify
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
ELSEWHERE: Final = {
    "erase",
    "backup",
    "restore",
    "import words",
    "honour words",
    "import pictures",
    "honour pictures",
}  # test_*_kills.py
COMMANDS: Final = {name: command for name, command in ALL.items() if name not in ELSEWHERE}
KILLED: Final = -9
SAMPLED: Final = {"first import": 2, "import": 3, "honour": 2, "publish": 2, "retire": 1, "maintain": 2}
"""How many kills of each command `make test` tries."""
SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "300"))

Rows = list[dict[str, Any]]


@dataclass
class Scene:
    """A command, where it starts, and where it ends when nothing disturbs it."""

    command: str
    start: Path
    nursery: Nursery
    kills: list[Kill]
    """Every step of it, before and after."""
    before: Rows
    honoured: Rows
    after: Rows

    def kill(self, root: Path, kill: Kill | None, seconds: float | None = None) -> int:
        """Makes a workspace at ``root`` and lets the command be killed there."""
        shutil.copytree(self.start, root)
        return self.nursery.run(root, self.command, kill, seconds)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def scenes(nursery: Nursery) -> Iterator[Callable[[str], Scene]]:
    """The scene of a command, made when it is first asked for."""
    with TemporaryDirectory(prefix="demur-kills-", dir=RAM if RAM.is_dir() else None) as folder:
        yield cache(partial(_scene, nursery, Path(folder)))


@pytest.fixture
def scene(request: pytest.FixtureRequest, scenes: Callable[[str], Scene]) -> Scene:
    """The scene of the command that the test is parametrised with."""
    return scenes(request.param)


def _scene(nursery: Nursery, home: Path, command: str) -> Scene:
    start, settled, after = (home / f"{command} {part}" for part in ("start", "honoured", "after"))
    workspace = workspaces.create(start, open_policy())
    if command != "first import":
        prepare(workspace, overdue=command == "maintain")
    shutil.copytree(start, settled)
    shutil.copytree(start, after)
    honour(Workspace(settled), now=LATER)
    steps = nursery.steps(after, command)
    kills = [Kill(step, call, after) for step, call in steps for after in (False, True)]
    return Scene(command, start, nursery, kills, *(stored(Workspace(root)) for root in (start, settled, after)))


def stored(workspace: Workspace) -> Rows:
    """What the corpus holds, as a reader sees it now; a corpus that does not exist yet holds nothing."""
    try:
        with reading(workspace, LATER) as session:
            rows = [row for batch in session.corpus.batches() for row in batch.to_pylist()]
    except CorpusError:
        assert not (workspace.corpus_path / "_versions").exists()
        return []
    for row in rows:
        del row[ADDRESS]
    return sorted(rows, key=lambda row: bytes(row["item"]))


def payloads(workspace: Workspace, kind: EntryKind, name: str) -> list[Any]:
    """One field of every entry of a kind."""
    with workspace.register() as register:
        return [entry.payload[name] for entry in register.log.entries(kind)]


def check_next(scene: Scene, workspace: Workspace, first: str) -> None:
    """All that must hold after a kill, when ``first`` is the next command and the killed one follows it."""
    rows = stored(workspace)
    assert rows in (scene.before, scene.honoured, scene.after), "a reader sees something in between"
    finished = len(payloads(workspace, EntryKind.IMPORT_FINISHED, "number"))
    if first == "maintain" and scene.command != "maintain":
        maintain(workspace, now=LATER)
        no_leftovers(workspace)
        if scene.command == "import":
            assert stored(workspace) == (scene.after if finished == 3 else scene.honoured)
        assert len(payloads(workspace, EntryKind.IMPORT_FINISHED, "number")) == finished, "an import is counted once"
    repeat(scene.command, workspace)
    assert scene.command == "retire" or stored(workspace) == scene.after
    no_leftovers(workspace)
    maintain(workspace, now=LATER)
    assert stored(workspace) == (scene.honoured if scene.command == "retire" else scene.after)
    honoured(workspace)
    versions_hold(workspace)
    no_orphans(workspace)


def repeat(command: str, workspace: Workspace) -> None:
    """Runs the command again; a version that was published, or retired, before the kill is so for good."""
    done = {
        "publish": "v2" in payloads(workspace, EntryKind.VERSION_PUBLISHED, "name"),
        "retire": "v1" in payloads(workspace, EntryKind.VERSION_RETIRED, "name"),
    }.get(command, False)
    if not done:
        COMMANDS[command](workspace)
        return
    with pytest.raises(UsageError):
        COMMANDS[command](workspace)


def no_leftovers(workspace: Workspace) -> None:
    """Outside Lance's files there is nothing but what finished imports and versions need."""
    numbers = payloads(workspace, EntryKind.IMPORT_FINISHED, "number")
    assert numbers == list(range(1, len(numbers) + 1))
    published = payloads(workspace, EntryKind.VERSION_PUBLISHED, "name")
    readable = set(published) - set(payloads(workspace, EntryKind.VERSION_RETIRED, "name"))
    assert len(set(published)) == len(published)
    assert journal.read(workspace.root) is None
    folders = {"keys", "versions", "outbox", "imports", "suppression", "corpus.lance", "evidence"}
    files = {
        "demur.toml",
        ".lock",
        ".corpus.json",
        "register.mark",
        "register.db",
        "register.db-wal",
        "register.db-shm",
    }
    assert {path.name for path in workspace.root.iterdir()} <= folders | files
    left_out = {f"{number:06d}.left-out.parquet" for number in numbers[-1:]}
    assert names(workspace.root / "imports") == {f"{number:06d}.parquet" for number in numbers} | left_out
    assert names(workspace.versions_path) == {f"{name}.json" for name in published} | {f"{n}.rows" for n in readable}
    bindings = payloads(workspace, EntryKind.VERSION_PUBLISHED, "binding")
    listed = {name for name in names(workspace.lists_path) if name.endswith(".list")}
    assert {int(name.partition("-")[0]) for name in listed} == set(bindings)
    assert names(workspace.lists_path) - listed == (parts_named(workspace.lists_path) if listed else set())
    assert set(lance.dataset(str(workspace.corpus_path)).tags.list()) == readable


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def honoured(workspace: Workspace) -> None:
    """No row is by, or about, somebody who objected."""
    with workspace.register() as register:
        suppressed = set(register.standing.suppressed().tolist())
    for row in stored(workspace):
        assert not suppressed & {row["author"], *row["subjects"]}


def versions_hold(workspace: Workspace) -> None:
    gone = payloads(workspace, EntryKind.VERSION_RETIRED, "name")
    for name in payloads(workspace, EntryKind.VERSION_PUBLISHED, "name"):
        if name not in gone:
            assert verify(workspace, name, now=LATER).ok


def no_orphans(workspace: Workspace) -> None:
    """Maintenance leaves no data file that neither the head nor a version reads."""
    head = lance.dataset(str(workspace.corpus_path))
    versions = [head, *(lance.dataset(head.uri, version=name) for name in head.tags.list())]
    used = {Path(file.path).name for each in versions for part in each.get_fragments() for file in part.metadata.files}
    assert names(workspace.corpus_path / "data") == used


def _samples() -> list[Any]:
    return [
        pytest.param(command, (number + 0.5) / count, id=f"{command}-{number}")
        for command, count in SAMPLED.items()
        for number in range(count)
    ]


@pytest.mark.parametrize(("scene", "share"), _samples(), indirect=["scene"])
def test_a_kill_at_a_step_leaves_what_the_next_command_finishes(scene: Scene, share: float, fast_tmp: Path) -> None:
    number = int(share * len(scene.kills))
    kill = scene.kills[number]
    assert scene.kill(fast_tmp / "w", kill) == KILLED
    check_next(scene, Workspace(fast_tmp / "w"), ("maintain", scene.command)[number % 2])


@pytest.mark.parametrize("scene", ["import"], indirect=True)
@pytest.mark.parametrize("seconds", [0.06, pytest.param(0.02, marks=pytest.mark.soak)])
def test_a_kill_by_the_clock_leaves_what_the_next_command_finishes(
    scene: Scene, seconds: float, fast_tmp: Path
) -> None:
    assert scene.kill(fast_tmp / "w", None, seconds) in (KILLED, 0)
    check_next(scene, Workspace(fast_tmp / "w"), "maintain")


@pytest.mark.parametrize("scene", COMMANDS, indirect=True)
def test_the_steps_that_are_killed_are_steps_that_commands_take(scene: Scene) -> None:
    assert {kill.step for kill in scene.kills} <= set(STEPS)
    assert len(scene.kills) >= 2 * SAMPLED[scene.command]


@pytest.mark.soak
@pytest.mark.parametrize("scene", COMMANDS, indirect=True)
def test_many_kills(scene: Scene, fast_tmp: Path) -> None:
    chance = random.Random(scene.command)
    for number in range(-(-SOAKED // len(COMMANDS))):
        root = fast_tmp / f"w{number}"
        by_clock = number % 4 == 0
        kill = None if by_clock else chance.choice(scene.kills)
        seconds = chance.uniform(0, 0.25) if by_clock else None
        scene.kill(root, kill, seconds)
        try:
            check_next(scene, Workspace(root), chance.choice(("maintain", scene.command)))
        except Exception as error:
            error.add_note(f"{scene.command}, kill {number}: {kill or seconds}")
            raise
        shutil.rmtree(root)
