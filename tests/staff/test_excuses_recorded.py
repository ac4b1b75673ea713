"""The excuses of the counter-example, once more for what staff and programs record: a test that fails if one makes it.

A route is the officer's page, the same with a mail, `demur object`, the same with a mail, and the API's batch; and, for
somebody without an account, of whom nothing is known but a name, the officer's page and `demur object`. Left out, as it
can't be made here: a login demanded from a signed link (nobody has one), a wrong language where nothing is mailed (the
batch, names alone, and `demur object` for an account, whose receipt the officer has), and of a name alone, which is no
account, a second or an old one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from staffdoor import Door
from town import ANN, ANNS_OTHER, DIETER, EWA, KARMENU, SILENT
from ways import EVERYBODY, FAR, bound, letters, path_in, renamed

from demur.cli import run
from demur.terms import Channel
from demur.web.desk import Desk
from demur.workspace import Workspace

Object = Callable[[str], str]
"""Records an objection of an account's holder, who says nothing else; the account that they gave."""

ROUTES: Final = ("officer", "officer's mail", "command", "command's mail", "batch")
MAILS: Final = ("officer's mail", "command's mail")
ASKING: Final = ("officer", "officer's mail", "command's mail")
"""The routes where nobody has checked whose it is: the holder is asked."""
NAMING: Final = ("officer", "command", "batch")
"""The routes by which an account is named: a mail has its sender."""
NAMES: Final = ("officer's name", "command's name")
"""The routes of somebody without an account."""


def mail(account: str) -> bytes:
    """An empty mail from an account's address."""
    return f"From: {address(account)}\r\nSubject: No\r\n\r\n".encode()


def address(account: str) -> str:
    return f"{account.removeprefix('forum:')}@town.example"


