"""ActivityStreams 2.0 documents become items."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError
from demur.sources.activitystreams import ActivityStreamsSource

Items = Callable[..., list[dict[str, Any]]]
Folder = Callable[..., str]

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"

# The fixtures of granary (../shared/data/activitystreams), by what their ActivityStreams 1 and mf2 partners mean.
TAG = "activitypub:tag:example.com,2011:"
COMMENT = "activitypub:tag:example.com,2001:547822715231468_6796480"
MEANINGS: dict[str, dict[str, Any]] = {
    "activity_with_actor.as2": {
        "item": "activitypub:https://mastodon.scot/users/jk_na/statuses/105870901259631820",
        "author": "mastodon:@jk_na@mastodon.scot",
    },
    "activity_with_person_tag.as2": {
        "item": f"{TAG}note-123",
        "spans": [{"start": 0, "end": 0, "role": "tag", "account": "activitypub:https://alice/"}],
    },
    "actor.as2": {"kind": "profile", "audience": "public", "text": "this is my bio", "item": f"{TAG}martin"},
    "article_with_audio_video.as2": {"text": "i'm ready to speak\n\nsomething", "kind": "post"},
    "article_with_image_attachment_with_alt.as2": {
        "text": "article abc\n\nfoo bar",
        "media": [{"uri": "http://pic/ture.jpg", "type": "image/png", "alt": "my alt text", "tagged": []}],
    },
    "article_with_image_attachment_with_alt.as2-from-as": {"text": "article abc\n\nfoo bar"},
    "article_with_photo.as2": {"text": "article abc\n\nfoo bar"},
    "article_with_video_stream_list.as2-from-as": {
        "media": [{"uri": "http://a/vidjo/1.mov", "type": None, "alt": None, "tagged": []}]
    },
    "comment.as2": {
        "item": COMMENT,
        "kind": "comment",
        "text": "foo bar baz",
        "parent": "activitypub:http://example.com/original/post",
        "created": datetime(2012, 12, 5, 0, 58, 26, tzinfo=UTC),
    },
    "comment_inreplyto_id.as2": {"kind": "comment", "parent": "activitypub:tag:example.com,2017:original/post"},
    "comment_multiple_in_reply_to.as2": {"kind": "comment", "parent": "activitypub:http://one/post"},
    "event.as2": {"text": "XYZ\n\nit's happening!\n\nthis event is gonna be great"},
    "note.as2": {
        "item": f"{TAG}blog-post-123",
        "author": "activitypub:tag:example.com,2001:ryan",
        "text": "too cool to summarize\n\nA note. link too",
        "created": datetime(2012, 2, 22, 20, 26, 41, tzinfo=UTC),
        "audience": None,
        "deleted": False,
    },
    "note_mastodon_with_video.as2": {
        "author": "mastodon:@alice@masto.foo",
        "media": [
            {
                "uri": "https://mstdn.r7e3.c15.e2-4.dev/media_attachments/vid.mp4",
                "type": "video/mp4",
                "alt": None,
                "tagged": [],
            }
        ],
    },
    "note_mastodon_with_video.as2-from-as": {"author": "mastodon:@alice@masto.foo", "text": "foo"},
    "note_public.as2": {"audience": "public", "text": "some stuff"},
    "note_unlisted.as2": {"audience": "unlisted", "text": "some stuff"},
    "note_with_hashtag.as2": {"item": f"{TAG}note-123", "spans": []},
    "note_with_image_document_attachment.as2": {"text": "i hereby attach an article"},
    "note_with_mention.as2": {
        "spans": [{"start": 0, "end": 0, "role": "mention", "account": "activitypub:https://alice/"}]
    },
    "note_with_string_id_image.as2": {"kind": "post"},
    "note_with_string_id_image.as2-from-as": {"kind": "post"},
    "question.as2": {"author": "mastodon:@dyani@mastodon.social"},
    "question_multiple_choice.as2": {"author": "mastodon:@matt@oslo.town"},
    "quote.as2": {
        "item": "activitypub:https://quote/",
        "author": "activitypub:https://bob.bsky.social/",
        "text": "I hereby quote\n\nAn original post",
        "spans": [{"start": 16, "end": 32, "role": "quote", "account": "activitypub:https://alice.example.com/"}],
    },
    "repost.as2": {
        "item": "activitypub:tag:example.com,2001:3344",
        "author": "activitypub:http://example.com/alice",
        "text": "The original post",
        "spans": [{"start": 0, "end": 17, "role": "reshare", "account": "activitypub:http://example.com/bob"}],
    },
    "undo_object_id.as2": {"item": "activitypub:https://example.com,2001:2468", "deleted": True, "text": None},
    "undo_repost.as2": {"deleted": True, "text": None},
    "video.as2": {"author": "activitypub:https://spectra.video/video-channels/trashpandapunk", "kind": "post"},
}
NO_CONTENT = {
    "accept_follow.as2",
    "actor_organization.as2",
    "actor_urls_displayName.as2",
    "actor_with_featured.as2",
    "actor_with_icon.as2",
    "actor_with_nickname_numeric_id.as2-from-as",
    "favorite.as2-from-as",
    "follow.as2",
    "invite.as2",
    "like.as2",
    "like_of_object.as2",
    "like_with_string_object_actor.as2",
    "rsvp.as2",
    "rsvp_multiple_events.as2",
    "tag_of.as2-from-as",
    "unfollow.as2",
    "unfollow_multiple_urls.as2",
    "update_person.as2",
}


def read(tmp_path: Path, *things: object, **options: object) -> list[dict[str, Any]]:
    path = tmp_path / "things.json"
    path.write_text(json.dumps(list(things)))
    return [row for batch in ActivityStreamsSource().read([str(path)], options) for row in batch.to_pylist()]


def marked(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["text"][s["start"] : s["end"]], s["role"], s["account"]) for s in row["spans"]]


def note(**properties: object) -> dict[str, object]:
    return {
        "type": "Note",
        "id": "https://h.example/notes/1",
        "attributedTo": "https://h.example/users/Ann",
        **properties,
    }


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_a_fixture_means_what_its_partner_means(items: Items, shared: Path, name: str) -> None:
    (row,) = items("activitystreams", str(shared / "activitystreams" / f"{name}.json"))

    assert {field: row[field] for field in MEANINGS[name]} == MEANINGS[name]


@pytest.mark.parametrize("name", sorted(NO_CONTENT))
def test_a_fixture_without_words_is_no_content(items: Items, shared: Path, name: str) -> None:
    assert items("activitystreams", str(shared / "activitystreams" / f"{name}.json")) == []


def test_every_fixture_is_judged(shared: Path) -> None:
    found = {path.name.removesuffix(".json") for path in shared.glob("activitystreams/*.as2*.json")}

    assert found == set(MEANINGS) | NO_CONTENT


def test_the_whole_folder_is_read(items: Items, shared: Path) -> None:
    rows = items("activitystreams", str(shared / "activitystreams"))

    assert len(rows) == len(MEANINGS)


@pytest.mark.parametrize(
    ("to", "cc", "audience", "kind"),
    [
        ([PUBLIC], [], "public", "post"),
        ("as:Public", None, "public", "post"),
        (["https://h.example/users/ann/followers"], [PUBLIC], "unlisted", "post"),
        (["https://h.example/users/ann/followers"], [], "followers", "post"),
        (["https://h.example/users/ann/followers"], ["https://h.example/users/bob"], "followers", "post"),
        (["https://h.example/users/bob"], [], "direct", "message"),
        ([], [], "direct", "message"),
    ],
)
def test_the_audience_is_whom_it_is_addressed_to(
    tmp_path: Path, to: object, cc: object, audience: str, kind: str
) -> None:
    (row,) = read(tmp_path, note(to=to, cc=cc))

    assert (row["audience"], row["kind"]) == (audience, kind)


def test_what_is_addressed_to_nobody_is_as_its_activity_else_unknown(tmp_path: Path) -> None:
    create = {"type": "Create", "to": [PUBLIC], "actor": "https://h.example/@ann", "object": note()}

    assert [row["audience"] for row in read(tmp_path, note(), create)] == [None, "public"]
    assert [row["audience"] for row in read(tmp_path, note(), default_audience="group")] == ["group"]


@pytest.mark.parametrize(
    ("actor", "account"),
    [
        ("https://h.example/@Ann", "mastodon:@ann@h.example"),
        ("https://h.example/users/ann", "mastodon:@ann@h.example"),
        ("https://h.example/@ann@o.example", "mastodon:@ann@o.example"),
        ({"id": "https://h.example/ap/users/1", "url": "https://h.example/@ann"}, "mastodon:@ann@h.example"),
        ("https://ann.example/", "activitypub:https://ann.example/"),
        ([{"type": "Group", "id": "https://h/g"}, {"type": "Person", "id": "https://h/p"}], "activitypub:https://h/p"),
        ({"type": "Person", "name": "Ann"}, None),
        (None, None),
    ],
)
def test_authors(tmp_path: Path, actor: object, account: str | None) -> None:
    (row,) = read(tmp_path, {"type": "Note", "content": "x", "attributedTo": actor})

    assert row["author"] == account


def test_mentions_are_marked_where_they_stand_and_kept_where_they_do_not(tmp_path: Path) -> None:
    content = (
        '<p><a href="https://h.example/@bob" class="u-url mention">@<span>bob</span></a> and @carol, '
        '<a href="https://f.example/profile/dan" class="mention">@dan</a></p>'
    )
    names = {"users/bob": "@bob", "users/carol": "@carol", "users/eve": "@eve"}
    tags = [{"type": "Mention", "href": f"https://h.example/{path}", "name": name} for path, name in names.items()]
    dan = {"type": "Mention", "href": "https://f.example/p/4", "name": "@dan@f.example"}

    (row,) = read(tmp_path, note(content=content, tag=[*tags, dan]))

    assert row["text"] == "@bob and @carol, @dan"
    assert marked(row) == [
        ("@bob", "mention", "mastodon:@bob@h.example"),
        ("", "mention", "mastodon:@eve@h.example"),
        ("@carol", "mention", "mastodon:@carol@h.example"),
        ("@dan", "mention", "mastodon:@dan@f.example"),
    ]


def test_text_is_warning_content_and_choices(tmp_path: Path) -> None:
    poll = note(
        type="Question", summary="cw", content="<p>foo?</p>", oneOf=[{"type": "Note", "name": "yes"}, {"name": "no"}]
    )

    assert read(tmp_path, poll)[0]["text"] == "cw\n\nfoo?\n\nyes\nno"


def test_plain_content_stays_as_it_is(tmp_path: Path) -> None:
    assert read(tmp_path, note(content="a <b>\nc", mediaType="text/plain"))[0]["text"] == "a <b>\nc"


def test_language_and_thread(tmp_path: Path) -> None:
    (row,) = read(tmp_path, note(contentMap={"de": "hallo"}, conversation="tag:h.example,2024:1"))

    assert (row["language"], row["text"], row["thread"]) == ("de", "hallo", "activitypub:tag:h.example,2024:1")


@pytest.mark.parametrize("key", ["quoteUrl", "quoteUri", "_misskey_quote", "quote"])
def test_a_quote_post_names_whom_it_quotes(tmp_path: Path, key: str) -> None:
    url = "https://o.example/users/bob/statuses/9"
    linked = note(content=f'<p>mine</p><p class="quote-inline">RE: <a href="{url}">{url}</a></p>', **{key: url})
    bare = note(content="mine", **{key: url})

    first, second = read(tmp_path, linked, bare)

    assert (f"RE: {url}", "quote", "mastodon:@bob@o.example") in marked(first)
    assert marked(second) == [("", "quote", "mastodon:@bob@o.example")]


def test_an_embedded_quote_can_be_taken_out(tmp_path: Path) -> None:
    quoted = {
        "type": "Note",
        "id": "https://o.example/1",
        "attributedTo": "https://o.example/@bob",
        "content": "<b>his</b>",
    }

    (row,) = read(tmp_path, note(content="mine", quote=quoted))

    assert (row["text"], marked(row)) == ("mine\n\nhis", [("his", "quote", "mastodon:@bob@o.example")])


def test_a_reshare_is_of_whom_it_passes_on(tmp_path: Path) -> None:
    announce = {"type": "Announce", "id": "https://h.example/b/1", "actor": "https://h.example/@ann", "to": [PUBLIC]}
    uri = {**announce, "object": "https://o.example/users/bob/statuses/9"}
    nameless = {**announce, "object": {"type": "Note", "id": "https://o.example/1", "content": "whose?"}}

    rows = read(tmp_path, uri, nameless)

    assert [(row["author"], row["text"], row["audience"]) for row in rows] == [
        ("mastodon:@ann@h.example", "", "public")
    ] * 2
    assert [marked(row) for row in rows] == [[("", "reshare", "mastodon:@bob@o.example")], [("", "reshare", None)]]


def test_what_is_gone_is_a_deleted_item(tmp_path: Path) -> None:
    written = note(content="x")
    gone = [
        {"type": "Delete", "object": {"type": "Tombstone", "id": written["id"]}},
        {"type": "Delete", "object": written["id"]},
        {"type": "Undo", "object": {"type": "Create", "object": written}},
        {"type": "Tombstone", "id": written["id"]},
    ]

    rows = read(tmp_path, written, *gone)

    assert {row["item"] for row in rows} == {"activitypub:https://h.example/notes/1"}
    assert [row["deleted"] for row in rows] == [False, True, True, True, True]


def test_undoing_an_announce_without_id_undoes_that_announce(tmp_path: Path) -> None:
    announce = {"type": "Announce", "actor": "https://h.example/@ann", "object": "https://o.example/1"}

    done, undone = read(tmp_path, {**announce, "published": "2024-01-01"}, {"type": "Undo", "object": announce})

    assert (done["item"], undone["deleted"]) == (undone["item"], True)


def test_collections_are_read_element_by_element(items: Items, folder: Folder) -> None:
    pages = {"type": "Collection", "first": {"type": "CollectionPage", "items": [note(content="a")]}}
    outbox = {"type": "OrderedCollection", "orderedItems": [note(content="b"), "https://h.example/2"]}

    rows = items("activitystreams", folder({"a.json": pages, "b/c.json": outbox, "other.json": {"rows": [1]}}))

    assert [row["text"] for row in rows] == ["a", "b"]


def test_a_zip_is_read_as_well(items: Items, zipped: Folder) -> None:
    assert [row["text"] for row in items("activitystreams", zipped({"x/a.json": note(content="a")}))] == ["a"]


@pytest.mark.parametrize("published", ["yesterday", "", 5, None, "0000-01-01T00:00:00Z", "99999-01-01T00:00:00Z"])
def test_a_date_that_is_none_is_unknown(tmp_path: Path, published: object) -> None:
    assert read(tmp_path, note(published=published))[0]["created"] is None


@pytest.mark.parametrize(
    "thing",
    [
        {"type": ["Note"], "content": {"a": 1}, "tag": "x", "to": {"id": PUBLIC}, "attachment": [None, 1, {"url": []}]},
        {"type": "Note", "tag": [{"type": "Mention"}, {"type": "Mention", "name": "@"}], "quote": [None, {}]},
        {
            "type": "Note",
            "url": [{"href": 1}],
            "contentMap": {"de": None},
            "summary": 4,
            "image": [{"url": {"href": "u"}}],
        },
        {"type": "Create", "object": [None, 3, "https://h/1", {"type": "Note"}]},
        {"type": "Announce", "object": None},
        {"type": "Undo"},
        {"type": "https://www.w3.org/ns/activitystreams#Note", "content": "<p>"},
    ],
)
def test_odd_shapes_are_read_as_far_as_they_say_something(tmp_path: Path, thing: dict[str, object]) -> None:
    rows = read(tmp_path, thing, note(content="and on"))

    assert rows[-1]["text"] == "and on"
    assert all(row["item"].startswith("activitypub:") for row in rows)


def test_deep_nesting_is_read_without_end(tmp_path: Path) -> None:
    thing: dict[str, object] = note(content="deep")
    for _ in range(100):
        thing = {"type": "Create", "object": thing}

    assert read(tmp_path, thing, note(content="flat"))[-1]["text"] == "flat"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"type": "Note"', "ends too early"),
        (b'[{"type": "Note", "content": "\xff"}]', "UTF-8"),
        (b'{"rows": []}', "no object of ActivityStreams"),
        (b"", "ends too early"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)

    with pytest.raises(SourceError, match=sentence):
        list(ActivityStreamsSource().read([str(path)], {}))


def test_an_unknown_option_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="did you mean 'default_audience'"):
        read(tmp_path, note(), default_audiance="public")
