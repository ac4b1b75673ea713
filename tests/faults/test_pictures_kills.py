"""A kill -9 while pictures come in or go: no picture rests that no row shows, and the next command ends the work.

Every step is tried in `make soak`, a sample of them otherwise.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from albums import USED, at_rest, named_by_rows, prepare
from making import open_policy
from scenes import Scene, sampled, staged
from victim import COMMANDS, LATER

from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.honour import honour
from demur.workspace import Workspace

SAMPLED: Final = {"import pictures": 2, "honour pictures": 1}


def seen(root: Path) -> Any:  # noqa: ANN401  # compared, and nothing else
    return named_by_rows(Workspace(root)), at_rest(Workspace(root))


@pytest.fixture(scope="module")
def scenes() -> Iterator[Callable[[str], Scene]]:
    with staged(lambda root, _: prepare(workspaces.create(root, open_policy(**USED))), seen) as found:
        yield found


def check(scene: Scene, number: int, root: Path) -> None:
    """Kills the command, and runs it again."""
    scene.killed(scene.kills[number], root)
    shows, rests = seen(root)
    assert set(rests) <= shows, "a picture rests that no row shows"
    honour(Workspace(root), now=LATER)
    assert journal.read(root) is None
    shows, rests = seen(root)
    assert set(rests) <= shows
    COMMANDS[scene.command](Workspace(root))
    assert seen(root) == scene.after


@pytest.mark.parametrize(("command", "share"), sampled(SAMPLED))
def test_a_kill_leaves_pictures_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, share: float, fast_tmp: Path
) -> None:
    scene = scenes(command)
    check(scene, int(share * len(scene.kills)), fast_tmp / "w")


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
    scenes(command).each(check, fast_tmp)
