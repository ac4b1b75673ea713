"""A backup holds all of a corpus that lies in an object store, and a restore puts it into one (docs/backup.md)."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
from in_store import PEOPLE, put, run_through, stored
from making import NOW, open_policy
from objects import S3, Bucket, Faults, proxy

from demur import workspace as workspaces
from demur.backup import Restored, back_up, restore
from demur.backup.restoring import Source
from demur.corpus.session import reading
from demur.corpus.sole import NAME
from demur.errors import PolicyError, UnavailableError, WorkspaceError
from demur.policy.model import RegisterPlace
from demur.store import Stored
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.workspace import Workspace


@dataclass
class Town:
    """A workspace whose corpus lies in a bucket, its mark and its backup beside it."""

    workspace: Workspace
    bucket: str
    endpoint: str

    @property
    def backup(self) -> Path:
        return self.workspace.root.parent / "backup"

    def place(self, name: str) -> Stored:
        return Stored(f"s3://{self.bucket}/{name}", self.endpoint)

    def lose(self) -> None:
        """The disk is gone; the bucket is not."""
        shutil.copytree(self.workspace.keys_path, self.backup.parent / "keys", dirs_exist_ok=True)
        shutil.rmtree(self.workspace.root)

    def restore(self, **changes: Any) -> Restored:  # noqa: ANN401  # of a Source
        return restore(Source(self.backup, keys=self.backup.parent / "keys", **changes), self.workspace.root, now=NOW)


@pytest.fixture
def town(tmp_path: Path, s3: str, bucket: Bucket) -> Town:
    policy = open_policy(register=RegisterPlace(mark="../the.mark"))
    template, name = workspaces.create(tmp_path / "template", policy), bucket()
    made = Town(put(template, tmp_path / "w", f"s3://{name}/corpus", s3), name, s3)
    run_through(made.workspace)
    back_up(made.workspace, made.backup, None)
    return made


def objects(place: Stored) -> dict[str, bytes]:
    return {name: (place / name).read_bytes() for name, _ in place.objects()}


def test_a_backup_holds_what_the_store_does(town: Town) -> None:
    copied = town.backup / "workspace"
    for tree in ("corpus.lance", "evidence/evidence.lance", "evidence/uncertain.lance"):
        there = objects(town.place(f"corpus/{tree}"))
        assert there
        assert {
            path.relative_to(copied / tree).as_posix(): path.read_bytes() for path in _files(copied / tree)
        } == there
    assert not (copied / NAME).exists()


def _files(tree: Path) -> list[Path]:
    return [path for path in tree.rglob("*") if path.is_file()]


def test_it_is_restored_to_another_place_of_the_store(town: Town) -> None:
    with town.workspace.register() as register:
        register.objections.lodge([PEOPLE[7]], channel="form", now=NOW)
    before = objects(town.place("corpus"))
    authors = {row["item"]: row["author"] for row in stored(town.workspace)}
    town.lose()
    with pytest.raises(WorkspaceError, match=r"A corpus lies in s3://.*/corpus already.* with --store") as refused:
        town.restore()
    assert str(refused.value).endswith(".")
    assert not town.workspace.root.exists()
    restored = town.restore(store=f"s3://{town.bucket}/again")
    assert restored.replayed == {"objection.lodged": 1}
    assert restored.deleted > 0  # of whom it was that objected since the backup
    workspace = town.workspace
    assert workspace.store == Stored(f"s3://{town.bucket}/again", town.endpoint, home=workspace.root)
    assert objects(town.place("corpus")) == before
    assert not (town.place("again") / NAME).exists()
    assert not any(workspace.root.rglob("*.lance"))
    with reading(workspace, NOW) as session:
        key = session.keys.pepper.subject_key(PEOPLE[7])
    rows = stored(workspace)
    assert {row["item"] for row in rows} == {each for each, author in authors.items() if author != key}
    assert all(key not in row["subjects"] for row in rows)
    found = verify(workspace, "v1", now=NOW)
    assert not found.counts, found.shown
    publish(workspace, "v2", now=NOW)
    with reading(workspace, NOW) as session:
        assert session.corpus.indexed  # built anew: an index is trusted where its workspace wrote it


def test_it_is_restored_to_a_disk_and_from_a_disk_to_a_store(town: Town) -> None:
    rows = stored(town.workspace)
    town.lose()
    town.restore(store="")
    assert town.workspace.store is None
    assert stored(town.workspace) == rows
    shutil.rmtree(town.backup)
    back_up(town.workspace, town.backup, None)
    town.lose()
    town.restore(store=f"s3://{town.bucket}/moved")
    assert town.workspace.store is not None
    assert stored(town.workspace) == rows


def test_a_place_that_is_none_is_refused_before_anything_is_sent(town: Town) -> None:
    town.lose()
    with pytest.raises(PolicyError, match="no keys"):
        town.restore(store=f"s3://user:word@{town.bucket}/again")
    assert not town.workspace.root.exists()
    assert not list(town.place("again").objects())


_VICTIM: Final = """
import os, signal, sys
from pathlib import Path
from demur.backup.restoring import Source, restore
from demur.store import Stored
from making import NOW

