"""What somebody hostile tries on the portal, and what a proxy that was set up in haste lets through."""

import time
from collections.abc import Callable

import pytest
from pages import Page, Visitor
from town import ANN
from ways import anonymous, as_person, bound, letters, path_in, typed

from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace

STRANGER = "mail:stranger@far.example"


def withdraw(visitor: Visitor, receipt_url: str) -> None:
    visitor.submit(visitor.get(f"{receipt_url}/withdraw"))


def multipart(charset: str, content: bytes) -> dict[str, object]:
    head = b'--b\r\nContent-Disposition: form-data; name="reason"\r\n\r\n'
    kind = f'multipart/form-data; boundary=b; charset="{charset}"'
    return {"content": head + content + b"\r\n--b--\r\n", "headers": {"content-type": kind}}


Lodged = Callable[[Visitor], Page]

TYPED: list[Lodged] = [lambda visitor: typed(visitor, ANN), lambda visitor: as_person(visitor, links=ANN)]


@pytest.mark.parametrize("lodge", TYPED, ids=["typed", "form"])
def test_what_its_holder_confirmed_is_theirs_to_withdraw_and_not_its_typists(
    visitor: Visitor, desk: Desk, lodge: Lodged
) -> None:
    receipt = lodge(visitor)
    (question,) = letters(desk)
    visitor.submit(visitor.get(path_in(question)), button="yes")
    page = visitor.submit(visitor.get(f"{receipt.path}/withdraw"))
    assert page.h1 == "We have received your withdrawal"
    assert bound(desk, ANN)
    assert letters(desk) == []
    confirmed = visitor.get(path_in(question))
    assert not [each for each in confirmed.links if "/receipt/" in each]
    (onward,) = [each for each in confirmed.links if each.endswith("/withdraw")]
    ended = visitor.submit(visitor.get(onward))
    assert ended.h1 == "Your objection is withdrawn"
    assert not bound(desk, ANN)
    assert [(each.template, each.address) for each in letters(desk)] == [("withdrawn", question.address)]


@pytest.mark.parametrize("answer", ["", "yes", "no", "withdrawn"])
def test_no_receipt_of_a_typed_account_tells_what_its_holder_did(visitor: Visitor, desk: Desk, answer: str) -> None:
    """Before its typist withdraws, and after it."""
    receipt, control = typed(visitor, ANN), typed(visitor, "nobody")
    question = letters(desk)[0]
    if answer:
        visitor.submit(visitor.get(path_in(question)), button="no" if answer == "no" else "yes")
    if answer == "withdrawn":
        visitor.submit(visitor.get(f"{path_in(question)}/withdraw"))
    for act in (visitor.get, lambda path: visitor.submit(visitor.get(f"{path}/withdraw")), visitor.get):
        assert anonymous(act(receipt.path)) == anonymous(act(control.path))


def test_a_contact_that_confirmed_keeps_what_was_said_for_it(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Ann Sample", contact="ann@far.example")
    question = next(each for each in letters(desk) if each.template == "confirm")
    visitor.submit(visitor.get(path_in(question)), button="yes")
    withdraw(visitor, receipt.path)
    assert desk.register.objections.in_force() == 1
    visitor.submit(visitor.get(f"{path_in(question)}/withdraw"))
    assert desk.register.objections.in_force() == 0


@pytest.mark.parametrize("channel", ["api", "letter", "mail", "ticket", "form"])
def test_whoever_objected_by_the_platform_or_a_letter_reads_of_a_withdrawal(
    visitor: Visitor, desk: Desk, channel: str
) -> None:
    """Whoever has the reference can withdraw."""
    receipt = desk.register.objections.lodge([ANN], channel=channel)
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
    before = desk.register.objections.in_force()
    visitor.submit(page)
    visitor.submit(page)
    assert desk.register.objections.in_force() == before + 1


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
    limits = Limits(Rates(page=never, act=never, account=Rate(2, 0.001), question=never))
    hostile = visit(limits, address="192.0.2.1")
    for _ in range(2):
        typed(hostile, ANN)
    typed(hostile, ANN, status=429)
    typed(visit(limits, address="192.0.2.2"), ANN, status=200)
