"""What an import tells later of people who objected: versions that were published before are judged by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from loads import ALWAYS
from making import NOW, batch, item, open_policy

import demur
from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register import MEMBER
from demur.terms import EntryKind
from demur.versions.leave import export, recall, verify
from demur.versions.publish import publish
from demur.versions.states import states
from demur.workspace import Workspace

WITNESS = item("2", "forum:steele77", "it was me who planted them", thread="forum:1")
"""Tells who is meant by "Cyd" in its thread."""
WORDS = "whoever painted that ferry orange must have quarrelled with the sea long before breakfast and lost"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A version in which somebody thanks a Cyd, of whom nothing is known yet; Cyd Steele has objected."""
    made = workspaces.create(tmp_path / "w", open_policy())
    members = [{"account": "forum:steele77", "names": ["Cyd Steele"], "locale": "en"}]
    with made.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(members, schema=MEMBER)], now=NOW)
    read(
        made, [item("1", "forum:ann", "Thanks Cyd!", thread="forum:1"), item("3", "forum:bob", f"As they say: {WORDS}")]
    )
    with made.register() as register:
        register.objections.lodge(["forum:steele77"], channel="form", now=NOW)
    honour(made, now=NOW)
    publish(made, "v1", now=NOW)
    return made


def read(workspace: Workspace, items: Sequence[dict[str, Any]]) -> None:
    import_items(workspace, "table", [batch(items)], now=NOW)


def stale(workspace: Workspace, name: str) -> int | None:
    with reading(workspace, NOW) as session:
        return next(state.stale for state in states(session) if state.name == name)


def told(workspace: Workspace) -> list[dict[str, Any]]:
    with workspace.register() as register:
        return [dict(entry.payload) for entry in register.log.entries(EntryKind.EVIDENCE_TOLD)]


def loaded(workspace: Workspace, name: str) -> list[str]:
    return sorted(row["text"] for row in demur.load(workspace.root, name))


def test_a_witness_makes_an_older_version_stale(workspace: Workspace, tmp_path: Path) -> None:
    assert (stale(workspace, "v1"), told(workspace)) == (0, [])
    assert "Thanks Cyd!" in loaded(workspace, "v1")
    read(workspace, [WITNESS])
    assert told(workspace) == [{"import": 2, "threads": 1, "people": 1}]
    assert stale(workspace, "v1") == 1
    with pytest.raises(CheckFailed, match="is stale"):
        export(workspace, "v1", tmp_path / "export", now=NOW)
    assert "Thanks [person]!" in loaded(workspace, "v1")
    assert "Thanks Cyd!" not in loaded(workspace, "v1")
    assert not verify(workspace, "v1", current=True, now=NOW).ok
    assert verify(workspace, "v1", now=NOW).ok
    assert recall(workspace, "v1", tmp_path / "recall.csv", now=NOW).rows == 1
    publish(workspace, "v2", now=NOW)
    export(workspace, "v2", tmp_path / "export", now=NOW)
    assert stale(workspace, "v2") == 0
    assert verify(workspace, "v2", current=True, now=NOW).ok


def test_an_original_makes_an_older_version_with_its_copy_stale(workspace: Workspace, tmp_path: Path) -> None:
    read(workspace, [item("4", "forum:steele77", WORDS)])
    assert stale(workspace, "v1") == 1
    assert any("[quote]" in text for text in loaded(workspace, "v1"))
    with pytest.raises(CheckFailed, match="is stale"):
        export(workspace, "v1", tmp_path / "export", now=NOW)


def test_a_loader_that_is_open_learns_of_it(workspace: Workspace) -> None:
    with demur.load(workspace.root, "v1", check_every=ALWAYS) as loader:
        assert "Thanks Cyd!" in [row["text"] for row in loader]
        read(workspace, [WITNESS])
        assert "Thanks Cyd!" not in [row["text"] for row in loader]


def test_what_is_read_again_binds_nothing(workspace: Workspace) -> None:
    read(workspace, [WITNESS])
    publish(workspace, "v2", now=NOW)
    with workspace.register() as register:
        binding = register.log.head().binding
        read(workspace, [WITNESS])
        read(workspace, [item("5", "forum:ann", "a thread of its own")])
        assert register.log.head().binding == binding
    assert (stale(workspace, "v1"), stale(workspace, "v2")) == (1, 0)


def test_nothing_binds_while_no_version_can_be_loaded(tmp_path: Path) -> None:
    made = workspaces.create(tmp_path / "other", open_policy())
    with made.register() as register:
        register.objections.lodge(["forum:steele77"], channel="form", now=NOW)
    read(made, [WITNESS])
    assert told(made) == []


def test_a_kill_after_the_entry_shows_nobody_the_evidence_of_before(workspace: Workspace) -> None:
    """The journal stands, and the register knows the import: whoever judges by the entry must see what it told."""
    with reading(workspace, NOW) as session:
        before = journal.Journal(2, session.corpus.version, session.beside.versions)
    read(workspace, [WITNESS])
    journal.begin(workspace.root, before)
    assert stale(workspace, "v1") == 1
    assert not verify(workspace, "v1", current=True, now=NOW).ok
    honour(workspace, now=NOW)  # settles it
    assert journal.read(workspace.root) is None
    assert stale(workspace, "v1") == 1


def test_the_entry_names_nobody_in_the_clear(workspace: Workspace) -> None:
    read(workspace, [WITNESS])
    (entry,) = told(workspace)
    assert set(entry) == {"import", "threads", "people"}
    assert all(isinstance(value, int) for value in entry.values())
    assert verify(workspace, "v1", now=NOW).ok  # the entry is what its commitment says
