"""Claims that a model repeats data, as staff see them: what waits, what was found, and the answer, on record."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from staffdoor import Door

from demur.register import ClaimPhase, ClaimState, Entry, Outcome
from demur.register.claims import Said
from demur.terms import EntryKind
from demur.web.desk import Desk

Entries = Callable[[EntryKind], list[Entry]]

SAID = Said("Zebedee lives at 7 Harbour Row.", "Where does he live?", contact="zeb@mail.example")
FACTS = {
    "runs": [{"run": "helper", "model": "0001", "rows": 2, "served": 1}],
    "corpus": 3,
    "longest": 14,
    "withheld": 0,
    "moved": 0,
    "incident": False,
    "asked": 42,
    "answers": [
        {
            "run": "helper",
            "times": 42,
            "greedy": 5,
            "sampled": 3,
            "millinats": 900,
            "gain": 12,
            "others": 64,
            "permille": 31,
        }
    ],
}


def lodged(desk: Desk, *, tested: bool = True, **facts: object) -> ClaimState:
    came = datetime.now(UTC) - timedelta(days=40)
    state = desk.register.claims.lodge(SAID, "person:0", channel="letter", received=came.date())
    if tested:
        told = {**FACTS, **facts}
        desk.register.claims.tested(state.reference, Outcome.HELD, told, np.zeros(0, np.int64))  # type: ignore[arg-type]
    return state


def test_the_list_shows_what_waits_how_long_and_no_words(officer: Door, desk: Desk) -> None:
    state, other = lodged(desk), lodged(desk, tested=False)
    page = officer.visitor.get("/staff/claims")
    assert "overdue" in page.text
    assert "held: the words stand in rows" in page.text
    assert "not tested yet" in page.text
    assert {f"/staff/claims/{each.seq}" for each in (state, other)} <= set(page.links)
    assert "Zebedee" not in page.html


def test_the_page_of_one_says_what_was_looked_at_and_opens_the_words_on_record(
    officer: Door, desk: Desk, entries: Entries
) -> None:
    state = lodged(desk)
    page = officer.visitor.get(f"/staff/claims/{state.seq}")
    assert "2 of its rows hold the words; what serves has seen 1 of them" in page.text
    assert "31 in a thousand gained as much" in page.text
    assert "Zebedee" not in page.html
    before = len(entries(EntryKind.DATA_READ))
    (form,) = (at for at, each in enumerate(page.forms) if each.action.endswith("/read"))
    assert "Zebedee lives at 7 Harbour Row." in officer.visitor.submit(page, form=form).text
    read = entries(EntryKind.DATA_READ)
    assert len(read) == before + 1
    assert read[-1].payload["claim"] == state.seq


def test_an_incident_is_said(officer: Door, desk: Desk) -> None:
    state = lodged(desk, incident=True, moved=1)
    assert "incident" in officer.visitor.get("/staff/claims").text
    assert "This is an incident." in officer.visitor.get(f"/staff/claims/{state.seq}").text


def test_an_answer_is_one_entry_and_one_of_who_gave_it(officer: Door, desk: Desk, entries: Entries) -> None:
    state = lodged(desk)
    page = officer.visitor.get(f"/staff/claims/{state.seq}")
    (form,) = (at for at, each in enumerate(page.forms) if each.action.endswith("/answer"))
    done = officer.visitor.submit(page, {"note": "We train it again."}, form=form)
    assert "It is answered." in done.text
    assert desk.register.claims.get(state.reference).phase is ClaimPhase.ANSWERED
    assert desk.register.claims.note(state.reference) == "We train it again."
    assert entries(EntryKind.STAFF_ACTED)[-1].payload["act"] == "claim.answer"
    assert len(entries(EntryKind.CLAIM_ANSWERED)) == 1
    assert desk.register.mails.waiting() == 1


def test_what_is_not_tested_has_no_answer_yet_and_nobody_can_refuse(officer: Door, desk: Desk) -> None:
    page = officer.visitor.get(f"/staff/claims/{lodged(desk, tested=False).seq}")
    assert [each.action for each in page.forms if each.action.startswith("/staff/claims")] == [
        f"/staff/claims/{desk.register.claims.listed()[0].seq}/read"
    ]
    officer.visitor.get("/staff/claims/99999", 404)


def test_an_auditor_sees_the_list_and_no_claim(door: Door, desk: Desk) -> None:
    state = lodged(desk)
    door.join("auditor")
    assert f"/staff/claims/{state.seq}" not in door.visitor.get("/staff/claims").links
    door.visitor.get(f"/staff/claims/{state.seq}", 403)
