"""Instagram's layout of 2020: an export made here, and the real one of a test account in the shared data."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError

Make = Callable[..., str]
Read = Callable[..., list[dict[str, Any]]]

TREE: dict[str, Any] = {
    "profile.json": {"username": "Ann.B", "name": "Ann", "private_account": False, "biography": "I like @bob_c"},
    "media.json": {
        "photos": [{"caption": "Grüße, Ã stays", "taken_at": "2020-11-04T16:08:50+00:00", "path": "photos/1.jpg"}],
        "videos": [{"caption": "", "taken_at": "2020-11-04T16:08:51+00:00", "path": "videos/1.mp4"}],
        "profile": [
            {"caption": "", "taken_at": "2020-11-01T00:00:00", "is_active_profile": False, "path": "profile/1.jpg"}
        ],
        "direct": [{"taken_at": "2020-11-04T16:08:52+00:00", "path": "direct/1.jpg"}],
    },
    "comments.json": {"media_comments": [["2020-11-03T20:53:02+00:00", "Hi @cleo", "dora"]]},
    "messages.json": [
        {
            "participants": ["ann.b", "bob_c"],
            "conversation": [
                {
                    "sender": "bob_c",
                    "created_at": "2020-11-03T20:53:14.749927+00:00",
                    "text": "see",
                    "media_owner": "dora",
                    "media_share_caption": "A cat",
                },
                {"sender": "ann.b", "created_at": "2020-11-03T20:53:14.749927+00:00", "text": "@bob_c ok"},
            ],
        }
    ],
    "autofill.json": ["You have no data in this section"],
}


def test_every_list_of_the_layout(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(TREE))
    assert Counter((row["kind"], row["audience"]) for row in rows) == {
        ("profile", "public"): 1,
        ("caption", "public"): 1,
        ("post", "public"): 1,
        ("photo", "direct"): 1,
        ("comment", None): 1,
        ("message", "direct"): 2,
    }
    assert {row["author"] for row in rows} == {"instagram:ann.b", "instagram:bob_c"}
    assert "Grüße, Ã stays" in {row["text"] for row in rows}
    shared = next(row for row in rows if row["text"] == "see\n\nA cat")
    assert [(span["role"], span["account"]) for span in shared["spans"]] == [("reshare", "instagram:dora")]


def test_wrong_records_are_one_sentence(zipped: Make, items: Read) -> None:
    for broken, told in (
        ({"media.json": {"photos": [{"taken_at": "soon", "path": "x"}]}}, r"record 1: 'soon' is no time"),
        ({"media.json": {"photos": [3]}}, r"record 1: 'record' is not an object"),
        ({"comments.json": {"media_comments": [[]]}}, r"comments\.json, record 1: .* is no time"),
    ):
        with pytest.raises(SourceError, match=told):
            items("instagram", zipped(TREE | broken))


def test_a_profile_of_something_else_is_passed_over(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(TREE | {"profile.json": ["You have no data in this section"]}))
    assert {row["author"] for row in rows if row["kind"] != "message"} == {None}
    assert {row["audience"] for row in rows if row["kind"] in {"caption", "post"}} == {None}


@pytest.fixture
def real(shared: Path, items: Read) -> list[dict[str, Any]]:
    return items("instagram", str(shared / "instagram" / "insta4dummy_20201105.zip"))


def test_the_real_export_has_the_right_counts(real: list[dict[str, Any]]) -> None:
    assert Counter((row["kind"], row["audience"]) for row in real) == {
        ("profile", "public"): 1,
        ("caption", "followers"): 37,  # 36 photos and 2 videos, one of them without words
        ("photo", "followers"): 1,
        ("photo", "public"): 1,  # the profile photo
        ("story", "followers"): 26,
        ("comment", None): 12,
        ("comment", "followers"): 1,  # below the owner's own post
        ("message", "direct"): 125,
    }
    assert len({row["item"] for row in real}) == len(real) == 204


def test_no_message_of_the_real_export_is_anything_but_direct(real: list[dict[str, Any]]) -> None:
    assert {row["audience"] for row in real if row["kind"] == "message"} == {"direct"}
    assert "direct/" not in "".join(one["uri"] for row in real for one in row["media"])


def test_mentions_of_the_real_export_mark_handles(real: list[dict[str, Any]]) -> None:
    spans = [(row["text"], span) for row in real for span in row["spans"] if span["role"] == "mention"]
    assert len(spans) > 10
    for text, span in spans:
        assert f"instagram:{text[span['start'] + 1 : span['end']]}" == span["account"]
        assert text[span["start"]] == "@"


def test_the_hand_labelled_owner_is_the_author(real: list[dict[str, Any]], shared: Path) -> None:
    pages = json.loads((shared / "instagram" / "labeled.json").read_bytes())
    (profile,) = [page for page in pages if page["data"]["file"] == "profile"]
    units = profile["data"]["text"].encode("utf-16-le")  # the offsets are UTF-16 code units
    found = [hit["value"] for hit in profile["completions"][0]["result"]]
    names = {
        units[2 * hit["start"] : 2 * hit["end"]].decode("utf-16-le") for hit in found if "Username" in hit["labels"]
    }
    own = {row["author"] for row in real if row["kind"] in {"profile", "caption", "comment"}}
    assert own == {f"instagram:{name}" for name in names}
