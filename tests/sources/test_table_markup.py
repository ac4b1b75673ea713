"""Tables whose texts are in a markup."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.table import TableSource

KNEE = "My knee operation went well"
POSTS = [
    {"id": 1, "topic": 12, "nr": 1, "who": "ann", "uid": 77, "body": f"<p>{KNEE}</p>"},
    {
        "id": 2,
        "topic": 13,
        "nr": 1,
        "who": "ben",
        "uid": 78,
        "body": '<aside class="quote" data-topic="12" data-post="1"><div class="title">A title</div>'
        f"<blockquote>{KNEE}</blockquote></aside><p>ok</p>",
    },
    {
        "id": 3,
        "topic": 12,
        "nr": 2,
        "who": "ben",
        "uid": 78,
        "body": '<p><a class="mention" href="/u/ann">@ann</a></p>',
    },
]
OPTIONS: dict[str, Any] = {
    "columns": {"item": "id", "author": "who", "thread": "topic", "text": "body"},
    "namespace": "forum",
    "markup": "html",
}


def read(path: object, **options: object) -> list[dict[str, Any]]:
    batches = list(TableSource().read([str(path)], options))
    return [row for batch in batches for row in batch.to_pylist()]


def marked(row: dict[str, Any]) -> set[tuple[str, str, str | None]]:
    return {(row["text"][one["start"] : one["end"]], one["role"], one["account"]) for one in row["spans"] or ()}


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def database(path: Path, rows: list[dict[str, Any]]) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE posts (id, topic, nr, who, uid, body)")
        connection.executemany("INSERT INTO posts VALUES (?, ?, ?, ?, ?, ?)", [tuple(row.values()) for row in rows])
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize(("write", "name"), [(lines, "p.jsonl"), (parquet, "p.parquet"), (database, "p.db")])
def test_a_preview_is_of_who_wrote_the_post_wherever_it_stands(
    tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], object], name: str
) -> None:
    path = write(tmp_path / name, POSTS[::-1])  # the quoted post last

    rows = read(path, **OPTIONS, number="nr", query="SELECT * FROM posts")

    assert [row["text"] for row in rows] == ["@ann", f"A title\n\n{KNEE}\n\nok", KNEE]
    assert (f"A title\n\n{KNEE}", "quote", "forum:ann") in marked(rows[1])
    assert marked(rows[0]) == {("@ann", "mention", "forum:ann")}


def test_names_are_those_of_authors_that_are_numbers(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "posts.jsonl",
        [
            *POSTS,
            {
                **POSTS[1],
                "id": 4,
                "body": '<blockquote data-attributes="member: 77" data-quote="Old name">q</blockquote>',
            },
        ],
    )
    options = {**OPTIONS, "columns": {**OPTIONS["columns"], "author": "uid"}}

    rows = read(path, **options, username="who")

    assert rows[0]["author"] == "forum:77"
    assert marked(rows[2]) == {("@ann", "mention", "forum:77")}
    assert ("q", "quote", "forum:77") in marked(rows[3])


def test_names_stand_in_the_authors_namespace_where_none_is_declared(tmp_path: Path) -> None:
    row = {"item": "f:1", "author": "f:ben", "text": "[quote=ann]q[/quote] ok"}

    [read_] = read(lines(tmp_path / "posts.jsonl", [row]), markup="bbcode")

    assert marked(read_) == {("q", "quote", "f:ann")}


def test_text_in_markup_is_cleaned_as_any_other(tmp_path: Path) -> None:
    row = {"item": "1", "author": "f:ben", "text": "\x07e\u0301 [quote=ann]\x07e\u0301[/quote]"}

    [read_] = read(lines(tmp_path / "posts.jsonl", [row]), markup="bbcode")

    assert (read_["text"], marked(read_)) == ("é \né", {("é", "quote", "f:ann")})


def test_declared_text_and_missing_text_stay(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"item": "1", "text": "<b>[b]x[/b]</b>"}, {"item": "2", "text": None}]
    path = lines(tmp_path / "posts.jsonl", rows)

    assert [row["text"] for row in read(path, markup="text")] == ["<b>[b]x[/b]</b>", None]
    assert [(row["text"], row["spans"]) for row in read(path, markup="bbcode")] == [("x", None), (None, None)]


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("[quote=ann]q[/quote]", "bbcode"),
        ("<p>one</p>", "html"),
        ('<aside class="quote" data-username="ann">q</aside>', "html"),
        ("> ann wrote:\n> q", "markdown"),
        ("plain, 1 < 2 and [sic] & so on", None),
    ],
)
def test_what_looks_like_markup_is_said_where_none_is_declared(tmp_path: Path, text: str, like: str | None) -> None:
    path = lines(tmp_path / "posts.jsonl", [{"item": "1", "text": text}])

    with meter.watching() as watched:
        [row] = read(path)
        assert not read(path, markup="text")[0]["spans"]

    assert row["text"] == text
    assert [one for one in watched.told if f"look like {like}" in one] == ([] if like is None else watched.told)
    assert len(watched.told) == (like is not None)


@pytest.mark.parametrize("markup", ["html", "markdown", "bbcode"])
def test_the_trials_forum_names_nobody_but_by_spans(shared: Path, markup: str) -> None:
    rows = read(shared.parent / "trials/files/forum/posts.jsonl", markup=markup, namespace="forum")

    left = []
    for row in rows[1:]:
        text = row["text"]
        for one in sorted(row["spans"], key=lambda span: -span["start"]):
            if one["account"] == "forum:annberg":
                text = text[: one["start"]] + " " * (one["end"] - one["start"]) + text[one["end"] :]
        left.append(" ".join(text.split()))
    assert left == ["Glad to hear.", "yes", "ok", "Good.", "@annberg all the best, and to"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"markup": "wiki"}, "'markup' does not fit"),
        ({"markup": "html", "number": "nrr"}, "there is no column 'nrr' for 'number'"),
        ({"markup": "html", "username": "whom"}, "there is no column 'whom' for 'username'.*did you mean 'who'"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path: Path, options: dict[str, Any], why: str) -> None:
    with pytest.raises(SourceError, match=why):
        read(lines(tmp_path / "posts.jsonl", POSTS), **{**OPTIONS, **options})


def test_spans_and_markup_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="drop one of the two"):
        read(lines(tmp_path / "posts.jsonl", [{"item": "1", "text": "x", "spans": []}]), markup="html")


def test_a_post_of_nothing_but_quotes_is_refused(tmp_path: Path) -> None:
    text = '@"a" ' * 250_001

    with pytest.raises(SourceError, match=r"row 1, column 'text': more than 250,000 quotes and mentions"):
        read(lines(tmp_path / "posts.jsonl", [{"item": "1", "author": "f:b", "text": text}]), markup="bbcode")
