"""Claims that a model repeats somebody's data, in the register: sealed, counted, erased; on either database."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demur.errors import RegisterError
from demur.register import ClaimPhase, ClaimState, Outcome, Register
from demur.register.claims import Said
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import Place

ANN = "forum:ann"
SAID = Said("The library opens at Zebedee o'clock.", "When does it open, Quince?", ANN, "quill@mail.example", "de")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def lodged(register: Register, said: Said = SAID, account: str = ANN) -> ClaimState:
    return register.claims.lodge(said, account, channel="typed-in", run="helper", now=NOW)


def found_wrong(register: Register) -> list[str]:
    wrong: list[str] = []
    register.audit(wrong.append)
    return wrong


def test_each_step_is_an_entry_and_the_state_follows(register: Register) -> None:
    state = lodged(register)
    assert (state.phase, state.received, state.run, state.outcome) == (
        ClaimPhase.LODGED,
        date(2026, 11, 30),
        "helper",
        None,
    )
    assert register.claims.said(state.reference.lower()) == SAID
    register.claims.tested(state.reference, Outcome.HELD, {"rows": 2}, np.array([5, 9], np.int64))
    register.claims.tested(state.reference, Outcome.NOT_FOUND, {"rows": 0}, np.zeros(0, np.int64))
    answered = register.claims.answered(state.reference, note="We look into it.", mailed=True)
    assert (answered.phase, answered.outcome) == (ClaimPhase.ANSWERED, Outcome.NOT_FOUND)
    assert register.claims.note(state.reference) == "We look into it."
    kinds = [entry.kind for entry in register.log.entries()]
    assert kinds[-4:] == [EntryKind.CLAIM_LODGED, *2 * [EntryKind.CLAIM_TESTED], EntryKind.CLAIM_ANSWERED]
    assert len(register.log.concerning([EntryKind.CLAIM_TESTED], np.array([9], np.int64))) == 1
    assert register.log.head().binding == 0, "a claim binds nothing"
    assert found_wrong(register) == []


def test_it_is_answered_once_and_only_after_a_test(register: Register) -> None:
    state = lodged(register)
    with pytest.raises(RegisterError, match="is not tested yet"):
        register.claims.answered(state.reference)
    register.claims.tested(state.reference, Outcome.NOT_FOUND, {}, np.zeros(0, np.int64))
    register.claims.answered(state.reference)
    with pytest.raises(RegisterError, match="is answered already"):
        register.claims.answered(state.reference)
    with pytest.raises(RegisterError, match="is answered already"):
        register.claims.tested(state.reference, Outcome.HELD, {}, np.zeros(0, np.int64))
    assert found_wrong(register) == []


def test_claims_are_listed_by_where_they_stand_and_whose_they_are(register: Register) -> None:
    first, second = lodged(register), lodged(register, Said("x"), "person:00")
    register.claims.tested(first.reference, Outcome.HELD, {}, np.zeros(0, np.int64))
    assert [each.seq for each in register.claims.listed()] == [first.seq, second.seq]
    assert [each.seq for each in register.claims.listed(ClaimPhase.LODGED)] == [second.seq]
    assert [each.seq for each in register.claims.of(register.persons.own(ANN))] == [first.seq]
    assert register.claims.at(second.seq) == second
    assert register.claims.at(second.seq + 1) is None


def test_no_reference_that_nobody_has_is_found(register: Register) -> None:
    with pytest.raises(RegisterError, match="No claim has the reference"):
        register.claims.get("0000-0000-0000-0000")
    with pytest.raises(RegisterError, match="is no reference"):
        register.claims.get("x")


def test_an_erasure_destroys_what_was_said_and_leaves_how_it_stands(register: Register) -> None:
    state = lodged(register)
    register.claims.tested(state.reference, Outcome.HELD, {}, np.zeros(0, np.int64))
    register.claims.answered(state.reference, note="Sorry, Ann.")
    register.mails.post("claim", "de", {"reference": state.reference}, address=SAID.contact)
    register.persons.destroy(register.persons.own(ANN))
    assert register.claims.said(state.reference) is None
    assert register.claims.note(state.reference) == ""
    assert register.claims.get(state.reference).phase is ClaimPhase.ANSWERED
    assert register.mails.waiting() == 0
    assert found_wrong(register) == []


def test_nothing_of_it_stands_in_the_clear(prepared: "Place") -> None:
    with prepared.open() as register:
        state = lodged(register)
        register.claims.tested(state.reference, Outcome.HELD, {}, np.zeros(0, np.int64))
        register.claims.answered(state.reference, note="Sorry, Xanthippe.")
        if prepared.sqlite:
            content = b"".join(each.read_bytes() for each in prepared.file.parent.glob(prepared.file.name + "*"))
        else:
            with register._store.reading() as connection:
                tables = ("claim", "detail", "entry")
                rows = [row for name in tables for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
            content = str([[bytes(x) if isinstance(x, memoryview) else x for x in row] for row in rows]).encode()
    for word in (b"Zebedee", b"Quince", b"quill@", b"Xanthippe"):
        assert word not in content


def test_whoever_changes_a_claim_by_hand_is_found_out(prepared: "Place") -> None:
    with prepared.open() as register:
        state = lodged(register)
        with register._store.writing() as connection:
            connection.exec_driver_sql(f"UPDATE claim SET phase = 'answered' WHERE seq = {state.seq}")
        assert found_wrong(register) == [f"Claim {state.seq}: the column phase is not what the entries say."]
