"""Law 2 where people's names touch, and where one stands within another: whoever objects first, the same is left.

Sentences are made of names alone, and of few words: full names, surnames, given names and accounts' names in capitals
and small letters, with blanks, hyphens and commas between, and quotes whose edges fall among them. First the kernel
decides them objection by objection, and at once; then a workspace meets imports, objections and withdrawals, and is
compared with one that is told everything first and imports each item's last reading once. In a sentence everybody is
named once: names that share their words, or stand crosswise, are what ADR 0042 leaves open.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
from forums import Forum
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import PEPPER, batch, item, open_policy, rules, span

from demur.kernel.evidence import writing_of
from demur.kernel.govern import Answer, govern
from demur.kernel.keying import Keyer, keyed
from demur.kernel.rules import Rules
from demur.people.compiled import Compiler
from demur.people.context import Context, pairs
from demur.people.index import PeopleIndex
from demur.words.keys import WordKeys

pytestmark = pytest.mark.law

NAMES: Final = {
    "forum:starfishy": [],
    "forum:Quillon": [],
    "forum:annie_k": ["Anna Kowalska"],
    "forum:rmill": ["Robert Miller"],
    "forum:lbrenn": ["Lisa Brennick"],
    "forum:willys": ["Will Smith"],
    "forum:vandb": ["Mia van der Berg"],
    "forum:zyl": ["Timo Zylka-Roth"],
}
PEOPLE: Final = tuple(NAMES)
STRANGER: Final = "forum:nobody_in_particular"
AROUND: Final = ("said", "asked", "met", "Thanks", "Hi", "Mr", "in", "yesterday", "Peter", "the")
BETWEEN: Final = (" ", " ", " ", " ", "-", ", ", " and ")
COMPILER: Final = Compiler(WordKeys(PEPPER.secret))


def ways(account: str) -> list[str]:
    """How somebody is named, in small letters, too; another's account may stand in the middle of a full name."""
    handle = account.partition(":")[2]
    found = [handle]
    for name in NAMES[account]:
        given_name, _, surname = name.partition(" ")
        found += [name, name, given_name, surname, f"{given_name} Quillon {surname}", f"{surname}, {given_name}"]
    return [*found, *(each.lower() for each in found)]


@st.composite
def sentences(draw: st.DrawFn) -> str:
    """Each person at most once, and words between."""
    who = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True))
    words = [draw(st.sampled_from(ways(each))) for each in who]
    if sum("quillon" in word.lower() for word in words) > 1:
        words = [word for word in words if "quillon" not in word.lower()]
    for other in draw(st.lists(st.sampled_from(AROUND), max_size=2)):
        words.insert(draw(st.integers(0, len(words))), other)
    return "".join(part for word in words for part in (draw(st.sampled_from(BETWEEN)), word)).strip(" ,-")


texts = st.lists(sentences(), min_size=1, max_size=2).map(". ".join)


def under(accounts: Sequence[str]) -> Rules:
    """The rules once some people objected."""
    entries = []
    for account in accounts:
        compiled = [COMPILER.handle(account), *(COMPILER.name(name, ("en",)) for name in NAMES[account])]
        entries += [(int(PEPPER.subject_key(account)), each) for each in compiled]
    return replace(rules(open_policy(), accounts), people=PeopleIndex.build(entries))


def known(rows: pa.RecordBatch, people: Sequence[str]) -> Context:
    """In each thread the same people take part."""
    threads, subjects = writing_of(keyed(rows, Keyer(PEPPER))).thread, PEPPER.subject_keys(people)
    return Context(takes_part=pairs(threads.repeat(len(people)), np.tile(subjects, len(threads))))


def told(answer: Answer, context: Context) -> Context:
    """The context with what rows tell of who is named in full."""
    named = answer.evidence.column("named")
    threads = answer.evidence.column("thread").to_numpy(zero_copy_only=False)
    beside = threads.repeat(named.value_lengths().to_numpy(zero_copy_only=False))
    return Context.joined([context, Context(named=pairs(beside, named.flatten().to_numpy(zero_copy_only=False)))])


def governed(rows: pa.RecordBatch, accounts: Sequence[str], context: Context) -> tuple[pa.RecordBatch, Context]:
    """Rows once some people objected, as an import decides them: when it is known who is named in full."""
    under_these = under(accounts)
    context = told(govern(rows, under_these, None), context)
    answer = govern(rows, under_these, context)
    return answer.kept, told(answer, context)


