"""Versions over time: stale, recalled, retired, and what maintenance does to them."""

from datetime import timedelta
from pathlib import Path

import pyarrow.csv
import pytest
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed, PolicyError, UsageError
from demur.policy import Door, LegalBasis, write_policy
from demur.versions.leave import export, recall, verify
from demur.versions.publish import publish, retire
from demur.versions.states import states
from demur.worker.maintenance import maintain


@pytest.fixture
def workspace(fast_tmp: Path) -> workspaces.Workspace:
    made = workspaces.create(fast_tmp / "w", open_policy())
    items = [
        item("1", "forum:ann", "mine"),
        item("2", "forum:bob", "she said: mine", spans=[span(10, 14, "quote", "forum:ann")]),
        item("3", "forum:cyd", "nothing to do with it"),
    ]
    import_items(made, "table", iter([batch(items)]), now=NOW)
    publish(made, "v1", now=NOW)
    return made


def object_to(workspace: workspaces.Workspace, account: str) -> None:
    with workspace.register() as register:
        register.objections.lodge([account], channel="letter", now=NOW)


def test_a_later_objection_makes_a_version_stale_and_names_what_to_recall(
    workspace: workspaces.Workspace, tmp_path: Path
) -> None:
    assert export(workspace, "v1", tmp_path / "before", now=NOW).rows == 3
    object_to(workspace, "forum:ann")
    with reading(workspace, NOW) as session:
        assert [(state.name, state.stale) for state in states(session)] == [("v1", 2)]
    with pytest.raises(CheckFailed, match="2 of its rows"):
        export(workspace, "v1", tmp_path / "after", now=NOW)
    report = recall(workspace, "v1", tmp_path / "recall.csv", now=NOW)
    assert report.reasons == {"objected": 1, "quote": 1}
    lines = pyarrow.csv.read_csv(tmp_path / "recall.csv").to_pylist()
    key = workspace.keys().pepper.item_key
    assert {line["item"]: line["reason"] for line in lines} == {
        key("forum:1").hex(): "objected",
        key("forum:2").hex(): "quote",
    }
    assert verify(workspace, "v1", now=NOW).ok
    assert not verify(workspace, "v1", current=True, now=NOW).ok
    publish(workspace, "v2", now=NOW)
    assert verify(workspace, "v2", current=True, now=NOW).ok
    assert export(workspace, "v2", tmp_path / "after", now=NOW).rows == 2


def test_a_tightened_policy_makes_a_version_stale_at_once(workspace: workspaces.Workspace, tmp_path: Path) -> None:
    write_policy(open_policy(door=Door(unknown_age="leave-out")), workspace.policy_path)
    with pytest.raises(CheckFailed, match="3 of its rows"):
        export(workspace, "v1", tmp_path / "out", now=NOW)


def test_maintenance_retires_what_has_been_stale_for_too_long(workspace: workspaces.Workspace) -> None:
    assert maintain(workspace, now=NOW + timedelta(days=400)).retired == ()
    object_to(workspace, "forum:ann")
    assert maintain(workspace, now=NOW + timedelta(days=29)).retired == ()
    assert maintain(workspace, now=NOW + timedelta(days=31)).retired == ("v1",)
    with pytest.raises(UsageError, match="was retired"):
        verify(workspace, "v1")


def test_a_retired_version_is_gone_but_its_manifest_stays(workspace: workspaces.Workspace, tmp_path: Path) -> None:
    retire(workspace, "v1", now=NOW)
    assert (workspace.versions_path / "v1.json").exists()
    for act in (
        lambda: export(workspace, "v1", tmp_path / "out"),
        lambda: recall(workspace, "v1", tmp_path / "r.csv"),
        lambda: retire(workspace, "v1"),
    ):
        with pytest.raises(UsageError, match="was retired"):
            act()
    with pytest.raises(UsageError, match="a name is used once"):
        publish(workspace, "v1", now=NOW)


def test_publishing_waits_for_the_signature_and_for_the_effective_date(workspace: workspaces.Workspace) -> None:
    write_policy(open_policy(basis=LegalBasis()), workspace.policy_path)
    with pytest.raises(PolicyError, match="is not signed"):
        publish(workspace, "v2", now=NOW)
    write_policy(open_policy(effective_date=NOW.date() + timedelta(days=1)), workspace.policy_path)
    with pytest.raises(PolicyError, match="effective date"):
        publish(workspace, "v2", now=NOW)


@pytest.mark.parametrize("name", ["", "a b", "../v2", "v" * 65, "-v", ".v"])
def test_a_version_has_a_plain_name(workspace: workspaces.Workspace, name: str) -> None:
    with pytest.raises(UsageError, match="can't name a version"):
        publish(workspace, name, now=NOW)
