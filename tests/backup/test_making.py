"""A backup while others write, on a full disk, on PostgreSQL, and by the command line. All people are invented."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import pytest
from calling import Demur, Result
from cluster import postgresql_database, programs
from making import batch, item, open_policy

from demur import workspace as workspaces
from demur.backup import back_up, restore
from demur.backup.restoring import Source
from demur.corpus.caches import NOTES
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import DemurError, RegisterError
from demur.policy import Policy
from demur.policy.model import RegisterPlace
from demur.versions.publish import publish
from demur.workspace import Workspace

SIZE: Final = 6 << 20
WORDS: Final = {"DEMUR_BACKUP_PASSPHRASE": "some words that nobody guesses"}


def founded(folder: Path, policy: Policy | None = None) -> Workspace:
    """A workspace with some rows, whose mark is on another disk."""
    (folder / "other").mkdir()
    decided = policy or open_policy(register=RegisterPlace(mark="../other/the.mark"))
    workspace = workspaces.create(folder / "w", decided)
    import_items(workspace, "table", [batch(item(f"n{n}", f"forum:u{n}", f"said {n}") for n in range(9))])
    shutil.copytree(workspace.keys_path, folder / "other" / "keys")
    return workspace


def back(folder: Path, backup: str = "b", **changes: object) -> Workspace:
    """The disk is lost, and the workspace restored."""
    shutil.rmtree(folder / "w")
    source = {"keys": folder / "other" / "keys", **changes}
    assert restore(Source(folder / "other" / backup, **source), folder / "w").missing == 0  # type: ignore[arg-type]  # of a Source
    return Workspace(folder / "w")


class Lodging(threading.Thread):
    """Somebody objects, and then the next one, until told to stop."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.acknowledged: list[str] = []
        self._workspace = workspace
        self._stop_now = threading.Event()

    def run(self) -> None:
        with self._workspace.register() as register:
            while not self._stop_now.is_set():
                number = len(self.acknowledged)
                self.acknowledged.append(register.objections.lodge([f"forum:late{number}"], channel="web").reference)

    def end(self) -> None:
        self._stop_now.set()
        self.join()


def test_what_is_acknowledged_during_a_backup_is_in_it_or_in_the_journal(fast_tmp: Path) -> None:
    workspace = founded(fast_tmp)
    lodging = Lodging(workspace)
    lodging.start()
    ends = [back_up(workspace, fast_tmp / "other" / name, None).entries for name in ("b", "c", "d")]
    lodging.end()
    assert ends[0] < ends[1] < ends[2], "they went on objecting meanwhile"
    with back(fast_tmp, "d").register() as register:
        assert all(register.objections.get(reference).binding for reference in lodging.acknowledged)
        assert register.objections.in_force() == len(lodging.acknowledged)


def test_caches_beside_the_corpus_are_in_no_backup(fast_tmp: Path) -> None:
    workspace = founded(fast_tmp)
    text = "the ferry was late again and everybody on the pier had begun to talk about the winter of the great storm"
    import_items(workspace, "table", [batch([item("long", "forum:u3", text)])])
    with workspace.register() as register:
        register.objections.lodge(["forum:u3"], channel="api")
    honour(workspace)
    with reading(workspace) as session:
        session.rules()
    caches = [*workspace.beside_path.glob("*.index"), workspace.beside_path / NOTES]
    assert {path.name.partition("-")[0] for path in caches} == {"copies", "people", NOTES}
    (workspace.beside_path / ".copies-1.index.0123abcd").write_bytes(b"half")
    back_up(workspace, fast_tmp / "other" / "b", None)
    there = {path.name for path in (fast_tmp / "other" / "b").rglob("*")}
    assert "fingerprints.lance" in there
    assert not [name for name in there if ".index" in name or name == NOTES]
    restored = back(fast_tmp)
    with reading(restored) as session:
        copies = session.rules()[0].copies
    assert copies is not None
    assert len(copies.subjects) == 1


@pytest.fixture
def disk(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A small disk, empty."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("the right to mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_leaves_no_half_backup_and_no_half_workspace(
    disk: Path, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = founded(fast_tmp)
    with pytest.raises(DemurError, match="make room"):
        back_up(workspace, disk / "b", None)
    roomy = type("usage", (), {"free": 1 << 40})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: roomy)  # somebody else takes the room meanwhile
    with (disk / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, SIZE - (64 << 10))
    with pytest.raises(DemurError) as told:
        back_up(workspace, disk / "b", None)
    assert str(told.value).count(".") == 1
    back_up(workspace, fast_tmp / "other" / "b", None)
    with pytest.raises(DemurError) as told:
        restore(Source(fast_tmp / "other" / "b", keys=workspace.keys_path), disk / "w")
    assert "room" in str(told.value)
    assert [path.name for path in disk.iterdir()] == ["filler"]
    with workspace.register() as register:
        assert register.mark is not None
        assert register.mark.head().begin.seq, "the backup that was whole began the journal anew"


def test_a_register_on_postgresql_goes_the_same_way(fast_tmp: Path, missing: Callable[[str], NoReturn]) -> None:
    here = programs()
    if here is None or shutil.which("pg_dump") is None:
        missing("PostgreSQL's programs")
    with postgresql_database(here) as url, postgresql_database(here) as other:
        workspace = founded(fast_tmp, open_policy(register=RegisterPlace(url=url, mark="../other/the.mark")))
        with workspace.register() as register:
            before = register.objections.lodge(["forum:u1"], channel="web").reference
        back_up(workspace, fast_tmp / "other" / "b", None)
        with workspace.register() as register:
            after = register.objections.lodge(["forum:u2"], channel="web", reason="because").reference
        with pytest.raises(RegisterError, match="is not empty"):
            back(fast_tmp)
        (fast_tmp / "w").mkdir()
        restored = back(fast_tmp, register=other)
        with restored.register() as register:
            assert all(register.objections.get(each).binding for each in (before, after))
            problems: list[str] = []
            register.audit(problems.append)
        assert problems == []
        publish(restored, "v1")


def test_the_commands_say_what_they_did_and_never_the_passphrase(
    demur: Demur, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = founded(fast_tmp)

    def run(*arguments: str, said: Mapping[str, str] = MappingProxyType({})) -> Result:
        with monkeypatch.context() as only:
            for name, value in said.items():
                only.setenv(name, value)
            return demur(*arguments, "-w", workspace.root)

    monkeypatch.delenv("DEMUR_BACKUP_PASSPHRASE", raising=False)
    backup = str(fast_tmp / "other" / "b")
    unsaid = run("backup", backup)
    assert (unsaid.code, unsaid.err.count("\n")) == (2, 1)
    assert "--without-keys" in unsaid.err
    made = run("backup", backup, said=WORDS)
    assert made.code == 0, made.err
    assert "nobody guesses" not in made.out + made.err
    shutil.rmtree(workspace.root)
    wrong = run("restore", backup, said={"DEMUR_BACKUP_PASSPHRASE": "others"})
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    done = run("restore", backup, "--json", said=WORDS)
    assert done.code == 0, done.err
    assert '"loss": ""' in done.out
    shown = run("mark", "show")
    assert "the.mark" in shown.out
