"""Whose accounts belong together, and how many objections are in force, as the commands ask for them."""

from datetime import UTC, datetime, timedelta

import pytest
from silence import doubted

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import Register

ANN, BEN, CEM = "forum:ann", "irc:ben", "forum:cem"


def _keys(keys: Keys, *accounts: str) -> list[int]:
    return sorted(keys.pepper.subject_keys(accounts).tolist())


def test_an_account_nobody_has_heard_of_stands_for_itself(register: Register, keys: Keys) -> None:
    assert register.members.covered_with(ANN).tolist() == _keys(keys, ANN)
    assert register.log.head().seq == 0


def test_a_person_has_all_linked_accounts(register: Register, keys: Keys) -> None:
    register.members.link(ANN, BEN)
    register.members.link(BEN, CEM)
    assert register.members.covered_with("irc:BEN").tolist() == _keys(keys, ANN, BEN, CEM)
    register.members.unlink(ANN, BEN)
    assert register.members.covered_with(ANN).tolist() == _keys(keys, ANN)
    assert register.members.covered_with(CEM).tolist() == _keys(keys, BEN, CEM)


def test_a_malformed_account_is_no_person(register: Register) -> None:
    with pytest.raises(IdentityError, match="namespace:value"):
        register.members.covered_with("ann")


def test_objections_in_force_are_counted(register: Register) -> None:
    assert register.objections.in_force() == 0
    first = register.objections.lodge([ANN], channel="letter")
    second = register.objections.lodge([ANN, BEN], channel="typed-in")
    doubted(register, second.reference, datetime.now(UTC) - timedelta(days=1))
    assert register.objections.in_force() == 2
    register.objections.lapse_overdue()
    register.objections.confirm(first.reference)
    assert register.objections.in_force() == 1
    register.objections.withdraw(first.reference)
    assert register.objections.in_force() == 0
