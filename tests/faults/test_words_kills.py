"""A kill -9 while names and copies are looked for: rows, and what lies beside them, end as if none was.

An import with rows that wait for their threads, and honouring an objection of somebody who is named and copied, are
killed at every step they take in `make soak`, at a sample of these otherwise. Readers see the rows and what lies beside
them as they were or as they will be, or further on the way to it.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from talking import held, talking
from victim import COMMANDS, LATER, Kill, Nursery

from demur.corpus import journal
from demur.corpus.honour import honour
from demur.corpus.session import reading
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
KILLED: Final = -9
SAMPLED: Final = {"import words": 3, "honour words": 2}


@dataclass
class Scene:
    """A command, where it starts and ends, and its steps."""

    command: str
    start: Path
    nursery: Nursery
    kills: list[Kill]
    before: dict[str, list[Any]]
    after: dict[str, list[Any]]


def seen(root: Path) -> dict[str, list[Any]]:
    with reading(Workspace(root), LATER) as session:
        return held(session)


def _scene(nursery: Nursery, home: Path, command: str) -> Scene:
    start, after = home / f"{command} start", home / f"{command} after"
    talking(Workspace(start), waiting=command == "honour words")
    shutil.copytree(start, after)
    steps = nursery.steps(after, command)
    kills = [Kill(step, call, late) for step, call in steps for late in (False, True)]
    return Scene(command, start, nursery, kills, seen(start), seen(after))


@pytest.fixture(scope="module")
def scenes() -> Iterator[Callable[[str], Scene]]:
    with Nursery() as nursery, TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as folder:
        yield cache(partial(_scene, nursery, Path(folder)))


def check(scene: Scene, kill: Kill, root: Path, *, first: bool) -> None:
    """Kills the command, and runs it again; ``first`` has another command come between."""
    shutil.copytree(scene.start, root)
    assert scene.nursery.run(root, scene.command, kill) == KILLED
    now = seen(root)
    if scene.command == "import words":
        assert now in (scene.before, scene.after), "a reader sees something in between"
    if first:
        maintain(Workspace(root), now=LATER)
        assert seen(root) in (scene.before, scene.after)
    else:
        honour(Workspace(root), now=LATER)
    assert journal.read(root) is None
    assert not (root / "import.scratch").exists()
    COMMANDS[scene.command](Workspace(root))
    assert seen(root) == scene.after


@pytest.mark.parametrize(
    ("command", "share"), [(name, (at + 0.5) / count) for name, count in SAMPLED.items() for at in range(count)]
)
def test_a_kill_leaves_names_and_copies_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, share: float, fast_tmp: Path
) -> None:
    scene = scenes(command)
    number = int(share * len(scene.kills))
    check(scene, scene.kills[number], fast_tmp / "w", first=bool(number % 3))


@pytest.mark.parametrize("command", SAMPLED)
def test_there_is_something_to_lose(scenes: Callable[[str], Scene], command: str) -> None:
    scene = scenes(command)
    changed = {name for name in scene.after if scene.after[name] != scene.before[name]}
    assert {"corpus", "evidence", "fingerprints"} <= changed


@pytest.mark.soak
@pytest.mark.parametrize("command", SAMPLED)
def test_each_kill_leaves_names_and_copies_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, fast_tmp: Path
) -> None:
    scene = scenes(command)
    for number, kill in enumerate(scene.kills):
        try:
            check(scene, kill, fast_tmp / f"w{number}", first=bool(number % 3))
        except Exception as error:
            error.add_note(f"{command}, kill {number}: {kill}")
            raise
        shutil.rmtree(fast_tmp / f"w{number}")
