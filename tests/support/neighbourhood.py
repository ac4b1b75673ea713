"""A small community as a machine of Hypothesis, and what its corpus must be after every step (test_order.py).

Imports, objections, links, members, consents, policy edits, passing days, publishing and maintenance in any order,
against a real workspace. The model is in plain values, and governs each item's last reading afresh.
"""

import atexit
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from chatting import ACCOUNTS, Chat, chats
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.picturing import Shown
from demur.corpus.session import reading
from demur.identity import Pepper
from demur.kernel.door import KEPT
from demur.kernel.govern import govern
from demur.kernel.rules import NEVER, Facts, Known, Rules, compile_rules
from demur.policy import Door, Identifiers, LegalBasis, Notice, Others, Policy, write_policy
from demur.register.members.rows import MEMBER
from demur.suppression.keyset import KeySet
from demur.terms import Basis, Reason
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.worker.maintenance import maintain

RAM = Path("/dev/shm")
PEOPLE = ("forum:ann", "forum:bob", "forum:cyd", "forum:dag")
ITEMS = tuple(f"forum:{number}" for number in range(9))
EPOCH = date(1970, 1, 1)

accounts = st.sampled_from((*PEOPLE, *ACCOUNTS))
neighbours = st.one_of(st.sampled_from(PEOPLE), accounts)
"""Whom the forum's items are by and about: mostly people of the forum."""
words = st.sampled_from(
    ("hello", "«é»", "see 🙂", "[person]", "[quote]", "mail dag@mail.example", "@bob", "@ann:", "ok")
)


edits: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    ({}, {"audience": "followers"}, {"deleted": True}, {"text": "edited @dag", "spans": []})
)


flaws: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    (
        {},
        {"author": None},
        {"kind": "message"},
        {"kind": None},
        {"audience": "followers"},
        {"audience": None},
        {"deleted": None},
        {"deleted": True},
    )
)
"""What keeps an item out, one at a time: with several each, few items come in, and objections find nothing."""


def two_places(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, most), st.integers(0, most))


@st.composite
def readings(draw: st.DrawFn) -> dict[str, Any]:
    """One reading of an item: any author, words, spans of any role anywhere, pictures."""
    text = " ".join(draw(st.lists(words, max_size=5)))
    spans = [
        span(min(places := draw(two_places(len(text)))), max(places), role, draw(neighbours))
        for role in draw(st.lists(st.sampled_from(("mention", "quote", "tag", "reshare")), max_size=3))
        if role != "reshare" or draw(st.integers(0, 3)) == 0
    ]
    media = [
        {
            "uri": f"{n}.jpg",
            "type": "image/jpeg",
            "alt": draw(st.sampled_from((None, "@cyd"))),
            "tagged": [draw(neighbours)],
        }
        for n in range(draw(st.sampled_from((0, 0, 1, 2))))
    ]
    fields = {
        "kind": draw(st.sampled_from(("post", "comment"))),
        "region": draw(st.sampled_from(("NO", None, "US"))),
        "created": draw(st.sampled_from((NOW, None))),
        "spans": spans,
        "media": media,
    }
    flaw: dict[str, Any] = draw(st.one_of(st.just({}), flaws))
    return item(draw(st.sampled_from(ITEMS)), draw(neighbours), text, **fields) | flaw


policy_edits: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda mentions, quotes: {"others": Others(mentions=mentions, quotes=quotes)},
        st.sampled_from(("mask", "drop")),
        st.sampled_from(("mask", "drop")),
    ),
    st.builds(
        lambda handles, mail: {"identifiers": Identifiers(handles=handles, mail=mail)},
        st.sampled_from(("keep", "replace")),
        st.sampled_from(("keep", "replace")),
    ),
    st.sampled_from(({"regions": "any"}, {"regions": ("NO",)})),
    st.sampled_from(({"basis": open_policy().basis}, {"basis": LegalBasis(use=Basis.CONSENT)})),
    st.builds(
        lambda required, days: {"notice": Notice(required=required, period_days=days)},
        st.booleans(),
        st.sampled_from((0, 30)),
    ),
    st.builds(
        lambda age, region, since, audiences: {
            "door": Door(unknown_age=age, unknown_region=region, since=since, audiences=audiences)
        },
        st.sampled_from(("use", "use", "leave-out")),
        st.sampled_from(("use", "leave-out")),
        st.sampled_from((None, date(2026, 1, 1))),
        st.sampled_from((("public",), ("public", "followers"))),
    ),
)
"""One section at a time: a policy that is drawn whole leaves nearly everything out, and shows nothing."""

