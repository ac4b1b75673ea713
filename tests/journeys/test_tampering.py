"""Somebody puts back by hand what a person had taken out: `verify` fails and names the row, the entry or the objection.

The row, the quote or the mention is put back into a published version (through Lance, the tag moved along) and into
its export (a shard rewritten), or the register is edited so that the next version would hold it; the workspace's own
commands did everything before that. Or they hide it elsewhere: in a file, a column or metadata that no export has, in a
list, a card or a manifest; then `verify` names the file.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from making import NOW, batch, item, open_policy, rules, span

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import RegisterError
from demur.identity import Keys
from demur.kernel import schema
from demur.kernel.govern import govern
from demur.policy import Identifiers
from demur.suppression.lists import SuppressionList
from demur.suppression.signed import envelope
from demur.versions.export_form import from_hex, to_hex
from demur.versions.leave import export, verify
from demur.versions.publish import publish

QUOTED = "she said: leave me out of it"
ITEMS = [
    item("own", "forum:ann", "mine alone"),
    item("quote", "forum:bob", QUOTED, spans=[span(10, 28, "quote", "forum:ann")]),
    item("mention", "forum:cyd", "ask @ann about it"),
    item("other", "forum:dag", "nothing to do with it"),
]
KEEPING = open_policy(identifiers=Identifiers(handles="keep"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a version and its export, in a place of its own: see ``workspace``."""
    folder = tmp_path_factory.mktemp("tampering")
    made = workspaces.create(folder / "w", KEEPING)
    import_items(made, "table", iter([batch(ITEMS)]), now=NOW)
    with made.register() as register:
        register.members.link("forum:ann", "forum:ann2", now=NOW)
        register.objections.lodge(["forum:ann"], channel="letter", reason="I said so.", now=NOW)
    honour(made, now=NOW)
    publish(made, "v1", now=NOW)
    export(made, "v1", made.root / "out", now=NOW)
    assert verify(made, "v1", now=NOW).ok
    assert verify(made, "v1", export=made.root / "out", now=NOW).ok
    made.root.rename(folder / "untouched")
    return folder / "untouched"


@pytest.fixture
def workspace(untouched: Path) -> Iterator[workspaces.Workspace]:
    """The workspace for one test, always in the place where it was made."""
    root = Path(shutil.copytree(untouched, untouched.with_name("w")))
    yield workspaces.find(root)
    shutil.rmtree(root)


def before(workspace: workspaces.Workspace, name: str) -> pa.Table:
    """A row as it was before the objection."""
    with reading(workspace, NOW) as session:
        under = rules(KEEPING)
        known = type(under)(KEEPING, session.keys.pepper, under.facts, under.objected, under.minors, under.today)
    raw = [each for each in ITEMS if each["item"] == f"forum:{name}"]
    return pa.Table.from_batches([govern(batch(raw), known).kept])


def put_back(rows: pa.Table, row: pa.Table) -> pa.Table:
    """The rows with one of them replaced by what it was, or added."""
    key = row.column("item")[0]
    others = [each for each in rows.to_pylist() if each["item"] != key.as_py()]
    return pa.concat_tables([pa.Table.from_pylist(others, schema=schema.ROW), row])


@pytest.mark.parametrize("name", ["own", "quote", "mention"])
def test_in_a_version(workspace: workspaces.Workspace, name: str) -> None:
    path = str(workspace.corpus_path)
    changed = put_back(lance.dataset(path, version="v1").to_table(), before(workspace, name))
    lance.write_dataset(changed, path, mode="overwrite")
    dataset = lance.dataset(path)
    dataset.tags.update("v1", dataset.version)
    findings = verify(workspace, "v1", now=NOW)
    assert key(workspace, name) in {finding.item for finding in findings.shown}
    assert codes(findings, workspace, name) >= {{"own": "author", "quote": "quote", "mention": "mention"}[name]}


