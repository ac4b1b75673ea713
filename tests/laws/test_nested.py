"""Law 2 where spans nest, cross and cover nothing: one outcome, whatever the order in which people objected.

Small communities write items whose quotes, mentions, tags and reshares stand inside, across and over each other, over
nothing and over blanks. What happens to each (imports, objections, links, withdrawals, edits of the policy, honouring)
comes in three orders. After every step of each, all rows must be what an oracle in plain Python makes of their last
readings (:mod:`withholding`); where nothing was allowed again, the three orders must end alike. Many communities of
strangers live under one policy at a time, in one corpus, so that thousands take minutes.
"""

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from making import NOW, PEPPER, batch, item, open_policy, rules, span
from withholding import Left, left_of, row_of

from demur import workspace as workspaces
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.regoverning import regoverned
from demur.corpus.session import reading as read_session
from demur.corpus.threads import unknown_threads
from demur.identity import Pepper
from demur.kernel.govern import govern
from demur.policy import Identifiers, Others, Policy, write_policy

pytestmark = pytest.mark.law

RAM: Final = Path("/dev/shm")
ROLES: Final = ("mention", "mention", "quote", "quote", "tag", "reshare")
OTHERS: Final = ("mentions", "quotes")
KINDS: Final = ("handles", "profile_urls", "mail")
STRICT: Final = dict.fromkeys(OTHERS, "drop") | dict.fromkeys(KINDS, "replace")
LOOSE: Final = dict.fromkeys(OTHERS, "mask") | dict.fromkeys(KINDS, "keep")

Event = tuple[Any, ...]
Row = tuple[Any, ...]


class Community:
    """A few people, and what they write; ``name``, of letters, tells them from others'."""

    def __init__(self, random: Random, name: str) -> None:
        self._random = random
        self._name = name
        self._users = [f"forum:{who}{name}" for who in ("ann", "bob", "cyd", "dag")]
        self._people = [*self._users, f"mail:dag{name}@mail.example"]

    def events(self, *, tightens: bool) -> list[Event]:
        """What happens to it, in no order; where it ``tightens``, nothing is allowed again."""
        chance, events = self._random.random, list[Event]()
        for number in range(self._random.randint(1, 3)):
            first = self._reading(number)
            events.append(("import", first))
            if chance() < 0.5:
                events.append(("import", first if tightens else self._reading(number)))
        objectors = self._random.sample(self._people, self._random.randint(1, 4))
        events += [("object", account) for account in objectors]
        if chance() < 0.3:
            events.append(("link", *self._random.sample(self._people, 2)))
        if chance() < 0.5 and not tightens:
            events.append(("withdraw", self._random.choice(objectors)))
        return events

    def _reading(self, number: int) -> dict[str, Any]:
        """Words, and spans whose edges are words', other spans' or any."""
        pick, name = self._random.choice, self._name
        words = ["hello", "«é»", "see 🙂", "[person]", "[quote]", "[phone]", f"dag{name}@mail.example"]
        words += [f"@bob{name}", f"@ann{name}", "and/or", "a", "  "]
        parts = [pick(words) for _ in range(self._random.randint(0, 4))]
        text = " ".join(parts) if any(part.strip() for part in parts) else pick(["", " \n", "abcdefghij"])
        edges = [0, *(len(" ".join(parts[: n + 1])) + gap for n in range(len(parts)) for gap in (0, 1))]
        spans: list[dict[str, Any]] = []
        for role in (pick(ROLES) for _ in range(self._random.randint(0, 5))):
            if role == "reshare" and self._random.random() < 0.8:
                continue
            first, last = sorted(pick([*edges, self._random.randint(0, len(text) + 1)]) for _ in range(2))
            if spans and self._random.random() < 0.5:  # over the same place as another
                first, last = spans[-1]["start"], spans[-1]["end"]
            spans.append(span(first, last, role, pick([*self._people, *self._people, None])))
        media = [
            {"uri": "a.jpg", "type": "image/jpeg", "alt": pick([None, f"@cyd{name}"]), "tagged": [pick(self._people)]}
            for _ in range(pick([0, 0, 1, 2]))
        ]
        return item(f"forum:{name}{number}", pick(self._users), text, spans=spans, media=media)