members = st.fixed_dictionaries(
    {
        "account": accounts,
        "region": st.sampled_from((None, "NO", "US")),
        "birth_year": st.sampled_from((None, 1980, 2008, 2015)),
        "told_on": st.sampled_from((None, NOW.date() - timedelta(days=40), NOW.date())),
        "consented": st.sampled_from((None, True, False)),
    }
)


@dataclass
class Model:
    """What the community did, in plain values; no code of the register or the corpus."""

    policy: Policy
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)
    links: set[frozenset[str]] = field(default_factory=set)
    objections: dict[str, str] = field(default_factory=dict)
    now: datetime = NOW

    def objected(self) -> set[str]:
        """Every account joined by links to one that objected."""
        found = set(self.objections.values())
        while more := {a for link in self.links if link & found for a in link} - found:
            found |= more
        return found


@dataclass
class Since:
    """An item's last reading, and what has been forbidden since then."""

    reading: pa.RecordBatch
    """Of this item alone, with what the source says of its accounts."""
    objected: set[str] = field(default_factory=set)
    minors: set[int] = field(default_factory=set)
    replace: set[str] = field(default_factory=set)
    row: dict[str, Any] | None = None
    gone: bool = False


class Community(RuleBasedStateMachine):
    """See test_order.py."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="demur-law-", dir=RAM if RAM.is_dir() else None)
        self.workspace = workspaces.Workspace(Path(self.folder) / "w")
        shutil.copytree(_template(), self.workspace.root)
        self.pepper = self.workspace.keys().pepper
        self.model = Model(open_policy())
        self.since: dict[str, Since] = {}
        self.versions = 0

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._end_with_everybody_objecting()
        finally:
            shutil.rmtree(self.folder)

    def _end_with_everybody_objecting(self) -> None:
        """One after another, those of whom the corpus holds something: each row is rewritten, by whatever it holds."""
        while there := self._present():
            self._lodge(min(there, key=self.pepper.subject_key), confirm=False)
            self.the_corpus_is_what_a_fresh_one_would_be()

    # what may happen

    @initialize(first=st.lists(readings(), min_size=1, max_size=6), chat=chats)
    def begin(self, first: list[dict[str, Any]], chat: Chat) -> None:
        self.read(first, 3)
        self.read_chat(chat)

    @rule(items=st.lists(readings(), max_size=5), size=st.integers(1, 3))
    def read(self, items: list[dict[str, Any]], size: int) -> None:
        self._import("table", [batch(items[at : at + size]) for at in range(0, len(items), size)])

    @rule(chat=chats)
    def read_chat(self, chat: Chat) -> None:
        self._import(chat.source, chat.read())

    def _import(self, source: str, batches: list[pa.RecordBatch]) -> None:
        report = import_items(self.workspace, source, iter(batches), pictures=self.shown(), now=self.model.now)
        items = [part.slice(row, 1) for part in batches for row in range(len(part))]
        names = [each.column("item")[0].as_py() for each in items]
        self.since.update({name: Since(each) for name, each in zip(names, items, strict=True)})
        self._forbid()
        # Law 5: each reading is counted once, and the ledger has a line for each that was left out.
        assert report.read == len(items) == report.kept + sum(report.left_out.values())
        assert sum(report.kinds.values()) == len(items)
        ledger = pq.read_table(journal.ledger(self.workspace.root, report.number))
        assert len(ledger) == sum(report.left_out.values())
        assert set(ledger.column("reason").to_pylist()) == {str(reason) for reason in report.left_out}
        assert report.left_out.get(Reason.SUPERSEDED, 0) == len(items) - len(set(names))
        assert report.kept == sum(self.since[name].row is not None for name in set(names))

    def shown(self) -> Shown:
        """Where the pictures of an import come from; none come in by this policy (test_pictures.py)."""
        return Shown()

    @precondition(lambda self: self.since)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.since)), min_size=1, max_size=4))
        changes = data.draw(edits)
        self._import("table", [_changed(self.since[name].reading, changes) for name in names])

    @rule(data=st.data(), confirm=st.booleans())
    def object(self, data: st.DataObject, *, confirm: bool) -> None:
        self._lodge(data.draw(self._somebody()), confirm=confirm)

    def _lodge(self, account: str, *, confirm: bool) -> None:
        with self.workspace.register() as register:
            receipt = register.objections.lodge([account], channel="form", now=self.model.now)
            if confirm:
                register.objections.confirm(receipt.reference, now=self.model.now)
        self.model.objections[receipt.reference] = account
        self._honour()

    @precondition(lambda self: self.model.objections)
    @rule(data=st.data(), how=st.sampled_from(("withdraw", "denied")))
    def end_objection(self, data: st.DataObject, how: str) -> None:
        reference = data.draw(st.sampled_from(sorted(self.model.objections)))
        with self.workspace.register() as register:
            if how == "withdraw" or register.objections.get(reference).phase == "confirmed":
                register.objections.withdraw(reference, now=self.model.now)
            else:
                register.objections.lapse(reference, cause="denied", now=self.model.now)
        del self.model.objections[reference]
        self._honour()

    @rule(data=st.data(), second=accounts, join=st.booleans())
    def link(self, data: st.DataObject, second: str, *, join: bool) -> None:
        first = data.draw(self._somebody())
        pair = frozenset((first, second))
        if first == second or (pair in self.model.links) == join:
            return
        with self.workspace.register() as register:
            (register.members.link if join else register.members.unlink)(first, second, now=self.model.now)
        (self.model.links.add if join else self.model.links.discard)(pair)
        self._honour()

    @rule(rows=st.lists(members, min_size=1, max_size=3, unique_by=lambda row: row["account"]))
    def import_members(self, rows: list[dict[str, Any]]) -> None:
        with self.workspace.register() as register:
            register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=self.model.now)
        for row in rows:
            self.model.members[row["account"]] = row
            if row["consented"] is not None:
                self.model.consents[row["account"]] = row["consented"]
        self._honour()

    @rule(account=accounts, given=st.booleans())
    def consent(self, account: str, *, given: bool) -> None:
        with self.workspace.register() as register:
            register.members.consent([account], given=given, now=self.model.now)
        self.model.consents[account] = given
        self._honour()

    @rule(change=policy_edits)
    def edit_policy(self, change: dict[str, Any]) -> None:
        self.model.policy = self.model.policy.model_copy(update=change)
        write_policy(self.model.policy, self.workspace.policy_path)
        self._honour()

    @rule(days=st.sampled_from((1, 30, 400)))
    def pass_days(self, days: int) -> None:
        self.model.now += timedelta(days=days)
        self._forbid()

    @rule()
    def maintain(self) -> None:
        report = maintain(self.workspace, now=self.model.now)
        with self.workspace.register() as register:
            for reference in list(self.model.objections):
                if not register.objections.get(reference).binding:
                    del self.model.objections[reference]
        assert report.lapsed >= 0
        self._forbid()

    @precondition(lambda self: self.model.policy.basis.signed)
    @rule()
    def publish(self) -> None:
        self.versions += 1
        name = f"v{self.versions}"
        manifest = publish(self.workspace, name, now=self.model.now)
        assert manifest.content.rows == sum(since.row is not None for since in self.since.values())
        assert verify(self.workspace, name, now=self.model.now).ok

    # what must hold

    @invariant()
    def the_corpus_is_what_a_fresh_one_would_be(self) -> None:
        with reading(self.workspace, self.model.now) as session:
            found = [row for part in session.corpus.batches() for row in part.to_pylist()]
        expected = {self.pepper.item_key(name): since.row for name, since in self.since.items()}
        assert len({row["item"] for row in found}) == len(found)
        assert {row["item"]: _sliced(row) for row in found} == {
            key: _sliced(row) for key, row in expected.items() if row is not None
        }

    # the model

    def _somebody(self) -> st.SearchStrategy[str]:
        """Anybody, but mostly people whom the corpus still has something of: they have something to lose."""
        return st.one_of(st.sampled_from(there), accounts) if (there := sorted(self._present())) else accounts

    def _present(self) -> set[str]:
        """Who wrote what the corpus holds, or is named, quoted or shown in it, and does not object."""
        kept = [since.reading.to_pylist()[0] for since in self.since.values() if since.row is not None]
        named = {one["account"] for row in kept for one in row["spans"] or []}
        shown = {who for row in kept for one in row["media"] or [] for who in one["tagged"]}
        there = {row["author"] for row in kept} | named | shown
        return {account for account in there if account in {*PEOPLE, *ACCOUNTS}} - self.model.objected()

    def _honour(self) -> None:
        honour(self.workspace, now=self.model.now)
        self._forbid()

    def _forbid(self) -> None:
        """Adds what is forbidden now to what each item may not do since its last reading."""
        for since in self.since.values():
            now = self._rules(self.model.policy, self.model.objected(), set())
            since.objected |= self.model.objected()
            since.minors |= set(now.minors.keys.tolist())
            kinds = ("handles", "mail")
            since.replace |= {kind for kind in kinds if getattr(self.model.policy.identifiers, kind) == "replace"}
            policy = self.model.policy.model_copy(
                update={"identifiers": Identifiers(**{k: "replace" if k in since.replace else "keep" for k in kinds})}
            )
            answer = govern(since.reading, self._rules(policy, since.objected, since.minors))
            since.gone |= int(answer.codes[0]) != KEPT
            since.row = None if since.gone else answer.kept.to_pylist()[0]

    def _rules(self, policy: Policy, objected: set[str], minors: set[int]) -> Rules:
        snapshot = Known(np.sort(self.pepper.subject_keys(sorted(objected))), self._facts())
        rules = compile_rules(policy, self.pepper, snapshot, self.model.now)
        both = KeySet(np.array(sorted(minors), np.int64)).union(rules.minors)
        return Rules(policy, self.pepper, rules.facts, rules.objected, both, rules.today)

    def _facts(self) -> Facts:
        return _facts(self.pepper, self.model.members, self.model.consents)


def _changed(reading: pa.RecordBatch, changes: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([reading.to_pylist()[0] | changes], schema=reading.schema)


def _facts(pepper: Pepper, known: dict[str, dict[str, Any]], consents: dict[str, bool]) -> Facts:
    everyone = sorted(set(known) | set(consents), key=pepper.subject_key)
    rows = [known.get(account, {}) for account in everyone]
    return Facts(
        keys=np.array([pepper.subject_key(account) for account in everyone], np.int64),
        region=np.array([(row.get("region") or "").encode() for row in rows], "S2"),
        birth_year=np.array([row.get("birth_year") or 0 for row in rows], np.int16),
        told_on=np.array([(day - EPOCH).days if (day := row.get("told_on")) else NEVER for row in rows], np.int32),
        consented=np.array([consents.get(account, False) for account in everyone], bool),
    )


def _sliced(row: dict[str, Any]) -> dict[str, Any]:
    """The row, with each span's words beside it, and without the address."""
    spans = [(s["role"], s["subject"], row["text"][s["start"] : s["end"]], s["start"]) for s in row["spans"]]
    return {name: value for name, value in row.items() if name != "_rowaddr"} | {"spans": spans}


@cache
def _template() -> Path:
    """A fresh workspace, copied for every example: migrations take longer than a whole example."""
    root = Path(tempfile.mkdtemp(prefix="demur-law-template-", dir=RAM if RAM.is_dir() else None)) / "w"
    atexit.register(shutil.rmtree, root.parent)
    workspaces.create(root, open_policy())
    return root
