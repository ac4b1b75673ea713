"""An objection whose holder could not be asked does not lapse: it stands, for the officer to look at."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from erasing import erase_details

from demur.register import ObjectionPhase, Receipt, Register
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Row

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNTIL = NOON + timedelta(days=14)
AFTER = UNTIL + timedelta(days=1)
ANN = "instagram:Ann.Sample"


@pytest.fixture
def known(register: Register, members: "MakeBatch", ann: "Row") -> Register:
    register.members.import_all([members(ann)])
    return register


def lodge(register: Register) -> Receipt:
    """An objection by a typed account, and the question to its holder."""
    receipt = register.objections.lodge([ANN], channel="typed-in", confirm_by=UNTIL, now=NOON)
    said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": UNTIL.isoformat()}
    assert register.mails.post("confirm", "de", said, account=ANN, now=NOON)
    return receipt


def test_does_not_lapse_when_the_question_failed_for_good(known: Register) -> None:
    receipt = lodge(known)
    before = known.log.head().seq
    (letter,) = known.mails.claim(9, now=NOON)
    known.mails.failed(letter.id, "550 5.1.1", now=NOON)
    assert known.objections.lapse_overdue(AFTER) == []
    state = known.objections.get(receipt.reference)
    assert (state.phase, state.confirm_by, state.binding) == (ObjectionPhase.LODGED, None, True)
    assert [each.reference for each in known.objections.waiting()] == [receipt.reference]
    assert known.log.head().seq == before + 1  # the register says why its deadline counts no more


def test_lapses_as_before_when_the_question_was_sent(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.mails.claim(9, now=NOON)
    known.mails.sent([letter.id], now=NOON)
    assert known.objections.lapse_overdue(AFTER) == [receipt.reference]


def test_another_letter_that_fails_changes_no_deadline(known: Register) -> None:
    receipt = lodge(known)
    known.mails.post("receipt", "de", {"reference": receipt.reference}, account=ANN, now=NOON)
    for letter in known.mails.claim(9, now=NOON):
        if letter.template == "confirm":
            known.mails.sent([letter.id], now=NOON)
        else:
            known.mails.failed(letter.id, "550", now=NOON)
    assert known.objections.lapse_overdue(AFTER) == [receipt.reference]


def test_a_question_that_fails_after_the_answer_changes_nothing(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.mails.claim(9, now=NOON)
    known.objections.confirm(receipt.reference, now=NOON)
    before = known.log.head().seq
    known.mails.failed(letter.id, "550", now=NOON)
    known.mails.failed(letter.id, "550", now=NOON)
    assert known.objections.get(receipt.reference).phase is ObjectionPhase.CONFIRMED
    assert known.log.head().seq == before


def test_a_question_that_fails_twice_is_one_entry(known: Register) -> None:
    lodge(known)
    (letter,) = known.mails.claim(9, now=NOON)
    known.mails.failed(letter.id, "550", now=NOON)
    before = known.log.head().seq
    known.mails.failed(letter.id, "550", now=NOON)
    assert known.log.head().seq == before


def test_does_not_lapse_while_the_question_still_waits(known: Register) -> None:
    receipt = lodge(known)
    assert known.objections.lapse_overdue(AFTER) == []
    assert known.objections.get(receipt.reference).binding


@pytest.mark.parametrize("late", [timedelta(0), UNTIL - NOON - timedelta(minutes=5), AFTER - NOON, timedelta(days=90)])
def test_who_is_asked_late_has_as_long_to_answer(known: Register, late: timedelta) -> None:
    receipt = lodge(known)
    left = NOON + late
    (letter,) = known.mails.claim(9, now=left)
    known.mails.sent([letter.id], now=left + timedelta(minutes=1))
    until = UNTIL + late
    named = letter.params["confirm_by"]
    assert named == until.isoformat(), "the day in the mail counts"
    assert known.objections.get(receipt.reference).confirm_by == until + timedelta(minutes=1)
    assert known.objections.lapse_overdue(until + timedelta(minutes=1)) == []
    assert known.objections.lapse_overdue(until + timedelta(minutes=2)) == [receipt.reference]


def test_each_deadline_follows_from_the_entries(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.mails.claim(9, now=AFTER)
    binding = known.log.head().binding
    known.mails.sent([letter.id], now=AFTER)
    known.mails.sent([letter.id], now=AFTER + timedelta(days=1))
    (asked,) = known.log.entries(EntryKind.OBJECTION_ASKED)
    until = known.objections.get(receipt.reference).confirm_by
    assert until is not None
    assert asked.payload == {"objection": receipt.seq, "confirm_by": until.isoformat()}
    assert (asked.time, known.log.head().binding) == (AFTER, binding)


def test_a_question_that_is_put_off_names_the_day_that_counts_when_it_leaves(known: Register) -> None:
    lodge(known)
    (first,) = known.mails.claim(9, now=NOON)
    known.mails.retry(first.id, AFTER)
    (again,) = known.mails.claim(9, now=AFTER)
    assert again.params["confirm_by"] == (AFTER + (UNTIL - NOON)).isoformat()


def test_a_question_that_came_back_before_it_was_recorded_as_sent_asked_nobody(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.mails.claim(9, now=NOON)
    assert known.mails.bounced(letter.id, cause="5.1.1", now=NOON)
    known.mails.sent([letter.id], now=NOON)
    assert known.objections.lapse_overdue(AFTER) == []
    assert known.objections.get(receipt.reference).confirm_by is None
    assert not list(known.log.entries(EntryKind.OBJECTION_ASKED))


def test_a_question_after_the_answer_names_no_deadline_and_sets_none(known: Register) -> None:
    receipt = lodge(known)
    known.objections.confirm(receipt.reference, now=NOON)
    (letter,) = known.mails.claim(9, now=NOON)
    assert letter.params["confirm_by"] is None
    head = known.log.head()
    known.mails.sent([letter.id], now=AFTER)
    assert known.log.head() == head


def test_a_letter_in_hand_whose_person_is_erased_stops_no_other(known: Register) -> None:
    lodge(known)
    (held,) = known.mails.claim(9, now=NOON)
    erase_details(known, ANN)
    known.mails.retry(held.id, NOON)
    known.mails.post("receipt", "de", {"reference": "7KQ2"}, address="ben@mail.example", now=NOON)
    assert [each.address for each in known.mails.claim(9, now=NOON)] == ["ben@mail.example"]


def test_a_letter_that_an_ended_worker_held_and_whose_person_is_erased_stops_no_other(known: Register) -> None:
    lodge(known)
    known.mails.claim(9, now=NOON)
    erase_details(known, ANN)
    assert known.mails.requeue_interrupted() == 0
    assert known.mails.claim(9, now=NOON) == []
