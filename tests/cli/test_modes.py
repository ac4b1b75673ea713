"""What demur writes is for its owner alone, whatever the umask it was started with."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import ANN, BEN, signed_workspace, write_posts
from making import open_policy

from demur.cli import main
from demur.corpus.importing import import_items
from demur.policy import write_policy
from demur.sources import load_source
from demur.workspace import find


@pytest.fixture
def _no_umask() -> Iterator[None]:
    """No help from it."""
    before = os.umask(0o000)
    yield
    os.umask(before)


def _open_to_others(root: Path) -> Iterator[str]:
    for path in (root, *root.rglob("*")):
        if (mode := stat.S_IMODE(path.lstat().st_mode)) & 0o077:
            yield f"{path.relative_to(root.parent)} {mode:o}"


@pytest.mark.usefixtures("_no_umask")
def test_nothing_that_a_command_writes_is_open_to_others(fast_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    posts, root = write_posts(fast_tmp / "posts.jsonl"), fast_tmp / "out" / "ws"
    members = fast_tmp / "members.csv"
    members.write_text(f"account,names\n{ANN},Ann\n")

    def run(*arguments: str | Path, place: tuple[str | Path, ...] = ("-w", root)) -> None:
        os.umask(0o000)
        monkeypatch.setattr(sys, "argv", ["demur", *map(str, (*arguments, *place))])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0

    run("init", root, "--yes", place=())
    write_policy(open_policy(), find(root).policy_path)
    run("members", members)
    run("import", "table", posts)
    run("publish", "v1")
    run("export", "v1", "--to", root / "copy")
    run("object", "--account", BEN)
    run("recall", "v1", "--to", root / "recall.csv")
    run("erase", "--account", ANN, "--yes")
    run("publish", "v2")

    assert {"corpus.lance", "imports", "suppression", "versions", "copy"} <= {each.name for each in root.iterdir()}
    assert list(_open_to_others(root)) == []


@pytest.mark.usefixtures("_no_umask")
def test_called_from_python_the_folders_keep_others_out(fast_tmp: Path) -> None:
    workspace = signed_workspace(fast_tmp / "forum")
    posts = write_posts(fast_tmp / "posts.jsonl")
    import_items(workspace, "table", load_source("table").read([str(posts)], {}))

    kept_by_their_folder = ("forum/corpus.lance/", "forum/evidence/")
    wide = [each for each in _open_to_others(workspace.root) if not each.startswith(kept_by_their_folder)]
    assert wide == []


def test_what_an_earlier_demur_left_open_is_closed_by_the_next_command_that_writes(fast_tmp: Path) -> None:
    workspace = signed_workspace(fast_tmp / "forum")
    workspace.versions_path.chmod(0o755)
    workspace.policy_path.chmod(0o664)
    other = workspace.root / "notes-of-the-team"
    other.mkdir()
    other.chmod(0o775)

    with find(workspace.root).writing("test"):
        assert stat.S_IMODE(workspace.versions_path.stat().st_mode) == 0o700
        assert stat.S_IMODE(workspace.policy_path.stat().st_mode) == 0o600
        assert stat.S_IMODE(other.stat().st_mode) == 0o775


def test_a_folder_that_held_other_things_keeps_its_own_mode(fast_tmp: Path) -> None:
    root = fast_tmp / "project"
    root.mkdir()
    root.chmod(0o755)
    (root / "README").write_text("ours")

    workspace = signed_workspace(root)

    assert stat.S_IMODE(root.stat().st_mode) == 0o755
    assert [each for each in _open_to_others(root) if "README" not in each] == ["project 755"]
    assert workspace.root == root


def test_a_mode_that_is_narrower_stays_so(fast_tmp: Path) -> None:
    workspace = signed_workspace(fast_tmp / "forum")
    workspace.policy_path.chmod(0o400)

    with workspace.writing("test"):
        assert stat.S_IMODE(workspace.policy_path.stat().st_mode) == 0o400
