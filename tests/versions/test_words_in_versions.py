"""A version and the names and words of people who object: published under them, judged by them, recalled for them.

Everybody in here is invented.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import lance
import pyarrow as pa
import pytest
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.register.members.rows import MEMBER
from demur.suppression.lists import SuppressionList
from demur.versions.findings import Code, Findings
from demur.versions.leave import export, recall, verify
from demur.versions.manifest import sign
from demur.versions.publish import publish, retire
from demur.versions.states import manifest_of, states
from demur.workspace import Workspace

CYD: Final = "forum:cyd_steele"
SAYING: Final = "the plums in my garden want water every evening and shade at noon or they dry out long before autumn"
ITEMS: Final = (
    item("own", CYD, f"I say: {SAYING}."),
    item("full", "forum:gus", "Yesterday I met Cyd Steele at the market."),
    item("copy", "forum:hal", f"Somebody told me that {SAYING}, which is true."),
    item("hangs", "forum:ida", "Hi Cyd, how are you?", thread="forum:else"),
    item("none", "forum:gus", "Nobody is named in here."),
)


def made(root: Path, items: Sequence[dict[str, Any]] = ITEMS, **policy: object) -> Workspace:
    """A workspace with members and items."""
    workspace = workspaces.create(root, open_policy(**policy))
    row = {"account": CYD, "names": ["Cyd Steele"], "locale": "en"}
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)], now=NOW)
    import_items(workspace, "table", [batch(items)], now=NOW)
    return workspace


def object_(workspace: Workspace, account: str = CYD) -> None:
    with workspace.register() as register:
        register.objections.lodge([account], channel="form", now=NOW)


def key(workspace: Workspace, name: str) -> str:
    return workspace.keys().pepper.item_key(f"forum:{name}").hex()


def found(workspace: Workspace, findings: Findings) -> set[tuple[str, str]]:
    names = {key(workspace, each["item"].partition(":")[2]): each["item"].partition(":")[2] for each in ITEMS}
    return {(each.code.value, names.get(each.item or "", "")) for each in findings.shown}


def put_back(workspace: Workspace, version: str, name: str, text: str) -> None:
    """Changes the text of a row of a version by hand."""
    path = str(workspace.corpus_path)
    dataset = lance.dataset(path, version=version)
    where = f"item = X'{key(workspace, name)}'"
    (row,) = dataset.to_table(filter=where).to_pylist()
    dataset.delete(where)
    row |= {"text": text, "spans": []}
    dataset = lance.write_dataset(pa.Table.from_pylist([row], schema=dataset.schema), path, mode="append")
    dataset.tags.update(version, dataset.version)


def listed(workspace: Workspace) -> SuppressionList:
    """The newest list."""
    path = max(workspace.lists_path.glob("*.list"))
    return SuppressionList.read(path, workspace.keys().signing.public_key())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with v1, published before the objection, and v2, published after it."""
    workspace = made(tmp_path_factory.mktemp("words") / "w")
    publish(workspace, "v1", now=NOW)
    object_(workspace)
    publish(workspace, "v2", now=NOW)
    return workspace.root


def test_a_version_is_judged_by_the_names_and_words_of_its_own_checkpoint(home: Path) -> None:
    workspace = Workspace(home)
    for name in ("v1", "v2"):
        findings = verify(workspace, name, now=NOW)
        assert findings.ok, list(findings.lines())


def test_today_a_version_from_before_holds_a_name_and_a_copy(home: Path) -> None:
    workspace = Workspace(home)
    assert verify(workspace, "v2", current=True, now=NOW).ok
    assert found(workspace, verify(workspace, "v1", current=True, now=NOW)) == {
        ("author", "own"), ("name", "full"), ("copy", "copy"),
    }  # fmt: skip


