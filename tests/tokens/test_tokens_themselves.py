"""Signed links: they say what they were made to say, for one purpose, and no longer than they may."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import IdentityError
from demur.tokens import Purpose, Tokens

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TOKENS = Tokens(bytes(32))

purposes = st.sampled_from(Purpose)
numbers = st.integers(0, 2**63 - 1)
expiries = st.none() | st.datetimes(datetime(2026, 6, 16), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(purposes, numbers, expiries)
def test_a_token_says_what_it_was_made_of(purpose: Purpose, number: int, expires: datetime | None) -> None:
    made = TOKENS.make(purpose, number, expires=expires)
    read = TOKENS.read(made, purpose, NOW)
    assert read.number == number
    assert read.expires == (None if expires is None else expires.replace(microsecond=0))
    assert len(made) == (36 if expires is None else 52)


@given(purposes, purposes, numbers)
def test_a_token_is_for_one_purpose(purpose: Purpose, other: Purpose, number: int) -> None:
    made = TOKENS.make(purpose, number)
    if other is not purpose:
        with pytest.raises(IdentityError, match="damaged"):
            TOKENS.read(made, other, NOW)


@given(purposes, numbers, expiries, st.data())
def test_a_token_with_any_change_is_refused(
    purpose: Purpose, number: int, expires: datetime | None, data: st.DataObject
) -> None:
    made = TOKENS.make(purpose, number, expires=expires)
    at = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_=/+. é").filter(lambda letter: letter != made[at]))
    for changed in (made[:at] + letter + made[at + 1 :], made[:at], made[at + 1 :], made + letter, made[:at] + made):
        if changed != made:
            with pytest.raises(IdentityError, match="damaged"):
                TOKENS.read(changed, purpose, NOW)


@given(st.text())
def test_whatever_is_typed_is_refused_in_one_sentence(typed: str) -> None:
    with pytest.raises(IdentityError, match="damaged"):
        TOKENS.read(typed, Purpose.OBJECT, NOW)


def test_a_token_of_another_workspace_is_refused() -> None:
    made = Tokens(bytes(31) + b"\1").make(Purpose.OBJECT, 7)
    with pytest.raises(IdentityError, match="damaged"):
        TOKENS.read(made, Purpose.OBJECT, NOW)


def test_a_token_expires_where_it_should_and_only_there() -> None:
    made = TOKENS.make(Purpose.READ, 7, expires=NOW + timedelta(hours=1))
    TOKENS.read(made, Purpose.READ, NOW + timedelta(minutes=59))
    with pytest.raises(IdentityError, match="expired"):
        TOKENS.read(made, Purpose.READ, NOW + timedelta(hours=1))
    TOKENS.read(TOKENS.make(Purpose.OBJECT, 7), Purpose.OBJECT, NOW + timedelta(days=36_500))


def test_two_links_to_read_are_never_the_same() -> None:
    hour = NOW + timedelta(hours=1)
    first, second = (TOKENS.make(Purpose.READ, 7, expires=hour) for _ in range(2))
    assert TOKENS.read(first, Purpose.READ, NOW).digest != TOKENS.read(second, Purpose.READ, NOW).digest


def test_a_token_of_an_entry_says_in_which_incarnation_and_no_other_does() -> None:
    third = Tokens(bytes(32), 3)
    assert third.read(third.make(Purpose.RECEIPT, 7), Purpose.RECEIPT).incarnation == 3
    assert third.read(TOKENS.make(Purpose.RECEIPT, 7), Purpose.RECEIPT).incarnation == 1, (
        "an older link goes on working"
    )
    assert third.make(Purpose.OBJECT, 7) == TOKENS.make(Purpose.OBJECT, 7)
