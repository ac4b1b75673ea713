"""Whatever is put back, changed or taken away by hand is found, and the row is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CorpusError
from demur.identity import Keys
from demur.kernel.schema import ROW
from demur.suppression.keyset import KeySet
from demur.versions.digests import Digester
from demur.versions.export_form import EXPORTED, to_hex
from demur.versions.findings import SHOWN, Code, Findings
from demur.versions.manifest import sign
from demur.versions.sorting import Sorter
from demur.versions.verify import check_rows, check_version

if TYPE_CHECKING:
    from pathlib import Path

    from tests.versions.conftest import Published

Row = Callable[..., dict[str, Any]]
Table = Callable[..., pa.Table]

OBJECTED, MINOR = 2**61 + 7, 2**62 + 9
NOBODY = KeySet(np.zeros(0, dtype=np.int64))
NEW = 900  # the number of a row that was not published


def span(role: str, subject: int = OBJECTED) -> dict[str, Any]:
    return {"spans": [{"start": 0, "end": 5, "role": role, "subject": subject}], "subjects": [subject]}


def photo(*tagged: int) -> dict[str, Any]:
    return {"media": [{"uri": "a.jpg", "type": "image/jpeg", "alt": None, "tagged": list(tagged)}]}


PUT_BACK: list[tuple[Code, dict[str, Any]]] = [
    (Code.AUTHOR, {"author": OBJECTED}),
    (Code.AUTHOR, {"author": MINOR}),
    (Code.MENTION, span("mention")),
    (Code.MENTION, span("mention", MINOR)),
    (Code.QUOTE, span("quote")),
    (Code.RESHARE, span("reshare")),
    (Code.TAG, span("tag")),
    (Code.TAG, photo(5000, OBJECTED)),
    (Code.SUBJECT, {"subjects": [OBJECTED]}),
    (Code.SUBJECT, span("echo")),  # a role nobody knows is still somebody
]


def found(findings: Findings) -> set[tuple[Code, str | None]]:
    return {(finding.code, finding.item) for finding in findings.shown}


def key(number: int) -> str:
    return (number.to_bytes(4, "big") * 4).hex()


def put_into_a_shard(folder: "Path", rows: pa.Table) -> None:
    """Append rows to an export's first shard by hand."""
    path = min(folder.rglob("*.parquet"))
    extra = pa.Table.from_batches([to_hex(batch) for batch in rows.to_batches()]).cast(EXPORTED)
    pq.write_table(pa.concat_tables([pq.read_table(path, schema=EXPORTED), extra]), path)


def test_a_version_as_it_was_published_passes(published: "Published") -> None:
    findings = published.check()
    assert findings.ok
    assert list(findings.lines()) == []


def test_an_export_as_it_was_written_passes(published: "Published", tmp_path: "Path") -> None:
    published.export(tmp_path / "out", shard_rows=70)
    assert published.check_export(tmp_path / "out").ok


@pytest.mark.parametrize(("code", "trace"), PUT_BACK)
def test_a_trace_put_back_into_a_version_is_named(
    published: "Published", row: Row, code: Code, trace: dict[str, Any]
) -> None:
    published.put(row(NEW, spans=[], subjects=[], media=[]) | trace)
    assert found(published.check()) == {(code, key(NEW)), (Code.ADDED, key(NEW))}


@pytest.mark.parametrize(("code", "trace"), PUT_BACK)
def test_a_trace_put_back_into_an_export_is_named(
    published: "Published", tmp_path: "Path", row: Row, table: Table, code: Code, trace: dict[str, Any]
) -> None:
    published.export(tmp_path / "out", shard_rows=100)
    put_into_a_shard(tmp_path / "out", table(row(NEW, spans=[], subjects=[], media=[]) | trace))
    assert found(published.check_export(tmp_path / "out")) == {
        (code, key(NEW)),
        (Code.ADDED, key(NEW)),
        (Code.FILE, None),  # the shard is not the one that was signed
    }


def test_a_mention_put_back_into_the_text_of_a_row_is_named(published: "Published", row: Row) -> None:
    published.delete(f"item = X'{key(3)}'")
    published.put(row(3, text="Hallo @ann.example, schön"))
    findings = published.check()
    assert found(findings) == {(Code.CHANGED, key(3))}
    assert list(findings.lines()) == [f"Row {key(3)} was changed after it was published."]


