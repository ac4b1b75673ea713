"""The officer's list of objections: what it shows, whom it finds, and many confirmed in one act."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from deadlines import lodge_due
from pages import Page, Visitor
from staffdoor import Door
from town import ANN, DIETER, EWA, KARMENU

from demur.register import JSON, Entry, ObjectionPhase
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.web.staff.waiting import MOST, WARNINGS

Entries = Callable[[EntryKind], list[Entry]]

HERE = "/staff/objections"
ACTS = ("search", "chosen", "confirm")


def _lodge(desk: Desk, *accounts: str, channel: str = "letter", **said: JSON) -> list[int]:
    return [desk.register.objections.lodge([each], channel=channel, statement=said or None).seq for each in accounts]


def _rows(page: Page) -> list[int]:
    return [int(link.rpartition("/")[2]) for link in page.links if link.rpartition("/")[2].isdigit()]


def _find(visitor: Visitor, page: Page, what: str, status: int = 200) -> Page:
    place = [each.action for each in page.forms].index(f"{HERE}/search")
    return visitor.submit(page, {"what": what}, form=place, status=status)


def _post(officer: Door, path: str, numbers: list[int], status: int = 200) -> Page:
    """As a page's form with boxes does, of which some are checked."""
    code = re.search('name="csrf" value="([^"]+)"', officer.client.get(HERE).text)
    assert code
    data = {"csrf": code[1], "list": "state=open", "seq": [str(each) for each in numbers]}
    return officer.visitor.post(f"{HERE}/{path}", data, status)


def test_those_due_come_first_with_their_total_and_pages(officer: Door, desk: Desk) -> None:
    first, second = _lodge(desk, ANN, DIETER)
    (due,) = lodge_due(desk.register, [(EWA, datetime.now(UTC) + timedelta(days=9, hours=1))])
    page = officer.visitor.get(HERE)
    assert _rows(page) == [due.seq, first, second]
    assert "1 to 3 of 3" in page.text
    assert "Waiting (3)" in page.text
    assert "With a deadline (1)" in page.text
    assert f"{due.seq} typed-in 9 days" in page.text
    assert float(page.headers["server-timing"].partition("cpu;dur=")[2]) >= 0
    assert _rows(officer.visitor.get(f"{HERE}?state=doubted")) == [due.seq]


def test_filters_stand_in_the_address_and_hold_nothing_of_anybody(officer: Door, desk: Desk) -> None:
    ann, dieter, ewa = _lodge(desk, ANN, DIETER, EWA)
    (child,) = _lodge(desk, KARMENU, channel="ticket", child=True, text="For my son.", warning="auto-reply")
    asked = {
        "country=DE": [dieter],
        "language=pl": [ewa],
        "channel=ticket": [child],
        "child=yes&text=yes": [child],
        "look=yes": [child],
        "file=yes": [],
        "sort=newest": [child, ewa, dieter, ann],
        "country=unknown": [],
        "country=DE&language=pl": [],
    }
    visitor = officer.visitor
    for query, expected in asked.items():
        page = visitor.get(f"{HERE}?{query}")
        assert _rows(page) == expected, query
        form = next(each for each in page.forms if each.method == "get")
        kept = {name: value for name, value in form.values.items() if value not in {"", "due", "50"}}
        assert kept == dict(part.split("=") for part in query.split("&")), "the form says what is chosen"
    assert "Need a look (1)" in page.text


def test_whatever_an_address_says_the_list_is_shown(officer: Door, desk: Desk) -> None:
    _lodge(desk, ANN)
    visitor = officer.visitor
    for query in (
        {"state": "x", "sort": "y", "show": "7", "country": "<b>", "after": "1.2.3", "before": "x"},
        {"after": f"{10**30}.1"},
        {"before": f"-{10**30}.1"},
        {"after": f"{2**63 - 1}.{2**63 - 1}"},
        {"after": "9.9", "before": "last", "all": "yes"},
        {"language": "\u0660", "channel": "a" * 500},
    ):
        assert visitor.get(f"{HERE}?{urlencode(query)}").h1 == "Objections to review", query


def test_somebody_is_found_and_the_register_never_says_who(officer: Door, desk: Desk, entries: Entries) -> None:
    (ann,) = _lodge(desk, ANN)
    (nameless,) = _lodge(desk, "person:1", channel="no-account", contact="ida@far.example")
    reference = str(desk.register.objections.reference_of(ann))
    searched = {
        "ANN": [ann],
        "@ann": [ann],
        "forum:ann": [ann],
        "ann@town.example": [ann],
        "Ida Ida <ida@far.example>": [nameless],
        reference.lower().replace("-", " "): [ann],
        "nobody@far.example": [],
        "https://": [],
    }
    visitor = officer.visitor
    start = visitor.get(HERE)
    for what, expected in searched.items():
        page = _find(visitor, start, what)
        assert _rows(page) == expected, what
        assert page.path == f"{HERE}/search"
    told = [entry.payload for entry in entries(EntryKind.STAFF_ACTED)]
    kinds = ["account", "account", "account", "email", "email", "reference", "email", "nothing"]
    found = [len(each) for each in searched.values()]
    assert told == [
        {"staff": 1, "act": "objections.search", "by": by, "found": n} for by, n in zip(kinds, found, strict=True)
    ]
    wrong: list[str] = []
    desk.register.audit(wrong.append)
    assert wrong == []


