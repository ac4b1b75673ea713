"""Whom the names, numbers and posts that markup gives stand for.

Invariants: markup that names somebody gives their account, whether or not they ever wrote; where a name and the post
it stands for lead to two accounts (someone was renamed), both are given, because marking one too few leaves a person
in the corpus.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

_LONGEST: Final = 200
"""Characters of a name; what is longer is no name, whatever stands where one should."""

Lookup = Callable[[str], str | None]
"""Tells the account (``namespace:value``) of a name or number, or None."""


def nobody(*_: object) -> str | None:
    """Know nobody."""
    return None


class Cited(NamedTuple):
    """Whom or what a quote, or a mention, says it is of; what it does not say is None."""

    name: str | None = None
    member: str | None = None
    """The number of their account."""
    topic: str | None = None
    post: str | None = None
    """The number of a post in its topic."""


class Names(NamedTuple):
    """What a reader of markup knows of people."""

    named: Lookup
    """By the name that markup calls them."""
    numbered: Lookup = nobody
    """By the number of their account, where authors are told by it."""
    author_of: Callable[[str, str], str | None] = nobody
    """By topic and number in it: who wrote that post."""
    topic: str | None = None
    """The topic of the post that is read: a quote from it may leave it out."""

    def accounts(self, cited: Cited) -> list[str]:
        """The accounts that are meant, each once; none where nobody is named."""
        found: dict[str | None, None] = {}
        if cited.name and (name := cited.name.strip()) and len(name) <= _LONGEST:
            found[self.named(name)] = None
        if cited.member:
            found[self.numbered(cited.member)] = None
        topic = cited.topic or self.topic
        if cited.post and topic:
            found[self.author_of(topic, cited.post)] = None
        return [account for account in found if account is not None]


def in_namespace(namespace: str) -> Names:
    """Names that are accounts as they stand: ``ann`` is ``namespace:ann``."""
    return Names(lambda name: f"{namespace}:{name}")
