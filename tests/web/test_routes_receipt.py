"""The receipt: what it says, how it is found again, withdrawn, and confirmed."""

from datetime import timedelta

import pytest
from erasing import erase_details
from pages import Page, Visitor
from silence import doubted
from town import ANN, DIETER, SILENT
from ways import as_person, bound, by_link, letters, path_in, state_of, typed

from demur.notices.languages import LANGUAGES, locale
from demur.register import ObjectionPhase
from demur.tokens import Purpose
from demur.web.desk import Desk


def question(visitor: Visitor, desk: Desk, account: str = "ann") -> Page:
    """The page behind the mail to the holder of an account that was typed."""
    typed(visitor, account)
    (letter,) = letters(desk)
    return visitor.get(path_in(letter))


def test_says_what_stops_when_what_stays_and_whom_to_complain_to(visitor: Visitor, desk: Desk) -> None:
    page = by_link(visitor, desk)
    for said in (
        state_of(desk, page).reference,
        str(state_of(desk, page).lodged.year),
        "What you posted is not used for new versions of the training data any more.",
        "Before the next version is made, it is deleted from the training data.",
        "A model that was trained before you objected keeps what it learned from your content.",
        "Data Protection Commission",
    ):
        assert said in page.text


def test_is_found_again_by_its_link_for_ever(visitor: Visitor, desk: Desk) -> None:
    page = by_link(visitor, desk)
    desk.register.objections.confirm(state_of(desk, page).reference)
    assert visitor.get(page.path).text == page.text


@pytest.mark.parametrize("language", ["en", "de", "pl", "mt", "el", "ga"])
def test_every_page_is_in_the_language_of_its_path(visitor: Visitor, desk: Desk, language: str) -> None:
    receipt = by_link(visitor, desk, language=language)
    pages = [receipt, visitor.get(f"{receipt.path}/withdraw"), visitor.get(f"/{language}/status")]
    pages += [visitor.get(f"/{language}/object"), visitor.get(f"/{language}/object/person")]
    assert {page.language for page in pages} == {language}
    month = locale(language).months["format"]["wide"][state_of(desk, receipt).lodged.month]
    assert month in receipt.text


def test_a_receipt_can_be_read_in_every_language(visitor: Visitor, desk: Desk) -> None:
    path = by_link(visitor, desk).path.removeprefix("/en")
    assert {visitor.get(f"/{language}{path}").language for language in LANGUAGES} == set(LANGUAGES)


