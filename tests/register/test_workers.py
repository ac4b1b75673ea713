"""Who delivers: what is in hand is in the hands of one who is at work."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from demur.register import Register
from demur.register.contact.workers import SILENT_S

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def post(register: Register, number: int) -> None:
    for each in range(number):
        register.mails.post("copy-ready", "en", {"url": "x"}, address=f"m{each}@mail.example", now=NOW)


def claimed(register: Register, limit: int, worker: int) -> Sequence[int]:
    return sorted(each.id for each in register.mails.claim(limit, worker=worker, now=later(1)))


def test_what_one_has_in_hand_is_nobody_elses_until_it_ends(register: Register) -> None:
    post(register, 4)
    one, other = register.workers.begin(now=NOW), register.workers.begin(now=NOW)
    first, second = claimed(register, 2, one), claimed(register, 9, other)
    assert sorted([*first, *second]) == [1, 2, 3, 4]
    assert register.mails.requeue_interrupted() == 0
    register.mails.sent(second)
    register.workers.end(one, now=NOW)
    assert claimed(register, 9, other) == first


def test_who_is_silent_counts_as_ended_and_finds_that_out(register: Register) -> None:
    post(register, 2)
    one, other = register.workers.begin(now=NOW), register.workers.begin(now=NOW)
    assert claimed(register, 2, one) == [1, 2]
    assert register.workers.beat(other, now=later(SILENT_S))
    assert claimed(register, 2, other) == []
    assert register.workers.beat(other, now=later(SILENT_S + 1))
    assert claimed(register, 2, other) == [1, 2]
    assert not register.workers.beat(one, now=later(SILENT_S + 2))
    assert [each.number for each in register.workers.at_work()] == [other]
    assert register.workers.begin(now=later(99)) > other, "no number is given twice"


def test_who_asks_for_more_and_did_not_hear_the_answer_gets_the_same(register: Register) -> None:
    post(register, 2)
    one = register.workers.begin(now=NOW)
    assert claimed(register, 9, one) == [1, 2]
    assert claimed(register, 9, one) == [1, 2]
    assert claimed(register, 9, register.workers.begin(now=NOW)) == []


def test_who_takes_a_dead_ones_place_has_what_it_had_at_once(register: Register) -> None:
    post(register, 1)
    one = register.workers.begin(now=NOW)
    assert claimed(register, 1, one) == [1]
    following = register.workers.begin(after=one, now=later(1))
    assert claimed(register, 1, following) == [1]
    assert [each.number for each in register.workers.at_work()] == [following]
