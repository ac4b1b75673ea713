"""The finder that the judges judge: demur's own path from items to what is kept of them, nothing else.

It does what an import does. Accounts become subject keys; names and handles are compiled as the register keeps them,
in the languages that their spelling suggests, since no locale is known; the index is built; items go through ``govern``
once without what is known of their threads, and those that wait once more with it. What is masked is read off by
laying the masked text over the original one.

Invariants: the account of a judge's person is a number of the judge's, so that nobody is looked for by it; their
handles are accounts of the same platform, linked to it. Posts of whoever objected are left out, as they are from a
corpus, and tell who takes part; where their text is to be judged, somebody unknown is taken for their author.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.datasets.evidence import Evidence
from demur.corpus.threads import Threads
from demur.identity import Pepper, SubjectKeys
from demur.kernel.evidence import EVIDENCE, writing_of
from demur.kernel.govern import Answer, govern
from demur.kernel.marks import MASKS, PERSON, QUOTE
from demur.kernel.rules import Facts, Known, Rules, compile_rules
from demur.kernel.splice import code_points, found
from demur.kernel.wording import Pages, read
from demur.people.compiled import Compiled, Compiler
from demur.people.context import Pairs, no_pairs, pairs
from demur.people.finds import Finds, Tier
from demur.people.index import PeopleIndex
from demur.people.locale import languages_of
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.register.members.called import Calling
from demur.terms import ITEM, Role
from demur.words.keys import WordKeys
from people.cases import Found, Person, Post

PEPPER: Final = Pepper(bytes(range(32)))
NOW: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
BATCH: Final = 16_384
_STRANGER: Final = "zz-unknown"


def policy() -> Policy:
    """The policy as it comes, but for the door, which lets everybody in."""
    return Policy(
        effective_date=date(2026, 2, 1),
        basis=LegalBasis(legitimate_interests=Assessment(document="a", date=date(2026, 1, 10), signed_by="b")),
        notice=Notice(required=False),
        door=Door(unknown_age="use"),
    )


@dataclass(frozen=True)
class UnderTest:
    """A finder for :mod:`people.cases`.

    Each call stands for an import of all the posts into a corpus of its own.
    """

    reads_objectors: bool = False
    """Whether the posts of people who objected are judged, too."""

    def __call__(self, objectors: Sequence[Person], members: Sequence[Person], posts: Sequence[Post]) -> list[Found]:
        """What is masked of objectors in the posts."""
        return [mask for kept in self.governed(objectors, members, posts) for mask in kept.masks()]

    def governed(
        self, objectors: Sequence[Person], members: Sequence[Person], posts: Sequence[Post]
    ) -> "Iterator[Governed]":
        """The posts that are kept, by batches."""
        people = Cast(objectors, members)
        answers = [govern(items(some, people), people.rules, None) for some in batches(posts)]
        threads = Threads(Held(answers), people.bears, people.rules)
        withheld = {person.account for person in objectors}
        for some in batches(posts):
            judged = some if self.reads_objectors else [post for post in some if post.author not in withheld]
            batch = items(judged, people, strangers=True)
            yield Governed(people, threads, judged, batch, kept_of(batch, people.rules, threads))


find: Final = UnderTest()
find_everywhere: Final = UnderTest(reads_objectors=True)
"""The same, where posts of people who objected are judged as well."""


def kept_of(batch: pa.RecordBatch, rules: Rules, threads: Threads) -> pa.Table:
    """What is kept of items once all is known of their threads, of schema.ROW."""
    first = govern(batch, rules, None)
    parts = [first.kept]
    if len(first.waiting):
        parts.append(govern(first.waiting, rules, threads.context(writing_of(first.waiting).thread)).kept)
    return pa.Table.from_batches(parts)


class Cast:
    """Who objected and who is known, as the register would tell the kernel."""

    def __init__(self, objectors: Sequence[Person], members: Sequence[Person]) -> None:
        self.objectors = objectors
        self.members = members
        self.namespace = _namespace(objectors)
        self.compiler = Compiler(WordKeys(PEPPER.secret))

    @cached_property
    def rules(self) -> Rules:
        """The rules, with the index of names."""
        accounts = {account for person in self.objectors for account in self.accounts(person)}
        nothing = Facts(*(np.zeros(0, kind) for kind in (np.int64, "S2", np.int16, np.int32, bool)))
        known = Known(np.unique(PEPPER.subject_keys(sorted(accounts))), nothing)
        index = PeopleIndex.build(self.entries())
        return replace(compile_rules(policy(), PEPPER, known, NOW), people=index)

    def accounts(self, person: Person) -> list[str]:
        """The account that the judge gives somebody, and those that their handles are."""
        namespace = person.account.partition(":")[0]
        return [person.account, *(f"{namespace}:{handle}" for handle in person.handles)]

    def entries(self) -> Iterator[tuple[int, Compiled]]:
        """Each spelling of each objector, with each of their accounts."""
        for person in self.objectors:
            compiled = list(self.compiled(person))
            keys = np.unique(PEPPER.subject_keys(self.accounts(person))).tolist()
            yield from ((key, each) for key in keys for each in compiled)

    def compiled(self, person: Person) -> Iterator[Compiled]:
        """Somebody's names and handles as the register keeps them."""
        for name in (*person.names, *person.former):
            yield self.compiler.name(name, languages_of(name))
        for account in self.accounts(person)[1:]:
            yield self.compiler.handle(account)

    def account_of(self, subject: int) -> str:
        """Whom a subject key is of, by the account that the judge gave them."""
        return self._accounts[subject]

    @cached_property
    def _accounts(self) -> dict[int, str]:
        return {
            key: person.account
            for person in self.objectors
            for key in PEPPER.subject_keys(self.accounts(person)).tolist()
        }

    def bears(self, subjects: SubjectKeys) -> Pairs:
        """What members among some people are called."""
        some = self._called
        return some[np.isin(some["one"], subjects)]

    @cached_property
    def _called(self) -> Pairs:
        accounts = [self.accounts(person)[-1] for person in self.members]
        names = [person.names for person in self.members]
        called = Calling(PEPPER).words(accounts, names, [None] * len(names))
        words = [np.frombuffer(each, "<i8") for each in called]
        if not words:
            return no_pairs()
        keys = PEPPER.subject_keys([person.account for person in self.members])
        return pairs(np.repeat(keys, [len(each) for each in words]), np.concatenate(words).astype(np.int64))


