"""Exports of any size for every source, made up: records as the platforms write them, around the texts of `_posts.py`.

A block of some thousand records is made once and written again and again, each time with other ids, so that a file of
2 GB takes its disk's time and no two records are one. What is said beside a text (names, counts, entities, layout) is
what the platforms' documentation and exporters show, with fewer of the fields that no reader needs: a real export is
larger for the same texts, and read at more bytes a second.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

import _posts as posts

MARK: Final = 987654
"""Stands in ids where the number of a block comes; of six digits, like that."""
_BLOCK: Final = 4000
_LINES: Final = 500
"""Records of a file, where an export has many."""


@dataclass(frozen=True)
class Export:
    """What an export of a source is made of."""

    name: str
    source: str
    path: str
    """Of the file that grows, within the export; ``MARK`` in it where each block is a file of its own."""
    records: list[bytes]
    head: bytes = b""
    between: bytes = b"\n"
    tail: bytes = b"\n"
    beside: Mapping[str, bytes] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    zipped: bool = False

    def write(self, folder: Path, size: int) -> tuple[Path, int]:
        """Write it with about ``size`` bytes: its path, and the exact number in files that hold records."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.zipped:
            for name, content in self.beside.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            (folder / self.path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / self.path).open("wb") as file:
                written = sum(file.write(piece) for piece in self._pieces(size))
            return folder if self.beside or "/" in self.path else folder / self.path, written
        path, written = folder / "export.zip", 0
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for name, content in self.beside.items():
                packed.writestr(name, content)
            for name, pieces in self._files(size):
                with packed.open(name, "w", force_zip64=True) as member:
                    written += sum(member.write(piece) for piece in pieces)
        return path, written

    def _files(self, size: int) -> Iterator[tuple[str, Iterator[bytes]]]:
        if str(MARK) not in self.path:
            yield self.path, self._pieces(size)
            return
        parts = [self.records[at : at + _LINES] for at in range(0, len(self.records), _LINES)]
        made = 0
        for number in range(100_000, 1_000_000):
            part = parts[number % len(parts)]
            content = _numbered(self.head + self.between.join(part) + self.tail, number)
            yield self.path.replace(str(MARK), str(number)), iter((content,))
            made += len(content)
            if made >= size:
                return

    def _pieces(self, size: int) -> Iterator[bytes]:
        block = self.between.join(self.records)
        yield self.head
        for number in range(100_000, 100_000 + max(1, round(size / len(block)))):
            yield (self.between if number > 100_000 else b"") + _numbered(block, number)
        yield self.tail


def _numbered(block: bytes, number: int) -> bytes:
    return block.replace(str(MARK).encode(), str(number).encode())


def _id(number: int) -> int:
    return MARK * 10_000 + number


def _texts() -> list[str]:
    return [
        str(text)
        for text in pq.read_table(posts.table(100_000), columns=["text"])["text"].slice(0, 5 * _BLOCK).to_pylist()
    ]


