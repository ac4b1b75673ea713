"""The excuses of the counter-example: for each, a test that fails if any route makes it.

A route is a way in: the notice's link, the platform's signed-in user, an account typed in, no account at all, the API.
What staff and programs record for others is in tests/staff/test_excuses_recorded.py, whoever wants to be deleted in
test_excuses_erasing.py.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import pytest
from erasing import erase_details
from pages import Page, Visitor
from silence import doubted
from town import ANN, ANNS_OTHER, DIETER, EWA, KARMENU, SILENT
from ways import (
    EVERYBODY,
    FAR,
    Platform,
    Watched,
    as_person,
    asked_for,
    bound,
    by_link,
    demanded,
    letters,
    link,
    path_in,
    renamed,
    signed_in,
    state_of,
    typed,
)

from demur.notices.languages import LANGUAGES
from demur.terms import Channel
from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.workspace import Workspace

Object = Callable[[str, str], Page | None]
"""Objects for an account, in a language: the receipt, None where there is no page."""

ROUTES: Final = ("link", "signed in", "typed", "no account", "api")
PAGES: Final = ("link", "signed in", "typed", "no account")
NAMING: Final = ("signed in", "typed", "no account", "api")
"""The routes by which somebody names an account of theirs: a link is for one that is known."""
LASTING: Final = ("link", "signed in", "no account", "api")
"""The routes after which nothing more is asked of anybody."""


@pytest.fixture
def watched(visitor: Visitor) -> Watched:
    return Watched(visitor)


@pytest.fixture
def route(request: pytest.FixtureRequest, workspace: Workspace, watched: Watched, desk: Desk) -> Object:
    """One way in."""
    platform = Platform()
    platform.known_to(workspace)
    key = desk.register.api_keys.create("town")

    def by_api(account: str, _: str) -> None:
        call = {"json": {"accounts": [account]}, "headers": {"authorization": f"Bearer {key}"}}
        assert watched.client.post("/api/objections", **call).status_code == 201  # type: ignore[arg-type]  # of the client

    ways: dict[str, Object] = {
        "link": lambda account, language: by_link(watched, desk, account, language),
        "signed in": lambda account, language: signed_in(
            watched, platform.token(account, jti=uuid.uuid4().hex), language
        ),
        "typed": lambda account, language: typed(watched, account, language),
        "no account": lambda account, language: as_person(watched, language, links=account),
        "api": by_api,
    }
    return ways[request.param]


def every(routes: Sequence[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, indirect=True)


@every(ROUTES)
def test_no_reason_is_demanded(route: Object, watched: Watched, desk: Desk) -> None:
    route(ANN, "en")
    assert bound(desk, ANN)
    (state,) = [each for each in desk.register.objections.of(ANN) if each.binding]
    assert desk.register.objections.reason(state.reference) is None
    for page in watched.seen[:-1]:
        assert not {name for name in asked_for(page) if re.search("reason|why|text", name)}
    assert not [name for page in watched.seen for name in demanded(page)]


@every(ROUTES)
def test_no_identity_document_is_demanded(route: Object, watched: Watched, desk: Desk) -> None:
    route(ANN, "en")
    assert bound(desk, ANN)
    for page in watched.seen[:-1]:
        assert not [each for each in page.tree.iter("input") if each.get("type") == "file"]
    for page in watched.seen:
        assert not re.search(r"passport|identity card|\bID\b|driving", page.text)


@every(ROUTES)
def test_no_evidence_is_demanded(route: Object, watched: Watched, desk: Desk) -> None:
    route(ANN, "en")
    assert bound(desk, ANN)
    allowed = {"account", "names", "former", "links", "contact", "child"}
    for page in watched.seen[:-1]:
        assert asked_for(page) <= allowed
        assert not re.search(r"evidence|screenshot|prompt|output", page.text)
    assert not [name for page in watched.seen for name in demanded(page)]


def test_somebody_without_an_account_needs_one_line_and_no_more(visitor: Visitor, desk: Desk) -> None:
    as_person(visitor, names="Ann Archer")
    as_person(visitor, links="Ann Archer")
    assert desk.register.objections.in_force() == 2


@every(PAGES)
def test_no_login_is_demanded(route: Object, watched: Watched, desk: Desk) -> None:
    route(ANN, "en")
    assert bound(desk, ANN)
    assert not watched.client.cookies
    for page in watched.seen:
        assert not [each for each in page.tree.iter("input") if each.get("type") == "password"]
        assert "/mine" not in page.path


@every(LASTING)
def test_nothing_expires(route: Object, desk: Desk) -> None:
    route(SILENT, "en")
    desk.register.objections.lapse_overdue(FAR)
    assert bound(desk, SILENT)


def test_an_account_that_was_typed_and_that_nobody_can_be_asked_about_does_not_expire(
    visitor: Visitor, desk: Desk
) -> None:
    typed(visitor, SILENT)
    desk.register.objections.lapse_overdue(FAR)
    assert bound(desk, SILENT)


def test_a_typed_objection_whose_question_nobody_reads_does_not_expire(visitor: Visitor, desk: Desk) -> None:
    typed(visitor, ANN)
    letters(desk)
    assert desk.register.objections.lapse_overdue(FAR) == []
    assert bound(desk, ANN)


def test_a_typed_objection_that_ended_unanswered_is_brought_back_by_a_late_answer(visitor: Visitor, desk: Desk) -> None:
    receipt = typed(visitor, ANN)
    (letter,) = letters(desk)
    doubted(desk.register, state_of(desk, receipt).reference, desk.now())
    assert desk.register.objections.lapse_overdue(FAR)
    visitor.submit(visitor.get(path_in(letter)), button="yes")
    assert bound(desk, ANN)


def test_a_link_never_expires(desk: Desk) -> None:
    for purpose in (Purpose.OBJECT, Purpose.CONFIRM, Purpose.RECEIPT):
        assert desk.tokens.read(desk.tokens.make(purpose, 7), purpose, FAR).number == 7


def test_whoever_comes_with_an_expired_sign_in_is_not_turned_away(
    visitor: Visitor, workspace: Workspace, desk: Desk
) -> None:
    platform = Platform()
    platform.known_to(workspace)
    past = platform.token(iat=desk.now() - timedelta(hours=2), exp=desk.now() - timedelta(hours=1))
    page = visitor.get("/de/in", 403, params={"token": past})
    (onward,) = {each for each in page.links if each.endswith("/object")}
    visitor.submit(visitor.get(onward), {"account": "ann"})
    assert bound(desk, ANN)


@every(PAGES)
def test_no_page_is_in_another_language(route: Object, watched: Watched) -> None:
    for language in ("en", "de", "pl", "mt"):
        watched.seen.clear()
        receipt = route(KARMENU, language)
        assert receipt is not None
        assert {page.language for page in watched.seen} == {language}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_link_answers_in_each_language(visitor: Visitor, desk: Desk, language: str) -> None:
    assert by_link(visitor, desk, DIETER, language).language == language


@every(("link", "signed in", "typed"))
def test_no_mail_is_in_another_language_than_the_one_on_file(route: Object, desk: Desk) -> None:
    for account, language in ((ANN, "en"), (DIETER, "de"), (EWA, "pl"), (KARMENU, "mt")):
        route(account, "fi")
        (letter,) = letters(desk)
        assert letter.language == language
        assert path_in(letter).startswith(f"/{language}/")


@every(ROUTES)
def test_nobody_is_sent_to_another_medium(route: Object, watched: Watched, desk: Desk) -> None:
    """It binds by what was done here alone: no mail answered, nothing printed, called or posted."""
    route(ANN, "en")
    assert bound(desk, ANN)
    for page in watched.seen[:-1]:
        assert not [each for each in page.links if each.startswith(("mailto:", "tel:"))]
        assert not re.search(r"[Cc]all us|by post|[Pp]rint this form|[Ww]rite to us|in the app", page.text)


@every(LASTING)
def test_nothing_has_to_be_confirmed_elsewhere(route: Object, desk: Desk) -> None:
    route(DIETER, "en")
    own = [each for each in desk.register.objections.waiting() if each.channel != "typed-in"]
    assert own
    assert all(each.confirm_by is None for each in own)


@every(NAMING)
def test_nobody_could_not_be_found(route: Object, watched: Watched, desk: Desk) -> None:
    for account in ("forum:nobody", "forum:Nobody Ätt All", "elsewhere:x"):
        route(account, "en")
        assert bound(desk, account)
    for page in watched.seen:
        assert not re.search(
            r"could not find|not found|unknown|no such (account|user)|does not exist|not registered", page.text
        )


def test_not_even_somebody_who_was_erased(visitor: Visitor, desk: Desk) -> None:
    found = link(desk, DIETER)
    erase_details(desk.register, DIETER)
    visitor.submit(visitor.get(found))
    assert bound(desk, DIETER)


@every(ROUTES)
@pytest.mark.parametrize("account", [ANN, ANNS_OTHER])
def test_no_second_account_needs_a_second_objection(route: Object, desk: Desk, account: str) -> None:
    route(account, "en")
    assert bound(desk, ANN, ANNS_OTHER, "mail:ann@town.example")


@every(ROUTES)
def test_an_old_handle_is_as_good_as_the_new_one(route: Object, desk: Desk) -> None:
    renamed(desk, DIETER, "forum:dieter-neu")
    route(DIETER, "en")
    assert bound(desk, DIETER, "forum:dieter-neu")


@every(ROUTES)
def test_an_objection_goes_with_the_person_to_a_new_handle(route: Object, desk: Desk) -> None:
    route(DIETER, "en")
    renamed(desk, DIETER, "forum:dieter-neu")
    assert bound(desk, DIETER, "forum:dieter-neu")


@every(ROUTES)
def test_an_objection_lodged_in_an_earlier_campaign_holds_in_the_next(route: Object, desk: Desk) -> None:
    desk.register.campaigns.start("first", EVERYBODY, [Channel.MAIL])
    route(ANN, "en")
    desk.register.campaigns.start("second", EVERYBODY, [Channel.MAIL])
    assert bound(desk, ANN, ANNS_OTHER)
    assert desk.register.campaigns.preview(EVERYBODY).objected == 1
    assert not [each for each in desk.register.notices.of(ANN) if each.campaign == "second"]


def test_a_link_of_an_earlier_campaign_works_after_the_next(visitor: Visitor, desk: Desk) -> None:
    desk.register.campaigns.start("first", EVERYBODY, [Channel.MAIL])
    found = link(desk)
    desk.register.campaigns.start("second", EVERYBODY, [Channel.MAIL])
    visitor.submit(visitor.get(found))
    assert bound(desk, ANN)