@pytest.mark.parametrize("name", ["own", "quote", "mention"])
def test_in_an_export(workspace: workspaces.Workspace, name: str) -> None:
    (shard,) = (workspace.root / "out" / "data").glob("*.parquet")
    rows = pa.Table.from_batches([from_hex(part) for part in pq.read_table(shard).to_batches()]).cast(schema.ROW)
    changed = put_back(rows, before(workspace, name))
    pq.write_table(pa.Table.from_batches([to_hex(part) for part in changed.combine_chunks().to_batches()]), shard)
    findings = verify(workspace, "v1", export=workspace.root / "out", now=NOW)
    assert codes(findings, workspace, name) >= {{"own": "author", "quote": "quote", "mention": "mention"}[name]}
    assert verify(workspace, "v1", now=NOW).ok


def test_the_text_alone_is_enough_to_be_named(workspace: workspaces.Workspace) -> None:
    """A mention typed back into the text, with no span and no subject key beside it."""
    (shard,) = (workspace.root / "out" / "data").glob("*.parquet")
    table = pq.read_table(shard)
    texts = [text.replace("[person]", "@ann") for text in table.column("text").to_pylist()]
    assert texts != table.column("text").to_pylist()
    at = table.schema.get_field_index("text")
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(texts, table.schema.field(at).type)), shard)
    findings = verify(workspace, "v1", export=workspace.root / "out", now=NOW)
    assert codes(findings, workspace, "mention") == {"changed"}


LODGED = "seq = (SELECT seq FROM entry WHERE kind = 'objection.lodged')"
BY_HAND = {
    "UPDATE objection SET active = 0": "Objection 5: its active",
    "UPDATE objection SET phase = 'withdrawn', active = 0": "Objection 5: its phase",
    "UPDATE objection SET reference = 'AAAA-AAAA-AAAA-AAAA'": "Objection 5: its reference",
    "DELETE FROM objected": "Objection 5 names other accounts",
    "DELETE FROM objection": "Objection 5 is missing",
    f"DELETE FROM entry WHERE {LODGED}": "lacks entry 5",
    "UPDATE account SET person = key": "counts as person",
    "UPDATE link SET active = 0": "The link of",
    "DELETE FROM link": "The link of",
    "UPDATE account SET sealed = zeroblob(60)": "the sealed identifier can't be opened",
    "UPDATE detail SET sealed = zeroblob(60)": "What was said with objection 5 was replaced",
    "DELETE FROM detail": "What was said with objection 5 is gone",
    f"UPDATE entry SET payload = replace(payload, 'letter', 'forged') WHERE {LODGED}": "Entry 5, objection.lodged",
    f"UPDATE entry SET subjects = zeroblob(8) WHERE {LODGED}": "Entry 5, objection.lodged",
    f"UPDATE entry SET effect = NULL WHERE {LODGED}": "Entry 5, objection.lodged",
    f"UPDATE entry SET binding = 0 WHERE {LODGED}": "Entry 5 does not count as binding",
    f"UPDATE entry SET kind = 'corpus.honoured', binding = 0 WHERE {LODGED}": "Entry 5, corpus.honoured",
    f"UPDATE entry SET time = time + 1 WHERE {LODGED}": "Entry 5, objection.lodged",
    f"UPDATE entry SET commitment = zeroblob(32) WHERE {LODGED}": "its entry 5 is another one",
    f"UPDATE entry SET salt = zeroblob(32) WHERE {LODGED}": "Entry 5, objection.lodged",
    f"UPDATE entry SET salt = x'', subject_salt = x'' WHERE {LODGED}": "Entry 5 has no salts, and no erasure names it",
}
"""What somebody does to the register, and what is said of it."""


def test_in_the_register(workspace: workspaces.Workspace, tmp_path: Path) -> None:
    file = workspace.root / "register.db"
    whole = shutil.copy(file, tmp_path)
    unseen = []
    for statement, named in BY_HAND.items():
        by_hand(file, statement)
        told = [said_of(workspace, current=current) for current in (False, True)]
        unseen += [(statement, each) for each in told if not any(named in sentence for sentence in each)]
        shutil.copy(whole, file)
    assert unseen == []
    assert verify(workspace, "v1", now=NOW).ok


