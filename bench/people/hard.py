"""The hard cases: by language and trap, each a text with the action that is expected of a finder.

``hard_cases/*.toml`` holds ``language.kind = [case, ...]``. A case is an inline table: ``who`` (the objector's declared
spellings, parted by ``;``), ``handle``, ``former``; ``in`` (participants of the thread, parted by ``;``: full names, of
which the objector's own means that they take part, and ``=handle`` after a name gives a handle), ``before`` (earlier
posts of the thread) and ``text``. In both, ``⟦`` and ``⟧`` stand around what is to be masked.

Participants other than the objector are members whose display name is known.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from people.cases import Finder, Forum, Person, Post, Truth, blind

HERE: Final = Path(__file__).parent / "hard_cases"
OBJECTOR: Final = "forum:objector"
_MARK: Final = re.compile(r"[⟦⟧]")


@dataclass(frozen=True)
class HardCase:
    """One case."""

    name: str
    """Language, kind and number: ``pl/same surname/2``."""
    language: str
    kind: str
    forum: Forum
    """One objector, the thread's other members, and its posts; each post's truths are what is to be masked. The
    last post is the case's text; those before it are the thread's earlier ones, judged too."""


def _post(item: str, marked: str, language: str, author: str | None) -> Post:
    """A post from its marked text.

    Raises:
        ValueError: The marks don't pair.
    """
    places = [mark.start() - number for number, mark in enumerate(_MARK.finditer(marked))]
    marks = _MARK.findall(marked)
    if marks != ["⟦", "⟧"] * (len(marks) // 2):
        raise ValueError(f"{marked!r} has marks that don't pair: write each masked part as ⟦part⟧")
    pairs = zip(places[::2], places[1::2], strict=True)
    truths = tuple(Truth(start, end, OBJECTOR, "hard") for start, end in pairs)
    return Post(item, "hard:1", author, _MARK.sub("", marked), language, truths=truths)


def _split(listed: str) -> tuple[str, ...]:
    """The parts of a list in one string."""
    return tuple(part.strip() for part in listed.split(";") if part.strip())


def _participants(table: dict[str, Any], objector: Person) -> list[Person]:
    """Everyone who takes part; the objector where their full name is listed."""
    people = []
    for number, entry in enumerate(_split(table.get("in", ""))):
        name, _, handle = entry.partition("=")
        if name in objector.names:
            people.append(objector)
        else:
            people.append(Person(f"forum:m{number}", (name,) if name else (), (handle or f"member{number}",)))
    return people


def _case(language: str, kind: str, number: int, table: dict[str, Any]) -> HardCase:
    """Read one case."""
    handle = _split(table.get("handle", "")) or ("zq_unnamed77",)
    objector = Person(OBJECTOR, _split(table["who"]), handle, _split(table.get("former", "")))
    present = _participants(table, objector)
    opening = [
        Post(f"hard:in{at}", "hard:1", person.account, "+1", language) for at, person in enumerate(present)
    ]  # whoever takes part has written something
    earlier = [_post(f"hard:b{at}", text, language, None) for at, text in enumerate(table.get("before", ()))]
    posts = (*opening, *earlier, _post("hard:text", table["text"], language, None))
    members = tuple(person for person in present if person is not objector)
    return HardCase(f"{language}/{kind}/{number}", language, kind, Forum((objector,), members, posts))


@cache
def hard_cases() -> tuple[HardCase, ...]:
    """Every hard case, sorted by file, language and kind."""
    files = [tomllib.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*.toml"))]
    return tuple(
        _case(language, kind, number, table)
        for file in files
        for language, kinds in sorted(file.items())
        for kind, tables in sorted(kinds.items())
        for number, table in enumerate(tables, 1)
    )


def failures(finder: Finder, case: HardCase) -> list[str]:
    """Where a finder doesn't do what the case expects: a sentence for each post, empty when it is right.

    A part counts as masked when its letters and digits are, and as left alone when none is.
    """
    forum = case.forum
    found = finder(forum.people, forum.members, blind(forum.posts))
    wrong = []
    for post in forum.posts:
        masked = {at for one in found if one.item == post.item for at in range(one.start, one.end)}
        wanted = {at for truth in post.truths for at in range(truth.start, truth.end)}
        letters = {at for at, letter in enumerate(post.text) if letter.isalnum()}
        if masked & letters != wanted & letters:
            shown = "".join("#" if at in masked else letter for at, letter in enumerate(post.text))
            wrong.append(f"{case.name}: {post.text!r} became {shown!r}")
    return wrong
