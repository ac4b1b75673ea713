"""People: linked accounts are one person; law 2's part of it, against a model that recomputes everything."""

from collections.abc import Callable, Iterable
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from demur.errors import RegisterError
from demur.identity import Keys
from demur.register import MEMBER, Register
from demur.register.members.people import components
from demur.register.members.standing import Reader

ACCOUNTS = [f"x:{letter}" for letter in "abcdefg"]
accounts = st.sampled_from(ACCOUNTS)
MAILS = ["mail:m@y.example", "mail:n@y.example"]


def test_linking_is_recorded_once(register: Register) -> None:
    assert register.members.link("x:a", "x:b") == 1
    assert register.members.link("X:B", "x:a") is None
    assert register.members.link("x:a", "x:A") is None
    assert register.log.head().seq == 1


def test_only_a_recorded_link_can_be_taken_back(register: Register) -> None:
    register.members.link("x:a", "x:b")
    register.members.link("x:b", "x:c")
    for pair in (("x:a", "x:c"), ("x:a", "x:new"), ("x:a", "x:a")):
        with pytest.raises(RegisterError, match="not linked with each other"):
            register.members.unlink(*pair)
    register.members.unlink("x:b", "x:a")
    with pytest.raises(RegisterError, match="not linked with each other"):
        register.members.unlink("x:a", "x:b")
    assert register.members.link("x:a", "x:b") == 4


def test_a_second_path_holds_people_together(register: Register) -> None:
    for pair in (("x:a", "x:b"), ("x:b", "x:c"), ("x:c", "x:a")):
        register.members.link(*pair)
    register.objections.lodge(["x:a"], channel="web")
    register.members.unlink("x:a", "x:b")
    assert len(register.standing.suppressed()) == 3
    register.members.unlink("x:a", "x:c")
    assert len(register.standing.suppressed()) == 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1))
def test_components_are_those_of_a_search(edges: list[tuple[int, int]]) -> None:
    nodes, roots = components(np.array(edges, dtype=np.int64))
    assert dict(zip(nodes.tolist(), roots.tolist(), strict=True)) == {
        node: min(part) for part in parts({n for edge in edges for n in edge}, edges) for node in part
    }


def parts(nodes: Iterable[Any], edges: Iterable[tuple[Any, Any]]) -> list[set[Any]]:
    """Connected components, the obvious way."""
    found: list[set[Any]] = [{node} for node in nodes]
    for first, second in edges:
        one = next(part for part in found if first in part)
        other = next(part for part in found if second in part)
        if one is not other:
            one |= other
            found.remove(other)
    return found


