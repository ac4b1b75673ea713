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
from typing import Any, Final, NamedTuple

from people.cases import Person, Post, Truth
from people.realdata.scoring import DataSet, Place

LABELS: Final = Path(__file__).parents[1] / "labels" / "instagram.csv"
_WORD: Final = re.compile(r"[\w.]+")


class _Owner(NamedTuple):
    """Whose export it is."""

    username: str
    name: str
    """As the profile shows it."""

    def account_of(self, name: str) -> str:
        """The account of whoever a name means: its words are the owner's where the profile has them."""
        mine = name == self.name or name in self.name.split(" ")
        return _account(self.username) if mine else f"named:{name.casefold()}"

    def person(self) -> Person:
        """The owner as an objector."""
        return Person(_account(self.username), (self.name,), (self.username,))


def load_labelled(folder: Path) -> DataSet:
    """Seven files of the export with the project's own labels, whose offsets are UTF-16 code units."""
    owner = _owner(_files(folder))
    posts = [_labelled(each, owner) for each in json.loads((folder / "labeled.json").read_text(encoding="utf-8"))]
    people = {owner.person().account: owner.person()}
    for post in posts:
        for truth in post.truths:
            people.setdefault(truth.person, Person(truth.person, (), (post.text[truth.start : truth.end],)))
    unjudged = {post.item: _in_longer_words(post, set(people)) for post in posts}
    return DataSet("instagram, labelled files", list(people.values()), posts, unjudged=unjudged)


def load_written(folder: Path) -> DataSet:
    """What people wrote in the export."""
    files = _files(folder)
    owner = _owner(files)
    usernames = {owner.username, *_usernames(files)}
    accounts = {_account(name) for name in usernames}
    marked = _marked()
    posts, unjudged = [], {}
    for item, thread, author, text in _texts(files, owner.username):
        names = [Truth(*place, owner.account_of(text[slice(*place)]), "name") for place in marked["name", item]]
        truths = tuple(sorted([*names, *_occurrences(text, usernames)], key=lambda truth: truth.start))
        post = Post(item, thread, _account(author), text, "und", truths=truths)
        posts.append(post)
        unjudged[item] = (*marked["unsure", item], *_in_longer_words(post, accounts))
    people = {_account(name): Person(_account(name), (), (name,)) for name in sorted(usernames)}
    people[_account(owner.username)] = owner.person()
    for post in posts:
        for truth in post.truths:
            people.setdefault(truth.person, Person(truth.person, (post.text[truth.start : truth.end],), ()))
    return DataSet("instagram, what people wrote", list(people.values()), posts, unjudged=unjudged)


def _files(folder: Path) -> dict[str, Any]:
    """The files of the export, parsed."""
    (path,) = folder.glob("*.zip")
    with zipfile.ZipFile(path) as export:
        return {name: json.loads(export.read(name)) for name in export.namelist()}


def _owner(files: Mapping[str, Any]) -> _Owner:
    profile = files["profile.json"]
    return _Owner(profile["username"], profile["name"])


def _account(username: str) -> str:
    return f"instagram:{username.casefold()}"


def _labelled(task: Mapping[str, Any], owner: _Owner) -> Post:
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
            account = (_account if label == "Username" else owner.account_of)(text[start:end])
            truths.append(Truth(start, end, account, label.lower()))
    item = f"labelled/{task['data']['file']}"
    return Post(
        item, item, _account(owner.username), text, "en", truths=tuple(sorted(truths, key=lambda truth: truth.start))
    )


def _texts(files: Mapping[str, Any], owner: str) -> Iterator[tuple[str, str, str, str]]:
    """Item, thread, author's username and text of everything that somebody wrote."""
    for number, (_, text, _) in enumerate(files["comments.json"]["media_comments"]):
        yield f"comments/{number}", f"comments/{number}", owner, text
    for kind, media in files["media.json"].items():
        for number, each in enumerate(media):
            if caption := each.get("caption"):
                yield f"media/{kind}/{number}", f"media/{kind}/{number}", owner, caption
    for place, conversation in enumerate(files["messages.json"]):
        for number, message in enumerate(conversation["conversation"]):
            for key in ("text", "media_share_caption", "story_share"):
                if text := message.get(key):
                    writer = message["media_owner"] if key == "media_share_caption" else message["sender"]
                    yield f"messages/{place}/{number}/{key}", f"messages/{place}", writer, text
    yield "profile", "profile", owner, files["profile.json"]["biography"]


def _usernames(files: Mapping[str, Any]) -> Iterator[str]:
    """The usernames that the export holds as such."""
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


def _marked() -> defaultdict[tuple[str, str], list[Place]]:
    """What a reader labelled, by label and item."""
    marked: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
    with LABELS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            marked[row["label"], row["item"]].append((int(row["start"]), int(row["end"])))
    return marked
