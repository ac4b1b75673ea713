"""Facebook's layouts since 2018, in exports made here, with invented people."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demur.errors import SourceError

Make = Callable[..., str]
Read = Callable[..., list[dict[str, Any]]]

PHOTO = {
    "uri": "posts/media/1.jpg",
    "creation_timestamp": 1_500_000_001,
    "title": "Mobile uploads",
    "description": "My garden",
    "media_metadata": {"photo_metadata": {"exif_data": [{"upload_ip": "192.0.2.7", "latitude": 52.1}]}},
}
PROFILE = {
    "profile_v2": {
        "name": {"full_name": "Ann Bee"},
        "username": "Ann.Bee",
        "profile_uri": "https://www.facebook.com/ann.bee",
        "about_me": "Gardens",
        "emails": {"emails": ["ann@mail.example"]},
    }
}


def _broken(text: str) -> str:
    """Text as Meta writes it: a character for each UTF-8 byte."""
    return text.encode().decode("latin-1")


def _comment(author: str, text: str, **more: str) -> dict[str, Any]:
    said = {"timestamp": 1_500_000_300, "comment": text, "author": author, **more}
    return {"timestamp": 1_500_000_300, "title": f"{author} commented on Cleo's post.", "data": [{"comment": said}]}


def _export(posts: str, comments: str, groups: str, messages: str, profile: str) -> dict[str, Any]:
    """One small export; what differs between the years is where its files stand."""
    return {
        f"{profile}profile_information.json": PROFILE,
        posts: [
            {
                "timestamp": 1_500_000_000,
                "title": "Ann Bee was with Dora Dee.",
                "data": [{"post": _broken("Schöner Tag with Dora Dee")}, {"update_timestamp": 1_500_000_009}],
                "attachments": [{"data": [{"media": PHOTO}, {"external_context": {"url": "https://x.example"}}]}],
                "tags": [{"name": "Dora Dee"}],
            },
            {"timestamp": 1_500_000_100, "data": []},
        ],
        comments: {"comments_v2": [_comment("Ann Bee", "Nice"), _comment("Bob Cee", "Thanks")]},
        f"{groups}group_posts_and_comments.json": {
            "group_posts_v2": [{"timestamp": 1_500_000_400, "data": [{"post": "To the group"}]}]
        },
        f"{groups}your_comments_in_groups.json": {"group_comments_v2": [_comment("Ann Bee", "Same", group="Moss")]},
        f"{messages}inbox/bob_1/message_1.json": {
            "participants": [{"name": "Bob Cee"}],
            "messages": [
                {"sender_name": "Bob Cee", "timestamp_ms": 1_500_000_500_000, "content": "hey"},
                {"sender_name": "Ann Bee", "timestamp_ms": 1_500_000_500_001, "content": "x", "is_unsent": True},
            ],
        },
        f"{messages}e2ee_cutover/cleo_2/message_1.json": {
            "messages": [{"sender_name": "Ann Bee", "timestamp_ms": 1_500_000_600_000, "photos": [{"uri": "x.jpg"}]}]
        },
        "friends/your_friends.json": {"friends_v2": [{"name": "Dora Dee", "timestamp": 1}]},
        "comments_and_reactions/posts_and_comments.json": {"reactions_v2": [{"timestamp": 1}]},
    }


LAYOUTS = {
    "2018": ("posts/your_posts_1.json", "comments/comments.json", "groups/", "messages/", "profile_information/"),
    "2022": (
        "posts/your_posts_1.json",
        "comments_and_reactions/comments.json",
        "groups/",
        "messages/",
        "profile_information/",
    ),
    "2023": (
        "your_activity_across_facebook/posts/your_posts__check_ins__photos_and_videos_1.json",
        "your_activity_across_facebook/comments_and_reactions/comments.json",
        "your_activity_across_facebook/groups/",
        "your_activity_across_facebook/messages/",
        "personal_information/profile_information/",
    ),
    "2024": (
        "your_facebook_activity/posts/your_posts__check_ins__photos_and_videos_1.json",
        "your_facebook_activity/comments_and_reactions/comments.json",
        "your_facebook_activity/groups/",
        "your_facebook_activity/messages/",
        "personal_information/profile_information/",
    ),
}

EXPECTED = {
    ("profile", None): 1,
    ("caption", None): 1,
    ("post", None): 1,
    ("comment", None): 2,
    ("group-post", "group"): 1,
    ("comment", "group"): 1,
    ("message", "direct"): 3,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_items(zipped: Make, items: Read, layout: str) -> None:
    rows = items("facebook", zipped(_export(*LAYOUTS[layout])))
    assert Counter((row["kind"], row["audience"]) for row in rows) == EXPECTED
    assert Counter(row["author"] for row in rows) == {"facebook:ann.bee": 8, "facebook-name:Bob Cee": 2}
    assert len({row["item"] for row in rows}) == len(rows)
    assert {row["item"] for row in rows} == {
        row["item"] for row in items("facebook", zipped(_export(*LAYOUTS["2018"])))
    }


def test_a_post_holds_its_words_tags_and_media_and_nothing_of_the_camera(zipped: Make, items: Read) -> None:
    rows = items("facebook", zipped(_export(*LAYOUTS["2024"])))
    (post,) = [row for row in rows if row["kind"] == "caption"]
    assert post["text"] == "Schöner Tag with Dora Dee\n\nMy garden"
    (span,) = post["spans"]
    assert (span["role"], span["account"]) == ("tag", "facebook-name:Dora Dee")
    assert post["text"][span["start"] : span["end"]] == "Dora Dee"
    assert post["media"] == [
        {"uri": "posts/media/1.jpg", "type": "image/jpeg", "alt": None, "tagged": ["facebook-name:Dora Dee"]}
    ]
    everything = repr(rows)
    assert not [
        word for word in ("192.0.2.7", "52.1", "commented on", "was with", "mail.example") if word in everything
    ]


def test_a_group_is_told_by_its_comment(zipped: Make, items: Read) -> None:
    rows = items("facebook", zipped(_export(*LAYOUTS["2024"])))
    assert [row["group"] is not None for row in rows if row["audience"] == "group"] == [False, True]


def test_unsent_messages_are_gone(zipped: Make, items: Read) -> None:
    rows = items("facebook", zipped(_export(*LAYOUTS["2024"])))
    assert [(row["deleted"], row["text"]) for row in rows if row["kind"] == "message"] == [
        (False, None),
        (False, "hey"),
        (True, None),
    ]


def test_the_controller_may_say_who_sees_what(zipped: Make, items: Read) -> None:
    said = {"posts_audience": "public", "comments_audience": "followers", "profile_audience": "public"}
    rows = items("facebook", zipped(_export(*LAYOUTS["2024"])), **said)
    assert Counter((row["kind"], row["audience"]) for row in rows) == {
        ("profile", "public"): 1,
        ("caption", "public"): 1,
        ("post", "public"): 1,
        ("comment", "followers"): 2,
        ("group-post", "group"): 1,
        ("comment", "group"): 1,
        ("message", "direct"): 3,
    }


def test_mention_markup_becomes_a_span(zipped: Make, items: Read) -> None:
    text = "Hi @[1001:2048:Dora Dee] and Dora Dee"
    (row,) = items(
        "facebook",
        zipped(
            {
                "posts/your_posts_1.json": [
                    {"timestamp": 5, "data": [{"post": text}], "tags": [{"name": "Dora Dee"}, {"name": "Dora"}]}
                ]
            }
        ),
    )
    assert row["text"] == "Hi Dora Dee and Dora Dee"
    assert [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]] == [
        ("Dora Dee", "mention", "facebook:1001"),
        ("Dora Dee", "tag", "facebook-name:Dora Dee"),
    ]


def _labelled(*values: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"timestamp": 1_700_000_000, "media": [], "label_values": list(values), "fbid": "77", **more}


@pytest.mark.parametrize(
    ("values", "options", "audience"),
    [
        ([{"label": "Audience", "value": "Public"}], {}, "public"),
        ([{"label": "Doelgroep", "value": "Vrienden"}], {"posts_audience": "public"}, "followers"),
        ([{"label": _broken("Målgruppe"), "value": "Kun mig"}], {"posts_audience": "public"}, "direct"),
        ([{"label": "Audience", "value": "A list of mine"}], {"posts_audience": "public"}, None),
        ([], {"posts_audience": "public"}, "public"),
        ([], {}, None),
    ],
)
def test_label_values_of_2025(
    zipped: Make, items: Read, values: list[dict[str, Any]], options: dict[str, str], audience: str | None
) -> None:
    nested = {"title": "Place", "dict": [{"label": "Name", "value": "Somewhere"}]}
    record = _labelled({"label": "Message", "value": _broken("Grüße")}, nested, *values, media=[{"uri": "1.jpg"}])
    tree = {"your_facebook_activity/posts/your_posts__check_ins__photos_and_videos_1.json": [record]}
    (row,) = items("facebook", zipped(tree), **options)
    assert (row["text"], row["audience"], row["kind"]) == ("Grüße", audience, "caption")
    assert row["created"].timestamp() == 1_700_000_000


def test_posts_on_other_profiles_are_never_assumed_public(zipped: Make, items: Read) -> None:
    record = _labelled({"label": "Message", "value": "Hi"}, {"label": "Target", "value": "Cleo Dee"})
    path = zipped({"your_facebook_activity/posts/posts_on_other_pages_and_profiles.json": [record]})
    (row,) = items("facebook", path, posts_audience="public")
    assert (row["text"], row["audience"]) == ("Hi", None)


def test_the_owner_is_found_in_labelled_profiles_too(zipped: Make, items: Read) -> None:
    link = {"label": "Profiel", "href": "https://www.facebook.com/profile.php?id=1001"}
    family = {"label": "Familielid", "href": "https://www.facebook.com/dora.dee"}
    said = [family, {"label": "Naam", "value": "Ann Bee"}, link, {"label": "Biografie", "value": "Hoi"}]
    profile = {"label_values": said}
    tree = {
        "personal_information/profile_information/profile_information.json": [profile],
        "comments/comments.json": {"comments_v2": [_comment("Ann Bee", "Nice")]},
    }
    rows = items("facebook", zipped(tree))
    assert [(row["kind"], row["author"]) for row in rows] == [
        ("profile", "facebook:1001"),
        ("comment", "facebook:1001"),
    ]


def test_albums_photos_videos_notes_stories_and_pages(zipped: Make, items: Read) -> None:
    note = {"title": "On moss", "text": "It grows.", "created_timestamp": 10, "tags": [{"name": "moss"}]}
    asked = {"poll": {"question": "Which?", "options": [{"option": "This"}, {"option": "That"}]}}
    tree = {
        "posts/album/0.json": {
            "name": "Garden",
            "photos": [{**PHOTO, "comments": [{"timestamp": 5, "comment": "Wow", "author": "Bob Cee"}]}],
            "description": _broken("Grünes"),
            "last_modified_timestamp": 20,
        },
        "posts/your_uncategorized_photos.json": {"other_photos_v2": [{"uri": "2.jpg", "creation_timestamp": 30}]},
        "posts/your_videos.json": {"videos_v2": [{"uri": "3.mp4", "creation_timestamp": 40}]},
        "notes/notes.json": {"notes_v2": [note]},
        "stories/archived_stories.json": {
            "archived_stories_v2": [{"timestamp": 50, "attachments": [{"data": [{"media": {"uri": "4.jpg"}}]}]}]
        },
        "pages/moss_lovers/posts.json": [{"timestamp": 60, "data": [{"post": "Page"}]}],
        "posts/your_posts_1.json": [{"timestamp": 70, "data": [], "attachments": [{"data": [asked]}]}],
    }
    rows = items("facebook", zipped(tree), posts_audience="public", pages_audience="public")
    assert {(row["kind"], row["audience"], row["text"]) for row in rows} == {
        ("caption", "public", "Grünes"),
        ("caption", "public", "My garden"),
        ("comment", "public", "Wow"),
        ("photo", "public", None),
        ("post", "public", None),
        ("post", "public", "On moss\n\nIt grows."),
        ("story", "direct", None),
        ("page-post", "public", "Page"),
        ("post", "public", "Which?\n\nThis\n\nThat"),
    }
    (photo,) = [row for row in rows if row["text"] == "My garden"]
    (comment,) = [row for row in rows if row["text"] == "Wow"]
    assert comment["parent"] == photo["item"]


def test_an_archived_or_deleted_post_replaces_its_former_reading(zipped: Make, items: Read) -> None:
    post = {"timestamp": 5, "data": [{"post": "Hello"}]}
    rows = items(
        "facebook",
        zipped(
            {
                "posts/your_posts_1.json": [post],
                "posts/archive.json": {"archive_v2": [post]},
                "posts/trash.json": {"trash_v2": [post]},
            }
        ),
        posts_audience="public",
    )
    assert len({row["item"] for row in rows}) == 1
    assert [(row["audience"], row["deleted"], row["text"]) for row in rows] == [
        ("public", False, "Hello"),
        ("direct", False, "Hello"),
        ("public", True, None),
    ]


def test_comments_below_a_photo_follow_it(zipped: Make, items: Read) -> None:
    photo = PHOTO | {"comments": [{"timestamp": 5, "comment": "Wow", "author": "Bob Cee"}]}
    post = {"timestamp": 5, "data": [], "attachments": [{"data": [{"media": photo}]}]}
    tree = {
        "posts/album/0.json": {"name": "Garden", "photos": [photo]},
        "posts/your_posts_1.json": [post],
        "posts/archive.json": [post],
        "posts/trash.json": [post],
    }
    rows = items("facebook", zipped(tree), posts_audience="public", comments_audience="public")
    comments = [row for row in rows if row["kind"] == "comment"]
    assert len({row["item"] for row in comments}) == 1
    assert [(row["audience"], row["deleted"], row["text"]) for row in comments] == [
        ("public", False, "Wow"),
        ("public", False, "Wow"),
        ("direct", False, "Wow"),
        ("public", True, None),
    ]


def test_split_zips_repeat_their_json(zipped: Make, items: Read) -> None:
    tree = _export(*LAYOUTS["2024"])
    paths = [zipped(tree, "facebook-ann-part1.zip"), zipped(tree | {"x/1.jpg": b"x"}, "facebook-ann-part2.zip")]
    assert len(items("facebook", *paths)) == len(items("facebook", paths[0]))


def test_two_accounts_in_one_import_are_refused(zipped: Make, items: Read) -> None:
    other = _export(*LAYOUTS["2024"]) | {
        "personal_information/profile_information/profile_information.json": {
            "profile_v2": {"name": {"full_name": "Bob Cee"}, "username": "bob.cee"}
        }
    }
    paths = [zipped(_export(*LAYOUTS["2024"]), "a.zip"), zipped(other, "b.zip")]
    with pytest.raises(SourceError, match=r"holds the exports of 2 accounts: import each by itself\."):
        items("facebook", *paths)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"data": 5}, r"your_posts_1\.json, record 1: 'data' is not a list"),
        ({"timestamp": "soon"}, r"your_posts_1\.json, record 1: the timestamp is no time"),
        ({"data": [{"post": {}}]}, r"record 1: 'post' is not text"),
        ([], r"your_posts_1\.json, record 1 is no object"),
    ],
)
def test_wrong_types_are_one_sentence(zipped: Make, items: Read, record: object, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        items("facebook", zipped({"posts/your_posts_1.json": [record]}))


def test_an_export_without_content_says_what_was_expected(zipped: Make, items: Read) -> None:
    with pytest.raises(SourceError, match=r"expected posts/your_posts_1\.json, .*request the export as JSON\.$"):
        items("facebook", zipped({"ads/ads.json": {}}))
    with pytest.raises(SourceError, match=r"is the HTML variant of Facebook's export: request it again as JSON\.$"):
        items("facebook", zipped({"posts/your_posts_1.html": b"<html>"}))


def test_empty_sections_are_no_items(zipped: Make, items: Read) -> None:
    tree = {"posts/your_posts_1.json": [], "comments/comments.json": {"comments_v2": []}, "posts/your_videos.json": {}}
    assert items("facebook", zipped(tree)) == []