@pytest.mark.parametrize(
    "change",
    [{"author": 1}, {"created": None}, {"rating": 2.0}, {"thread": None}, photo(), {"language": ""}, {"region": "FR"}],
)
def test_a_change_of_any_field_is_named(published: "Published", row: Row, change: dict[str, Any]) -> None:
    published.delete(f"item = X'{key(7)}'")
    published.put(row(7) | change)
    assert found(published.check()) == {(Code.CHANGED, key(7))}


def test_a_row_that_stands_twice_is_named(published: "Published", row: Row) -> None:
    published.put(row(4))
    assert found(published.check()) == {(Code.ADDED, key(4))}


def test_a_row_that_was_taken_away_is_named_by_what_is_known_of_it(published: "Published") -> None:
    published.delete(f"item = X'{key(9)}'")
    assert found(published.check()) == {(Code.MISSING, key(9)[:16])}


def test_an_extra_file_in_an_export_is_read_too(
    published: "Published", tmp_path: "Path", row: Row, table: Table
) -> None:
    published.export(tmp_path / "out")
    (batch,) = table(row(NEW, author=OBJECTED)).to_batches()
    pq.write_table(pa.Table.from_batches([to_hex(batch)]), tmp_path / "out" / "more.parquet")
    assert (Code.AUTHOR, key(NEW)) in found(published.check_export(tmp_path / "out"))


def test_objections_since_are_judged_only_when_asked(published: "Published") -> None:
    later = KeySet(np.array([1003]))
    assert published.check().ok
    assert published.check(now=later).counts == {Code.AUTHOR: 18}


def test_many_findings_are_counted_and_few_are_told(published: "Published", row: Row) -> None:
    published.put(*(row(number, author=OBJECTED) for number in range(1000, 1000 + 3 * SHOWN)))
    findings = published.check()
    assert findings.counts == {Code.AUTHOR: 3 * SHOWN, Code.ADDED: 3 * SHOWN}
    assert len(findings.shown) == 2 * SHOWN
    assert f"... and {2 * SHOWN} more of the kind author." in list(findings.lines())
    published.delete("region IS NULL")
    assert published.check().counts[Code.MISSING] == 100


def test_a_changed_manifest_is_found(published: "Published", tmp_path: "Path") -> None:
    published.export(tmp_path / "out")
    path = published.versions / "v1.json"
    original = path.read_bytes()
    path.write_bytes(original.replace(b'"rows":300', b'"rows":301'))
    assert [finding.code for finding in published.check().shown] == [Code.MANIFEST]
    path.write_bytes(original)
    (tmp_path / "out" / "manifest.json").write_bytes(original + b" ")
    assert [finding.code for finding in published.check_export(tmp_path / "out").shown] == [Code.FILE, Code.MANIFEST]
    (tmp_path / "out" / "manifest.json").unlink()
    assert [finding.code for finding in published.check_export(tmp_path / "out").shown] == [Code.FILE, Code.MANIFEST]


def test_another_versions_manifest_is_found(published: "Published") -> None:
    (published.versions / "v1.json").rename(published.versions / "v2.json")
    public_key = published.keys.signing.public_key()
    findings = check_version(published.rows, "v2", published.versions, published.lists, public_key)
    assert "is the manifest of v1, not of v2" in next(findings.lines())


def test_a_manifest_signed_by_another_key_is_found(published: "Published") -> None:
    forger = Keys(published.keys.pepper, published.keys.sealing, Ed25519PrivateKey.generate())
    (published.versions / "v1.json").write_bytes(sign(published.manifest, forger))
    assert [finding.code for finding in published.check().shown] == [Code.MANIFEST]


def test_a_changed_sidecar_is_found_and_rows_are_still_checked(published: "Published", row: Row) -> None:
    path = published.versions / "v1.rows"
    path.write_bytes(path.read_bytes()[:-16])
    assert found(published.check()) == {(Code.SIDECAR, None)}
    published.put(row(NEW))
    assert published.check().counts.keys() == {Code.SIDECAR, Code.TOTALS}
    path.unlink()
    assert published.check().counts.keys() == {Code.SIDECAR, Code.TOTALS}


def test_a_changed_suppression_list_is_found(published: "Published") -> None:
    (path,) = published.lists.iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert found(published.check()) == {(Code.SUPPRESSION, None)}
    path.unlink()
    assert found(published.check()) == {(Code.SUPPRESSION, None)}