class PeopleMachine(RuleBasedStateMachine):
    """Link, unlink, lodge, end and import at random; the model recomputes from the edges and the open objections."""

    keys: Keys

    lodged = Bundle("lodged")

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.register = Register.create(f"sqlite:///{self.folder.name}/register.db", self.keys)
        self.edges: set[frozenset[str]] = set()
        self.proven: set[frozenset[str]] = set()
        self.unlinked: set[frozenset[str]] = set()
        self.open: dict[str, set[str]] = {}

    def teardown(self) -> None:
        if hasattr(self, "register"):
            told: list[str] = []
            self.register.audit(told.append)
            self.register.close()
            assert told == []
            self.folder.cleanup()

    def model(self) -> set[str]:
        objected = {account for each in self.open.values() for account in each}
        return {account for part in self.parts(self.edges) if part & objected for account in part}

    def parts(self, edges: set[frozenset[str]]) -> list[set[str]]:
        return parts([*ACCOUNTS, *MAILS], [(min(edge), max(edge)) for edge in edges])

    @rule(first=accounts, second=accounts)
    def link(self, first: str, second: str) -> None:
        self.register.members.link(first, second)
        self.remember(first, second)

    def remember(self, first: str, second: str, *, proven: bool = True) -> None:
        if first != second:
            self.edges.add(frozenset((first, second)))
            self.unlinked.discard(frozenset((first, second)))
            self.proven |= {frozenset((first, second))} if proven else set()

    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        if self.edges:
            edge = data.draw(st.sampled_from(sorted(self.edges, key=sorted)))
            self.register.members.unlink(*edge)
            self.edges.remove(edge)
            self.proven.discard(edge)
            self.unlinked.add(edge)

    @rule(account=accounts, others=st.lists(accounts, max_size=2))
    def import_member(self, account: str, others: list[str]) -> None:
        row = dict.fromkeys(MEMBER.names) | {"account": account, "linked": others}
        self.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
        for other in others:
            if frozenset((account, other)) not in self.unlinked:
                self.remember(account, other)

    @rule(account=accounts, mail=st.sampled_from(MAILS), verified=st.sampled_from([True, False, None]))
    def import_address(self, account: str, mail: str, verified: bool | None) -> None:  # noqa: FBT001  # a column
        row = dict.fromkeys(MEMBER.names) | {"account": account, "mail": mail[5:], "mail_verified": verified}
        self.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
        if frozenset((account, mail)) not in self.unlinked:
            self.remember(account, mail, proven=bool(verified))

    @rule(target=lodged, chosen=st.lists(accounts, min_size=1, max_size=3))
    def lodge(self, chosen: list[str]) -> str:
        reference = self.register.objections.lodge(chosen, channel="web").reference
        self.open[reference] = set(chosen)
        return reference

    @rule(reference=lodged)
    def confirm(self, reference: str) -> None:
        if self.register.objections.get(reference).binding:
            self.register.objections.confirm(reference)

    @rule(reference=consumes(lodged))
    def withdraw(self, reference: str) -> None:
        self.register.objections.withdraw(reference)
        self.open.pop(reference)

    @rule(reference=consumes(lodged))
    def lapse(self, reference: str) -> None:
        if self.register.objections.get(reference).phase == "lodged":
            self.register.objections.lapse(reference, cause="denied")
        else:
            self.register.objections.withdraw(reference)
        self.open.pop(reference)

    @invariant()
    def suppresses_what_the_model_does(self) -> None:
        if not hasattr(self, "register"):
            return
        expected = sorted(self.keys.pepper.subject_keys(sorted(self.model())).tolist())
        assert self.register.standing.suppressed().tolist() == expected
        with self.register._store.reading() as connection:
            afresh = Reader().snapshot(connection, keep=False)
        patched = self.register.standing.snapshot()
        assert patched.suppressed.tolist() == afresh.suppressed.tolist()
        assert patched.facts.keys.tolist() == afresh.facts.keys.tolist()

    @invariant()
    def proves_what_the_model_does(self) -> None:
        if hasattr(self, "register"):
            for part in self.parts(self.proven):
                keys = sorted(self.keys.pepper.subject_keys(sorted(part)).tolist())
                assert self.register.persons.own(min(part)).tolist() == keys


@pytest.mark.parametrize("examples", [5, pytest.param(1000, marks=pytest.mark.soak)])
def test_people_against_a_model(keys: Keys, examples: int) -> None:
    PeopleMachine.keys = keys
    calm = [HealthCheck.too_slow]
    run = settings(max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=calm)
    run_state_machine_as_test(PeopleMachine, settings=run)


def test_every_change_names_every_key_it_changes(register: Register) -> None:
    """The corpus honours only the keys that entries name: nobody else's standing may change with them."""
    before = set(register.standing.suppressed().tolist())
    first = register.objections.lodge(["x:a", "x:b"], channel="web").reference
    steps: list[Callable[[], object]] = [
        lambda: register.members.link("x:a", "x:b"),
        lambda: register.members.link("x:b", "x:c"),
        lambda: register.members.link("x:d", "x:e"),
        lambda: register.members.link("x:e", "x:a"),
        lambda: register.members.unlink("x:a", "x:b"),
        lambda: register.objections.confirm(first),
        lambda: register.objections.withdraw(first),
    ]
    seq = 0
    for step in steps:
        after = set(register.standing.suppressed().tolist())
        assert before ^ after <= set(register.standing.changes(seq).subjects.tolist())
        before, seq = after, register.log.head().seq
        step()
    assert register.standing.suppressed().size == 0
