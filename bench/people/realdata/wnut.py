"""English posts with labelled persons, each of them an objector (WNUT 2017, CC BY 4.0).

Tokens are joined by one space. Whoever is labelled declares the name as it is labelled, and nobody else bears it:
spellings that differ in case alone are one person. Names of two words and more are judged apart from single words,
because most single words are nobody's in particular.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

from people.cases import Person, Post, Truth
from people.realdata.scoring import DataSet, Place

FILES: Final = ("wnut17train.conll", "emerging.dev.conll")
_Tagged: TypeAlias = tuple[str, str]
Scope: TypeAlias = Literal["several words", "all"]


def load(folder: Path, scope: Scope) -> DataSet:
    """The posts of both files; the objectors are those with names of several words, or all.

    Where only names of several words are objectors', a single word that is labelled as a person is left unjudged if
    it is a word of such a name: whether *Rose* alone is the one who objected was never labelled.
    """
    posts = [_post(name, number, post) for name in FILES for number, post in enumerate(_blocks(folder / name))]
    people = {truth.person: post.text[truth.start : truth.end] for post in reversed(posts) for truth in post.truths}
    objectors = [
        Person(account, (name,), ()) for account, name in sorted(people.items()) if scope == "all" or " " in name
    ]
    return DataSet(f"wnut17, {scope}", objectors, posts, unjudged={} if scope == "all" else _unjudged(posts, objectors))


def tokens(data: DataSet) -> int:
    """How many tokens the posts have."""
    return sum(len(post.text.split(" ")) for post in data.posts)


def _blocks(path: Path) -> Iterator[list[_Tagged]]:
    block: list[_Tagged] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.strip():
            token, _, tag = line.partition("\t")
            block.append((token, tag.strip()))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _post(name: str, number: int, block: list[_Tagged]) -> Post:
    text = " ".join(token for token, _ in block)
    truths = tuple(_truth(text, place) for place in _persons(block))
    item = f"wnut:{name}:{number}"
    return Post(item, item, None, text, "en", truths=truths)


def _truth(text: str, place: Place) -> Truth:
    name = text[slice(*place)]
    return Truth(*place, f"wnut:{name.casefold()}", "several words" if " " in name else "single word")


def _persons(block: list[_Tagged]) -> Iterator[Place]:
    """Where the persons of a post stand."""
    start = end = at = 0
    for token, tag in block:
        if tag != "I-person" or not end:
            if end:
                yield start, end
            start, end = (at, at + len(token)) if tag in {"B-person", "I-person"} else (0, 0)
        else:
            end = at + len(token)
        at += len(token) + 1
    if end:
        yield start, end


def _unjudged(posts: Iterable[Post], objectors: Iterable[Person]) -> dict[str, tuple[Place, ...]]:
    words = {word for person in objectors for word in person.names[0].casefold().split(" ")}
    unjudged: dict[str, tuple[Place, ...]] = {}
    for post in posts:
        places = [(each.start, each.end) for each in post.truths if each.form == "single word"]
        if kept := tuple(place for place in places if post.text[slice(*place)].casefold() in words):
            unjudged[post.item] = kept
    return unjudged
