"""Tables of every format become items."""

import json
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from cluster import running
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

from demur.errors import SourceError
from demur.sources.table import TableSource
from demur.sources.tables.bulk import clean_column
from demur.sources.text import Span, clean
from demur.terms import ITEM, SPAN

Rows = list[dict[str, Any]]

POSTS: dict[str, list[Any]] = {
    "id": ["1", "2", "3"],
    "who": ["ann", "bob", None],
    "body": ["hi bob", "grün", None],
    "created": ["2024-01-02T03:04:05Z", "2024-01-02 03:04:05", None],
}
MAPPED: dict[str, Any] = {
    "columns": {"item": "id", "author": "who", "text": "body"},
    "values": {"kind": "post", "audience": "public"},
    "namespace": "forum",
}


def read(path: object, **options: object) -> Rows:
    batches = list(TableSource().read([str(path)], options))
    assert all(batch.schema == ITEM for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def write(path: Path, table: pa.Table) -> Path:
    """A table in the format that the ending of its name says."""
    match path.suffix:
        case ".parquet":
            pq.write_table(table, path, row_group_size=2)
        case ".csv":
            pa_csv.write_csv(table, path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row, default=str) + "\n" for row in table.to_pylist()))
        case ".feather":
            feather.write_feather(table, path)
        case ".arrow" | ".arrows":
            with pa.OSFile(str(path), "wb") as sink:
                kind = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
                with kind(sink, table.schema) as writer:
                    writer.write_table(table, max_chunksize=2)
        case ".db":
            with sqlite3.connect(path) as connection:
                connection.execute(f"CREATE TABLE posts ({', '.join(table.column_names)})")
                marks = ", ".join("?" * len(table.column_names))
                connection.executemany(
                    f"INSERT INTO posts VALUES ({marks})", zip(*table.to_pydict().values(), strict=True)
                )
            connection.close()
    return path


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "arrow", "arrows", "feather", "db"])
def test_every_format_reads_the_same(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"posts.{ending}", pa.table(POSTS))

    rows = read(f"sqlite:///{path}", query="SELECT * FROM posts", **MAPPED) if ending == "db" else read(path, **MAPPED)

    moment = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [(row["item"], row["author"], row["text"], row["created"]) for row in rows] == [
        ("table:1", "forum:ann", "hi bob", moment),
        ("table:2", "forum:bob", "grün", moment),
        ("table:3", None, None, None),
    ]
    assert {(row["kind"], row["audience"], row["origin"], row["deleted"]) for row in rows} == {
        ("post", "public", "first-party", False)
    }


def test_columns_called_like_fields_need_no_map(tmp_path: Path) -> None:
    row = {
        "item": "forum:1",
        "author": "forum:ann",
        "kind": "no-such-kind",
        "audience": None,
        "region": "DE",
        "created": datetime(2024, 1, 1, tzinfo=UTC),
        "language": "de",
        "text": "hi bob",
        "spans": [{"start": 3, "end": 6, "role": "mention", "account": "forum:bob"}],
        "parent": "forum:0",
        "thread": "forum:0",
        "group": "forum:g",
        "rating": 4.5,
        "media": [{"uri": "u", "type": "image/png", "alt": "a cat", "tagged": ["forum:cat"]}],
        "origin": "partner",
        "deleted": True,
    }

    path = write(tmp_path / "t.parquet", pa.Table.from_pylist([row], schema=ITEM))

    assert read(path) == [row]


def test_a_batch_that_fits_is_not_copied() -> None:
    text = pa.array(["plain", "grün — 日本語 😀", None], pa.large_string())
    spans = pa.array([[(0, 5, "mention", "x:y")], None, []], pa.list_(SPAN))

    same_text, same_spans = clean_column(text, spans)

    assert same_text is text
    assert same_spans is spans


CHARACTERS = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from("e\u0301a\u030a\u0327\u1100\u1161\u11a8\u3099か\x00\x07\x7f\x85\r\n\tΩ\u212bé😀\u0958\u0653"),
)
TEXTS = st.none() | st.text(CHARACTERS, max_size=12)
SPANS = st.builds(Span, st.integers(-2, 14), st.integers(-2, 14), st.just("mention"), st.just("x:y"))


