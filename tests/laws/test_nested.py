"""Law 2 where spans nest, cross and cover nothing: one outcome, whatever the order in which people objected.

Small communities write items whose quotes, mentions, tags and reshares stand inside, across and over each other, over
nothing and over blanks. What happens to each (imports, objections, links, withdrawals, edits of the policy, honouring)
comes in three orders. After every step of each, all rows must be what an oracle in plain Python makes of their last
readings (:mod:`withholding`); where nothing was allowed again, the three orders must end alike.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import NOW, PEPPER, batch, item, open_policy, rules, span
from withholding import left_of, row_of

from demur import workspace as workspaces
from demur.corpus.honour import honour, regoverned
from demur.corpus.importing import import_items
from demur.corpus.kernel import govern
from demur.corpus.session import reading as read_session
from demur.corpus.store import ADDRESS
from demur.identity import Pepper
from demur.policy import Identifiers, Others, Policy, write_policy

pytestmark = pytest.mark.law

RAM: Final = Path("/dev/shm")
PEOPLE: Final = ("forum:ann", "forum:bob", "forum:cyd", "forum:dag", "mail:dag@mail.example")
OTHERS: Final = ("mentions", "quotes")
KINDS: Final = ("handles", "profile_urls", "mail")
STRICT: Final = dict.fromkeys(OTHERS, "drop") | dict.fromkeys(KINDS, "replace")
LOOSE: Final = dict.fromkeys(OTHERS, "mask") | dict.fromkeys(KINDS, "keep")

Event = tuple[Any, ...]
Row = tuple[Any, ...]

accounts = st.sampled_from(PEOPLE)
words = st.sampled_from(
    (
        "hello",
        "«é»",
        "see 🙂",
        "[person]",
        "[quote]",
        "[phone]",
        "dag@mail.example",
        "@bob",
        "@ann",
        "and/or",
        "a",
        "  ",
    )
)
roles = st.sampled_from(("mention", "mention", "quote", "quote", "tag", "reshare"))


@st.composite
def readings(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """One reading: words, and spans whose edges are words', other spans' or any."""
    parts = draw(st.lists(words, min_size=0, max_size=4))
    text = " ".join(parts) if any(part.strip() for part in parts) else draw(st.sampled_from(("", " \n", "abcdefghij")))
    edges = [0, *(len(" ".join(parts[: n + 1])) + n_extra for n in range(len(parts)) for n_extra in (0, 1))]
    places = st.one_of(st.sampled_from(edges), st.integers(0, len(text) + 1))
    spans: list[dict[str, Any]] = []
    for role in draw(st.lists(roles, max_size=5)):
        if role == "reshare" and draw(st.integers(0, 4)):
            continue
        first, last = sorted((draw(places), draw(places)))
        if spans and draw(st.booleans()):  # over the same place as another
            first, last = spans[-1]["start"], spans[-1]["end"]
        spans.append(span(first, last, role, draw(st.one_of(accounts, accounts, accounts, st.none()))))
    media = [
        {"uri": "a.jpg", "type": "image/jpeg", "alt": draw(st.sampled_from((None, "@cyd"))), "tagged": [draw(accounts)]}
        for _ in range(draw(st.sampled_from((0, 0, 1, 2))))
    ]
    return item(name, draw(st.sampled_from(PEOPLE[:4])), text, spans=spans, media=media)


@dataclass(frozen=True)
class Story:
    """A community, and the orders in which things happen to it."""

    policy: dict[str, str]
    orders: list[list[Event]]
    tightens: bool
    """Whether nothing is ever allowed again, and each item has but one reading."""


@st.composite
def stories(draw: st.DrawFn) -> Story:
    tightens = draw(st.booleans())
    events: list[Event] = []
    for number in range(draw(st.integers(1, 3))):
        first = draw(readings(str(number)))
        events.append(("import", first))
        if draw(st.booleans()):
            events.append(("import", first if tightens else draw(readings(str(number)))))
    objectors = draw(st.lists(accounts, min_size=1, max_size=4, unique=True))
    events += [("object", account) for account in objectors]
    if draw(st.booleans()):
        events.append(("link", draw(accounts), draw(accounts)))
    for name in draw(st.lists(st.sampled_from(tuple(STRICT)), max_size=3, unique=True)):
        events.append(("policy", name, STRICT[name]))
        if not tightens and draw(st.booleans()):
            events.append(("policy", name, LOOSE[name]))
    if not tightens and draw(st.booleans()):
        events.append(("withdraw", draw(st.sampled_from(objectors))))
    events += [("honour",)] * draw(st.integers(0, 4))
    policy = {name: draw(st.sampled_from((STRICT[name], LOOSE[name]))) for name in STRICT}
    orders = [[*draw(st.permutations(events)), ("honour",)] for _ in range(3)]
    return Story(policy, orders, tightens)


class Corpus(Protocol):
    """Where the items are; what the oracle is compared with."""

    pepper: Pepper

    def read(self, items: Sequence[Mapping[str, Any]], law: "Law") -> None: ...
    def happen(self, event: Event, law: "Law") -> None: ...
    def honour(self, law: "Law") -> None: ...
    def rows(self) -> dict[bytes, Row]: ...


@dataclass
class Law:
    """What is in force now."""

    policy: dict[str, str]
    objected: set[str] = field(default_factory=set)
    links: list[tuple[str, str]] = field(default_factory=list)

    def happen(self, event: Event) -> None:
        match event:
            case ("object", account):
                self.objected.add(account)
            case ("withdraw", account):
                self.objected.discard(account)
            case ("link", one, other):
                self.links.append((one, other))
            case ("policy", name, value):
                self.policy[name] = value

    def withheld(self) -> set[str]:
        found = set(self.objected)
        while more := {who for link in self.links if found.intersection(link) for who in link} - found:
            found |= more
        return found

    def replaced(self) -> set[str]:
        return {name for name in KINDS if self.policy[name] == "replace"}

    def as_policy(self) -> Policy:
        return open_policy(
            others=Others(**{name: self.policy[name] for name in OTHERS}),
            identifiers=Identifiers(**{name: self.policy[name] for name in KINDS}),
        )


@dataclass
class Since:
    """A last reading, and all that was forbidden since."""

    reading: dict[str, Any]
    withheld: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    gone: bool = False

    def forbid(self, law: Law) -> None:
        self.withheld |= law.withheld()
        self.replaced |= law.replaced()
        left = left_of(self.reading, self.withheld, self.replaced)
        self.gone |= self.reading["author"] in self.withheld or left.reason(law.policy) is not None

    def row(self, pepper: Pepper) -> Row:
        return left_of(self.reading, self.withheld, self.replaced).row(pepper)


def lived(policy: Mapping[str, str], events: Iterable[Event], corpus: Corpus) -> dict[bytes, Row]:
    """What a corpus holds in the end; it must be as the oracle says after each step that changes it."""
    law, since = Law(dict(policy)), dict[str, Since]()
    for event in events:
        law.happen(event)
        corpus.happen(event, law)
        if event[0] == "import":
            corpus.read([event[1]], law)
            since[event[1]["item"]] = Since(event[1])
            since[event[1]["item"]].forbid(law)
        elif event[0] == "honour":
            corpus.honour(law)
            for each in since.values():
                each.forbid(law)
        else:
            continue
        expected = {
            corpus.pepper.item_key(name): each.row(corpus.pepper) for name, each in since.items() if not each.gone
        }
        assert corpus.rows() == expected
    return corpus.rows()


class Kernel:
    """Rows in memory, governed as import and honouring govern them; ``alone`` puts each into a batch of its own."""

    pepper = PEPPER

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._rows: dict[bytes, dict[str, Any]] = {}
        self._honoured: set[str] = set()
        self._policy: Policy | None = None

    def happen(self, event: Event, law: Law) -> None:
        """Nothing is done before it is honoured."""

    def read(self, items: Sequence[Mapping[str, Any]], law: Law) -> None:
        bystander = item("bystander", "forum:eve", "«@cyd» [quote] @eve", spans=[span(0, 9, "quote", "forum:dag")])
        answer = govern(batch(items if self._alone else [bystander, *items, bystander]), self._rules(law))
        for each in items:
            self._rows.pop(PEPPER.item_key(str(each["item"])), None)
        theirs = {PEPPER.item_key(str(each["item"])) for each in items}
        self._rows |= {row["item"]: row for row in answer.kept.to_pylist() if row["item"] in theirs}

    def honour(self, law: Law) -> None:
        withheld, policy = law.withheld(), law.as_policy()
        changed = set(PEPPER.subject_keys(sorted(withheld ^ self._honoured)).tolist())
        edited = policy != self._policy
        rows = [r for r in self._rows.values() if edited or changed.intersection((r["author"], *r["subjects"]))]
        self._honoured, self._policy = withheld, policy
        for part in [[row] for row in rows] if self._alone else [rows]:
            self._again(part, law)

    def _again(self, rows: list[dict[str, Any]], law: Law) -> None:
        stored = pa.RecordBatch.from_pylist(rows, schema=govern(batch([]), self._rules(law)).kept.schema)
        addressed = stored.append_column(ADDRESS, pa.array(np.arange(len(rows)), pa.uint64()))
        for part in regoverned(iter([addressed]), self._rules(law)):
            for row, gone in zip(rows, part.left_out.tolist(), strict=True):
                if gone:
                    del self._rows[row["item"]]
            self._rows |= {row["item"]: row for row in part.answer.kept.to_pylist()}

    def rows(self) -> dict[bytes, Row]:
        return {key: _sorted(row) for key, row in self._rows.items()}

    def _rules(self, law: Law) -> Any:  # noqa: ANN401  # Rules
        return rules(law.as_policy(), law.withheld())


class Stored:
    """A real workspace."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        self._workspace = workspaces.Workspace(Path(shutil.copytree(_template(), folder / "w")))
        write_policy(policy, self._workspace.policy_path)
        self.pepper = self._workspace.keys().pepper
        self._references: dict[str, str] = {}

    def happen(self, event: Event, law: Law) -> None:
        with self._workspace.register() as register:
            match event:
                case ("object", account):
                    self._references[account] = register.lodge([account], channel="letter", now=NOW).reference
                case ("withdraw", account) if account in self._references:
                    register.withdraw(self._references.pop(account), now=NOW)
                case ("link", one, other) if one != other:
                    register.link(one, other, now=NOW)
                case ("policy", *_):
                    write_policy(law.as_policy(), self._workspace.policy_path)

    def read(self, items: Sequence[Mapping[str, Any]], law: Law) -> None:  # noqa: ARG002  # the workspace has it
        import_items(self._workspace, "table", [batch(items)], now=NOW)

    def honour(self, law: Law) -> None:  # noqa: ARG002  # the same
        honour(self._workspace, now=NOW)

    def rows(self) -> dict[bytes, Row]:
        with read_session(self._workspace, NOW) as session:
            return {row["item"]: _sorted(row) for part in session.corpus.batches() for row in part.to_pylist()}


