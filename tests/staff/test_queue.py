"""The officer's queue, and what the register says of who looked and who acted."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from modelling import trained
from pages import Visitor
from silence import doubted
from staffdoor import Door
from town import ANN, DIETER, EWA, KARMENU, SILENT

from demur.register import JSON, Entry, ObjectionPhase, Receipt
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.workspace import Workspace

Entries = Callable[[EntryKind], list[Entry]]

SECRET = "<b>my reason</b>"


@pytest.fixture
def lodged(desk: Desk) -> Receipt:
    """An objection that waits, with words and a file."""
    said: dict[str, JSON] = {"names": ["Ann Archer"], "contact": "ann@town.example", "child": False}
    receipt = desk.register.objections.lodge([ANN], channel="no-account", reason=SECRET, statement=said)
    desk.register.attachments.add(receipt.reference, 'a"\r\nSet-Cookie: x.html', "text/html", b"<script>1</script>")
    return receipt


def test_the_queue_shows_what_waits_and_for_how_long(officer: Door, lodged: Receipt, desk: Desk) -> None:
    confirmed = desk.register.objections.lodge([DIETER], channel="letter")
    desk.register.objections.confirm(confirmed.reference)
    doubted(desk.register, lodged.reference, datetime.now(UTC) + timedelta(days=9, hours=1))
    page = officer.visitor.get("/staff/objections")
    assert f"{lodged.seq} no-account" in page.text
    assert "9 days" in page.text
    assert f"/staff/objections/{confirmed.seq}" not in page.links
    assert lodged.reference not in page.html


@pytest.mark.parametrize("channel", ["signed-link", "signed-in", "api", "erasure"])
def test_what_shows_by_itself_whose_it_is_does_not_wait(officer: Door, desk: Desk, channel: str) -> None:
    proven = desk.register.objections.lodge([DIETER], channel=channel)
    assert f"/staff/objections/{proven.seq}" not in officer.visitor.get("/staff/objections").links


def test_looking_at_one_shows_nothing_that_was_said(officer: Door, lodged: Receipt, entries: Entries) -> None:
    page = officer.visitor.get(f"/staff/objections/{lodged.seq}")
    assert "reason" not in page.text
    assert "Ann Archer" not in page.html
    assert entries(EntryKind.DATA_READ) == []


def test_it_says_which_models_were_trained_on_it_and_what_was_done(
    officer: Door, desk: Desk, workspace: Workspace
) -> None:
    order = [desk.register.pepper.subject_key(account) for account in (KARMENU, SILENT, DIETER, ANN, EWA)]
    trained(workspace, order, "helper")
    lodged = desk.register.objections.lodge([DIETER], channel="letter")
    page = officer.visitor.get(f"/staff/objections/{lodged.seq}")
    assert "helper/0001, answers from a state that never saw them; it waits for a replay" in page.text


def test_what_was_said_is_opened_on_the_record(officer: Door, lodged: Receipt, entries: Entries, desk: Desk) -> None:
    here = f"/staff/objections/{lodged.seq}"
    page = officer.act(officer.visitor.get(here), f"{here}/read")
    assert SECRET in page.text
    assert SECRET not in page.html
    assert "Ann Archer" in page.text
    (entry,) = entries(EntryKind.DATA_READ)
    assert entry.payload == {"staff": 1, "objection": lodged.seq, "what": "statement"}
    assert set(desk.register.objections.covered_by(lodged.reference)) >= set(lodged.subjects)


def test_a_file_is_saved_and_never_shown(officer: Door, lodged: Receipt, entries: Entries) -> None:
    here = f"/staff/objections/{lodged.seq}"
    opened = officer.act(officer.visitor.get(here), f"{here}/read")
    form = next(each for each in opened.forms if "/files/" in each.action)
    answer = officer.client.post(form.action, data=form.values)
    assert answer.content == b"<script>1</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"attachment; filename\*=utf-8''[\w.%-]+", answer.headers["content-disposition"])
    assert "set-cookie" not in answer.headers
    assert entries(EntryKind.DATA_READ)[-1].payload["what"] == "attachment/1"
    other = form.action.rpartition("/")[0] + "/99"
    assert officer.client.post(other, data=form.values).status_code == 404


@pytest.mark.parametrize(("button", "phase"), [("confirm", ObjectionPhase.CONFIRMED), ("deny", ObjectionPhase.LAPSED)])
def test_an_officer_confirms_or_records_a_denial(
    officer: Door, lodged: Receipt, desk: Desk, entries: Entries, button: str, phase: ObjectionPhase
) -> None:
    here = f"/staff/objections/{lodged.seq}"
    page = officer.visitor.get(here)
    officer.act(page, f"{here}/{button}")
    assert desk.register.objections.get(lodged.reference).phase is phase
    (acted,) = entries(EntryKind.STAFF_ACTED)
    assert acted.payload == {"staff": 1, "act": f"objection.{button}", "objection": lodged.seq}
    officer.act(page, f"{here}/confirm")
    assert desk.register.objections.get(lodged.reference).phase is phase
    assert len(entries(EntryKind.STAFF_ACTED)) == 1


def test_there_is_no_way_to_refuse(officer: Door, lodged: Receipt) -> None:
    page = officer.visitor.get(f"/staff/objections/{lodged.seq}")
    assert not re.search("(?i)refuse|reject|decline", page.html)
    assert {each.action.rpartition("/")[2] for each in page.forms} == {"out", "read", "confirm", "deny"}


@pytest.mark.parametrize("act", ["read", "confirm", "deny", "doubt", "revive", "files/1"])
def test_a_form_without_its_code_does_nothing(officer: Door, lodged: Receipt, desk: Desk, act: str) -> None:
    before = desk.register.log.head()
    for code in ("", "wrong"):
        answer = officer.client.post(f"/staff/objections/{lodged.seq}/{act}", data={"csrf": code})
        assert answer.status_code == 403
    assert desk.register.log.head() == before


@pytest.mark.parametrize("role", ["auditor", "engineer"])
def test_only_officers_read_and_act(door: Door, lodged: Receipt, desk: Desk, role: str) -> None:
    door.join(role)
    code = door.visitor.get("/staff/coverage").forms[0].values["csrf"]
    before = desk.register.log.head()
    for act in ("read", "confirm", "deny", "doubt", "revive", "files/1"):
        answer = door.client.post(f"/staff/objections/{lodged.seq}/{act}", data={"csrf": code})
        assert (answer.status_code, SECRET in answer.text) == (403, False)
    assert door.client.get(f"/staff/objections/{lodged.seq}").status_code == 403
    assert door.client.post("/staff/letters", data={"csrf": code, "names": "Ann"}).status_code == 403
    assert desk.register.log.head() == before


def test_what_is_not_there_is_a_page(officer: Door) -> None:
    visitor: Visitor = officer.visitor
    for path in ("/staff/objections/1", "/staff/objections/99999", "/staff/objections/x"):
        assert visitor.client.get(path).status_code == 404


def test_a_doubt_and_what_is_brought_back_name_who_did_it(officer: Door, desk: Desk, entries: Entries) -> None:
    receipt = desk.register.objections.lodge([DIETER], channel="typed-in")
    here = f"/staff/objections/{receipt.seq}"
    form = next(each for each in officer.visitor.get(here).forms if each.action == f"{here}/doubt")
    for _ in range(2):
        officer.visitor.post(form.action, form.values | {"doubt": SECRET})
    opened = officer.act(officer.visitor.get(here), f"{here}/read")
    assert SECRET in opened.text, "the reason is kept, and opened on the record"
    assert SECRET not in officer.visitor.get(here).text
    officer.act(opened, f"{here}/deny")
    officer.act(officer.visitor.get(here), f"{here}/revive")
    acts = [each.payload["act"] for each in entries(EntryKind.STAFF_ACTED)]
    assert acts == ["objection.doubt", "objection.deny", "objection.revive"]
    assert desk.register.objections.get(receipt.reference).binding
    desk.register.objections.withdraw(receipt.reference)
    officer.visitor.post(f"{here}/revive", form.values)
    assert not desk.register.objections.get(receipt.reference).binding, "a withdrawal is its person's own wish"
