"""An archive of X becomes items."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]

ANN = [{"account": {"username": "ann_b", "accountId": "42", "accountDisplayName": "Ann"}}]


def script(name: str, value: object) -> bytes:
    return f"window.YTD.{name}.part0 = {json.dumps(value, indent=2)}".encode()


def tweet(number: int, text: str, **properties: object) -> dict[str, Any]:
    written = {"id_str": str(number), "full_text": text, "created_at": "Thu May 14 01:38:56 +0000 2020", "lang": "en"}
    return {"tweet": {**written, **properties}}


def named(name: str, start: int, end: int) -> dict[str, Any]:
    return {"user_mentions": [{"screen_name": name, "id_str": "7", "indices": [str(start), str(end)]}]}


def archive(*tweets: object, **files: object) -> dict[str, Any]:
    scripts = {"tweets": list(tweets), "account": ANN, **files}
    named = {f"data/{name.replace('_', '-')}.js": script(name, value) for name, value in scripts.items()}
    return {**named, "Your archive.html": b"<html>"}


def marked(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def test_tweets_and_replies(items: Items, zipped: Export) -> None:
    reply = tweet(
        2, "@Bob yes", in_reply_to_status_id_str="9", in_reply_to_screen_name="Bob", entities=named("Bob", 0, 4)
    )

    rows = items("x", zipped(archive(tweet(1, "hello valley"), reply)), protected=False)

    assert [(row["item"], row["author"], row["kind"], row["audience"]) for row in rows] == [
        ("x:1", "x:ann_b", "post", "public"),
        ("x:2", "x:ann_b", "comment", "public"),
    ]
    assert rows[0]["created"] == datetime(2020, 5, 14, 1, 38, 56, tzinfo=UTC)
    assert (rows[0]["language"], rows[1]["parent"]) == ("en", "x:9")
    assert marked(rows[1]) == [("@Bob", "mention", "x:Bob")]


def test_whose_archive_it_is_can_be_said(items: Items, zipped: Export) -> None:
    assert items("x", zipped(archive(tweet(1, "hi"), account=[])), username="eve")[0]["author"] == "x:eve"
    assert items("x", zipped(archive(tweet(1, "hi"))), username="eve")[0]["author"] == "x:ann_b"


def test_mentions_count_code_points_of_the_escaped_text(items: Items, zipped: Export) -> None:
    raw = "\U0001f600 a &amp; b &lt;3 @bob!"
    start = raw.index("@")

    (row,) = items("x", zipped(archive(tweet(1, raw, entities=named("bob", start, start + 4)))))

    assert row["text"] == "\U0001f600 a & b <3 @bob!"
    assert marked(row) == [("@bob", "mention", "x:bob")]


def test_a_mention_that_stands_elsewhere_is_still_one(items: Items, zipped: Export) -> None:
    rows = items(
        "x", zipped(archive(tweet(1, "hi", entities=named("bob", 70, 74)), tweet(2, "hi", entities=named("eve", 0, 9))))
    )

    assert [marked(row) for row in rows] == [[("", "mention", "x:bob")], [("", "mention", "x:eve")]]


def test_whom_a_tweet_answers_is_named_though_its_text_is_silent(items: Items, zipped: Export) -> None:
    (row,) = items("x", zipped(archive(tweet(1, "yes", in_reply_to_screen_name="bob"))))

    assert marked(row) == [("", "mention", "x:bob")]


def test_a_retweet_passes_on_another_s_words(items: Items, zipped: Export) -> None:
    (row,) = items("x", zipped(archive(tweet(1, "RT @bob: the meadow", entities=named("bob", 3, 7)))))

    assert marked(row) == [("RT @bob: the meadow", "reshare", "x:bob"), ("@bob", "mention", "x:bob")]


def test_quotes_by_address_and_by_hand(items: Items, zipped: Export) -> None:
    url = {"url": "https://t.co/a1", "expanded_url": "https://twitter.com/bob/status/5", "indices": ["5", "20"]}
    rows = items("x", zipped(archive(
        tweet(1, "true https://t.co/a1", entities={"urls": [url]}),
        tweet(2, "\u201c@bob: the meadow\u201d yes"),
    )))  # fmt: skip

    assert marked(rows[0]) == [("https://t.co/a1", "quote", "x:bob")]
    assert marked(rows[1]) == [("\u201c@bob: the meadow\u201d", "quote", "x:bob")]


@pytest.mark.parametrize(
    ("history", "protected", "audience"),
    [
        ([], None, None),
        ([], False, "public"),
        ([], True, "followers"),
        ([("2026-02-01", "Protect"), ("2026-01-01", "Unprotect")], False, "followers"),
        ([("2026-01-01", "Protect"), ("2026-02-01", "Unprotect")], None, "public"),
    ],
)
def test_a_protected_account_is_read_by_followers(
    items: Items, zipped: Export, history: list[tuple[str, str]], protected: object, audience: str | None
) -> None:
    changes = [{"protectedHistory": {"protectedAt": at, "action": action}} for at, action in history]

    (row,) = items("x", zipped(archive(tweet(1, "hi"), protected_history=changes)), protected=protected)

    assert row["audience"] == audience


def test_communities_and_messages_are_never_public(items: Items, zipped: Export) -> None:
    sent = {"messageCreate": {"id": "7", "senderId": "42", "text": "psst", "createdAt": "2020-01-01T00:00:00.000Z"}}
    got = {"messageCreate": {"id": "8", "senderId": "43", "text": "what"}}
    talk = [{"dmConversation": {"conversationId": "42-43", "messages": [sent, got, {"joinConversation": {}}]}}]

    rows = items("x", zipped(archive(community_tweet=[tweet(1, "hi")], direct_messages=talk)), protected=False)

    assert [(row["audience"], row["kind"], row["author"]) for row in rows] == [
        ("group", "post", "x:ann_b"),
        ("direct", "message", "x:ann_b"),
        ("direct", "message", None),
    ]


def test_deleted_and_edited_tweets_are_gone(items: Items, zipped: Export) -> None:
    edited = {"initial": {"editTweetIds": ["9", "10"]}}
    later = {"edit": {"initialTweetId": "9", "editControlInitial": {"editTweetIds": ["9", "10"]}}}

    rows = items("x", zipped(archive(
        tweet(9, "teh", edit_info=edited),
        tweet(10, "the", edit_info=later),
        deleted_tweets=[tweet(1, "oops", deleted_at="x")]
    )))  # fmt: skip

    assert {row["item"]: row["deleted"] for row in rows} == {"x:1": True, "x:9": True, "x:10": False}


def test_long_tweets_name_people(items: Items, zipped: Export) -> None:
    core = {"text": "long, @Bob, long", "mentions": [{"screenName": "bob"}, {"screenName": "eve"}]}
    note = {"noteTweet": {"noteTweetId": "5", "createdAt": "2023-05-01T10:00:00.000Z", "core": core}}

    (row,) = items("x", zipped(archive(note_tweet=[note])))

    assert (row["item"], row["created"].year) == ("x:note/5", 2023)
    assert sorted(marked(row)) == [("", "mention", "x:eve"), ("@Bob", "mention", "x:bob")]


def test_parts_and_former_layouts(items: Items, folder: Export) -> None:
    bare = {key: value for key, value in tweet(3, "three")["tweet"].items() if key != "id_str"} | {"id": 3}
    tree = {"data/tweets-part1.js": script("tweets", [tweet(2, "two")]), "tweet.js": script("tweet", [bare])}

    rows = items("x", folder(archive(tweet(1, "one")) | tree))

    assert sorted(row["item"] for row in rows) == ["x:1", "x:2", "x:3"]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"data/account.js": script("account", ANN)}, "there is no tweets.js"),
        ({"data/tweets.js": script("tweets", [[1]])}, "is no object"),
        ({"data/tweets.js": script("tweets", [{"tweet": 1}])}, "holds nothing of X"),
        ({"data/tweets.js": script("tweets", [{"tweet": {"full_text": "x"}}])}, "a tweet without an id"),
        ({"data/tweets.js": b'window.YTD.tweets.part0 = [{"tweet": {"id_str": "1", "full'}, "ends too early"),
        ({"data/tweets.js": b"window.YTD.tweets.part0 = [{\xff"}, "no valid JSON"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, tree: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("x", folder(tree))


def test_values_of_the_wrong_type_say_nothing(items: Items, folder: Export) -> None:
    wrong: dict[str, Any] = {
        "entities": {"user_mentions": [{"screen_name": 3, "indices": "x"}, 5], "urls": {}, "media": "x"},
        "created_at": "Thu May 99 01:38:56 +0000 2020",
        "edit_info": {"initial": [], "edit": {"editControlInitial": 4}},
        "extended_entities": 1,
        "in_reply_to_screen_name": [],
        "lang": "und",
    }

    (row,) = items(
        "x", folder(archive(tweet(1, "hi", **wrong), account=[], direct_messages=[{"dmConversation": {"messages": 1}}]))
    )

    assert (row["author"], row["created"], row["language"]) == (None, None, None)
    assert marked(row) == [("", "mention", "x:3")]
