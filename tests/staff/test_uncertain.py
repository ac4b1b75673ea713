"""What is masked and uncertain: who sees it, what is on record before it is shown, and what a decision changes."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from making import batch, item
from pages import Page
from staffdoor import Door
from town import ANN, DIETER, EWA, found_town

from demur.corpus.datasets.evidence import Uncertain
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.corpus.uncertain import count_uncertain
from demur.policy import Others, write_policy
from demur.register import Entry
from demur.terms import EntryKind
from demur.web.desk import Desk
from demur.workspace import Workspace, find

Entries = Callable[[EntryKind], list[Entry]]

HERE = "/staff/uncertain"
TEXTS = ("Hi Ann, are you there?", "Archer said so.", "I asked Ann about it.")
"""Each names somebody who takes part, and none as sure as the town wants it."""


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town, where Ann objected and others speak of her in a thread of hers; tests work on copies."""
    workspace = found_town(tmp_path_factory.mktemp("doubted") / "town")
    wary = workspace.policy().model_copy(update={"others": Others(names_sure=100)})
    write_policy(wary, workspace.policy_path)
    with workspace.register() as register:
        register.objections.lodge([ANN], channel="letter")
    _read(workspace)
    return workspace.root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    """That town, for one test."""
    return find(Path(shutil.copytree(founded, fast_tmp / "town")))


def _read(workspace: Workspace) -> None:
    """Import the thread, or import it again."""
    asked = item("1t", ANN, "Where is the bakery?", thread="1t")
    answers = [item(f"a{n}", DIETER, text, thread="1t", parent="1t") for n, text in enumerate(TEXTS)]
    import_items(workspace, "forum", [batch([asked, *answers])])


def _entries(page: Page) -> list[str]:
    return list(dict.fromkeys(link for link in page.links if link.startswith(f"{HERE}/")))


def test_the_list_shows_the_lowest_score_first_and_no_text(officer: Door, desk: Desk) -> None:
    page = officer.visitor.get(HERE)
    numbers = re.findall(r'<td class="number">(\d+)</td>', page.html)
    scores = [int(each) for each in numbers[::2]]
    assert len(_entries(page)) == len(scores) == count_uncertain(desk.workspace) == len(TEXTS)
    assert scores == sorted(scores)
    assert len(set(scores)) > 1
    assert "Given name, where somebody is addressed" in page.text
    assert "Surname, in a thread where they take part" in page.text
    assert "given name of somebody who takes part in the thread +82" in page.text
    assert "where somebody is addressed +12" in page.text
    for told in ("bakery", "asked", "Ann", "Archer", "ann"):
        assert told not in page.text.split(), told
    assert "Uncertain, and masked" in officer.visitor.get("/staff/status").text


def test_an_entry_says_in_words_why_it_has_its_score(officer: Door) -> None:
    visitor = officer.visitor
    told = [visitor.get(each).text for each in _entries(visitor.get(HERE))]
    for text in told:
        (score,) = re.findall(r"Score (\d+) of 100", text)
        (why,) = re.findall(rf"Why {score} (.+?) All uncertain finds", text)
        assert sum(map(int, re.findall(r"[+-]\d+", why))) == int(score)


def test_what_an_older_demur_kept_has_no_reasons_and_is_listed(officer: Door, workspace: Workspace) -> None:
    """Its lines lack the column, in a folder of another name, until somebody writes; then new lines have reasons."""
    here, former = (workspace.beside_path / name for name in ("uncertain.lance", "doubts.lance"))
    Uncertain.open(here).dataset.drop_columns(["reasons"])
    here.rename(former)
    page = officer.visitor.get(HERE)
    assert len(_entries(page)) == len(TEXTS)
    assert "+82" not in page.text
    assert "Why" not in officer.visitor.get(_entries(page)[0]).text
    _read(workspace)
    assert (here.exists(), former.exists()) == (True, False)
    assert "+82" in officer.visitor.get(HERE).text