@given(st.lists(st.tuples(TEXTS, st.none() | st.lists(SPANS, max_size=3)), max_size=8), st.integers(0, 3))
def test_cleaning_a_column_is_cleaning_its_rows(rows: list[tuple[str | None, list[Span] | None]], skip: int) -> None:
    text = pa.array([one for one, _ in rows], pa.large_string())[skip:]
    spans = pa.array([marks for _, marks in rows], pa.list_(SPAN))[skip:]

    cleaned, moved = clean_column(text, spans)

    alone = [clean(one or "", marks or ()) for one, marks in rows[skip:]]
    assert cleaned.to_pylist() == [
        None if row[0] is None else one for row, (one, _) in zip(rows[skip:], alone, strict=True)
    ]
    assert [[tuple(mark.values()) for mark in marks or ()] for marks in moved.to_pylist()] == [
        [tuple(mark) for mark in marks] for _, marks in alone
    ]


def test_every_character_is_judged_as_unicode_does() -> None:
    letters = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    text = pa.array(letters, pa.large_string())

    cleaned, _ = clean_column(text, pa.nulls(len(letters), pa.list_(SPAN)))

    assert cleaned.to_pylist() == [clean(letter)[0] for letter in letters]
    assert sum(unicodedata.normalize("NFC", letter) != letter for letter in letters) > 1000


