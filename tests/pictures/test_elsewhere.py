"""Pictures in a backup, under upkeep, beside a version: nowhere do they outlive their rows. Everybody is invented."""

import shutil
from pathlib import Path

import pytest
from albums import ALBUM, USED, album, at_rest, import_shown, in_files, named_by_rows
from making import NOW, open_policy

from demur import workspace as workspaces
from demur.backup import back_up, restore
from demur.backup.restoring import Source
from demur.corpus.honour import honour
from demur.policy.model import RegisterPlace
from demur.versions.leave import export, verify
from demur.versions.publish import publish
from demur.worker.maintenance import maintain
from demur.workspace import Workspace


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    (fast_tmp / "other").mkdir()
    made = workspaces.create(fast_tmp / "w", open_policy(**USED, register=RegisterPlace(mark="../other/the.mark")))
    import_shown(made, album(0, 8), ALBUM)
    return made


def object_(workspace: Workspace, account: str) -> None:
    with workspace.register() as register:
        register.objections.lodge([account], channel="form", now=NOW)
    honour(workspace, now=NOW)


def test_a_restore_brings_pictures_back_and_they_obey(workspace: Workspace, fast_tmp: Path) -> None:
    before = at_rest(workspace)
    assert before
    back_up(workspace, fast_tmp / "other" / "b1", None)
    shutil.copytree(workspace.keys_path, fast_tmp / "other" / "keys")
    shutil.rmtree(workspace.root)
    restore(Source(fast_tmp / "other" / "b1", keys=fast_tmp / "other" / "keys"), workspace.root)
    again = Workspace(workspace.root)
    assert at_rest(again) == before
    object_(again, "forum:bob")
    after = at_rest(again)
    assert set(after) <= named_by_rows(again)
    gone = set(before.values()) - set(after.values())
    assert gone
    assert not in_files(again.root, gone)


def test_a_restore_takes_those_away_whose_person_objected_since(workspace: Workspace, fast_tmp: Path) -> None:
    back_up(workspace, fast_tmp / "other" / "b1", None)
    shutil.copytree(workspace.keys_path, fast_tmp / "other" / "keys")
    before = at_rest(workspace)
    object_(workspace, "forum:bob")
    after = at_rest(workspace)
    shutil.rmtree(workspace.root)
    restore(Source(fast_tmp / "other" / "b1", keys=fast_tmp / "other" / "keys"), workspace.root)
    assert at_rest(Workspace(workspace.root)) == after
    gone = set(before.values()) - set(after.values())
    assert gone
    assert not in_files(workspace.root, gone)


def test_upkeep_leaves_pictures_as_they_are(workspace: Workspace) -> None:
    object_(workspace, "forum:ann")
    before = at_rest(workspace)
    maintain(workspace, now=NOW)
    assert at_rest(workspace) == before
    assert in_files(workspace.root, set(before.values())) == set(before.values())


def test_a_version_and_its_export_have_no_picture_and_keep_none(workspace: Workspace, fast_tmp: Path) -> None:
    pictures = at_rest(workspace)
    publish(workspace, "v1", now=NOW)
    export(workspace, "v1", fast_tmp / "export", now=NOW)
    assert not in_files(fast_tmp / "export", set(pictures.values()))
    assert verify(workspace, "v1", now=NOW).ok
    object_(workspace, "forum:bob")
    gone = set(pictures.values()) - set(at_rest(workspace).values())
    assert gone
    assert not in_files(workspace.root, gone), "the stale version holds none"
