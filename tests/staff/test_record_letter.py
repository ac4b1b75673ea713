"""Letters, tickets and mails that an officer records."""

import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from pages import Page
from staffdoor import Door
from town import ANN, DIETER

from demur.register import JSON, Entry, ObjectionPhase, SingleMail
from demur.register.objections.names import Kept
from demur.rights.access import copy_of
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.workspace import Workspace

Entries = Callable[[EntryKind], list[Entry]]

MAIL = b"""From: =?utf-8?q?J=C3=B6rg?= <joerg@elsewhere.example>\r
To: hello@town.example\r
Subject: I object\r
Date: Thu, 02 Jan 2025 10:00:00 +0100\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b"\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
\r
Please do not use my posts.\r
--b\r
Content-Type: application/pdf; name="../id.pdf"\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0=\r
--b--\r
"""


def _record(
    officer: Door, status: int = 200, mail: bytes = b"", said: Mapping[str, str] | None = None, **values: str
) -> Page:
    page = officer.visitor.get("/staff/letters")
    form = next(each for each in page.forms if each.action == "/staff/letters")
    files = {"file": ("mail.eml", mail, "message/rfc822")} if mail else None
    return officer.visitor.post("/staff/letters", form.values | values | dict(said or {}), status, files=files)


def _letters(desk: Desk) -> list[SingleMail]:
    return desk.register.mails.claim(10)


def test_a_letter_with_names_alone_binds_and_waits(officer: Door, desk: Desk, entries: Entries) -> None:
    page = _record(officer, names="Ann Archer\nA. Archer", text="Leave me out.", received="2026-01-02")
    (state,) = desk.register.objections.waiting()
    assert (state.channel, state.received, state.confirm_by) == ("letter", date(2026, 1, 2), None)
    assert desk.register.objections.statement(state.reference) == {
        "names": ["Ann Archer", "A. Archer"],
        "text": "Leave me out.",
    }
    assert state.reference in page.text
    assert _letters(desk) == []
    (acted,) = entries(EntryKind.STAFF_ACTED)
    assert acted.payload == {"staff": 1, "act": "objection.record", "objection": state.seq, "checked": False}
    receipt = next(link for link in page.links if link.startswith("/en/receipt/"))
    shown = officer.visitor.get(receipt)
    assert state.reference in shown.text
    assert shown.forms == []
    assert officer.client.post(f"{receipt}/withdraw").status_code == 404, "it shows the objection, and can do no more"
    assert officer.client.post(f"{receipt}/add", data={"reason": "x"}).status_code == 404
    assert officer.visitor.get(f"{receipt}/withdraw").forms == []
    assert desk.register.objections.in_force() == 1


SPELT = {"names": "Zoe Zander\nZo", "former": "Zoe Quist", "elsewhere": "zoz77\nhttps://far.example/posts/7"}
"""What a letter says of names: two spellings, one that she had, a handle of nowhere, and a link."""


@pytest.mark.parametrize("checked", ["", "yes"])
def test_spellings_and_former_names_wait_unless_the_officer_knows_whose_they_are(
    officer: Door, desk: Desk, entries: Entries, checked: str
) -> None:
    _record(officer, checked=checked, said=SPELT)
    (lodged,) = entries(EntryKind.OBJECTION_LODGED)
    reference = desk.register.objections.reference_of(lodged.seq)
    assert reference is not None
    assert desk.register.objections.statement(reference) == {
        "names": ["Zoe Zander", "Zo", "zoz77"],
        "former": ["Zoe Quist"],
        "links": ["https://far.example/posts/7"],
    }
    covered = desk.register.objections.covered_by(reference)
    assert desk.register.names.kept(covered) == (Kept(4, 0) if checked else Kept(0, 4))
    desk.register.objections.confirm(reference)
    assert desk.register.names.kept(covered) == Kept(4, 0)


def test_a_handle_or_link_that_is_an_account_binds_at_once(officer: Door, desk: Desk) -> None:
    _record(officer, accounts="ann", elsewhere="@ann@far.example\nforum:ann")
    accounts = {desk.register.persons.subject(each) for each in (ANN, "mastodon:@ann@far.example")}
    assert accounts <= set(desk.register.standing.suppressed().tolist())
    assert len(desk.register.objections.waiting()) == 2, "each account is asked, and links nothing"


