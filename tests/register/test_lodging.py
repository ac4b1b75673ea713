"""Objections recorded many at once are what they are when recorded one by one, on both databases."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from erasing import erase_details

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register import Receipt, Register
from demur.register.database.tables import entry, objected, objection
from demur.register.objections.lodging import Lodging

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROUND: Final[list[tuple[list[str], dict[str, Any]]]] = [
    (["forum:new"], {"channel": "api"}),
    (["forum:linked"], {"channel": "form", "received": date(2026, 11, 1)}),
    (["forum:new"], {"channel": "api"}),  # the same once more
    (["forum:Erased"], {"channel": "mail", "confirm_by": NOW + timedelta(days=30)}),
    (["nobody"], {"channel": "api"}),
    (["forum:bad\ud800"], {"channel": "api"}),
    (["instagram:ANN"], {"channel": "letter"}),
]
"""Each is for one account and without words."""
SLOW: Final[list[tuple[list[str], dict[str, Any]]]] = [
    (["forum:two", "x:two"], {"channel": "api"}),
    (["forum:reason"], {"channel": "api", "reason": "Mine."}),
    ([], {"channel": "api"}),
]
"""These go one by one."""


def prepared(register: Register) -> Register:
    """A register with an account that is linked with another, and one whose details were erased."""
    register.members.link("forum:linked", "mastodon:@linked@town.example", now=NOW)
    register.objections.lodge(["forum:Erased"], channel="mail", now=NOW)
    erase_details(register, "forum:Erased", now=NOW)
    return register


@pytest.fixture
def alone(tmp_path: Path, keys: Keys) -> Any:  # noqa: ANN401  # a fixture that closes what it gives
    """Another register under the same keys, where each is lodged by itself."""
    with Register.create(f"sqlite:///{tmp_path}/alone.db", keys) as register:
        yield prepared(register)


def rows(register: Register) -> list[list[tuple[Any, ...]]]:
    """Everything of objections and their entries that is not random."""
    tables = (
        (entry, ("seq", "kind", "binding", "time", "payload", "subjects")),
        (objection, ("seq", "phase", "active", "channel", "received", "lodged", "confirm_by", "changed")),
        (objected, ("objection", "account")),
    )
    found = []
    with register._store.reading() as connection:
        for table, names in tables:
            columns = [table.c[name] for name in names]
            statement = sa.select(*columns).order_by(*(column for column in columns if column.name != "subjects"))
            found.append([tuple(row) for row in connection.execute(statement)])
    return found


def one_by_one(register: Register, given: tuple[list[str], dict[str, Any]]) -> Receipt | None:
    accounts, said = given
    try:
        return register.objections.lodge(accounts, **said, now=NOW)
    except IdentityError:
        return None


def test_many_at_once_are_what_they_are_one_by_one(register: Register, alone: Register) -> None:
    prepared(register)
    answers = register.objections.lodge_all([Lodging(accounts, **said, now=NOW) for accounts, said in ROUND])
    expected = [one_by_one(alone, given) for given in ROUND]
    assert rows(register) == rows(alone)
    assert register.standing.suppressed().tolist() == alone.standing.suppressed().tolist()
    for answer, receipt in zip(answers, expected, strict=True):
        assert isinstance(answer, Receipt if receipt else IdentityError)
        if isinstance(answer, Receipt) and receipt:
            assert (answer.seq, answer.lodged) == (receipt.seq, receipt.lodged)
            assert answer.subjects.tolist() == receipt.subjects.tolist()
            assert register.objections.get(answer.reference).seq == answer.seq
    assert register.members.identifiers(register.members.covered_with("forum:Erased")) == [
        "forum:Erased"
    ]  # known again


def test_those_with_several_accounts_or_with_words_are_recorded_too(register: Register) -> None:
    given = [*SLOW, *ROUND[:2]]
    answers = register.objections.lodge_all([Lodging(accounts, **said, now=NOW) for accounts, said in given])
    two, reason, nobody, *_ = answers
    assert isinstance(nobody, IdentityError)
    assert isinstance(two, Receipt)
    assert isinstance(reason, Receipt)
    assert len(two.subjects) == 2
    assert register.objections.reason(reason.reference) == "Mine."
    assert sorted(each.seq for each in register.log.entries()) == list(range(1, 5))
    assert register.objections.in_force() == 4


def test_nothing_at_all_is_recorded_as_nothing(register: Register) -> None:
    assert register.objections.lodge_all([]) == []
    (answer,) = register.objections.lodge_all([Lodging(["nobody"], channel="api")])
    assert isinstance(answer, IdentityError)
    assert register.log.head().seq == 0
