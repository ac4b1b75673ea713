"""A Mastodon archive becomes items."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Export = Callable[..., str]

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ME = "https://h.example/users/ann"
ACTOR = {
    "type": "Person",
    "id": ME,
    "url": "https://h.example/@ann",
    "preferredUsername": "ann",
    "manuallyApprovesFollowers": True,
    "summary": '<p>Gardener, see <a href="https://h.example/@bob" class="u-url mention">@<span>bob</span></a></p>',
}


def create(number: int, to: list[str], cc: list[str] | None = None, **properties: object) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": f"{ME}/statuses/{number}",
        "type": "Note",
        "attributedTo": ME,
        "to": to,
        "cc": cc or [],
    }
    written |= {"published": "2024-01-01T00:00:00Z", "content": f"<p>post {number}</p>", **properties}
    return {"id": f"{ME}/statuses/{number}/activity", "type": "Create", "actor": ME, "to": to, "object": written}


def boost(number: int, uri: str) -> dict[str, Any]:
    return {"id": f"{ME}/statuses/{number}/activity", "type": "Announce", "actor": ME, "to": [PUBLIC], "object": uri}


def archive(*activities: object, actor: object = ACTOR) -> dict[str, Any]:
    outbox = {"id": "outbox.json", "type": "OrderedCollection", "totalItems": 1, "orderedItems": list(activities)}
    return {"actor.json": actor, "outbox.json": outbox, "likes.json": {"orderedItems": []}, "avatar.png": b"png"}


def test_posts_boosts_and_messages_keep_their_audience(items: Items, zipped: Export) -> None:
    activities = [
        create(1, [PUBLIC]),
        create(2, [f"{ME}/followers"], [PUBLIC]),
        create(3, [f"{ME}/followers"]),
        create(4, ["https://h.example/users/bob"]),
        boost(5, "https://o.example/users/carol/statuses/7"),
        boost(6, f"{ME}/statuses/1"),
    ]

    profile, *rows = items("mastodon", zipped(archive(*activities)))

    assert (profile["kind"], profile["audience"], profile["text"]) == ("profile", "public", "Gardener, see @bob")
    assert profile["spans"] == [{"start": 14, "end": 18, "role": "mention", "account": "mastodon:@bob@h.example"}]
    assert {row["author"] for row in [profile, *rows]} == {"mastodon:@ann@h.example"}
    assert [(row["kind"], row["audience"], row["text"]) for row in rows] == [
        ("post", "public", "post 1"),
        ("post", "unlisted", "post 2"),
        ("post", "followers", "post 3"),
        ("message", "direct", "post 4"),
        ("post", "public", ""),
        ("post", "public", ""),
    ]
    assert [row["spans"][0]["account"] for row in rows[4:]] == ["mastodon:@carol@o.example", "mastodon:@ann@h.example"]


def test_a_mention_without_host_is_of_the_same_host(items: Items, folder: Export) -> None:
    mention = {"type": "Mention", "href": "https://h.example/users/bob", "name": "@bob"}
    content = '<p>hi <a href="https://h.example/@bob" class="u-url mention">@<span>bob</span></a></p>'

    row = items("mastodon", folder(archive(create(1, [PUBLIC], content=content, tag=[mention]))))[1]

    assert row["spans"] == [{"start": 3, "end": 7, "role": "mention", "account": "mastodon:@bob@h.example"}]


def test_newer_ids_are_numbers_and_the_owner_is_the_same(items: Items, folder: Export) -> None:
    actor = {**ACTOR, "id": "https://h.example/ap/users/1"}
    activity = json.loads(json.dumps(create(1, [PUBLIC])).replace(ME, "https://h.example/ap/users/1"))

    rows = items("mastodon", folder(archive(activity, actor=actor)))

    assert {row["author"] for row in rows} == {"mastodon:@ann@h.example"}


def test_an_address_of_another_form_is_completed_by_the_user_name(items: Items, folder: Export) -> None:
    actor = {**ACTOR, "id": "https://h.example/ap/users/1", "url": "https://h.example/people/1"}

    assert items("mastodon", folder(archive(actor=actor)))[0]["author"] == "mastodon:@ann@h.example"


def test_language_and_poll(items: Items, folder: Export) -> None:
    poll = create(
        1, [PUBLIC], type="Question", contentMap={"de": "<p>post 1</p>"}, oneOf=[{"type": "Note", "name": "ja"}]
    )

    row = items("mastodon", folder(archive(poll)))[1]

    assert (row["language"], row["text"]) == ("de", "post 1\n\nja")


def test_several_archives_are_read_one_by_one(items: Items, zipped: Export) -> None:
    paths = [
        zipped({f"in/{name}": value for name, value in archive(create(n, [PUBLIC])).items()}, f"{n}.zip")
        for n in (1, 2)
    ]

    assert [row["text"] for row in items("mastodon", *paths) if row["kind"] == "post"] == ["post 1", "post 2"]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"posts.json": []}, "no outbox.json"),
        ({"outbox.json": {"orderedItems": []}}, "no actor.json beside it"),
        ({"actor.json": {"name": "x"}, "outbox.json": {"orderedItems": []}}, "describes no account"),
        ({"actor.json": ACTOR, "outbox.json": {"orderedItems": [[1]]}}, "is no activity"),
        ({"actor.json": ACTOR, "outbox.json": b'{"orderedItems": [{"type": "Cre'}, "ends too early"),
        ({"actor.json": ACTOR, "outbox.json": b'{"orderedItems": [{"type": "\xff"}]}'}, "UTF-8"),
    ],
)
def test_bad_input_is_one_sentence(items: Items, folder: Export, tree: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("mastodon", folder(tree))


def test_there_is_no_option(items: Items, folder: Export) -> None:
    with pytest.raises(SourceError, match="no option 'audience'"):
        items("mastodon", folder(archive()), audience="public")


def test_a_large_outbox_is_read_in_batches(items: Items, folder: Export) -> None:
    rows = items("mastodon", folder(archive(*(create(number, [PUBLIC]) for number in range(9000)))))

    assert len({row["item"] for row in rows}) == 9001


def test_a_tar_and_a_bare_outbox(items: Items, folder: Export, tmp_path: Path) -> None:
    tree = archive(create(1, [PUBLIC]), create(2, ["https://h.example/users/bob"]))
    root = folder(tree)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(root, arcname="./archive-1")

    packed = items("mastodon", str(tmp_path / "a.tar.gz"))
    bare = items("mastodon", f"{root}/outbox.json")

    assert packed == items("mastodon", root)
    assert bare == packed[1:]


def test_a_hostile_tar_is_one_sentence(items: Items, tmp_path: Path) -> None:
    def packed(name: str, entry: tarfile.TarInfo, content: bytes = b"") -> str:
        entry.size = len(content)
        with tarfile.open(tmp_path / name, "w:gz") as tar:
            tar.addfile(entry, io.BytesIO(content))
            tar.addfile(tarfile.TarInfo("last"), io.BytesIO())
        return str(tmp_path / name)

    link = tarfile.TarInfo("outbox.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    whole = packed("whole.tar.gz", tarfile.TarInfo("outbox.json"), b"{}" * 5000)
    (tmp_path / "cut.tar.gz").write_bytes(Path(whole).read_bytes()[:-20])
    for path, sentence in (
        (packed("up.tar.gz", tarfile.TarInfo("../outbox.json")), "leads out of the export"),
        (packed("link.tar.gz", link), "is no regular file"),
        (packed("bomb.tar.gz", tarfile.TarInfo("outbox.json"), bytes(70 << 20)), "like a bomb"),
        (str(tmp_path / "cut.tar.gz"), "is a damaged tar"),
    ):
        with pytest.raises(SourceError, match=sentence):
            items("mastodon", path)
