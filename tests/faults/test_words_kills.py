"""A kill -9 while names and copies are looked for: rows, and what lies beside them, end as if none was.

An import with rows that wait for their threads, and honouring an objection of somebody who is named and copied, are
killed at every step they take in `make soak`, at a sample of these otherwise. Readers see the rows and what lies beside
them as they were or as they will be, or further on the way to it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from scenes import Scene, sampled, staged
from talking import held, talking
from victim import COMMANDS, LATER

from demur.corpus import journal
from demur.corpus.honour import honour
from demur.corpus.session import reading
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

SAMPLED: Final = {"import words": 3, "honour words": 2}


def seen(root: Path) -> dict[str, list[Any]]:
    with reading(Workspace(root), LATER) as session:
        return held(session)


@pytest.fixture(scope="module")
def scenes() -> Iterator[Callable[[str], Scene]]:
    with staged(lambda root, command: talking(Workspace(root), waiting=command == "honour words"), seen) as found:
        yield found


def check(scene: Scene, number: int, root: Path) -> None:
    """Kills the command, and runs it again; every third time no other command comes between."""
    scene.killed(scene.kills[number], root)
    now = seen(root)
    if scene.command == "import words":
        assert now in (scene.before, scene.after), "a reader sees something in between"
    if number % 3:
        maintain(Workspace(root), now=LATER)
        assert seen(root) in (scene.before, scene.after)
    else:
        honour(Workspace(root), now=LATER)
    assert journal.read(root) is None
    assert not (root / "import.scratch").exists()
    COMMANDS[scene.command](Workspace(root))
    assert seen(root) == scene.after


@pytest.mark.parametrize(("command", "share"), sampled(SAMPLED))
def test_a_kill_leaves_names_and_copies_as_an_undisturbed_run(
    scenes: Callable[[str], Scene], command: str, share: float, fast_tmp: Path
) -> None:
    scene = scenes(command)
    check(scene, int(share * len(scene.kills)), fast_tmp / "w")


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
    scenes(command).each(check, fast_tmp)
