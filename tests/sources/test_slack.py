"""Slack's workspace exports become items, with the audience that their lists of conversations say."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from unicodedata import normalize

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Zipped = Callable[..., str]

USERS = [
    {"id": "U1", "name": "ann", "profile": {"display_name": "Ann", "email": "ann@mail.example"}},
    {"id": "U2", "name": "ben", "real_name": "Ben <3"},
]


def message(text: object, at: int = 1, **fields: object) -> dict[str, object]:
    return {"type": "message", "user": "U1", "text": text, "ts": f"177200000{at}.000100", **fields}


def export(*messages: Mapping[str, object], folder: str = "general", **lists: object) -> dict[str, object]:
    known = {"channels": [{"id": "C1", "name": "general"}], "users": USERS, **lists}
    return {**{f"{name}.json": value for name, value in known.items()}, f"{folder}/2026-02-25.json": list(messages)}


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][span["start"] : span["end"]], span["role"], span["account"]) for span in row["spans"]]


def test_a_message_is_an_item_of_its_channel(items: Items, zipped: Zipped) -> None:
    (row,) = items(
        "slack", zipped(export(message("hello &amp; <!here> in <#C2|garden> at <https://town.example|home>")))
    )

    assert (row["item"], row["author"], row["group"]) == ("slack:C1/1772000001.000100", "slack:U1", "slack:C1")
    assert (row["kind"], row["audience"]) == ("post", "group")
    assert row["created"] == datetime(2026, 2, 25, 6, 13, 21, 100, tzinfo=UTC)
    assert row["text"] == "hello & @here in #garden at home"


@pytest.mark.parametrize(
    ("lists", "folder", "kind", "audience"),
    [
        ({"channels": [{"id": "C1", "name": "x"}]}, "x", "post", "public"),
        ({"channels": [{"id": "C1", "name": "x", "is_private": True}]}, "x", "message", "group"),
        ({"groups": [{"id": "G1", "name": "x"}]}, "x", "message", "group"),
        ({"groups": [{"id": "G1", "name": "x"}], "channels": [{"id": "C1", "name": "x"}]}, "x", "message", "group"),
        ({"mpims": [{"id": "G2", "name": "mpdm-ann--ben-1"}]}, "mpdm-ann--ben-1", "message", "direct"),
        ({"dms": [{"id": "D1", "members": ["U1", "U2"]}]}, "D1", "message", "direct"),
        ({}, "elsewhere", "post", None),
    ],
)
def test_a_conversation_is_as_private_as_the_lists_say(
    items: Items, zipped: Zipped, lists: dict[str, object], folder: str, kind: str, audience: str | None
) -> None:
    tree = export(message("hi"), folder=folder, **lists)

    (row,) = items("slack", zipped(tree), channels_audience="public")

    assert (row["kind"], row["audience"]) == (kind, audience)


def test_a_mention_is_a_span_over_the_name_that_slack_shows(items: Items, zipped: Zipped) -> None:
    (row,) = items("slack", zipped(export(message("<@U2> meet <@U9|cleo> &lt;@U1&gt;"))))

    assert row["text"] == "@Ben <3 meet @cleo <@U1>"
    assert marked(row) == [("@Ben <3", "mention", "slack:U2"), ("@cleo", "mention", "slack:U9")]


def test_an_answer_has_its_thread(items: Items, zipped: Zipped) -> None:
    root = message("first", thread_ts="1772000001.000100", reply_count=1)
    answer = message("second", 2, thread_ts="1772000001.000100")

    first, second = items("slack", zipped(export(root, answer)))

    assert (first["kind"], first["parent"], first["thread"]) == ("post", None, first["item"])
    assert (second["kind"], second["parent"], second["thread"]) == ("comment", first["item"], first["item"])


def test_an_edit_replaces_and_a_deletion_takes_back(items: Items, zipped: Zipped) -> None:
    edit = {"type": "message", "subtype": "message_changed", "ts": "1772000009.000100", "message": message("new")}
    gone = {"subtype": "message_deleted", "deleted_ts": "1772000002.000100", "ts": "1772000009.000200"}
    tombstone = message("This message was deleted.", 3, subtype="tombstone", user="USLACKBOT")

    old, new, deleted, tomb = items("slack", zipped(export(message("old"), edit, gone, tombstone)))

    assert (old["item"], old["text"], new["text"]) == (new["item"], "old", "new")
    assert (deleted["item"], deleted["deleted"], deleted["text"]) == ("slack:C1/1772000002.000100", True, None)
    assert (tomb["author"], tomb["deleted"], tomb["text"]) == (None, True, None)


def test_what_a_bot_says_is_its_own_and_what_slack_says_is_nobodys(items: Items, zipped: Zipped) -> None:
    bot = {"subtype": "bot_message", "bot_id": "B1", "text": "done", "ts": "1772000001.000100"}
    joined = message("<@U1> has joined the channel", 2, subtype="channel_join")
    unknown = message("what is it", 3, subtype="never_heard_of")

    rows = items("slack", zipped(export(bot, joined, unknown)))

    assert [(row["author"], row["kind"]) for row in rows] == [("slack:B1", "post"), ("slack:U1", None)]


def test_a_shared_message_stays_its_authors(items: Items, zipped: Zipped) -> None:
    share = {"is_share": True, "author_id": "U2", "text": "as I <@U1> said"}
    preview = {"title": "Town", "text": "a page of somebody", "from_url": "https://town.example"}
    nameless = {"is_msg_unfurl": True, "text": "words"}

    first, second = items(
        "slack", zipped(export(message("look", attachments=[share, preview]), message("", 2, attachments=[nameless])))
    )

    assert first["text"] == "look\n\nas I @Ann said"
    assert marked(first) == [("@Ann", "mention", "slack:U1"), ("as I @Ann said", "quote", "slack:U2")]
    assert (second["text"], marked(second)) == ("", [("", "reshare", None)])


def test_files_lose_the_keys_in_their_addresses(items: Items, zipped: Zipped) -> None:
    one = {"url_private": "https://files.example/a.png?t=xoxe-1", "mimetype": "image/png", "alt_txt": "a cat"}

    (row,) = items("slack", zipped(export(message("see", files=[one, {"mode": "tombstone", "url_private": "x"}]))))

    assert row["media"] == [{"uri": "https://files.example/a.png", "type": "image/png", "alt": "a cat", "tagged": []}]


def test_an_export_may_stand_in_a_folder_of_its_zip(items: Items, zipped: Zipped) -> None:
    (row,) = items(
        "slack", zipped({f"Town Slack export/{name}": value for name, value in export(message("hi")).items()})
    )

    assert row["item"] == "slack:C1/1772000001.000100"


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"a.json": []}, "there is no file like general/2026-03-01.json"),
        (export({"text": "hi"}), "record 1 has no 'ts'"),
        (export(message("hi") | {"ts": "soon"}), "'ts' is no time like"),
        (export(message("hi") | {"ts": "999999999999.0"}), "the timestamp is no time"),
        (export(message(["hi"])), "'text' is not text"),
        (export(message("hi", attachments={"a": 1})), "'attachments' is not a list"),
        (export(message("hi"), channels=[7]), "record 1 is no object"),
        ({"a/channels.json": [], "b/channels.json": [{"id": "C"}], "a/x/2026-01-01.json": []}, "the exports of"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, zipped: Zipped, tree: dict[str, object], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("slack", zipped(tree))


def test_wrong_types_beside_the_text_cost_nothing_else(items: Items, zipped: Zipped) -> None:
    odd = message("hi", subtype=["x"], files=[{"mode": {}, "url_private": 3}], bot_id={}, thread_ts=[], user={"id": 1})

    (row,) = items("slack", zipped(export(odd)))

    assert (row["text"], row["author"]) == ("hi", None)


def test_a_name_may_be_composed_otherwise_in_the_zip(items: Items, zipped: Zipped) -> None:
    exported = export(
        message("hi"), folder=normalize("NFD", "gärten"), channels=[{"id": "C1", "name": normalize("NFC", "gärten")}]
    )

    assert [row["group"] for row in items("slack", zipped(exported))] == ["slack:C1"]