def _dumped(value: object, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()


def _clock(number: int) -> str:
    return f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"


def _html(text: str, number: int, texts: list[str]) -> str:
    """A post in a forum's HTML: paragraphs, a link, a third with a mention, a third with a quote."""
    person = f"user_{number * 7 % 900}"
    escaped = [one.replace("&", "&amp;").replace("<", "&lt;") for one in (text, texts[(number * 3 + 1) % len(texts)])]
    parts = [f"<p>{escaped[0]}</p>", f'<p>{escaped[1]} <a href="https://example.com/{number}">this</a> <em>so</em></p>']
    if number % 3 == 0:
        parts[0] = f'<p><a class="mention" href="/u/{person}">@{person}</a> {escaped[0]}</p>'
    if number % 3 == 1:
        parts.insert(
            0,
            f'<aside class="quote no-group" data-username="{person}" data-post="{number % 90}" '
            f'data-topic="{number // 90}">\n<div class="title">\n<div class="quote-controls"></div>\n'
            f" {person}:</div>\n<blockquote>\n<p>{escaped[1][:80]}</p>\n</blockquote>\n</aside>",
        )
    return "\n".join(parts)


def _raw(text: str, number: int, texts: list[str]) -> str:
    """A post as it was typed: Markdown, a third with a quote."""
    other = texts[(number * 3 + 1) % len(texts)]
    quoted = (
        f'[quote="user_{number * 7 % 900}, post:{number % 90 + 1}, topic:{number // 90}"]\n{other[:80]}\n[/quote]\n\n'
    )
    return f"{quoted if number % 3 == 1 else ''}{text}\n\n**{other[:20].strip()}**, [this](https://example.com/{number}) {other}"


# The sources, one by one


def _discourse_post(number: int, texts: list[str]) -> dict[str, Any]:
    person = f"user_{number * 11 % 900}"
    return {
        "id": _id(number),
        "name": person.title(),
        "username": person,
        "avatar_template": f"/user_avatar/forum.example/{person}/{{size}}/{number}_2.png",
        "created_at": f"2026-03-01T{_clock(number)}.123Z",
        "cooked": _html(texts[number], number, texts),
        "post_number": _id(number) % 1_000_000 + 1,
        "post_type": 1,
        "updated_at": f"2026-03-01T{_clock(number)}.123Z",
        "reply_count": 0,
        "reply_to_post_number": number if number % 2 else None,
        "quote_count": 0,
        "incoming_link_count": 0,
        "reads": 12,
        "readers_count": 11,
        "score": 2.4,
        "yours": False,
        "topic_id": _id(number) // 90,
        "topic_slug": "on-knees",
        "display_username": person.title(),
        "version": 1,
        "can_edit": False,
        "can_delete": False,
        "can_recover": False,
        "link_counts": [{"url": f"https://example.com/{number}", "internal": False, "reflection": False, "clicks": 3}],
        "read": True,
        "actions_summary": [],
        "moderator": False,
        "admin": False,
        "staff": False,
        "user_id": number * 11 % 900,
        "hidden": False,
        "trust_level": 1,
        "deleted_at": None,
        "user_deleted": False,
        "edit_reason": None,
        "wiki": False,
        "archetype": "regular",
        "category_id": 5,
    }


def _discourse_api(texts: list[str]) -> Export:
    made = [_dumped(_discourse_post(number, texts)) for number in range(_BLOCK)]
    return Export("discourse, JSON of the API", "discourse", "posts.json", made, b"[", b",", b"]")


def _discourse_archive(texts: list[str]) -> Export:
    names = [
        "topic_title",
        "categories",
        "is_pm",
        "post_raw",
        "post_cooked",
        "like_count",
        "reply_count",
        "url",
        "created_at",
    ]
    made = [
        _csv(
            (
                "On knees",
                "Town|Health",
                "No",
                _raw(texts[n], n, texts),
                _html(texts[n], n, texts),
                2,
                1,
                f"https://forum.example/t/on-knees/{n // 90 + 1}/{_id(n)}",
                f"2026-03-01 {_clock(n)} UTC",
            )
        )
        for n in range(_BLOCK)
    ]
    return Export(
        "discourse, a member's archive", "discourse", "user_archive.csv", made, _csv(names) + b"\n",
        beside={"preferences.json": b'{"username": "ann"}'}, zipped=True,
    )  # fmt: skip


def _csv(row: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)  # type: ignore[arg-type]  # any sequence
    return text.getvalue().encode()


def _discourse_dump(texts: list[str]) -> Export:
    names = "id user_id topic_id post_number raw cooked created_at updated_at reply_to_post_number deleted_at post_type hidden"
    made = [
        "\t".join(
            (str(_id(n)), str(n * 11 % 900), str(_id(n) // 90), str(n % 90 + 1), _copied(_raw(texts[n], n, texts)),
             _copied(_html(texts[n], n, texts)), f"2026-03-01 {_clock(n)}.123", f"2026-03-01 {_clock(n)}.123",
             str(n) if n % 2 else "\\N", "\\N", "1", "f")
        ).encode()
        for n in range(_BLOCK)
    ]  # fmt: skip
    users = "\n".join(f"{n}\tuser_{n}" for n in range(900))
    head = (
        f"--\n-- PostgreSQL database dump\n--\n\nCOPY public.users (id, username) FROM stdin;\n{users}\n\\.\n\n"
        f"COPY public.posts ({', '.join(names.split())}) FROM stdin;\n"
    )
    return Export("discourse, dump of its database", "discourse", "dump.sql", made, head.encode(), tail=b"\n\\.\n")


def _copied(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _mastodon(texts: list[str]) -> Export:
    me, everybody = "https://h.example/users/ann", "https://www.w3.org/ns/activitystreams#Public"
    made = []
    for n in range(_BLOCK):
        uri, person = f"{me}/statuses/{_id(n)}", f"user_{n * 7 % 900}"
        url = f"https://other.example/@{person}"
        named = f'<span class="h-card" translate="no"><a href="{url}" class="u-url mention">@<span>{person}</span></a></span> '
        content = f"<p>{named if n % 3 == 0 else ''}{texts[n].replace('&', '&amp;').replace('<', '&lt;')}</p>"
        addressed = {
            "published": f"2026-03-01T{_clock(n)}Z",
            "to": [everybody],
            "cc": [f"{me}/followers", *([f"https://other.example/users/{person}"] if n % 3 == 0 else [])],
        }
        tags = [
            {"type": "Mention", "href": f"https://other.example/users/{person}", "name": f"@{person}@other.example"}
        ]
        replies = {"id": f"{uri}/replies", "type": "Collection"}
        note = {
            "id": uri, "type": "Note", "summary": None,
            "inReplyTo": f"https://other.example/users/{person}/statuses/{n}" if n % 3 == 0 else None,
            **addressed, "url": f"https://h.example/@ann/{_id(n)}", "attributedTo": me, "sensitive": False,
            "atomUri": uri, "inReplyToAtomUri": None, "conversation": f"tag:h.example,2026-03-01:objectId={_id(n)}:objectType=Conversation",
            "content": content, "contentMap": {"en": content}, "attachment": [], "tag": tags if n % 3 == 0 else [],
            "replies": {**replies, "first": {"type": "CollectionPage", "next": f"{uri}/replies?only_other_accounts=true&page=true", "partOf": f"{uri}/replies", "items": []}},
        }  # fmt: skip
        made.append(_dumped({"id": f"{uri}/activity", "type": "Create", "actor": me, **addressed, "object": note}))
    actor = {"type": "Person", "id": me, "url": "https://h.example/@ann", "preferredUsername": "ann"}
    head = b'{"@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection", "orderedItems": ['
    return Export(
        "mastodon", "mastodon", "outbox.json", made, head, b",", b"]}", {"actor.json": _dumped(actor)}, zipped=True
    )


def _activitystreams(texts: list[str]) -> Export:
    like = _mastodon(texts)
    return Export("activitystreams", "activitystreams", "collection.json", like.records, like.head, b",", b"]}")


def _instagram(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        photo = {
            "uri": f"media/posts/202603/{_id(n)}_1.jpg",
            "creation_timestamp": 1_772_359_200 + n,
            "media_metadata": {"camera_metadata": {"has_camera_metadata": False}},
            "title": _broken(texts[n]),
            "cross_post_source": {"source_app": "FB"},
            "backup_uri": "",
        }
        made.append(json.dumps({"media": [photo]}, indent=2).encode())
    personal = {"profile_user": [{"string_map_data": {"Username": {"value": "ann.b"}, "Name": {"value": "Ann"}}}]}
    return Export(
        "instagram", "instagram", "your_instagram_activity/content/posts_1.json", made, b"[", b",\n", b"]",
        {"personal_information/personal_information/personal_information.json": _dumped(personal)}, zipped=True,
    )  # fmt: skip


def _broken(text: str) -> str:
    """Text as Meta writes it: a character for each UTF-8 byte."""
    return text.encode().decode("latin-1")


def _facebook(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        shared = {"external_context": {"url": f"https://example.com/{n}"}}
        post = {
            "timestamp": 1_772_359_200 + n,
            "attachments": [{"data": [shared]}] if n % 4 == 0 else [],
            "data": [{"post": _broken(texts[n])}, {"update_timestamp": 1_772_359_200 + n}],
            "title": "Ann Bee shared a link." if n % 4 == 0 else "Ann Bee updated her status.",
            "fbid": str(_id(n)),
            "tags": [{"name": f"User {n * 7 % 900}"}] if n % 10 == 0 else [],
        }
        made.append(json.dumps(post, indent=2).encode())
    profile = {"profile_v2": {"name": {"full_name": "Ann Bee"}, "username": "ann.bee"}}
    return Export(
        "facebook", "facebook", "your_facebook_activity/posts/your_posts__check_ins__photos_and_videos_1.json", made,
        b"[", b",\n", b"]", {"personal_information/profile_information/profile_information.json": _dumped(profile)},
        zipped=True,
    )  # fmt: skip


def _irc(texts: list[str]) -> Export:
    made = [
        f"[{_clock(n)}] <user_{n * 11 % 900}> {f'user_{n * 7 % 900}: ' if n % 3 == 0 else ''}{text}".encode()
        for n, text in enumerate(texts[:_BLOCK])
    ]
    return Export("irc", "irc", "2026-03-01-#town.log", made)


def _mbox(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        person, other = f"user_{n * 11 % 900}", f"user_{n * 7 % 900}"
        body = [texts[(n + step) % len(texts)] for step in range(0, 4 * 37, 37)]
        quoted = "".join(f"> {line}\n" for line in body[1:3])
        made.append(
            f"From {person}@town.example Sun Mar  1 {_clock(n)} 2026\n"
            f"Received: from mail.town.example (mail.town.example [192.0.2.7])\n\tby lists.town.example (Postfix) with "
            f"ESMTPS id {_id(n)}\n\tfor <town@lists.town.example>; Sun,  1 Mar 2026 {_clock(n)} +0000 (UTC)\n"
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=town.example; s=mail;\n\th=from:to:subject;"
            f" bh={'Ab3' * 14}=;\n\tb={'Qx9' * 50}\n"
            f'From: "User {n * 11 % 900}" <{person}@town.example>\nTo: town@lists.town.example\n'
            f"Subject: Re: [town] On knees\nDate: Sun, 1 Mar 2026 {_clock(n)} +0000\n"
            f"Message-ID: <{_id(n)}@town.example>\n"
            f"In-Reply-To: <{_id(n) - 1}@town.example>\nReferences: <{_id(0)}@town.example>\n <{_id(n) - 1}@town.example>\n"
            f"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
            f"List-Id: People of the town <town.lists.town.example>\nList-Post: <mailto:town@lists.town.example>\n\n"
            f"On Sun, Mar 1, 2026 at 10:00 User {n * 7 % 900} <{other}@town.example> wrote:\n{quoted}\n"
            f"{body[0]}\n\n{body[3]}\n\n-- \nUser {n * 11 % 900}\n".encode()
        )
    return Export("mbox", "mbox", "town.mbox", made, options={"audience": "public"})


def _reddit(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        person = f"user_{n * 11 % 900}"
        comment: dict[str, Any] = {
            "all_awardings": [], "approved_at_utc": None, "approved_by": None, "archived": False, "associated_award": None,
            "author": person, "author_flair_background_color": None, "author_flair_css_class": None, "author_flair_richtext": [],
            "author_flair_text": None, "author_flair_type": "text", "author_fullname": f"t2_{n:x}", "author_is_blocked": False,
            "author_patreon_flair": False, "author_premium": False, "awarders": [], "banned_at_utc": None, "banned_by": None,
            "body": f"{'&gt; ' + texts[(n + 37) % len(texts)] + chr(10) * 2 if n % 4 == 0 else ''}{texts[n]}"
            f"{f' see /u/user_{n * 7 % 900}' if n % 20 == 0 else ''}",
            "can_gild": False, "can_mod_post": False, "collapsed": False, "collapsed_because_crowd_control": None,
            "collapsed_reason": None, "comment_type": None, "controversiality": 0, "created": 1772359200 + n,
            "created_utc": 1772359200 + n, "distinguished": None, "downs": 0, "edited": False, "gilded": 0, "gildings": {},
            "id": str(_id(n)), "is_submitter": False, "likes": None, "link_id": f"t3_{_id(n) // 90}", "locked": False,
            "mod_note": None, "mod_reason_by": None, "mod_reason_title": None, "mod_reports": [], "name": f"t1_{_id(n)}",
            "no_follow": True, "num_reports": None, "parent_id": f"t1_{_id(n) - 1}", "permalink": f"/r/town/comments/{n}/on/{n}/",
            "removal_reason": None, "replies": "", "report_reasons": None, "retrieved_on": 1772359999, "saved": False, "score": 3,
            "score_hidden": False, "send_replies": True, "stickied": False, "subreddit": "Town", "subreddit_id": "t5_2qh0u",
            "subreddit_name_prefixed": "r/Town", "subreddit_type": "public", "top_awarded_type": None,
            "total_awards_received": 0, "treatment_tags": [], "unrepliable_reason": None, "ups": 3, "user_reports": [],
        }  # fmt: skip
        made.append(json.dumps(comment, separators=(",", ":")).encode())
    return Export("reddit", "reddit", "RC_2026-03.jsonl", made)


def _stackexchange(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        body = f"{_html(texts[n], n, texts)}\n<pre><code>{texts[n].replace('&', '&amp;').replace('<', '&lt;')}</code></pre>"
        given = {
            "Id": _id(n), "PostTypeId": 1 + n % 2, "ParentId": _id(n) - 1, "CreationDate": f"2026-03-01T{_clock(n)}.123",
            "Score": 3, "Body": body, "OwnerUserId": n % 900 + 1, "LastEditorUserId": 7, "LastEditDate": "2026-03-02T10:00:00.000",
            "LastActivityDate": "2026-03-02T10:00:00.000", "CommentCount": 2, "ContentLicense": "CC BY-SA 4.0",
        }  # fmt: skip
        made.append(f"  <row {' '.join(f'{key}={_attribute(value)}' for key, value in given.items())} />".encode())
    head, users = (
        '<?xml version="1.0" encoding="utf-8"?>\n',
        [f'  <row Id="{n}" DisplayName="user_{n}" />' for n in range(1, 901)],
    )
    people = "\n".join((f"{head}<users>", *users, "</users>\n")).encode()
    return Export(
        "stackexchange", "stackexchange", "Posts.xml", made, f"{head}<posts>\n".encode(), b"\n", b"\n</posts>\n",
        {"Users.xml": people},
    )  # fmt: skip


def _attribute(value: object) -> str:
    escaped = str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return f'"{escaped.replace(chr(10), "&#xA;")}"'


def _slack(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        person, other = f"U{n * 11 % 900}", f"U{n * 7 % 900}"
        text = texts[n].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        text = f"<@{other}> {text}" if n % 3 == 0 else text
        profile = {"avatar_hash": "g1", "image_72": f"https://a.example/{person}/72.png", "first_name": "User", "real_name": f"User {n}",
                   "display_name": f"user_{n * 11 % 900}", "team": "T1", "name": person, "is_restricted": False, "is_ultra_restricted": False}  # fmt: skip
        said = {
            "type": "rich_text",
            "block_id": "x1",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
        }
        answers = {"thread_ts": f"{MARK}{n // 10 * 10:05}.000100", "parent_user_id": other} if n % 2 else {}
        made.append(
            json.dumps(
                {"client_msg_id": f"0-{_id(n)}", "type": "message", "text": text, "user": person,
                 "ts": f"{MARK}{n:05}.000100", "blocks": [said], "team": "T1", "user_team": "T1", "source_team": "T1",
                 "user_profile": profile, **answers}, indent=4
            ).encode()
        )  # fmt: skip
    users = [{"id": f"U{n}", "name": f"user_{n}", "profile": {"display_name": f"user_{n}"}} for n in range(900)]
    beside = {"channels.json": _dumped([{"id": "C1", "name": "general"}]), "users.json": _dumped(users)}
    return Export("slack", "slack", f"general{MARK}/2026-03-01.json", made, b"[\n", b",\n", b"\n]", beside, zipped=True)


def _telegram(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        person, other = n * 11 % 900, f"user_{n * 7 % 900}"
        named = [{"type": "mention", "text": f"@{other}"}, f" {texts[n]}"]
        entities = [{"type": "mention", "text": f"@{other}"}, {"type": "plain", "text": f" {texts[n]}"}]
        message = {
            "id": _id(n), "type": "message", "date": f"2026-03-01T{_clock(n)}", "date_unixtime": str(1_772_359_200 + n),
            "from": f"User {person}", "from_id": f"user{10_000 + person}",
            **({"reply_to_message_id": _id(n) - 1} if n % 2 else {}),
            "text": named if n % 3 == 0 else texts[n],
            "text_entities": entities if n % 3 == 0 else [{"type": "plain", "text": texts[n]}],
        }  # fmt: skip
        made.append(_dumped(message, 1))
    head = b'{\n "name": "town",\n "type": "public_supergroup",\n "id": 7,\n "messages": [\n'
    return Export("telegram", "telegram", "result.json", made, head, b",\n", b"\n ]\n}")


def _discord_person(number: int) -> dict[str, Any]:
    name = f"user_{number}"
    role = {"id": "77", "name": "neighbour", "color": "#3498DB", "position": 3}
    return {"id": str(10_000 + number), "name": name, "discriminator": "0000", "nickname": f"User {number}", "color": None,
            "isBot": False, "roles": [role], "avatarUrl": f"https://cdn.example/avatars/{number}/a1b2c3.png?size=512"}  # fmt: skip


def _discord(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        other = n * 7 % 900
        reference = {"messageId": str(_id(n) - 1), "channelId": "5", "guildId": "3"}
        message = {
            "id": str(_id(n)), "type": "Reply" if n % 2 else "Default", "timestamp": f"2026-03-01T{_clock(n)}.123+01:00",
            "timestampEdited": None, "callEndedTimestamp": None, "isPinned": False,
            "content": f"@User {other} {texts[n]}" if n % 3 == 0 else texts[n], "author": _discord_person(n * 11 % 900),
            "attachments": [], "embeds": [], "stickers": [], "reactions": [],
            "mentions": [_discord_person(other)] if n % 3 == 0 else [], **({"reference": reference} if n % 2 else {}),
            "inlineEmojis": [],
        }  # fmt: skip
        made.append(_dumped(message, 2))
    head = {
        "guild": {"id": "3", "name": "town"},
        "channel": {"id": "5", "type": "GuildTextChat", "categoryId": "4", "category": "Town", "name": "garden"},
    }
    return Export(
        "discord", "discord", "garden.json", made, _dumped(head)[:-1] + b', "messages": [', b",\n", b'], "messageCount": 1}',
        options={"public_channels": ["garden"]},
    )  # fmt: skip


def _whatsapp(texts: list[str]) -> Export:
    named = "@\u2068User {}\u2069 "
    made = [
        f"[01.03.26, {_clock(n)}] User {n * 11 % 900}: {named.format(n * 7 % 900) if n % 10 == 0 else ''}{texts[n]}"
        f"{chr(10) + texts[(n + 37) % len(texts)] if n % 10 == 5 else ''}".encode()
        for n in range(_BLOCK)
    ]
    return Export("whatsapp", "whatsapp", "_chat.txt", made, zipped=True)


def _x(texts: list[str]) -> Export:
    made = []
    for n in range(_BLOCK):
        person, answers = f"user_{n * 7 % 900}", n % 3 == 0
        text = f"@{person} {texts[n]}" if answers else texts[n]
        mention = {
            "name": f"User {n * 7 % 900}",
            "screen_name": person,
            "indices": ["0", str(len(person) + 1)],
            "id_str": str(10_000 + n),
            "id": str(10_000 + n),
        }
        replied = {"in_reply_to_status_id_str": str(_id(n) - 1), "in_reply_to_user_id": str(10_000 + n), "in_reply_to_status_id": str(_id(n) - 1),
                   "in_reply_to_screen_name": person, "in_reply_to_user_id_str": str(10_000 + n)}  # fmt: skip
        tweet = {
            "edit_info": {"initial": {"editTweetIds": [str(_id(n))], "editableUntil": f"2026-03-01T{_clock(n)}.000Z", "editsRemaining": "5", "isEditEligible": True}},
            "retweeted": False, "source": '<a href="https://mobile.example" rel="nofollow">Web App</a>',
            "entities": {"hashtags": [], "symbols": [], "user_mentions": [mention] if answers else [], "urls": []},
            "display_text_range": ["0", str(len(text))], "favorite_count": "3", "id_str": str(_id(n)), "truncated": False,
            "retweet_count": "0", "id": str(_id(n)), "created_at": f"Sun Mar 01 {_clock(n)} +0000 2026", "favorited": False,
            "full_text": text.replace("&", "&amp;").replace("<", "&lt;"), "lang": "en", **(replied if answers else {}),
        }  # fmt: skip
        made.append(_dumped({"tweet": tweet}, 2))
    account = b'window.YTD.account.part0 = [{"account": {"username": "ann_b", "accountId": "42"}}]'
    return Export(
        "x", "x", "data/tweets.js", made, b"window.YTD.tweets.part0 = [", b",\n", b"]",
        {"data/account.js": account}, {"protected": False}, zipped=True,
    )  # fmt: skip


def _table(texts: list[str]) -> Export:
    made = [
        _csv((_id(n), f"user_{n * 11 % 900}", f"2026-03-01 {_clock(n)}", "public", texts[n])) for n in range(_BLOCK)
    ]
    head = b"item,author,created,audience,text\n"
    return Export(
        "table, CSV as plain text", "table", "posts.csv", made, head, options={"namespace": "forum", "markup": "text"}
    )


MAKERS: Final[tuple[Callable[[list[str]], Export], ...]] = (
    _activitystreams,
    _discord,
    _discourse_api,
    _discourse_archive,
    _discourse_dump,
    _facebook,
    _instagram,
    _irc,
    _mastodon,
    _mbox,
    _reddit,
    _slack,
    _stackexchange,
    _table,
    _telegram,
    _whatsapp,
    _x,
)


def exports(wanted: str = "") -> Iterator[Export]:
    """An export for each source whose name holds ``wanted``, in its forms that are read in different ways."""
    texts = _texts()
    for make in MAKERS:
        made = make(texts)
        if wanted in made.name:
            yield made
