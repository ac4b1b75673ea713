"""What somebody gives besides, later, is erased with them: links and accounts that nobody's account seals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from making import NOW, open_policy
from places import create

from demur.objecting.called import Called, add
from demur.objecting.channels import Route
from demur.objecting.lodging import by_proof
from demur.objecting.office import Office
from demur.register import Register
from demur.rights.erasing import erase
from demur.tokens import Tokens
from demur.workspace import Workspace

pytestmark = pytest.mark.either

ANN = "forum:ann"
LINK = "https://far.example/people/zebedee-quince"
ELSEWHERE = "mastodon:@silly@far.example"


@pytest.fixture
def workspace(fast_tmp: Path) -> Workspace:
    return create(fast_tmp / "w", open_policy())


@pytest.fixture
def register(workspace: Workspace) -> Iterator[Register]:
    with workspace.register() as opened:
        yield opened


def office(workspace: Workspace) -> Office:
    return Office(workspace.policy(), workspace.keys(), Tokens.of(workspace.keys(), 1), NOW)


def objected(workspace: Workspace, register: Register, account: str = ANN) -> str:
    """The reference of an objection by whoever has shown that the account is theirs."""
    number = by_proof(register, register.persons.subject(account), Route.LINK, office(workspace), account)
    reference = register.objections.reference_of(number)
    assert reference is not None
    return reference


def gives(workspace: Workspace, register: Register, reference: str, called: Called) -> str | None:
    number = add(register, reference, called, office(workspace), frozenset())
    return None if number is None else register.objections.reference_of(number)


def test_links_that_were_given_later_go_with_an_erasure(workspace: Workspace, register: Register) -> None:
    reference = objected(workspace, register)
    register.members.link(ANN, "forum:ann2", now=NOW)
    beside = gives(workspace, register, reference, Called(names=("Annie",), accounts=(ELSEWHERE,), links=(LINK,)))
    assert beside is not None
    more = gives(workspace, register, beside, Called(links=(LINK + "/more",))) if _proven(register, beside) else None
    before = register.objections.statement(beside)
    assert before is not None
    assert before["links"] == [LINK]
    erased = erase(workspace, "forum:ann2", now=NOW)
    assert erased.accounts == 2
    assert register.objections.statement(beside) is None
    assert more is None or register.objections.statement(more) is None
    assert register.objections.get(beside).binding  # it goes on holding for what it named
    assert register.persons.covered(register.persons.subject(ELSEWHERE))


def _proven(register: Register, reference: str) -> bool:
    """Have what was given besides confirmed, so that more can be given with it."""
    return register.objections.confirm(reference, now=NOW).binding


def test_what_somebody_else_gave_stays(workspace: Workspace, register: Register) -> None:
    theirs = objected(workspace, register, "forum:bob")
    beside = gives(workspace, register, theirs, Called(links=(LINK,)))
    gives(workspace, register, objected(workspace, register), Called(links=(LINK + "2",)))
    assert beside is not None
    erase(workspace, ANN, now=NOW)
    said = register.objections.statement(beside)
    assert said is not None
    assert said["links"] == [LINK]


def test_the_register_is_whole_after_it(workspace: Workspace, register: Register) -> None:
    beside = gives(workspace, register, objected(workspace, register), Called(links=(LINK,)))
    erase(workspace, ANN, now=NOW)
    wrong: list[str] = []
    register.audit(wrong.append)
    assert (wrong, beside is not None) == ([], True)
