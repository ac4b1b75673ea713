"""The records that a judge hands to a finder, and that a finder hands back.

Invariants: offsets are code points of ``Post.text``; a truth or a trap is never empty; the truths of a post are sorted
and don't overlap. Everyone who is named has truths, whether or not they objected: the scoring tells who did.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True)
class Person:
    """Someone who objected, or a member whose display name is known."""

    account: str
    names: tuple[str, ...]
    """Declared spellings; the first is the full name."""
    handles: tuple[str, ...]
    former: tuple[str, ...] = ()
    """Full names that they no longer bear."""


@dataclass(frozen=True)
class Truth:
    """Where a text names a person."""

    start: int
    end: int
    person: str
    """Their account."""
    form: str
    """What of the name stands there, then how it is written: ``surname``, ``surname inflected``, ``full zero-width``.

    ``alone`` stands for a given name or surname without any context that says whose it is."""


@dataclass(frozen=True)
class Trap:
    """Where a text reads like an objector's name and isn't theirs."""

    start: int
    end: int
    kind: str
    """One of ``traps.KINDS``."""


@dataclass(frozen=True)
class Post:
    """One item of a forum."""

    item: str
    thread: str
    author: str | None
    """Account, or None where it is unknown."""
    text: str
    language: str
    """BCP 47."""
    spans: tuple[tuple[int, int, str, str], ...] = ()
    """What the markup said: start, end, role, account."""
    truths: tuple[Truth, ...] = ()
    traps: tuple[Trap, ...] = ()


@dataclass(frozen=True)
class Found:
    """A part of an item's text that a finder masks."""

    item: str
    start: int
    end: int
    person: str
    """The account it is taken for."""


@dataclass(frozen=True)
class Forum:
    """A synthetic forum: who objected, which other members have a display name, and what was written."""

    people: tuple[Person, ...]
    members: tuple[Person, ...]
    posts: tuple[Post, ...]


Finder: TypeAlias = Callable[[Sequence[Person], Sequence[Person], Sequence[Post]], list[Found]]
"""Takes objectors, members and posts (see ``blind``), and says what it masks."""


def blind(posts: Iterable[Post]) -> list[Post]:
    """The posts as a finder may see them: without truths and traps."""
    return [replace(post, truths=(), traps=()) if post.truths or post.traps else post for post in posts]
