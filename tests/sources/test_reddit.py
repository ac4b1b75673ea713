"""Dumps of Reddit become items."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]


def submission(number: str, text: str, **properties: object) -> dict[str, Any]:
    about = {"id": number, "author": "ann", "selftext": text, "subreddit": "Garden", "subreddit_type": "public"}
    return {**about, "created_utc": 1772359200, "title": "x", **properties}


def comment(number: str, text: str, **properties: object) -> dict[str, Any]:
    about = {"id": number, "author": "Ben", "body": text, "subreddit": "Garden", "subreddit_type": "public"}
    return {**about, "link_id": "t3_a", "parent_id": "t3_a", "created_utc": "1772359200", **properties}


def dump(*objects: object) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in objects) + b"\n"


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][s["start"] : s["end"]].strip(), s["role"], s["account"]) for s in row["spans"]]


def test_submissions_and_comments(items: Items, tmp_path: Path) -> None:
    for name, content in (
        ("RS_2026-03.zst", dump(submission("a", "Why?"))),
        ("RC_2026-03.zst", dump(comment("b", "So."))),
    ):
        with pa.output_stream(str(tmp_path / name), compression="zstd") as file:
            file.write(content)

    rows = sorted(items("reddit", str(tmp_path)), key=lambda row: row["item"], reverse=True)

    assert [
        (row["item"], row["author"], row["kind"], row["audience"], row["parent"], row["thread"]) for row in rows
    ] == [
        ("reddit:t3_a", "reddit:ann", "post", "public", None, "reddit:t3_a"),
        ("reddit:t1_b", "reddit:Ben", "comment", "public", "reddit:t3_a", "reddit:t3_a"),
    ]
    assert {row["group"] for row in rows} == {"reddit:r/garden"}
    assert {row["created"] for row in rows} == {datetime(2026, 3, 1, 10, tzinfo=UTC)}


def test_people_and_quotes(items: Items, folder: Export) -> None:
    body = "u/ann wrote:\n\n&gt; My knee is well.\n\nGlad, /u/Cleo_D &amp; all"

    (row,) = items("reddit", folder({"RC_2026-03.jsonl": dump(comment("b", body))}))

    assert ("/u/Cleo_D", "mention", "reddit:Cleo_D") in marked(row)
    assert ("My knee is well.", "quote", "reddit:ann") in marked(row)
    assert row["text"].endswith("& all")


@pytest.mark.parametrize(
    ("properties", "audience"),
    [({}, "public"), ({"subreddit_type": "restricted"}, "public"), ({"subreddit_type": "private"}, "group"),
     ({"subreddit_type": None}, None)],
)  # fmt: skip
def test_closed_subreddits_are_never_public(
    items: Items, folder: Export, properties: dict[str, Any], audience: str | None
) -> None:
    (row,) = items("reddit", folder({"a.jsonl": dump(submission("a", "x", **properties))}))

    assert row["audience"] == audience


def test_what_was_deleted_or_removed_is_gone(items: Items, folder: Export) -> None:
    lines = dump(
        comment("a", "[deleted]", author="[deleted]"),
        submission("b", "[removed]"),
        submission("c", "x", removed_by_category="moderator"),
        comment("d", "x", _meta={"was_deleted_later": True}),
        comment("e", "x", _meta={"was_initially_deleted": False}),
    )

    rows = items("reddit", folder({"a.ndjson": lines}), default_audience="public")

    assert [row["deleted"] for row in rows] == [True, True, True, True, False]
    assert (rows[0]["author"], rows[0]["text"]) == (None, "")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"id": "a"}\n', "line 1 is no submission or comment"),
        (b"[]\n", "line 1 is no JSON object"),
        (dump(submission("a", "x", created_utc=1e99)), "is no time in seconds"),
        (b"\x28\xb5\x2f\xfdbroken", "damaged"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, content: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("reddit", folder({"a.jsonl": content}) + "/a.jsonl")