def test_what_was_recorded_last_is_pinned_down_by_the_mark(workspace: workspaces.Workspace) -> None:
    """A whole objection is taken out with its entry, and the numbers and what follows from the entries close up."""
    with workspace.register() as register:
        last = register.log.head().seq
        register.objections.lodge(["forum:bob"], channel="letter", now=NOW)
    publish(workspace, "v2", now=NOW)
    by_hand(
        workspace.root / "register.db",
        f"DELETE FROM objection WHERE seq > {last}; DELETE FROM objected WHERE objection > {last}; "
        f"DELETE FROM entry WHERE seq > {last}",
    )
    with pytest.raises(RegisterError, match="older than the mark"):
        verify(workspace, "v1", now=NOW)


def said_of(workspace: workspaces.Workspace, *, current: bool) -> list[str]:
    """What `verify` says of the register; an entry that corpus or mark name, and that is gone, is refused before."""
    try:
        findings = verify(workspace, "v1", now=NOW, current=current)
    except RegisterError as error:
        return [str(error)]
    return [each.sentence for each in findings.shown if each.code == "register"]


def by_hand(file: Path, statements: str) -> None:
    with sqlite3.connect(file) as register:
        register.executescript(statements)
        assert register.total_changes > 0
    register.close()


def key(workspace: workspaces.Workspace, name: str) -> str:
    return workspace.keys().pepper.item_key(f"forum:{name}").hex()


def codes(findings: Any, workspace: workspaces.Workspace, name: str) -> set[str]:  # noqa: ANN401  # Findings
    return {str(finding.code) for finding in findings.shown if finding.item == key(workspace, name)}


# What is hidden elsewhere than in the rows

RAW = "mine alone"


def shard_of(out: Path) -> Path:
    (shard,) = (out / "data").glob("*.parquet")
    return shard


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(bytes(data))


