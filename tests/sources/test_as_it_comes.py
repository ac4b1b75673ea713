"""Text files as people have them: encodings, packings, delimiters, dates; read, or refused in one sentence."""

import bz2
import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from demur.errors import SourceError
from demur.sources import limits, load_source
from demur.sources.meter import watching
from demur.sources.opened import look, reached, separator
from demur.sources.values import moment, odd_number, truth

Rows = list[dict[str, Any]]
CSV = 'item,author,text,created\n1,forum:jörg,"Grüße, aus dem Tal",2026-03-01\n'
JSON = '{"item": "1", "author": "forum:jörg", "text": "Grüße, aus dem Tal", "created": "2026-03-01"}\n'
LOG = "[16:59] <jörg> Grüße, aus dem Tal\r\n[17:00] <ben> jörg: ja\r\n"


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data).to_pybytes())


WAYS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "mark": ("", lambda text: text.encode("utf-8-sig")),
    "utf-16": ("", lambda text: text.encode("utf-16")),
    "utf-16 be": ("", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    "utf-16 unmarked": ("", lambda text: text.encode("utf-16-le")),
    "utf-32": ("", lambda text: text.encode("utf-32")),
    "gz": (".gz", lambda text: gzip.compress(text.encode())),
    "gz, mark": (".gz", lambda text: gzip.compress(text.encode("utf-8-sig"))),
    "gz of two": (".gz", lambda text: gzip.compress(text.encode()[:9]) + gzip.compress(text.encode()[9:])),
    "bz2": (".bz2", lambda text: bz2.compress(text.encode())),
    "zst": (".zst", lambda text: zstd(text.encode())),
    "zst of utf-16": (".zst", lambda text: zstd(text.encode("utf-16"))),
    "named packed": (".gz", lambda text: text.encode()),
    "packed unnamed": ("", lambda text: gzip.compress(text.encode())),
}


def read(source: str, path: Path, **options: object) -> Rows:
    return [row for batch in load_source(source).read([str(path)], options) for row in batch.to_pylist()]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("source", "name", "text"), [("table", "t.csv", CSV), ("table", "t.jsonl", JSON)])
def test_a_table_is_read_whatever_it_is_written_in(tmp_path: Path, source: str, name: str, text: str, way: str) -> None:
    ending, made = WAYS[way]
    (row,) = read(source, written(tmp_path / f"{name}{ending}", made(text)))
    assert (row["item"], row["author"], row["text"]) == ("table:1", "forum:jörg", "Grüße, aus dem Tal")
    assert row["created"] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "utf-16 unmarked"])
def test_the_first_line_of_a_log_counts_and_its_name_stays(tmp_path: Path, way: str) -> None:
    ending, made = WAYS[way]
    rows = read("irc", written(tmp_path / f"garden-2026-09-30.log{ending}", made(LOG)))
    assert [(row["item"], row["author"], row["text"]) for row in rows] == [
        ("irc:garden-2026-09-30/1", "irc:jörg", "Grüße, aus dem Tal"),
        ("irc:garden-2026-09-30/2", "irc:ben", "jörg: ja"),
    ]
    assert rows[1]["spans"][0]["account"] == "irc:jörg"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("head", ["", "sep={}\r\n"])
def test_delimiters_are_told_apart(tmp_path: Path, delimiter: str, head: str) -> None:
    lines = [["item", "author", "text"], ["1", "forum:ann", '"a; b, c | d"'], ["2", "forum:ben", '"x\ny"']]
    content = head.format(delimiter) + "".join(delimiter.join(line) + "\r\n" for line in lines)
    rows = read("table", written(tmp_path / "t.csv", content))
    assert [(row["author"], row["text"]) for row in rows] == [("forum:ann", "a; b, c | d"), ("forum:ben", "x\ny")]


def test_a_delimiter_in_doubt_is_named_and_declaring_it_decides(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "item;a,author;b\n1;2,forum:ann;3\n")
    with pytest.raises(SourceError, match=r'commas and semicolons stand in the first line.*delimiter = ";"'):
        read("table", path)
    assert read("table", path, delimiter=";", columns={"author": "b"}, namespace="forum")[0]["author"] == "forum:3"
    assert separator("a;b,c\n1;2,5\n3;4\n", "t", "") == ";"


@pytest.mark.parametrize("text", [CSV.replace("text", "größe"), CSV])
def test_a_legacy_encoding_is_named_and_read_as_declared(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "t.csv", text.encode("cp1252"))
    with pytest.raises(SourceError, match=r'not in UTF-8: .*\[sources.table\].*encoding = "windows-1252"'):
        read("table", path)
    assert read("table", path, encoding="windows-1252")[0]["author"] == "forum:jörg"
    with pytest.raises(SourceError, match="'klingon' is no encoding of text"):
        read("table", path, encoding="klingon")
    with pytest.raises(SourceError, match="no encoding of text"):
        read("table", path, encoding="base64")


