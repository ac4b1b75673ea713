"""An account typed in, and no account at all: they bind at once, and tell nothing of who is known."""

import re
import time
from collections.abc import Callable

import pytest
from pages import Visitor
from places import content
from silence import doubted
from town import ANN, ANNS_OTHER, DIETER, SILENT
from ways import anonymous, as_person, bound, letters, path_in, state_of, typed

from demur.objecting.naming import account_of
from demur.register import ObjectionPhase
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ann", "forum:ann"),
        ("@ann", "forum:ann"),
        ("  ann  ", "forum:ann"),
        ("Ann Archer", "forum:Ann Archer"),
        ("forum:ann", "forum:ann"),
        ("Forum: ann", "forum:ann"),
        ("instagram:Ann.X", "instagram:ann.x"),
        ("Ann@Town.Example", "mail:ann@town.example"),
        ("ann@town.example.", "mail:ann@town.example"),
        ("ann@town.example,", "mail:ann@town.example"),
        ("<ann@town.example>", "mail:ann@town.example"),
        ("mailto:ann@town.example", "mail:ann@town.example"),
        ("Ann Archer <ann@town.example>", "mail:ann@town.example"),
        ("Ann ann@town.example", "mail:ann@town.example"),
        ("irc:ann@net.example", "irc:ann@net.example"),
        ("Ann Archer Jr.", "forum:Ann Archer Jr."),
        ("ann@town.example ben@town.example", None),
        ("@ann@town.example", "mastodon:@ann@town.example"),
        ("@ann@town.example.", "mastodon:@ann@town.example"),
        ("https://town.example/@ann", "mastodon:@ann@town.example"),
        ("https://www.instagram.com/ann.x/?hl=de", "instagram:ann.x"),
        ("instagram.com/ann.x", "instagram:ann.x"),
        ("\u200bann\u202e", "forum:ann"),
        ("ann\r\nbcc: x", "forum:ann bcc: x"),
        ("", None),
        (" \u200b ", None),
        ("https://instagram.com/p/abc", None),
        ("http://", None),
        (":", "forum::"),
    ],
)
def test_what_is_typed_becomes_an_account(written: str, meant: str | None) -> None:
    assert account_of(written, "forum") == meant


def test_a_bare_name_is_no_account_where_the_platform_has_no_namespace() -> None:
    assert account_of("ann", "") is None
    assert account_of("ann@town.example", "") == "mail:ann@town.example"


@pytest.mark.parametrize("written", ["ann", "ann@town.example", "mastodon:@ann@town.example", "@ann@town.example"])
def test_binds_at_once_and_asks_the_holder_of_the_address_on_file(visitor: Visitor, desk: Desk, written: str) -> None:
    state = state_of(desk, typed(visitor, written))
    assert bound(desk, ANN, ANNS_OTHER)
    (letter,) = letters(desk)
    assert (letter.address, letter.template, letter.language) == ("ann@town.example", "confirm", "en")
    assert (desk.register.objections.get(state.reference).confirm_by, letter.params["confirm_by"]) == (None, None)


def test_the_question_is_asked_in_the_language_on_file(visitor: Visitor, desk: Desk) -> None:
    typed(visitor, "dieter", "mt")
    (letter,) = letters(desk)
    assert letter.language == "de"
    assert visitor.get(path_in(letter)).language == "de"


@pytest.mark.parametrize("account", ["silent", "nobody", "nobody@nowhere.example"])
def test_where_nobody_can_be_asked_it_does_not_lapse_and_the_officer_sees_it(
    visitor: Visitor, desk: Desk, account: str
) -> None:
    state = state_of(desk, typed(visitor, account))
    assert (state.binding, state.confirm_by) == (True, None)
    assert letters(desk) == []
    assert state in desk.register.objections.waiting()


def test_the_answer_is_the_same_in_every_case(visitor: Visitor) -> None:
    """Known, linked, reachable, unreachable, unknown, objected before: no byte and no header tells."""
    names, mails = ("ann", "silent", "nobody", "ann"), ("ann@town.example", "x@y.example")
    pages, others = [typed(visitor, each) for each in names], [typed(visitor, each) for each in mails]
    assert len({anonymous(page) for page in pages}) == 1
    assert len({anonymous(page) for page in others}) == 1
    assert len({tuple((k, v) for k, v in page.headers.items() if k != "content-length") for page in pages}) == 1


def test_the_redirect_is_the_same_in_every_case(visitor: Visitor) -> None:
    answers = [
        visitor.client.post("/en/object", data={"account": each}, follow_redirects=False)
        for each in ("ann", "silent", "nobody")
    ]
    assert {answer.status_code for answer in answers} == {303}
    assert len({(answer.text, *sorted(set(answer.headers) - {"location"})) for answer in answers}) == 1
    assert len({len(answer.headers["location"]) for answer in answers}) == 1


