"""Pictures come in beside the rows that show them, and go with them, down to the bytes. Everybody is invented."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from albums import BROKEN, RESERVED, USED, Held, at_rest, import_shown, named_by_rows, photo
from calling import Demur
from making import NOW, item, open_policy
from PIL import Image

from demur import workspace as workspaces
from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.corpus.imports import OfPictures
from demur.errors import PolicyError, UsageError
from demur.policy import Door, Pictures, write_policy
from demur.rights.access import copy_of
from demur.rights.erasing import erase
from demur.status import status as status_of
from demur.terms import Audience, PictureReason
from demur.workspace import Workspace

FILES = {f"{name}.jpg": b"600x400 picture of %s" % name.encode() for name in "abcdefgh"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return workspaces.create(tmp_path / "w", open_policy(**USED))


def object_(workspace: Workspace, account: str) -> str:
    with workspace.register() as register:
        return str(register.objections.lodge([account], channel="form", now=NOW).reference)


def contents(workspace: Workspace) -> set[bytes]:
    return {each.split(b" ", 1)[1] for each in at_rest(workspace).values()}


def everywhere(root: Path, marker: bytes) -> list[str]:
    """The files of a workspace that hold some bytes."""
    return [str(path.relative_to(root)) for path in _files(root) if marker in path.read_bytes()]


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())


def test_each_picture_is_counted_once(workspace: Workspace) -> None:
    files: dict[str, bytes | None] = {
        "a.jpg": b"600x400 one",
        "big.jpg": b"4000x2000 two",
        "broken.jpg": BROKEN,
        "mine.jpg": RESERVED,
        "torn.jpg": None,
        "left.jpg": b"1x1 of an item that is left out",
        "tagged.jpg": b"1x1 of somebody who objects",
        "film.mp4": b"1x1 no picture",
    }
    object_(workspace, "forum:cyd")
    held = Held(files)
    report = import_shown(
        workspace,
        [
            item("1", media=[photo("a.jpg"), photo("a.jpg"), photo("big.jpg"), photo("nowhere.jpg")]),
            item(
                "2", media=[photo("broken.jpg"), photo("mine.jpg"), photo("torn.jpg"), photo("https://x.example/a.jpg")]
            ),
            item("3", "forum:cyd", media=[photo("left.jpg")]),
            item("4", media=[photo("tagged.jpg", "forum:cyd"), {**photo("film.mp4"), "type": "video/mp4"}]),
        ],
        held,
    )
    assert report.pictures is not None
    assert report.pictures.named == 9
    assert report.pictures.kept == 2
    assert report.pictures.left_out == {
        PictureReason.ITEM: 1,
        PictureReason.TAGGED: 1,
        PictureReason.MISSING: 2,
        PictureReason.UNREADABLE: 2,
        PictureReason.RIGHTS: 1,
    }
    assert not {"left.jpg", "tagged.jpg", "film.mp4"} & set(held.asked), "what is left out is never opened"
    assert sorted(at_rest(workspace).values()) == [b"1024x512 two", b"600x400 one"]
    assert set(at_rest(workspace)) <= named_by_rows(workspace)


def test_without_the_word_nothing_comes_in(tmp_path: Path) -> None:
    workspace = workspaces.create(tmp_path / "w", open_policy())
    held = Held(FILES)
    report = import_shown(workspace, [item("1", media=[photo("a.jpg")])], held)
    assert report.pictures is None
    assert not held.asked
    assert not (workspace.beside_path / "pictures.lance").exists()


def test_a_picture_goes_with_its_row_down_to_the_bytes(workspace: Workspace) -> None:
    items: list[dict[str, Any]] = [
        item("1", "forum:ann", media=[photo("a.jpg"), photo("b.jpg", "forum:bob")]),
        item("2", "forum:bob", media=[photo("c.jpg")]),
        item("3", "forum:cyd", media=[photo("d.jpg")]),
    ]
    import_shown(workspace, items, FILES)
    assert contents(workspace) == {b"picture of %c" % each for each in b"abcd"}
    reference = object_(workspace, "forum:bob")
    honour(workspace, now=NOW)
    assert contents(workspace) == {b"picture of a", b"picture of d"}
    assert everywhere(workspace.root, b"picture of a")
    assert not everywhere(workspace.root, b"picture of b") + everywhere(workspace.root, b"picture of c")
    with workspace.register() as register:
        register.objections.withdraw(reference, now=NOW)
    honour(workspace, now=NOW)
    assert contents(workspace) == {b"picture of a", b"picture of d"}, "only an import brings something back"
    import_shown(workspace, items[:2], FILES)
    assert contents(workspace) == {b"picture of %c" % each for each in b"abcd"}


def test_a_person_finds_and_gets_their_pictures(workspace: Workspace, tmp_path: Path) -> None:
    door = Door(unknown_age="use", audiences=(Audience.PUBLIC, Audience.FOLLOWERS))
    write_policy(open_policy(**USED, door=door), workspace.policy_path)
    items: list[dict[str, Any]] = [
        item("1", "forum:ann", media=[photo("a.jpg"), photo("b.jpg", alt="a <b> cat")]),
        item("2", "forum:bob", media=[photo("c.jpg", "forum:ann"), photo("d.jpg")]),
        item("3", "forum:bob", media=[photo("e.jpg", "forum:ann")], audience="followers"),
        item("4", "forum:cyd", media=[photo("f.jpg"), photo("nowhere.jpg")]),
    ]
    import_shown(workspace, items, FILES)
    found = find(workspace, "forum:ann", now=NOW)
    assert (found.pictures, found.tagged) == (2, 2)
    copy = copy_of(workspace, "forum:ann", to=tmp_path / "copy.zip", now=NOW)
    assert copy.pictures == 3, "not what only somebody else's followers could see"
    with zipfile.ZipFile(copy.path) as archive:
        told = json.loads(archive.read("copy.json"))
        page = archive.read("copy.html").decode()
        media = [one for row in told["corpus"]["rows"] for one in row["media"]]
        handed = {one["picture"] for one in media if one["picture"]}
        assert {*archive.namelist()} == {"copy.json", "copy.html", *handed}
        assert {archive.read(name).split(b" ", 1)[1] for name in handed} == {b"picture of %c" % each for each in b"abc"}
        assert all(f'<img src="{name}"' in page for name in handed)
    assert 'alt="a &lt;b&gt; cat"' in page
    assert not any("photos and videos" in sentence for sentence in told["not_held"])
    status = status_of(workspace, now=NOW)
    assert status.pictures == 6
    (last,) = status.imports
    assert last.pictures == OfPictures(7, 6, {PictureReason.MISSING: 1})
    erase(workspace, "forum:ann", now=NOW)
    assert contents(workspace) == {b"picture of d", b"picture of f"}
    copy = copy_of(workspace, "forum:ann", to=tmp_path / "later.zip", now=NOW)
    assert copy.pictures == 0


@pytest.mark.parametrize(
    ("key", "value"), [("copies", "drop"), ("faces", "blur"), ("words", "mask"), ("frames_per_second", 1)]
)
def test_what_is_not_looked_for_can_not_be_asked_for(tmp_path: Path, key: str, value: str | int) -> None:
    workspace = workspaces.create(tmp_path / "w", open_policy(**USED))
    path = workspace.policy_path
    path.write_text(path.read_text().replace("[pictures]", f"[pictures]\n{key} = {json.dumps(value)}"))
    with pytest.raises(PolicyError, match=rf"`pictures\.{key}` .*can't do yet"):
        workspace.policy()


def test_the_last_reading_says_which_pictures(workspace: Workspace) -> None:
    import_shown(
        workspace, [item("1", media=[photo("a.jpg"), photo("b.jpg")]), item("2", media=[photo("c.jpg")])], FILES
    )
    import_shown(workspace, [item("1", media=[photo("b.jpg"), photo("d.jpg")])], {"d.jpg": b"1x1 new"})
    assert contents(workspace) == {b"picture of c", b"new"}, "b has no file any more"
    assert not everywhere(workspace.root, b"picture of a") + everywhere(workspace.root, b"picture of b")
    import_shown(workspace, [item("2", deleted=True)], FILES)
    assert contents(workspace) == {b"new"}


def test_the_policy_takes_pictures_away(workspace: Workspace) -> None:
    files = {"big.jpg": b"1000x100 big", "small.jpg": b"300x300 small"}
    items = [item("1", media=[photo("big.jpg"), photo("small.jpg")])]
    import_shown(workspace, items, files)
    write_policy(open_policy(pictures=Pictures(use="yes", longest_side=500)), workspace.policy_path)
    honour(workspace, now=NOW)
    assert list(at_rest(workspace).values()) == [b"300x300 small"]
    import_shown(workspace, items, files)
    assert sorted(at_rest(workspace).values()) == [b"300x300 small", b"500x50 big"]
    write_policy(open_policy(), workspace.policy_path)
    honour(workspace, now=NOW)
    assert not at_rest(workspace)
    assert not everywhere(workspace.root, b"x300 small")
    assert len(named_by_rows(workspace)) == 2, "the rows stay, as without pictures"


def test_an_export_brings_its_pictures(tmp_path: Path, workspace: Workspace, demur: Demur) -> None:
    """The command, a zip of Instagram's layout, and the readers themselves."""
    made = io.BytesIO()
    Image.new("RGB", (1500, 500), (200, 30, 60)).save(made, "JPEG", comment=b"a word beside the pixels")
    said = {"Username": {"value": "ann.b"}, "Private Account": {"value": "No"}}
    posts = [{"media": [{"uri": f"media/posts/{n}.jpg", "creation_timestamp": 1_650_000_000 + n}]} for n in range(3)]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as export:
        export.writestr(
            "personal_information/personal_information.json", json.dumps({"profile_user": [{"string_map_data": said}]})
        )
        export.writestr("content/posts_1.json", json.dumps(posts))
        export.writestr("media/posts/0.jpg", made.getvalue())
        export.writestr("media/posts/1.jpg", b"<html>no picture</html>")
    command = [sys.executable, "-m", "demur", "import", "instagram", "export.zip", "--json", "-w", str(workspace.root)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said_of_them = json.loads(done.stdout)["pictures"]
    assert said_of_them == {"named": 3, "kept": 1, "left_out": {"missing": 1, "unreadable": 1}}
    assert "not looked for yet" in done.stderr
    (picture,) = at_rest(workspace).values()
    assert Image.open(io.BytesIO(picture)).size == (1024, 341)
    assert not everywhere(workspace.root, b"a word beside the pixels")
    status = demur("status", "-w", workspace.root).out
    assert "Pictures     1 beside the rows" in status
    assert re.search(r"^ +instagram +3 +1 +1 missing, 1 unreadable$", status, re.MULTILINE)
    person = ("--account", "instagram:ann.b", "-w", workspace.root)
    assert "1 picture of theirs, 0 of others" in demur("find", *person).out
    assert (
        "Pictures in it, of theirs or with a tag of them: 1."
        in demur("access", *person, "--to", tmp_path / "copy.zip").out
    )
    erase(workspace, "instagram:ann.b", now=NOW)
    assert not at_rest(workspace)
    assert not everywhere(workspace.root, picture[-200:])


def test_without_what_reads_them_it_is_said_first(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.extras.has", lambda *_: False)
    with pytest.raises(UsageError, match=r"pip install 'demur\[pictures\]'"):
        import_shown(workspace, [item("1", media=[photo("a.jpg")])], FILES)
