"""Notes that Misskey and its forks export become items."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]

FILE = "notes-2026-03-01-10-00-00.json"
ANN = "mastodon:@ann@town.example"


def note(number: str, text: str | None, **properties: object) -> dict[str, Any]:
    about: dict[str, Any] = {
        "id": number,
        "text": text,
        "createdAt": "2026-03-01T10:00:00.000Z",
        "fileIds": [],
        "replyId": None,
    }
    rest: dict[str, Any] = {"renoteId": None, "poll": None, "cw": None, "visibility": "public", "visibleUserIds": []}
    return {**about, **rest, "localOnly": False, "reactionAcceptance": None, **properties}


@pytest.fixture
def read(items: Items, folder: Export) -> Callable[..., list[dict[str, Any]]]:
    def of(*notes: object, **options: object) -> list[dict[str, Any]]:
        return items("misskey", folder({FILE: list(notes)}), **{"account": "@ann@town.example", **options})

    return of


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def test_a_note_is_an_item_of_the_account(read: Items) -> None:
    (row,) = read(note("9a", "Seeds are out", replyId="8z", channelId="7c"))

    assert (row["item"], row["author"], row["kind"]) == ("activitypub:https://town.example/notes/9a", ANN, "comment")
    assert row["parent"] == "activitypub:https://town.example/notes/8z"
    assert row["group"] == "activitypub:https://town.example/channels/7c"
    assert row["created"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (row["text"], row["spans"], row["deleted"], row["origin"]) == ("Seeds are out", [], False, "first-party")


@pytest.mark.parametrize(
    ("visibility", "audience", "kind"),
    [
        ("public", "public", "post"),
        ("home", "unlisted", "post"),
        ("followers", "followers", "post"),
        ("specified", "direct", "message"),
        ("hidden", "direct", "post"),
        ("circle", None, "post"),
        (None, None, "post"),
        (7, None, "post"),
    ],
)
def test_who_could_read_it(read: Items, visibility: object, audience: str | None, kind: str) -> None:
    (row,) = read(note("9a", "hi", visibility=visibility))
    assert (row["audience"], row["kind"]) == (audience, kind)


@pytest.mark.parametrize(
    ("visibility", "audience"), [("public", "group"), ("home", "group"), ("followers", "followers")]
)
def test_what_stays_on_its_server_is_not_public(read: Items, visibility: str, audience: str) -> None:
    silent = {key: value for key, value in note("9b", "hi", visibility=visibility).items() if key != "localOnly"}

    rows = read(note("9a", "hi", visibility=visibility, localOnly=True), silent)

    assert [row["audience"] for row in rows] == [audience, audience]


def test_without_the_account_nobody_wrote_it(items: Items, folder: Export) -> None:
    (row,) = items("misskey", folder({FILE: [note("9a", "hi @bob and @cleo@h.example")]}))

    assert (row["author"], row["item"]) == (None, "misskey:9a")
    assert marked(row) == [("@cleo@h.example", "mention", "mastodon:@cleo@h.example")]


def test_handles_are_mentions(read: Items) -> None:
    text = "@Bob, (@cleo@h.example). see https://h.example/@dag a@b.example @a__b__ @eve-- 見て@fin@h.exampleさん"

    (row,) = read(note("9a", text))

    assert row["text"] == text
    assert marked(row) == [
        ("@Bob", "mention", "mastodon:@bob@town.example"),
        ("@cleo@h.example", "mention", "mastodon:@cleo@h.example"),
        ("@a__b__", "mention", "mastodon:@a__b__@town.example"),
        ("@eve--", "mention", "mastodon:@eve@town.example"),
        ("@fin@h.example", "mention", "mastodon:@fin@h.example"),
    ]


def test_a_handle_at_a_host_of_other_letters_is_nobody_elses(read: Items) -> None:
    (row,) = read(note("9a", "hi @ann@z\u00fcrich.example"))
    assert row["spans"] == []


def test_markup_goes(read: Items) -> None:
    text = (
        "$[x2 $[fg.color=f00 big [1]] @bob] <center>mid</center>\n**bold** ~~gone~~ <plain>**"
        "</plain> [here](https://h.example/a) $[tada open\n> so they say\nno"
    )

    (row,) = read(note("9a", text))

    assert row["text"] == "big [1] @bob \nmid\nbold gone ** here $[tada open\nso they say\nno"
    assert marked(row) == [("@bob", "mention", "mastodon:@bob@town.example"), ("so they say", "quote", None)]


def test_warning_choices_and_files(read: Items) -> None:
    poll = {"noteId": "9a", "choices": ["Oak", "Ask @bob"], "votes": [1, 2]}
    files = [{"id": "f", "type": "image/webp", "url": "https://f.example/1", "comment": "@bob at work"}, {"id": "g"}]

    (row,) = read(note("9a", "Which?", cw="trees", poll=poll, fileIds=["f", "g"], files=files))

    assert row["text"] == "trees\n\nWhich?\n\nOak\nAsk @bob"
    assert marked(row) == [("@bob", "mention", "mastodon:@bob@town.example")]
    assert row["media"] == [{"uri": "https://f.example/1", "type": "image/webp", "alt": "@bob at work", "tagged": []}]


def test_a_renote_passes_on_nothing_it_does_not_show(read: Items) -> None:
    plain, quoting = read(note("9a", None, renoteId="8b"), note("9b", "True!", renoteId="8b"))

    assert (plain["text"], marked(plain)) == ("", [("", "reshare", None)])
    assert plain["parent"] == "activitypub:https://town.example/notes/8b"
    assert (quoting["text"], marked(quoting), quoting["parent"]) == ("True!", [("", "quote", None)], None)


def test_notes_of_the_api_name_people(items: Items, folder: Export) -> None:
    bob = note("8b", "Rain, says @cleo", user={"username": "Bob", "host": "h.example"})
    ann = {"user": {"username": "ann", "host": None}, "renoteId": "8b", "renote": bob}
    nameless = {"user": None, "renoteId": "8c", "renote": note("8c", "whose words?")}
    made = folder({FILE: [note("9a", "True!", **ann), note("9b", None, **ann), note("9c", None, **nameless)]})

    quoting, passing, unknown = items("misskey", made, host="town.example")

    assert quoting["author"] == passing["author"] == ANN
    assert quoting["text"] == "True!\n\nRain, says @cleo"
    assert marked(quoting)[0] == ("Rain, says @cleo", "quote", "mastodon:@bob@h.example")
    assert marked(passing)[0] == ("Rain, says @cleo", "reshare", "mastodon:@bob@h.example")
    assert (unknown["author"], unknown["text"], marked(unknown)) == (None, "", [("", "reshare", None)])


def test_an_archive_of_sharkey_says_whose_it_is(items: Items, zipped: Export) -> None:
    head = {"metaVersion": 1, "host": "sea.example", "exportedAt": "Sun Mar 01 2026"}
    user = {**head, "user": [{"id": "u1", "username": "Eve"}]}

    (row,) = items("misskey", zipped({"user.json": user, "notes.json": {**head, "notes": [note("9a", "hi @bob")]}}))

    assert (row["author"], row["item"]) == ("mastodon:@eve@sea.example", "activitypub:https://sea.example/notes/9a")
    assert marked(row) == [("@bob", "mention", "mastodon:@bob@sea.example")]


def test_what_was_deleted_is_gone(read: Items) -> None:
    assert [row["deleted"] for row in read(note("9a", "hi", deletedAt="2026-03-02T00:00:00Z"))] == [True]


def test_an_absurd_date_is_unknown(read: Items) -> None:
    rows = read(*(note(f"9{n}", "hi", createdAt=date) for n, date in enumerate(("+275760-09-13", "", None, 1e300))))
    assert [row["created"] for row in rows] == [None] * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"type": "Note"}], "record 1 is no note of Misskey"),
        ([note("9a", "hi"), 7], "record 2 is no note of Misskey"),
        ([note("../x", "hi")], "record 1 is no note of Misskey"),
        ([note("", "hi")], "record 1 is no note of Misskey"),
        (b'[{"id":"9a","visibility":"pub', "ends too early"),
    ],
)
def test_bad_files_are_told(items: Items, folder: Export, content: object, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        items("misskey", folder({FILE: content}))


def test_bad_options_and_archives_are_told(items: Items, folder: Export, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'account' is no handle"):
        items("misskey", folder({FILE: []}), account="ann")
    with pytest.raises(SourceError, match=r"user\.json names no account and server"):
        items("misskey", folder({"a/user.json": {"user": [7]}, "a/notes.json": {"notes": []}}, "archive"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"there is no notes-\*\.json"):
        items("misskey", str(tmp_path / "empty"))


@pytest.mark.parametrize("values", [7, [7], {"a": 7}, [[[]]], "x", True, [{"choices": 7}]])
def test_values_of_the_wrong_type_are_passed_over(read: Items, values: object) -> None:
    keys = ("fileIds", "files", "replyId", "renoteId", "renote", "poll", "cw", "createdAt", "user", "channelId")

    (row,) = read(note("9a", "hi", **dict.fromkeys(keys, values)))

    assert "hi" in row["text"]


@pytest.mark.parametrize(
    "many", ["$[x ", "[", "](", "<plain>", "@a", "@a@b.example ", "> ", "**a** ", "$[x a] ", "@a@"]
)
def test_large_notes_stay_fast(read: Items, many: str) -> None:
    (row,) = read(note("9a", "x" + many * (200_000 // len(many))))
    assert row["text"].startswith("x")


def test_an_empty_export_has_no_items(read: Items, items: Items, folder: Export) -> None:
    assert read() == []
    assert items("misskey", folder({"notes.json": json.dumps({"notes": []}).encode()}, "empty")) == []
