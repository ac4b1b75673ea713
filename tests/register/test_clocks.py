"""A clock that is far from the last entry's time ends nobody's objection; one that goes on is believed after a day."""

from datetime import UTC, datetime, timedelta

import pytest
from silence import doubted

from demur.register import ObjectionPhase, Register
from demur.terms import EntryKind

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def waiting(register: Register) -> str:
    """The reference of an objection that lapses two weeks after noon, unless it is confirmed."""
    reference = register.objections.lodge(["x:a"], channel="typed-in", now=NOON - 14 * DAY).reference
    doubted(register, reference, NOON + 14 * DAY)
    register.objections.lodge(["x:y"], channel="letter", now=NOON - 2 * DAY)
    register.objections.lodge(["x:z"], channel="letter", now=NOON)
    return reference


def phase(register: Register, reference: str) -> ObjectionPhase:
    return register.objections.get(reference).phase


@pytest.mark.parametrize("days", [15, 60, 400, 30_000])
def test_one_look_under_a_wrong_clock_ends_nothing(register: Register, waiting: str, days: int) -> None:
    lapsing = register.objections.lapse_due(NOON + days * DAY)
    assert (lapsing.references, lapsing.doubted_days) == ([], days)
    assert register.objections.lapse_due(NOON + timedelta(hours=1)).doubted_days is None
    assert phase(register, waiting) is ObjectionPhase.LODGED
    # The clock jumps again: the first doubt was answered, and does not count.
    assert register.objections.lapse_due(NOON + days * DAY + 2 * DAY).references == []
    assert phase(register, waiting) is ObjectionPhase.LODGED


def test_a_quiet_register_goes_on_after_a_day(register: Register, waiting: str) -> None:
    late = NOON + 20 * DAY
    assert register.objections.lapse_due(late).doubted_days == 20
    assert register.objections.lapse_due(late + timedelta(hours=23)).doubted_days == 20
    assert register.objections.lapse_due(late + DAY).references == [waiting]
    assert [entry.kind for entry in register.log.entries(after=6)] == [
        EntryKind.CLOCK_DOUBTED,
        EntryKind.CLOCK_AGREED,
        EntryKind.OBJECTION_LAPSED,
    ]


@pytest.mark.parametrize("days", [15, 3652])
def test_whoever_objects_under_a_wrong_clock_does_not_make_it_right(
    register: Register, waiting: str, days: int
) -> None:
    """A server whose clock jumped takes objections in, with its time, and its worker looks what is due."""
    wrong = NOON + days * DAY
    for hours in (0, 1, 23):
        register.objections.lodge([f"x:late{hours}"], channel="letter", now=wrong + timedelta(hours=hours))
        lapsing = register.objections.lapse_due(wrong + timedelta(hours=hours))
        assert (lapsing.references, lapsing.doubted_days) == ([], days)
        assert register.objections.clock_days(wrong + timedelta(hours=hours)) == days
    # Right again: what stands on record from the future is doubted in its turn, for a day.
    register.objections.lodge(["x:right"], channel="letter", now=NOON + DAY)
    assert register.objections.lapse_due(NOON + DAY).references == []
    assert phase(register, waiting) is ObjectionPhase.LODGED


def test_a_clock_that_entries_go_on_by_for_a_day_is_right(register: Register, waiting: str) -> None:
    """Nobody came for weeks, and then somebody does."""
    late = NOON + 20 * DAY
    for hours in (0, 12, 25):
        register.objections.lodge([f"x:late{hours}"], channel="letter", now=late + timedelta(hours=hours))
    assert register.objections.lapse_due(late + timedelta(hours=25)).references == [waiting]


def test_a_register_in_use_lapses_in_time(register: Register, waiting: str) -> None:
    register.objections.lodge(["x:b"], channel="letter", now=NOON + 13 * DAY)
    lapsing = register.objections.lapse_due(NOON + 15 * DAY)
    assert (lapsing.references, lapsing.doubted_days) == ([waiting], None)


def test_a_clock_that_went_back_ends_nothing_and_is_told(register: Register, waiting: str) -> None:
    register.objections.lodge(["x:b"], channel="letter", now=NOON + 90 * DAY)
    lapsing = register.objections.lapse_due(NOON + 16 * DAY)
    assert (lapsing.references, lapsing.doubted_days) == ([], -74)
    assert register.objections.lapse_due(NOON + 18 * DAY).references == []
    assert phase(register, waiting) is ObjectionPhase.LODGED


def test_a_doubt_is_on_record_only_where_something_would_end(register: Register) -> None:
    register.objections.lodge(["x:a"], channel="letter", now=NOON)
    assert register.objections.lapse_due(NOON + 60 * DAY).doubted_days == 60
    assert register.objections.clock_days(NOON + 60 * DAY) == 60
    assert register.objections.clock_days(NOON + 7 * DAY) is None
    assert register.log.head().seq == 1
