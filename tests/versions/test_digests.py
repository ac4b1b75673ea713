"""Row hashes are those of RFC 8785, and the digests do not depend on order, batches or shards."""

import base64
import hashlib
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CorpusError
from demur.kernel.schema import ROW
from demur.transparency.tree import root_of
from demur.versions.digests import Digester, Digests, canonical_rows, row_hashes
from demur.versions.sorting import Sorter, as_strings

Row = Callable[..., dict[str, Any]]
Table = Callable[..., pa.Table]

KEYS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ITEMS = st.binary(min_size=16, max_size=16)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001  # made aware at once
SPANS = st.fixed_dictionaries(
    {"start": st.integers(0, 99), "end": st.integers(0, 99), "role": TEXT, "subject": st.none() | KEYS}
)
MEDIA = st.fixed_dictionaries(
    {"uri": TEXT, "type": TEXT, "alt": st.none() | TEXT, "tagged": st.none() | st.lists(KEYS, max_size=3)}
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "author": KEYS,
    "created": TIMES,
    "spans": st.lists(st.none() | SPANS, max_size=3),
    "subjects": st.lists(st.none() | KEYS, max_size=3),
    "media": st.lists(st.none() | MEDIA, max_size=2),
    "rating": st.floats(),
    **dict.fromkeys(("item", "parent", "thread", "group"), ITEMS),
}
ROWS = st.fixed_dictionaries({name: st.none() | VALUES.get(name, TEXT) for name in ROW.names})
NULLABLE = pa.schema([pa.field(field.name, field.type) for field in ROW])


def as_json(value: Any) -> Any:  # noqa: ANN401  # any value of a row
    """The row's value as the module's docstring says it is hashed, written without the module."""
    match value:
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case bytes():
            return value.hex()
        case datetime():
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        case float():
            return repr(value)
        case _:
            return value


def expected(one: dict[str, Any]) -> bytes:
    """RFC 8785 of a row, by the reference package."""
    facts = as_json(one)
    for holder, names in ((facts, ["author"]), *((span, ["subject"]) for span in facts["spans"] or [] if span)):
        for name in names:
            holder[name] = digits(holder[name])
    facts["subjects"] = [digits(key) for key in facts["subjects"]] if facts["subjects"] is not None else None
    for photo in facts["media"] or []:
        if photo and photo["tagged"] is not None:
            photo["tagged"] = [digits(key) for key in photo["tagged"]]
    return rfc8785.dumps(facts)


def digits(key: int | None) -> str | None:
    return None if key is None else (key % 2**64).to_bytes(8, "big").hex()


@given(st.lists(ROWS, max_size=4))
def test_rows_are_hashed_as_rfc_8785_says(rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=NULLABLE)
    assert list(canonical_rows(batch)) == [expected(one) for one in rows]


@given(st.lists(ROWS, min_size=1, max_size=6), st.data())
def test_a_rows_hash_does_not_depend_on_its_batch(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=NULLABLE)
    begin = data.draw(st.integers(0, len(rows) - 1))
    part = batch.slice(begin, data.draw(st.integers(1, len(rows))))
    alone = [row_hashes(pa.RecordBatch.from_pylist([one], schema=NULLABLE))[0].tobytes() for one in rows]
    assert [one.tobytes() for one in row_hashes(part)] == alone[begin : begin + len(part)]


def test_a_rows_canonical_form_is_the_one_of_the_first_release(row: Row, table: Table) -> None:
    golden = Path(__file__).with_name("golden-row.json").read_bytes()
    batch = table(row(60)).to_batches()[0]
    assert list(canonical_rows(batch)) == [golden]
    assert row_hashes(batch).tobytes() == hashlib.sha256(golden).digest()


@pytest.mark.parametrize("rating", [1.0, 0.1, 1e21, -0.0, math.inf, 5e-324])
def test_a_rating_reads_back_as_the_same_double(rating: float, row: Row, table: Table) -> None:
    (text,) = canonical_rows(table(row(1, rating=rating)).to_batches()[0])
    assert repr(float(orjson.loads(text)["rating"])) == repr(rating)


# Merkle trees: RFC 9162, section 2.1.1

