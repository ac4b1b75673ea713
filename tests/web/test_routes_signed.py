"""The notice's link, and the platform's signed-in user: one page, one button."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from erasing import erase_details
from modelling import trained
from pages import Visitor
from town import ANN, ANNS_OTHER, DIETER, EWA, KARMENU, MEMBERS, SILENT
from ways import Platform, bound, by_link, letters, link, path_in, signed_in, state_of

from demur.register import ObjectionPhase
from demur.register.members.rows import MEMBER
from demur.web.desk import Desk
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import Workspace


@pytest.fixture
def platform(workspace: Workspace) -> Platform:
    made = Platform()
    made.known_to(workspace)
    return made


def test_the_link_is_one_page_with_one_button_and_leads_to_the_receipt(visitor: Visitor, desk: Desk) -> None:
    page = visitor.get(link(desk))
    assert [len(form.buttons) for form in page.forms] == [1]
    assert page.forms[0].values == {}, "nothing is to be filled in"
    receipt = visitor.submit(page)
    state = state_of(desk, receipt)
    assert (state.channel, state.binding, state.confirm_by) == ("signed-link", True, None)
    assert bound(desk, ANN, ANNS_OTHER)


def test_the_receipt_says_which_models_held_their_rows_and_goes_back(
    visitor: Visitor, desk: Desk, workspace: Workspace
) -> None:
    order = [desk.register.pepper.subject_key(account) for account in (KARMENU, SILENT, DIETER, ANN, EWA)]
    trained(workspace, order, "helper")
    receipt = by_link(visitor, desk)
    assert "helper/0001 was trained on it. It went back to a state that never saw it" in receipt.text
    assert "keeps what it learned" not in receipt.text


def test_the_link_names_nobody(visitor: Visitor, desk: Desk) -> None:
    for page in (visitor.get(link(desk)), by_link(visitor, desk)):
        for detail in ("Ann Archer", "ann@town.example", "forum:ann", "mastodon"):
            assert detail not in page.html


def test_pressing_again_leads_to_the_same_receipt(visitor: Visitor, desk: Desk) -> None:
    first = by_link(visitor, desk)
    head = desk.register.log.head()
    assert by_link(visitor, desk).path == first.path
    assert desk.register.log.head() == head
    assert len(letters(desk)) == 1


def test_the_link_works_again_after_a_withdrawal(visitor: Visitor, desk: Desk) -> None:
    first = by_link(visitor, desk)
    desk.register.objections.withdraw(state_of(desk, first).reference)
    second = by_link(visitor, desk)
    assert second.path != first.path
    assert bound(desk, ANN)


def test_the_receipt_is_mailed_in_the_language_on_file_whatever_the_page_was(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk, DIETER, "mt")
    (letter,) = letters(desk)
    assert (letter.address, letter.template, letter.language) == ("dieter@town.example", "receipt", "de")
    assert visitor.get(path_in(letter)).language == "de"


def test_the_receipt_is_in_the_language_of_the_page(visitor: Visitor, desk: Desk) -> None:
    for account, language in ((ANN, "de"), (EWA, "pl"), (KARMENU, "mt")):
        assert by_link(visitor, desk, account, language).language == language


def test_whoever_has_no_address_gets_the_receipt_on_the_page_alone(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk, SILENT)
    assert letters(desk) == []
    assert bound(desk, SILENT)


def test_the_link_works_after_the_person_was_erased(visitor: Visitor, desk: Desk) -> None:
    found = link(desk)
    erase_details(desk.register, ANN)
    receipt = visitor.submit(visitor.get(found))
    assert state_of(desk, receipt).binding
    assert bound(desk, ANN)
    assert visitor.submit(visitor.get(found)).path == receipt.path
    assert letters(desk) == []


def test_an_objection_by_another_route_does_not_show_its_receipt_to_the_link(visitor: Visitor, desk: Desk) -> None:
    other = desk.register.objections.lodge([ANN], channel="letter")
    page = by_link(visitor, desk)
    assert other.reference not in page.html
    assert state_of(desk, page).reference != other.reference


def test_a_name_that_became_another_keeps_the_link_and_the_objection(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk)
    renamed = MEMBERS[0] | {"account": "forum:annie", "linked": [ANN]}
    row = dict.fromkeys(MEMBER.names) | renamed
    desk.register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
    assert bound(desk, "forum:annie", ANN)
    by_link(visitor, desk)


def test_signed_in_is_one_click(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    receipt = signed_in(visitor, platform.token(), "de")
    assert receipt.language == "de"
    assert state_of(desk, receipt).channel == "signed-in"
    assert bound(desk, ANN, ANNS_OTHER)
    (letter,) = letters(desk)
    assert (letter.address, letter.template) == ("ann@town.example", "receipt")


def test_signed_in_twice_leads_to_the_same_receipt(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    first = signed_in(visitor, platform.token(jti="1"))
    assert signed_in(visitor, platform.token(jti="2")).path == first.path
    assert desk.register.objections.in_force() == 1


def test_signed_in_as_somebody_nobody_has_heard_of(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    signed_in(visitor, platform.token("forum:newcomer"))
    assert bound(desk, "forum:newcomer")


def test_the_second_button_opens_a_session_and_objects_to_nothing(
    visitor: Visitor, desk: Desk, platform: Platform
) -> None:
    page = signed_in(visitor, platform.token(DIETER), button="mine")
    assert page.path == "/en/mine"
    assert "Der Markt" in page.text
    assert "The library" not in page.text
    assert desk.register.objections.in_force() == 0


def test_the_token_of_a_signed_in_user_is_in_no_link_and_no_address_but_its_own(
    visitor: Visitor, platform: Platform
) -> None:
    token = platform.token()
    page = visitor.get("/en/in", params={"token": token})
    assert not [each for each in page.links if token in each]
    assert token not in page.forms[0].action
    assert token not in visitor.submit(page, button="object").html


def test_clocks_may_be_a_minute_apart(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    now = datetime.now(UTC)
    for number, ahead in enumerate((timedelta(seconds=50), timedelta(seconds=-350))):
        token = platform.token(jti=f"c{number}", iat=now + ahead, exp=now + ahead + timedelta(minutes=5))
        signed_in(visitor, token)
    assert desk.register.objections.in_force() == 1


def test_without_a_key_of_the_platform_there_is_no_such_route(visitor: Visitor) -> None:
    page = visitor.get("/en/in", params={"token": Platform().token()}, status=403)
    assert "/en/object" in page.links


def test_a_signed_link_is_not_limited_by_identifier(visit: Callable[..., Visitor]) -> None:
    plenty = Rate(10**6, 1)
    visitor = visit(Limits(Rates(page=plenty, act=plenty, account=Rate(1, 0.001), question=Rate(1, 0.001))))
    desk: Desk = visitor.client.app.state.desk  # type: ignore[attr-defined]  # of the ASGI application
    for _ in range(3):
        desk.register.objections.withdraw(state_of(desk, by_link(visitor, desk)).reference)
    assert desk.register.objections.of(ANN)[-1].phase is ObjectionPhase.WITHDRAWN


def test_a_second_press_of_the_button_reads_that_the_first_one_did_it(
    visitor: Visitor, desk: Desk, platform: Platform
) -> None:
    token = platform.token(ANN)
    page = visitor.get("/en/in", params={"token": token})
    visitor.submit(page, button="object")
    head = desk.register.log.head()
    again = visitor.submit(page, button="object", status=403)
    assert again.h1 == "We have received your objection"
    assert not [each for each in again.links if "/receipt/" in each], "who replays a token gets no receipt"
    assert desk.register.log.head() == head
    (state,) = [each for each in desk.register.objections.of(ANN) if each.binding]
    desk.register.objections.withdraw(state.reference)
    assert visitor.submit(page, button="object", status=403).h1 == "This link does not work"


def test_each_of_two_linked_people_has_an_objection_of_their_own(visitor: Visitor, desk: Desk) -> None:
    """A link between them can be taken back, and one of them withdraw: the other's stands."""
    desk.register.members.link(DIETER, EWA)
    first, second = by_link(visitor, desk, DIETER), by_link(visitor, desk, EWA)
    assert first.path != second.path
    desk.register.members.unlink(DIETER, EWA)
    assert bound(desk, DIETER)
    assert bound(desk, EWA)
    desk.register.objections.withdraw(state_of(desk, first).reference)
    assert not bound(desk, DIETER)
    assert bound(desk, EWA)
