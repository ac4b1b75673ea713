"""What was read against what a version holds, by cells: exact counts at rest, and none of few that is shown."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from calling import Demur
from hypothesis import given
from hypothesis import strategies as st
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.canonical import JSON
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.imports import cells
from demur.corpus.session import reading
from demur.policy import Door
from demur.register.members.rows import MEMBER
from demur.terms import EntryKind
from demur.versions.few import FEWEST, rounded, shown
from demur.versions.publish import publish
from demur.versions.skew import Cell, skew
from demur.workspace import Workspace


def rows(language: str | None, count: int, who: str, **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [
        item(f"{who}-{language}-{at}", f"forum:{who}", f"post {at}", language=language, **fields) for at in range(count)
    ]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Forty German posts, thirty Polish ones of which twelve are not public, and three Maltese ones."""
    made = workspaces.create(tmp_path / "w", open_policy(door=Door(unknown_age="use")))
    told = [
        {"account": f"forum:{who}", "names": [], "region": region} for who, region in (("ann", "DE"), ("ewa", "PL"))
    ]
    with made.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(told, schema=MEMBER)], now=NOW)
    items = [
        *rows("de-AT", 40, "ann"),
        *rows("pl", 18, "ewa"),
        *rows("PL", 12, "ewa", audience="followers"),
        *rows("mt", 3, "gus"),
        *rows("ann@example.org", 11, "ann", created=None),
    ]
    import_items(made, "table", iter([batch(items[:50]), batch(items[50:])]), now=NOW)
    return made


def of(workspace: Workspace, cell: str, name: str = "v1") -> dict[str, Cell]:
    with reading(workspace, NOW) as session:
        return {each.value: each for each in skew(session, name).cells[cell]}


def test_what_was_read_and_kept_is_counted_at_rest_by_one_cell_at_a_time(workspace: Workspace) -> None:
    with reading(workspace, NOW) as session:
        found = cells(session, 10**6)
    assert found.read["language"] == {"de": 40, "pl": 30, "mt": 3, "": 11}
    assert found.kept["language"] == {"de": 40, "pl": 18, "mt": 3, "": 11}
    assert found.read["region"] == {"DE": 51, "PL": 30, "": 3}
    assert found.read["year"] == {"2026": 73, "": 11}
    assert found.read["kind"] == {"post": 84}
    assert (found.imports, found.lacking) == (1, 0)


def test_nothing_that_was_typed_is_in_the_entry(workspace: Workspace) -> None:
    with workspace.register() as register:
        (entry,) = register.log.entries(EntryKind.IMPORT_FINISHED)
    assert "example.org" not in json.dumps(entry.payload)


def test_an_item_that_is_read_twice_in_one_import_counts_once_and_one_that_is_gone_not(workspace: Workspace) -> None:
    twice = [item("x", text="one", language="fi"), item("x", text="two", language="fi")]
    gone = item("y", language="fi", deleted=True)
    import_items(workspace, "table", iter([batch([*twice, gone])]), now=NOW)
    with reading(workspace, NOW) as session:
        found = cells(session, 10**6)
    assert (found.read["language"]["fi"], found.kept["language"]["fi"]) == (1, 1)


def test_the_door_shows_and_few_are_hidden(workspace: Workspace) -> None:
    publish(workspace, "v1", now=NOW)
    found = of(workspace, "language")
    assert found["pl"] == Cell("pl", 30, 10, 0.33, 18, 0.67)
    assert (found["de"].left_out, found["de"].share) == (0, 0.0)
    assert found["mt"] == Cell("mt", None, 0, None, None, None)
    assert found[""].version is None, "with the total it would tell the three"
    assert of(workspace, "region")["PL"].left_out == 10


def test_an_objection_shows_in_what_the_version_holds(workspace: Workspace) -> None:
    publish(workspace, "v1", now=NOW)
    with workspace.register() as register:
        register.objections.lodge(["forum:ewa"], channel="letter", now=NOW)
    honour(workspace, now=NOW)
    publish(workspace, "v2", now=NOW)
    assert of(workspace, "language", "v1")["pl"].version == 18
    assert of(workspace, "language", "v2")["pl"] == Cell("pl", 30, 10, 0.33, 0, 0.0)


def test_the_command_prints_it(workspace: Workspace, demur: Demur) -> None:
    publish(workspace, "v1", now=NOW)
    text = demur("audit", "skew", "v1", "-w", workspace.root).out
    assert "fewer than 10" in text
    assert "nothing is inferred" in text
    told = json.loads(demur("audit", "skew", "v1", "--json", "-w", workspace.root).out)
    assert {each["value"]: each["read"] for each in told["cells"]["language"]} == {
        "de": 40,
        "pl": 30,
        "": 10,
        "mt": None,
    }
    assert demur("audit", "skew", "v9", "-w", workspace.root).code == 2


def test_what_an_older_demur_read_is_said_to_be_missing(workspace: Workspace) -> None:
    with workspace.register() as register:
        payload: dict[str, JSON] = {
            "number": 2,
            "source": "table",
            "read": 0,
            "kept": 0,
            "replaced": 0,
            "left_out": {},
            "kinds": {},
        }
        register.log.append(EntryKind.IMPORT_FINISHED, {**payload, "left_out_now": {}}, now=NOW)
    with reading(workspace, NOW) as session:
        found = cells(session, 10**6)
    assert (found.imports, found.lacking) == (1, 1)


counts = st.dictionaries(st.text(max_size=3), st.integers(0, 60), max_size=8)


@given(counts)
def test_no_count_of_few_is_shown_or_follows_from_the_total(given_counts: dict[str, int]) -> None:
    found = shown(given_counts)
    assert found.keys() == given_counts.keys()
    assert all(each is None or each == 0 or each >= FEWEST for each in found.values())
    hidden = [given_counts[name] for name, each in found.items() if each is None]
    few = [each for each in given_counts.values() if 0 < each < FEWEST]
    assert bool(hidden) == bool(few)
    assert not hidden or sum(hidden) >= FEWEST or max(given_counts.values()) < FEWEST


@given(st.integers(0, 10**6))
def test_rounding_hides_few_and_is_off_by_five_at_most(count: int) -> None:
    found = rounded(count)
    assert (found is None) == (0 < count < FEWEST)
    assert found is None or (found % 10 == 0 and abs(found - count) <= 5)
