"""Instagram's layouts since 2021, in exports made here, with invented people; 2020 in test_instagram_flat.py."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demur.errors import SourceError

Make = Callable[..., str]
Read = Callable[..., list[dict[str, Any]]]


def _broken(text: str) -> str:
    """Text as Meta writes it: a character for each UTF-8 byte."""
    return text.encode().decode("latin-1")


def _personal(username: str | None = "ann.b", private: str | None = None) -> dict[str, Any]:
    said = {"Username": username, "Name": _broken("Añn Bee")}
    said |= {} if private is None else {"Private Account": private}
    return {"profile_user": [{"string_map_data": {_broken(key): {"value": value} for key, value in said.items()}}]}


def _post(uri: str, title: str = "", created: int = 1_650_000_000, **more: object) -> dict[str, Any]:
    return {"media": [{"uri": uri, "creation_timestamp": created, "title": title}], **more}


def _export(prefix: str, media: str, personal: str, comments: str, **who: str | None) -> dict[str, Any]:
    """One small export; what differs between the years is where its files stand."""
    carousel = [
        {"uri": "m/2.jpg", "creation_timestamp": 1_650_000_100, "title": ""},
        {"uri": "m/3.mp4", "creation_timestamp": 1_650_000_100, "title": ""},
    ]
    return {
        f"{personal}personal_information.json": _personal(**who),
        f"{prefix}{media}posts_1.json": [
            _post("m/1.jpg", _broken("Blühende Gärten with @bob_c")),
            {"media": carousel, "title": "Two views", "creation_timestamp": 1_650_000_101},
            _post("m/4.jpg", created=1_650_000_200),
        ],
        f"{prefix}{media}stories.json": {
            "ig_stories": [{"uri": "s/1.jpg", "creation_timestamp": 1_650_000_300, "title": ""}]
        },
        f"{prefix}{media}reels.json": {"ig_reels_media": [_post("r/1.mp4", "Dancing", 1_650_000_400)]},
        f"{prefix}{media}profile_photos.json": {
            "ig_profile_picture": [{"uri": "p/1.jpg", "creation_timestamp": 1_650_000_500, "title": ""}]
        },
        f"{prefix}{media}archived_posts.json": {"ig_archived_post_media": [_post("a/1.jpg", "Old", 1_640_000_000)]},
        f"{prefix}comments/{comments}.json": [
            {
                "title": "",
                "string_map_data": {
                    "Comment": {"value": _broken("Schön, @cleo!"), "href": "", "timestamp": 0},
                    "Media Owner": {"value": owner},
                    "Time": {"timestamp": 1_650_000_600},
                },
            }
            for owner in ("dora", "ann.b", "dora")
        ],
        f"{prefix}messages/inbox/bob_123/message_1.json": {
            "participants": [{"name": "Bob"}, {"name": _broken("Añn Bee")}],
            "messages": [
                {"sender_name": "Bob", "timestamp_ms": 1_650_000_700_123, "content": "hey"},
                {"sender_name": _broken("Añn Bee"), "timestamp_ms": 1_650_000_700_456, "content": "ho"},
            ],
        },
    }


LAYOUTS = {
    "2021": ("", "content/", "personal_information/", "post_comments"),
    "2023": ("your_instagram_activity/", "content/", "personal_information/personal_information/", "post_comments_1"),
    "2024": ("your_instagram_activity/", "media/", "personal_information/personal_information/", "post_comments_1"),
}

EXPECTED = {
    ("caption", "followers"): 2,
    ("photo", "followers"): 1,
    ("story", "followers"): 1,
    ("reel", "followers"): 1,
    ("photo", "public"): 1,
    ("caption", "direct"): 1,
    ("comment", None): 2,
    ("comment", "followers"): 1,
    ("message", "direct"): 2,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_items(zipped: Make, items: Read, layout: str) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS[layout], private="True")))
    assert Counter((row["kind"], row["audience"]) for row in rows) == EXPECTED
    assert len({row["item"] for row in rows}) == len(rows)
    assert {row["author"] for row in rows} == {"instagram:ann.b", "instagram-name:Bob"}
    assert "Blühende Gärten with @bob_c" in {row["text"] for row in rows}


def test_ids_do_not_depend_on_layout_or_caption(zipped: Make, items: Read) -> None:
    old, new = (_export(*LAYOUTS[layout]) for layout in ("2021", "2024"))
    new["your_instagram_activity/media/posts_1.json"][0]["media"][0]["title"] = "edited"
    before, after = (items("instagram", zipped(tree)) for tree in (old, new))
    media = [{row["item"] for row in rows if row["kind"] != "message"} for rows in (before, after)]
    assert media[0] == media[1]


def test_mentions_are_marked_in_repaired_text(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS["2024"])))
    named = {row["text"][span["start"] : span["end"]]: span for row in rows for span in row["spans"]}
    assert {text: span["account"] for text, span in named.items()} == {
        "@bob_c": "instagram:bob_c",
        "@cleo": "instagram:cleo",
    }


def test_a_carousel_is_one_item_with_all_its_media(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS["2024"])))
    (row,) = [row for row in rows if row["text"] == "Two views"]
    assert [(one["uri"], one["type"]) for one in row["media"]] == [("m/2.jpg", "image/jpeg"), ("m/3.mp4", "video/mp4")]


@pytest.mark.parametrize(
    ("private", "options", "audience"),
    [
        ("True", {"account_audience": "public"}, "followers"),
        ("False", {}, "public"),
        (None, {}, None),
        (None, {"account_audience": "public"}, "public"),
        ("perhaps", {}, None),
    ],
)
def test_who_sees_the_account(
    zipped: Make, items: Read, private: str | None, options: dict[str, str], audience: str | None
) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS["2024"], private=private)), **options)
    assert {row["audience"] for row in rows if row["kind"] in {"story", "reel"}} == {audience}


def test_the_controller_may_say_who_sees_comments(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS["2024"], private="True")), comments_audience="public")
    assert Counter(row["audience"] for row in rows if row["kind"] == "comment") == {"public": 2, "followers": 1}


def test_two_comments_in_one_second_are_two_items(zipped: Make, items: Read) -> None:
    rows = items("instagram", zipped(_export(*LAYOUTS["2024"])))
    assert len({row["item"] for row in rows if row["kind"] == "comment"}) == 3


def test_localised_keys(zipped: Make, items: Read) -> None:
    dutch = {"Gebruikersnaam": "ann.b", "Naam": "Ann", _broken("Privéaccount"): "Waar", "Biografie": "Hoi @bob"}
    comment = {"Opmerking": {"value": "Mooi"}, "Media-eigenaar": {"value": "ann.b"}, "Tijd": {"timestamp": 7}}
    unknown = {"Iruzkina": {"value": "Ederra"}, "Jabea": {"value": "dora"}, "Denbora": {"timestamp": 9}}
    tree = {
        "personal_information/personal_information.json": {
            "profile_user": [{"string_map_data": {key: {"value": value} for key, value in dutch.items()}}]
        },
        "comments/post_comments.json": {
            "comments_media_comments": [{"string_map_data": comment}, {"string_map_data": unknown}]
        },
    }
    profile, own, other = items("instagram", zipped(tree))
    assert (profile["kind"], profile["audience"], profile["text"]) == ("profile", "public", "Hoi @bob")
    assert (own["author"], own["text"], own["audience"]) == ("instagram:ann.b", "Mooi", "followers")
    assert (other["text"], other["audience"], other["created"].timestamp()) == ("Ederra", None, 9)


def test_label_values_of_2025(zipped: Make, items: Read) -> None:
    tree = {
        "your_instagram_activity/media/posts_1.json": [
            {
                "timestamp": 5,
                "media": [{"uri": "m/1.jpg"}],
                "label_values": [
                    {"label": "Bijschrift", "value": _broken("Één @bob")},
                    {"dict": [{"label": "Naam", "value": "Dora Dee"}], "title": "Eigenaar"},
                ],
                "fbid": "123",
            }
        ],
        "your_instagram_activity/comments/reels_comments.json": [
            {"timestamp": 6, "media": [], "label_values": [{"label": "Comment", "value": "Nice"}], "fbid": "124"}
        ],
    }
    post, comment = items("instagram", zipped(tree))
    assert (post["text"], post["created"].timestamp(), post["kind"]) == ("Één @bob", 5, "caption")
    assert (comment["text"], comment["created"].timestamp()) == ("Nice", 6)
    assert post["author"] is None  # nothing in this export says whose it is


def test_an_archived_or_deleted_post_replaces_its_public_reading(zipped: Make, items: Read) -> None:
    post = _post("m/1.jpg", "Hello")
    folder = "your_instagram_activity/media/"
    before = items("instagram", zipped({folder + "posts_1.json": [post]}))
    archived = items("instagram", zipped({folder + "archived_posts.json": {"ig_archived_post_media": [post]}}))
    deleted = items("instagram", zipped({folder + "recently_deleted_content.json": {"x": [post]}}))
    assert before[0]["item"] == archived[0]["item"] == deleted[0]["item"]
    assert archived[0]["audience"] == "direct"
    assert (deleted[0]["deleted"], deleted[0]["text"], deleted[0]["media"]) == (True, None, [])


def test_messages(zipped: Make, items: Read) -> None:
    messages = [
        {"sender_name": "Bob", "timestamp_ms": 1, "content": "secret", "is_unsent": True},
        {
            "sender_name": "Bob",
            "timestamp_ms": 2,
            "content": "look",
            "share": {"share_text": "A cat", "original_content_owner": "dora"},
            "photos": [{"uri": "x/1.jpg"}],
            "sticker": {"uri": "x/2.png"},
        },
    ]
    path = zipped({"messages/message_requests/bob_1/message_1.json": {"participants": [], "messages": messages}})
    unsent, shared = items("instagram", path)
    assert (unsent["deleted"], unsent["text"], unsent["audience"]) == (True, None, "direct")
    (span,) = shared["spans"]
    assert (span["role"], span["account"]) == ("reshare", "instagram:dora")
    assert shared["text"][span["start"] : span["end"]] == "A cat"
    assert [one["uri"] for one in shared["media"]] == ["x/1.jpg", "x/2.png"]
    assert unsent["thread"] == shared["thread"]


def test_split_zips_count_every_record_once(zipped: Make, items: Read) -> None:
    whole = _export(*LAYOUTS["2024"], private="False")
    names = list(whole)
    first = zipped({name: whole[name] for name in names[:6]}, "ann-part1.zip")
    second = zipped({name: whole[name] for name in [*names[:2], *names[6:]]}, "ann-part2.zip")
    split = items("instagram", first, second)
    assert {row["item"] for row in split} == {row["item"] for row in items("instagram", zipped(whole))}
    assert len(split) == len({row["item"] for row in split})


def test_two_accounts_in_one_import_are_refused(zipped: Make, items: Read) -> None:
    paths = [zipped(_export(*LAYOUTS["2024"], username=name), f"{name}.zip") for name in ("ann.b", "bob_c")]
    with pytest.raises(SourceError, match=r"holds the exports of 2 accounts: import each by itself\."):
        items("instagram", *paths)


def test_empty_sections_are_no_items(zipped: Make, items: Read) -> None:
    folder = "your_instagram_activity/media/"
    tree = {
        folder + "posts_1.json": [],
        folder + "reels.json": {},
        folder + "stories.json": {"ig_stories": []},
        "your_instagram_activity/comments/post_comments_1.json": ["You have no data in this section"],
    }
    assert items("instagram", zipped(tree)) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"media": 5}, r"posts_1\.json, record 1: 'media' is not a list"),
        (_post("m/1.jpg", created=10**15), r"posts_1\.json, record 1: the timestamp is no time"),
        ({"media": [{"uri": "x", "title": {}}]}, r"record 1: 'title' is not text"),
        (7, r"posts_1\.json, record 1 is no object"),
    ],
)
def test_wrong_types_are_one_sentence(zipped: Make, items: Read, record: object, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        items("instagram", zipped({"content/posts_1.json": [record]}))


def test_an_export_without_content_says_what_was_expected(zipped: Make, items: Read) -> None:
    with pytest.raises(SourceError, match=r"expected posts_1\.json, .*request the export as JSON\.$"):
        items("instagram", zipped({"ads/ads.json": {}}))
    with pytest.raises(SourceError, match=r"is the HTML variant of Instagram's export: request it again as JSON\.$"):
        items("instagram", zipped({"content/posts_1.html": b"<html>"}))


def test_an_unknown_option_names_the_nearest(zipped: Make, items: Read) -> None:
    with pytest.raises(SourceError, match=r"no option 'comment_audience': did you mean 'comments_audience'\?"):
        items("instagram", zipped({}), comment_audience="public")
    with pytest.raises(SourceError, match=r"\[sources\.instagram\]: 'comments_audience' does not fit"):
        items("instagram", zipped({}), comments_audience="everyone")