LEAVES = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243")]
LEAVES += [bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
"""The leaves of the reference tree of Certificate Transparency."""


@pytest.mark.parametrize(
    ("leaves", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_merkle_roots_are_those_of_the_reference_tree(leaves: int, root: str) -> None:
    assert root_of(LEAVES[:leaves]).hex() == root


def test_merkle_roots_are_those_of_the_shared_vectors(shared: Path) -> None:
    checked = set()
    for path in (shared / "merkle" / "inclusion").rglob("*.json"):
        vector = json.loads(path.read_bytes())
        if not vector.get("wantErr") and 0 < vector["treeSize"] <= len(LEAVES) and path.parent.name.isdecimal():
            size = vector["treeSize"]
            assert root_of(LEAVES[:size]) == base64.b64decode(vector["root"])
            checked.add(size)
    assert len(checked) > 2


def naive_root(leaves: list[bytes]) -> bytes:
    """The RFC's recursive definition."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0]).digest() if leaves else hashlib.sha256().digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_merkle_roots_follow_the_recursive_definition(leaves: list[bytes]) -> None:
    assert root_of(iter(leaves)) == naive_root(leaves)


# all rows


def digests(rows: pa.Table, sidecar: Path, size: int = 64) -> Digests:
    with Digester() as digester:
        for batch in rows.to_batches(max_chunksize=size):
            digester.add(batch)
        return digester.finish(sidecar)


def test_the_digests_are_what_they_are_said_to_be(tmp_path: Path, row: Row, table: Table) -> None:
    rows = table(*map(row, range(120)))
    found = digests(rows, tmp_path / "rows")
    hashes = [one.tobytes() for batch in rows.to_batches() for one in row_hashes(batch)]
    sidecar = b"".join(sorted(row(n)["item"][:8] + one[:8] for n, one in enumerate(hashes)))
    people = {key for n in range(120) for key in (row(n)["author"], *row(n)["subjects"])}
    leaves = sorted(hashlib.sha256(key.to_bytes(8, "big")).digest() for key in people)
    assert found.rows == 120
    assert found.text_bytes == sum(len(row(n)["text"].encode()) for n in range(120))
    assert found.kinds == {"comment": 40, "photo": 40, "post": 40}
    assert found.languages == {"de": 40, "en-IE": 40, "unknown": 40}
    assert found.regions == {"DE": 40, "IE": 40, "unknown": 40}
    assert found.rows_digest == hashlib.sha256(b"".join(sorted(hashes))).hexdigest()
    assert (tmp_path / "rows").read_bytes() == sidecar
    assert found.sidecar_digest == hashlib.sha256(sidecar).hexdigest()
    assert (found.subjects, found.subjects_root) == (len(people), naive_root(leaves).hex())


def test_the_digests_do_not_depend_on_order_or_batches(tmp_path: Path, row: Row, table: Table) -> None:
    rows = table(*map(row, range(200)))
    shuffled = rows.take(np.random.default_rng(2).permutation(200))
    assert digests(rows, tmp_path / "a") == digests(shuffled, tmp_path / "b", size=7)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_one_changed_letter_changes_the_digests(tmp_path: Path, row: Row, table: Table) -> None:
    one, other = table(row(1), row(2)), table(row(1), row(2, text=row(2)["text"] + "."))
    assert digests(one, tmp_path / "a").rows_digest != digests(other, tmp_path / "b").rows_digest


def test_no_rows_have_digests_too(tmp_path: Path) -> None:
    found = digests(ROW.empty_table(), tmp_path / "rows")
    assert (found.rows, found.subjects, found.kinds) == (0, 0, {})
    assert found.rows_digest == found.sidecar_digest == found.subjects_root == hashlib.sha256().hexdigest()
    assert (tmp_path / "rows").read_bytes() == b""


def test_a_sidecar_that_can_not_be_written_leaves_nothing(tmp_path: Path, row: Row, table: Table) -> None:
    (tmp_path / "versions").write_bytes(b"")
    with pytest.raises(CorpusError, match="can't be written"):
        digests(table(row(1)), tmp_path / "versions" / "v1.rows")
    assert [path.name for path in tmp_path.iterdir()] == ["versions"]


EDGES = st.sampled_from([b"\0\0\0", b"a\0\0", b"a\0b", b"\xff\0\0"])


@given(st.lists(st.binary(min_size=3, max_size=3) | EDGES, min_size=1))
def test_records_compare_by_their_bytes_also_where_they_end_in_zeros(records: list[bytes]) -> None:
    packed = np.frombuffer(b"".join(records), dtype=np.uint8).reshape(-1, 3)
    assert [one.tobytes() for one in packed[np.argsort(as_strings(packed))]] == sorted(records)


def test_a_sorter_gives_back_all_it_was_given_in_order(tmp_path: Path) -> None:
    records = np.random.default_rng(4).integers(0, 256, (3000, 5), dtype=np.uint8)
    bag = Sorter(tmp_path, "bag", 5)
    for part in np.array_split(records, 7):
        bag.add(part)
    assert [one.tobytes() for part in bag.sorted() for one in part] == sorted(one.tobytes() for one in records)


@pytest.mark.parametrize("records", [1, 40_000])
def test_a_sorter_without_room_says_so(tmp_path: Path, records: int) -> None:
    (tmp_path / "bag-00").symlink_to("/dev/full")
    bag = Sorter(tmp_path, "bag", 4)

    def fill() -> None:
        bag.add(np.zeros((records, 4), dtype=np.uint8))
        list(bag.sorted())  # a few records meet the full disk only here

    with pytest.raises(CorpusError, match=r"can't be sorted in .* \(No space left on device\): make room"):
        fill()
