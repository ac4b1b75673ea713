"""Finders that need no thought: the least and the most that a judge can be told, and plain search between them.

They show what the figures of a data set are worth: what *spelled* reaches there needs no evidence, and its false masks
are what evidence has to save.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from people.cases import Found, Person, Post

_TOKEN: Final = re.compile(r"[^\s@,:;<>()\"/]+")
_WORD: Final = re.compile(r"\w+(?:['.-]\w+)*")
_NOBODY: Final = "nobody:"

_Spellings: TypeAlias = dict[str, list[tuple[tuple[str, ...], str]]]


def nothing(_objectors: Sequence[Person], _members: Sequence[Person], _posts: Sequence[Post]) -> list[Found]:
    """Masks nothing."""
    return []


def everything(_objectors: Sequence[Person], _members: Sequence[Person], posts: Sequence[Post]) -> list[Found]:
    """Masks every text whole."""
    return [Found(post.item, 0, len(post.text), _NOBODY) for post in posts if post.text]


def spelled(objectors: Sequence[Person], _members: Sequence[Person], posts: Sequence[Post]) -> list[Found]:
    """Masks what reads as a declared name or handle without case, wherever it stands as whole words."""
    handles = {handle.casefold(): person.account for person in objectors for handle in person.handles}
    spellings: _Spellings = defaultdict(list)
    for person in objectors:
        for name in (*person.names, *person.former, *person.handles):
            words = tuple(match[0].casefold() for match in _WORD.finditer(name))
            if words:
                spellings[words[0]].append((words, person.account))
    return [found for post in posts for found in (*_handles(post, handles), *_names(post, spellings))]


def _handles(post: Post, handles: dict[str, str]) -> Iterator[Found]:
    """Handles between blanks and marks; some begin or end in what is no letter."""
    for match in _TOKEN.finditer(post.text):
        if account := handles.get(match[0].casefold()):
            yield Found(post.item, *match.span(), account)


def _names(post: Post, spellings: _Spellings) -> Iterator[Found]:
    """Spellings word by word."""
    words = list(_WORD.finditer(post.text))
    folded = [word[0].casefold() for word in words]
    for at, word in enumerate(words):
        for spelling, account in spellings.get(folded[at], ()):
            if tuple(folded[at : at + len(spelling)]) == spelling:
                yield Found(post.item, word.start(), words[at + len(spelling) - 1].end(), account)
