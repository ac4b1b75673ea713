"""An auditor with an export and the key alone: rows and the tree of people are made again, and what differs shows."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demur.cli import run
from demur.errors import UsageError
from demur.suppression.keyset import KeySet
from demur.versions import auditing
from demur.versions.auditing import Absence, check_alone
from demur.versions.digests import concerned
from demur.versions.export_form import to_hex
from demur.versions.findings import Code, Findings
from demur.versions.manifest import sign
from demur.versions.placing import Subjects
from demur.versions.verify import check_export

if TYPE_CHECKING:
    from tests.versions.conftest import Published

Row = Callable[..., dict[str, Any]]
Table = Callable[..., pa.Table]
HIDDEN = 1003
"""An author of some rows."""


@pytest.fixture
def out(published: "Published", tmp_path: Path) -> Path:
    published.export(tmp_path / "out", shard_rows=100)
    return tmp_path / "out"


def alone(published: "Published", out: Path, absence: Absence | None = None) -> Findings:
    return check_alone(out, "v1", published.keys.signing.public_key(), absence)


def shard(out: Path) -> Path:
    return min(out.rglob("*.parquet"))


def rewrite(out: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a shard in the folder."""
    path = shard(out)
    pq.write_table(change(pq.read_table(path)), path)


def said(findings: Findings, code: Code) -> str:
    return "\n".join(each.sentence for each in findings.shown if each.code is code)


def test_an_export_as_it_was_written_passes_and_says_what_was_not_looked_at(published: "Published", out: Path) -> None:
    findings = alone(published, out)
    assert findings.ok
    assert "only the workspace shows" in "\n".join(findings.notes)


def test_rows_that_were_added_changed_or_removed_show_in_rows_and_people(
    published: "Published", out: Path, table: Table, row: Row
) -> None:
    new = row(9_000_001, author=77, spans=[], subjects=[], media=[])
    stranger = to_hex(table(new).to_batches()[0])
    changes: Mapping[str, tuple[Callable[[pa.Table], pa.Table], set[str]]] = {
        "added": (
            lambda rows: pa.concat_tables([rows, pa.Table.from_batches([stranger]).cast(rows.schema)]),
            {"rows", "rows_digest", "subjects", "subjects_root"},
        ),
        "changed": (
            lambda rows: rows.set_column(
                rows.schema.get_field_index("author"),
                rows.schema.field("author"),
                pa.array([f"{78:016x}", *rows["author"].to_pylist()[1:]]),
            ),
            {"rows_digest", "subjects", "subjects_root"},
        ),
        "removed": (lambda rows: rows.slice(1), {"rows", "rows_digest"}),
    }
    genuine = shard(out).read_bytes()
    for what, (change, differ) in changes.items():
        rewrite(out, change)
        findings = alone(published, out)
        assert {Code.TOTALS, Code.FILE} <= set(findings.counts), what
        for field in differ:
            assert f"says another `{field}`" in said(findings, Code.TOTALS), (what, field)
        shard(out).write_bytes(genuine)
    assert alone(published, out).ok


def lying(published: "Published", out: Path, leave_out: int | None, put_in: int | None = None) -> None:
    """The holder of the key leaves somebody out of the tree, or puts somebody in, and signs that; rows stay."""
    content = published.manifest.content
    salt = bytes.fromhex(content.subjects_salt or "")
    folder = out.parent / f"tree{leave_out}{put_in}"
    folder.mkdir()
    subjects = Subjects(folder)
    for batch in published.rows():
        keys = concerned(batch)
        subjects.add(keys[keys != leave_out] if leave_out is not None else keys)
    if put_in is not None:
        subjects.add(np.array([put_in], np.int64))
    tree = subjects.tree(salt)
    lied = replace(content, subjects=tree.subjects, subjects_root=tree.root.hex(), subjects_bits=tree.bits)
    data = sign(replace(published.manifest, content=lied), published.keys)
    for path in (out / "manifest.json", published.versions / "v1.json"):
        path.write_bytes(data)


@pytest.mark.parametrize(("leave_out", "put_in"), [(HIDDEN, None), (None, 2**60), (HIDDEN, 2**60)])
def test_a_key_in_rows_but_in_no_bucket_or_the_reverse_is_found(
    published: "Published", out: Path, leave_out: int | None, put_in: int | None
) -> None:
    """With the workspace and without: also where as many are put in as are left out."""
    lying(published, out, leave_out, put_in)
    for findings in (
        alone(published, out),
        check_export(out, "v1", published.versions, published.lists, published.keys.signing.public_key()),
    ):
        assert "says another `subjects_root`" in said(findings, Code.TOTALS)
        assert "`rows_digest`" not in said(findings, Code.TOTALS)


def test_rows_of_whom_a_proof_calls_absent_are_named(published: "Published", out: Path) -> None:
    data = (out / "manifest.json").read_bytes()
    clean = Absence(KeySet(np.array([2**60])), data)
    assert alone(published, out, clean).ok
    hers = Absence(KeySet(np.array([HIDDEN])), data)
    findings = alone(published, out, hers)
    assert findings.counts[Code.AUTHOR] == sum(number % 17 == 3 for number in range(300))
    other = alone(published, out, Absence(clean.keys, data + b" "))
    assert "proof is of another version" in said(other, Code.MANIFEST)


def test_what_is_no_proof_or_no_key_is_said(tmp_path: Path) -> None:
    for text in ("{}", "[]", "x", '{"subjects": {"own": ["ffffffffffffffff"]}, "absent": {"manifest": ""}}'):
        (tmp_path / "proof.json").write_text(text)
        with pytest.raises(UsageError, match="no proof of absence"):
            Absence.read(tmp_path / "proof.json")
    for text in ("", "zz", "00" * 31):
        with pytest.raises(UsageError, match="no key of manifests"):
            auditing.public_key(text)


def test_the_command_needs_no_workspace(
    published: "Published", out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = published.keys.signing.public_key().public_bytes_raw().hex()
    (tmp_path / "key.txt").write_text(key + "\n")
    empty = ["-w", str(tmp_path / "nowhere")]
    for given in (key, str(tmp_path / "key.txt")):
        assert run(["verify", "v1", "--export", str(out), "--key", given, *empty]) == 0
        assert "only the workspace shows" in capsys.readouterr().out
    proof = {"subjects": {"own": [f"{HIDDEN:016x}"]}, "absent": {"manifest": (out / "manifest.json").read_text()}}
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    held = ["--proof", str(tmp_path / "proof.json")]
    assert run(["verify", "v1", "--export", str(out), "--key", key, *held, *empty]) == 1
    assert "was written by a suppressed person" in capsys.readouterr().out
    assert run(["verify", "v1", "--export", str(out), *held, *empty]) == 2
    assert run(["verify", "v1", "--key", key, *empty]) == 2
    other = hashlib.sha256(b"").hexdigest()
    assert run(["verify", "v1", "--export", str(out), "--key", other, *empty]) in {1, 2}
