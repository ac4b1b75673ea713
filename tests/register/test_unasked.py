"""Silence ends an objection only where it is doubted on record, and its holder was asked and reminded in time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from erasing import erase_details
from silence import doubted

from demur.errors import RegisterError
from demur.register import ObjectionPhase, ObjectionState, Receipt, Register
from demur.register.objections.doubts import LEAST_DAYS, REMINDERS
from demur.terms import EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch, Row

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
UNTIL = NOON + LEAST_DAYS * DAY
ANN = "instagram:Ann.Sample"
WHY = "Two people claim this account."


@pytest.fixture
def known(register: Register, members: "MakeBatch", ann: "Row") -> Register:
    register.members.import_all([members(ann)])
    return register


def lodge(register: Register) -> Receipt:
    """An objection by a typed account."""
    return register.objections.lodge([ANN], channel="typed-in", now=NOON)


def post(register: Register, receipt: Receipt, template: str = "confirm", now: datetime = NOON, **more: Any) -> None:  # noqa: ANN401
    said = {"reference": receipt.reference, "confirm_url": "https://x.example/1", "confirm_by": None, **more}
    assert register.mails.post(template, "de", said, account=ANN, now=now)


def doubt(register: Register) -> Receipt:
    """An objection that is doubted, and the question to its holder."""
    receipt = lodge(register)
    register.objections.doubt(receipt.reference, WHY, days=LEAST_DAYS, now=NOON)
    post(register, receipt)
    return receipt


def send(register: Register, now: datetime, number: int = 1) -> list[str]:
    """Send what waits; the deadlines that it names."""
    found = register.mails.claim(9, now=now)
    assert len(found) == number
    register.mails.sent([each.id for each in found], now=now)
    return [str(each.params["confirm_by"]) for each in found]


def remind(register: Register, receipt: Receipt, now: datetime) -> str:
    """Put the reminder that is due into the outgoing mail, and send it; the deadline that it names."""
    ((_, number),) = register.objections.to_remind(now, receipt.reference)
    post(register, receipt, "reminder", now, number=number)
    register.objections.reminded(receipt.reference, number, now=now)
    (named,) = send(register, now)
    return named


def state(register: Register, receipt: Receipt) -> ObjectionState:
    return register.objections.get(receipt.reference)


def test_nothing_lapses_without_a_doubt(known: Register) -> None:
    receipt = lodge(known)
    post(known, receipt)
    assert send(known, NOON) == ["None"]
    assert known.objections.lapse_due(NOON + 7 * DAY).references == []
    assert known.objections.lapse_overdue(NOON + 4000 * DAY) == []
    assert (state(known, receipt).binding, state(known, receipt).confirm_by) == (True, None)


def test_a_deadline_from_before_doubts_were_on_record_ends_nothing(known: Register) -> None:
    receipt = known.objections.lodge([ANN], channel="typed-in", confirm_by=NOON + 14 * DAY, now=NOON)
    post(known, receipt)
    assert send(known, NOON) == ["None"]
    assert known.objections.lapse_overdue(NOON + 4000 * DAY) == []
    assert (state(known, receipt).binding, state(known, receipt).confirm_by) == (True, None)


def test_it_lapses_after_question_and_reminders(known: Register) -> None:
    receipt = doubt(known)
    assert send(known, NOON) == [UNTIL.isoformat()]
    assert known.objections.to_remind(NOON + 7 * DAY - DAY / 24) == []
    assert known.objections.to_remind(NOON + 7 * DAY) == [(receipt.reference, 1)]
    assert remind(known, receipt, NOON + 7 * DAY) == UNTIL.isoformat()
    assert known.objections.to_remind(NOON + 21 * DAY - DAY / 24) == []
    assert remind(known, receipt, NOON + 21 * DAY) == UNTIL.isoformat()
    assert known.objections.to_remind(NOON + 27 * DAY) == []
    assert known.objections.lapse_overdue(UNTIL) == []
    assert known.objections.overdue(receipt.reference, UNTIL) is False
    assert known.objections.overdue(receipt.reference, UNTIL + DAY) is True
    assert known.objections.lapse_overdue(UNTIL + DAY) == [receipt.reference]
    assert [entry.kind.value for entry in known.log.entries(after=1)] == [
        "objection.lodged",
        "objection.doubted",
        "objection.asked",
        "objection.reminded",
        "objection.asked",
        "objection.reminded",
        "objection.asked",
        "objection.lapsed",
    ]


@pytest.mark.parametrize("mails", range(len(REMINDERS)))
def test_it_does_not_lapse_before_every_reminder(known: Register, mails: int) -> None:
    receipt = lodge(known)
    doubted(known, receipt.reference, UNTIL, mails=mails)
    assert known.objections.lapse_overdue(UNTIL + 4000 * DAY) == []


def test_who_is_asked_or_reminded_late_has_as_long_to_answer(known: Register) -> None:
    receipt, late = doubt(known), 5 * DAY
    assert send(known, NOON + late) == [(UNTIL + late).isoformat()]
    assert known.objections.to_remind(NOON + 7 * DAY) == []
    assert remind(known, receipt, NOON + 20 * DAY) == (NOON + 20 * DAY + (LEAST_DAYS - 7) * DAY).isoformat()
    assert known.objections.to_remind(NOON + 33 * DAY) == []
    until = NOON + 60 * DAY + (LEAST_DAYS - 21) * DAY
    assert remind(known, receipt, NOON + 60 * DAY) == until.isoformat()
    assert state(known, receipt).confirm_by == until
    assert known.objections.lapse_overdue(until) == []
    assert known.objections.lapse_overdue(until + DAY) == [receipt.reference]


def test_no_reminder_goes_out_while_the_question_waits(known: Register) -> None:
    doubt(known)
    assert known.objections.to_remind(NOON + 7 * DAY) == []


def test_a_reminder_of_what_was_answered_is_not_sent(known: Register) -> None:
    receipt = doubt(known)
    send(known, NOON)
    post(known, receipt, "reminder", NOON + 7 * DAY, number=1)
    known.objections.reminded(receipt.reference, 1, now=NOON + 7 * DAY)
    known.objections.confirm(receipt.reference, now=NOON + 7 * DAY)
    post(known, receipt, "receipt", NOON + 8 * DAY)
    assert [each.template for each in known.mails.claim(9, now=NOON + 8 * DAY)] == ["receipt"]
    assert known.objections.to_remind(NOON + 400 * DAY) == []


def failed(register: Register) -> None:
    (letter,) = register.mails.claim(9, now=NOON)
    register.mails.failed(letter.id, "550 5.1.1", now=NOON)


def came_back(register: Register) -> None:
    (letter,) = register.mails.claim(9, now=NOON)
    assert register.mails.bounced(letter.id, cause="5.1.1", now=NOON)
    register.mails.sent([letter.id], now=NOON)


@pytest.mark.parametrize("fate", [failed, came_back])
def test_where_the_question_does_not_arrive_the_doubt_ends(known: Register, fate: Callable[[Register], None]) -> None:
    receipt = doubt(known)
    before = known.log.head().seq
    fate(known)
    assert [entry.kind for entry in known.log.entries(after=before)] == [EntryKind.OBJECTION_UNASKED]
    now = state(known, receipt)
    assert (now.phase, now.doubted, now.confirm_by, now.binding) == (ObjectionPhase.LODGED, None, None, True)
    assert known.objections.lapse_overdue(UNTIL + 400 * DAY) == []
    assert known.objections.to_remind(UNTIL + 400 * DAY) == []
    assert [each.reference for each in known.objections.waiting()] == [receipt.reference]
    known.objections.doubt(receipt.reference, WHY, days=LEAST_DAYS, now=UNTIL)
    assert state(known, receipt).confirm_by == UNTIL + LEAST_DAYS * DAY, "it can be doubted again"


def test_a_question_that_fails_after_the_answer_changes_nothing(known: Register) -> None:
    receipt = doubt(known)
    (letter,) = known.mails.claim(9, now=NOON)
    known.objections.confirm(receipt.reference, now=NOON)
    before = known.log.head().seq
    known.mails.failed(letter.id, "550", now=NOON)
    known.mails.failed(letter.id, "550", now=NOON)
    assert state(known, receipt).phase is ObjectionPhase.CONFIRMED
    assert known.log.head().seq == before


def test_another_letter_that_fails_changes_no_deadline(known: Register) -> None:
    receipt = doubt(known)
    post(known, receipt, "receipt")
    for letter in known.mails.claim(9, now=NOON):
        if letter.template == "confirm":
            known.mails.sent([letter.id], now=NOON)
        else:
            known.mails.failed(letter.id, "550", now=NOON)
    assert state(known, receipt).confirm_by == UNTIL


def test_the_reason_is_sealed_and_only_what_waits_is_doubted(known: Register) -> None:
    receipt = lodge(known)
    first = known.objections.doubt(receipt.reference, WHY, days=30, now=NOON)
    assert (first.doubted, first.confirm_by, first.binding) == (NOON, NOON + 30 * DAY, True)
    assert known.objections.doubt(receipt.reference, "Again.", days=90, now=NOON + DAY) == first
    assert known.objections.doubts(receipt.reference) == [(NOON, WHY)]
    (entry,) = known.log.entries(EntryKind.OBJECTION_DOUBTED)
    assert entry.payload == {"objection": receipt.seq, "days": 30, "confirm_by": (NOON + 30 * DAY).isoformat()}
    with known._store.reading() as connection:
        rows = connection.execute(sa.text("SELECT sealed FROM detail WHERE seq = :seq"), {"seq": entry.seq}).all()
    assert len(rows) == 1
    assert WHY.encode() not in bytes(rows[0].sealed)
    known.objections.confirm(receipt.reference, now=NOON)
    with pytest.raises(RegisterError, match="is confirmed: only one that waits is doubted"):
        known.objections.doubt(receipt.reference, WHY, days=30)


def test_the_reason_goes_with_its_person(known: Register) -> None:
    receipt = doubt(known)
    known.persons.destroy(known.persons.own(ANN), now=NOON)
    assert known.objections.doubts(receipt.reference) == [(NOON, None)]


@pytest.mark.parametrize("end", ["lapse", "withdraw"])
def test_what_ended_is_brought_back_as_it_was(known: Register, end: str) -> None:
    receipt = doubt(known)
    send(known, NOON)
    if end == "lapse":
        known.objections.lapse(receipt.reference, cause="denied", now=NOON)
    else:
        known.objections.withdraw(receipt.reference, now=NOON)
    assert known.standing.suppressed().tolist() == []
    binding = known.log.head().binding
    now = known.objections.revive(receipt.reference, now=NOON + DAY)
    assert (now.reference, now.phase, now.doubted, now.confirm_by) == (receipt.reference, "lodged", None, None)
    assert set(receipt.subjects) <= set(known.standing.suppressed().tolist())
    assert known.log.head().binding == known.log.head().seq == binding + 1
    assert known.objections.revive(receipt.reference, now=NOON + DAY) == now
    assert known.log.head().seq == binding + 1
    known.objections.confirm(receipt.reference)
    with pytest.raises(RegisterError, match="is confirmed and can't become lodged"):
        known.objections.revive(receipt.reference)


def test_a_letter_in_hand_whose_person_is_erased_stops_no_other(known: Register) -> None:
    doubt(known)
    (held,) = known.mails.claim(9, now=NOON)
    erase_details(known, ANN)
    known.mails.retry(held.id, NOON)
    known.mails.post("receipt", "de", {"reference": "7KQ2"}, address="ben@mail.example", now=NOON)
    assert [each.address for each in known.mails.claim(9, now=NOON)] == ["ben@mail.example"]


def test_a_letter_that_an_ended_worker_held_and_whose_person_is_erased_stops_no_other(known: Register) -> None:
    doubt(known)
    known.mails.claim(9, now=NOON)
    erase_details(known, ANN)
    assert known.mails.requeue_interrupted() == 0
    assert known.mails.claim(9, now=NOON) == []