def test_the_reference_leads_to_the_receipt_however_it_is_typed(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    reference = state_of(desk, receipt).reference
    for written in (reference, f" {reference.lower()} ", reference.replace("-", " "), reference.replace("-", "")):
        page = visitor.submit(visitor.get("/en/status"), {"reference": written})
        assert page.path == receipt.path


@pytest.mark.parametrize("written", ["", "nothing", "0000-0000-0000-0000", "<b>", "7KQ2-9XJM-4TPA-C0VF"])
def test_a_reference_that_nobody_has_comes_back_with_what_was_typed(visitor: Visitor, written: str) -> None:
    page = visitor.submit(visitor.get("/en/status"), {"reference": written}, status=422)
    assert page.errors == {"reference": "We can't find that reference. Compare it with your receipt."}
    assert page.forms[0].values == {"reference": written}


def test_an_objection_that_came_by_letter_is_found_too(visitor: Visitor, desk: Desk) -> None:
    receipt = desk.register.objections.lodge([SILENT], channel="letter")
    page = visitor.submit(visitor.get("/en/status"), {"reference": receipt.reference})
    assert "You do not have to do anything else." in page.text
    desk.register.objections.lapse(receipt.reference, cause="denied")
    assert visitor.get(page.path).h1 == "This objection has ended"


def test_withdrawing_asks_once_and_tells_the_holder(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk, DIETER)
    letters(desk)
    asked = visitor.get(f"{receipt.path}/withdraw")
    assert bound(desk, DIETER), "asking is not withdrawing"
    page = visitor.submit(asked)
    assert page.h1 == "Your objection is withdrawn"
    assert not bound(desk, DIETER)
    (letter,) = letters(desk)
    assert (letter.template, letter.address, letter.language) == ("withdrawn", "dieter@town.example", "de")


def test_withdrawing_again_changes_nothing(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    asked = visitor.get(f"{receipt.path}/withdraw")
    visitor.submit(asked)
    head = desk.register.log.head()
    assert visitor.submit(asked).h1 == "Your objection is withdrawn"
    assert visitor.get(f"{receipt.path}/withdraw").h1 == "Your objection is withdrawn"
    assert desk.register.log.head() == head


def test_another_objection_stays_in_force(visitor: Visitor, desk: Desk) -> None:
    desk.register.objections.lodge([ANN], channel="letter")
    receipt = by_link(visitor, desk)
    visitor.submit(visitor.get(f"{receipt.path}/withdraw"))
    assert bound(desk, ANN)


def test_the_holder_says_yes(visitor: Visitor, desk: Desk) -> None:
    page = question(visitor, desk)
    assert [each.get("value") for each in page.forms[0].buttons] == ["yes", "no"]
    done = visitor.submit(page, button="yes")
    assert done.h1 == "Your objection is confirmed"
    (state,) = desk.register.objections.of(ANN)
    assert state.phase is ObjectionPhase.CONFIRMED
    assert desk.register.objections.lapse_overdue(desk.now() + timedelta(days=400)) == []
    (onward,) = (each for each in done.links if each.endswith("/withdraw"))
    assert visitor.get(onward).h1 == "Withdraw your objection"
    assert bound(desk, ANN), "asking is not withdrawing"


def test_the_holder_says_no(visitor: Visitor, desk: Desk) -> None:
    done = visitor.submit(question(visitor, desk), button="no")
    assert done.h1 == "This objection has ended"
    assert not bound(desk, ANN)


def test_no_after_yes_ends_it_once(visitor: Visitor, desk: Desk) -> None:
    page = question(visitor, desk)
    visitor.submit(page, button="yes")
    assert visitor.submit(page, button="no").h1 == "Your objection is withdrawn"
    head = desk.register.log.head()
    assert visitor.submit(page, button="no").h1 == "Your objection is withdrawn"
    assert desk.register.log.head() == head


@pytest.mark.parametrize("cause", ["denied", "late"])
def test_yes_is_never_too_late(visitor: Visitor, desk: Desk, cause: str) -> None:
    page = question(visitor, desk)
    if cause == "denied":
        visitor.submit(page, button="no")
    else:
        (state,) = desk.register.objections.of(ANN)
        doubted(desk.register, state.reference, desk.now())
        desk.register.objections.lapse_overdue(desk.now() + timedelta(days=400))
    assert not bound(desk, ANN)
    late = visitor.get(page.path)
    assert [each.get("value") for each in late.forms[0].buttons] == ["yes"]
    assert visitor.submit(late, button="yes").h1 == "Your objection is confirmed"
    assert bound(desk, ANN)
    head = desk.register.log.head()
    assert visitor.submit(late, button="yes").h1 == "Your objection is confirmed"
    assert desk.register.log.head() == head, "once is enough"


def test_yes_of_somebody_without_an_account_is_never_too_late_either(visitor: Visitor, desk: Desk) -> None:
    receipt = as_person(visitor, names="Ann", contact="ann@elsewhere.example")
    (asked,) = (each for each in letters(desk) if each.template == "confirm")
    page = visitor.submit(visitor.get(path_in(asked)), button="no")
    assert not state_of(desk, receipt).binding
    assert visitor.submit(page, button="yes").h1 == "Your objection is confirmed"
    assert desk.register.objections.in_force() == 1


def test_what_was_withdrawn_is_brought_back_by_its_holder(visitor: Visitor, desk: Desk) -> None:
    page = question(visitor, desk)
    (state,) = desk.register.objections.of(ANN)
    desk.register.objections.withdraw(state.reference)
    withdrawn = visitor.get(page.path)
    assert withdrawn.h1 == "Your objection is withdrawn"
    assert [each.text for each in withdrawn.forms[0].buttons] == ["Bring it back"]
    assert visitor.submit(withdrawn, button="yes").h1 == "Your objection is confirmed"
    assert bound(desk, ANN)


def test_an_answer_that_is_neither_changes_nothing(visitor: Visitor, desk: Desk) -> None:
    page = question(visitor, desk)
    head = desk.register.log.head()
    for answer in ("", "maybe", "YES"):
        assert visitor.post(page.path, {"answer": answer}).h1 == "Keep this objection?"
    assert desk.register.log.head() == head


def test_the_receipt_of_an_erased_person_still_opens_and_can_be_withdrawn(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    erase_details(desk.register, ANN)
    assert "We have received your objection" in visitor.get(receipt.path).h1
    visitor.submit(visitor.get(f"{receipt.path}/withdraw"))
    assert not bound(desk, ANN)


def test_a_token_of_something_that_is_no_objection_opens_nothing(visitor: Visitor, desk: Desk) -> None:
    for purpose, path in ((Purpose.RECEIPT, "receipt"), (Purpose.CONFIRM, "confirm")):
        visitor.get(f"/en/{path}/{desk.tokens.make(purpose, 1)}", 404)
