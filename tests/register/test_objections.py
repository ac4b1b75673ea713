"""Objections: whom they cover, when they bind, and how they end."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from silence import doubted

from demur.errors import IdentityError, RegisterError
from demur.identity import Keys, SubjectKeys
from demur.register import JSON, ObjectionPhase, Receipt, Register
from demur.register.objections import objections
from demur.register.objections.lodging import Lodging
from demur.terms import EntryKind

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def suppressed(register: Register) -> list[int]:
    return list(register.standing.suppressed().tolist())


def keyed(keys: Keys, *accounts: str) -> list[int]:
    return sorted(keys.pepper.subject_keys(accounts).tolist())


def listed(subjects: SubjectKeys) -> list[int]:
    return list(subjects.tolist())


def kinds(register: Register) -> Sequence[EntryKind]:
    return [entry.kind for entry in register.log.entries()]


def test_binds_when_lodged_for_an_account_nobody_knows(register: Register, keys: Keys) -> None:
    receipt = register.objections.lodge(["Instagram: Ann "], channel="letter", received=date(2026, 11, 20), now=NOON)
    assert suppressed(register) == listed(receipt.subjects) == keyed(keys, "instagram:ann")
    assert (receipt.seq, receipt.lodged) == (1, NOON)
    state = register.objections.get(receipt.reference)
    assert (state.phase, state.binding, state.accounts, state.covered) == (ObjectionPhase.LODGED, True, 1, 1)
    assert (state.channel, state.received, state.lodged) == ("letter", date(2026, 11, 20), NOON)
    assert (state.confirm_by, state.changed, state.others, state.seq) == (None, NOON, 0, 1)


def test_covers_accounts_linked_before_and_later(register: Register, keys: Keys) -> None:
    register.members.link("instagram:ann", "x:ann")
    receipt = register.objections.lodge(["x:ann"], channel="web")
    assert listed(receipt.subjects) == keyed(keys, "instagram:ann", "x:ann")
    register.members.link("x:ann", "irc:ann")
    assert suppressed(register) == keyed(keys, "instagram:ann", "x:ann", "irc:ann")
    assert register.objections.get(receipt.reference).covered == 3


def test_stays_with_its_side_after_unlinking(register: Register, keys: Keys) -> None:
    register.members.link("x:a", "x:b")
    register.members.link("x:b", "x:c")
    register.objections.lodge(["x:c"], channel="web")
    seq = register.members.unlink("x:b", "x:a")
    assert suppressed(register) == keyed(keys, "x:b", "x:c")
    assert listed(register.standing.changes(seq - 1).subjects) == keyed(keys, "x:a", "x:b", "x:c")


def test_accounts_given_together_are_all_covered_and_not_linked(register: Register, keys: Keys) -> None:
    register.members.link("x:c", "x:d")
    receipt = register.objections.lodge(["x:a", "x:b", "x:A", "x:c"], channel="web")
    assert kinds(register) == [EntryKind.ACCOUNT_LINKED, EntryKind.OBJECTION_LODGED]
    state = register.objections.get(receipt.reference)
    assert (state.accounts, state.covered) == (3, 4)
    assert listed(receipt.subjects) == suppressed(register) == keyed(keys, "x:a", "x:b", "x:c", "x:d")
    assert register.members.covered_with("x:a").tolist() == keyed(keys, "x:a"), (
        "naming an account does not prove that it is theirs"
    )


def test_withdrawing_one_leaves_the_other_in_force(register: Register) -> None:
    first = register.objections.lodge(["x:a"], channel="web")
    second = register.objections.lodge(["x:a"], channel="mail")
    assert first.reference != second.reference
    assert register.objections.get(first.reference).others == 1
    state = register.objections.withdraw(first.reference)
    assert (state.phase, state.binding, state.others) == (ObjectionPhase.WITHDRAWN, False, 1)
    assert len(register.standing.suppressed()) == 1
    assert register.objections.withdraw(second.reference).others == 0
    assert suppressed(register) == []


def test_a_later_objection_of_a_linked_account_counts_as_another(register: Register) -> None:
    first = register.objections.lodge(["x:a"], channel="web")
    register.objections.lodge(["x:b"], channel="web")
    register.members.link("x:a", "x:b")
    assert register.objections.withdraw(first.reference).others == 1
    assert len(register.standing.suppressed()) == 2


def test_confirmed_binds_and_can_be_withdrawn_but_not_lapse(register: Register) -> None:
    receipt = register.objections.lodge(["x:a"], channel="typed-in", now=NOON - timedelta(days=28))
    doubted(register, receipt.reference, NOON)
    state = register.objections.confirm(receipt.reference, now=NOON)
    assert (state.phase, state.binding, state.changed, state.confirm_by) == ("confirmed", True, NOON, NOON)
    assert register.objections.lapse_overdue(NOON + timedelta(days=1)) == []
    with pytest.raises(RegisterError, match=r"is confirmed and can't become lapsed"):
        register.objections.lapse(receipt.reference, cause="denied")
    assert len(register.standing.suppressed()) == 1
    register.objections.withdraw(receipt.reference)
    assert suppressed(register) == []


def test_denied_lapses(register: Register) -> None:
    receipt = register.objections.lodge(["x:a"], channel="web")
    state = register.objections.lapse(receipt.reference, cause="denied", now=NOON)
    assert (state.phase, state.changed) == (ObjectionPhase.LAPSED, NOON)
    assert suppressed(register) == []
    *_, last = register.log.entries()
    assert last.payload == {"cause": "denied", "objection": receipt.seq}
    for end in (register.objections.confirm, register.objections.withdraw):
        with pytest.raises(RegisterError, match="is lapsed and can't become"):
            end(receipt.reference)


def test_lapses_only_when_overdue(register: Register) -> None:
    soon, later = NOON + timedelta(days=1), NOON + timedelta(days=9)
    first = register.objections.lodge(["x:a"], channel="typed-in", now=NOON)
    second = register.objections.lodge(["x:b"], channel="typed-in", now=NOON)
    register.objections.lodge(["x:c"], channel="letter", confirm_by=soon, now=NOON)  # as an earlier demur did
    doubted(register, first.reference, soon)
    doubted(register, second.reference, later)
    assert register.objections.lapse_overdue(soon) == []
    assert register.objections.lapse_overdue(later) == [first.reference]
    assert register.objections.lapse_overdue(later + timedelta(seconds=1)) == [second.reference]
    assert len(register.standing.suppressed()) == 1
    assert len(register.objections.lapse_overdue()) == 0


def test_the_same_move_twice_changes_nothing(register: Register) -> None:
    receipt = register.objections.lodge(["x:a"], channel="web")
    for move in (register.objections.confirm, register.objections.withdraw):
        assert move(receipt.reference) == move(receipt.reference)
    assert register.log.head().seq == 3


@pytest.mark.parametrize("account", ["ann", "x:", ":ann", "", "x y:ann", "x:\udcff"])
def test_a_malformed_account_is_the_only_error(register: Register, account: str) -> None:
    with pytest.raises(IdentityError):
        register.objections.lodge(["x:fine", account], channel="web")
    assert register.log.head().seq == 0
    assert suppressed(register) == []


def test_needs_an_account(register: Register) -> None:
    with pytest.raises(IdentityError, match="at least one"):
        register.objections.lodge([], channel="web")


@pytest.mark.parametrize("text", ["", "because", "line\nline \u0000 \U0001f600", "half \ud83d"])
def test_any_reason_is_taken_and_sealed(register: Register, text: str) -> None:
    receipt = register.objections.lodge(["x:a"], channel="web", reason=text)
    assert register.objections.reason(receipt.reference) == text.replace("\ud83d", "?")
    *_, last = register.log.entries()
    assert text not in last.payload.values() or not text


def test_a_statement_is_sealed_with_the_reason(register: Register) -> None:
    statement: dict[str, JSON] = {"names": ["Ann \ud83d"], "child": True, "contact": "ann@mail.example", "links": []}
    receipt = register.objections.lodge(["statement:7"], channel="web", statement=statement, reason="because")
    assert register.objections.statement(receipt.reference) == {**statement, "names": ["Ann ?"]}
    assert register.objections.reason(receipt.reference) == "because"
    assert (
        register.objections.statement(register.objections.lodge(["x:a"], channel="web", reason="because").reference)
        is None
    )


def test_objections_are_found_by_entry_by_person_and_by_what_waits(register: Register) -> None:
    first, second = (register.objections.lodge([account], channel="web") for account in ("x:a", "x:b"))
    assert register.objections.reference_of(first.seq) == first.reference
    assert register.objections.reference_of(99) is None
    assert [state.reference for state in register.objections.of("x:b")] == [second.reference]
    register.members.link("x:a", "x:b")
    every = [first.reference, second.reference]
    assert [state.reference for state in register.objections.of("X:A")] == every
    assert register.objections.of("x:nobody") == []
    assert [state.reference for state in register.objections.waiting()] == every
    assert [state.reference for state in register.objections.waiting(limit=1)] == every[:1]
    assert register.objections.waiting(proven={"web", "mail"}) == []
    assert [state.reference for state in register.objections.waiting(proven={"mail"})] == every
    register.objections.confirm(first.reference)
    assert [state.reference for state in register.objections.waiting()] == [second.reference]


def test_without_a_reason(register: Register) -> None:
    assert register.objections.reason(register.objections.lodge(["x:a"], channel="web").reference) is None


def test_unknown_reference(register: Register) -> None:
    for use in (
        register.objections.get,
        register.objections.confirm,
        register.objections.withdraw,
        register.objections.reason,
    ):
        with pytest.raises(RegisterError, match="No objection has the reference 0000-0000-0000-0000"):
            use("0000 0000 0000 0000")


def test_a_naive_time_is_a_mistake_of_the_caller(register: Register) -> None:
    with pytest.raises(ValueError, match="time zone"):
        register.objections.lodge(["x:a"], channel="web", now=datetime(2026, 1, 1))  # noqa: DTZ001  # what is tested
    assert register.log.head().seq == 0


def test_many_that_lapse_together_leave_others_their_turn(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objections, "_AT_ONCE", 20)
    many = [Lodging([f"x:{number}"], channel="typed-in") for number in range(60)]
    with register.locked():
        for receipt in register.objections.lodge_all(many):
            assert isinstance(receipt, Receipt)
            doubted(register, receipt.reference, NOON)
    seen: set[int] = set()
    with ThreadPoolExecutor(1) as pool:
        lapsing = pool.submit(register.objections.lapse_overdue, NOON + timedelta(days=1))
        while not lapsing.done() and not seen - {0, 60}:
            seen.add(register.objections.in_force())
    assert len(lapsing.result()) == 60
    assert register.objections.in_force() == 0
    assert seen - {0, 60}, "all of it was one transaction"


def test_reading_many_takes_no_more_statements_than_reading_one(register: Register) -> None:
    def statements() -> int:
        asked: list[str] = []

        def note(*told: object) -> None:
            asked.append(str(told[2]))

        sa.event.listen(register._store._engine, "before_cursor_execute", note)
        states = register.objections.of("x:a")
        sa.event.remove(register._store._engine, "before_cursor_execute", note)
        assert [each.others for each in states] == [len(states) - 1] * len(states)
        return len(asked)

    register.objections.lodge(["x:a"], channel="web")
    one = statements()
    register.objections.lodge_all([Lodging(["x:a"], channel="web")] * 20)
    assert statements() == one


def test_what_stands_for_an_account_is_what_was_lodged_for_it(register: Register, keys: Keys) -> None:
    ann, ben = keys.pepper.subject_keys(["x:a", "x:b"]).tolist()
    register.members.link("x:a", "x:b")
    first = register.objections.lodge(["x:a"], channel="web")
    assert register.objections.standing(ann, "web") == first.seq
    assert register.objections.standing(ann, "letter") is None
    assert register.objections.standing(ben, "web") is None, (
        "it covers the other account by a link, which can be taken back"
    )
    again = register.objections.lodge(["x:a"], channel="web")
    assert register.objections.standing(ann, "web") == again.seq
    register.objections.withdraw(again.reference)
    assert register.objections.standing(ann, "web") == first.seq