def test_what_is_typed_of_names_comes_back_with_an_error(officer: Door) -> None:
    page = _record(officer, 422, received="soon", said=SPELT)
    form = next(each for each in page.forms if each.action == "/staff/letters")
    assert {name: form.values[name] for name in SPELT} == SPELT


def test_accounts_that_nobody_checked_are_asked_and_not_linked(officer: Door, desk: Desk) -> None:
    _record(officer, accounts="ann\ndieter", channel="ticket")
    states = desk.register.objections.waiting()
    assert [each.channel for each in states] == ["ticket", "ticket"]
    assert not any(each.confirm_by for each in states)
    assert DIETER not in desk.register.members.identifiers(desk.register.members.covered_with(ANN))
    asked = _letters(desk)
    assert {(each.address, each.template, each.language) for each in asked} == {
        ("ann@town.example", "confirm", "en"),
        ("dieter@town.example", "confirm", "de"),
    }
    answer = officer.visitor.client.get(str(asked[0].params["confirm_url"]).replace("127.0.0.1", "localhost"))
    assert "Keep this objection?" in answer.text


def test_accounts_that_were_checked_are_linked_and_confirmed(officer: Door, desk: Desk) -> None:
    page = _record(officer, accounts="ann\nmastodon:@ann@other.example", checked="yes")
    assert "Confirmed" in page.text
    (state,) = desk.register.objections.of("mastodon:@ann@other.example")
    assert state.phase is ObjectionPhase.CONFIRMED
    assert ANN in desk.register.members.identifiers(desk.register.members.covered_with("mastodon:@ann@other.example"))
    assert [each.template for each in _letters(desk)] == ["receipt"]


def test_a_mail_counts_for_its_sender_who_is_asked(officer: Door, desk: Desk) -> None:
    _record(officer, mail=MAIL)
    (state,) = desk.register.objections.waiting()
    assert (state.channel, state.received) == ("mail", date(2025, 1, 2))
    assert state.confirm_by is None
    assert [each.reference for each in desk.register.objections.of("mail:joerg@elsewhere.example")] == [state.reference]
    text = (desk.register.objections.statement(state.reference) or {})["text"]
    assert text == "From: J\u00f6rg <joerg@elsewhere.example>\nSubject: I object\n\nPlease do not use my posts."
    (file,) = desk.register.attachments.of(state.reference)
    assert (file.name, desk.register.attachments.read(file.id)) == ("_id.pdf", b"%PDF-")
    assert [each.address for each in _letters(desk)] == ["joerg@elsewhere.example"]


def test_a_forged_sender_gains_no_look_at_the_account_that_a_mail_names(officer: Door, desk: Desk) -> None:
    _record(officer, mail=MAIL, accounts="ann")
    assert ANN not in desk.register.members.identifiers(
        desk.register.members.covered_with("mail:joerg@elsewhere.example")
    )


def test_a_mail_that_nobody_answers_goes_on_and_comes_back_after_a_denial(officer: Door, desk: Desk) -> None:
    _record(officer, mail=MAIL)
    (asked,) = _letters(desk)
    desk.register.mails.sent([asked.id])
    assert desk.register.objections.lapse_overdue(datetime(2099, 1, 1, tzinfo=UTC)) == []
    desk.register.objections.lapse(str(asked.params["reference"]), cause="denied")
    question = officer.visitor.get(urlsplit(str(asked.params["confirm_url"])).path)
    officer.visitor.submit(question, button="yes")
    states = desk.register.objections.of("mail:joerg@elsewhere.example")
    assert [each.phase for each in states] == [ObjectionPhase.CONFIRMED]
    assert states[0].reference == asked.params["reference"]


def _said(desk: Desk, account: str) -> Mapping[str, JSON]:
    (state,) = desk.register.objections.of(account)
    return desk.register.objections.statement(state.reference) or {}