@dataclass(frozen=True)
class Story:
    """What happens to communities under one policy, and in which orders."""

    policy: dict[str, str]
    orders: list[list[list[Event]]]
    """Each a list of steps, of events that happen together."""
    tightens: bool
    """Whether nothing is ever allowed again, and each item has but one reading."""


def story(random: Random, communities: int) -> Story:
    """Three orders of the same events; edits of the policy and honouring concern all communities at once."""
    tightens = random.random() < 0.5
    theirs = [Community(random, _letters(n)).events(tightens=tightens) for n in range(communities)]
    common: list[Event] = [("honour",)] * random.randint(0, 4)
    for name in random.sample(sorted(STRICT), random.randint(0, 3)):
        common.append(("policy", name, STRICT[name]))
        if not tightens and random.random() < 0.5:
            common.append(("policy", name, LOOSE[name]))
    orders = []
    for _ in range(3):
        queues = [random.sample(events, len(events)) for events in theirs]
        steps = [[event for event in step if event] for step in zip_longest(*queues)]
        for event in random.sample(common, len(common)):
            steps.insert(random.randint(0, len(steps)), [event])
        orders.append([*steps, [("honour",)]])
    policy = {name: random.choice((STRICT[name], LOOSE[name])) for name in STRICT}
    return Story(policy, orders, tightens)


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + digit) for digit in (number // 26, number % 26))


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
            others=Others.model_validate({name: self.policy[name] for name in OTHERS}),
            identifiers=Identifiers.model_validate({name: self.policy[name] for name in KINDS}),
        )


class Since:
    """A last reading, and all that was forbidden since."""

    def __init__(self, reading: dict[str, Any]) -> None:
        self._reading = reading
        self._withheld: set[str] = set()
        self._replaced: set[str] = set()
        self._left: Left | None = None
        self.gone = False

    def forbid(self, law: Law) -> None:
        before = len(self._withheld) + len(self._replaced)
        self._withheld |= law.withheld()
        self._replaced |= law.replaced()
        if self._left is None or len(self._withheld) + len(self._replaced) > before:
            self._left = left_of(self._reading, self._withheld, self._replaced)
        self.gone |= self._reading["author"] in self._withheld or self._left.reason(law.policy) is not None

    def row(self, pepper: Pepper) -> Row:
        assert self._left is not None
        return self._left.row(pepper)


def lived(policy: Mapping[str, str], steps: Iterable[list[Event]], corpus: Corpus) -> dict[bytes, Row]:
    """What a corpus holds in the end; it must be as the oracle says after each step that changes it."""
    law, since = Law(dict(policy)), dict[str, Since]()
    for step in steps:
        for event in step:
            law.happen(event)
            corpus.happen(event, law)
        read = [event[1] for event in step if event[0] == "import"]
        if read:
            corpus.read(read, law)
            since |= {reading["item"]: Since(reading) for reading in read}
            for reading in read:
                since[reading["item"]].forbid(law)
        if ("honour",) in step:
            corpus.honour(law)
            for each in since.values():
                each.forbid(law)
        if read or ("honour",) in step:
            _compare(corpus, since)
    return corpus.rows()


def _compare(corpus: Corpus, since: Mapping[str, Since]) -> None:
    found = corpus.rows()
    for name, each in since.items():
        expected = None if each.gone else each.row(corpus.pepper)
        assert found.pop(corpus.pepper.item_key(name), None) == expected, vars(each)
    assert not found