DAMAGED = {
    "truncated gzip": ("t.csv.gz", gzip.compress(CSV.encode())[:-9]),
    "truncated zstd": ("t.csv.zst", zstd(CSV.encode() * 9)[:-3]),
    "garbage behind": ("t.csv.gz", gzip.compress(CSV.encode()) + b"garbage"),
    "bzip2 of nothing": ("t.csv.bz2", b"BZh91"),
    "half a character": ("t.csv", CSV.encode("utf-16") + b"\x41"),
    "lone surrogate": ("t.csv", b"\xff\xfe" + b"\x00\xd8" * 9),
    "packed parquet": ("t.parquet.gz", gzip.compress(b"PAR1")),
    "no json": ("t.jsonl.gz", gzip.compress(b"[1]")),
    "empty": ("t.csv", b""),
    "a mark alone": ("t.csv", b"\xff\xfe"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_damaged_is_one_sentence(tmp_path: Path, name: str) -> None:
    file, content = DAMAGED[name]
    with pytest.raises(SourceError) as caught:
        read("table", written(tmp_path / file, content))
    assert re.fullmatch(rf"{re.escape(str(tmp_path / file))}[^\n]+\.", str(caught.value))


@pytest.mark.parametrize("ending", ["gz", "bz2", "zst"])
@pytest.mark.parametrize(("source", "name"), [("table", "t.jsonl"), ("table", "t.csv"), ("irc", "t.log")])
def test_a_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str, ending: str
) -> None:
    monkeypatch.setattr("demur.sources.opened.FREE_BYTES", 2**20)
    bomb = (b"" if name.endswith(".jsonl") else b"item,author\n") + b"\n" * (8 * 2**20)
    packs: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstd}
    with pytest.raises(SourceError, match=rf"unpacks to more than {limits.MAX_RATIO} times its size"):
        read(source, written(tmp_path / f"{name}.{ending}", packs[ending](bomb)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]), block=st.integers(1, 9))
def test_the_text_is_what_was_written(tmp_path: Path, text: str, encoding: str, block: int) -> None:
    """Whatever the sizes in which it is read, a byte order mark of its own included."""
    assume(not (encoding == "utf-16" and text.startswith("\0")))  # the mark and two NULs are UTF-32's mark
    with look(written(tmp_path / "x", text.encode(encoding))).open() as file:
        assert b"".join(iter(lambda: file.read1(block), b"")).decode() == text
        assert reached(file) == (tmp_path / "x").stat().st_size


NOON = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
FORMS = {
    "2026-03-01 12:00:07 UTC": NOON,
    "2026-03-01 12:00:07 GMT": NOON,
    "2026-03-01T12:00:07.000000000Z": NOON,
    "2026-03-01 13:00:07 +0100": NOON,
    "2026-03-01 13:00:07+01": NOON,
    "2026-03-01 07:00:07 -05:00": NOON,
    "2026/03/01 12:00:07": NOON,
    "01.03.2026 12:00:07": NOON,
    "1.3.2026, 12:00:07": NOON,
    "Sun, 01 Mar 2026 12:00:07 +0000": NOON,
    "Sun Mar 01 12:00:07 +0000 2026": NOON,
    "Sun Mar  1 12:00:07 2026": NOON,
    "Mar 1, 2026, 12:00:07 PM": NOON,
    "March 1, 2026 at 12:00:07": NOON,
    "1 Mar 2026 12:00:07 UTC": NOON,
    "2026-03-01 13:00:07 +0100 CET": NOON,
    "Sun Mar 01 2026 13:00:07 GMT+0100 (CET)": NOON,
    "Sunday, March 1, 2026, 12:00:07": NOON,
    "1772366407": NOON,
    "1772366407.0": NOON,
    "2026-03-01": NOON.replace(hour=0, second=0),
    "01.03.2026": NOON.replace(hour=0, second=0),
}


@pytest.mark.parametrize("form", FORMS)
def test_common_dates_are_read(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "t.csv", f'item,created\n1,"{form}"\n2,\n')
    assert [row["created"] for row in read("table", path)] == [FORMS[form], None]


def test_several_forms_may_stand_in_one_column(tmp_path: Path) -> None:
    forms = [form for form in FORMS if not form.isdigit() and form != "1772366407.0"]
    path = written(tmp_path / "t.csv", "item,created\n" + "".join(f'{n},"{form}"\n' for n, form in enumerate(forms)))
    assert [row["created"] for row in read("table", path)] == [FORMS[form] for form in forms]


@pytest.mark.parametrize(
    "form",
    ["03/01/2026", "1/3/26", "2026-02-30", "2026-03-01 25:00", "13 PM", "Foo 1, 2026", "soon", "2026-03-01 +99:99"],
)
def test_other_dates_are_refused_with_those_that_are_read(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "t.csv", f'item,created\n1,2026-03-01\n2,"{form}"\n')
    with pytest.raises(
        SourceError, match=r"row 2, column 'created'.* read are 2026-03-01, 2026-03-01 10:00:00"
    ) as told:
        read("table", path)
    assert form not in str(told.value).partition("column")[2].replace("2026-03-01", "")