def test_a_search_for_nothing_says_so(officer: Door, entries: Entries) -> None:
    visitor = officer.visitor
    assert set(_find(visitor, visitor.get(HERE), "", 422).errors) == {"what"}
    assert entries(EntryKind.STAFF_ACTED) == []


def test_many_are_confirmed_in_one_act_with_an_entry_each(officer: Door, desk: Desk, entries: Entries) -> None:
    numbers = _lodge(desk, ANN, DIETER, EWA)
    page = officer.visitor.get(f"{HERE}?all=yes")
    boxes = [each for each in page.tree.iter("input") if each.get("name") == "seq"]
    assert [each.get("checked") is not None for each in boxes] == [True] * 3
    review = _post(officer, "chosen", numbers)
    assert review.h1 == "Confirm 3 objections?"
    assert entries(EntryKind.OBJECTION_CONFIRMED) == [], "nothing is confirmed yet"
    done = officer.act(review, f"{HERE}/confirm")
    assert done.h1 == "3 objections are confirmed"
    assert [each.payload for each in entries(EntryKind.OBJECTION_CONFIRMED)] == [{"objection": n} for n in numbers]
    assert [each.payload for each in entries(EntryKind.STAFF_ACTED)] == [
        {"staff": 1, "act": "objection.confirm", "objection": n} for n in numbers
    ]
    again = officer.act(review, f"{HERE}/confirm")
    assert "3 were confirmed already" in again.text
    assert len(entries(EntryKind.STAFF_ACTED)) == 3, "sent twice, it is done once"


def test_what_somebody_else_settled_meanwhile_is_left_and_said(officer: Door, desk: Desk, entries: Entries) -> None:
    numbers = _lodge(desk, ANN, DIETER, EWA)
    review = _post(officer, "chosen", numbers)
    references = [str(desk.register.objections.reference_of(each)) for each in numbers]
    desk.register.objections.lapse(references[0], cause="denied")
    desk.register.objections.withdraw(references[1])
    done = officer.act(review, f"{HERE}/confirm")
    assert done.h1 == "1 objection is confirmed"
    assert "1 was lapsed already" in done.text
    assert "1 was withdrawn already" in done.text
    assert sorted(_rows(done)) == numbers[:2]
    phases = [desk.register.objections.get(each).phase for each in references]
    assert phases == [ObjectionPhase.LAPSED, ObjectionPhase.WITHDRAWN, ObjectionPhase.CONFIRMED]
    assert [each.payload["objection"] for each in entries(EntryKind.STAFF_ACTED)] == numbers[2:]


def test_many_are_confirmed_all_or_none(desk: Desk) -> None:
    numbers = _lodge(desk, ANN, DIETER)

    def cut_off() -> None:
        with desk.register.locked() as register:
            assert register.objections.confirm_all(numbers) == numbers
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert [each.seq for each in desk.register.objections.waiting()] == numbers


def test_none_or_too_many_chosen_is_told(officer: Door, desk: Desk) -> None:
    _lodge(desk, ANN)
    assert set(_post(officer, "chosen", [], 422).errors) == {"queue"}
    assert set(_post(officer, "chosen", [99_999], 422).errors) == {"queue"}
    assert set(_post(officer, "chosen", list(range(1, MOST + 2)), 422).errors) == {"queue"}


def test_a_warning_is_explained(officer: Door, desk: Desk) -> None:
    visitor = officer.visitor
    for word in (*WARNINGS, "new-word"):
        (seq,) = _lodge(desk, "mail:list@far.example", channel="mail", text="No.", warning=word)
        assert WARNINGS.get(word, word) in visitor.get(f"{HERE}/{seq}").text
    page = visitor.get(f"{HERE}?look=yes")
    assert page.text.count("needs a look") == len(_rows(page)) == len(WARNINGS) + 1


def test_only_officers_act_and_only_by_their_own_form(officer: Door, desk: Desk, entries: Entries) -> None:
    (seq,) = _lodge(desk, ANN)
    data = {"what": "ann", "seq": str(seq), "list": ""}

    def refused(code: str) -> bool:
        sent = [officer.client.post(f"{HERE}/{path}", data=data | {"csrf": code}) for path in ACTS]
        return {each.status_code for each in sent} == {403}

    assert refused("wrong")
    officer.out()
    auditor = Door(officer.client, desk.register)
    auditor.join("auditor", "Aud Auditor")
    page = auditor.visitor.get(HERE)
    assert str(seq) in page.text
    assert _rows(page) == []
    assert {each.action for each in page.forms} == {"/staff/out", HERE}
    assert refused(page.forms[0].values["csrf"])
    assert entries(EntryKind.STAFF_ACTED) == []
