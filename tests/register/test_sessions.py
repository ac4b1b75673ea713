"""Sessions, keys of the API, attachments and staff: who may come in, once or for a while, and who may not."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from erasing import erase_details

from demur.errors import RegisterError
from demur.register import KeyScope, Register, StaffRole
from demur.register.access.sessions import ANSWERS_KEPT, STAFF, close_sessions

if TYPE_CHECKING:
    from tests.register.conftest import Place

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
DIGEST = b"r" * 32


def test_a_link_is_spent_once_and_in_time(register: Register, place: "Place") -> None:
    assert register.sessions.spend(b"one", LATER, now=NOON)
    with place.open() as other:
        assert not other.sessions.spend(b"one", LATER, now=NOON)
    assert register.sessions.spend(b"other", LATER, now=NOON)
    assert not register.sessions.spend(b"late", NOON, now=NOON)


def test_a_session_is_found_by_its_secret_and_kind_until_it_expires(register: Register) -> None:
    secret = register.sessions.open("member", 2**62, 60, now=NOON)
    assert register.sessions.find(secret, "member", now=LATER - timedelta(seconds=1)) == 2**62
    assert register.sessions.find(secret, "member", now=LATER) is None
    assert register.sessions.find(secret, STAFF, now=NOON) is None
    assert register.sessions.find("forged \ud83d", "member", now=NOON) is None
    assert secret != register.sessions.open("member", 2**62, 60, now=NOON)


def test_sessions_are_closed_one_by_one_and_all_together(register: Register) -> None:
    one, two, staff = (register.sessions.open(kind, 7, 60, now=NOON) for kind in ("member", "member", STAFF))
    three = register.sessions.open("member", 7, 60, now=NOON)
    register.sessions.close(one)
    assert register.sessions.find(one, "member", now=NOON) is None
    assert register.sessions.find(two, "member", now=NOON) == 7
    with register._store.writing() as connection:
        close_sessions(connection, np.array([7], np.int64))
    assert register.sessions.find(two, "member", now=NOON) is register.sessions.find(three, "member", now=NOON) is None
    assert register.sessions.find(staff, STAFF, now=NOON) == 7


def test_erasing_closes_the_sessions_of_the_person_alone(register: Register) -> None:
    receipt = register.objections.lodge(["x:ann"], channel="web")
    theirs = register.sessions.open("member", int(receipt.subjects[0]), 60, now=NOON)
    other = register.sessions.open("member", 5, 60, now=NOON)
    erase_details(register, "x:ann")
    assert register.sessions.find(theirs, "member", now=NOON) is None
    assert register.sessions.find(other, "member", now=NOON) == 5


def test_the_same_request_has_the_answer_it_had(register: Register) -> None:
    assert register.sessions.answered(b"key") is None
    register.sessions.remember_all([(b"key", DIGEST, '{"reference": "\u00e9"}')], now=NOON)
    register.sessions.remember_all([(b"key", b"s" * 32, "{}")], now=NOON)
    assert register.sessions.answered(b"key") == (DIGEST, '{"reference": "\u00e9"}')


def test_what_has_expired_is_forgotten(register: Register) -> None:
    register.sessions.spend(b"one", LATER, now=NOON)
    register.sessions.open("member", 7, 60, now=NOON)
    register.sessions.open("member", 7, 61, now=NOON)
    register.sessions.remember_all([(b"key", DIGEST, "{}")], now=LATER - ANSWERS_KEPT)
    register.sessions.remember_all([(b"new", DIGEST, "{}")], now=LATER)
    assert register.sessions.clean(now=NOON) == 0
    assert register.sessions.clean(now=LATER) == 3
    assert register.sessions.answered(b"new") is not None


def test_a_key_of_the_api_holds_until_it_is_revoked(register: Register) -> None:
    secret = register.api_keys.create("platform", now=NOON)
    assert secret.startswith("demur_")
    found = register.api_keys.check(secret)
    assert found is not None
    assert (found.name, found.scope, found.expires) == ("platform", KeyScope.PLATFORM, None)
    assert register.api_keys.check(secret[:-1]) is None
    with pytest.raises(RegisterError, match="'platform' is in use"):
        register.api_keys.create("platform")
    register.api_keys.revoke("platform", now=LATER)
    assert register.api_keys.check(secret) is None
    with pytest.raises(RegisterError, match="No key 'platform' is in use"):
        register.api_keys.revoke("platform")
    assert register.api_keys.create("platform") != secret
    assert [(key.name, key.revoked) for key in register.api_keys.list()] == [("platform", LATER), ("platform", None)]
    assert [entry.kind for entry in register.log.entries()] == ["key.created", "key.revoked", "key.created"]


def test_attachments_belong_to_an_objection(register: Register) -> None:
    receipt = register.objections.lodge(["x:ann"], channel="web")
    other = register.objections.lodge(["x:ben"], channel="web")
    first = register.attachments.add(receipt.reference, "a \ud83d.pdf", "application/pdf", b"%PDF")
    second = register.attachments.add(receipt.reference.lower(), "b", "", b"")
    register.attachments.add(other.reference, "c", "text/plain", b"c")
    found = register.attachments.of(receipt.reference)
    assert [(each.id, each.name, each.type, each.size) for each in found] == [
        (first, "a ?.pdf", "application/pdf", 4),
        (second, "b", "", 0),
    ]
    assert register.attachments.read(first) == b"%PDF"
    with pytest.raises(RegisterError, match="no attachment 99"):
        register.attachments.read(99)
    with pytest.raises(RegisterError, match="No objection has the reference"):
        register.attachments.add("0000 0000 0000 0000", "a", "b", b"")


def test_attachments_are_erased_with_the_person(register: Register) -> None:
    receipt = register.objections.lodge(["x:ann"], channel="web", statement={"names": ["Ann"]}, reason="because")
    other = register.objections.lodge(["x:ben"], channel="web")
    number = register.attachments.add(receipt.reference, "a", "text/plain", b"a")
    kept = register.attachments.add(other.reference, "b", "text/plain", b"b")
    erase_details(register, "x:ann")
    assert register.attachments.of(receipt.reference) == []
    assert register.objections.statement(receipt.reference) is None
    with pytest.raises(RegisterError, match="no attachment"):
        register.attachments.read(number)
    with pytest.raises(RegisterError, match="were erased"):
        register.attachments.add(receipt.reference, "a", "text/plain", b"a")
    assert register.attachments.read(kept) == b"b"
    assert register.attachments.add(other.reference, "c", "text/plain", b"c") == 3


def test_staff_join_once_by_invitation_and_in_time(register: Register) -> None:
    secret = register.staff.invite("Olga", "officer", LATER, now=NOON)
    late = register.staff.invite("Emil", StaffRole.ENGINEER, NOON, now=NOON)
    invited = register.staff.joining(secret, now=NOON)
    assert invited is not None
    assert (invited.id, invited.name, invited.role, invited.joined) == (1, "Olga", StaffRole.OFFICER, None)
    assert register.staff.joining(late, now=NOON) is register.staff.joining("forged", now=NOON) is None
    olga = register.staff.join(secret, b"credential", b"public", 0, now=NOON)
    assert (olga.joined, olga.removed) == (NOON, None)
    assert register.staff.joining(secret, now=NOON) is None
    with pytest.raises(RegisterError, match="was used or has expired"):
        register.staff.join(secret, b"another", b"public", 0, now=NOON)
    again = register.staff.invite("Eva", "auditor", LATER, now=NOON)
    with pytest.raises(RegisterError, match="in use already"):
        register.staff.join(again, b"credential", b"public", 0, now=NOON)
    assert register.staff.joining(again, now=NOON) is not None
    assert [each.name for each in register.staff.list()] == ["Olga", "Emil", "Eva"]


def test_staff_sign_in_until_they_are_removed(register: Register) -> None:
    secret = register.staff.invite("Olga", "officer", LATER, now=NOON)
    olga = register.staff.join(secret, b"credential", b"public", 0, now=NOON)
    assert register.staff.passkey(b"credential") == (olga, b"public", 0)
    register.staff.used(b"credential", 4, now=NOON)
    assert register.staff.passkey(b"credential") == (olga, b"public", 4)
    session = register.sessions.open(STAFF, olga.id, 60, now=NOON)
    register.staff.remove(olga.id, now=LATER)
    register.staff.remove(olga.id)
    assert register.staff.staff(olga.id).removed == LATER
    assert register.staff.passkey(b"credential") is None
    assert register.sessions.find(session, STAFF, now=NOON) is None
    with pytest.raises(RegisterError, match="nobody's"):
        register.staff.used(b"credential", 5)
    kinds = [entry.kind for entry in register.log.entries()]
    assert kinds == ["staff.invited", "staff.joined", "staff.signed-in", "staff.removed"]
    assert all("Olga" not in str(entry.payload) for entry in register.log.entries())


def test_who_is_removed_before_joining_can_not_join(register: Register) -> None:
    secret = register.staff.invite("Olga", "officer", LATER, now=NOON)
    register.staff.remove(1)
    assert register.staff.joining(secret, now=NOON) is None
    with pytest.raises(RegisterError, match="no member of staff 2"):
        register.staff.remove(2)


@pytest.mark.parametrize(("name", "role"), [("Olga", "owner"), (" ", "officer"), ("Olga", "")])
def test_staff_have_a_name_and_a_role(register: Register, name: str, role: str) -> None:
    with pytest.raises(RegisterError, match=r"a name and a role \(officer, engineer, auditor\)"):
        register.staff.invite(name, role, LATER)