class Kernel:
    """Rows in memory, governed as import and honouring govern them; ``alone`` puts each into a batch of its own."""

    pepper = PEPPER

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone
        self._rows: dict[bytes, dict[str, Any]] = {}
        self._withheld: set[str] = set()
        self._changed: set[str] = set()
        self._policy: Policy | None = None
        self._edited = False
        """Whether the policy was another one since it was honoured: whatever works under a policy notes it."""

    def happen(self, event: Event, law: Law) -> None:  # noqa: ARG002  # the law tells
        """Notes whom it concerns; nothing is done before it is honoured."""
        self._changed |= self._withheld ^ law.withheld()
        self._withheld = law.withheld()

    def read(self, items: Sequence[Mapping[str, Any]], law: Law) -> None:
        self._note(law)
        for part in [[each] for each in items] if self._alone else [items]:
            for each in part:
                self._rows.pop(PEPPER.item_key(str(each["item"])), None)
            self._rows |= {row["item"]: row for row in govern(batch(part), self._rules(law)).kept.to_pylist()}

    def honour(self, law: Law) -> None:
        self._note(law)
        changed = set(PEPPER.subject_keys(sorted(self._changed)).tolist())
        rows = [r for r in self._rows.values() if self._edited or changed.intersection((r["author"], *r["subjects"]))]
        self._changed, self._edited = set(), False
        for part in [[row] for row in rows] if self._alone else [rows]:
            self._again(part, law)

    def _note(self, law: Law) -> None:
        policy = law.as_policy()
        self._edited |= policy != self._policy
        self._policy = policy

    def _again(self, rows: list[dict[str, Any]], law: Law) -> None:
        stored = pa.RecordBatch.from_pylist(rows, schema=govern(batch([]), self._rules(law)).kept.schema)
        addressed = stored.append_column(ADDRESS, pa.array(np.arange(len(rows)), pa.uint64()))
        for part in regoverned([addressed], self._rules(law), unknown_threads(self._rules(law))):
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
                    self._references[account] = register.objections.lodge(
                        [account], channel="letter", now=NOW
                    ).reference
                case ("withdraw", account) if account in self._references:
                    register.objections.withdraw(self._references.pop(account), now=NOW)
                case ("link", one, other) if one != other:
                    register.members.link(one, other, now=NOW)
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


EXAMPLES: Final = settings().max_examples
TOGETHER: Final = 50
UNSHRUNK: Final = (Phase.explicit, Phase.reuse, Phase.generate)  # of seeds, none is simpler than another


@settings(max_examples=max(EXAMPLES // TOGETHER, 2), phases=UNSHRUNK)
@given(st.integers(0, 2**32))
def test_every_order_ends_as_if_all_had_been_withheld_at_once(seed: int) -> None:
    told = story(Random(seed), TOGETHER)
    ends = [lived(told.policy, order, Kernel(alone=False)) for order in told.orders]
    assert all(end == ends[0] for end in ends) or not told.tightens


@settings(max_examples=min(EXAMPLES // 4, 500))
@given(st.randoms(use_true_random=False))
def test_an_item_by_itself_ends_as_it_does_among_others(random: Random) -> None:
    told = story(random, 1)
    ends = [lived(told.policy, order, Kernel(alone=True)) for order in told.orders]
    assert all(end == ends[0] for end in ends) or not told.tightens


@settings(max_examples=max(EXAMPLES // 500, 1), phases=UNSHRUNK)
@given(st.integers(0, 2**32))
def test_a_workspace_keeps_what_the_rules_leave(seed: int) -> None:
    told, ends = story(Random(seed), TOGETHER // 10), []
    for order in told.orders:
        with tempfile.TemporaryDirectory(prefix="demur-law-", dir=RAM if RAM.is_dir() else None) as folder:
            steps = [part for step in order for part in _as_an_import_honours(step)]
            ends.append(lived(told.policy, steps, Stored(Path(folder), Law(dict(told.policy)).as_policy())))
    assert all(end == ends[0] for end in ends) or not told.tightens


def _as_an_import_honours(step: list[Event]) -> list[list[Event]]:
    """An import honours what happened before it."""
    read = [event for event in step if event[0] == "import"]
    return [[event for event in step if event not in read], [("honour",)], read] if read else [step]
