"""Discourse becomes items, whichever way its posts come."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]

COOKED = (
    '<aside class="quote no-group" data-username="annberg" data-post="1" data-topic="12"><div class="title">'
    '<div class="quote-controls"></div> annberg:</div><blockquote><p>My knee is well.</p></blockquote></aside>'
    '<p>Glad, <a class="mention" href="/u/annberg">@annberg</a>!</p>'
)
RAW = '[quote="annberg, post:1, topic:12"]\nMy knee is well.\n[/quote]\n\nGlad, @annberg!'
HEAD = (
    "topic_title",
    "categories",
    "is_pm",
    "post_raw",
    "post_cooked",
    "like_count",
    "reply_count",
    "url",
    "created_at",
)


def post(number: int, **properties: object) -> dict[str, Any]:
    written = {"id": 100 + number, "username": "ben", "post_number": number, "topic_id": 12, "post_type": 1}
    return {**written, "created_at": "2026-03-01T10:00:00.000Z", "cooked": f"<p>post {number}</p>", **properties}


def topic(*posts: object, **properties: object) -> dict[str, Any]:
    about = {"id": 12, "archetype": "regular", "category_id": 5, "visible": True, "deleted_at": None}
    return {"post_stream": {"posts": list(posts), "stream": [101]}, **about, **properties}


def categories(**restricted: bool) -> dict[str, Any]:
    below = [{"id": int(number[1:]), "read_restricted": secret} for number, secret in restricted.items()]
    return {"category_list": {"categories": [{"id": 1, "read_restricted": False, "subcategory_list": below}]}}


def table(*rows: Mapping[str, object] | Sequence[object]) -> bytes:
    text = io.StringIO()
    names = list(rows[0]) if isinstance(rows[0], Mapping) else list(HEAD)
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(list(row.values()) if isinstance(row, Mapping) else row for row in rows)
    return text.getvalue().encode()


def archived(title: str, category: str, message: str, number: int, raw: str = "hello") -> list[object]:
    url = f"https://forum.example/t/{title}/7/{number}"
    return [title, category, message, raw, "", 0, 0, url, "2026-03-01 10:00:00 UTC"]


def marked(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"])


def test_a_topic_of_the_api(items: Items, folder: Export) -> None:
    tree = {"categories.json": categories(c5=False), "t/12.json": topic(post(1), post(2, reply_to_post_number=1))}

    rows = items("discourse", folder(tree))

    assert [(row["item"], row["author"], row["kind"], row["audience"], row["parent"]) for row in rows] == [
        ("discourse:12/1", "forum:ben", "post", "public", None),
        ("discourse:12/2", "forum:ben", "comment", "public", "discourse:12/1"),
    ]
    assert rows[0]["created"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (rows[0]["text"], rows[0]["thread"], rows[0]["group"]) == ("post 1", "discourse:12", "discourse:category/5")


@pytest.mark.parametrize("written", [{"cooked": COOKED}, {"cooked": "", "raw": RAW}], ids=["cooked", "raw"])
def test_quotes_and_mentions_are_spans(items: Items, folder: Export, written: dict[str, str]) -> None:
    (row,) = items("discourse", folder({"12.json": topic(post(2, **written))}))

    assert "My knee is well." in next(words for words, role, _ in marked(row) if role == "quote")
    assert {account for _, _, account in marked(row)} == {"forum:annberg"}
    assert "[quote" not in row["text"]
    # What no span covers names nobody but by a handle, which the kernel finds in any text.
    assert "annberg" not in "".join(
        letter for at, letter in enumerate(row["text"]) if not any(s["start"] <= at < s["end"] for s in row["spans"])
    ).replace("@annberg", "")


@pytest.mark.parametrize(
    ("about", "written", "audience"),
    [
        ({}, {}, "public"),
        ({"category_id": 6}, {}, "group"),
        ({"category_id": 7}, {}, None),
        ({"archetype": "private_message", "category_id": None}, {}, "direct"),
        ({"archetype": None}, {}, None),
        ({"visible": False}, {}, "unlisted"),
        ({}, {"post_type": 4}, "group"),
        ({}, {"hidden": True}, "group"),
    ],
)
def test_audiences(
    items: Items, folder: Export, about: dict[str, Any], written: dict[str, Any], audience: str | None
) -> None:
    tree = {"categories.json": categories(c5=False, c6=True), "t/12.json": topic(post(1, **written), **about)}

    (row,) = items("discourse", folder(tree))

    assert row["audience"] == audience
    assert row["kind"] == ("message" if audience == "direct" else "post")


def test_what_nobody_knows_is_what_the_controller_states(items: Items, folder: Export) -> None:
    tree = {"a.json": topic(post(1)), "b.json": topic(post(2), archetype=None, id=13)}

    rows = items("discourse", folder(tree), default_audience="public", restricted=["7"])
    closed = items("discourse", folder(tree), default_audience="public", restricted=["5"])

    assert [row["audience"] for row in rows] == ["public", "public"]
    assert [row["audience"] for row in closed] == ["group", "group"]


def test_posts_whose_topic_may_be_a_message_are_never_public(items: Items, folder: Export) -> None:
    (row,) = items("discourse", folder({"posts.json": [post(1)]}), default_audience="public")

    assert row["audience"] is None


def test_latest_and_private_posts(items: Items, folder: Export) -> None:
    tree = {"posts.json": {"latest_posts": [post(1, category_id=5)]}, "private.json": {"private_posts": [post(2)]}}

    rows = items("discourse", folder(tree), default_audience="public")

    assert [(row["item"], row["audience"]) for row in rows] == [
        ("discourse:12/1", "public"),
        ("discourse:12/2", "direct"),
    ]


def test_deleted_posts_and_topics_are_gone(items: Items, folder: Export) -> None:
    tree = {
        "1.json": topic(post(1), post(2, deleted_at="2026-01-01"), post(3, user_deleted=True)),
        "2.json": topic(post(1, topic_id=13), id=13, deleted_at="2026-01-01"),
    }

    assert {row["item"]: row["deleted"] for row in items("discourse", folder(tree))} == {
        "discourse:12/1": False, "discourse:12/2": True, "discourse:12/3": True, "discourse:13/1": True,
    }  # fmt: skip


def test_a_member_s_archive(items: Items, zipped: Export) -> None:
    rows = [
        archived("knees", "Health|Knees", "No", 1),
        archived("psst", "-", "Yes", 1),
        archived("psst", "-", "Ja", 2),
        archived("was open", "-", "Nein", 3),
        archived("staff", "Staff", "No", 4),
        archived("quote", "Health", "No", 5, RAW),
    ]
    tree = {
        "user_archive.csv": table(*rows) + b"\n",
        "preferences.json": {"user": {"id": 4, "username": "ben"}},
        "queued_posts.csv": b"id,verdict,category_id,topic_id,post_raw,other_json\n1,1,1,1,secret,{}\n",
        "likes.csv": b"id,post_id,topic_id,post_number\n1,1,1,1\n",
    }

    found = items("discourse", zipped(tree), default_audience="public", restricted=["Staff"])

    assert [(row["item"].partition(":")[2], row["audience"]) for row in found] == [
        ("7/1", "public"), ("7/1", "direct"), ("7/2", "direct"), ("7/3", "group"), ("7/4", "group"), ("7/5", "public"),
    ]  # fmt: skip
    assert {row["author"] for row in found} == {"forum:ben"}
    assert {account for _, _, account in marked(found[-1])} == {"forum:annberg"}


def test_whose_archive_it_is(items: Items, zipped: Export) -> None:
    tree = {"user_archive.csv": table(archived("a", "b", "No", 1))}
    named = zipped(tree, "user_archive-ann-lee-260301-100000-17.zip")

    assert items("discourse", named)[0]["author"] == "forum:ann-lee"
    assert items("discourse", zipped(tree))[0]["author"] is None
    assert items("discourse", zipped(tree), username="eve", namespace="town")[0]["author"] == "town:eve"
    assert items("discourse", named)[0]["audience"] is None


def test_answers_of_the_data_explorer(items: Items, folder: Export) -> None:
    answer = {
        "success": True, "result_count": 1, "columns": ["topic_id", "post_number", "user_id", "raw", "archetype"],
        "relations": {"user": [{"id": 4, "username": "ben"}]}, "rows": [[12, 1, 4, "hi", "regular"]],
    }  # fmt: skip
    tables = {
        "users.csv": b"id,username\n4,ben\n",
        "topics.csv": b"id,archetype,category_id,visible,deleted_at\n12,regular,5,t,\n13,private_message,,t,\n",
        "categories.csv": b"id,read_restricted\n5,f\n",
        "posts.csv": table(
            {"id": 1, "topic_id": 12, "post_number": 1, "user_id": 4, "raw": RAW, "hidden": "f"},
            {"id": 2, "topic_id": 13, "post_number": 1, "user_id": 4, "raw": "psst", "hidden": "f"},
        ),
    }

    (row,) = items("discourse", folder({"a.json": answer}, "one"), default_audience="public")
    rows = items("discourse", folder(tables, "two"))

    assert (row["author"], row["audience"], row["text"]) == ("forum:ben", "public", "hi")
    assert [(row["author"], row["audience"]) for row in rows] == [("forum:ben", "public"), ("forum:ben", "direct")]


def test_a_dump_of_the_database(items: Items, folder: Export) -> None:
    tables = {
        "categories (id, name, read_restricted)": ["5\tOpen\tf", "6\tStaff\tt"],
        "drafts (id, data)": ["1\tsecret"],
        "posts (id, user_id, topic_id, post_number, raw, deleted_at, post_type)": [
            "1\t4\t12\t1\tone\\ntab\\there \\\\o/\t\\N\t1",
            "2\t4\t13\t1\ttwo\t\\N\t1",
            "3\t\\N\t14\t1\tx\t\\N\t1",
        ],
        "topics (id, archetype, category_id, visible, deleted_at)": [
            "12\tregular\t5\tt\t\\N",
            "13\tregular\t6\tt\t\\N",
            "14\tprivate_message\t\\N\tt\t\\N",
        ],
        "users (id, username)": ["4\tben"],
    }
    lines = ["--", "-- PostgreSQL database dump", "--"]
    for name, rows in tables.items():
        lines += [f"COPY public.{name} FROM stdin;", *rows, "\\.", ""]
    dump = "\n".join(lines)

    found = items("discourse", folder({"dump.sql.gz": gzip.compress(dump.encode())}) + "/dump.sql.gz")

    assert [(row["author"], row["audience"]) for row in found] == [
        ("forum:ben", "public"), ("forum:ben", "group"), (None, "direct"),
    ]  # fmt: skip
    assert found[0]["text"].split() == ["one", "tab", "here", "\\o/"]


def test_lines_of_topics_and_posts(items: Items, folder: Export) -> None:
    lines = b"\xef\xbb\xbf" + b"\n".join(json.dumps(one).encode() for one in (topic(post(1)), post(2))) + b"\n\n"

    rows = items("discourse", folder({"all.jsonl": lines}), default_audience="public")

    assert [(row["item"], row["audience"]) for row in rows] == [("discourse:12/1", "public"), ("discourse:12/2", None)]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"a.json": {"name": "x"}}, "no post of Discourse was found"),
        ({"a.json": topic({"username": "ben", "cooked": "x"}, id=None)}, "no post with a topic and a number"),
        ({"a.json": [post(1), 5]}, "is no post"),
        ({"a.json": b'{"post_stream": {"posts": [{"topic_id": 1, "co'}, "ends too early"),
        ({"user_archive.csv": table(archived("a", "b", "No", 1)) + b"a,b\n"}, "row 3 has 2 fields instead of 9"),
        ({"user_archive.csv": table(archived("a", "b", "No", 1)) + b'"a'}, "row 3 is no valid CSV"),
        ({"user_archive.csv": table(archived("a", "b", "No", 1)) + b"\xff,a"}, "not in UTF-8"),
        ({"dump.sql": b"COPY public.posts (id, raw) FROM stdin;\n1\n"}, "line 2 has not the 2 fields"),
        ({"dump.sql": b"COPY public.posts (id, topic_id, post_number) FROM stdin;\n1\t1\t1\n"}, "ends too early"),
        ({"a.jsonl": b'{"topic_id":1,"post_number":1,"cooked":""}\n[1]'}, "line 2 is no JSON object"),
        (
            {"a.json": {"result_count": 1, "columns": ["topic_id"], "rows": [[1, 2]]}},
            "has not the fields of its columns",
        ),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, tree: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("discourse", folder(tree))


def test_values_of_the_wrong_type_say_nothing(items: Items, folder: Export) -> None:
    wrong = {
        "username": 4,
        "created_at": "99",
        "cooked": ["x"],
        "reply_to_post_number": {},
        "hidden": [],
        "deleted_at": 1.5,
    }

    (row,) = items("discourse", folder({"a.json": topic(post(1, **wrong), category_id=[])}))

    assert (row["author"], row["created"], row["text"], row["audience"]) == ("forum:4", None, "", None)
