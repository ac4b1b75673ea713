"""A kill -9 while pictures come in or go: none rests without its row, and the next command ends it, to the bytes.

Every step is tried in `make soak`, a sample of them otherwise.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from albums import USED, at_rest, in_files, named_by_rows, prepare
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
    gone = set(scene.before[1].values()) - set(scene.after[1].values())
    assert not in_files(root, gone), "what went is in a file"


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
    gone = set(scene.before[1].values()) - set(scene.after[1].values())
    assert in_files(scene.start, gone) == gone
    assert gone or scene.command == "import pictures"


@pytest.mark.soak
@pytest.mark.parametrize("command", SAMPLED)
def test_each_kill_leaves_pictures_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, fast_tmp: Path
) -> None:
    scenes(command).each(check, fast_tmp)
