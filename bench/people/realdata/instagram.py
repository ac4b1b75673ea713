"""A raw export of a test account, everybody it names an objector (``anonymize-ddp``, MIT).

Two sets of truths: the project's own labels of usernames and names in seven files, read as text; and, in what people
wrote (captions, comments, messages, the biography), each occurrence of a username that the export holds as one, found
by its own bounds, with the names of persons that a reader labelled (``labels/instagram.csv``, by item and place).
A name counts as declared the way it is written, and a username in a longer domain or word is left unjudged.
"""

import csv
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from people.cases import Person, Post, Truth
from people.realdata.scoring import DataSet, Place

LABELS: Final = Path(__file__).parents[1] / "labels" / "instagram.csv"
_EXPORT: Final = "insta4dummy_20201105.zip"
_OWNER: Final = "insta4dummy"
_NAME: Final = "Dummie de Mummie"
"""The owner's, as the profile shows it."""
_WORD: Final = re.compile(r"[\w.]+")


def load_labelled(folder: Path) -> DataSet:
    """Seven files of the export with the project's own labels, whose offsets are UTF-16 code units."""
    posts = [_labelled(each) for each in json.loads((folder / "labeled.json").read_text(encoding="utf-8"))]
    people: dict[str, Person] = {}
    for post in posts:
        for truth in post.truths:
            written = post.text[truth.start : truth.end]
            people.setdefault(truth.person, _person(truth.person, written))
    unjudged = {post.item: _in_longer_words(post, set(people)) for post in posts}
    return DataSet("instagram, labelled files", list(people.values()), posts, unjudged=unjudged)


def load_written(folder: Path) -> DataSet:
    """What people wrote in the export."""
    with zipfile.ZipFile(folder / _EXPORT) as export:
        files = {name: json.loads(export.read(name)) for name in export.namelist()}
    usernames = set(_usernames(files))
    marked = _marked()
    posts, unjudged = [], {}
    for item, thread, author, text in _texts(files):
        names = [Truth(start, end, _by_name(text[start:end]), "name") for start, end, _ in marked["name", item]]
        truths = tuple(sorted([*names, *_occurrences(text, usernames)], key=lambda truth: truth.start))
        post = Post(item, thread, _account(author), text, "und", truths=truths)
        posts.append(post)
        doubt = tuple((start, end) for start, end, _ in marked["unsure", item])
        unjudged[item] = (*doubt, *_in_longer_words(post, {_account(name) for name in usernames}))
    people = {_account(name): Person(_account(name), (), (name,)) for name in sorted(usernames)}
    people[_account(_OWNER)] = Person(_account(_OWNER), (_NAME,), (_OWNER,))
    for post in posts:
        for truth in post.truths:
            people.setdefault(truth.person, Person(truth.person, (post.text[truth.start : truth.end],), ()))
    return DataSet("instagram, what people wrote", list(people.values()), posts, unjudged=unjudged)


def _account(username: str) -> str:
    return f"instagram:{username.casefold()}"


def _by_name(name: str) -> str:
    """The account of a bearer; the owner's given name is the owner's."""
    return _account(_OWNER) if name in _NAME.split(" ") or name == _NAME else f"named:{name.casefold()}"


def _person(account: str, written: str) -> Person:
    return Person(account, (), (written,)) if account == _account(written) else Person(account, (_NAME,), (_OWNER,))


def _labelled(task: Mapping[str, Any]) -> Post:
    text: str = task["data"]["text"]
    units = text.encode("utf-16-le")

    def point(unit: int) -> int:
        return len(units[: 2 * unit].decode("utf-16-le"))

    truths = []
    for result in task["completions"][0]["result"]:
        value = result["value"]
        label = value["labels"][0]
        if label in {"Username", "Name"}:
            start, end = point(value["start"]), point(value["end"])
            account = _account(text[start:end]) if label == "Username" else _by_name(text[start:end])
            truths.append(Truth(start, end, account, label.lower()))
    item = f"labelled/{task['data']['file']}"
    return Post(item, item, _account(_OWNER), text, "en", truths=tuple(sorted(truths, key=lambda truth: truth.start)))


def _texts(files: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Item, thread, author's username and text of everything that somebody wrote."""
    for number, (_, text, _) in enumerate(files["comments.json"]["media_comments"]):
        yield f"comments/{number}", f"comments/{number}", _OWNER, text
    for kind, media in files["media.json"].items():
        for number, each in enumerate(media):
            if caption := each.get("caption"):
                yield f"media/{kind}/{number}", f"media/{kind}/{number}", _OWNER, caption
    for place, conversation in enumerate(files["messages.json"]):
        for number, message in enumerate(conversation["conversation"]):
            for key in ("text", "media_share_caption", "story_share"):
                if text := message.get(key):
                    writer = message["media_owner"] if key == "media_share_caption" else message["sender"]
                    yield f"messages/{place}/{number}/{key}", f"messages/{place}", writer, text
    yield "profile", "profile", _OWNER, files["profile.json"]["biography"]


def _usernames(files: Mapping[str, Any]) -> Iterator[str]:
    """The usernames that the export holds as such."""
    yield _OWNER
    for conversation in files["messages.json"]:
        yield from conversation["participants"]
        for message in conversation["conversation"]:
            for key in ("sender", "media_owner", "mentioned_username", "profile_share_username"):
                if username := message.get(key):
                    yield username
    yield from (username for _, _, username in files["comments.json"]["media_comments"])
    yield from (username for likes in files["likes.json"].values() for _, username in likes)
    yield from (username for listed in files["connections.json"].values() for username in listed)


def _occurrences(text: str, usernames: set[str]) -> Iterator[Truth]:
    """Where a username stands, its own bounds kept; an ``@`` before it belongs to it."""
    folded = {name.casefold() for name in usernames}
    for match in _WORD.finditer(text):
        name = match[0].rstrip(".")
        if name.casefold() in folded:
            at = match.start() - (text[match.start() - 1 : match.start()] == "@")
            yield Truth(at, match.start() + len(name), _account(name), "username")


def _in_longer_words(post: Post, accounts: set[str]) -> tuple[Place, ...]:
    """Words with dots in which a username is a part, as in its own domain."""
    return tuple(
        match.span()
        for match in _WORD.finditer(post.text)
        if "." in match[0].strip(".") and any(_account(part) in accounts for part in match[0].split("."))
    )


def _marked() -> defaultdict[tuple[str, str], list[tuple[int, int, str]]]:
    """What a reader labelled, by label and item."""
    marked: defaultdict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    with LABELS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            marked[row["label"], row["item"]].append((int(row["start"]), int(row["end"]), row["label"]))
    return marked