def test_every_case_takes_the_same_time(visitor: Visitor) -> None:
    """The answer leaves at a fixed moment after the question came, which is later than the work takes."""
    took: dict[str, list[float]] = {"ann": [], "nobody": []}
    for turn in range(16):
        account = ("ann", "nobody")[turn % 2]
        began = time.perf_counter()
        visitor.client.post("/en/object", data={"account": account}, follow_redirects=False)
        took[account].append(time.perf_counter() - began)
    known, unknown = (min(each) for each in took.values())  # the least disturbed by whatever else the machine does
    assert min(known, unknown) >= 0.1
    assert abs(known - unknown) < 0.03


def test_one_entry_in_the_register_in_every_case(visitor: Visitor, desk: Desk) -> None:
    """The receipt's token holds the number of the entry: it must not tell either."""
    for account in ("ann", "nobody", "silent"):
        before = desk.register.log.head().seq
        typed(visitor, account)
        assert desk.register.log.head().seq == before + 1
    *_, last = desk.register.log.entries()
    assert last.kind is EntryKind.OBJECTION_LODGED


def test_the_receipt_reads_the_same_whatever_the_holder_did(visitor: Visitor, desk: Desk) -> None:
    first, second, third = (typed(visitor, "ann") for _ in range(3))
    before = [anonymous(page) for page in (first, second, third)]
    desk.register.objections.confirm(state_of(desk, first).reference)
    desk.register.objections.lapse(state_of(desk, second).reference, cause="denied")
    doubted(desk.register, state_of(desk, third).reference, desk.now())
    assert anonymous(visitor.get(third.path)) == before[2]
    desk.register.objections.lapse(state_of(desk, third).reference, cause="unconfirmed")
    again = [visitor.get(page.path) for page in (first, second, third)]
    assert [anonymous(page) for page in again] == before
    withdrawn = [visitor.submit(visitor.get(f"{page.path}/withdraw")) for page in again]
    assert len({anonymous(page) for page in withdrawn}) == 1
    assert withdrawn[1].h1 == "We have received your withdrawal"
    assert len({anonymous(visitor.get(page.path)) for page in again}) == 1


def test_typing_an_account_gives_no_hold_of_what_its_holder_did(visitor: Visitor, desk: Desk) -> None:
    theirs = desk.register.objections.lodge([ANN], channel="signed-link")
    page = typed(visitor, "ann")
    assert theirs.reference not in page.html
    visitor.submit(visitor.get(f"{page.path}/withdraw"))
    assert desk.register.objections.get(theirs.reference).binding
    assert bound(desk, ANN)


def test_nobody_is_flooded_with_questions(visit: Callable[..., Visitor]) -> None:
    plenty = Rate(10**6, 1)
    visitor = visit(Limits(Rates(page=plenty, act=plenty, account=plenty, question=Rate(2, 1e-6))))
    desk: Desk = visitor.client.app.state.desk  # type: ignore[attr-defined]  # of the ASGI application
    states = [state_of(desk, typed(visitor, "ann")) for _ in range(4)]
    assert len(letters(desk)) == 2
    assert all(state.binding for state in states)


def test_whoever_types_too_fast_is_told_when_to_come_back(visit: Callable[..., Visitor]) -> None:
    plenty = Rate(10**6, 1)
    visitor = visit(Limits(Rates(page=plenty, act=plenty, account=Rate(2, 1 / 60), question=plenty)))
    for account in ("ann", "nobody"):
        for _ in range(2):
            typed(visitor, account)
        page = typed(visitor, account, status=429)
        assert re.fullmatch(r"[1-5]?\d|60", page.headers["retry-after"])


def test_what_cannot_be_an_account_comes_back_with_the_answer_kept(visitor: Visitor, desk: Desk) -> None:
    head = desk.register.log.head()
    page = typed(visitor, "https://instagram.com/p/abc", status=422)
    assert list(page.errors) == ["account"]
    assert page.forms[0].values == {"account": "https://instagram.com/p/abc"}
    assert "/en/object/person" in page.links
    assert desk.register.log.head() == head


def test_no_account_takes_two_pages_at_most(visitor: Visitor, desk: Desk) -> None:
    page = visitor.get("/en/object")
    (link,) = (each for each in page.links if each.endswith("/object/person"))
    receipt = visitor.submit(visitor.get(link), {"names": "Ann Archer"})
    assert state_of(desk, receipt).channel == "no-account"


