"""Telegram Desktop's exports, of one chat and of an account, become items with the audience of their chat."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError
from demur.sources import load_source
from demur.sources.chats.telegram import Spellings
from demur.terms import ALIKE

Items = Callable[..., list[dict[str, Any]]]
Folder = Callable[..., str]


def message(text: object, number: int = 1, **fields: object) -> dict[str, object]:
    sent = {"date": "2026-03-01T11:00:00", "date_unixtime": "1772359200"}
    return {"id": number, "type": "message", **sent, "from": "Ann", "from_id": "user12345", "text": text, **fields}


def chat(*messages: object, kind: object = "public_supergroup", number: int = 7) -> dict[str, object]:
    return {"name": "garden", "type": kind, "id": number, "messages": list(messages)}


@pytest.fixture
def read(items: Items, folder: Folder) -> Callable[..., list[dict[str, Any]]]:
    """Reads the messages of one public group."""
    return lambda *messages, **options: items("telegram", folder({"result.json": chat(*messages)}), **options)


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][span["start"] : span["end"]], span["role"], span["account"]) for span in row["spans"]]


def test_a_message_is_an_item_of_its_chat(read: Items) -> None:
    (row,) = read(message("hello"))

    assert (row["item"], row["author"], row["group"]) == ("telegram:7/1", "telegram:user12345", "telegram:7")
    assert (row["kind"], row["audience"], row["text"]) == ("post", "public", "hello")
    assert row["created"] == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_both_spellings_of_a_user_are_one_account(folder: Folder) -> None:
    (batch,) = load_source("telegram").read([folder({"result.json": chat(message("hi"))})], {})

    assert batch.schema.metadata[ALIKE] == b'{"telegram:user12345":["telegram:12345"]}'
    assert Spellings()["telegram:user12345"] == ["telegram:12345"]
    assert "telegram:channel12345" not in Spellings()
    assert "telegram:ann" not in Spellings()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("public_channel", ("post", "public")),
        ("public_supergroup", ("post", "public")),
        ("private_channel", ("message", "group")),
        ("private_supergroup", ("message", "group")),
        ("private_group", ("message", "group")),
        ("personal_chat", ("message", "direct")),
        ("bot_chat", ("message", "direct")),
        ("saved_messages", ("message", "direct")),
        ("never_heard_of", (None, None)),
        (None, (None, None)),
    ],
)
def test_the_type_of_a_chat_is_its_audience(
    items: Items, folder: Folder, kind: str | None, expected: tuple[str, str]
) -> None:
    (row,) = items("telegram", folder({"result.json": chat(message("hi"), kind=kind)}))

    assert (row["kind"], row["audience"]) == expected


def test_entities_are_text_and_those_that_name_people_are_spans(read: Items) -> None:
    text = [
        "hi ",
        {"type": "mention", "text": "@ben_t"},
        {"type": "mention_name", "text": "Cleo", "user_id": 99},
        {"type": "text_link", "text": "him", "href": "https://t.me/dave_t"},
        {"type": "text_link", "text": "her", "href": "tg://user?id=5"},
        {"type": "link", "text": "https://t.me/eve_t"},
        {"type": "text_link", "text": "home", "href": "https://town.example"},
        {"type": "bold", "text": "!"},
        {"type": "blockquote", "text": "said"},
    ]
    (row,) = read(message(text))

    assert row["text"] == "hi @ben_tCleohimherhttps://t.me/eve_thome!said"
    assert marked(row) == [
        ("@ben_t", "mention", "telegram:ben_t"),
        ("Cleo", "mention", "telegram:user99"),
        ("him", "mention", "telegram:dave_t"),
        ("her", "mention", "telegram:user5"),
        ("https://t.me/eve_t", "mention", "telegram:eve_t"),
        ("said", "quote", None),
    ]


def test_what_is_forwarded_is_whose_it_was(read: Items) -> None:
    known, named, unknown = read(
        message("words", 1, forwarded_from="Ben", forwarded_from_id="user9", photo="photos/a.jpg"),
        message("words", 2, forwarded_from="Ben"),
        message("words", 3, forwarded_from=None, photo="photos/a.jpg"),
    )

    assert marked(known) == [("words", "reshare", "telegram:user9")]
    assert marked(named) == [("words", "reshare", "telegram-name:Ben")]
    assert (unknown["text"], marked(unknown), unknown["media"]) == ("", [("", "reshare", None)], [])


def test_an_answer_has_its_parent(read: Items) -> None:
    here, there = read(
        message("yes", 2, reply_to_message_id=1), message("no", 3, reply_to_message_id=4, reply_to_peer_id="channel8")
    )

    assert (here["kind"], here["parent"]) == ("comment", "telegram:7/1")
    assert there["parent"] == "telegram:8/4"


def test_in_a_channel_whoever_signed_wrote(read: Items) -> None:
    signed, unsigned, old = read(
        message("a", from_id="channel7", author="Ann A."),
        message("b", 2, from_id="channel7"),
        message("c", 3, from_id=4711),
    )

    assert [row["author"] for row in (signed, unsigned, old)] == [
        "telegram-name:Ann A.",
        "telegram:channel7",
        "telegram:user4711",
    ]


def test_polls_and_files_are_read_and_service_messages_are_not(read: Items) -> None:
    service = {"id": 3, "type": "service", "actor": "Ann", "action": "invite_members", "members": ["Ben"], "text": ""}
    poll = {"question": "tea?", "answers": [{"text": "yes", "voters": 1}, {"text": "no"}]}
    files = {"photo": "(File not included. Change data exporting settings to download.)", "file": "a.ogg"}

    asked, sent = read(message("", poll=poll), message("", 2, **files, mime_type="audio/ogg"), service)

    assert asked["text"] == "tea?\n\nyes\n\nno"
    assert [(one["uri"], one["type"]) for one in sent["media"]] == [("a.ogg", "audio/ogg")]


def test_an_account_has_many_chats(items: Items, folder: Folder) -> None:
    listed = [
        chat(message("a"), "words of an empty section", message("b", 2)),
        chat(kind="private_group", number=8),
        {"type": "personal_chat", "messages": [message("c")], "id": 9},
    ]
    account = {
        "about": "Here is the data you requested.",
        "contacts": {"list": [{"first_name": "Ben"}]},
        "chats": {"about": "", "list": listed},
        "left_chats": {"about": "", "list": [chat(message("d"), kind="private_channel", number=10)]},
    }

    rows = items("telegram", folder({"DataExport/result.json": account}))

    assert [(row["item"], row["audience"], row["text"]) for row in rows] == [
        ("telegram:7/1", "public", "a"),
        ("telegram:7/2", "public", "b"),
        ("telegram:9/1", "direct", "c"),
        ("telegram:10/1", "group", "d"),
    ]


def test_a_time_without_an_offset_is_of_the_computer_that_exported(read: Items) -> None:
    old = message("hi")
    del old["date_unixtime"]

    assert read(old)[0]["created"] == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert read(old, timezone="Europe/Berlin")[0]["created"] == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"a.json": {}}, "there is no result.json"),
        ({"result.json": {"about": "", "chats": {}}}, "holds no chat"),
        ({"result.json": {"type": "public_channel", "messages": []}}, "has no 'id'"),
        ({"result.json": chat({"type": "message", "text": ""})}, "record 1 has no 'id'"),
        ({"result.json": chat(7)}, "record 1 is no object"),
        ({"result.json": chat(message({"a": 1}))}, "'text' is not a list"),
        ({"result.json": chat(message("", date_unixtime="9" * 20))}, "the timestamp is no time"),
        ({"result.json": chat(message("", date_unixtime=None, date="soon"))}, "the time is none of ISO 8601"),
        ({"result.json": b'{"chats": {"list": [{"id": 1, "messages": [{"id"'}, "ends too early"),
        ({"result.json": b'{"type": "public_channel", "id": 1, "messages": [{"id"'}, "ends too early"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Folder, tree: dict[str, object], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("telegram", folder(tree))


def test_a_json_file_may_be_given_by_itself(items: Items, folder: Folder) -> None:
    path = folder({"ChatExport.json": chat(message("hi"))})

    assert items("telegram", f"{path}/ChatExport.json")[0]["text"] == "hi"