def test_what_was_written_is_sealed_with_its_sender_and_not_with_an_account_that_was_named(
    officer: Door, desk: Desk
) -> None:
    _record(officer, mail=MAIL, accounts="dieter", names="J\u00f6rg", text="He called, too.")
    sender = "mail:joerg@elsewhere.example"
    (first,) = desk.register.objections.of(sender)
    assert {"names", "text"} <= set(_said(desk, sender))
    assert [each.name for each in desk.register.attachments.of(first.reference)] == ["_id.pdf"]
    assert _said(desk, DIETER) == {"accounts": [DIETER], "within": first.seq}
    (other,) = desk.register.objections.of(DIETER)
    assert desk.register.attachments.of(other.reference) == []
    here = f"/staff/objections/{other.seq}"
    page = officer.act(officer.visitor.get(here), f"{here}/read")
    assert str(first.seq) in page.text
    assert "He called" not in page.text


def test_the_copy_of_a_named_account_holds_nothing_of_a_letter_that_nobody_checked(
    officer: Door, desk: Desk, workspace: Workspace
) -> None:
    _record(officer, mail=MAIL, accounts="dieter", names="J\u00f6rg")
    _record(officer, accounts="dieter", text="I am ill with X.")
    for objection in _objections(workspace, DIETER):
        assert (objection["unchecked"], objection["statement"], objection["attachments"]) == (True, None, [])
    for state in desk.register.objections.of(DIETER):
        desk.register.objections.confirm(state.reference)
    mentioned, written = _objections(workspace, DIETER)
    assert set(mentioned["statement"]) == {"accounts", "within"}
    assert written["statement"]["text"] == "I am ill with X."


def _objections(workspace: Workspace, account: str) -> list[dict[str, Any]]:
    copy = copy_of(workspace, account)
    try:
        with zipfile.ZipFile(copy.path) as archive:
            everything = archive.read("copy.json") + archive.read("copy.html")
            found: list[dict[str, Any]] = json.loads(archive.read("copy.json"))["objections"]
    finally:
        copy.discard()
    assert b"J\xc3\xb6rg" not in everything
    return found


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (b"Auto-Submitted: auto-replied\r\n", "It is an automatic reply"),
        (b"X-Original-From: Ann <ann@town.example>\r\n", "Make sure who wrote it"),
        (b"", "Its sender matches nobody that you know"),
    ],
)
def test_a_mail_that_needs_a_look_says_why_on_the_page(officer: Door, desk: Desk, fields: bytes, told: str) -> None:
    page = _record(officer, mail=fields + MAIL)
    assert told in page.text
    assert ("keeps nothing out yet" in page.text) == fields.startswith(b"Auto-Submitted")
    (state,) = desk.register.objections.waiting()
    assert "warning" in (desk.register.objections.statement(state.reference) or {})
    tagged = _record(officer, mail=MAIL.replace(b"joerg@", b"joerg+ai@"))
    assert "the address without it is covered, too" in tagged.text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "accounts"),
        ({"accounts": "a b/c d", "names": "Ann"}, "accounts"),
        ({"names": "Ann", "received": "2.1.2026"}, "received"),
        ({"names": "Ann", "received": "2999-01-01"}, "received"),
    ],
)
def test_a_slip_is_told_and_what_was_typed_is_kept(
    officer: Door, desk: Desk, values: dict[str, Any], field: str
) -> None:
    page = _record(officer, 422, **values)
    assert set(page.errors) == {field}
    form = next(each for each in page.forms if each.action == "/staff/letters")
    assert values.items() <= form.values.items()
    assert desk.register.objections.waiting() == []


PDF, JPEG, PNG = b"%PDF-1.4 x", b"\xff\xd8\xff\xe0 x", b"\x89PNG\r\n\x1a\n x"


def _send(officer: Door, files: Mapping[str, bytes], status: int = 200, **values: str) -> Page:
    page = officer.visitor.get("/staff/letters")
    form = next(each for each in page.forms if each.action == "/staff/letters")
    sent = [("file", (name, content, "text/html")) for name, content in files.items()]
    return officer.visitor.post("/staff/letters", form.values | values, status, files=sent)


