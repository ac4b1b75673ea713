"""Law 2 for names, threads and copies: the corpus follows what is known of people's words, in any order.

A small forum of members with names, who write in threads, greet, sign, name and copy each other, is played against a
real workspace: imports, objections that come and go, members who come late, links. After every step each row must be
what the kernel makes of it when *every* row is governed again, with everything that is known of threads, names and
fingerprints: the corpus looks at the rows it finds through its indexes alone, the model at all of them. And two
workspaces that meet the same events in another order hold the same rows once every source was read again.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from forums import Forum
from hypothesis import example, given, settings
from hypothesis import strategies as st
from making import NOW, item, span

from demur.corpus.datasets import postings
from demur.corpus.honour import honour
from demur.versions.leave import verify
from demur.versions.publish import publish

pytestmark = pytest.mark.law


@pytest.fixture(scope="module", autouse=True)
def found_by_postings() -> Iterator[None]:
    """Rows are looked up in postings, which only large fragments have otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "LEAST_ROWS", 1)
        patch.setattr(postings, "_COMMON", 4)
        yield


NAMES: Final = {
    "forum:annie_k": ["Anna Kowalska"],
    "forum:rmiller": ["Robert Miller", "Bob Miller"],
    "forum:steele77": ["Cyd Steele"],
    "forum:anna_s": ["Anna Sommer"],
}
PEOPLE: Final = (*NAMES, "forum:nobody_in_particular")
SAYINGS: Final = {
    who: f"the {fruit} in my garden want water every evening and shade at noon or they dry out long before autumn"
    for who, fruit in zip(PEOPLE, ("tomatoes", "pears", "plums", "beans", "leeks"), strict=True)
}
"""What each of them likes to say: enough words for a copy, and nobody else's."""
WORDS: Final = (
    *(
        "Hi Anna,",
        "Thanks Bob!",
        "Anna Kowalska",
        "Kowalska",
        "Robert Miller",
        "Miller",
        "Cyd",
        "steele77",
        "Anna Sommer",
    ),
    *(
        "I met",
        "said so.",
        "and",
        "yesterday",
        "the rose",
        "@rmiller",
        "-- Anna",
        "-- Bob",
        "ask",
        "annie_k",
        "A. Kowalska",
    ),
)
THREADS: Final = ("forum:1", "forum:2")

texts = st.lists(st.sampled_from((*WORDS, *SAYINGS.values())), min_size=1, max_size=5)


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Any]:
    """One reading of an item: whoever writes, in a thread or answering in one, perhaps a quote, perhaps gone."""
    number = draw(st.integers(1, 8))
    text = "\n".join(draw(texts)) if draw(st.booleans()) else " ".join(draw(texts))
    quoted = draw(st.integers(0, 4)) == 0
    return item(
        str(number),
        draw(st.sampled_from(PEOPLE)),
        text,
        thread=draw(st.sampled_from((*THREADS, None))),
        parent=draw(st.sampled_from((None, *(f"forum:{other}" for other in range(1, number))))),
        language=draw(st.sampled_from(("en", "pl", None))),
        deleted=draw(st.integers(0, 9)) == 0,
        spans=[span(0, min(len(text), 12), "quote", draw(st.sampled_from((None, *PEOPLE))))] if quoted else [],
    )


Event = tuple[str, Any]
imports = st.tuples(st.just("import"), st.lists(readings(), min_size=1, max_size=4))
objections = st.tuples(st.just("object"), st.sampled_from(PEOPLE))
others = st.one_of(
    st.tuples(st.just("members"), st.sampled_from(sorted(NAMES))),
    st.tuples(st.just("link"), st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))),
)
events = st.lists(st.one_of(imports, imports, objections, others), min_size=3, max_size=8)


