"""Statuses that Pixelfed exports become items."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]

FILE = "pixelfed-statuses.json"
ANN = {"id": "1", "username": "Ann", "acct": "Ann", "url": "https://pix.example/Ann", "local": True}
BOB = {"id": "2", "username": "bob", "acct": "bob", "url": "https://pix.example/bob", "local": True}
CLEO = {"id": "3", "username": "cleo", "acct": "cleo@h.example", "url": "https://h.example/@cleo", "local": False}


def link(account: dict[str, Any], shown: str) -> str:
    return f'<a class="u-url mention" href="{account["url"]}" rel="external nofollow">{shown}</a>'


def status(number: int, content: str | None, **properties: object) -> dict[str, Any]:
    uri = f"https://pix.example/p/Ann/{number}"
    about = {"_v": 1, "id": str(number), "uri": uri, "url": uri, "in_reply_to_id": "", "in_reply_to_account_id": ""}
    said = {"reblog": None, "content": content, "content_text": content, "spoiler_text": "", "visibility": "public"}
    rest: dict[str, Any] = {
        "created_at": "2026-03-01T10:00:00.000Z",
        "language": None,
        "mentions": [],
        "pf_type": "photo",
    }
    files: dict[str, Any] = {"taggedPeople": [], "media_attachments": [], "account": ANN, "tags": [], "poll": None}
    return {**about, **said, **rest, **files, **properties}


def photo(**properties: object) -> dict[str, Any]:
    about = {"id": "1", "type": "Image", "url": "https://pix.example/1.jpg", "mime": "image/jpeg"}
    return {**about, "description": None, **properties}


@pytest.fixture
def read(items: Items, folder: Export) -> Callable[..., list[dict[str, Any]]]:
    return lambda *statuses: items("pixelfed", folder({FILE: list(statuses)}))


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def test_a_status_is_an_item_of_its_account(read: Items) -> None:
    (row,) = read(status(7, "Dew &amp; light\non  leaves", media_attachments=[photo(description="A leaf")]))

    assert (row["item"], row["author"], row["kind"], row["audience"]) == (
        "activitypub:https://pix.example/p/Ann/7",
        "mastodon:@ann@pix.example",
        "post",
        "public",
    )
    assert (row["text"], row["spans"], row["parent"]) == ("Dew & light\non leaves", [], None)
    assert row["created"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert row["media"] == [{"uri": "https://pix.example/1.jpg", "type": "image/jpeg", "alt": "A leaf", "tagged": []}]


@pytest.mark.parametrize(
    ("visibility", "audience", "kind"),
    [
        ("public", "public", "post"),
        ("unlisted", "unlisted", "post"),
        ("private", "followers", "post"),
        ("direct", "direct", "message"),
        ("draft", "direct", "post"),
        ("archived", "direct", "post"),
        ("circle", None, "post"),
        (None, None, "post"),
        (["public"], None, "post"),
    ],
)
def test_who_could_read_it(read: Items, visibility: object, audience: str | None, kind: str) -> None:
    (row,) = read(status(7, "hi", visibility=visibility))
    assert (row["audience"], row["kind"]) == (audience, kind)


def test_mentions_are_marked_wherever_they_stand(read: Items) -> None:
    content = f"With {link(BOB, '@bob')} and {link(CLEO, '@cleo')}<br />\nthanks"
    (row,) = read(status(7, content, mentions=[BOB, CLEO, {**BOB, "acct": "@dag@sea.example", "url": None}]))

    assert row["text"] == "With @bob and @cleo\nthanks"
    assert sorted(marked(row)) == [
        ("", "mention", "mastodon:@dag@sea.example"),
        ("@bob", "mention", "mastodon:@bob@pix.example"),
        ("@cleo", "mention", "mastodon:@cleo@h.example"),
    ]


def test_a_plain_caption_shows_whom_it_mentions(read: Items) -> None:
    (row,) = read(status(7, "With @bob", mentions=[BOB]))
    assert marked(row) == [("@bob", "mention", "mastodon:@bob@pix.example")]


def test_people_tagged_in_pictures(read: Items) -> None:
    people = [{"id": "2", "username": "bob", "avatar": "x"}, "unavailable"]

    shown, bare = read(
        status(7, "hi", taggedPeople=people, media_attachments=[photo()]), status(8, "hi", taggedPeople=people)
    )

    assert shown["media"][0]["tagged"] == ["mastodon:@bob@pix.example"]
    assert marked(bare) == [("", "tag", "mastodon:@bob@pix.example")]


def test_answers_have_a_parent(read: Items) -> None:
    own, others = read(
        status(7, "more", in_reply_to_id="6", in_reply_to_account_id="1", pf_type="reply"),
        status(8, "yes", in_reply_to_id="5", in_reply_to_account_id="2", pf_type="reply"),
    )

    assert [row["kind"] for row in (own, others)] == ["comment", "comment"]
    assert own["parent"] == "activitypub:https://pix.example/p/Ann/6"
    assert others["parent"] == "pixelfed:pix.example/5"


def test_a_share_passes_on_what_it_shows(read: Items) -> None:
    theirs = status(3, "Rain", account=CLEO)
    named, nameless, hidden = read(
        status(7, "", reblog=theirs),
        status(8, "", reblog={**theirs, "account": None}),
        status(9, None, pf_type="share"),
    )

    assert (named["text"], marked(named)) == ("Rain", [("Rain", "reshare", "mastodon:@cleo@h.example")])
    assert (nameless["text"], marked(nameless)) == ("", [("", "reshare", None)])
    assert (hidden["text"], marked(hidden)) == ("", [("", "reshare", None)])


def test_warning_choices_and_stories(read: Items) -> None:
    poll = {"id": "1", "options": [{"title": "Oak", "votes_count": 1}, {"title": "Elm"}]}

    asked, told = read(status(7, "Which?", spoiler_text="trees", poll=poll), status(8, "hi", pf_type="story"))

    assert asked["text"] == "trees\n\nWhich?\n\nOak\nElm"
    assert told["kind"] == "story"


def test_an_absurd_date_is_unknown(read: Items) -> None:
    rows = read(*(status(n, "hi", created_at=date) for n, date in enumerate(("+275760-09-13", "", None, 1e300))))
    assert [row["created"] for row in rows] == [None] * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"type": "Note"}], "record 1 is no status of Pixelfed"),
        ([status(7, "hi"), 7], "record 2 is no status of Pixelfed"),
        ([status(7, "hi", uri="", url=None)], "record 1 is no status of Pixelfed"),
        (b'[{"uri":"https://pix.example/p/Ann/7","visibi', "ends too early"),
    ],
)
def test_bad_files_are_told(items: Items, folder: Export, content: object, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        items("pixelfed", folder({FILE: content}))


def test_a_folder_without_statuses_is_told(items: Items, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no pixelfed-statuses\.json"):
        items("pixelfed", str(tmp_path))


@pytest.mark.parametrize("values", [7, [7], {"a": 7}, [[[]]], "x", True, [{"options": 7}]])
def test_values_of_the_wrong_type_are_passed_over(read: Items, values: object) -> None:
    keys = ("mentions", "taggedPeople", "media_attachments", "poll", "reblog", "created_at", "language", "pf_type")

    (row,) = read(status(7, "hi", **dict.fromkeys(keys, values)))

    assert row["text"] in ("hi", "")
    assert [one["author"] for one in read(status(7, "hi", account=values))] == [None]


def test_an_empty_export_has_no_items(read: Items) -> None:
    assert read() == []