def send(self, path, _real=Stored.send):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    _real(self, path)

left, backup, root, store = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
Stored.send = send
restore(Source(backup, keys=backup.parent / "keys", store=store), root, now=NOW)
"""


@pytest.mark.parametrize("step", [7, *(pytest.param(at, marks=pytest.mark.soak) for at in (1, 2, 12, 20))])
def test_a_restore_that_is_killed_while_it_sends_goes_on(step: int, town: Town) -> None:
    rows, again = stored(town.workspace), f"s3://{town.bucket}/again"
    town.lose()
    paths = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *sys.path])
    command = [sys.executable, "-c", _VICTIM, str(step), str(town.backup), str(town.workspace.root), again]
    told = subprocess.run(
        command, env=os.environ | S3 | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert told.returncode == -signal.SIGKILL, told.stdout + told.stderr[-2000:]
    assert not (town.workspace.root / "demur.toml").exists()
    assert (town.place("again") / NAME).exists()  # nobody else writes there
    (town.place("again") / "corpus.lance" / "data" / "left.lance").write_bytes(b"of the one that was killed")
    town.restore(store=again)
    assert stored(town.workspace) == rows
    assert not (town.place("again") / NAME).exists()
    assert not (town.place("again") / "corpus.lance" / "data" / "left.lance").is_file()


def test_a_restore_that_is_cut_off_keeps_others_out_until_it_goes_on(town: Town) -> None:
    rows, again, left = stored(town.workspace), f"s3://{town.bucket}/again", 6
    town.lose()

    def send(self: Stored, path: Path, _real: Callable[[Stored, Path], None] = Stored.send) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise UnavailableError("The object store does not answer.")
        _real(self, path)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stored, "send", send)
        with pytest.raises(UnavailableError):
            town.restore(store=again)
    assert (town.place("again") / NAME).exists()  # nobody else writes there
    removed = shutil.rmtree

    def remove(path: Path, **how: Any) -> None:  # noqa: ANN401  # rmtree's own
        if path.name == "corpus.lance" and path.parent.name == ".restore":
            removed(path / "data")
            raise KeyboardInterrupt
        removed(path, **how)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shutil, "rmtree", remove)
        with pytest.raises(KeyboardInterrupt):
            town.restore(store=again)
    assert not (town.workspace.root / "demur.toml").exists()
    town.restore(store=again)
    assert stored(town.workspace) == rows
    assert not (town.place("again") / NAME).exists()


def test_a_store_that_is_not_reached_is_told_before_anything_is_restored(
    tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    template, name, faults = workspaces.create(tmp_path / "template", open_policy()), bucket(), Faults()
    with proxy(s3, faults) as address:
        town = Town(put(template, tmp_path / "w", f"s3://{name}/corpus", address), name, s3)
        run_through(town.workspace)
        back_up(town.workspace, town.backup, None)
        town.lose()
        before = objects(town.place("corpus"))
        faults.denying = True
        with pytest.raises(UnavailableError, match=r"The object store of s3://.*/again.* answered 403"):
            town.restore(store=f"s3://{name}/again")
    assert not town.workspace.root.exists()
    assert not list(town.place("again").objects())
    assert objects(town.place("corpus")) == before


def test_a_store_that_refuses_leaves_no_backup(town: Town) -> None:
    faults = Faults()
    with proxy(town.endpoint, faults) as address:
        path = town.workspace.policy_path
        path.write_text(path.read_text().replace(town.endpoint, address))
        faults.denying = True
        with pytest.raises(UnavailableError, match="answered"):
            back_up(town.workspace, town.backup.with_name("second"), None)
    assert not town.backup.with_name("second").exists()


@pytest.mark.parametrize("name", ["corpus.lance/../../../escaped"])
def test_an_object_whose_name_leads_out_is_refused(name: str, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[[Stored], Any] = Stored.objects
    monkeypatch.setattr(Stored, "objects", lambda self: chain(real(self), ((name, each) for _, each in real(self))))
    with pytest.raises(WorkspaceError, match="leads out of it"):
        back_up(town.workspace, town.backup.with_name("second"), None)
    assert not town.backup.with_name("second").exists()
