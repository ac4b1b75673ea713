"""A kill -9 while pictures come in or go: no picture rests that no row shows, and the next command ends the work.

Every step is tried in `make soak`, a sample of them otherwise.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from albums import USED, at_rest, named_by_rows, prepare
from making import open_policy
from victim import COMMANDS, LATER, Kill, Nursery

from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.honour import honour
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
KILLED: Final = -9
SAMPLED: Final = {"import pictures": 5, "honour pictures": 4}


@dataclass
class Scene:
    """A command, where it starts and ends, and its steps."""

    command: str
    start: Path
    nursery: Nursery
    kills: list[Kill]
    before: Any
    after: Any


def seen(root: Path) -> Any:  # noqa: ANN401  # compared, and nothing else
    return named_by_rows(Workspace(root)), at_rest(Workspace(root))


def _scene(nursery: Nursery, home: Path, command: str) -> Scene:
    start, after = home / f"{command} start", home / f"{command} after"
    prepare(workspaces.create(start, open_policy(**USED)))
    shutil.copytree(start, after)
    steps = nursery.steps(after, command)
    kills = [Kill(step, call, late) for step, call in steps for late in (False, True)]
    return Scene(command, start, nursery, kills, seen(start), seen(after))


@pytest.fixture(scope="module")
def scenes() -> Iterator[Callable[[str], Scene]]:
    with Nursery() as nursery, TemporaryDirectory(dir=RAM if RAM.is_dir() else None) as folder:
        yield cache(partial(_scene, nursery, Path(folder)))


def check(scene: Scene, kill: Kill, root: Path) -> None:
    """Kills the command, and runs it again."""
    shutil.copytree(scene.start, root)
    assert scene.nursery.run(root, scene.command, kill) == KILLED
    shows, rests = seen(root)
    assert set(rests) <= shows, "a picture rests that no row shows"
    honour(Workspace(root), now=LATER)
    assert journal.read(root) is None
    shows, rests = seen(root)
    assert set(rests) <= shows
    COMMANDS[scene.command](Workspace(root))
    assert seen(root) == scene.after


@pytest.mark.parametrize(
    ("command", "share"), [(name, (at + 0.5) / count) for name, count in SAMPLED.items() for at in range(count)]
)
def test_a_kill_leaves_pictures_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, share: float, fast_tmp: Path
) -> None:
    scene = scenes(command)
    check(scene, scene.kills[int(share * len(scene.kills))], fast_tmp / "w")


@pytest.mark.parametrize("command", SAMPLED)
def test_there_is_something_to_lose(scenes: Callable[[str], Scene], command: str) -> None:
    scene = scenes(command)
    assert scene.before[1] != scene.after[1]
    assert scene.after[1]


@pytest.mark.soak
@pytest.mark.parametrize("command", SAMPLED)
def test_each_kill_leaves_pictures_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, fast_tmp: Path
) -> None:
    scene = scenes(command)
    for number, kill in enumerate(scene.kills):
        check(scene, kill, fast_tmp / f"w{number}")
        shutil.rmtree(fast_tmp / f"w{number}")
