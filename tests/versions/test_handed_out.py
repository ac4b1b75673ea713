"""What publish and export hand out is compared with the list they sign; counts tell what rows and register say."""

from dataclasses import replace
from pathlib import Path

import lance
import pyarrow as pa
import pytest
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.honour import HonourReport, honour, honour_in
from demur.corpus.importing import import_items
from demur.errors import CheckFailed
from demur.register.members.rows import MEMBER
from demur.terms import EntryKind
from demur.versions import publish as publishing
from demur.versions.leave import export, verify
from demur.versions.publish import publish


@pytest.fixture
def workspace(fast_tmp: Path) -> workspaces.Workspace:
    """Ann objected, and her item is gone from the corpus."""
    made = workspaces.create(fast_tmp / "w", open_policy())
    import_items(made, "table", [batch([item("1"), item("2", "forum:bob"), item("3", "forum:cyd")])], now=NOW)
    with made.register() as register:
        register.objections.lodge(["forum:ann"], channel="letter", now=NOW)
    honour(made, now=NOW)
    return made


def put_back(workspace: workspaces.Workspace, version: str | None = None) -> None:
    """A row of ann's beside the indexes, as an older copy of the corpus would have it."""
    path = str(workspace.corpus_path)
    (row,) = lance.dataset(path).to_table(limit=1).to_pylist()
    row |= {"item": bytes(16), "author": int(workspace.keys().pepper.subject_key("forum:ann"))}
    dataset = lance.write_dataset(pa.Table.from_pylist([row], schema=lance.dataset(path).schema), path, mode="append")
    if version is not None:
        dataset.tags.update(version, dataset.version)


def test_a_row_that_honouring_missed_is_not_published(workspace: workspaces.Workspace) -> None:
    put_back(workspace)
    assert publish(workspace, "v1", now=NOW).content.rows == 2
    assert verify(workspace, "v1", now=NOW).ok
    with workspace.register() as register:
        *_, done = register.log.entries(EntryKind.CORPUS_HONOURED)
    assert done.payload["deleted"] == 1


def test_what_honouring_every_row_does_not_remove_is_refused(
    workspace: workspaces.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_back(workspace)
    idle = HonourReport(binding=0, deleted=0, rewritten=0, seconds=0)
    real = honour_in
    monkeypatch.setattr(publishing, "honour_in", lambda session, every_row=False: idle if every_row else real(session))
    with pytest.raises(CheckFailed, match=r"^Version v1 was not published: 1 rows .* import the sources again"):
        publish(workspace, "v1", now=NOW)
    with workspace.register() as register:
        assert list(register.log.entries(EntryKind.VERSION_PUBLISHED)) == []


def test_a_version_with_such_a_row_is_not_exported(workspace: workspaces.Workspace, tmp_path: Path) -> None:
    publish(workspace, "v1", now=NOW)
    put_back(workspace, "v1")
    with pytest.raises(CheckFailed, match=r"^Version v1 was not exported: 1 of its rows .* publish a new version"):
        export(workspace, "v1", tmp_path / "out", now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_regions_of_members_are_counted_where_an_item_names_none(fast_tmp: Path) -> None:
    made = workspaces.create(fast_tmp / "w", open_policy())
    known = [{"account": "forum:ann", "region": "NO"}, {"account": "forum:bob", "region": "DE"}]

    def tell(rows: list[dict[str, str]]) -> None:
        with made.register() as register:
            register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)

    tell(known)
    items = [item("1"), item("2", region="FR"), item("3", "forum:bob"), item("4", "forum:cyd")]
    import_items(made, "table", [batch(items)], now=NOW)
    assert publish(made, "v1", now=NOW).content.regions == {"DE": 1, "FR": 1, "NO": 1, "unknown": 1}
    tell([{"account": "forum:ann", "region": "IE"}])
    assert publish(made, "v2", now=NOW).content.regions == {"DE": 1, "FR": 1, "IE": 1, "unknown": 1}
    for name in ("v1", "v2"):
        assert verify(made, name, now=NOW).ok
    export(made, "v2", made.root / "out", now=NOW)
    assert verify(made, "v2", export=made.root / "out", now=NOW).ok
    assert "| IE | 1 |" in (made.root / "out" / "README.md").read_text()


def test_the_card_counts_items_by_their_last_reading(fast_tmp: Path) -> None:
    made = workspaces.create(fast_tmp / "w", open_policy())
    import_items(made, "table", [batch([item("1", kind="poem"), item("2", None), item("3")])], now=NOW)
    assert publish(made, "v1", now=NOW).left_out == {"unknown-author": 1, "unknown-kind": 1}
    import_items(made, "table", [batch([item("1"), item("2", kind="poem"), item("3", audience="direct")])], now=NOW)
    manifest = publish(made, "v2", now=NOW)
    assert manifest.left_out == {"audience": 1, "unknown-kind": 1}
    export(made, "v2", made.root / "out", now=NOW)
    card = (made.root / "out" / "README.md").read_text()
    assert "| audience | 1 |" in card
    assert "unknown-author" not in card


def test_a_manifest_carries_the_log_and_another_one_is_named(
    workspace: workspaces.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = publish(workspace, "v1", now=NOW)
    assert made.log is not None
    with workspace.register() as register:
        said = register.proving.history.read(made.log.encode())
        assert made.checkpoint.seq <= said.size
        assert register.proving.goes_on_from(made.log)
    assert verify(workspace, "v1", now=NOW).ok
    key = workspace.keys().log
    assert key is not None
    for forged in (replace(said, root=bytes(32)), replace(said, size=10_000), replace(said, origin="demur/0/1")):
        note = forged.sign(key)
        monkeypatch.setattr(publishing, "_log", lambda _, note=note: note)
        name = f"v{forged.size}{forged.root.hex()[:1]}{len(forged.origin)}"
        publish(workspace, name, now=NOW)
        told = [finding.sentence for finding in verify(workspace, name, now=NOW).shown]
        assert f"The register's log does not go on from the checkpoint in {name}." in told