@pytest.mark.parametrize("value", [45352.4, 45352])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_numbers_that_a_spreadsheet_made_of_dates_are_named(tmp_path: Path, ending: str, value: float) -> None:
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({"item": ["1"], "created": [value]}), path)
    else:
        written(path, f"item,created\n1,{value}\n" if ending == "csv" else f'{{"item": 1, "created": {value}}}\n')
    with pytest.raises(SourceError, match="row 1, column 'created': the number is what a spreadsheet makes of a date"):
        read("table", path)


@pytest.mark.parametrize(
    ("value", "unit", "hint"),
    [
        (2026, "s", "looks like a year"),
        (1_772_000_000_000, "s", 'created_unit = "ms"'),
        (1_772_000_000_000_000, "s", 'created_unit = "us"'),
        (1_772_000_000_000_000, "ms", 'created_unit = "us"'),
    ],
)
def test_numbers_of_another_unit_are_named(tmp_path: Path, value: int, unit: str, hint: str) -> None:
    path = written(tmp_path / "t.csv", f"item,created\n1,{value}\n")
    with pytest.raises(SourceError, match=f"row 1, column 'created': .*{hint}"):
        read("table", path, created_unit=unit)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        ("<!DOCTYPE html><html>", "HTML or XML"),
        ('[{"item": "1"}]', "JSON and no CSV"),
        ("PK\x03\x04\x14", "a zip, as .xlsx and .ods are"),
    ],
)
def test_a_file_that_is_no_csv_is_said_to_be_what_it_is(tmp_path: Path, start: str, what: str) -> None:
    with pytest.raises(SourceError, match=f"t.csv is {what}"):
        read("table", written(tmp_path / "t.csv", start))


def test_columns_are_told_by_their_names(tmp_path: Path) -> None:
    assert read("table", written(tmp_path / "t.csv", "item, author\n1,forum:ann\n"))[0]["author"] == "forum:ann"
    with pytest.raises(SourceError, match="has a column 'text' twice: name each once"):
        read("table", written(tmp_path / "t.csv", "item,text,text\n1,a,b\n"))


def test_a_declared_encoding_that_the_text_is_hardly_in_is_doubted(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", CSV)
    with watching() as meter:
        read("table", path, encoding="windows-1252")
    assert meter.told == [f"{path} is read as CP1252, but looks like UTF-8: see to its encoding."]


def test_odd_numbers_and_words() -> None:
    assert odd_number(1_772_366_400) is None
    assert odd_number(0) is None
    assert "without hyphens" in (odd_number(20260301) or "")
    assert odd_number(20269999) is None
    assert [truth(word) for word in ("WAHR", "Vrai", "t", "0", "FAŁSZ", "Falskt")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    with pytest.raises(ValueError, match="no point"):
        moment("45352.4")


def test_numbers_with_a_decimal_comma_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "item;rating\n1;4,5\n2;3.5\n3;\n")
    assert [row["rating"] for row in read("table", path)] == [4.5, 3.5, None]
    with pytest.raises(SourceError, match="the value is no number"):
        read("table", written(path, "item;rating\n1;1,000,000\n"))


def test_lines_of_json_in_a_legacy_encoding_are_named_and_read_as_declared(tmp_path: Path) -> None:
    path = written(tmp_path / "t.jsonl", JSON.encode("cp1252"))
    with pytest.raises(SourceError, match=r"t\.jsonl, line 1 is not in UTF-8: .*encoding ="):
        read("table", path)
    with watching() as meter:
        assert read("table", path, encoding="windows-1252")[0]["author"] == "forum:jörg"
    assert meter.told == [f"{path} is read as CP1252."]


def test_truth_values_of_spreadsheets_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "item;deleted\n1;WAHR\n2;FALSCH\n3;\n")
    assert [row["deleted"] for row in read("table", path)] == [True, False, False]


def test_files_that_are_passed_over_in_a_folder_are_counted(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv.gz", "notes.docx", "c.xlsx"):
        written(tmp_path / name, b"item\n1\n")
    with watching() as meter:
        assert len(read("table", tmp_path)) == 2
    assert meter.told == [f"{tmp_path}: 2 of 4 files are no tables and were not read."]
    written(tmp_path / "x.log", LOG)
    written(tmp_path / "licence.txt", "nobody speaks\n")
    with watching() as meter:
        assert len(read("irc", tmp_path)) == 2
    assert meter.told == [
        "4 files end neither with .log nor with .txt: not read.",
        "In 1 of 2 files nobody speaks: they were passed over.",
    ]


def test_a_label_in_an_unknown_language_is_named(folder: Callable[..., str]) -> None:
    labels = {"Όνομα χρήστη": {"value": "ann"}, "Βιογραφικό": {"value": "secret"}}
    path = folder(
        {
            "personal_information/personal_information.json": {"profile_user": [{"string_map_data": labels}]},
            "your_instagram_activity/media/posts_1.json": [{"creation_timestamp": 1700000000, "title": "hi"}],
        }
    )
    with watching() as meter:
        (row,) = read("instagram", Path(path))
    assert row["author"] is None
    (told,) = meter.told
    assert "'όνομα χρήστη', 'βιογραφικό'" in told
    assert "secret" not in told
