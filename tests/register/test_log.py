"""The log: numbers without a gap, commitments that recompute, and what the corpus reads and writes."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register import Head, Register
from demur.register.database import entries
from demur.register.database.tables import entry
from demur.terms import BINDING, EntryKind

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOLDEN = "a8e5b4903efc5ddd74f53a6b4a826ae57c5eb520ac8ce61e93c6264bdf2cbb2c"


def test_empty(register: Register) -> None:
    assert register.head() == Head(0, 0)
    changes = register.changes(0)
    assert (changes.subjects.tolist(), changes.policy, changes.head) == ([], False, Head(0, 0))
    snapshot = register.snapshot()
    assert (snapshot.head, snapshot.suppressed.tolist()) == (Head(0, 0), [])
    assert [column.dtype.str for column in vars(snapshot.facts).values()] == ["<i8", "|S2", "<i2", "<i4", "|b1"]
    assert list(register.entries()) == []


def test_head_tells_binding_from_other_entries(register: Register) -> None:
    register.lodge(["x:a"], channel="web")
    assert register.append(EntryKind.IMPORT_FINISHED, {"read": 3}) == 2
    assert register.head() == Head(2, 1)


def test_entries_in_order_by_kind_and_after(register: Register) -> None:
    zone = timezone(timedelta(hours=2))
    register.append(EntryKind.IMPORT_FINISHED, {"b": [1, None, True], "a": "\u00e9\u0000\n"}, now=NOON.astimezone(zone))
    register.lodge(["x:a"], channel="web")
    register.append(EntryKind.CORPUS_HONOURED, {})
    first, *_ = register.entries()
    assert (first.seq, first.kind, first.time) == (1, EntryKind.IMPORT_FINISHED, NOON)
    assert first.payload == {"a": "\u00e9\u0000\n", "b": [1, None, True]}
    assert [each.seq for each in register.entries(after=1)] == [2, 3]
    assert [each.seq for each in register.entries(EntryKind.CORPUS_HONOURED)] == [3]
    assert list(register.entries(EntryKind.CORPUS_HONOURED, after=3)) == []


def test_pages_join_without_a_gap(register: Register) -> None:
    with register.locked():
        for number in range(2100):
            register.append(EntryKind.IMPORT_FINISHED, {"number": number})
    assert [each.seq for each in register.entries()] == list(range(1, 2101))


def stored(register: Register) -> entries.Stored:
    with register._store.reading() as connection:
        return entries.Stored(*connection.execute(sa.select(entry)).one())


def hexed(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_commitment_recomputes_from_the_stored_entry(register: Register) -> None:
    receipt = register.lodge(["x:a"], channel="web", reason="because", now=NOON)
    row = stored(register)
    with register._store.reading() as connection:
        sealed = connection.scalar(sa.text("SELECT sealed FROM detail"))
    assert row.subject_salt is not None
    assert row.effect is not None
    canonical = {
        "detail": hexed(sealed),
        "effect": hexed(row.subject_salt, row.effect),
        "format": 2,
        "kind": "objection.lodged",
        "payload": {"accounts": 1, "channel": "web", "confirm_by": None, "received": None},
        "seq": 1,
        "subjects": hexed(row.subject_salt, receipt.subjects.astype("<i8").tobytes()),
        "time": "2026-11-22T12:00:00+00:00",
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert (len(row.salt), len(row.subject_salt)) == (32, 32)
    assert row.salt != row.subject_salt
    expected = hashlib.sha256(row.salt + text.encode()).digest()
    assert expected == row.commitment == next(register.entries()).commitment
    assert entries.commitment(row._replace(payload='{"accounts":2}')) != expected


@pytest.mark.parametrize(
    "change",
    [
        {"effect": b"{}"},
        {"effect": None},
        {"subjects": b"12345678"},
        {"subjects": None},
        {"subject_salt": bytes(32)},
        {"salt": bytes(32)},
        {"format": None},
        {"time": 1},
        {"kind": "objection.withdrawn"},
        {"seq": 2},
        {"detail_digest": None},
    ],
)
def test_a_commitment_covers_every_part(register: Register, change: Mapping[str, Any]) -> None:
    register.lodge(["x:a"], channel="web", reason="because", now=NOON)
    assert entries.commitment(stored(register)._replace(**change)) != stored(register).commitment


def test_an_entry_opens_without_telling_whose_it_is(register: Register) -> None:
    """Entry and salt are what a receipt shows; the subject keys stay behind the second salt."""
    register.lodge(["x:a"], channel="web", now=NOON)
    row = stored(register)
    opened = row._replace(subject_salt=None)
    guesses = [entries.commitment(opened._replace(subject_salt=salt)) for salt in (b"", bytes(32), row.salt)]
    assert row.commitment not in guesses


def test_an_entry_of_the_first_format_keeps_its_commitment() -> None:
    """As f7abe7e computed it, with its own code, of an entry with a detail and a payload beyond ASCII."""
    row = entries.Stored(
        seq=7,
        kind="objection.lodged",
        binding=True,
        time=1_764_000_000_000_001,
        payload='{"accounts":1,"channel":"web\u00e9","confirm_by":null,"received":null}',
        salt=bytes(range(32)),
        commitment=b"",
        detail_digest=bytes(32),
        subjects=bytes(8),
        format=None,
        subject_salt=None,
        effect=None,
    )
    assert entries.commitment(row).hex() == GOLDEN


def test_the_same_entry_twice_has_two_commitments(register: Register) -> None:
    register.append(EntryKind.IMPORT_FINISHED, {}, now=NOON)
    register.append(EntryKind.IMPORT_FINISHED, {}, now=NOON)
    one, other = register.entries()
    assert one.commitment != other.commitment


def test_appends_only_while_no_binding_entry_came_between(register: Register) -> None:
    register.lodge(["x:a"], channel="web")
    binding = register.head().binding
    assert register.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v1"}) == 2
    assert register.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v2"}) == 3
    register.lodge(["x:b"], channel="web")
    assert register.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v3"}) is None
    assert register.head() == Head(4, 4)


@pytest.mark.parametrize("kind", sorted(BINDING))
def test_binding_entries_have_methods_of_their_own(register: Register, kind: EntryKind) -> None:
    with pytest.raises(RegisterError, match="its own method"):
        register.append(kind, {})
    with pytest.raises(RegisterError, match="its own method"):
        register.append_if(0, kind, {})
    assert register.head().seq == 0


def test_policy_is_noted_when_it_changes(register: Register) -> None:
    assert register.note_policy("aa") == 1
    assert register.note_policy("aa") is None
    assert register.note_policy("bb") == 2
    assert register.note_policy("aa", now=NOON) == 3
    assert register.changes(2).policy
    assert not register.changes(3).policy
    assert register.changes(0).subjects.size == 0


def test_progress_marks(register: Register) -> None:
    assert register.state("honoured") is None
    register.set_state("honoured", "7")
    register.set_state("honoured", "8")
    assert register.state("honoured") == "8"
    assert register.head().seq == 0


def test_locked_is_one_transaction(register: Register) -> None:
    with register.locked() as held:
        assert held is register
        held.lodge(["x:a"], channel="web")
        assert held.head().seq == 1
        assert len(held.suppressed()) == 1
        assert held.append_if(1, EntryKind.VERSION_PUBLISHED, {}) == 2
        with held.locked():
            held.set_state("honoured", "2")
    assert register.head() == Head(2, 1)


def test_an_error_inside_undoes_the_whole_and_no_snapshot_remembers_it(register: Register) -> None:
    register.lodge(["x:a"], channel="web")
    with suppress(ZeroDivisionError), register.locked():
        register.lodge(["x:b"], channel="web")
        assert len(register.snapshot().suppressed) == 2
        raise ZeroDivisionError
    assert register.head().seq == 1
    register.consent(["x:c"], given=True)  # the same number as the lost entry
    assert len(register.snapshot().suppressed) == 1


def test_an_error_caught_inside_undoes_only_its_own_call(register: Register) -> None:
    with register.locked():
        register.lodge(["x:a"], channel="web")
        with pytest.raises(RegisterError):
            register.unlink("x:a", "x:b")
    assert register.head().seq == 1


def test_snapshots_are_patched_to_what_a_fresh_one_says(register: Register) -> None:
    register.consent([f"x:m{number}" for number in range(50)], given=True)
    first = register.snapshot()
    register.lodge(["x:m7", "x:new"], channel="web")
    register.consent(["x:m8", "x:before", "x:zulu"], given=False)
    patched = register.snapshot()
    assert (len(first.facts.keys), len(first.suppressed)) == (50, 0)
    assert (len(patched.facts.keys), len(patched.suppressed)) == (52, 2)
    register._reader._last = None
    fresh = register.snapshot()
    for name in vars(fresh.facts):
        assert np.array_equal(getattr(fresh.facts, name), getattr(patched.facts, name)), name
    assert np.array_equal(fresh.suppressed, patched.suppressed)
    register.append(EntryKind.IMPORT_FINISHED, {})
    assert register.snapshot().facts is fresh.facts
    assert register.snapshot().head.seq == fresh.head.seq + 1


def test_many_changes_are_read_afresh(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.register.members.standing._PATCH_AT_MOST", 2)
    register.snapshot()
    register.consent([f"x:m{number}" for number in range(5)], given=True)
    assert register.snapshot().facts.consented.tolist() == [True] * 5


def test_arrays_are_read_only(register: Register) -> None:
    register.lodge(["x:a"], channel="web")
    with pytest.raises(ValueError, match="read-only"):
        register.suppressed()[0] = 1