class Held(Evidence):
    """The evidence of answers, in memory."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        super().__init__(None)
        parts = [answer.evidence.select(EVIDENCE.names) for answer in answers]
        self._table = pa.Table.from_batches(parts, schema=EVIDENCE).combine_chunks()

    def where(self, column: str, keys: np.ndarray, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows in which a column holds one of some keys."""
        held = pc.is_in(self._table.column(column), value_set=pa.array(keys, pa.int64()))
        return self._table.filter(held).select(list(columns or EVIDENCE.names)).combine_chunks()


class Sighting(NamedTuple):
    """A find, and how sure it is."""

    found: Found
    tier: Tier
    score: int
    """0 to 100."""


@dataclass(frozen=True)
class Governed:
    """Posts, and what is kept of them."""

    people: "Cast"
    threads: Threads
    posts: Sequence[Post]
    items: pa.RecordBatch
    """As a source yields them, in the order of the posts."""
    kept: pa.Table
    """Of schema.ROW, in any order."""

    def masks(self) -> Iterator[Found]:
        """What is masked of people who are withheld."""
        for post, row in self.beside(self.kept):
            if row["text"] != post.text:
                yield from (Found(post.item, *place, "") for place in masked(post.text, row["text"], row["spans"]))

    def sightings(self) -> Iterator[Sighting]:
        """What is found by name, as :meth:`masks` masks it, each with its reasons' sum."""
        plain = govern(self.items, replace(self.people.rules, people=None)).kept
        finds = read(Pages(plain, self.people.rules), self.threads.context(writing_of(plain).thread)).finds
        beside = list(self.beside(pa.Table.from_batches([plain])))
        for row, start, end, subject, tier, score in zip(*(each.tolist() for each in _columns(finds)), strict=True):
            post, kept = beside[row]
            places = original_places(post.text, kept["text"], (start, end))
            yield Sighting(Found(post.item, *places, self.people.account_of(subject)), Tier(tier), score)

    def beside(self, rows: pa.Table) -> Iterator[tuple[Post, dict[str, Any]]]:
        """Rows of schema.ROW, each beside the post that it was."""
        keys = PEPPER.item_keys(self.items.column("item")).to_pylist()
        by_key = dict(zip(keys, self.posts, strict=True))
        yield from ((by_key[row["item"]], row) for row in rows.select(["item", "text", "spans"]).to_pylist())


