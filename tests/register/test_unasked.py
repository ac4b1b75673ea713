"""An objection whose holder could not be asked does not lapse: it stands, for the officer to look at."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from demur.register import ObjectionPhase, Receipt, Register

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Row

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNTIL = NOON + timedelta(days=14)
AFTER = UNTIL + timedelta(days=1)
ANN = "instagram:Ann.Sample"


@pytest.fixture
def known(register: Register, members: "MakeBatch", ann: "Row") -> Register:
    register.import_members([members(ann)])
    return register


def lodge(register: Register) -> Receipt:
    """An objection by a typed account, and the question to its holder."""
    receipt = register.lodge([ANN], channel="typed-in", confirm_by=UNTIL, now=NOON)
    said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": UNTIL.isoformat()}
    assert register.letters.post("confirm", "de", said, account=ANN, now=NOON)
    return receipt


def test_does_not_lapse_when_the_question_failed_for_good(known: Register) -> None:
    receipt = lodge(known)
    before = known.head().seq
    (letter,) = known.letters.claim(9, now=NOON)
    known.letters.failed(letter.id, "550 5.1.1", now=NOON)
    assert known.lapse_overdue(AFTER) == []
    state = known.objection(receipt.reference)
    assert (state.phase, state.confirm_by, state.binding) == (ObjectionPhase.LODGED, None, True)
    assert [each.reference for each in known.objections_open()] == [receipt.reference]
    assert known.head().seq == before + 1  # the register says why its deadline counts no more


def test_lapses_as_before_when_the_question_was_sent(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.letters.claim(9, now=NOON)
    known.letters.sent([letter.id], now=NOON)
    assert known.lapse_overdue(AFTER) == [receipt.reference]


def test_another_letter_that_fails_changes_no_deadline(known: Register) -> None:
    receipt = lodge(known)
    known.letters.post("receipt", "de", {"reference": receipt.reference}, account=ANN, now=NOON)
    for letter in known.letters.claim(9, now=NOON):
        if letter.template == "confirm":
            known.letters.sent([letter.id], now=NOON)
        else:
            known.letters.failed(letter.id, "550", now=NOON)
    assert known.lapse_overdue(AFTER) == [receipt.reference]


def test_a_question_that_fails_after_the_answer_changes_nothing(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.letters.claim(9, now=NOON)
    known.confirm(receipt.reference, now=NOON)
    before = known.head().seq
    known.letters.failed(letter.id, "550", now=NOON)
    known.letters.failed(letter.id, "550", now=NOON)
    assert known.objection(receipt.reference).phase is ObjectionPhase.CONFIRMED
    assert known.head().seq == before


def test_a_question_that_fails_twice_is_one_entry(known: Register) -> None:
    lodge(known)
    (letter,) = known.letters.claim(9, now=NOON)
    known.letters.failed(letter.id, "550", now=NOON)
    before = known.head().seq
    known.letters.failed(letter.id, "550", now=NOON)
    assert known.head().seq == before


def test_does_not_lapse_while_the_question_still_waits(known: Register) -> None:
    receipt = lodge(known)
    assert known.lapse_overdue(AFTER) == []
    assert known.objection(receipt.reference).binding


def test_a_question_that_leaves_too_late_asks_without_a_deadline(known: Register) -> None:
    receipt = lodge(known)
    (letter,) = known.letters.claim(9, now=AFTER)
    assert letter.params["confirm_by"] is None
    known.letters.sent([letter.id], now=AFTER)
    assert known.lapse_overdue(AFTER + timedelta(days=1)) == []
    assert known.objection(receipt.reference).binding


def test_a_letter_in_hand_whose_person_is_erased_stops_no_other(known: Register) -> None:
    lodge(known)
    (held,) = known.letters.claim(9, now=NOON)
    known.erase_details(ANN)
    known.letters.retry(held.id, NOON)
    known.letters.post("receipt", "de", {"reference": "7KQ2"}, address="ben@mail.example", now=NOON)
    assert [each.address for each in known.letters.claim(9, now=NOON)] == ["ben@mail.example"]


def test_a_letter_that_an_ended_worker_held_and_whose_person_is_erased_stops_no_other(known: Register) -> None:
    lodge(known)
    known.letters.claim(9, now=NOON)
    known.erase_details(ANN)
    assert known.letters.requeue_interrupted() == 0
    assert known.letters.claim(9, now=NOON) == []
