"""Files of an export by the URIs of its items: members of it and nothing else."""

from pathlib import Path

import pytest

from demur.sources.attached import Attached


@pytest.fixture
def export(tmp_path: Path) -> Path:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    for name, content in {
        "media/a.jpg": b"a",
        "one/same.jpg": b"1",
        "two/same.jpg": b"2",
        "media/b c.jpg": b"b c",
    }.items():
        path = tmp_path / "export" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "export"


@pytest.mark.parametrize("uri", ["media/a.jpg", "/media/a.jpg", "a.jpg"])
def test_a_member_is_found(export: Path, uri: str) -> None:
    with Attached([str(export)]) as files:
        assert files.bytes_of(uri) == b"a"
        assert files.bytes_of("media/b%20c.jpg") == b"b c"
        assert files.bytes_of("one/same.jpg") == b"1"


ELSEWHERE = """
    ../secret.jpg media/../../secret.jpg %2e%2e/secret.jpg https://x.example/media/a.jpg file:///etc/passwd
    //x.example/media/a.jpg media\\a.jpg C:/media/a.jpg same.jpg nowhere.jpg / dia/a.jpg
"""


@pytest.mark.parametrize("uri", ["", *ELSEWHERE.split()])
def test_nothing_else_is(export: Path, uri: str) -> None:
    with Attached([str(export)]) as files:
        assert files.bytes_of(uri) is None