def _columns(finds: Finds) -> Iterator[np.ndarray]:
    yield from (finds.row, finds.start, finds.end, finds.subject, finds.tier, finds.score)


def original_places(original: str, text: str, edges: tuple[int, int]) -> tuple[int, int]:
    """Where a place of a text, parts of which are masked, stands in the original; it begins and ends in no mask."""
    masks = [(start, end) for start, end, _ in _marks(text)]
    places = laid_over(original, text, masks)
    shifts = [0, *(place[1] - mask[1] for place, mask in zip(places, masks, strict=True))]
    start, end = (at + shifts[sum(mask[1] <= at for mask in masks)] for at in edges)
    return start, end


def masked(original: str, text: str, spans: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Where an original text is masked for people who are withheld.

    A mask under a mention tells of somebody who isn't: their handle goes as every handle does. Masks of numbers and
    addresses are nobody's.
    """
    others = {(span["start"], span["end"]) for span in spans if span["role"] == Role.MENTION}
    marks = list(_marks(text))
    places = laid_over(original, text, [(start, end) for start, end, _ in marks])
    return [
        place
        for place, (start, end, mask) in zip(places, marks, strict=True)
        if mask in {PERSON, QUOTE} and (start, end) not in others
    ]


def _marks(text: str) -> Iterator[tuple[int, int, int]]:
    """The masks in a text: start, end, number."""
    texts = pa.array([text], pa.large_string())
    found_ = found(texts, code_points(texts), MASKS)
    yield from zip(found_.start.tolist(), found_.end.tolist(), found_.mask.tolist(), strict=True)


def laid_over(original: str, text: str, masks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places of an original that masks stand for: what is between them is found in it in the same order.

    Masks that stand side by side share the place that they have together.

    Raises:
        ValueError: The texts don't fit.
    """
    edges = [0, *(edge for mask in masks for edge in mask), len(text)]
    between = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    if not original.startswith(between[0]) or not original.endswith(between[-1]):
        raise ValueError("the masked text is none of this original")
    places: list[tuple[int, int]] = []
    at, waiting = len(between[0]), 1
    for number, literal in enumerate(between[1:], 1):
        last = number == len(between) - 1
        if not literal and not last:
            waiting += 1
            continue
        end = len(original) - len(literal) if last else original.find(literal, at + 1)
        if end < at:
            raise ValueError("the masked text is none of this original")
        places += [(at, end)] * waiting
        at, waiting = end + len(literal), 1
    return places


def items(posts: Sequence[Post], people: Cast, *, strangers: bool = False) -> pa.RecordBatch:
    """Posts as a source yields them; with ``strangers``, nobody who objected is the author of one."""
    withheld = {person.account for person in people.objectors} if strangers else set()
    rows = [
        {
            "item": post.item,
            "author": _author(post, number, withheld, people.namespace),
            "kind": "post",
            "audience": "public",
            "language": post.language,
            "text": post.text,
            "thread": post.thread,
            "spans": [_span(*span) for span in post.spans],
            "created": NOW,
            "origin": "first-party",
        }
        for number, post in enumerate(posts)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ITEM)


def _author(post: Post, number: int, withheld: set[str], namespace: str) -> str | None:
    if post.author is None or post.author in withheld:
        return f"{namespace}:{_STRANGER}-{number}" if withheld else post.author
    return post.author


def _span(start: int, end: int, role: str, account: str) -> dict[str, Any]:
    return {"start": start, "end": end, "role": role, "account": account}


def _namespace(people: Sequence[Person]) -> str:
    """The namespace of the platform."""
    return people[0].account.partition(":")[0] if people else "forum"


def batches(posts: Sequence[Post]) -> Iterator[Sequence[Post]]:
    """The posts in batches as the kernel gets them."""
    for start in range(0, len(posts), BATCH):
        yield posts[start : start + BATCH]