def test_a_version_that_a_name_made_stale_is_not_exported_and_its_rows_are_recalled(home: Path, tmp_path: Path) -> None:
    workspace = Workspace(home)
    with pytest.raises(CheckFailed, match="v1 is stale: 3 of its rows"):
        export(workspace, "v1", tmp_path / "out", now=NOW)
    report = recall(workspace, "v1", tmp_path / "recall.csv", now=NOW)
    assert report.reasons == {"objected": 1, "name": 1, "copy": 1}
    assert recall(workspace, "v2", tmp_path / "none.csv", now=NOW).rows == 0


def test_where_the_policy_drops_such_items_they_are_recalled_by_the_same_words(tmp_path: Path) -> None:
    others = open_policy().others.model_copy(update={"names": "drop", "copies": "drop"})
    workspace = made(tmp_path / "w", others=others)
    publish(workspace, "v1", now=NOW)
    object_(workspace)
    assert recall(workspace, "v1", tmp_path / "recall.csv", now=NOW).reasons == {"objected": 1, "name": 1, "copy": 1}


def test_a_name_and_a_copy_put_back_into_a_version_are_named(home: Path, tmp_path: Path) -> None:
    workspace = copied(home, tmp_path)
    put_back(workspace, "v2", "full", str(ITEMS[1]["text"]))
    put_back(workspace, "v2", "copy", str(ITEMS[2]["text"]))
    told = found(workspace, verify(workspace, "v2", now=NOW))
    assert {("name", "full"), ("copy", "copy"), ("changed", "full"), ("changed", "copy")} <= told
    assert not {("name", "hangs"), ("name", "none")} & told


def test_a_name_put_back_into_an_export_is_named(home: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415  # here alone

    workspace = Workspace(home)
    export(workspace, "v2", tmp_path / "out", now=NOW)
    assert verify(workspace, "v2", export=tmp_path / "out", now=NOW).ok
    (shard,) = (tmp_path / "out" / "data").glob("*.parquet")
    rows = pq.read_table(shard).to_pylist()
    for row in rows:
        if row["item"] == key(workspace, "full"):
            row |= {"text": ITEMS[1]["text"], "spans": None, "language": None, "media": None}
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(shard)), shard)
    told = found(workspace, verify(workspace, "v2", export=tmp_path / "out", now=NOW))
    assert ("name", "full") in told


def test_what_hangs_on_threads_is_said_where_nothing_is_known_of_them(home: Path) -> None:
    workspace = Workspace(home)
    (note,) = verify(workspace, "v2", now=NOW).notes
    assert note.startswith("In 1 rows of version v2 it hangs on their threads whom a word names")
    assert verify(workspace, "v2", current=True, now=NOW).notes == []


def test_the_list_names_its_sections_and_a_changed_one_is_found(home: Path, tmp_path: Path) -> None:
    workspace = copied(home, tmp_path)
    beside = listed(workspace).beside
    assert sorted(beside) == ["copies", "names"]
    path = beside["names"].path(workspace.lists_path, "names")
    path.write_bytes(path.read_bytes() + b"\0")
    findings = verify(workspace, "v2", now=NOW)
    assert {each.code for each in findings.shown} == {Code.SUPPRESSION}
    path.unlink()
    assert {each.code for each in verify(workspace, "v2", now=NOW).shown} == {Code.SUPPRESSION}


def test_sections_hold_no_name_and_go_with_the_last_list_that_names_them(home: Path, tmp_path: Path) -> None:
    workspace = copied(home, tmp_path)
    stray = workspace.lists_path / "0123.names"
    stray.write_bytes(b"left by a crash")
    files = {path.name: path.read_bytes() for path in workspace.lists_path.iterdir() if path != stray}
    assert not [name for name, data in files.items() if b"teele" in data or b"plums" in data]
    publish(workspace, "v3", now=NOW)
    assert not stray.exists()
    assert {path.name for path in workspace.lists_path.iterdir() if path.suffix != ".list"} == {
        part.file(name) for name, part in listed(workspace).beside.items()
    }


