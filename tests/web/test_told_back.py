"""What a typed account was taken for, and its correction: told to whoever typed it, and nothing of anybody else."""

import re

from erasing import erase_details
from pages import Page, Visitor
from places import decide
from town import ANN, DIETER, town_policy
from ways import anonymous, as_person, bound, letters, path_in, state_of, typed

from demur.objecting.naming import like_a_name
from demur.policy import Accounts
from demur.register import ObjectionPhase
from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.workspace import Workspace


def told(page: Page) -> str:
    """The sentence that says what was typed."""
    (paragraph,) = (each for each in page.tree.iter("p") if any(True for _ in each.iter("bdi")))
    return "".join(paragraph.itertext()).partition(" Not yours?")[0].strip()


def correct(visitor: Visitor, receipt: Page, account: str, status: int = 200) -> Page:
    (way,) = (each for each in receipt.links if each.endswith("/correct"))
    return visitor.submit(visitor.get(way), {"account": account}, status=status)


SAID = {
    "I object": "For the user name I object on Town Forum.",
    "Ann Archer": "For the user name Ann Archer on Town Forum.",
    "@En17": "For the user name En17 on Town Forum.",
    "Ann@Town.Example": "For the email address ann@town.example.",
    "nobody@nowhere.example": "For the email address nobody@nowhere.example.",
    "@ann@town.example": "For the fediverse handle @ann@town.example.",
    "https://town.example/@ann": "For the fediverse handle @ann@town.example.",
    "https://www.instagram.com/ann.x/?hl=de": "For the profile ann.x on Instagram.",
    "https://boards.example/u/ann": "For the profile ann on boards.example.",
    "github:ann": "For the profile ann on GitHub.",
    "<b>ann": "For the user name <b>ann on Town Forum.",
}


def test_the_receipt_says_what_was_typed_in_words(visitor: Visitor) -> None:
    for written, said in SAID.items():
        receipt = typed(visitor, written)
        assert told(receipt) == said
    assert told(visitor.get(receipt.path)) == said, "its link says so for ever"


def test_nothing_typed_stands_in_an_address_in_the_clear(visitor: Visitor) -> None:
    receipt = typed(visitor, "Zebedee")
    assert "ebedee" not in receipt.path
    assert re.fullmatch(r"/en/receipt/[\w-]+", receipt.path)
    assert len(typed(visitor, "someone-else").path) == len(receipt.path), "nor does its length tell"


def test_a_told_part_of_another_receipt_or_a_damaged_one_opens_nothing(visitor: Visitor) -> None:
    first, second = typed(visitor, "zebedee"), typed(visitor, "quince")
    start = len("/en/receipt/") + 36
    own = first.path[:start]
    for path in (own + second.path[start:], first.path[:-2], first.path + "A", f"{own}AAAA", f"{own}x"):
        page = visitor.get(path, 404)
        assert page.h1 == "This link does not work"
        assert "zebedee" not in page.text
    short = visitor.get(own)
    assert "zebedee" not in short.html, "the address on paper tells nothing"


def test_the_receipt_is_the_same_after_the_account_was_erased_and_so_is_adding(visitor: Visitor, desk: Desk) -> None:
    known, unknown = typed(visitor, "ann"), typed(visitor, "nobody")
    before = anonymous(visitor.get(known.path))
    erase_details(desk.register, ANN)
    after = visitor.get(known.path)
    assert anonymous(after) == before
    assert told(after) == "For the user name ann on Town Forum."
    added = [visitor.submit(page, {"reason": "Because."}) for page in (after, visitor.get(unknown.path))]
    assert anonymous(added[0]) == anonymous(added[1])
    assert "We add it if there is room" in added[0].text


def test_a_slip_that_is_nobodys_ends_with_its_correction(visitor: Visitor, desk: Desk) -> None:
    slip = typed(visitor, "anm")
    mistaken = state_of(desk, slip)
    right = correct(visitor, slip, "ann")
    assert told(right) == "For the user name ann on Town Forum."
    assert bound(desk, ANN)
    assert desk.register.objections.get(mistaken.reference).phase is ObjectionPhase.WITHDRAWN
    assert mistaken.reference not in {each.reference for each in desk.register.objections.waiting()}, "no riddle stays"
    assert visitor.get(slip.path).h1 == "You have corrected this objection"


def test_a_slip_that_is_somebodys_stays_theirs_and_the_receipt_does_not_tell(visitor: Visitor, desk: Desk) -> None:
    slips = [typed(visitor, "dieter"), typed(visitor, "nobody")]
    (question,) = letters(desk)
    for slip in slips:
        correct(visitor, slip, "ann")
    assert bound(desk, DIETER), "they were told that it applies"
    pages = [visitor.get(slip.path) for slip in slips]
    assert len({anonymous(page) for page in pages}) == 1
    asked = visitor.get(path_in(question))
    visitor.submit(asked, button="no")
    assert not bound(desk, DIETER)
    assert anonymous(visitor.get(slips[0].path)) == anonymous(pages[0])


