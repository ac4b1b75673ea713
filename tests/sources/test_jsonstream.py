"""JSON record by record: every shape of root, every kind of damage."""

import json
from collections.abc import Callable

import pytest

from demur.errors import SourceError
from demur.sources import jsonbounds
from demur.sources.archive import Archive
from demur.sources.jsonstream import first_value, records, records_at

Make = Callable[..., str]


def _values(path: str, *keys: str) -> list[object]:
    with Archive([path]) as opened:
        return [record.value for record in records(opened.members[0], *keys)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'\n {"x_v2": [{"a": 1}]}', [{"a": 1}]),
        (b'{"s\\u00c3\\u00b8.g": [{"a": 1}]}', [{"a": 1}]),
        (b'{"x_v2": {"a": 1}}', [{"x_v2": {"a": 1}}]),
        (b"[]", []),
        (b'{"x_v2": []}', []),
        (b'["You have no data in this section"]', []),
        (b"{}", [{}]),
        (b'\xef\xbb\xbf[{"a": 1}]', [{"a": 1}]),
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
    ],
)
def test_records_are_found_by_shape(folder: Make, content: bytes, expected: list[object]) -> None:
    assert _values(folder({"a.json": content})) == expected


def test_records_are_found_by_key_and_by_path(folder: Make) -> None:
    path = folder({"a.json": {"title": "t", "photos": [{"a": 1}], "videos": [{"a": 2}]}})
    assert _values(path, "photos", "videos", "stories") == [{"a": 1}, {"a": 2}]
    with Archive([path]) as opened:
        assert [record.value for record in records_at(opened.members[0], "videos.item.a")] == [2]
        assert (first_value(opened.members[0], "title"), first_value(opened.members[0], "none")) == ("t", None)


def test_a_record_knows_where_it_stands(folder: Make) -> None:
    path = folder({"a.json": [{}, {}]})
    with Archive([path]) as opened:
        assert [record.where for record in records(opened.members[0])][1] == f"{path}: a.json, record 2"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[{"a": 1},\n{"b": secret}]', r"is no valid JSON in UTF-8 \(line 2, byte 18\)"),
        (b'[{"a": "\xff"}]', r"is no valid JSON in UTF-8 \(line 1, byte 9\)"),
        (b'[{"a": 1}, {"b"', r"ends too early \(line 1, byte 15\)"),
        (b"", r"ends too early"),
        (b"[1] x", r"is no valid JSON"),
        ("[]".encode("utf-16"), r"is not in UTF-8 but in UTF-16 or UTF-32"),
        ("[1]".encode("utf-16-le"), r"is not in UTF-8 but in UTF-16 or UTF-32"),
    ],
)
def test_damage_is_told_with_its_place_and_without_its_content(folder: Make, content: bytes, told: str) -> None:
    path = folder({"a.json": content})
    with pytest.raises(SourceError, match=rf"export: a\.json {told}.*: (download|export) the .* again\.$") as caught:
        _values(path)
    assert "secret" not in str(caught.value)


def test_the_place_is_right_far_into_a_file(folder: Make) -> None:
    good = json.dumps({"a": "x" * 100}).encode() + b",\n"
    content = b"[" + good * 3000 + b"oops]"
    with pytest.raises(SourceError, match=rf"line 3001, byte {len(good) * 3000 + 2}\)"):
        _values(folder({"a.json": content}))


def test_a_record_that_does_not_fit_in_memory_is_refused(folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonbounds, "MAX_RECORD", 1 << 20)
    assert len(_values(folder({"a.json": ["x" * 100_000] * 30 + [{}] * 2}))) == 2
    with pytest.raises(SourceError, match=r"a\.json has a record of more than 1 MiB \(before byte \d+\): remove it"):
        _values(folder({"a.json": [{"a": "x" * (3 << 20)}]}))
