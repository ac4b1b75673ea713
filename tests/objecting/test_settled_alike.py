"""An objection is confirmed, is denied and lapses alike, whoever says so; a second time changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import pytest
from channels import Happened, Town
from silence import doubted
from town import DIETER, SILENT
from ways import bound, letters, path_in

from demur.register import ObjectionPhase
from demur.worker.work import work

Settle = Callable[[Town, str, str], None]
"""Settles the objection of a reference; its holder was asked by the mail that leads to a path."""


def asked(town: Town) -> tuple[str, str]:
    """An objection in a letter, and the path of the question that went to its holder."""
    letters(town.desk)
    town.records(accounts=DIETER, text="Leave me out.")
    (question,) = letters(town.desk)
    return str(question.params["reference"]), path_in(question)


def number(town: Town, reference: str) -> int:
    return town.state(reference).seq


def confirmed_by_its_holder(town: Town, reference: str, path: str) -> None:
    page = town.visitor.get(path)
    if page.forms:  # a second time there is nothing to press
        page = town.visitor.submit(page, button="yes")
    assert page.h1 == "Ihr Widerspruch ist bestätigt"
    assert reference in page.text


def confirmed_by_an_officer(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    seq = number(town, reference)
    page = town.reviews(seq, "confirm") if _waits(town, seq) else town.officer.visitor.get(f"/staff/objections/{seq}")
    assert "confirmed" in page.text


def confirmed_over_the_api(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    told = town.calls(f"objections/{reference}/confirm")
    assert (told["reference"], told["status"], told["binding"]) == (reference, "confirmed", True)


def confirmed_from_the_command_line(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    told = town.runs("confirm", reference)
    assert (told["reference"], told["state"]) == (reference, "confirmed")


def denied_by_its_holder(town: Town, reference: str, path: str) -> None:
    page = town.visitor.get(path)
    if any(each.get("value") == "no" for form in page.forms for each in form.buttons):
        page = town.visitor.submit(page, button="no")
    assert page.h1 == "Dieser Widerspruch ist beendet"
    assert reference in page.text


def denied_before_an_officer(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    seq = number(town, reference)
    page = town.reviews(seq, "deny") if _waits(town, seq) else town.officer.visitor.get(f"/staff/objections/{seq}")
    assert "lapsed" in page.text


def denied_over_the_api(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    told = town.calls(f"objections/{reference}/lapse", cause="denied")
    assert (told["reference"], told["status"], told["binding"]) == (reference, "lapsed", False)


def denied_on_the_command_line(town: Town, reference: str, path: str) -> None:  # noqa: ARG001  # as the others
    told = town.runs("lapse", reference, "--cause", "denied")
    assert (told["reference"], told["state"], told["cause"]) == (reference, "lapsed", "denied")


def lapsed_over_the_api(town: Town, reference: str) -> None:
    told = town.calls(f"objections/{reference}/lapse", cause="unconfirmed")
    assert (told["reference"], told["status"], told["binding"]) == (reference, "lapsed", False)


def lapsed_on_the_command_line(town: Town, reference: str) -> None:
    told = town.runs("lapse", reference, "--cause", "unconfirmed")
    assert (told["reference"], told["state"], told["cause"]) == (reference, "lapsed", "unconfirmed")


def lapsed_at_maintenance(town: Town, reference: str) -> None:  # noqa: ARG001  # as the others
    assert town.runs("maintain")["lapsed"] <= 1


def lapsed_by_the_worker(town: Town, reference: str) -> None:  # noqa: ARG001  # as the others
    work(town.desk.workspace, Event(), once=True)


CONFIRMED: Final = (
    confirmed_by_its_holder,
    confirmed_by_an_officer,
    confirmed_over_the_api,
    confirmed_from_the_command_line,
)
DENIED: Final = (denied_by_its_holder, denied_before_an_officer, denied_over_the_api, denied_on_the_command_line)
LAPSED: Final = (lapsed_over_the_api, lapsed_on_the_command_line, lapsed_at_maintenance, lapsed_by_the_worker)


def _waits(town: Town, seq: int) -> bool:
    return f"/staff/objections/{seq}" in town.officer.visitor.get("/staff/objections").links


def _said(happened: Happened) -> list[tuple[str, dict[str, object]]]:
    return [(each.kind.value, dict(each.payload)) for each in happened.entries]


@pytest.mark.parametrize("confirm", CONFIRMED)
def test_it_is_confirmed_once_and_stands(town: Town, confirm: Settle) -> None:
    reference, path = asked(town)
    with town.watched() as happened:
        confirm(town, reference, path)
    assert _said(happened) == [("objection.confirmed", {"objection": number(town, reference)})]
    assert happened.told == []
    assert town.state(reference).phase is ObjectionPhase.CONFIRMED
    assert bound(town.desk, DIETER)
    with town.watched() as again:
        confirm(town, reference, path)
    assert (again.entries, again.mails) == ([], [])


@pytest.mark.parametrize("deny", DENIED)
def test_it_is_denied_once_and_binds_no_more(town: Town, deny: Settle) -> None:
    reference, path = asked(town)
    with town.watched() as happened:
        deny(town, reference, path)
    assert _said(happened) == [("objection.lapsed", {"cause": "denied", "objection": number(town, reference)})]
    assert happened.told == []
    assert town.state(reference).phase is ObjectionPhase.LAPSED
    assert not bound(town.desk, DIETER)
    with town.watched() as again:
        deny(town, reference, path)
    assert (again.entries, again.mails) == ([], [])


@pytest.mark.parametrize("deny", DENIED)
def test_its_holder_brings_it_back_whoever_recorded_the_denial(town: Town, deny: Settle) -> None:
    reference, path = asked(town)
    deny(town, reference, path)
    with town.watched() as happened:
        town.visitor.submit(town.visitor.get(path), button="yes")
    assert happened.written == ["objection.revived", "objection.confirmed"]
    assert happened.told == []
    assert town.state(reference).phase is ObjectionPhase.CONFIRMED
    assert bound(town.desk, DIETER)


@pytest.mark.parametrize("lapse", LAPSED)
def test_it_lapses_once_and_binds_no_more(town: Town, lapse: Callable[[Town, str], None]) -> None:
    reference = town.desk.register.objections.lodge([DIETER], channel="typed-in").reference
    doubted(town.desk.register, reference, datetime.now(UTC) - timedelta(seconds=1))
    lately = datetime.now(UTC) - timedelta(days=2)
    town.desk.register.objections.lodge([SILENT], channel="letter", now=lately)  # so that the clock is believed
    with town.watched() as happened:
        lapse(town, reference)
    assert _said(happened) == [("objection.lapsed", {"cause": "unconfirmed", "objection": number(town, reference)})]
    assert happened.told == []
    assert town.state(reference).phase is ObjectionPhase.LAPSED
    assert not bound(town.desk, DIETER)
    with town.watched() as again:
        lapse(town, reference)
    assert (again.entries, again.mails) == ([], [])
