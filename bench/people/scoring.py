"""How well a finder masked: recall and precision with counts, by form, language and trap, and people wholly erased.

A truth of an objector is found when every letter and digit of it is masked, whoever it was taken for. A mask is false
when it overlaps no truth of an objector. Since one mask over a whole post would overlap something, ``words`` counts the
same by masked word. Posts that an objector wrote count nowhere: they go whole. Intervals are Wilson's, at 95 %.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

from people.cases import Finder, Forum, Found, Post, Truth, blind

_WORD: Final = re.compile(r"\w+")
_Z: Final = 1.959964


@dataclass(frozen=True)
class Rate:
    """A share with its counts."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """Hits by all; 1 where there is nothing."""
        return self.hits / self.of if self.of else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 %; from 0 to 1 where there is nothing."""
        if not self.of:
            return 0.0, 1.0
        square = _Z * _Z
        middle = (self.hits + square / 2) / (self.of + square)
        half = _Z / (self.of + square) * sqrt(self.hits * (self.of - self.hits) / self.of + square / 4)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.4f} ({self.hits} of {self.of}; {low:.4f} to {high:.4f})"


@dataclass
class _Tally:
    """Hits and misses by key."""

    hits: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, *, hit: bool) -> None:
        """Count one."""
        self.of[key] += 1
        self.hits[key] += hit

    def rates(self) -> dict[str, Rate]:
        """The rate of each key, sorted."""
        return {key: Rate(self.hits[key], self.of[key]) for key in sorted(self.of)}


@dataclass(frozen=True)
class Score:
    """What a finder reached."""

    recall: Rate
    """Truths of objectors that were found."""
    precision: Rate
    """Masks that overlap a truth of an objector."""
    words: Rate
    """Masked words that overlap one."""
    by_form: dict[str, Rate]
    """Recall."""
    by_language: dict[str, Rate]
    """Recall."""
    precision_by_language: dict[str, Rate]
    traps: dict[str, Rate]
    """Kind -> traps that were left alone."""
    mentions: dict[str, Rate]
    """Account -> its truths that were found."""

    def erased(self, least: int) -> Rate:
        """The people with at least so many mentions, of whom every mention was found."""
        counted = [rate for rate in self.mentions.values() if rate.of >= least]
        return Rate(sum(rate.hits == rate.of for rate in counted), len(counted))

    def forms(self, *words: str) -> Rate:
        """Recall of the forms that hold one of the words, such as ``zero-width`` or ``surname``."""
        chosen = [rate for form, rate in self.by_form.items() if set(words) & set(form.split())]
        return Rate(sum(rate.hits for rate in chosen), sum(rate.of for rate in chosen))


def judge(finder: Finder, forum: Forum) -> Score:
    """Let a finder read a forum without its truths, and score what it masks."""
    found = finder(forum.people, forum.members, blind(forum.posts))
    return score({person.account for person in forum.people}, forum.posts, found)


def score(objectors: set[str], posts: Iterable[Post], found: Iterable[Found]) -> Score:
    """Score masks against the truths of the people who objected, given by account."""
    masks: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for one in found:
        if one.start < one.end:
            masks[one.item].add((one.start, one.end))
    tallies = _Tallies()
    for post in posts:
        if post.author not in objectors:
            truths = [truth for truth in post.truths if truth.person in objectors]
            tallies.add(post, truths, masks[post.item])
    return tallies.score()


@dataclass
class _Tallies:
    """Everything that is counted, as posts are read."""

    form: _Tally = field(default_factory=_Tally)
    language: _Tally = field(default_factory=_Tally)
    people: _Tally = field(default_factory=_Tally)
    precise: _Tally = field(default_factory=_Tally)
    words: _Tally = field(default_factory=_Tally)
    traps: _Tally = field(default_factory=_Tally)

    def add(self, post: Post, truths: Sequence[Truth], masks: set[tuple[int, int]]) -> None:
        """Count one post."""
        covered = _cover(len(post.text), masks)
        for truth in truths:
            hit = _is_masked(post.text, truth, covered)
            self.form.add(truth.form, hit=hit)
            self.language.add(post.language, hit=hit)
            self.people.add(truth.person, hit=hit)
        self._add_masks(post, _cover(len(post.text), [(truth.start, truth.end) for truth in truths]), covered, masks)

    def _add_masks(self, post: Post, true: bytearray, covered: bytearray, masks: set[tuple[int, int]]) -> None:
        """Count the masks, the masked words and the traps of one post."""
        for start, end in masks:
            self.precise.add(post.language, hit=any(true[start:end]))
        for start, end in _masked_words(post.text, covered):
            self.words.add("", hit=any(true[start:end]))
        for trap in post.traps:
            if not any(true[trap.start : trap.end]):
                self.traps.add(trap.kind, hit=not any(covered[trap.start : trap.end]))

    def score(self) -> Score:
        """What was counted."""
        return Score(
            recall=_all(self.form),
            precision=_all(self.precise),
            words=_all(self.words),
            by_form=self.form.rates(),
            by_language=self.language.rates(),
            precision_by_language=self.precise.rates(),
            traps=self.traps.rates(),
            mentions=self.people.rates(),
        )


def _all(tally: _Tally) -> Rate:
    """The rate over every key."""
    return Rate(tally.hits.total(), tally.of.total())


def _cover(length: int, spans: Iterable[tuple[int, int]]) -> bytearray:
    """One byte a code point: 1 where a span covers it."""
    covered = bytearray(length)
    for start, end in spans:
        covered[start:end] = b"\x01" * len(covered[start:end])
    return covered


def _is_masked(text: str, truth: Truth, covered: bytearray) -> bool:
    """Whether every letter and digit of a truth is covered."""
    return all(covered[at] for at in range(truth.start, truth.end) if text[at].isalnum())


def _masked_words(text: str, covered: bytearray) -> Iterator[tuple[int, int]]:
    """The words of which some part is covered."""
    return (word.span() for word in _WORD.finditer(text) if any(covered[word.start() : word.end()]))


def lines(score: Score, least: Sequence[int] = (1, 5)) -> list[str]:
    """A score as lines to print."""
    head = [f"recall     {score.recall}", f"precision  {score.precision}", f"by word    {score.words}"]
    whole = [f"people with {count} or more mentions, wholly erased  {score.erased(count)}" for count in least]
    parts = [
        f"{title} {key:<22} {rate}"
        for title, rates in (
            ("recall of", score.by_form),
            ("recall in", score.by_language),
            ("precision in", score.precision_by_language),
            ("left alone:", score.traps),
        )
        for key, rate in rates.items()
    ]
    return head + whole + parts
