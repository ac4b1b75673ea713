"""Somebody puts back by hand what a person had taken out: `verify` fails and names the row, the entry or the objection.

The row, the quote or the mention is put back into a published version (through Lance, the tag moved along) and into
its export (a shard rewritten), or the register is edited so that the next version would hold it; the workspace's own
commands did everything before that.
"""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making import NOW, batch, item, open_policy, rules, span

from demur import workspace as workspaces
from demur.corpus import schema
from demur.corpus.handover import export, verify
from demur.corpus.hexform import from_hex, to_hex
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.kernel import govern
from demur.corpus.publish import publish
from demur.corpus.session import reading
from demur.policy import Identifiers

QUOTED = "she said: leave me out of it"
ITEMS = [
    item("own", "forum:ann", "mine alone"),
    item("quote", "forum:bob", QUOTED, spans=[span(10, 28, "quote", "forum:ann")]),
    item("mention", "forum:cyd", "ask @ann about it"),
    item("other", "forum:dag", "nothing to do with it"),
]
KEEPING = open_policy(identifiers=Identifiers(handles="keep"))


@pytest.fixture
def workspace(fast_tmp: Path) -> workspaces.Workspace:
    made = workspaces.create(fast_tmp / "w", KEEPING)
    import_items(made, "table", iter([batch(ITEMS)]), now=NOW)
    with made.register() as register:
        register.link("forum:ann", "forum:ann2", now=NOW)
        register.lodge(["forum:ann"], channel="letter", reason="I said so.", now=NOW)
    honour(made, now=NOW)
    publish(made, "v1", now=NOW)
    export(made, "v1", made.root / "out", now=NOW)
    assert verify(made, "v1", now=NOW).ok
    assert verify(made, "v1", export=made.root / "out", now=NOW).ok
    return made


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
    "UPDATE objection SET active = 0": "Objection 4: its active",
    "UPDATE objection SET phase = 'withdrawn', active = 0": "Objection 4: its phase",
    "UPDATE objection SET reference = 'AAAA-AAAA-AAAA-AAAA'": "Objection 4: its reference",
    "DELETE FROM objected": "Objection 4 names other accounts",
    "DELETE FROM objection": "Objection 4 is missing",
    f"DELETE FROM entry WHERE {LODGED}": "Entry 4 is missing",
    "UPDATE account SET person = key": "counts as person",
    "UPDATE link SET active = 0": "The link of",
    "DELETE FROM link": "The link of",
    "UPDATE account SET sealed = zeroblob(60)": "the sealed identifier can't be opened",
    "UPDATE detail SET sealed = zeroblob(60)": "What was said with objection 4 was replaced",
    "DELETE FROM detail": "What was said with objection 4 is gone",
    f"UPDATE entry SET payload = replace(payload, 'letter', 'forged') WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET subjects = zeroblob(8) WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET effect = NULL WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET binding = 0 WHERE {LODGED}": "Entry 4 does not count as binding",
    f"UPDATE entry SET kind = 'corpus.honoured', binding = 0 WHERE {LODGED}": "Entry 4, corpus.honoured",
    f"UPDATE entry SET time = time + 1 WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET commitment = zeroblob(32) WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET salt = zeroblob(32) WHERE {LODGED}": "Entry 4, objection.lodged",
    f"UPDATE entry SET salt = x'', subject_salt = x'' WHERE {LODGED}": "Entry 4 has no salts, and no erasure names it",
    "UPDATE state SET value = '1000000000' WHERE name = 'honoured'": "marked to honour entry 1000000000",
}
"""What somebody does to the register, and what is said of it."""


def test_in_the_register(workspace: workspaces.Workspace, tmp_path: Path) -> None:
    file = workspace.root / "register.db"
    whole = shutil.copy(file, tmp_path)
    unseen = []
    for statement, named in BY_HAND.items():
        by_hand(file, statement)
        judged = [verify(workspace, "v1", now=NOW, current=current) for current in (False, True)]
        told = [[each.sentence for each in findings.shown if each.code == "register"] for findings in judged]
        unseen += [(statement, each) for each in told if not any(named in sentence for sentence in each)]
        shutil.copy(whole, file)
    assert unseen == []
    assert verify(workspace, "v1", now=NOW).ok


def test_what_was_recorded_after_a_version_is_pinned_down_by_the_next_ones_manifest(
    workspace: workspaces.Workspace,
) -> None:
    """A whole objection is taken out with its entry, and the numbers and what follows from the entries close up."""
    with workspace.register() as register:
        last = register.head().seq
        register.lodge(["forum:bob"], channel="letter", now=NOW)
    publish(workspace, "v2", now=NOW)
    by_hand(
        workspace.root / "register.db",
        f"DELETE FROM objection WHERE seq > {last}; DELETE FROM objected WHERE objection > {last}; "
        f"DELETE FROM entry WHERE seq > {last}",
    )
    found = [finding for finding in verify(workspace, "v1", now=NOW).shown if finding.code == "register"]
    assert any(" are not those of v2." in finding.sentence for finding in found)


def by_hand(file: Path, statements: str) -> None:
    with sqlite3.connect(file) as register:
        register.executescript(statements)
        assert register.total_changes > 0
    register.close()


def key(workspace: workspaces.Workspace, name: str) -> str:
    return workspace.keys().pepper.item_key(f"forum:{name}").hex()


def codes(findings: Any, workspace: workspaces.Workspace, name: str) -> set[str]:  # noqa: ANN401  # Findings
    return {str(finding.code) for finding in findings.shown if finding.item == key(workspace, name)}
