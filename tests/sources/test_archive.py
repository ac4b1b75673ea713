"""An export in any packing is one view; an unsafe or broken one is one sentence."""

import contextlib
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.sources import archive, limits, load_source
from demur.sources.archive import Archive
from demur.sources.meter import watching

Make = Callable[..., str]


def _names(*paths: str) -> list[str]:
    with Archive(paths) as opened:
        return [member.name for member in opened.members]


def _read(path: str) -> list[bytes]:
    with Archive([path]) as opened:
        return [member.open().read() for member in opened.members]


def test_a_folder_and_a_zip_look_alike(folder: Make, zipped: Make) -> None:
    tree = {"a/posts_10.json": [], "a/posts_2.json": [], ".DS_Store": b"x"}
    assert _names(folder(tree)) == _names(zipped(tree)) == ["a/posts_2.json", "a/posts_10.json"]


def test_members_are_found_from_some_folder_on_and_in_natural_order(zipped: Make) -> None:
    path = zipped({"export-1/posts_10.json": [], "export-1/posts_9.json": [], "export-1/my_posts_1.json": []})
    with Archive([path]) as opened:
        assert [one.name[-13:] for one in opened.find(r"posts_\d+\.json")] == ["/posts_9.json", "posts_10.json"]


def test_split_zips_are_one_export_and_repeated_content_counts_once(zipped: Make, tmp_path: Path) -> None:
    first = zipped({"p/a.json": [1], "p/b.json": [1]}, "parts/x-part1.zip")
    second = zipped({"p/a.json": [1], "p/b.json": [2], "p/c.json": []}, "parts/x-part2.zip")
    together = ["p/a.json", "p/b.json", "p/b.json", "p/c.json"]
    assert _names(first, second) == _names(str(tmp_path / "parts")) == together


def test_repeated_content_counts_once_in_folders_too(folder: Make, zipped: Make) -> None:
    tree = {"a.json": [1], "b.json": [2]}
    paths = folder(tree, "one"), folder(tree | {"b.json": [3]}, "two"), zipped(tree)
    assert _names(*paths) == ["a.json", "b.json", "b.json"]


@pytest.mark.parametrize("name", ["../x.json", "/etc/x.json", "a/../../x.json", "..\\x.json", "C:x.json", "C:\\x.json"])
def test_a_name_that_leads_outside_is_refused(zipped: Make, name: str) -> None:
    with pytest.raises(SourceError, match=r"export\.zip: the name .* leads out of the export: don't use this file\."):
        _names(zipped({name: []}))


def test_backslashes_between_folders_are_slashes(zipped: Make) -> None:
    path = zipped({"export\\posts\\a.json": [1], "export\\b.json": [2], "export\\empty\\": b""})
    assert _names(path) == ["export/b.json", "export/posts/a.json"]
    assert _read(path) == [b"[2]", b"[1]"]
    with pytest.raises(SourceError, match="twice"):
        _names(zipped({"a/x.json": [1], "a\\x.json": [2]}))


def test_files_that_nobody_read_are_counted_by_their_endings(zipped: Make) -> None:
    with watching() as meter:
        _read(path := zipped({"a.json": [], "b.json": [], "p/c.jpg": b"", "p/d.JPG": b"", "README": b""}))
        with Archive([path]) as opened:
            opened.find(r"a\.json")[0].open().close()
    assert meter.told == [f"{path}: 4 of 5 files were not read (2 .jpg, 1 no ending, 1 .json)."]


def test_a_symbolic_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    entry = zipfile.ZipInfo("a.json")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(entry, "/etc/passwd")
    with pytest.raises(SourceError, match=r"a\.json is a symbolic link"):
        _names(str(path))


def test_a_symbolic_link_that_leaves_a_folder_is_refused_and_one_inside_is_passed_over(
    folder: Make, tmp_path: Path
) -> None:
    path = folder({"a/x.json": []})
    Path(path, "b").symlink_to("a")
    assert _names(path) == ["a/x.json"]
    Path(path, "c.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match=r"c\.json is a symbolic link that leads outside: remove it\."):
        _names(path)


def test_a_pipe_in_a_folder_is_refused(folder: Make) -> None:
    path = folder({"a.json": []})
    os.mkfifo(Path(path, "pipe.json"))
    with pytest.raises(SourceError, match=r"pipe\.json is no regular file"):
        _names(path)


def test_an_encrypted_member_is_refused(zipped: Make) -> None:
    path = Path(zipped({"a.json": [1, 2, 3]}))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag bit in the central directory, APPNOTE 4.4.4
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.json is encrypted: unpack it and pass the folder\."):
        _names(str(path))


def test_nested_zips_are_refused_but_an_attached_zip_is_not_opened(zipped: Make) -> None:
    inner = Path(zipped({"a.json": []}, "inner.zip")).read_bytes()
    for tree in ({"x/inner.zip": inner}, {"inner.zip": inner, "a.json": []}):
        with pytest.raises(SourceError, match=r"inner\.zip is a zip inside a zip: unpack the outer one"):
            _names(zipped(tree))
    assert _names(zipped({"messages/files/inner.zip": inner, "a.json": []})) == ["a.json", "messages/files/inner.zip"]


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.json", "[]")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("a.json", "[1]")
    with pytest.raises(SourceError, match=r"holds 'a\.json' twice"):
        _names(str(path))


def test_members_that_overlap_are_refused(zipped: Make) -> None:
    path = Path(zipped({"a.json": b"[1]" * 50, "b.json": b"[2]" * 50}))
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<I", 0)  # its local header is now the first one's
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"overlap: this is a zip bomb"):
        _names(str(path))


def test_a_zip_bomb_is_stopped_while_it_inflates(zipped: Make) -> None:
    path = zipped({"a.json": b"[" + b" " * (limits.FREE_BYTES + (1 << 21)) + b"]"})
    with pytest.raises(SourceError, match=r"a\.json inflates to more than 200 times its size like a zip bomb"):
        _read(path)


def test_the_total_is_limited(zipped: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive._Budget, "left", 1000)
    with pytest.raises(SourceError, match=r"the export holds over 256 GiB: import it in parts\."):
        _read(zipped({f"{n}.json": b"x" * 400 for n in range(3)}))


def test_a_truncated_zip_and_no_zip_at_all(zipped: Make, tmp_path: Path) -> None:
    whole = Path(zipped({"a.json": list(range(1000))})).read_bytes()
    half = tmp_path / "half.zip"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"half\.zip is a truncated zip: download it again\."):
        _names(str(half))
    half.write_bytes(b"<html>")
    with pytest.raises(SourceError, match=r"half\.zip is no zip: pass the export's zip, or the folder"):
        _names(str(half))
    with pytest.raises(SourceError, match=r"nowhere does not exist: check the path"):
        _names(str(tmp_path / "nowhere"))


def test_damaged_data_is_told_when_it_is_read(zipped: Make) -> None:
    path = Path(zipped({"a.json": os.urandom(2000).hex().encode()}))
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"export\.zip: a\.json is damaged .*: download the export again\."):
        _read(str(path))


def test_an_unreadable_path_is_one_sentence(zipped: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped({"a.json": []})

    def refuse(*_: object, **__: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(zipfile, "ZipFile", refuse)
    with pytest.raises(SourceError, match="can't be read"):
        _names(path)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_wrong_with_a_zip_is_a_source_error(zipped: Make, data: st.DataObject) -> None:
    path = Path(zipped({"content/posts_1.json": [{"title": "hello"}] * 20, "comments/comments.json": []}))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)
    with contextlib.suppress(SourceError):
        list(load_source("instagram").read([str(path)], {}))
