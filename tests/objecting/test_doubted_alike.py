"""A doubt is recorded, asked about and reminded of alike, whoever has it; what is kept or ended can be undone."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import pyarrow as pa
import pytest
from channels import Town
from pages import Page
from town import DIETER, SILENT
from ways import anonymous, as_person, bound, letters, path_in, state_of, typed

from demur.errors import UsageError
from demur.notices.rendering import Rendered, render_mail
from demur.objecting import settling
from demur.objecting.office import Office
from demur.register import JSON, MEMBER, ObjectionPhase, SingleMail
from demur.worker.work import work

WHY: Final = "Two people claim this account."
DAY: Final = timedelta(days=1)


def office(town: Town, days: float = 0) -> Office:
    """What objections are settled with, some days from now."""
    return replace(town.desk.office(), now=datetime.now(UTC) + days * DAY)


def claimed(town: Town, days: float) -> list[SingleMail]:
    """What waits, delivered some days from now."""
    at = office(town, days).now
    found = town.desk.register.mails.claim(99, now=at)
    town.desk.register.mails.sent([each.id for each in found], now=at)
    return found


def rendered(town: Town, mail: SingleMail) -> Rendered:
    return render_mail(town.desk.policy(), mail.template, "en", mail.params)


def text(town: Town, mail: SingleMail) -> str:
    return rendered(town, mail).text


def asked(town: Town) -> tuple[str, str, Page]:
    """A typed objection, the path of the question about it, and its receipt."""
    receipt = typed(town.visitor, DIETER)
    (question,) = letters(town.desk)
    return state_of(town.desk, receipt).reference, f"/en{path_in(question).removeprefix('/de')}", receipt


def by_an_officer(town: Town, reference: str) -> None:
    seq = town.state(reference).seq
    page = town.officer.visitor.get(f"/staff/objections/{seq}")
    form = next((each for each in page.forms if each.action.endswith("/doubt")), None)
    if form is not None:  # a second time there is nothing to press
        town.officer.visitor.post(form.action, form.values | {"doubt": WHY})


def from_the_command_line(town: Town, reference: str) -> None:
    assert town.runs("doubt", reference, "--reason", WHY)["confirm_by"]


@pytest.mark.parametrize("doubt", [by_an_officer, from_the_command_line])
def test_it_is_doubted_once_and_binds_on(town: Town, doubt: Callable[[Town, str], None]) -> None:
    reference, path, receipt = asked(town)
    before = anonymous(town.visitor.get(receipt.path))
    with town.watched() as happened:
        doubt(town, reference)
    assert happened.written == ["objection.doubted"]
    assert happened.told == [("confirm", "dieter@town.example", "de")]
    state = town.state(reference)
    assert (state.phase, state.binding) == (ObjectionPhase.LODGED, True)
    assert state.doubted is not None
    assert state.confirm_by is not None
    assert abs(state.confirm_by - state.doubted - 30 * DAY) < timedelta(minutes=1)
    day = f"{state.confirm_by.date():%-d %B %Y}"
    assert f"It ends on {day} if nobody answers." in text(town, happened.mails[0])
    assert f"It ends on {day} if nobody answers." in town.visitor.get(path).text
    assert str(state.confirm_by.date()) in town.officer.visitor.get(f"/staff/objections/{state.seq}").text
    assert anonymous(town.visitor.get(receipt.path)) == before, "who typed it learns nothing of its holder"
    assert WHY in [why for _, why in town.desk.register.objections.doubts(reference)]
    with town.watched() as again:
        doubt(town, reference)
    assert (again.entries, again.mails) == ([], [])


def test_nobody_is_doubted_whom_nobody_can_ask(town: Town) -> None:
    reference = state_of(town.desk, typed(town.visitor, SILENT)).reference
    head = town.desk.register.log.head()
    with pytest.raises(UsageError, match="Nobody can be asked"):
        settling.doubt(town.desk.register, reference, WHY, office(town))
    assert "Nobody can be asked" in town.officer.visitor.get(f"/staff/objections/{town.state(reference).seq}").text
    assert town.desk.register.log.head() == head


@pytest.mark.parametrize("why", ["", " \n"])
def test_a_doubt_needs_a_reason(town: Town, why: str) -> None:
    reference, _, _ = asked(town)
    page = town.officer.visitor.get(f"/staff/objections/{town.state(reference).seq}")
    form = next(each for each in page.forms if each.action.endswith("/doubt"))
    wrong = town.officer.visitor.post(form.action, form.values | {"doubt": why}, status=422)
    assert "Say why you doubt it" in wrong.text
    with pytest.raises(UsageError, match="Say why"):
        settling.doubt(town.desk.register, reference, why, office(town))
    assert town.state(reference).doubted is None


def test_reminders_go_out_on_their_days_once_and_then_it_lapses(town: Town) -> None:
    register = town.desk.register
    reference, path, _ = asked(town)
    settling.doubt(register, reference, WHY, office(town))
    claimed(town, 0)
    subjects = []
    for days in (0, 6.9, 7.1, 7.2, 20.9, 21.1, 25):
        posted = settling.remind(register, office(town, days))
        assert posted == (1 if days in {7.1, 21.1} else 0), days
        subjects += [rendered(town, each).subject for each in claimed(town, days)]
    assert [each.partition("Reminder")[1:] for each in subjects] == [("Reminder", ": keep this objection?")] * 2
    until = town.state(reference).confirm_by
    assert until is not None
    assert register.objections.lapse_overdue(until) == []
    assert register.objections.lapse_overdue(until + DAY) == [reference]
    assert not bound(town.desk, DIETER)
    town.visitor.submit(town.visitor.get(path), button="yes")
    assert bound(town.desk, DIETER)


def test_a_reminder_and_its_record_are_one(town: Town) -> None:
    register = town.desk.register
    reference, _, _ = asked(town)
    settling.doubt(register, reference, WHY, office(town))
    claimed(town, 0)
    head = register.log.head()
    with suppress(RuntimeError), register.locked():
        settling.remind(register, office(town, 8))
        raise RuntimeError
    assert (register.log.head(), claimed(town, 8)) == (head, [])
    assert settling.remind(register, office(town, 8)) == 1
    assert len(claimed(town, 8)) == 1


@pytest.mark.parametrize("button", ["yes", "no"])
def test_who_has_answered_is_not_reminded(town: Town, button: str) -> None:
    reference, path, _ = asked(town)
    settling.doubt(town.desk.register, reference, WHY, office(town))
    claimed(town, 0)
    town.visitor.submit(town.visitor.get(path), button=button)
    assert settling.remind(town.desk.register, office(town, 8)) == 0
    assert claimed(town, 8) == []


def test_whoever_has_no_address_any_more_is_not_doubted_any_more(town: Town) -> None:
    register = town.desk.register
    reference, _, _ = asked(town)
    settling.doubt(register, reference, WHY, office(town))
    claimed(town, 0)
    register.members.import_all(
        [pa.RecordBatch.from_pylist([dict.fromkeys(MEMBER.names) | {"account": DIETER}], schema=MEMBER)]
    )
    assert settling.remind(register, office(town, 8)) == 0
    assert (town.state(reference).doubted, town.state(reference).binding) == (None, True)
    assert settling.remind(register, office(town, 8)) == 0


def test_the_worker_reminds(town: Town) -> None:
    register = town.desk.register
    reference, _, _ = asked(town)
    settling.doubt(register, reference, WHY, office(town, -8))
    (question,) = register.mails.claim(9)
    register.mails.sent([question.id], now=office(town, -8).now)
    register.objections.lodge([SILENT], channel="letter", now=office(town, -1).now)  # so that the clock is believed
    counts = [work(town.desk.workspace, Event(), once=True) for _ in range(3)]
    assert [each["upkeep"].get("reminded", 0) for each in counts] == [1, 0, 0]
    assert [each["mails"].get("sent", 0) for each in counts] == [0, 1, 0]


# Keep it, end it, and back


def test_both_answers_weigh_the_same_and_say_what_follows(town: Town) -> None:
    _, path, _ = asked(town)
    page = town.visitor.get(path)
    assert page.h1 == "Keep this objection?"
    keep, end = (each for form in page.forms for each in form.buttons)
    assert (keep.text, end.text) == ("Keep it", "End it")
    assert (keep.get("value"), end.get("value")) == ("yes", "no")
    assert keep.get("class") == end.get("class") == "button"
    for button in (keep, end):
        (said,) = (each for each in page.tree.iter() if each.get("id") == button.get("aria-describedby"))
        assert str(said.text).startswith(f"{button.text}: ")
    assert "Maybe somebody did it for you, for example a relative." in page.text
    assert "It goes on if you do nothing." in page.text


def test_looking_changes_nothing(town: Town) -> None:
    _, path, _ = asked(town)
    head = town.desk.register.log.head()
    for address in (path, f"{path}/withdraw", f"{path}?answer=no"):
        assert town.visitor.client.get(address).status_code == 200
        assert town.visitor.client.head(address).status_code == 200
    assert town.desk.register.log.head() == head


def test_what_was_ended_by_mistake_comes_back_with_one_click(town: Town) -> None:
    reference, path, _ = asked(town)
    ended = town.visitor.submit(town.visitor.get(path), button="no")
    assert ended.h1 == "This objection has ended"
    assert not bound(town.desk, DIETER)
    back = town.visitor.submit(ended, button="yes")
    assert back.h1 == "Your objection is confirmed"
    assert reference in back.text
    assert bound(town.desk, DIETER)


def test_what_was_kept_is_ended_by_the_same_link_and_comes_back(town: Town) -> None:
    _, path, receipt = asked(town)
    before = anonymous(town.visitor.get(receipt.path))
    kept = town.visitor.submit(town.visitor.get(path), button="yes")
    link = next(each for each in kept.links if each.endswith("/withdraw"))
    ended = town.visitor.submit(town.visitor.get(link))
    assert ended.h1 == "Your objection is withdrawn"
    assert not bound(town.desk, DIETER)
    town.visitor.submit(ended, button="yes")
    assert bound(town.desk, DIETER)
    assert anonymous(town.visitor.get(receipt.path)) == before, "who typed it learns nothing of its holder"


def test_the_button_that_was_pressed_last_counts(town: Town) -> None:
    reference, path, _ = asked(town)
    question = town.visitor.get(path)
    town.visitor.submit(question, button="yes")
    town.visitor.submit(question, button="no")  # from a page that was still open
    assert town.state(reference).phase is ObjectionPhase.WITHDRAWN
    town.visitor.submit(question, button="yes")
    assert town.state(reference).phase is ObjectionPhase.CONFIRMED


@pytest.mark.parametrize("said", [{"child": True}, {"for": "child"}, {"for": "other"}])
def test_who_spoke_for_another_is_asked_about_that_other(town: Town, said: dict[str, JSON]) -> None:
    whose = "another person's content" if said.get("for") == "other" else "a child's content"
    as_person(town.visitor, names="Somebody Else", contact="me@elsewhere.example")
    question = next(each for each in letters(town.desk) if each.template == "confirm")
    register = town.desk.register
    statement = register.objections.statement(str(question.params["reference"])) or {}
    again = register.objections.lodge(
        ["person:" + "0" * 32], channel="no-account", statement={**statement, "child": False, **said}
    )
    settling.lapse(register, again.reference, office(town), cause="denied")
    settling.revive(register, again.reference, office(town))
    (asks,) = letters(town.desk)
    assert whose in text(town, asks)
    page = town.visitor.get(path_in(asks))
    assert whose in page.text
    town.visitor.submit(page, button="yes")
    settling.withdraw(register, again.reference, office(town))
    (told,) = letters(town.desk)
    assert ("somebody else" if "other" in whose or said.get("for") == "other" else "for a child") in text(town, told)