def rewrite(out: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(shard_of(out))
    pq.write_table(change(table), shard_of(out))


def hidden_link(out: Path) -> None:
    (out.parent / "elsewhere.jsonl").write_text(RAW)
    (out / "data" / "link.jsonl").symlink_to(out.parent / "elsewhere.jsonl")


def linked_shard(out: Path) -> None:
    moved = shard_of(out).rename(out.parent / "moved.parquet")
    (out / "data" / "train-00000-of-00001.parquet").symlink_to(moved)


def another_case(out: Path) -> None:
    pq.write_table(pa.table({"text": [RAW]}), out / "data" / "train-00001-of-00002.PARQUET")


def deep(out: Path) -> None:
    (out / "data" / "a" / "b").mkdir(parents=True)
    (out / "data" / "a" / "b" / "c.txt").write_text(RAW)


def resign(out: Path, key: Ed25519PrivateKey, **changes: object) -> None:
    facts = json.loads((out / "files.json").read_bytes())["signed"] | changes
    (out / "files.json").write_bytes(envelope(facts, key))


def integer_keys(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("author")
    return table.set_column(at, "author", pa.array(range(len(table))))


EXPORTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "lines of JSON": (lambda out: (out / "data" / "extra.jsonl").write_text(RAW), "extra.jsonl"),
    "another ending of Parquet": (lambda out: pq.write_table(pa.table({"t": [RAW]}), out / "m.parq"), "m.parq"),
    "another case": (another_case, "train-00001-of-00002.PARQUET"),
    "a hidden file": (lambda out: (out / ".hidden").write_text(RAW), ".hidden"),
    "a file deep down": (deep, "data/a/b/c.txt"),
    "an empty folder": (lambda out: (out / "data" / RAW).mkdir(), RAW),
    "a link": (hidden_link, "link.jsonl"),
    "a shard that is a link": (linked_shard, "train-00000-of-00001.parquet"),
    "a name that is no UTF-8": (
        lambda out: Path(os.fsdecode(os.fsencode(out) + b"/\xff\n")).write_text(RAW),
        r"\xff\n does not belong",
    ),
    "the shard a second time": (lambda out: shutil.copy(shard_of(out), out / "data" / "more.parquet"), "more.parquet"),
    "a shard less": (lambda out: shard_of(out).unlink(), "train-00000-of-00001.parquet is missing"),
    "a byte of the shard": (lambda out: flip(shard_of(out)), "train-00000-of-00001.parquet was changed"),
    "bytes behind the shard's beginning": (
        lambda out: shard_of(out).write_bytes(shard_of(out).read_bytes() + b"PAR1"),
        "train-00000-of-00001.parquet was changed",
    ),
    "a column": (
        lambda out: rewrite(out, lambda table: table.append_column("raw", pa.array([RAW] * len(table)))),
        "has the column raw, which no export has",
    ),
    "a column less": (lambda out: rewrite(out, lambda table: table.drop_columns(["media"])), "lacks the column media"),
    "a column of another type": (lambda out: rewrite(out, integer_keys), "has the column author as int64"),
    "Parquet metadata": (
        lambda out: rewrite(out, lambda table: table.replace_schema_metadata({"note": RAW})),
        "holds Parquet metadata that no export has: note",
    ),
    "metadata of a column": (
        lambda out: rewrite(
            out, lambda table: table.cast(pa.schema([each.with_metadata({"n": RAW}) for each in table.schema]))
        ),
        "metadata of its columns",
    ),
    "the card": (lambda out: (out / "README.md").write_text("# all clear"), "README.md was changed"),
    "the card less": (lambda out: (out / "README.md").unlink(), "README.md is missing"),
    "Croissant": (lambda out: flip(out / "croissant.json"), "croissant.json was changed"),
    "the manifest's copy, a newline": (
        lambda out: (out / "manifest.json").write_bytes((out / "manifest.json").read_bytes() + b"\n"),
        "manifest.json was changed",
    ),
    "the list of files less": (lambda out: (out / "files.json").unlink(), "files.json is missing"),
    "a byte of the list": (lambda out: flip(out / "files.json"), "files.json"),
    "a newline behind the list": (
        lambda out: (out / "files.json").write_bytes((out / "files.json").read_bytes() + b"\n"),
        "files.json has bytes that were not signed",
    ),
    "a list of another key": (lambda out: resign(out, Ed25519PrivateKey.generate()), "files.json was changed"),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_what_is_hidden_in_an_export_is_named(workspace: workspaces.Workspace, name: str) -> None:
    hide, told = EXPORTS[name]
    hide(workspace.root / "out")
    lines = list(verify(workspace, "v1", export=workspace.root / "out", now=NOW).lines())
    assert [line for line in lines if told in line], lines
    assert verify(workspace, "v1", now=NOW).ok


def test_a_list_that_the_register_does_not_hold_is_named(workspace: workspaces.Workspace) -> None:
    """The workspace's own key, and a list that leaves the new file out of what it forbids."""
    out = workspace.root / "out"
    (out / "extra.jsonl").write_text(RAW)
    facts = json.loads((out / "files.json").read_bytes())["signed"]
    extra = {"path": "extra.jsonl", "bytes": len(RAW), "sha256": "0" * 64}
    resign(out, workspace.keys().signing, files=[*facts["files"], extra])
    lines = list(verify(workspace, "v1", export=out, now=NOW).lines())
    assert any("files.json is no list whose digest the register holds" in line for line in lines)


def test_an_export_passes_wherever_it_lies(workspace: workspaces.Workspace, fast_tmp: Path) -> None:
    shutil.move(workspace.root / "out", fast_tmp / "copy")
    assert verify(workspace, "v1", export=fast_tmp / "copy", now=NOW).ok


def dataset_of(workspace: workspaces.Workspace) -> lance.LanceDataset:
    return lance.dataset(str(workspace.corpus_path), version="v1")


def data_file(workspace: workspaces.Workspace) -> Path:
    fragment = dataset_of(workspace).get_fragments()[0]
    return workspace.corpus_path / "data" / fragment.data_files()[0].path


def begin_anew(workspace: workspaces.Workspace, change: Callable[[pa.Table], pa.Table]) -> None:
    """The dataset written again under the same version number and tag, with something besides."""
    version = dataset_of(workspace).version
    rows = change(dataset_of(workspace).to_table())
    shutil.rmtree(workspace.corpus_path)
    for _ in range(version):
        dataset = lance.write_dataset(rows, str(workspace.corpus_path), mode="overwrite")
    assert dataset.version == version
    dataset.tags.create("v1", version)


def with_column(rows: pa.Table) -> pa.Table:
    return rows.append_column("raw", pa.array([RAW] * len(rows)))


def of_another_version(workspace: workspaces.Workspace, kind: str) -> None:
    publish(workspace, "v2", now=NOW)
    shutil.copy(workspace.versions_path / f"v2.{kind}", workspace.versions_path / f"v1.{kind}")


def with_other_key(workspace: workspaces.Workspace) -> None:
    path = workspace.versions_path / "v1.json"
    document = json.loads(path.read_bytes())
    path.write_bytes(envelope(document["signed"], Ed25519PrivateKey.generate()))


def naming_another_key(workspace: workspaces.Workspace) -> None:
    path = workspace.versions_path / "v1.json"
    named = json.loads(path.read_bytes())["public_key"]
    path.write_bytes(path.read_bytes().replace(named.encode(), b"00" * 32))


def renamed(workspace: workspaces.Workspace) -> None:
    path = workspace.versions_path / "v1.json"
    facts = json.loads(path.read_bytes())["signed"] | {"controller": "Mallory"}
    path.write_bytes(envelope(facts, workspace.keys().signing))


def relisted(workspace: workspaces.Workspace) -> None:
    (path,) = workspace.lists_path.glob("*.list")
    keys = workspace.keys()
    read = SuppressionList.read(path, keys.signing.public_key())
    path.write_bytes(read.to_bytes(Keys(keys.pepper, keys.sealing, Ed25519PrivateKey.generate())))


def list_of(workspace: workspaces.Workspace) -> Path:
    (path,) = workspace.lists_path.glob("*.list")
    return path


Tamper = Callable[[workspaces.Workspace], object]
VERSIONS: dict[str, tuple[Tamper, str]] = {
    "a byte of the data that changes no row": (
        lambda w: data_file(w).write_bytes(data_file(w).read_bytes()[:8] + b"!" + data_file(w).read_bytes()[9:]),
        ".lance, a file of version v1, was changed",
    ),
    "a column": (lambda w: begin_anew(w, with_column), "has the column raw, which no version has"),
    "a column less": (lambda w: begin_anew(w, lambda rows: rows.drop_columns(["media"])), "lacks the column media"),
    "metadata": (
        lambda w: begin_anew(w, lambda rows: rows.replace_schema_metadata({"note": RAW})),
        "holds metadata that no version has: note",
    ),
    "the manifest, a newline": (
        lambda w: (w.versions_path / "v1.json").write_bytes((w.versions_path / "v1.json").read_bytes() + b"\n"),
        "v1.json has bytes that were not signed",
    ),
    "the manifest less": (lambda w: (w.versions_path / "v1.json").unlink(), "v1.json can't be read"),
    "the manifest of another version": (lambda w: of_another_version(w, "json"), "is the manifest of v2, not of v1"),
    "a manifest of another key": (with_other_key, "v1.json was changed after it was signed"),
    "a manifest that names another key": (naming_another_key, "or names another key"),
    "a manifest signed again": (renamed, "v1.json is not the manifest whose digest the register holds"),
    "the sidecar less": (lambda w: (w.versions_path / "v1.rows").unlink(), "v1.rows is not the file"),
    "a byte of the sidecar": (lambda w: flip(w.versions_path / "v1.rows"), "v1.rows is not the file"),
    "the list less": (lambda w: list_of(w).unlink(), "holds no suppression list"),
    "a byte of the list": (lambda w: flip(list_of(w)), "holds no suppression list"),
    "a list of another key": (relisted, "holds no suppression list"),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_what_is_hidden_in_a_version_is_named(workspace: workspaces.Workspace, name: str) -> None:
    tamper, told = VERSIONS[name]
    tamper(workspace)
    lines = list(verify(workspace, "v1", now=NOW).lines())
    assert [line for line in lines if told in line], lines
