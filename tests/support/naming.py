"""Small threads with people in them, to look for names in.

Everybody in them is invented.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from demur.people.compiled import Compiler
from demur.people.context import Context, Pairs, pairs
from demur.people.find import Search, find_people
from demur.people.finds import Finds, Tier
from demur.people.index import PeopleIndex
from demur.words.batch import Words
from demur.words.keys import WordKeys
from demur.words.page import Page, Places, Writing

KEYS: Final = WordKeys(b"w" * 32)
COMPILER: Final = Compiler(KEYS)
NOWHERE: Final[Places] = tuple(np.zeros((3, 0), np.int64))  # type: ignore[assignment]
_MASKS: Final = ("[person]", "[quote]", "[phone]")


def key(word: str) -> int:
    """Of a folded word."""
    return int(KEYS.keys([word])[0])


def index_of(people: Mapping[int, Sequence[str]], languages: Sequence[str] = ()) -> PeopleIndex:
    """The index of people by number; a name that begins with @ is a handle."""
    entries = ((subject, compiled(name, languages)) for subject, names in people.items() for name in names)
    return PeopleIndex.build(entries)


def compiled(name: str, languages: Sequence[str] = ()):  # type: ignore[no-untyped-def]  # noqa: ANN201
    return COMPILER.handle(name[1:]) if name.startswith("@") else COMPILER.name(name, languages)


def page_of(
    texts: Sequence[str],
    *,
    authors: Sequence[int] | None = None,
    threads: Sequence[int] | None = None,
    parents: Sequence[int] | None = None,
    quotes: Places = NOWHERE,
    languages: Sequence[str | None] | None = None,
) -> Page:
    """A page of texts, each an item of its own number from 1000, by a stranger, all in thread 1."""
    rows = len(texts)
    array = pa.array(texts, pa.large_string())
    writing = Writing(
        np.array(authors if authors is not None else [99] * rows, np.int64),
        np.arange(1000, 1000 + rows),
        np.array(threads if threads is not None else [1] * rows, np.int64),
        np.array(parents if parents is not None else [-1] * rows, np.int64),
    )
    language = pa.array(languages or [None] * rows, pa.string())
    return Page.of(array, Words.of(array, KEYS), writing, language, opaque=masks(texts), quotes=quotes)


def masks(texts: Sequence[str]) -> Places:
    """Where masks stand."""
    found = []
    for row, text in enumerate(texts):
        for mask in _MASKS:
            at = text.find(mask)
            while at >= 0:
                found.append((row, at, at + len(mask)))
                at = text.find(mask, at + 1)
    return tuple(np.array(sorted(found), np.int64).reshape(-1, 3).T)  # type: ignore[return-value]


@dataclass
class Scene:
    """One thread: who is withheld, who takes part, who is called what."""

    withheld: Mapping[int, Sequence[str]]
    takes_part: Iterable[int] = ()
    bears: Mapping[int, Sequence[str]] = field(default_factory=dict)
    learnt: Mapping[int, Sequence[str]] = field(default_factory=dict)
    named: Iterable[int] = ()
    answers: int = -1
    """Who wrote what the text answers."""
    languages: Sequence[str] = ()
    author: int = 99

    @property
    def context(self) -> Context:
        """What is known of it."""
        part = [*self.takes_part, self.author, *([self.answers] if self.answers >= 0 else [])]
        return Context(
            takes_part=_all((1, each) for each in part),
            wrote=_all([(5, self.answers)] if self.answers >= 0 else []),
            bears=_all((who, key(word)) for who, words in self.bears.items() for word in words),
            learnt=_all((who, key(word)) for who, words in self.learnt.items() for word in words),
            named=_all((1, each) for each in self.named),
        )

    def page(self, *texts: str) -> Page:
        """Texts of the thread."""
        rows = len(texts)
        return page_of(
            texts,
            authors=[self.author] * rows,
            parents=[5 if self.answers >= 0 else -1] * rows,
            languages=[next(iter(self.languages), None)] * rows,
        )

    def finds(self, *texts: str) -> Finds:
        """Everything that is found."""
        return find_people(self.page(*texts), index_of(self.withheld, self.languages), self.context)

    def masked(self, text: str, least: int = 50) -> str:
        """A text with what counts in brackets."""
        finds = self.finds(text)
        covered = np.zeros(len(text) + 2, bool)
        for start, end, score in zip(finds.start.tolist(), finds.end.tolist(), finds.score.tolist(), strict=True):
            covered[start + 1 : end + 1] |= score >= least
        edges = np.flatnonzero(np.diff(covered))
        marked = [("[", "]")[number % 2] for number in range(len(edges))]
        whole = text
        for at, mark in reversed(list(zip(edges.tolist(), marked, strict=True))):
            whole = whole[:at] + mark + whole[at:]
        return whole

    def hangs(self, text: str) -> bool:
        """Whether the text hangs on its thread."""
        return bool(Search(self.page(text), index_of(self.withheld, self.languages)).hangs()[0])


def tiers_of(finds: Finds) -> list[Tier]:
    """The tier of each find."""
    return [Tier(tier) for tier in finds.tier.tolist()]


def _all(both: Iterable[tuple[int, int]]) -> Pairs:
    found = np.array(list(both), np.int64).reshape(-1, 2)
    return pairs(found[:, 0], found[:, 1])
