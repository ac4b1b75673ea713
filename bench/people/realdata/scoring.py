"""How a finder's masks are held against what is known of real posts.

Invariants: a truth is found when each of its letters and digits is masked, whoever the masks were attributed to; a
mask is false when it touches no truth of an objector and nothing that is left unjudged; masks that overlap are one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from _real import Share
from people.cases import Finder, Found, Person, Post, Truth, blind

Place: TypeAlias = tuple[int, int]
"""Start and end in code points of a text, the end exclusive."""

_NOWHERE: Final[tuple[Place, ...]] = ()


@dataclass(frozen=True)
class DataSet:
    """Real posts, who of their people objected, and where they are named."""

    name: str
    objectors: Sequence[Person]
    posts: Sequence[Post]
    members: Sequence[Person] = ()
    unjudged: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    """By item: places where a mask is neither right nor false."""
    judged: frozenset[str] | None = None
    """Items whose false masks are counted; None for all."""


@dataclass(frozen=True)
class Mask:
    """Found parts that overlap, as one."""

    item: str
    start: int
    end: int


class Right(NamedTuple):
    """A mask that touches a truth."""

    mask: Mask
    form: str
    """Of the first truth that it touches."""


@dataclass(frozen=True)
class Score:
    """What a finder found of a data set."""

    recall: dict[str, Share]
    """By form of the truths."""
    right: list[Right]
    """In the judged items."""
    false: list[Mask]
    """In the judged items: masks that touch neither a truth nor anything unjudged."""
    masks: list[Mask]
    """All, in the order of the posts."""
    excess: Counter[str] = field(default_factory=Counter)
    """Letters and digits masked in the judged items: ``in`` truths and unjudged places, and ``out`` of them."""

    @property
    def spill(self) -> Share:
        """The share of masked letters and digits that no truth and nothing unjudged holds: what a wide mask costs."""
        return Share(self.excess["out"], self.excess.total())

    @property
    def precision(self) -> Share:
        """The share of masks that touch a truth, of those that are judged."""
        return Share(len(self.right), len(self.right) + len(self.false))


def merged(found: Iterable[Found]) -> dict[str, list[Mask]]:
    """The masks of each item, sorted, those that overlap made one."""
    by_item: dict[str, list[Place]] = defaultdict(list)
    for part in found:
        by_item[part.item].append((part.start, part.end))
    return {item: [Mask(item, *place) for place in _union(places)] for item, places in by_item.items()}


def _union(places: list[Place]) -> list[Place]:
    joined: list[Place] = []
    for start, end in sorted(places):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def is_found(truth: Truth, text: str, masks: Iterable[Mask]) -> bool:
    """Whether each letter and digit of a truth is masked."""
    covered = {place for mask in masks for place in range(max(mask.start, truth.start), min(mask.end, truth.end))}
    return all(place in covered for place in range(truth.start, truth.end) if text[place].isalnum())


def touches(mask: Mask, places: Iterable[Place]) -> bool:
    """Whether a mask shares a code point with one of some places."""
    return any(start < mask.end and mask.start < end for start, end in places)


def run(finder: Finder, data: DataSet) -> Score:
    """Have a finder work through a data set without its truths, and score what it masked.

    Raises:
        ValueError: when it masks an item that isn't there, or a part that is empty or outside the text.
    """
    found = finder(data.objectors, data.members, blind(data.posts))
    texts = {post.item: post.text for post in data.posts}
    for part in found:
        if part.item not in texts or not 0 <= part.start < part.end <= len(texts[part.item]):
            raise ValueError(f"the finder masks {part.start}:{part.end} of {part.item}: no such part of an item")
    return score(data, merged(found))


def score(data: DataSet, masks: Mapping[str, Sequence[Mask]]) -> Score:
    """Hold masks against the truths."""
    objected = {person.account for person in data.objectors}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    result = Score({}, [], [], [])
    for post in data.posts:
        mine = masks.get(post.item, ())
        truths = [truth for truth in post.truths if truth.person in objected]
        for truth in truths:
            counts[truth.form][0] += is_found(truth, post.text, mine)
            counts[truth.form][1] += 1
        result.masks.extend(mine)
        if data.judged is None or post.item in data.judged:
            doubt = data.unjudged.get(post.item, _NOWHERE)
            _judge(result, mine, truths, doubt)
            _weigh(result, post.text, mine, [*doubt, *((truth.start, truth.end) for truth in truths)])
    result.recall.update({form: Share(*counts[form]) for form in sorted(counts)})
    return result


def _judge(result: Score, masks: Iterable[Mask], truths: list[Truth], unjudged: Iterable[Place]) -> None:
    for mask in masks:
        form = next((truth.form for truth in truths if touches(mask, [(truth.start, truth.end)])), None)
        if form is not None:
            result.right.append(Right(mask, form))
        elif not touches(mask, unjudged):
            result.false.append(mask)


def _weigh(result: Score, text: str, masks: Iterable[Mask], known: Iterable[Place]) -> None:
    inside = {place for start, end in known for place in range(start, end)}
    for mask in masks:
        for place in range(mask.start, mask.end):
            if text[place].isalnum():
                result.excess["in" if place in inside else "out"] += 1
