"""The excuses of the counter-example, for whoever wants to be deleted: what is asked for here is an objection, too.

A route is "delete it" in a session that the platform's own word began, the API, and `demur erase`. Left out, as they
can't be made here: a login demanded from a signed link (the link of a notice opens nothing to delete by, on purpose),
and a wrong language of mails (the letter that confirms a deletion is in tests/rights).
"""

import uuid
from collections.abc import Callable
from typing import Any, Final

import pytest
from pages import Visitor
from town import ANN, ANNS_OTHER, DIETER, SILENT
from ways import EVERYBODY, FAR, Platform, Watched, asked_for, bound, demanded, renamed, signed_in

from demur.cli import run
from demur.register import ObjectionPhase
from demur.terms import Channel
from demur.web.desk import Desk
from demur.workspace import Workspace

Erase = Callable[[str], object]
"""Has an account's holder deleted, who says nothing else."""

EVERY: Final = pytest.mark.parametrize("route", ["session", "api", "command"], indirect=True)


@pytest.fixture
def watched(visitor: Visitor) -> Watched:
    return Watched(visitor)


@pytest.fixture
def route(request: pytest.FixtureRequest, workspace: Workspace, watched: Watched, desk: Desk) -> Erase:
    """One way in."""
    platform = Platform()
    platform.known_to(workspace)
    headers = {"authorization": f"Bearer {desk.register.api_keys.create('town')}"}

    def by_session(account: str) -> None:
        signed_in(watched, platform.token(account, jti=uuid.uuid4().hex), "de", button="mine")
        watched.submit(watched.get("/de/mine/delete"))

    def by_api(account: str) -> None:
        answer: Any = watched.client.post("/api/erasures", json={"account": account}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["finished"]

    def by_command(account: str) -> None:
        assert run(["erase", "-w", str(workspace.root), "--account", account, "--yes"]) == 0

    ways: dict[str, Erase] = {"session": by_session, "api": by_api, "command": by_command}
    return ways[request.param]


@EVERY
def test_no_reason_no_identity_document_and_no_evidence_is_demanded(route: Erase, watched: Watched, desk: Desk) -> None:
    route(ANN)
    (state,) = [each for each in desk.register.objections.of(ANN) if each.binding]
    assert desk.register.objections.reason(state.reference) is None
    assert desk.register.attachments.of(state.reference) == []
    assert not [name for page in watched.seen for name in asked_for(page) | set(demanded(page))]
    assert {page.language for page in watched.seen} <= {"de"}


@EVERY
def test_nobody_is_sent_to_another_medium_and_nothing_expires(route: Erase, desk: Desk) -> None:
    route(SILENT)
    (state,) = desk.register.objections.of(SILENT)
    assert (state.phase, state.confirm_by) == (ObjectionPhase.CONFIRMED, None), "nobody has to confirm it elsewhere"
    desk.register.objections.lapse_overdue(FAR)
    assert bound(desk, SILENT)


@EVERY
def test_nobody_could_not_be_found(route: Erase, desk: Desk) -> None:
    for account in ("forum:nobody", "elsewhere:x"):
        route(account)
        assert bound(desk, account)


@EVERY
def test_not_even_somebody_who_was_erased(route: Erase, desk: Desk) -> None:
    for _ in range(2):
        route(DIETER)
        assert bound(desk, DIETER)


@EVERY
def test_no_second_account_needs_a_second_request_to_be_kept_out(route: Erase, desk: Desk) -> None:
    route(ANNS_OTHER)
    assert bound(desk, ANN, ANNS_OTHER, "mail:ann@town.example")


@EVERY
def test_an_old_handle_is_as_good_as_the_new_one_before_and_after(route: Erase, desk: Desk) -> None:
    renamed(desk, DIETER, "forum:dieter-neu")
    route(DIETER)
    assert bound(desk, DIETER, "forum:dieter-neu")
    renamed(desk, DIETER, "forum:dieter-ganz-neu")
    assert bound(desk, DIETER, "forum:dieter-ganz-neu")


@EVERY
def test_one_asked_for_in_an_earlier_campaign_holds_in_the_next(route: Erase, desk: Desk) -> None:
    desk.register.campaigns.start("first", EVERYBODY, [Channel.MAIL])
    route(ANN)
    desk.register.campaigns.start("second", EVERYBODY, [Channel.MAIL])
    assert bound(desk, ANN, ANNS_OTHER)
    assert not [each for each in desk.register.notices.of(ANN) if each.campaign == "second"]