def test_an_objection_that_names_nobody_leaves_a_list_without_sections(tmp_path: Path) -> None:
    workspace = made(tmp_path / "w", [ITEMS[4]])
    publish(workspace, "v1", now=NOW)
    assert listed(workspace).beside == {}
    with reading(workspace, NOW) as session:
        assert manifest_of(session, "v1").words == {"names_from": 50, "copies_from": 50}


def test_a_policy_that_keeps_names_publishes_under_none(tmp_path: Path) -> None:
    others = open_policy().others.model_copy(update={"names": "keep", "copies": "keep"})
    workspace = made(tmp_path / "w", others=others)
    object_(workspace)
    publish(workspace, "v1", now=NOW)
    assert listed(workspace).beside == {}
    assert verify(workspace, "v1", now=NOW).ok
    assert verify(workspace, "v1", current=True, now=NOW).ok
    with reading(workspace, NOW) as session:
        assert "Cyd Steele" in " ".join(
            text for rows in session.corpus.batches() for text in rows.column("text").to_pylist()
        )


def test_publishing_reads_for_words_what_no_index_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = made(tmp_path / "w")
    object_(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(Corpus, "holding", lambda *_: __import__("numpy").zeros(0, "uint64"))
        honour(workspace, now=NOW)
    assert any("Cyd Steele" in text for text in texts(workspace)), "the index that misses rows was not in use"
    publish(workspace, "v1", now=NOW)
    assert not any("Cyd Steele" in text or SAYING in text for text in texts(workspace))
    assert verify(workspace, "v1", current=True, now=NOW).ok


@pytest.mark.parametrize("before", [True, False])
def test_a_version_of_an_older_demur_is_read_as_a_whole(tmp_path: Path, before: bool) -> None:  # noqa: FBT001  # a case
    """It has no columns of words, and nobody looked for names: also those who had objected before stand in it."""
    workspace = made(tmp_path / "w")
    object_(workspace, CYD if before else "forum:somebody")
    older(workspace)
    if not before:
        object_(workspace)
    findings = verify(workspace, "v1", now=NOW)
    assert [note for note in findings.notes if "published by an older demur, which looked for no names" in note]
    assert Code.NAME not in findings.counts
    assert ("name", "full") in found(workspace, verify(workspace, "v1", current=True, now=NOW))
    with reading(workspace, NOW) as session:
        (state,) = states(session)
    assert state.stale
    assert recall(workspace, "v1", tmp_path / "recall.csv", now=NOW).reasons["name"] == 1
    with pytest.raises(CheckFailed, match="v1 is stale"):
        export(workspace, "v1", tmp_path / "out", now=NOW)
    retire(workspace, "v1", now=NOW)


def texts(workspace: Workspace) -> Iterator[str]:
    with reading(workspace, NOW) as session:
        for rows in session.corpus.batches():
            yield from rows.drop_columns([ADDRESS]).column("text").to_pylist()


def older(workspace: Workspace) -> None:
    """The version v1 as an older demur would have published it: with the names in it, and no columns of words."""
    publish(workspace, "v1", now=NOW)
    with reading(workspace, NOW) as session:
        manifest = replace(manifest_of(session, "v1"), words=None)
    (workspace.versions_path / "v1.json").write_bytes(sign(manifest, workspace.keys()))
    put_back(workspace, "v1", "full", str(ITEMS[1]["text"]))
    dataset = lance.dataset(str(workspace.corpus_path), version="v1")
    bare = dataset.to_table(columns=[name for name in dataset.schema.names if name not in {"words", "grams"}])
    path, head = str(workspace.corpus_path), lance.dataset(str(workspace.corpus_path)).version
    made = lance.write_dataset(bare.replace_schema_metadata(dataset.schema.metadata), path, mode="overwrite")
    made.tags.update("v1", made.version)
    lance.dataset(path, version=head).restore()  # type: ignore[no-untyped-call]  # pylance does not annotate it


def copied(home: Path, folder: Path) -> Workspace:
    import shutil  # noqa: PLC0415  # here alone

    shutil.copytree(home, folder / "w")
    return Workspace(folder / "w")
