"""Coverage and its plots: the numbers stand in the tables, the plots are readable by everybody."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from pages import text_of
from staffdoor import Door
from town import ANN, DIETER

from demur.register import Delivered, Selection
from demur.sheet import plots
from demur.terms import Channel, NoticeStatus
from demur.versions.publish import publish, retire
from demur.web.desk import Desk
from demur.web.staff.overview import by_country, told_over_time
from demur.workspace import Workspace

DAY: Final = date(2026, 3, 1)
EVERYBODY: Final = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)


def _day(number: int) -> date:
    return DAY + timedelta(days=number)


def test_people_told_add_up_over_time() -> None:
    rows = [
        ("DE", _day(0), NoticeStatus.SENT, 50),
        ("DE", _day(2), NoticeStatus.SENT, 25),
        ("DE", _day(2), NoticeStatus.BOUNCED, 25),
        ("", _day(1), NoticeStatus.QUEUED, 10),
    ]
    told = told_over_time(rows)
    assert told["Germany"] == [(_day(0), 50.0), (_day(1), 50.0), (_day(2), 75.0)]
    assert told["Unknown"][-1] == (_day(2), 0.0)
    germany, unknown = by_country(rows)
    assert (germany.people, germany.told, germany.bounced) == (100, 75, 25)
    assert (unknown.name, unknown.waiting) == ("Unknown", 10)


def test_many_countries_and_days_stay_readable() -> None:
    codes = ("DE", "FR", "PL", "IT", "ES", "SE", "MT", "IE")
    rows = [(code, _day(day), NoticeStatus.SENT, 1) for code in codes for day in range(0, 400, 3)]
    told = told_over_time(rows)
    assert len(told) == plots.SERIES
    assert "Other countries" in told
    assert all(len(points) <= 32 and points[-1][1] == 100 for points in told.values())


def test_a_plot_of_nothing_is_not_drawn() -> None:
    assert told_over_time([]) == {}
    assert told_over_time([("DE", DAY, NoticeStatus.QUEUED, 1)]) == {}


@pytest.mark.parametrize("days", [1, 2, 90])
@pytest.mark.parametrize("most", [0, 1, 7, 123_456])
def test_columns_stay_inside_their_frame(days: int, most: int) -> None:
    points = [(_day(each), most * (each + 1) / days) for each in range(days)]
    tree = ET.fromstring(plots.columns("n", "<Title> & more", "What there is", points))
    assert tree.get("role") == "img"
    assert [text_of(tree.find(name)) for name in ("title", "desc")] == ["<Title> & more", "What there is"]  # type: ignore[arg-type]  # found
    assert (tree.get("aria-labelledby") or "").split() == [each.get("id") for each in tree[:2]]
    columns = list(tree.iter("rect"))
    assert len(columns) == days
    for each in columns:
        x, y, wide, high = (float(each.get(name, "")) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + wide <= 640
        assert y >= 0
        assert 0 <= high <= 300
    ticks = [text_of(each).replace(",", "") for each in tree.iter("text") if "plot-end" in each.get("class", "")]
    assert all(each.isdigit() for each in ticks if "-" not in each)


def test_lines_are_told_apart_by_more_than_colour() -> None:
    series = {f"Land <{each}>": [(_day(0), 10.0), (_day(9), 50.0)] for each in range(plots.SERIES)}
    tree = ET.fromstring(plots.lines("n", "t", "d", series, top=100, unit=" %"))
    lines = list(tree.iter("polyline"))
    assert len({each.get("stroke-dasharray", "") for each in lines}) == plots.SERIES
    names = [each for each in tree.iter("text") if "plot-name" in each.get("class", "")]
    assert [text_of(each) for each in names] == list(series)
    heights = sorted(float(each.get("y", "")) for each in names)
    assert all(after - before >= 14 for before, after in pairwise(heights))
    assert not any(each.get("style") for each in tree.iter())


@pytest.mark.parametrize("days", [1, 2])
def test_one_day_or_two_are_drawn_as_bars(days: int) -> None:
    rows = [(code, _day(day), NoticeStatus.SENT, 1) for code in ("DE", "FR", "GS") for day in range(days)]
    series = told_over_time([*rows, ("GS", _day(0), NoticeStatus.QUEUED, 1)])
    tree = ET.fromstring(plots.dated_bars("n", "t", "d", series, top=100, unit=" %"))
    bars = [float(each.get("width", "")) for each in tree.iter("rect")]
    assert len(bars) == 3 * days
    full = 640 - 160 - 150
    assert bars[:days] == pytest.approx([full * points / 100 for _, points in next(iter(series.values()))], abs=0.1)
    assert all(float(each.get("y", "")) + float(each.get("height", "")) <= 300 for each in tree.iter("rect"))
    texts = [text_of(each) for each in tree.iter("text")]
    assert f"100 % on {_day(days - 1)}" in texts
    assert {"Germany", "France", "South Georgia & Sou\u2026"} <= set(texts)


def test_a_campaign_of_one_day_is_bars_and_a_longer_one_lines(officer: Door, desk: Desk) -> None:
    desk.register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
    for number in range(3):
        due = desk.register.notices.claim(Channel.MAIL, 1)
        sent = [Delivered("spring", each.subject, "en", b"", str(each.subject)) for each in due]
        desk.register.notices.sent(Channel.MAIL, sent, now=datetime.now(UTC) + timedelta(days=number))
        page = officer.visitor.get("/staff/coverage")
        assert ("<polyline" in page.html) == (number > 1)


def test_officers_see_the_status_once_there_is_a_version(officer: Door, workspace: Workspace) -> None:
    publish(workspace, "v1")
    with workspace.register() as register:
        register.objections.lodge([ANN], channel="typed-in")
    page = officer.visitor.get("/staff/status")
    assert re.search("v1[0-9-]{10}63 rows must leave or change", page.text), page.text
    assert "Objections to review 1" in page.text
    retire(workspace, "v1")
    assert "retired" in officer.visitor.get("/staff/status").text


def test_the_page_shows_a_campaign_and_the_objections(officer: Door, desk: Desk) -> None:
    assert "No campaign yet" in officer.visitor.get("/staff/coverage").text
    book = desk.register.notices
    desk.register.campaigns.start("spring", EVERYBODY, [Channel.MAIL])
    due = book.claim(Channel.MAIL, 2)
    book.sent(Channel.MAIL, [Delivered("spring", each.subject, "en", b"", str(each.subject)) for each in due])
    for account in (ANN, DIETER):
        desk.register.objections.lodge([account], channel="letter")
    page = officer.visitor.get("/staff/coverage")
    assert "Campaign spring" in page.text
    assert page.html.count('<svg class="plot"') == 2
    assert "mailsent2" in page.text
    assert "2 in all" in page.text
    desk.register.campaigns.start("autumn & <b>", EVERYBODY, [Channel.IN_APP])
    assert "Campaign spring" in officer.visitor.get("/staff/coverage?campaign=spring").text
    assert "Campaign autumn & <b>" in officer.visitor.get("/staff/coverage?campaign=unknown").text