@settings(max_examples=settings().max_examples // 2)
@given(
    said=st.lists(texts, min_size=8, max_size=8),
    objectors=st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=4, unique=True),
    there=st.sets(st.sampled_from(PEOPLE)),
    language=st.sampled_from(("en", "de", None)),
)
@example(
    said=["starfishy Brennick said so"], objectors=["forum:starfishy", "forum:lbrenn"], there=set(PEOPLE), language="en"
)
@example(said=["Robert Quillon Miller said so"], objectors=["forum:Quillon", "forum:rmill"], there=set(), language="en")
@example(
    said=["Anna Kowalska Miller said so"], objectors=["forum:annie_k", "forum:rmill"], there=set(PEOPLE), language="en"
)
def test_one_objection_after_another_leaves_what_all_at_once_leave(
    said: list[str], objectors: list[str], there: set[str], language: str | None
) -> None:
    rows = batch(
        item(str(n), STRANGER, text, thread=f"forum:t{n}", language=language) for n, text in enumerate(said, 1)
    )
    context = known(rows, sorted(there))
    at_once, _ = governed(rows, objectors, context)
    for number in range(len(objectors)):
        rows, context = governed(rows, objectors[: number + 1], context)
    for one, other in zip(rows.to_pylist(), at_once.to_pylist(), strict=True):
        assert (one["text"], one["spans"]) == (other["text"], other["spans"])


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Any]:
    """One reading of an item, perhaps with a quote that begins or ends beside a name."""
    number, text = draw(st.integers(1, 6)), draw(texts)
    edges = [0, *(at for at, sign in enumerate(text) if sign in " -"), len(text)]
    quote = draw(st.tuples(st.sampled_from(edges), st.sampled_from(edges)))
    quoted = draw(st.booleans()) and quote[0] < quote[1]
    author = draw(st.sampled_from((STRANGER, *PEOPLE)))
    spans = [span(*quote, "quote", draw(st.sampled_from((None, STRANGER))))] if quoted else []
    return item(str(number), author, text, thread="forum:1", language="en", spans=spans)


events = st.lists(
    st.one_of(
        st.tuples(st.just("import_"), st.lists(readings(), min_size=1, max_size=4)),
        st.tuples(st.just("object"), st.sampled_from(PEOPLE)),
    ),
    min_size=2,
    max_size=6,
)
TOUCHING: Final[list[tuple[str, Any]]] = [
    ("import_", [item("1", STRANGER, "starfishy Brennick said so", thread="forum:1", language="en")]),
    ("import_", [item("2", "forum:lbrenn", "one", thread="forum:1")]),
    ("object", "forum:starfishy"),
    ("object", "forum:lbrenn"),
]


NAMED_BESIDE: Final[list[tuple[str, Any]]] = [
    ("import_", [item("1", STRANGER, "zyl, hello", thread="forum:1", language="en")]),
    ("import_", [item("2", STRANGER, "met Timo Zylka-Roth and", thread="forum:1", language="en")]),
    ("object", "forum:zyl"),
]
"""A short handle names its bearer where their full name stands in the thread, and that is known once they object."""


def play(forum: Forum, happening: list[tuple[str, Any]], objected: list[str]) -> list[str]:
    """What happens to a forum, whoever objected already; who objected then."""
    for kind, what in happening:
        if kind == "import_" or what not in objected:
            forum.happen(kind, what)
            objected = objected if kind == "import_" else [*objected, what]
    return objected


def fresh_items(happening: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same, with items that were never read before: what an earlier reading told masks until all are read again."""
    found: list[tuple[str, Any]] = []
    number = 100
    for kind, what in happening:
        if kind == "import_":
            what = [each | {"item": f"forum:{number + place}"} for place, each in enumerate(what)]  # noqa: PLW2901
            number += len(what)
        found.append((kind, what))
    return found


@settings(deadline=None, max_examples=max(2, settings().max_examples // 20))
@given(before=events, back=st.integers(0, 3), after=events)
@example(before=[], back=0, after=TOUCHING)
@example(before=[], back=0, after=NAMED_BESIDE)
def test_the_corpus_is_what_one_import_builds(
    before: list[tuple[str, Any]], back: int, after: list[tuple[str, Any]]
) -> None:
    """Some withdraw, and what that allows again returns with the next import; then more is read, and more object."""
    forum, fresh = Forum(NAMES, members=True), Forum(NAMES, members=True)
    try:
        objected = play(forum, before, [])
        for account in objected[:back]:
            forum.withdraw(account)
        again = [("import_", list(forum.last.values()))] * 2 if forum.last else []
        objected = play(forum, [*again, *fresh_items(after)], objected[back:])
        for account in objected:
            fresh.object(account)
        if forum.last:
            fresh.import_(list(forum.last.values()))
        assert forum.said() == fresh.said()
    finally:
        forum.close()
        fresh.close()
