"""A kill -9 at any moment of an erasure leaves what the next erasure, or the next maintenance, finishes.

Killed at every step, before it and after it: a sample in `make test`, many by chance in `make soak`.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import victim
from dossier import FLORA, LATER, MAIL, NEEDLES, sealed, settle, traces
from making import open_policy
from victim import Kill, Nursery

from demur import workspace as workspaces
from demur.corpus.find import find
from demur.rights.erasing import erase
from demur.terms import EntryKind
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
KILLED: Final = -9
SAMPLED: Final = 4
SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "300")) // 6


@dataclass
class Scene:
    start: Path
    nursery: Nursery
    kills: list[Kill]
    needles: list[bytes]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with TemporaryDirectory(prefix="demur-erase-", dir=RAM if RAM.is_dir() else None) as folder, Nursery() as nursery:
        start, traced = Path(folder) / "start", Path(folder) / "traced"
        workspace = workspaces.create(start, open_policy())
        settle(workspace, exports=start / "exports" / "v1")
        (start / "outbox" / "1.eml").write_text(f"To: {MAIL}\nSubject: Notice\n\nHello\n")
        with workspace.register() as register:
            register.objections.lodge([FLORA], channel="letter", reason=NEEDLES[3])
            keys = register.persons.own(FLORA).tolist()
        needles = [*(needle.encode() for needle in NEEDLES), *sealed(workspace, keys)]
        shutil.copytree(start, traced)
        kills = [Kill(step, call, after) for step, call in nursery.steps(traced, "erase") for after in (False, True)]
        yield Scene(start, nursery, kills, needles)


def check(scene: Scene, root: Path, *, again: bool) -> None:
    """What must hold once the next command, an erasure or a maintenance, came after a kill."""
    workspace = Workspace(root)
    with workspace.register() as register:
        asked = bool(register.persons.erasures()) or bool([*register.log.entries(EntryKind.PERSON_ERASED)])
    if again or not asked:
        erased = erase(workspace, FLORA, now=LATER)
        assert erased.overwritten
    else:
        maintain(workspace, now=LATER)
    with workspace.register() as register:
        assert register.persons.erasures() == []
        entries = [entry.payload for entry in register.log.entries(EntryKind.PERSON_ERASED)]
        retired = [str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_RETIRED)]
    assert entries[0] == {"about": 4, "accounts": 3, "own": 3, "versions": ["v1", "v2"]}
    assert sorted(retired) == ["v1", "v2"], "each is retired once"
    assert traces(root, scene.needles) == []
    assert (root / "recalls" / "v1.csv").read_text().count("\n") == 8
    found = find(workspace, FLORA, now=LATER)
    assert (found.own, found.about, found.objected) == (0, 0, True)
    with sqlite3.connect(root / "register.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("number", range(SAMPLED))
def test_a_kill_at_a_step_of_an_erasure_leaves_what_the_next_command_finishes(
    scene: Scene, number: int, fast_tmp: Path
) -> None:
    kill = scene.kills[int((number + 0.5) / SAMPLED * len(scene.kills))]
    shutil.copytree(scene.start, fast_tmp / "w")
    assert scene.nursery.run(fast_tmp / "w", "erase", kill) == KILLED
    check(scene, fast_tmp / "w", again=number % 2 == 0)


def test_an_erasure_takes_the_steps_that_are_killed(scene: Scene) -> None:
    assert {kill.step for kill in scene.kills} <= set(victim.STEPS)
    assert {"demur.register.persons:Persons.destroy", "demur.corpus.datasets.corpus:Corpus.index"} <= {
        k.step for k in scene.kills
    }


@pytest.mark.soak
def test_many_kills_of_an_erasure(scene: Scene, fast_tmp: Path) -> None:
    chance = random.Random("erase")
    for number in range(SOAKED):
        kill = chance.choice(scene.kills)
        root = fast_tmp / f"w{number}"
        shutil.copytree(scene.start, root)
        scene.nursery.run(root, "erase", kill)
        try:
            check(scene, root, again=chance.random() < 0.5)
        except Exception as error:
            error.add_note(f"kill {number}: {kill}")
            raise
        shutil.rmtree(root)
