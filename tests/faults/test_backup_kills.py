"""A kill -9 at any moment of a backup or a restore loses nobody's objection, and the same command goes on.

Killed at every step, before it and after it: a sample in `make test`, many by chance in `make soak`.
"""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import victim
from making import NOW, open_policy
from victim import Kill, Nursery

from demur import workspace as workspaces
from demur.backup.container import LIST
from demur.backup.making import back_up
from demur.backup.restoring import Source, restore
from demur.corpus.session import reading
from demur.errors import DemurError
from demur.policy.model import RegisterPlace
from demur.register.continuity.loss import undecided
from demur.rights.erasing import erase
from demur.terms import EntryKind
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")
KILLED: Final = -9
SAMPLED: Final = 3
SOAKED: Final = int(os.environ.get("DEMUR_KILLS", "300")) // 10


@dataclass
class Scene:
    """A workspace with its mark on another disk, and an older backup of it."""

    folder: Path
    nursery: Nursery
    references: list[str]

    def fresh(self, name: str) -> Path:
        """A copy of everything, for one kill: the workspace in it is `w`, its mark and backups are beside it."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)  # of another number of kills
        shutil.copytree(self.folder / "start", place)
        return place


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with TemporaryDirectory(prefix="demur-backup-", dir=RAM if RAM.is_dir() else None) as held, Nursery() as nursery:
        folder = Path(held)
        start = folder / "start"
        start.mkdir()
        policy = open_policy(register=RegisterPlace(mark="../register.mark"))
        workspace = workspaces.create(start / "w", policy)
        victim.prepare(workspace, overdue=False)
        back_up(workspace, start / "older", None)
        shutil.copytree(workspace.keys_path, start / "keys")
        with workspace.register() as register:
            references = [
                register.objections.lodge([victim.author(n)], channel="web", now=NOW).reference for n in range(20, 30)
            ]
        erase(workspace, victim.author(31), now=victim.LATER)
        yield Scene(folder, nursery, references)


def steps(scene: Scene, command: str) -> list[Kill]:
    place = scene.fresh(f"traced-{command}")
    if command == "restore":
        shutil.rmtree(place / "w")
    found = scene.nursery.steps(place / "w", command)
    return [Kill(step, call, after) for step, call in found for after in (False, True)]


def bind(scene: Scene, workspace: Workspace) -> None:
    """What was acknowledged is in force, and nothing is unknown."""
    with workspace.register() as register:
        assert all(register.objections.get(reference).binding for reference in scene.references)
        assert undecided(register.log) is None
        problems: list[str] = []
        register.audit(problems.append)
        assert problems == []
        assert len([*register.log.entries(EntryKind.PERSON_ERASED)]) == 1
        assert register.persons.erasures() == []
        keys = {key for reference in scene.references for key in register.objections.lodged_for(reference).tolist()}
    with reading(workspace, victim.LATER) as session:
        authors = {key for part in session.corpus.batches(["author"]) for key in part["author"].to_pylist()}
    assert not keys & authors or session.honoured < session.register.log.head().binding


def restored(scene: Scene, place: Path, backup: Path, marks: tuple[Path, ...] = ()) -> None:
    """The disk is lost, and what the backup and the marks give back is whole."""
    shutil.rmtree(place / "w", ignore_errors=True)
    restore(Source(backup, keys=place / "keys", marks=marks), place / "w", now=victim.LATER)
    bind(scene, Workspace(place / "w"))


def chosen(kills: list[Kill], number: int, seed: int) -> list[Kill]:
    return random.Random(seed).sample(kills, min(number, len(kills)))


@pytest.mark.parametrize("number", [SAMPLED, pytest.param(SOAKED, marks=pytest.mark.soak)])
def test_a_killed_backup_leaves_no_gap(scene: Scene, number: int) -> None:
    """Either the older backup and the mark bring everything back, or the new one is whole and does."""
    for at, kill in enumerate(chosen(steps(scene, "backup"), number, number)):
        place = scene.fresh(f"backup-{number}-{at}")
        scene.nursery.run(place / "w", "backup", kill)
        whole = (place / "backup" / LIST).is_file()
        bind(scene, Workspace(place / "w"))
        if whole:
            restored(scene, place, place / "backup")
        else:
            assert not (place / "backup").exists(), kill
            restored(scene, place, place / "older")
        shutil.rmtree(place)


@pytest.mark.parametrize("number", [SAMPLED, pytest.param(SOAKED, marks=pytest.mark.soak)])
def test_a_killed_restore_goes_on(scene: Scene, number: int) -> None:
    for at, kill in enumerate(chosen(steps(scene, "restore"), number, number)):
        place = scene.fresh(f"restore-{number}-{at}")
        shutil.rmtree(place / "w")
        assert scene.nursery.run(place / "w", "restore", kill) == KILLED
        if not (place / "w" / "demur.toml").exists():
            with pytest.raises(DemurError):
                workspaces.find(place / "w")
        assert scene.nursery.run(place / "w", "restore") == 0, kill
        bind(scene, Workspace(place / "w"))
        assert not (place / "w" / ".restore").exists()
        shutil.rmtree(place)