def test_pages_follow_each_other_without_a_gap(officer: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _entries(officer.visitor.get(HERE))
    monkeypatch.setattr("demur.web.staff.uncertain.SIZE", 1)
    page, seen = officer.visitor.get(HERE), list[str]()
    while True:
        seen += _entries(page)
        onward = [link for link in page.links if "after=" in link]
        if not onward:
            break
        page = officer.visitor.get(onward[0])
    assert seen == whole


@pytest.mark.parametrize("query", ["after=", "after=1.2", "after=x.1.2", f"after=1.{10**40}.2", "after=-1.2.3"])
def test_whatever_an_address_says_the_list_is_shown(officer: Door, query: str) -> None:
    assert officer.visitor.get(f"{HERE}?{query}").h1 == "Uncertain finds"


def test_a_row_is_opened_by_a_button_and_that_is_on_record_first(officer: Door, desk: Desk, entries: Entries) -> None:
    visitor = officer.visitor
    (path,) = (each for each in _entries(visitor.get(HERE)) if "addressed" in visitor.get(each).text)
    page = visitor.get(path)
    assert "are you there" not in page.text
    assert entries(EntryKind.DATA_READ) == []
    opened = officer.act(page, f"{path}/read")
    assert "Hi [person], are you there?" in opened.text
    assert ANN in opened.text
    assert DIETER in opened.text
    (entry,) = entries(EntryKind.DATA_READ)
    assert entry.payload["what"] == "row"
    both = {desk.register.persons.subject(each) for each in (ANN, DIETER)}
    with sqlite3.connect(desk.workspace.root / "register.db") as register:
        ((stored,),) = register.execute("SELECT subjects FROM entry WHERE seq = ?", (entry.seq,))
    assert set(np.frombuffer(stored, "<i8").tolist()) == both


def test_a_decision_is_on_record_once_and_counts_with_the_next_reading(
    officer: Door, desk: Desk, entries: Entries
) -> None:
    visitor = officer.visitor
    (path,) = (each for each in _entries(visitor.get(HERE)) if "addressed" in visitor.get(each).text)
    page = visitor.get(path)
    before = count_uncertain(desk.workspace)
    done = officer.act(page, f"{path}/clear")
    assert "It is on record." in done.text
    assert path not in _entries(done)
    officer.act(page, f"{path}/clear")
    (cleared,) = entries(EntryKind.NAME_CLEARED)
    assert str(cleared.payload["by"]).startswith("staff ")
    (acted,) = entries(EntryKind.STAFF_ACTED)
    assert acted.payload["act"] == "find.clear"
    assert count_uncertain(desk.workspace) == before - 1
    assert visitor.get(path, 404)
    assert "Hi Ann, are you there?" not in _texts(desk.workspace)
    _read(desk.workspace)
    assert "Hi Ann, are you there?" in _texts(desk.workspace)


def test_what_is_nobodys_any_more_is_not_listed(officer: Door, desk: Desk) -> None:
    (state,) = desk.register.objections.of(ANN)
    desk.register.objections.withdraw(state.reference)
    assert _entries(officer.visitor.get(HERE)) == []
    desk.register.objections.lodge([EWA], channel="letter")
    honour(desk.workspace)
    assert "There is none." in officer.visitor.get(HERE).text


def test_an_auditor_sees_the_list_and_opens_nothing(door: Door) -> None:
    door.join("auditor")
    page = door.visitor.get(HERE)
    assert _entries(page) == []
    assert "where somebody is addressed" in page.text
    door.visitor.get(f"{HERE}/1/1", 403)


def test_an_engineer_sees_none_of_it(door: Door) -> None:
    door.join("engineer")
    door.visitor.get(HERE, 403)


def test_an_address_that_is_no_entry_is_not_found(officer: Door) -> None:
    for path in ("1/1", f"{2**63}/1", f"1/{10**30}"):
        officer.visitor.get(f"{HERE}/{path}", 404)


def _texts(workspace: Workspace) -> list[str]:
    with reading(workspace) as session:
        return [text for each in session.corpus.batches() for text in each.column("text").to_pylist()]
