"""A data dump of Stack Exchange becomes items."""

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]


def table(name: str, *rows: dict[str, str]) -> bytes:
    lines = ("  <row " + " ".join(f'{key}="{escape(value)}"' for key, value in row.items()) + " />" for row in rows)
    return "\n".join(['\ufeff<?xml version="1.0" encoding="utf-8"?>', f"<{name}>", *lines, f"</{name}>", ""]).encode()


USERS = table(
    "users",
    {"Id": "-1", "DisplayName": "Community"},
    {"Id": "4", "DisplayName": "Ann Berg", "AboutMe": "<p>Gardener &amp; more</p>"},
    {"Id": "5", "DisplayName": "ben"},
    {"Id": "6", "DisplayName": "Ben"},
)
QUESTION = {
    "Id": "1",
    "PostTypeId": "1",
    "CreationDate": "2026-03-01T10:00:00.123",
    "OwnerUserId": "4",
    "Body": "<p>Why?</p>",
}


def marked(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def test_questions_answers_and_comments(items: Items, folder: Export) -> None:
    tree = {
        "Users.xml": USERS,
        "Posts.xml": table(
            "posts",
            QUESTION,
            {"Id": "2", "PostTypeId": "2", "ParentId": "1", "OwnerUserId": "5", "Body": "<p>So.</p>"},
            {"Id": "3", "PostTypeId": "2", "ParentId": "1", "OwnerDisplayName": "user9", "Body": "<p>x</p>"},
            {"Id": "9", "PostTypeId": "5", "OwnerUserId": "-1", "Body": "<p>wiki</p>"},
        ),
        "Comments.xml": table("comments", {"Id": "1", "PostId": "2", "UserId": "4", "Text": "@ben yes & @AnnBerg no"}),
        "Votes.xml": b"<votes>",
    }

    about, *rows = items("stackexchange", folder(tree), site="garden")

    assert (about["item"], about["author"], about["kind"]) == ("garden:user/4", "garden:4", "profile")
    assert about["text"] == "Gardener & more"
    assert [(row["item"], row["author"], row["kind"], row["parent"], row["audience"]) for row in rows] == [
        ("garden:1", "garden:4", "post", None, "public"),
        ("garden:2", "garden:5", "comment", "garden:1", "public"),
        ("garden:3", None, "comment", "garden:1", "public"),
        ("garden:9", None, None, None, "public"),
        ("garden:comment/1", "garden:4", "comment", "garden:2", "public"),
    ]
    assert rows[0]["created"] == datetime(2026, 3, 1, 10, 0, 0, 123000, tzinfo=UTC)
    assert marked(rows[-1]) == [
        ("@ben", "mention", "garden:5"),
        ("@ben", "mention", "garden:6"),
        ("@AnnBerg", "mention", "garden:4"),
    ]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"Votes.xml": b"<votes>"}, "there is no Posts.xml"),
        ({"Posts.xml": b'<posts>\n  <row Id="1" Body="x />\n'}, "line 2 is no row in XML"),
        ({"Posts.xml": table("posts", {"Body": "x"})}, "line 3 has no Id"),
        ({"Posts.xml": b'<posts>\n<row Id="1" Body="&bomb;" />\n'}, "is no row in XML"),
        ({"Posts.xml": b'<posts>\n<row Id="1" Body="\xff" />\n'}, "is no row in XML"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, tree: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("stackexchange", folder(tree))


def test_values_that_are_none_say_nothing(items: Items, folder: Export) -> None:
    (row,) = items(
        "stackexchange",
        folder({"Posts.xml": table("posts", {"Id": "1", "CreationDate": "0000-99", "DeletionDate": "x"})}),
    )

    assert (row["created"], row["kind"], row["author"], row["text"], row["deleted"]) == (None, None, None, "", True)
