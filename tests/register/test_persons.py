"""What is a person's own in the register, and the marks and the end of an erasure, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import MEMBER, Erasure, Register, merged
from demur.register.persons import OwnObjection

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ANN, BEN, CEM = "irc:ann", "irc:ben", "irc:cem"


def own(register: Register, account: str) -> list[int]:
    keys: list[int] = register.persons.own(account).tolist()
    return keys


def objections(register: Register, account: str) -> list[OwnObjection]:
    return register.persons.objections(register.persons.own(account))


def test_accounts_are_ones_own_by_members_and_by_staff_and_not_by_being_named(register: Register, keys: Keys) -> None:
    assert own(register, ANN) == [keys.pepper.subject_key(ANN)], "known or not"
    register.objections.lodge([ANN, BEN], channel="form", now=NOW)
    assert len(own(register, ANN)) == 1
    assert register.persons.claimed(register.persons.own(ANN)) == 1
    register.members.import_all(
        [pa.RecordBatch.from_pylist([{"account": ANN, "linked": [CEM]}], schema=MEMBER)], now=NOW
    )
    assert own(register, CEM) == sorted(keys.pepper.subject_keys([ANN, CEM]).tolist())
    register.members.link(ANN, BEN, now=NOW)
    assert len(own(register, BEN)) == 3
    assert register.persons.claimed(register.persons.own(BEN)) == 0
    with pytest.raises(IdentityError):
        register.persons.own("ann")


def test_an_objection_is_told_with_its_steps_and_whether_it_is_all_theirs(register: Register) -> None:
    shared = register.objections.lodge([ANN, BEN], channel="form", now=NOW).reference
    whole = register.objections.lodge([ANN], channel="form", now=NOW).reference
    register.objections.confirm(whole, now=NOW + timedelta(hours=1))
    register.objections.lodge([CEM], channel="form", now=NOW)
    register.objections.withdraw(whole, now=NOW + timedelta(hours=2))
    found = objections(register, ANN)
    assert [(each.state.reference, each.whole) for each in found] == [(shared, False), (whole, True)]
    assert found[0].steps == (("lodged", NOW),)
    assert found[1].steps == (
        ("lodged", NOW),
        ("confirmed", NOW + timedelta(hours=1)),
        ("withdrawn", NOW + timedelta(hours=2)),
    )
    assert [each.whole for each in objections(register, BEN)] == [False]


def test_the_steps_of_objections_with_like_numbers_are_told_apart(register: Register) -> None:
    references = [
        register.objections.lodge([f"irc:n{number}"], channel="form", now=NOW).reference for number in range(12)
    ]
    register.objections.confirm(references[10], now=NOW)
    assert [len(each.steps) for each in objections(register, "irc:n0")] == [1], "number 1 is not number 11"
    assert [len(each.steps) for each in objections(register, "irc:n10")] == [2]


def test_erasures_are_on_record_until_they_are_finished(register: Register) -> None:
    first, second = Erasure(1, "A", own=2, versions=["v1"]), Erasure(2, "B")
    for each in (first, second, first):
        register.persons.note(each)
    assert {each.subject for each in register.persons.erasures()} == {1, 2}
    register.persons.finished(first)
    assert len(register.persons.erasures()) == 2, "asked for again: its details are to be destroyed once more"
    register.persons.note(replace(first, destroyed=True))
    register.persons.finished(first)
    assert [(each.subject, each.reference, each.own) for each in register.persons.erasures()] == [(2, "B", 0)]


def test_two_looks_at_one_erasure_lose_nothing() -> None:
    early = Erasure(1, "A", own=5, about=1, versions=["v1"], recalls=[["v1", "/x"]])
    late = Erasure(
        1, "A", own=0, about=3, versions=["v2"], recalls=[("v1", "/x"), ("v2", "/y")], unchecked=[("v0", "/z")]
    )
    both = merged(early, late)
    assert (both.own, both.about, both.versions) == (5, 3, ["v1", "v2"])
    assert (both.recalls, both.unchecked) == ([("v1", "/x"), ("v2", "/y")], [("v0", "/z")])


def test_what_is_destroyed_is_the_persons_own_and_no_more(register: Register) -> None:
    rows = [
        {"account": account, "names": ["N"], "mail": f"{account[4:]}@post.example", "region": "DE", "birth_year": 1980}
        for account in (ANN, BEN)
    ]
    register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
    register.objections.lodge([ANN, BEN], channel="form", reason="hers", now=NOW)
    theirs = register.objections.lodge([BEN], channel="form", reason="his", now=NOW).reference
    keys = register.persons.own(ANN)
    assert register.persons.addresses(keys) == {"ann@post.example"}
    register.persons.destroy(keys)
    assert register.persons.scrub()
    assert register.members.get(ANN) is None
    assert register.persons.addresses(keys) == frozenset()
    ben = register.members.get(BEN)
    assert ben is not None
    assert (ben.mail, ben.region, register.objections.reason(theirs)) == ("ben@post.example", "DE", "his")
    facts = register.standing.facts()
    gone = facts.keys == register.persons.subject(ANN)
    assert facts.birth_year[gone].tolist() in ([0], [])
    assert set(keys.tolist()) <= set(register.standing.suppressed().tolist()), "the keyed suppression stays"


def test_inside_a_transaction_nothing_is_overwritten_yet(register: Register) -> None:
    with register.locked():
        assert not register.persons.scrub()
    assert register.persons.scrub()
