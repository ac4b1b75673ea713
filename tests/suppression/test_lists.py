"""Suppression lists: signed, versioned, and read only when whole."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CorpusError
from demur.identity import Keys, Pepper
from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList, parts_named
from demur.suppression.parts import COPIES, NAMES, Part, keep

KEYS = Keys(Pepper(bytes(32)), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
PUBLIC = KEYS.signing.public_key()
GOLDEN = Path(__file__).with_name("golden.list")
LIST = SuppressionList(
    seq=9,
    binding=7,
    time=datetime(2026, 11, 22, 5, 0, tzinfo=UTC),
    objected=KeySet(np.array([2**62, 5, 258], dtype=np.int64)),
    minors=KeySet(np.array([11], dtype=np.int64)),
)


def resigned(data: bytes, old: bytes, new: bytes) -> bytes:
    message = data[:-64].replace(old, new)
    assert message != data[:-64]
    return message + KEYS.signing.sign(message)


def test_the_file_has_the_bytes_it_had_in_the_first_release() -> None:
    assert LIST.to_bytes(KEYS) == GOLDEN.read_bytes()


def test_the_golden_file_is_read_as_it_was_written() -> None:
    assert SuppressionList.read(GOLDEN, PUBLIC) == LIST


def test_withheld_are_those_who_objected_and_minors() -> None:
    assert LIST.withheld.keys.tolist() == [5, 11, 258, 2**62]


def test_unknown_fields_and_sections_survive_a_round_trip() -> None:
    later = replace(
        LIST,
        extra={"witness": ["a", 1]},
        sections={"nicknames": b"\x00\n\xff"},
        beside={"pictures": Part(7, "ab" * 32), "names": Part(8, "cd" * 32)},
    )
    again = SuppressionList.from_bytes(later.to_bytes(KEYS), PUBLIC, where="it")
    assert again == later
    assert again.to_bytes(KEYS) == later.to_bytes(KEYS)


@pytest.mark.parametrize("byte", [0, 30, 200, -70, -1])
def test_a_changed_byte_is_found(byte: int) -> None:
    data = bytearray(LIST.to_bytes(KEYS))
    data[byte] ^= 1
    with pytest.raises(CorpusError, match=r"^it (was changed|is no suppression list)"):
        SuppressionList.from_bytes(bytes(data), PUBLIC, where="it")


@pytest.mark.parametrize("length", [0, 5, 23, 100, -1])
def test_a_file_that_was_cut_short_is_found(length: int) -> None:
    with pytest.raises(CorpusError, match=r"^it (was changed|is no suppression list)"):
        SuppressionList.from_bytes(LIST.to_bytes(KEYS)[:length], PUBLIC, where="it")


def test_another_workspaces_list_is_refused() -> None:
    with pytest.raises(CorpusError, match="signed by another workspace"):
        SuppressionList.from_bytes(LIST.to_bytes(KEYS), Ed25519PrivateKey.generate().public_key(), where="it")


def test_a_list_from_a_newer_demur_is_told_in_one_sentence() -> None:
    data = resigned(LIST.to_bytes(KEYS), b'"format":1', b'"format":2')
    with pytest.raises(CorpusError, match=r"^it has format 2, this demur reads up to 1: install a newer demur"):
        SuppressionList.from_bytes(data, PUBLIC, where="it")


def test_the_header_says_how_to_check_each_section() -> None:
    header = orjson.loads(GOLDEN.read_bytes().splitlines()[1])
    sections = {section["name"]: section for section in header["sections"]}
    assert sections["objected"]["sha256"] == hashlib.sha256(LIST.objected.pack()).hexdigest()
    assert sections["minors"]["bytes"] == 8


def test_a_list_is_written_once_and_kept(tmp_path: Path) -> None:
    path = LIST.write(tmp_path / "suppression", KEYS)
    assert path.name.startswith("000000000007-")
    before = path.read_bytes()
    assert replace(LIST, seq=12).write(tmp_path / "suppression", KEYS) == path
    assert path.read_bytes() == before  # versions published under it name its digest


def test_two_lists_of_one_entry_stand_side_by_side(tmp_path: Path) -> None:
    older = LIST.write(tmp_path, KEYS)
    newer = replace(LIST, minors=KeySet(np.array([], dtype=np.int64))).write(tmp_path, KEYS)
    assert older != newer
    assert SuppressionList.read(older, PUBLIC).minors == LIST.minors


def test_a_damaged_list_of_the_same_name_is_not_taken_for_it(tmp_path: Path) -> None:
    path = LIST.write(tmp_path, KEYS)
    path.write_bytes(replace(LIST, objected=KeySet(np.array([1]))).to_bytes(KEYS))
    with pytest.raises(CorpusError, match="does not hold what was written"):
        LIST.write(tmp_path, KEYS)


def test_lists_of_other_names_are_other_lists(tmp_path: Path) -> None:
    """Same entry, same keys: what tells them apart are their sections, and versions name the digest of one of them."""
    one, other = Part(3, "ab" * 32), Part(3, "cd" * 32)
    lists = [
        LIST,
        *(replace(LIST, beside=beside) for beside in ({NAMES: one}, {NAMES: other}, {NAMES: one, COPIES: other})),
    ]
    paths = {each.write(tmp_path, KEYS) for each in lists}
    assert len(paths) == len(lists)
    assert {len(SuppressionList.read(path, PUBLIC).beside) for path in paths} == {0, 1, 2}
    assert parts_named(tmp_path) == {one.file(NAMES), other.file(NAMES), other.file(COPIES)}


def test_a_section_is_kept_once_and_read_only_while_it_is_what_was_kept(tmp_path: Path) -> None:
    part = keep(tmp_path, NAMES, lambda path: path.write_bytes(b"keyed"))
    assert keep(tmp_path, NAMES, lambda path: path.write_bytes(b"keyed")) == part
    (path,) = tmp_path.iterdir()
    assert (path, path.stat().st_mode & 0o777) == (part.path(tmp_path, NAMES), 0o600)
    path.write_bytes(b"other")
    with pytest.raises(CorpusError, match="is not the file that the suppression list names: restore it"):
        part.path(tmp_path, NAMES)
    path.unlink()
    with pytest.raises(CorpusError, match="can't be read"):
        part.path(tmp_path, NAMES)