def _sorted(stored: Mapping[str, Any]) -> Row:
    text, spans, *rest = row_of(stored)
    assert len(set(spans)) == len(spans)
    return text, sorted(spans), *rest


@cache
def _template() -> Path:
    """A fresh workspace, copied for every story: migrations take longer than an import."""
    root = Path(tempfile.mkdtemp(prefix="demur-law-template-", dir=RAM if RAM.is_dir() else None)) / "w"
    atexit.register(shutil.rmtree, root.parent)
    workspaces.create(root, open_policy())
    return root


@given(stories())
def test_every_order_ends_as_if_all_had_been_withheld_at_once(story: Story) -> None:
    ends = [lived(story.policy, order, Kernel(alone=bool(n % 2))) for n, order in enumerate(story.orders)]
    if story.tightens:
        assert ends[0] == ends[1] == ends[2]


FEW: Final = max(settings().max_examples // 100, 5)  # a story takes seconds in a workspace


@settings(max_examples=FEW)
@given(stories())
def test_a_workspace_keeps_what_the_rules_leave(story: Story) -> None:
    ends = []
    for order in story.orders[: 3 if story.tightens else 1]:
        with tempfile.TemporaryDirectory(prefix="demur-law-", dir=RAM if RAM.is_dir() else None) as folder:
            honoured = [
                each for event in order for each in ((("honour",), event) if event[0] == "import" else (event,))
            ]
            ends.append(lived(story.policy, honoured, Stored(Path(folder), Law(dict(story.policy)).as_policy())))
    assert all(end == ends[0] for end in ends) or not story.tightens
