"""Signed files: canonical bytes, and writing that is all or nothing."""

import errno
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from demur.canonical import JSON, canonical_json
from demur.errors import CorpusError
from demur.suppression.signed import file_digest, rfc3339, write_atomically

INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
FACTS = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(FACTS)
def test_canonical_json_is_that_of_rfc_8785(value: JSON) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


def test_members_are_sorted_by_utf_16_and_not_by_code_points() -> None:
    assert canonical_json({"\U0001f600": 1, "\ufb33": 2}) == '{"\U0001f600":1,"\ufb33":2}'.encode()


@pytest.mark.parametrize("value", [0.5, {"a": [1.0]}, 2**53, -(2**53)])
def test_what_has_no_canonical_form_is_refused(value: JSON) -> None:
    with pytest.raises(ValueError, match="has no canonical form"):
        canonical_json(value)


def test_times_are_written_in_utc() -> None:
    there = datetime(2026, 11, 22, 6, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(there) == "2026-11-22T05:00:00Z"
    assert rfc3339(datetime(26, 1, 2, tzinfo=UTC)).endswith("26-01-02T00:00:00Z")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "facts"
    write_atomically(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CorpusError, match="No space left on device"):
        write_atomically(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["facts"]
    assert path.read_bytes() == b"old"


def test_a_folder_that_can_not_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CorpusError, match="can't be written"):
        write_atomically(tmp_path / "file" / "facts", b"x")
    with pytest.raises(CorpusError, match="can't be read"):
        file_digest(tmp_path / "absent")