def test_accounts_that_are_named_bind_at_once_and_link_nobody(visitor: Visitor, desk: Desk) -> None:
    said = "@dieter\nhttps://town.example/@ann\nhttps://instagram.com/p/abc\nsomething else"
    receipt = as_person(visitor, links=said, names="Ann\nAnnie")
    assert bound(desk, DIETER, ANN, ANNS_OTHER)
    theirs = desk.register.members.covered_with(DIETER).tolist()
    assert desk.keys.pepper.subject_key(ANN) not in theirs, (
        "naming two accounts does not show that they are one person's"
    )
    statement = desk.register.objections.statement(state_of(desk, receipt).reference)
    assert statement is not None
    assert statement["accounts"] == ["forum:dieter", "mastodon:@ann@town.example"]
    assert statement["links"] == ["https://instagram.com/p/abc", "something else"]
    assert statement["names"] == ["Ann", "Annie"]
    assert sorted(letter.address for letter in letters(desk)) == ["ann@town.example", "dieter@town.example"]


def test_one_holder_who_denies_ends_only_what_was_said_of_them(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, links="@dieter\n@ann", names="Ann")
    letter = next(each for each in letters(desk) if each.address.startswith("dieter"))
    visitor.submit(visitor.get(path_in(letter)), button="no")
    assert not bound(desk, DIETER)
    assert bound(desk, ANN)
    assert state_of(desk, receipt).binding


def test_a_contact_gets_the_receipt_and_the_question(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, "pl", names="Ewa Ekel", contact="ewa@elsewhere.example", behalf="child")
    state = state_of(desk, receipt)
    told = letters(desk)
    assert {(each.address, each.template, each.language) for each in told} == {
        ("ewa@elsewhere.example", "receipt", "pl"),
        ("ewa@elsewhere.example", "confirm", "pl"),
    }
    assert state.confirm_by is None, "an officer may still confirm the names: nothing is lost by a mail not answered"
    statement = desk.register.objections.statement(state.reference)
    assert statement is not None
    assert (statement["for"], statement["contact"]) == ("child", "ewa@elsewhere.example")
    (question,) = (each for each in told if each.template == "confirm")
    visitor.submit(visitor.get(path_in(question)), button="yes")
    assert desk.register.objections.get(state.reference).phase is ObjectionPhase.CONFIRMED


def test_nothing_of_what_was_said_is_in_the_clear(visitor: Visitor, desk: Desk) -> None:
    as_person(visitor, names="Zebedee Quince", links="@zebquince", contact="zeb@quince.example")
    stored = content(desk.workspace)
    assert b"objection.lodged" in stored
    for detail in (b"Zebedee", b"zebquince", b"quince.example"):
        assert detail not in stored


def test_an_empty_form_and_a_wrong_address_come_back_with_the_answers_kept(visitor: Visitor, desk: Desk) -> None:
    head = desk.register.log.head()
    page = as_person(visitor, contact="not an address", behalf="child", status=422)
    assert list(page.errors) == ["names", "contact"]
    assert page.forms[0].values["contact"] == "not an address"
    assert page.h1 == "Object for a child"
    assert desk.register.log.head() == head


def test_too_many_lines_come_back(visitor: Visitor) -> None:
    page = as_person(visitor, links="\n".join(f"@a{number}" for number in range(51)), status=422)
    assert list(page.errors) == ["links"]


def test_withdrawing_covers_what_was_lodged_together(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, links="@silent\n@ann", names="Ann")
    assert bound(desk, SILENT, ANN)
    visitor.submit(visitor.get(f"{receipt.path}/withdraw"))
    assert not bound(desk, SILENT)
    assert not bound(desk, ANN)
    assert desk.register.objections.in_force() == 0


def test_the_receipt_says_what_is_done_with_names_and_what_waits(visitor: Visitor) -> None:
    text = as_person(visitor, names="Ann\nAnnie", former="Ann Mills", links="https://instagram.com/p/abc").text
    assert "it is masked where we can tell that they mean you" in text
    assert "We keep the names sealed, and look for them in what others wrote." in text
    assert "They apply once you have confirmed them by email, or we have checked them." in text
    assert "Spellings of names that wait until they are confirmed: 3" in text
    assert "that we look for now" not in text
    assert "We look at the other links ourselves." in text
    assert "are covered from now on" not in text, "no account was named"


@pytest.mark.parametrize("field", ["names", "former", "links"])
def test_what_is_too_long_for_one_form_is_told_and_nothing_is_cut_off(visitor: Visitor, desk: Desk, field: str) -> None:
    lines = [f"https://town.example/posts/{'x' * 230}{number}" for number in range(48)]
    page = visitor.post("/en/object/person", {field: "\n".join(lines)}, status=422)
    assert set(page.errors) == {field}
    assert desk.register.objections.in_force() == 0
    form = next(each for each in page.forms if each.action == "/en/object/person")
    assert form.element.find(f".//textarea[@name='{field}']") is not None