def test_what_was_corrected_is_no_more_the_typists_to_withdraw(visitor: Visitor, desk: Desk) -> None:
    slips = [typed(visitor, "dieter"), typed(visitor, "nobody")]
    for slip in slips:
        correct(visitor, slip, "ann")
    head = desk.register.log.head()
    pages = [visitor.post(f"{slip.path}/withdraw") for slip in slips]
    assert (bound(desk, DIETER), desk.register.log.head()) == (True, head)
    assert len({anonymous(page) for page in pages}) == 1
    assert pages[0].h1 == "You have corrected this objection"


def test_a_correction_to_the_same_account_changes_nothing(visitor: Visitor, desk: Desk) -> None:
    slip = typed(visitor, "nobody")
    head = desk.register.log.head()
    again = correct(visitor, slip, "@nobody")
    assert state_of(desk, again).reference == state_of(desk, slip).reference
    assert desk.register.log.head() == head


def test_what_can_be_no_account_comes_back_and_the_slip_stands(visitor: Visitor, desk: Desk) -> None:
    slip = typed(visitor, "nobody")
    page = correct(visitor, slip, "https://instagram.com/p/abc", 422)
    assert page.forms[0].values == {"account": "https://instagram.com/p/abc"}
    assert visitor.turn(page, "de").forms[0].values == {"account": "https://instagram.com/p/abc"}
    assert state_of(desk, slip).binding


def test_many_and_long_accounts_fit_the_address_and_the_rest_is_counted(visitor: Visitor) -> None:
    short = as_person(visitor, links="\n".join(f"@a{number}" for number in range(30)))
    assert "For the user name a19 on Town Forum." in short.text
    assert "And for further accounts: 10" in short.text
    long = as_person(visitor, links="\n".join(f"@{'ж' * 290}{number}" for number in range(30)))
    assert "And for further accounts: 28" in long.text
    assert len(long.path) < 6000


def test_the_form_to_correct_holds_what_was_typed(visitor: Visitor) -> None:
    for written in ("I object", "ann@town.example", "https://www.instagram.com/ann.x/?hl=de", "@ann@town.example"):
        receipt = typed(visitor, written)
        assert visitor.get(f"{receipt.path}/correct").forms[0].values == {"account": written}


def test_a_name_binds_at_once_and_is_offered_the_form_for_names_with_it(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, "Ann Archer")
    assert bound(desk, "forum:Ann Archer"), "nothing is lost"
    (way,) = (each for each in receipt.links if each.endswith("/names"))
    form = visitor.get(way)
    assert form.forms[0].values["names"] == "Ann Archer"
    done = visitor.submit(form, {"contact": "ann@elsewhere.example"})
    statement = desk.register.objections.statement(state_of(desk, done).reference)
    assert statement is not None
    assert statement["names"] == ["Ann Archer"]
    assert not bound(desk, "forum:Ann Archer"), "which was nobody's"
    for written in ("ann", "Ann Archer <ann@town.example>", "https://town.example/@ann"):
        assert not [each for each in typed(visitor, written).links if each.endswith("/names")]


def test_only_a_typed_account_can_be_corrected(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Ann", links="@ann")
    head = desk.register.log.head()
    for part in ("correct", "names"):
        assert visitor.get(f"{receipt.path}/{part}").h1 == "We have received your objection"
        assert visitor.post(f"{receipt.path}/{part}", {"account": "x", "names": "x"}).path.endswith(part)
    slip = typed(visitor, "nobody")
    head = desk.register.log.head()
    view = desk.tokens.make(Purpose.VIEW, state_of(desk, slip).seq)
    visitor.post(f"/en/receipt/{view}/correct", {"account": "ann"})
    assert desk.register.log.head() == head, "who may only look corrects nothing"


def test_a_telephones_capital_protects_where_names_have_no_case(
    visitor: Visitor, desk: Desk, workspace: Workspace
) -> None:
    decide(workspace, town_policy(accounts=Accounts(ignore_case=("forum",))))
    receipt = typed(visitor, "Dieter")
    assert bound(desk, DIETER)
    assert told(receipt) == "For the user name dieter on Town Forum."


def test_a_space_makes_a_user_name_like_a_name() -> None:
    assert like_a_name("forum:Ann Archer", "forum")
    for account in ("forum:ann", "mail:a b@c.example", "irc:Ann Archer"):
        assert not like_a_name(account, "forum")


def test_the_receipt_says_what_happens_when_and_folds_the_rest(visitor: Visitor, desk: Desk) -> None:
    page = typed(visitor, "ann")
    lodged = state_of(desk, page).lodged
    assert "Versions that were made before may be kept until" in page.text
    assert str(lodged.year) in page.text
    assert "We tell those who have a copy what they must remove." in page.text
    assert "Only then can it end without an answer." in page.text
    assert "The objection applies to all accounts that we know are theirs." not in page.text
    for wrong in ("it ends on", "If we did not ask", "never expires"):
        assert wrong not in page.text
    folded = " ".join("".join(each.itertext()) for each in page.tree.iter("details"))
    assert "If others name you" in folded
    assert "A model that was trained before you objected" in folded
    printed = next(each for each in page.tree.iter("div") if each.get("class") == "printed")
    on_paper = "".join(printed.itertext())
    assert f"http://127.0.0.1:8470{page.path[: len('/en/receipt/') + 36]}" in on_paper
    assert "http://127.0.0.1:8470/en/status" in on_paper