def test_scans_are_sealed_by_what_they_hold_and_saved_alone(officer: Door, desk: Desk) -> None:
    page = _send(officer, {"../../letter.html": PDF, "page2.svg": JPEG, "3.exe": PNG, "empty.pdf": b""}, names="Ann")
    assert "Files that were sealed with it: 3" in page.text
    (state,) = desk.register.objections.waiting()
    files = desk.register.attachments.of(state.reference)
    assert [(each.name, each.type) for each in files] == [
        ("scan-1.pdf", "application/pdf"),
        ("scan-2.jpg", "image/jpeg"),
        ("scan-3.png", "image/png"),
    ]
    assert [desk.register.attachments.read(each.id) for each in files] == [PDF, JPEG, PNG]
    assert PDF not in b"".join(each.read_bytes() for each in desk.workspace.root.glob("register*"))
    here = f"/staff/objections/{state.seq}"
    opened = officer.act(officer.visitor.get(here), f"{here}/read")
    form = next(each for each in opened.forms if "/files/" in each.action)
    answer = officer.client.post(form.action, data=form.values)
    assert (answer.content, answer.headers["content-type"]) == (PDF, "application/octet-stream")
    assert answer.headers["content-disposition"].startswith("attachment;")


def test_a_scan_alone_is_an_objection_and_one_stands_beside_a_mail(officer: Door, desk: Desk) -> None:
    _send(officer, {"letter.pdf": PDF})
    _send(officer, {"letter.pdf": PDF, "mail.eml": MAIL}, channel="letter")
    scan, mail = desk.register.objections.waiting()
    assert (scan.channel, mail.channel) == ("letter", "mail")
    assert [each.name for each in desk.register.attachments.of(mail.reference)] == ["_id.pdf", "scan-1.pdf"]


def test_other_files_are_told_and_what_was_typed_is_kept(officer: Door, desk: Desk) -> None:
    refused: list[tuple[Mapping[str, bytes], str]] = [
        ({"<b>.docx": b"PK\x03\x04 x"}, "<b>.docx is no PDF, JPEG or PNG, and no mail"),
        ({"page.html": b"<!doctype html><p>x"}, "page.html is no PDF"),
        ({"a.pdf": PDF, "b.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}, "b.svg is no PDF"),
        ({"a.eml": MAIL, "b.eml": MAIL + b" "}, "one mail at a time"),
        ({f"{number}.pdf": PDF for number in range(11)}, "at most 10 files"),
    ]
    for files, told in refused:
        page = _send(officer, files, 422, names="Ann")
        assert told in page.errors["file"]
        assert next(each for each in page.forms if each.action == "/staff/letters").values["names"] == "Ann"
    assert desk.register.objections.waiting() == []


def test_scans_have_room_of_their_own_and_no_more(officer: Door, desk: Desk) -> None:
    _send(officer, {"a.pdf": PDF + bytes(12 * 1024 * 1024)}, names="Ann")
    assert len(desk.register.objections.waiting()) == 1
    code = officer.visitor.get("/staff/letters").forms[0].values["csrf"]
    sent = {"file": ("a.pdf", PDF + bytes(26 * 1024 * 1024), "application/pdf")}
    assert officer.client.post("/staff/letters", data={"csrf": code, "names": "Ben"}, files=sent).status_code == 413
    assert officer.client.post("/staff/objections/search", data={"csrf": code}, files=sent).status_code == 413


def test_each_receipt_says_which_account_it_is_for(officer: Door) -> None:
    page = _record(officer, accounts="ann\ndieter", names="Ann")
    for account in (ANN, DIETER):
        assert f"Receipt for {account}" in page.text
    assert "Receipt for somebody without an account" in _record(officer, names="Ida").text


@pytest.mark.parametrize("mail", [b"%PD-1.4", b"\0" * 100, b"Subject: " + b"x" * 300_000 + b"\r\n\r\n"])
def test_what_is_no_mail_is_told(officer: Door, mail: bytes) -> None:
    assert set(_record(officer, 422, mail, names="Ann").errors) == {"file"}


def test_a_form_of_another_session_records_nothing(officer: Door, desk: Desk) -> None:
    page = officer.visitor.get("/staff/letters")
    code = page.forms[0].values["csrf"]
    officer.out()
    officer.sign_in()
    assert officer.client.post("/staff/letters", data={"csrf": code, "names": "Ann"}).status_code == 403
    assert desk.register.objections.waiting() == []