@pytest.fixture
def route(
    request: pytest.FixtureRequest,
    workspace: Workspace,
    officer: Door,
    desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Object:
    """One way in."""

    def by_officer(account: str, file: bytes = b"", field: str = "accounts") -> str:
        page = officer.visitor.get("/staff/letters")
        form = next(each for each in page.forms if each.action == "/staff/letters")
        assert not [each for each in form.element.iter() if each.get("required") is not None]
        files = {"file": ("mail.eml", file, "message/rfc822")} if file else None
        officer.visitor.post("/staff/letters", form.values | {field: account}, files=files)
        return account

    def by_command(*arguments: str) -> None:
        code = run(["object", "-w", str(workspace.root), *arguments])
        assert code == 0, capsys.readouterr()

    def by_mail(account: str) -> str:
        (tmp_path / "mail.eml").write_bytes(mail(account))
        by_command("--eml", str(tmp_path / "mail.eml"))
        return f"mail:{address(account)}"

    def by_batch(account: str) -> None:
        key = desk.register.api_keys.create(account)
        call = {"json": {"objections": [{"accounts": [account]}]}, "headers": {"authorization": f"Bearer {key}"}}
        answer = officer.client.post("/api/objections/batch", **call)  # type: ignore[arg-type]  # of the client
        assert answer.status_code == 200, answer.text

    ways: dict[str, Callable[[str], str | None]] = {
        "officer": by_officer,
        "officer's mail": lambda account: by_officer("", mail(account)) or f"mail:{address(account)}",
        "officer's name": lambda name: by_officer(name, field="names"),
        "command": lambda account: by_command("--account", account),
        "command's name": lambda name: by_command("--name", name),
        "command's mail": by_mail,
        "batch": by_batch,
    }
    return lambda account: ways[request.param](account) or account


def every(routes: tuple[str, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, indirect=True)


@every(ROUTES)
def test_no_reason_no_identity_document_and_no_evidence_is_demanded(route: Object, desk: Desk) -> None:
    given = route(ANN)
    assert bound(desk, ANN)
    (state,) = [each for each in desk.register.objections.of(given) if each.binding]
    assert desk.register.objections.reason(state.reference) is None
    assert desk.register.attachments.of(state.reference) == []


@pytest.mark.parametrize("excuse", ["reason", "passport", "identity", "evidence", "screenshot", "proof of"])
def test_the_officer_is_not_told_to_ask_for_any(officer: Door, excuse: str) -> None:
    said = officer.visitor.get("/staff/letters").text.replace("nobody needs a reason or a proof", "")
    assert excuse not in said


@every(NAMES)
def test_a_name_is_enough_whoever_it_is_and_ever_after(route: Object, desk: Desk) -> None:
    """No reason, no document, no evidence, no deadline, nothing to answer, and nobody who could not be found."""
    for number, name in enumerate(("Ann Archer", "Somebody Else", "Żółć", "Ann Archer"), 1):
        route(name)
        assert desk.register.objections.in_force() == number
    assert letters(desk) == []
    desk.register.campaigns.start("next", EVERYBODY, [Channel.MAIL])
    desk.register.objections.lapse_overdue(FAR)
    states = desk.register.objections.waiting()
    assert [(each.binding, each.confirm_by) for each in states] == [(True, None)] * 4
    for each in states:
        assert desk.register.objections.reason(each.reference) is None
        assert desk.register.attachments.of(each.reference) == []
        said = set(desk.register.objections.statement(each.reference) or {})
        assert said - {"sure"} == {"names"}  # a name that staff vouch for counts at once


@every(NAMING)
def test_nothing_expires_where_nobody_can_be_asked(route: Object, desk: Desk) -> None:
    route(SILENT)
    desk.register.objections.lapse_overdue(FAR)
    assert bound(desk, SILENT)


@every(ASKING)
def test_nothing_ends_unanswered_and_a_denial_is_undone_by_a_late_answer(
    route: Object, officer: Door, desk: Desk
) -> None:
    route(DIETER)
    (letter,) = letters(desk)
    desk.register.objections.lapse_overdue(FAR)
    assert bound(desk, DIETER)
    desk.register.objections.lapse(str(letter.params["reference"]), cause="denied")
    assert not bound(desk, DIETER)
    officer.visitor.submit(officer.visitor.get(path_in(letter)), button="yes")
    assert bound(desk, DIETER)


@every(ASKING)
def test_no_mail_is_in_another_language_than_the_one_on_file(route: Object, desk: Desk) -> None:
    for account, language in ((ANN, "en"), (DIETER, "de"), (EWA, "pl"), (KARMENU, "mt")):
        route(account)
        (letter,) = letters(desk)
        assert letter.language == language
        assert path_in(letter).startswith(f"/{language}/")


@every(ROUTES)
def test_nobody_is_sent_to_another_medium(route: Object, desk: Desk) -> None:
    """It binds by what came, before any question that it causes is mailed or answered."""
    route(DIETER)
    assert bound(desk, DIETER)


@every(ROUTES)
def test_nobody_could_not_be_found(route: Object, desk: Desk) -> None:
    for account in ("forum:nobody", "forum:nobody.at.all"):
        assert bound(desk, route(account))


@every(NAMING)
@pytest.mark.parametrize("account", [ANN, ANNS_OTHER])
def test_no_second_account_needs_a_second_objection(route: Object, desk: Desk, account: str) -> None:
    route(account)
    assert bound(desk, ANN, ANNS_OTHER, "mail:ann@town.example")


@every(MAILS)
def test_a_mail_covers_the_accounts_of_its_address(route: Object, desk: Desk) -> None:
    route(ANN)
    assert bound(desk, ANN, ANNS_OTHER, "mail:ann@town.example")


@every(ROUTES)
def test_an_old_handle_is_as_good_as_the_new_one(route: Object, desk: Desk) -> None:
    renamed(desk, DIETER, "forum:dieter-neu")
    route(DIETER)
    assert bound(desk, DIETER, "forum:dieter-neu")


@every(ROUTES)
def test_an_objection_goes_with_the_person_to_a_new_handle(route: Object, desk: Desk) -> None:
    route(DIETER)
    renamed(desk, DIETER, "forum:dieter-neu")
    assert bound(desk, DIETER, "forum:dieter-neu")


@every(ROUTES)
def test_an_objection_lodged_in_an_earlier_campaign_holds_in_the_next(route: Object, desk: Desk) -> None:
    desk.register.campaigns.start("first", EVERYBODY, [Channel.MAIL])
    route(ANN)
    desk.register.campaigns.start("second", EVERYBODY, [Channel.MAIL])
    assert bound(desk, ANN, ANNS_OTHER)
    assert desk.register.campaigns.preview(EVERYBODY).objected == 1
    assert not [each for each in desk.register.notices.of(ANN) if each.campaign == "second"]
