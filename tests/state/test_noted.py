"""What a pass over many rows says beside them: put there in parts as if at once, and held on disk until then.

Everybody in here is invented.
"""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from making import NOW, open_policy
from talking import held, talking

from demur.corpus import regoverning
from demur.corpus.honour import honour
from demur.corpus.scratch.noted import Distinct, Noted
from demur.corpus.session import reading
from demur.kernel.evidence import FINGERPRINTS
from demur.policy import Others, write_policy
from demur.workspace import Workspace, find


def _honoured(root: Path) -> dict[str, list[str]]:
    """All that a corpus and what lies beside it hold, once a pass over every row has honoured an objection."""
    workspace = find(root)
    report = honour(workspace, now=NOW)
    assert report.deleted
    assert report.rewritten
    with reading(workspace, NOW) as session:
        return held(session)


def test_lines_that_are_put_beside_the_rows_one_by_one_are_those_put_there_at_once(
    fast_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talking(Workspace(fast_tmp / "one"), waiting=True)
    wary = Others(names_sure=100, copies_sure=100)  # another policy: every row is read again
    write_policy(open_policy(others=wary), Workspace(fast_tmp / "one").policy_path)
    shutil.copytree(fast_tmp / "one", fast_tmp / "other")
    at_once = _honoured(fast_tmp / "one")
    assert all(len(at_once[name]) > 1 for name in ("evidence", "fingerprints", "uncertain"))
    monkeypatch.setattr(regoverning, "AT_ONCE", 1)
    assert _honoured(fast_tmp / "other") == at_once


def test_memory_does_not_grow_with_the_lines_and_nothing_is_left_of_them(fast_tmp: Path) -> None:
    """40 MB of fingerprints: no more than a few batches of them are in memory."""
    rows, each = 1_000, 50
    keys = pa.array(np.arange(rows * each, dtype=np.int64))
    lists = pa.ListArray.from_arrays(np.arange(0, rows * each + 1, each, dtype=np.int32), keys)
    facts = [pa.array(np.arange(rows, dtype=np.int64))] * 3
    lines = pa.RecordBatch.from_arrays([*facts, lists, lists], schema=FINGERPRINTS)
    before = pa.total_allocated_bytes()
    with Noted(FINGERPRINTS, fast_tmp) as noted:
        for _ in range(50):
            noted.add(lines)
        assert noted.count == 50 * rows
        most = pa.total_allocated_bytes() - before
        count = 0
        for part in noted.parts(2 * rows):
            count += len(part)
            most = max(most, pa.total_allocated_bytes() - before)
        assert count == noted.count
        assert list(fast_tmp.iterdir()) == [], "its file has no name"
    assert most < 8 * lines.nbytes < 50 * lines.nbytes


def test_keys_are_gathered_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.corpus.scratch.noted._FEW", 3)
    gathered = Distinct()
    for keys in ([5, 3, 5], [], [4, 3], [9, 1], [9]):
        gathered.add(np.array(keys, np.int64))
    assert gathered.keys.tolist() == [1, 3, 4, 5, 9]
