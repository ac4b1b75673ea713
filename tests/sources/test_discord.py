"""DiscordChatExporter's JSON becomes items; a server's channel is public only where the controller names it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError
from demur.sources import load_source
from demur.terms import ALIKE

Items = Callable[..., list[dict[str, Any]]]
Folder = Callable[..., str]

ANN = {"id": "11", "name": "ann", "discriminator": "0000", "nickname": "Ann of Town", "isBot": False}
BEN = {"id": "12", "name": "Ben", "discriminator": "0042", "nickname": "Ben", "isBot": False}
BOT = {"id": "13", "name": "helper", "discriminator": "0000", "nickname": "helper", "isBot": True}


def message(content: object, number: str = "1", **fields: object) -> dict[str, object]:
    sent = {"id": number, "type": "Default", "timestamp": "2026-03-01T11:00:00.123+01:00", "timestampEdited": None}
    return {**sent, "content": content, "author": ANN, "attachments": [], "mentions": [], **fields}


def export(*messages: object, **channel: object) -> dict[str, object]:
    known = {"id": "5", "type": "GuildTextChat", "categoryId": "4", "category": "Town", "name": "garden", **channel}
    return {"guild": {"id": "3", "name": "town"}, "channel": known, "messages": list(messages), "messageCount": 1}


@pytest.fixture
def read(items: Items, folder: Folder) -> Callable[..., list[dict[str, Any]]]:
    """Reads the messages of one channel of a server."""
    return lambda *messages, **options: items("discord", folder({"a.json": export(*messages)}), **options)


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][span["start"] : span["end"]], span["role"], span["account"]) for span in row["spans"]]


def test_a_message_is_an_item_of_its_channel(read: Items) -> None:
    (row,) = read(message("hello", "9"))

    assert (row["item"], row["author"], row["group"]) == ("discord:9", "discord:11", "discord:5")
    assert (row["kind"], row["audience"], row["text"]) == ("post", "group", "hello")
    assert row["created"] == datetime(2026, 3, 1, 10, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ({}, ("post", "public")),
        ({"name": "other"}, ("post", "group")),
        ({"id": "77", "name": "other"}, ("post", "public")),
        ({"category": "garden", "name": "other"}, ("post", "group")),
        ({"type": "GuildPublicThread", "category": "garden", "name": "roses"}, ("post", "public")),
        ({"type": "GuildPrivateThread", "category": "garden", "name": "roses"}, ("message", "group")),
        ({"type": "GuildPrivateThread"}, ("message", "group")),
        ({"type": "DirectTextChat"}, ("message", "direct")),
        ({"type": "DirectGroupTextChat"}, ("message", "direct")),
        ({"type": "77"}, (None, None)),
        ({"type": None}, (None, None)),
    ],
)
def test_only_channels_that_are_named_are_public(
    items: Items, folder: Folder, channel: dict[str, object], expected: tuple[str, str]
) -> None:
    (row,) = items("discord", folder({"a.json": export(message("hi"), **channel)}), public_channels=["garden", "77"])

    assert (row["kind"], row["audience"]) == expected


def test_whom_a_message_mentions_is_a_span(read: Items) -> None:
    shown, raw, none = read(
        message("hi @Ann of Town and @ann, not @anna?", mentions=[ANN]),
        message("<@11> and <@!12> and <@99>", "2", mentions=[ANN, BEN]),
        message("yes", "3", mentions=[BEN]),
    )

    assert marked(shown) == [(name, "mention", "discord:11") for name in ("@Ann of Town", "@ann", "@ann")]
    assert raw["text"] == "@Ann of Town and @Ben and @99"
    assert [account for _, _, account in marked(raw)] == ["discord:11", "discord:12", "discord:99"]
    assert marked(none) == [("", "mention", "discord:12")]


def test_an_answer_has_its_parent(read: Items) -> None:
    (row,) = read(message("yes", "2", type="Reply", reference={"messageId": "1", "channelId": "5", "guildId": "3"}))

    assert (row["kind"], row["parent"]) == ("comment", "discord:1")


def test_what_is_forwarded_is_not_passed_on(read: Items) -> None:
    forwarded = {"timestamp": "2026-01-01T00:00:00+00:00", "content": "somebody's words", "attachments": []}

    (row,) = read(message("", reference={"type": "Forward", "messageId": "8"}, forwardedMessage=forwarded))

    assert (row["text"], row["parent"], marked(row)) == ("", None, [("", "reshare", None)])


def test_what_discord_wrote_is_no_item(read: Items) -> None:
    logged = ("GuildMemberJoin", "ChannelPinnedMessage", "RecipientAdd", "8", "18")

    rows = read(*(message("text", kind, type=kind) for kind in (*logged, "20", "Default", "Reply")))

    assert [row["item"] for row in rows] == ["discord:20", "discord:Default", "discord:Reply"]


def test_files_lose_the_keys_in_their_addresses(read: Items) -> None:
    (row,) = read(message("", attachments=[{"url": "https://cdn.example/1/a.png?ex=1&hm=2", "fileName": "a.png"}]))

    assert [(one["uri"], one["type"]) for one in row["media"]] == [("https://cdn.example/1/a.png", "image/png")]


def test_unique_names_are_spellings_of_an_account(folder: Folder) -> None:
    people = [ANN, BEN, BOT, {"id": "14", "name": "Deleted User", "discriminator": "0000"}]
    path = folder({"a.json": export(*(message("hi", str(number), author=one) for number, one in enumerate(people)))})

    (batch,) = load_source("discord").read([path], {})

    assert json.loads(batch.schema.metadata[ALIKE]) == {
        "discord:11": ["discord:ann"],
        "discord:12": ["discord:Ben#0042"],
    }


def test_other_json_of_a_folder_is_passed_over(items: Items, folder: Folder) -> None:
    path = folder({"a.json": export(message("a")), "b/c.json": export(message("b", "2")), "d.json": {"messages": [{}]}})

    assert [row["text"] for row in items("discord", path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"a": 1}, "no file is of DiscordChatExporter"),
        ({"guild": {}, "messages": []}, "has no 'channel'"),
        ({"guild": {}, "channel": {"type": "GuildTextChat"}}, "has no 'id'"),
        (export({"content": "hi"}), "record 1 has no 'id'"),
        (export(3), "record 1 is no object"),
        (export(message(["hi"])), "'content' is not text"),
        (export(message("hi", mentions={"id": "1"})), "'mentions' is not a list"),
        (export(message("hi", timestamp="0000-13-45")), "the time is none of ISO 8601"),
        (b'{"guild": {}, "channel": {"id": "1"}, "messages": [{', "ends too early"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Folder, content: object, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("discord", folder({"a.json": content}))
