"""What somebody hostile tries on the portal, and what a proxy that was set up in haste lets through."""

import time
from collections.abc import Callable

import pytest
from objecting import as_person, letters, path_in, state_of, typed
from pages import Visitor
from town import ANN

from demur.register import ObjectionPhase
from demur.web.desk import Desk
from demur.web.limits import Limits, Rate, Rates
from demur.workspace import Workspace

STRANGER = "mail:stranger@far.example"


def withdraw(visitor: Visitor, receipt_url: str) -> None:
    visitor.submit(visitor.get(f"{receipt_url}/withdraw"))


def multipart(charset: str, content: bytes) -> dict[str, object]:
    head = b'--b\r\nContent-Disposition: form-data; name="reason"\r\n\r\n'
    kind = f'multipart/form-data; boundary=b; charset="{charset}"'
    return {"content": head + content + b"\r\n--b--\r\n", "headers": {"content-type": kind}}


def test_who_confirmed_reads_of_it_when_whoever_typed_their_account_withdraws(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, ANN)
    (question,) = letters(desk)
    visitor.submit(visitor.get(path_in(question)), button="yes")
    withdraw(visitor, receipt.path)
    assert state_of(desk, receipt).phase is ObjectionPhase.WITHDRAWN
    assert [(each.template, each.address) for each in letters(desk)] == [("withdrawn", question.address)]


def test_who_confirmed_reads_of_it_when_a_form_without_account_is_withdrawn(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, links=ANN)
    (question,) = letters(desk)
    visitor.submit(visitor.get(path_in(question)), button="yes")
    withdraw(visitor, receipt.path)
    assert [(each.template, each.address) for each in letters(desk)] == [("withdrawn", question.address)]


@pytest.mark.parametrize("channel", ["api", "letter", "mail", "ticket", "form"])
def test_whoever_objected_by_the_platform_or_a_letter_reads_of_a_withdrawal(
    visitor: Visitor, desk: Desk, channel: str
) -> None:
    """Whoever has the reference can withdraw."""
    receipt = desk.register.lodge([ANN], channel=channel)
    page = visitor.submit(visitor.get("/en/status"), {"reference": receipt.reference})
    withdraw(visitor, page.path)
    assert [(each.template, each.address) for each in letters(desk)] == [("withdrawn", "ann@town.example")]


def test_nobody_is_mailed_when_what_nobody_confirmed_is_withdrawn(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, ANN)
    letters(desk)
    withdraw(visitor, receipt.path)
    assert letters(desk) == []


def test_the_contact_of_somebody_without_an_account_reads_of_a_withdrawal_once(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Ann Sample", contact="ann@far.example")
    letters(desk)
    page = visitor.get(f"{receipt.path}/withdraw")
    visitor.submit(page)
    visitor.submit(page)
    assert [(each.template, each.address) for each in letters(desk)] == [("withdrawn", "ann@far.example")]


def test_saying_yes_twice_after_a_no_is_one_objection(visitor: Visitor, desk: Desk) -> None:
    as_person(visitor, names="Ann Sample", contact="ann@far.example")
    question = next(each for each in letters(desk) if each.template == "confirm")
    visitor.submit(visitor.get(path_in(question)), button="no")
    page = visitor.get(path_in(question))
    before = desk.register.in_force()
    visitor.submit(page)
    visitor.submit(page)
    assert desk.register.in_force() == before + 1


def test_a_form_s_character_set_costs_nothing(visitor: Visitor) -> None:
    receipt = typed(visitor, STRANGER)
    sent = multipart("punycode", b"a" * 60_000 + b"-" + b"b" * 60_000)
    began = time.perf_counter()
    visitor.client.post(f"{receipt.path}/add", follow_redirects=False, **sent)  # type: ignore[arg-type]  # as httpx has it
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("charset", ["unicode_escape", "raw_unicode_escape", "utf-16", "idna", "undefined", "\0"])
def test_a_form_in_an_odd_character_set_is_no_error_of_ours(visitor: Visitor, charset: str) -> None:
    receipt = typed(visitor, STRANGER)
    sent = multipart(charset, rb"\ud800")
    answer = visitor.client.post(f"{receipt.path}/add", follow_redirects=False, **sent)  # type: ignore[arg-type]  # the same
    assert answer.status_code in {303, 400}


def test_the_outbox_is_not_there_once_the_portal_has_a_public_address(visitor: Visitor, workspace: Workspace) -> None:
    workspace.outbox_path.mkdir(exist_ok=True)
    assert visitor.client.get("/outbox").status_code == 200
    said = workspace.policy_path.read_text()
    workspace.policy_path.write_text(said.replace("http://127.0.0.1:8470", "https://optout.forum.example"))
    assert visitor.client.get("/outbox").status_code == 404  # a proxy on this machine may pass everybody on as itself


def test_nobody_can_keep_others_from_objecting_by_typing_their_account(visit: Callable[..., Visitor]) -> None:
    never = Rate(10**9, 1.0)
    limits = Limits(Rates(page=never, act=never, account=Rate(2, 0.001), letter=never))
    hostile = visit(limits, address="192.0.2.1")
    for _ in range(2):
        typed(hostile, ANN)
    typed(hostile, ANN, status=429)
    typed(visit(limits, address="192.0.2.2"), ANN, status=200)
