"""Who was told by demur's own notices: law 2's part of it, against a model that recomputes everything."""

from datetime import UTC, date, datetime, timedelta
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from demur.identity import Keys
from demur.kernel.rules import NEVER
from demur.register import MEMBER, Delivered, Register, Selection
from demur.register.members.standing import Reader
from demur.terms import Channel

ACCOUNTS = [f"x:{letter}" for letter in "abcdef"]
ANYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)
START = datetime(2026, 11, 1, 12, tzinfo=UTC)

accounts = st.sampled_from(ACCOUNTS)
names = st.sampled_from(("autumn", "winter"))


class ToldMachine(RuleBasedStateMachine):
    """Import, link, unlink, notify and bounce at random."""

    keys: Keys

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.register = Register.create(f"sqlite:///{self.folder.name}/register.db", self.keys)
        self.edges: set[frozenset[str]] = set()
        self.unlinked: set[frozenset[str]] = set()
        self.imported: dict[str, date | None] = {}
        self.profiles: set[str] = set()
        self.sent: dict[tuple[str, str], date] = {}
        self.addressed: set[tuple[str, str]] = set()
        self.now = START

    def teardown(self) -> None:
        if hasattr(self, "register"):
            told: list[str] = []
            self.register.audit(told.append)
            self.register.close()
            assert told == []
            self.folder.cleanup()

    def together(self, account: str) -> set[str]:
        found = {account}
        while more := {each for edge in self.edges if edge & found for each in edge} - found:
            found |= more
        return found

    @rule(days=st.sampled_from((1, 30)))
    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(account=accounts, others=st.lists(accounts, max_size=1), told=st.sampled_from((None, 0, 9, 90)))
    def import_member(self, account: str, others: list[str], told: int | None) -> None:
        day = None if told is None else START.date() + timedelta(days=told)
        row = dict.fromkeys(MEMBER.names) | {"account": account, "linked": others, "told_on": day}
        self.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)], now=self.now)
        self.imported[account] = day
        self.profiles.add(account)
        for other in others:
            if frozenset((account, other)) not in self.unlinked and other != account:
                self.edges.add(frozenset((account, other)))

    @rule(account=accounts)
    def consent(self, account: str) -> None:
        self.register.members.consent([account], given=True, now=self.now)
        self.imported.setdefault(account, None)

    @rule(first=accounts, second=accounts)
    def link(self, first: str, second: str) -> None:
        self.register.members.link(first, second, now=self.now)
        if first != second:
            self.edges.add(frozenset((first, second)))
            self.unlinked.discard(frozenset((first, second)))

    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        if self.edges:
            edge = data.draw(st.sampled_from(sorted(self.edges, key=sorted)))
            self.register.members.unlink(*edge, now=self.now)
            self.edges.remove(edge)
            self.unlinked.add(edge)

    @rule(name=names, most=st.integers(1, 6))
    def notify(self, name: str, most: int) -> None:
        self.register.campaigns.start(name, ANYBODY, [Channel.MAIL], now=self.now)
        without = {
            frozenset(self.together(account))
            for account in self.profiles
            if not any((name, each) in self.addressed for each in self.together(account))
        }
        new = {account for key, account in self._queued(name) if (name, account) not in self.addressed}
        assert {frozenset(self.together(account)) for account in new} == without
        assert len(new) == len(without)  # one for each person
        self.addressed |= {(name, account) for account in new}
        due = self.register.notices.claim(Channel.MAIL, most, now=self.now)
        done = [Delivered(d.campaign, d.subject, "de", b"", f"{d.campaign}.{d.member.account}@here") for d in due]
        self.register.notices.sent(Channel.MAIL, done, now=self.now)
        self.sent |= {(each.campaign, each.member.account): self.now.date() for each in due}

    def _queued(self, name: str) -> list[tuple[int, str]]:
        by_key = {self.keys.pepper.subject_key(account): account for account in ACCOUNTS}
        return [(key, by_key[key]) for key, _ in self.register.notices.records(name)]

    @rule(data=st.data())
    def bounce(self, data: st.DataObject) -> None:
        if self.sent:
            campaign, account = data.draw(st.sampled_from(sorted(self.sent)))
            assert self.register.notices.bounced(f"{campaign}.{account}@here", cause="5.1.1", now=self.now)
            del self.sent[campaign, account]

    @invariant()
    def everybody_is_told_as_the_model_says(self) -> None:
        if not hasattr(self, "register"):
            return
        facts = self.register.standing.facts()
        found = dict(zip(facts.keys.tolist(), facts.told_on.tolist(), strict=True))
        assert found == {self.keys.pepper.subject_key(each): self._told(each) for each in self.imported}
        with self.register._store.reading() as connection:
            afresh = Reader().snapshot(connection, keep=False)
        assert afresh.facts.told_on.tolist() == facts.told_on.tolist()  # which was patched

    def _told(self, account: str) -> int:
        theirs = self.together(account)
        told = [day for (_, addressed), day in self.sent.items() if addressed in theirs]
        said = self.imported[account]
        every = [*told, *([] if said is None else [said])]
        return min(((day - date(1970, 1, 1)).days for day in every), default=NEVER)


@pytest.mark.parametrize("examples", [8, pytest.param(1000, marks=pytest.mark.soak)])
def test_who_was_told_against_a_model(keys: Keys, examples: int) -> None:
    ToldMachine.keys = keys
    calm = [HealthCheck.too_slow]
    run = settings(max_examples=examples, stateful_step_count=20, deadline=None, suppress_health_check=calm)
    run_state_machine_as_test(ToldMachine, settings=run)