def wrote(number: int, author: str, text: str, thread: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # an item's
    return item(str(number), f"forum:{author}", text, thread=f"forum:{thread}", **fields)


ANNAS: Final[list[Event]] = [
    *(("members", f"forum:{who}") for who in ("annie_k", "anna_s")),
    ("import", [wrote(1, "annie_k", "one"), wrote(2, "anna_s", "two"), wrote(3, "rmiller", "Thanks Anna!")]),
    ("object", "forum:annie_k"),
]
"""Whoever is thanked may be either of two, while both take part."""
LEAVING: Final[list[Event]] = [*ANNAS, ("import", [wrote(2, "anna_s", "two", deleted=True)])]
REPLACED: Final[list[Event]] = [*ANNAS, ("import", [wrote(2, "steele77", "two")])]
SIGNING: Final[list[Event]] = [
    ("object", "forum:steele77"),
    ("import", [wrote(1, "steele77", "one"), wrote(3, "rmiller", "Thanks Bobby!")]),
    ("import", [wrote(5, "steele77", "I met somebody\n-- Bobby", 2)]),
]
"""Signed in one thread, thanked in another."""
CALLED: Final[list[Event]] = [
    ("object", "forum:steele77"),
    (
        "import",
        [
            wrote(1, "steele77", "one"),
            *(wrote(n, who, "Hi Bobby, yes", parent="forum:1") for n, who in ((2, "rmiller"), (3, "anna_s"))),
        ],
    ),
    ("import", [wrote(11, "steele77", "one", 2), wrote(12, "rmiller", "Thanks Bobby!", 2)]),
]
"""What others call somebody in one thread tells nothing of another, whichever rows are asked about together."""
_SAID: Final = SAYINGS["forum:rmiller"]
STOCK: Final[list[Event]] = [
    (
        "import",
        [
            wrote(1, "rmiller", _SAID),
            *(wrote(n, who, f"{_SAID}, yes", n) for n, who in enumerate(("annie_k", "anna_s", "steele77"), 2)),
        ],
    ),
    ("object", "forum:rmiller"),
    ("import", [wrote(4, "steele77", "nothing", 4)]),
]
"""Three others write the same, until one of them does not any more."""


@settings(deadline=None, max_examples=max(3, settings().max_examples // 16))
@given(happening=events)
@example(happening=LEAVING)
@example(happening=REPLACED)
@example(happening=SIGNING)
@example(happening=CALLED)
@example(happening=STOCK)
def test_no_row_is_missed(happening: list[Event]) -> None:
    forum = Forum(NAMES)
    try:
        for kind, what in happening:
            forum.happen("import_" if kind == "import" else kind, what)
            assert forum.held() == forum.governed_again()
    finally:
        forum.close()


@settings(deadline=None, max_examples=max(2, settings().max_examples // 25))
@given(happening=events, data=st.data())
def test_order_does_not_matter(happening: list[Event], data: st.DataObject) -> None:
    """Imports of the same item keep their order: its last reading is another one otherwise."""
    imported = [each for each in happening if each[0] == "import"]
    shuffled = data.draw(st.permutations(happening))
    in_order = iter(imported)
    again = [next(in_order) if each[0] == "import" else each for each in shuffled]
    held = []
    for order in (happening, again):
        forum = Forum(NAMES)
        try:
            for kind, what in order:
                forum.happen("import_" if kind == "import" else kind, what)
            for _ in range(2):
                forum.import_(list(forum.last.values()))
            held.append(forum.said())
        finally:
            forum.close()
    assert held[0] == held[1]


@settings(deadline=None, max_examples=max(2, settings().max_examples // 25))
@given(happening=events, later=st.sampled_from(PEOPLE))
def test_a_version_is_recalled_for_what_an_objection_changes(happening: list[Event], later: str) -> None:
    """What is published holds; and what its holders must remove is known before the objection is honoured."""
    forum = Forum(NAMES)
    try:
        for kind, what in happening:
            forum.happen("import_" if kind == "import" else kind, what)
        publish(forum.workspace, "v", now=NOW)
        for current in (False, True):
            findings = verify(forum.workspace, "v", current=current, now=NOW)
            assert findings.ok, list(findings.lines())
        before = forum.held()
        with forum.workspace.register() as register:
            register.objections.lodge([later], channel="form", now=NOW)
        recalled = forum.recalled("v")
        stale = not verify(forum.workspace, "v", current=True, now=NOW).ok
        honour(forum.workspace, now=NOW)
        after = forum.held()
        assert recalled == {item for item, row in before.items() if after.get(item) != row}
        assert forum.recalled("v") == recalled
        assert stale == bool(recalled)
    finally:
        forum.close()


@settings(deadline=None, max_examples=max(2, settings().max_examples // 25))
@given(before=events, after=events)
@example(before=ANNAS, after=LEAVING[-1:])
@example(before=ANNAS, after=REPLACED[-1:])
@example(before=SIGNING[:-1], after=SIGNING[-1:])
@example(before=STOCK[:-1], after=STOCK[-1:])
@example(before=[("import", [wrote(2, "anna_s", _SAID)]), ("object", "forum:rmiller")], after=STOCK[:1])
def test_a_version_is_recalled_for_what_imports_tell(before: list[Event], after: list[Event]) -> None:
    """Whatever happens after it: the rows that may not stay are those that change when all of them are read anew."""
    forum = Forum(NAMES)
    try:
        for kind, what in before:
            forum.happen("import_" if kind == "import" else kind, what)
        publish(forum.workspace, "v", now=NOW)
        published = forum.held()
        for kind, what in after:
            forum.happen("import_" if kind == "import" else kind, what)
            now = forum.governed_again("v")
            assert forum.recalled("v") == {item for item, row in published.items() if now.get(item) != row}
    finally:
        forum.close()
