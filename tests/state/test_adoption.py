"""A workspace of the first release is adopted once, on record, and loses nothing: objections, erasures, versions.

The golden workspace is what golden/make.py wrote with that release.
"""

import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest
from making import batch, item

from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import IdentityError, RegisterError
from demur.register import ObjectionPhase
from demur.terms import EntryKind
from demur.versions.leave import export, verify
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.workspace import Workspace

GOLDEN = Path(__file__).parent / "golden" / "workspace.tar.gz"
PEOPLE = ("ann", "ben", "cyd", "dag", "eve")


@pytest.fixture
def old(tmp_path: Path) -> Workspace:
    """The workspace as the first release left it."""
    with tarfile.open(GOLDEN) as archive:
        archive.extractall(tmp_path, filter="data")
    return Workspace(tmp_path / "workspace")


def read_again(workspace: Workspace) -> None:
    items = [item(f"forum:{name}", f"forum:{name}", f"{name} wrote these very words") for name in PEOPLE]
    import_items(workspace, "table", [batch(items)])


def authors(workspace: Workspace, version: str) -> set[str]:
    texts = [text for rows in rows_of(workspace, version) for text in rows.column("text").to_pylist()]
    return {text.partition(" ")[0] for text in texts}


def test_it_is_adopted_once_and_says_so(old: Workspace) -> None:
    assert not old.mark_path.exists()
    for _ in range(3):
        with old.register() as register:
            instance = register.instance
            adopted = list(register.log.entries(EntryKind.WORKSPACE_ADOPTED))
    assert instance is not None
    assert [entry.payload for entry in adopted] == [{"instance": instance.id}]
    assert old.mark_path.stat().st_mode & 0o777 == 0o600


def test_what_it_held_holds_on(old: Workspace) -> None:
    read_again(old)
    publish(old, "v4")
    assert authors(old, "v4") == {"ben", "cyd", "eve"}, "ann objected, dag was erased, cyd took it back"
    with old.register() as register:
        phases = [state.phase for state in register.objections.of("forum:ann2")]
        assert phases == [ObjectionPhase.LODGED]
        assert register.members.get("forum:dag") is None
    with reading(old) as session:
        assert session.said.instance
        assert session.said.incarnation == 1


def test_its_version_and_its_export_are_still_verified_and_exported(old: Workspace, tmp_path: Path) -> None:
    assert verify(old, "v2").ok
    assert verify(old, "v2", export=old.root / "exported").ok
    export(old, "v2", tmp_path / "again")


def test_a_manifest_that_a_kill_left_is_moved_and_kept(old: Workspace) -> None:
    """v3 was signed, and its entry never came: an older demur would have deleted the manifest."""
    signed = (old.versions_path / "v3.json").read_bytes()
    with old.register() as register:
        assert register.log.head().seq
    assert not (old.versions_path / "v3.json").exists()
    assert (old.versions_path / "aside" / "v3.json").read_bytes() == signed
    publish(old, "v3")
    assert verify(old, "v3").ok


def test_another_pepper_is_refused_although_the_register_has_no_check_value(old: Workspace) -> None:
    (old.keys_path / "pepper.key").write_bytes(bytes(32))
    with pytest.raises(IdentityError, match=r"pepper\.key is not the key"):
        old.register()
    assert not old.mark_path.exists()


def test_its_old_register_is_refused_once_it_was_adopted(old: Workspace, tmp_path: Path) -> None:
    before = shutil.copy(old.root / "register.db", tmp_path / "before.db")
    with old.register() as register:
        register.objections.lodge(["forum:eve"], channel="letter")
    for path in old.root.glob("register.db*"):
        path.unlink()
    shutil.copy(before, old.root / "register.db")
    with pytest.raises(RegisterError, match="older than the mark"):
        old.register()


def test_its_old_corpus_is_honoured_from_its_beginning(old: Workspace, tmp_path: Path) -> None:
    before = shutil.copytree(old.corpus_path, tmp_path / "before.lance")
    with old.register() as register:
        register.objections.lodge(["forum:eve"], channel="letter")
    publish(old, "v4")
    shutil.rmtree(old.corpus_path)
    shutil.copytree(before, old.corpus_path)
    publish(old, "v5")
    assert authors(old, "v5") == {"ben", "cyd"}


def test_an_older_register_beside_a_newer_version_is_not_adopted(old: Workspace) -> None:
    """Before the upgrade somebody put back a register from before the version."""
    with sqlite3.connect(old.root / "register.db") as database:
        database.execute("DELETE FROM entry WHERE seq > 5")
    database.close()
    with pytest.raises(RegisterError, match="does not know the version v1"):
        old.register()
    assert not old.mark_path.exists(), "a workspace that does not hold together was adopted"
    assert (old.versions_path / "v2.json").exists()