@pytest.mark.parametrize(
    ("values", "unit", "moment"),
    [
        ([1704164645], "s", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ([1704164645.25], "s", datetime(2024, 1, 2, 3, 4, 5, 250000, tzinfo=UTC)),
        ([1704164645000], "ms", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ([date(2024, 1, 2)], "s", datetime(2024, 1, 2, tzinfo=UTC)),
        (["2024-01-02"], "s", datetime(2024, 1, 2, tzinfo=UTC)),
        (["2024-01-02T05:04:05+02:00"], "s", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (pa.array([1704164645123456789], pa.timestamp("ns")), "s", datetime(2024, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        (pa.array([1704164645], pa.timestamp("s", tz="Europe/Berlin")), "s", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_times_are_read_by_their_type(tmp_path: Path, values: object, unit: str, moment: datetime) -> None:
    path = write(tmp_path / "t.parquet", pa.table({"item": ["1"], "created": values}))

    assert read(path, created_unit=unit)[0]["created"] == moment


def test_spans_and_media_may_be_json(tmp_path: Path) -> None:
    table = {
        "item": ["1", "2"],
        "text": ["hi bob", ""],
        "spans": ['[{"start": 3, "end": 6, "role": "mention", "account": "bob"}]', ""],
        "media": ['[{"uri": "u", "alt": "e\\u0301", "tagged": ["ann"]}]', None],
    }

    rows = read(write(tmp_path / "t.csv", pa.table(table)), namespace="forum")

    assert rows[0]["spans"] == [{"start": 3, "end": 6, "role": "mention", "account": "forum:bob"}]
    assert rows[0]["media"] == [{"uri": "u", "type": None, "alt": "é", "tagged": ["forum:ann"]}]


def test_shards_of_a_folder_or_pattern_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "forum"
    folder.mkdir()
    for number in (1, 2):
        write(folder / f"part-{number}.parquet", pa.table({"item": [str(number)]}))
    (folder / "_SUCCESS").touch()
    (folder / "_part.parquet").write_bytes(b"unfinished")

    for path in (folder, folder / "part-*.parquet"):
        assert [row["item"] for row in read(path)] == ["table:1", "table:2"]
        assert [row["item"] for row in read(path, source="filename-stem")] == ["forum:1", "forum:2"]


def test_an_items_id_does_not_depend_on_the_files_name(tmp_path: Path) -> None:
    for name in ("posts.parquet", "posts-2.csv", "spring.posts.jsonl"):
        (row,) = read(write(tmp_path / name, pa.table({"item": ["7"], "parent": ["6"]})))
        assert (row["item"], row["parent"]) == ("table:7", "table:6")


@pytest.mark.parametrize(("source", "item"), [("shop", "shop:7"), ("filename-stem", "posts:7"), (None, "table:7")])
def test_a_stated_source_stands_before_ids(tmp_path: Path, source: str | None, item: str) -> None:
    path = write(tmp_path / "posts.db", pa.table({"item": ["7"]}))
    options = {"query": "SELECT * FROM posts"} | ({"source": source} if source else {})
    assert [row["item"] for row in read(f"sqlite:///{path}", **options)] == [item]


def test_numbers_and_dictionaries_are_strings(tmp_path: Path) -> None:
    table = pa.table({"item": [7], "author": pa.array(["x:ann"]).dictionary_encode(), "parent": [6], "rating": [5]})

    (row,) = read(write(tmp_path / "t.parquet", table), source="shop")

    assert (row["item"], row["author"], row["parent"], row["rating"]) == ("shop:7", "x:ann", "shop:6", 5.0)


def test_json_lines_may_be_of_several_types_and_lack_fields(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"item": 1, "text": "a"}\n\n{"item": "x", "deleted": true}\n')

    assert [(row["item"], row["text"], row["deleted"]) for row in read(path)] == [
        ("table:1", "a", False),
        ("table:x", None, True),
    ]


def test_other_separators(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('\ufeffitem;text\n1;"two\nlines; and ""quotes"""\n')
    (tmp_path / "t.tsv").write_text("item\ttext\n1\ta,b\n")

    assert read(tmp_path / "t.csv", delimiter=";")[0]["text"] == 'two\nlines; and "quotes"'
    assert read(tmp_path / "t.tsv")[0]["text"] == "a,b"


def test_batches_are_small_however_large_the_rows_are(tmp_path: Path) -> None:
    text = ["x" * 10 * 2**20] * 4 + ["y"] * 20_000
    path = write(tmp_path / "t.parquet", pa.table({"item": [str(number) for number in range(len(text))], "text": text}))

    batches = list(TableSource().read([str(path)], {}))

    assert sum(batch.num_rows for batch in batches) == len(text)
    assert max(batch.num_rows for batch in batches) <= 8192
    assert max(batch.nbytes for batch in batches) < 32 * 2**20


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        ({"id": ["1"]}, {}, "no column is called 'item'"),
        (
            {"item": ["1"], "wer": ["a:b"]},
            {"columns": {"author": "wre"}},
            "no column 'wre' for 'author'.*: did you mean 'wer'",
        ),
        ({"item": ["1"]}, {"columns": {"autor": "item"}}, "no field 'autor': did you mean 'author'"),
        ({"item": ["1"]}, {"values": {"knd": "post"}}, "no field 'knd': did you mean 'kind'"),
        ({"item": ["1"]}, {"values": {"item": "x"}}, "'item' differs from row to row"),
        ({"item": ["1"]}, {"colums": {}}, "did you mean 'columns'"),
        ({"item": ["1"]}, {"delimiter": "ab"}, "delimiter is one character"),
        ({"item": ["1", None]}, {}, "row 2, column 'item': the item has no id"),
        ({"item": ["1", ""]}, {}, "row 2, column 'item': the item has no id"),
        ({"item": [1.5]}, {}, "column 'item': double is no text"),
        ({"item": ["1"], "text": [[1]]}, {}, "is no text"),
        ({"item": ["1", "2"], "author": ["x:a", "ann"]}, {}, "row 2, column 'author': the account names no namespace"),
        ({"item": ["1", "2"], "created": ["2024-01-01", "soon"]}, {}, "row 2, column 'created': the value is no point"),
        ({"item": ["1", "2"], "created": [0, 10**12]}, {}, "row 2, column 'created': the number counts no seconds"),
        ({"item": ["1", "2"], "created": [0, 10**17]}, {}, "row 2, column 'created': the value is no point"),
        ({"item": ["1", "2"], "created": ["0", "-99999999999"]}, {}, "row 2, column 'created': the time lies outside"),
        ({"item": ["1", "2"], "created": [0, 10**18]}, {}, "row 2, column 'created': the value is no point"),
        ({"item": ["1", "2"], "rating": ["4", "good"]}, {}, "row 2, column 'rating': the value is no number"),
        ({"item": ["1", "2"], "deleted": ["true", "gone"]}, {}, "row 2, column 'deleted': the value is no truth"),
        ({"item": ["1", "2"], "spans": ["[]", "[{]"]}, {}, "row 2, column 'spans': the value is no list"),
        ({"item": ["1", "2"], "spans": ["", '{"a": 1}']}, {}, "row 2, column 'spans': the value is no list"),
        ({"item": ["1", "2"], "spans": ["", '[{"end": 1}]']}, {}, "row 2, column 'spans': a span needs a start"),
        (
            {"item": ["1", "2"], "spans": ["", '[{"start": 0, "end": 0, "account": "ann"}]']},
            {},
            "row 2, column 'spans': the account names no namespace",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_row(
    tmp_path: Path, table: dict[str, Any], options: dict[str, Any], sentence: str
) -> None:
    path = write(tmp_path / "t.parquet", pa.table(table))

    with pytest.raises(SourceError, match=sentence):
        read(path, **options)


def test_broken_utf_8_in_parquet_is_named_by_its_row(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(pa.string(), 2, [*pa.array(["ok", "xx"]).buffers()[:2], pa.py_buffer(b"ok\xff\xff")])
    path = write(tmp_path / "t.parquet", pa.table({"item": ["1", "2"], "text": broken}))

    with pytest.raises(SourceError, match="row 2, column 'text': the value is no text in UTF-8"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", b"item,text\n1,secret\n2\n", "row 3 has 1 fields instead of 2"),
        ("t.csv", b"item,text\n1,\xff secret\n", "a value is not in UTF-8"),
        ("t.csv", b"", "it is empty"),
        ("t.csv", b'item,text\n1,"secret\n' + b"x" * 2**26, "larger than 32 MB, or a quote is never closed"),
        ("t.jsonl", b'{"item": 1}\n{"item": secret}\n', "line 2: this is no JSON object"),
        ("t.jsonl", b'{"item": 1}\n[1]\n', "line 2: this is no JSON object"),
        ("t.jsonl", b'{"item": "\xff"}\n', "line 1 is not in UTF-8"),
        ("t.parquet", b"PAR1 cut short", "is broken or no .parquet file"),
        ("t.arrow", b"ARROW1 cut short", "is broken or no .arrow file"),
        ("t.arrows", b"\xff\xff\xff\xff\x10\x00\x00\x00", "is broken or no .arrows file"),
        ("t.xlsx", b"PK", "the ending is unknown"),
    ],
)
def test_a_broken_file_is_one_sentence_that_shows_nothing(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SourceError, match=sentence) as failure:
        read(path)

    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_truncated_parquet_file_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", pa.table({"item": ["1"]}))
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(SourceError, match=r"is broken or no \.parquet file"):
        read(path)


def test_missing_paths_are_told(tmp_path: Path) -> None:
    for name, sentence in (("no.csv", "does not exist"), ("no-*.csv", "there is no table"), ("", "there is no table")):
        with pytest.raises(SourceError, match=sentence):
            read(tmp_path / name)


def test_a_query_is_streamed(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", pa.table({"item": list(range(20_000)), "text": [None] * 15_000 + ["late"] * 5_000}))

    batches = list(TableSource().read([f"sqlite:///{path}"], {"query": "SELECT * FROM posts"}))

    assert [batch.num_rows for batch in batches] == [8192, 8192, 3616]
    assert batches[2].column("text")[-1].as_py() == "late"


@pytest.mark.parametrize(
    ("url", "query", "sentence"),
    [
        ("sqlite:///{db}", None, "write the SQL query"),
        ("sqlite:///{db}", "SELECT nope FROM posts", "refused the query"),
        ("sqlite:///{db}", "DROP TABLE posts", "refused the query"),
        ("sqlite:///{db}.other", "SELECT 1", "can't be reached"),
        ("sqlite://", "SELECT 1", "can't be reached"),
        ("nosuch://ann:secret@host/db", "SELECT 1", "no driver for nosuch"),
        ("postgresql://ann:secret@127.0.0.1:1/db", "SELECT 1", "can't be reached"),
        ("://", "SELECT 1", "looks like a database URL and is none"),
    ],
)
def test_a_query_that_fails_is_one_sentence(tmp_path: Path, url: str, query: str | None, sentence: str) -> None:
    path = write(tmp_path / "t.db", pa.table({"item": ["1"]}))

    with pytest.raises(SourceError, match=sentence) as failure:
        read(url.format(db=path), **({"query": query} if query else {}))

    assert "secret" not in str(failure.value)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM posts").fetchone() == (1,)


@pytest.fixture(scope="module")
def cluster(postgresql: Path) -> Iterator[str]:
    """A PostgreSQL server on a socket of its own; its URL."""
    with running(postgresql, durable=False) as server:
        yield server.url("postgres")


def test_postgresql_is_read_through_adbc(cluster: str) -> None:
    query = (
        "SELECT n AS item, 'forum:ann' AS author, now() AS created, NULL::text AS text FROM generate_series(1, 20000) n"
    )

    rows = read(cluster, query=query)

    assert [row["item"] for row in rows] == [f"table:{number}" for number in range(1, 20_001)]
    assert rows[0]["created"] > datetime(2024, 1, 1, tzinfo=UTC)


def test_postgresql_is_only_read(cluster: str) -> None:
    with pytest.raises(SourceError, match="refused the query"):
        read(cluster, query="CREATE TABLE t (n int)")


def test_postgresql_is_read_without_adbc_as_well(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)

    url = cluster.replace("postgresql://", "postgresql+psycopg://")
    assert [row["text"] for row in read(url, query="SELECT 1 AS item, 'ä' AS text")] == ["ä"]