def test_a_manifest_that_says_other_totals_is_found(published: "Published", row: Row, table: Table) -> None:
    with Digester() as digester:
        digester.add(table(row(1)).to_batches()[0])
        content = digester.finish(published.versions / "v1.rows")
    manifest = replace(published.manifest, content=replace(content, text_bytes=1, kinds={"post": 1}))
    findings = check_rows(table(row(1)).to_batches, manifest, published.versions / "v1.rows", NOBODY)
    assert findings.counts == {Code.TOTALS: 2}
    assert (
        f"The manifest of v1 says another `text_bytes`: 1, and its rows give {len(row(1)['text'].encode())}."
        in list(findings.lines())
    )


def damage(path: "Path") -> None:
    data = bytearray(path.read_bytes())
    data[100:160] = bytes(60)
    path.write_bytes(bytes(data))


def truncate(path: "Path") -> None:
    path.write_bytes(path.read_bytes()[:-20])


def drop_a_column(path: "Path") -> None:
    pq.write_table(pq.read_table(path).drop_columns(["spans"]), path)


def break_a_key(path: "Path") -> None:
    rows = pq.read_table(path)
    authors = pa.array(["nobody's key 16 "] * len(rows))
    pq.write_table(rows.set_column(rows.schema.get_field_index("author"), "author", authors), path)


@pytest.mark.parametrize("harm", [damage, truncate, drop_a_column, break_a_key])
def test_a_shard_that_can_not_be_read_is_found_and_named(
    published: "Published", tmp_path: "Path", harm: Callable[["Path"], None]
) -> None:
    published.export(tmp_path / "out", shard_rows=100)
    path = sorted((tmp_path / "out" / "data").iterdir())[1]
    harm(path)
    findings = published.check_export(tmp_path / "out")
    assert [finding.code for finding in findings.shown if finding.code is not Code.COLUMN] == [
        Code.UNREADABLE,
        Code.FILE,
    ]
    assert all(path.name in finding.sentence for finding in findings.shown)


def test_nulls_put_in_by_hand_are_named(published: "Published", tmp_path: "Path", row: Row) -> None:
    published.export(tmp_path / "out")
    path = min((tmp_path / "out").rglob("*.parquet"))
    batch = pa.RecordBatch.from_pylist(
        [dict.fromkeys(row(1)) | {"item": row(NEW)["item"]}, row(NEW + 1, spans=[None], subjects=[None], media=[None])],
        schema=pa.schema([pa.field(field.name, field.type) for field in ROW]),
    )
    loose = pa.schema([pa.field(field.name, field.type) for field in EXPORTED])
    both = pa.concat_tables([pq.read_table(path).cast(loose), pa.Table.from_batches([to_hex(batch)]).cast(loose)])
    pq.write_table(both, path)
    assert found(published.check_export(tmp_path / "out")) == {
        (Code.ADDED, key(NEW)),
        (Code.ADDED, key(NEW + 1)),
        (Code.FILE, None),
        (Code.COLUMN, None),  # columns that allow nulls are not those of an export
    }


def test_an_export_without_files_is_found(published: "Published", tmp_path: "Path") -> None:
    assert published.check_export(tmp_path / "nothing").counts.keys() == {
        Code.UNREADABLE,
        Code.FILE,
        Code.MANIFEST,
    }


def test_a_damaged_dataset_is_found(published: "Published") -> None:
    for path in (published.folder / "corpus.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    assert [finding.code for finding in published.check().shown] == [Code.UNREADABLE]


def test_text_that_is_no_utf_8_is_found(published: "Published", row: Row, table: Table) -> None:
    (batch,) = table(row(1)).to_batches()
    broken = pa.array([b"\xff\xfe"], pa.large_binary()).view(pa.large_string())
    rows = [batch.set_column(batch.schema.get_field_index("text"), "text", broken)]
    findings = check_rows(lambda: rows, published.manifest, published.versions / "v1.rows", NOBODY)
    assert [finding.code for finding in findings.shown] == [Code.UNREADABLE]


def test_no_room_to_sort_is_an_error_and_no_finding(published: "Published", monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_bag: Sorter, _records: object) -> None:
        raise CorpusError("Rows can't be sorted here: make room.")

    monkeypatch.setattr(Sorter, "add", full)
    with pytest.raises(CorpusError, match="make room"):
        published.check()
