"""The log: numbers without a gap, commitments that recompute, and what the corpus reads and writes."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register import Head, Register
from demur.register.database import entries
from demur.register.database.tables import entry
from demur.register.objections.lodging import Lodging, Receipt
from demur.terms import BINDING, EntryKind

if TYPE_CHECKING:
    from tests.register.conftest import MakeBatch

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOLDEN = "a8e5b4903efc5ddd74f53a6b4a826ae57c5eb520ac8ce61e93c6264bdf2cbb2c"


def test_empty(register: Register) -> None:
    assert register.log.head() == Head(0, 0)
    changes = register.standing.changes(0)
    assert (changes.subjects.tolist(), changes.policy, changes.head) == ([], False, Head(0, 0))
    snapshot = register.standing.snapshot()
    assert (snapshot.head, snapshot.suppressed.tolist()) == (Head(0, 0), [])
    assert [column.dtype.str for column in vars(snapshot.facts).values()] == ["<i8", "|S2", "<i2", "<i4", "|b1"]
    assert list(register.log.entries()) == []


def test_head_tells_binding_from_other_entries(register: Register) -> None:
    register.objections.lodge(["x:a"], channel="web")
    assert register.log.append(EntryKind.IMPORT_FINISHED, {"read": 3}) == 2
    assert register.log.head() == Head(2, 1)


def test_entries_in_order_by_kind_and_after(register: Register) -> None:
    zone = timezone(timedelta(hours=2))
    register.log.append(
        EntryKind.IMPORT_FINISHED, {"b": [1, None, True], "a": "\u00e9\u0000\n"}, now=NOON.astimezone(zone)
    )
    register.objections.lodge(["x:a"], channel="web")
    register.log.append(EntryKind.CORPUS_HONOURED, {})
    first, *_ = register.log.entries()
    assert (first.seq, first.kind, first.time) == (1, EntryKind.IMPORT_FINISHED, NOON)
    assert first.payload == {"a": "\u00e9\u0000\n", "b": [1, None, True]}
    assert [each.seq for each in register.log.entries(after=1)] == [2, 3]
    assert [each.seq for each in register.log.entries(EntryKind.CORPUS_HONOURED)] == [3]
    assert list(register.log.entries(EntryKind.CORPUS_HONOURED, after=3)) == []


def test_pages_join_without_a_gap(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_PAGE", 100)
    with register.locked():
        for number in range(210):
            register.log.append(EntryKind.IMPORT_FINISHED, {"number": number})
    assert [each.seq for each in register.log.entries()] == list(range(1, 211))


def stored(register: Register) -> entries.Stored:
    with register._store.reading() as connection:
        return entries.Stored(*connection.execute(sa.select(entry)).one())


def stored_at(register: Register, seq: int) -> entries.Stored:
    with register._store.reading() as connection:
        return entries.Stored._make(connection.execute(sa.select(entry).where(entry.c.seq == seq)).one())


def hexed(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_commitment_recomputes_from_the_stored_entry(register: Register) -> None:
    receipt = register.objections.lodge(["x:a"], channel="web", reason="because", now=NOON)
    row = stored(register)
    with register._store.reading() as connection:
        sealed = connection.scalar(sa.text("SELECT sealed FROM detail"))
    assert row.subject_salt is not None
    assert row.effect is not None
    own, others = (hashlib.sha256(b"demur/subjects/%b\0" % half + row.subject_salt) for half in (b"own", b"others"))
    halves = hashlib.sha256(own.digest() + receipt.subjects.astype(">i8").tobytes()), hashlib.sha256(others.digest())
    canonical = {
        "detail": hexed(sealed),
        "effect": hexed(row.subject_salt, row.effect),
        "format": 3,
        "kind": "objection.lodged",
        "payload": {"accounts": 1, "channel": "web", "confirm_by": None, "received": None},
        "seq": 1,
        "subjects": hexed(*(half.digest() for half in halves)),
        "time": "2026-11-22T12:00:00+00:00",
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert (len(row.salt), len(row.subject_salt)) == (32, 32)
    assert row.salt != row.subject_salt
    expected = hashlib.sha256(row.salt + text.encode()).digest()
    assert expected == row.commitment == next(register.log.entries()).commitment
    assert entries.commitment(row._replace(payload='{"accounts":2}')) != expected


def test_an_entry_of_the_second_format_keeps_its_commitment(register: Register) -> None:
    """An objection of a demur before 2026-11-30, and every other kind to this day."""
    register.objections.lodge(["x:a"], channel="web", now=NOON)
    row = stored(register)._replace(format=2)
    assert row.subject_salt is not None
    assert row.subjects is not None
    said = json.loads(entries.opened(row))
    assert (said["format"], said["subjects"]) == (2, hexed(row.subject_salt, row.subjects))
    assert entries.commitment(row) == hashlib.sha256(row.salt + entries.opened(row)).digest()
    with pytest.raises(ValueError, match="does not say apart"):
        entries.own_subjects(row)


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
        {"format": 2},
        {"time": 1},
        {"kind": "objection.withdrawn"},
        {"seq": 2},
        {"detail_digest": None},
    ],
)
def test_a_commitment_covers_every_part(register: Register, change: Mapping[str, Any]) -> None:
    register.objections.lodge(["x:a"], channel="web", reason="because", now=NOON)
    assert entries.commitment(stored(register)._replace(**change)) != stored(register).commitment


def test_an_entry_opens_without_telling_whose_it_is(register: Register) -> None:
    """Entry and salt are what a receipt shows; the subject keys stay behind the second salt."""
    register.objections.lodge(["x:a"], channel="web", now=NOON)
    row = stored(register)
    opened = row._replace(subject_salt=None)
    guesses = [entries.commitment(opened._replace(subject_salt=salt)) for salt in (b"", bytes(32), row.salt)]
    assert row.commitment not in guesses


def test_an_objection_opens_what_is_its_persons_own_and_hides_the_others(
    register: Register, members: "MakeBatch"
) -> None:
    """Own is what a proven link says; a link that proves nothing covers, and is not told: not even that it is there."""
    register.members.link("x:a", "x:second")
    alone = register.objections.lodge(["x:a"], channel="web", now=NOON)
    own, others = entries.own_subjects(stored_at(register, alone.seq))
    register.members.import_all([members(*({"account": each, "mail": "a@b.example"} for each in ("x:a", "x:other")))])
    covering = register.objections.lodge(["x:a"], channel="web", now=NOON)
    both, beside = entries.own_subjects(stored_at(register, covering.seq))
    assert len(covering.subjects) == 4
    assert own.keys == both.keys == np.sort(register._people.keys(["x:a", "x:second"])).astype(">i8").tobytes()
    assert len({others, beside, hashlib.sha256(b"").digest()}) == 3
    for seq, (half, rest) in ((alone.seq, (own, others)), (covering.seq, (both, beside))):
        said = json.loads(entries.opened(stored_at(register, seq)))["subjects"]
        assert said == hexed(hashlib.sha256(half.salt + half.keys).digest(), rest)
    (again,) = register.objections.lodge_all([Lodging(["x:second"], channel="web")])
    assert isinstance(again, Receipt)
    assert entries.own_subjects(stored_at(register, again.seq))[0].keys == own.keys


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
    register.log.append(EntryKind.IMPORT_FINISHED, {}, now=NOON)
    register.log.append(EntryKind.IMPORT_FINISHED, {}, now=NOON)
    one, other = register.log.entries()
    assert one.commitment != other.commitment


def test_appends_only_while_no_binding_entry_came_between(register: Register) -> None:
    register.objections.lodge(["x:a"], channel="web")
    binding = register.log.head().binding
    assert register.log.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v1"}) == 2
    assert register.log.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v2"}) == 3
    register.objections.lodge(["x:b"], channel="web")
    assert register.log.append_if(binding, EntryKind.VERSION_PUBLISHED, {"name": "v3"}) is None
    assert register.log.head() == Head(4, 4)


@pytest.mark.parametrize("kind", sorted(BINDING))
def test_binding_entries_have_methods_of_their_own(register: Register, kind: EntryKind) -> None:
    with pytest.raises(RegisterError, match="its own method"):
        register.log.append(kind, {})
    with pytest.raises(RegisterError, match="its own method"):
        register.log.append_if(0, kind, {})
    assert register.log.head().seq == 0


def test_policy_is_noted_when_it_changes(register: Register) -> None:
    assert register.log.note_policy("aa") == 1
    assert register.log.note_policy("aa") is None
    assert register.log.note_policy("bb") == 2
    assert register.log.note_policy("aa", now=NOON) == 3
    assert register.standing.changes(2).policy
    assert not register.standing.changes(3).policy
    assert register.standing.changes(0).subjects.size == 0


def test_progress_marks(register: Register) -> None:
    assert register.state("webhook") is None
    register.set_state("webhook", "7")
    register.set_state("webhook", "8")
    assert register.state("webhook") == "8"
    assert register.log.head().seq == 0


def test_locked_is_one_transaction(register: Register) -> None:
    with register.locked() as held:
        assert held is register
        held.objections.lodge(["x:a"], channel="web")
        assert held.log.head().seq == 1
        assert len(held.standing.suppressed()) == 1
        assert held.log.append_if(1, EntryKind.VERSION_PUBLISHED, {}) == 2
        with held.locked():
            held.set_state("webhook", "2")
    assert register.log.head() == Head(2, 1)


def test_an_error_inside_undoes_the_whole_and_no_snapshot_remembers_it(register: Register) -> None:
    register.objections.lodge(["x:a"], channel="web")
    with suppress(ZeroDivisionError), register.locked():
        register.objections.lodge(["x:b"], channel="web")
        assert len(register.standing.snapshot().suppressed) == 2
        raise ZeroDivisionError
    assert register.log.head().seq == 1
    register.members.consent(["x:c"], given=True)  # the same number as the lost entry
    assert len(register.standing.snapshot().suppressed) == 1


def test_an_error_caught_inside_undoes_only_its_own_call(register: Register) -> None:
    with register.locked():
        register.objections.lodge(["x:a"], channel="web")
        with pytest.raises(RegisterError):
            register.members.unlink("x:a", "x:b")
    assert register.log.head().seq == 1


def test_snapshots_are_patched_to_what_a_fresh_one_says(register: Register) -> None:
    register.members.consent([f"x:m{number}" for number in range(50)], given=True)
    first = register.standing.snapshot()
    register.objections.lodge(["x:m7", "x:new"], channel="web")
    register.members.consent(["x:m8", "x:before", "x:zulu"], given=False)
    patched = register.standing.snapshot()
    assert (len(first.facts.keys), len(first.suppressed)) == (50, 0)
    assert (len(patched.facts.keys), len(patched.suppressed)) == (52, 2)
    register.standing._reader._last = None
    fresh = register.standing.snapshot()
    for name in vars(fresh.facts):
        assert np.array_equal(getattr(fresh.facts, name), getattr(patched.facts, name)), name
    assert np.array_equal(fresh.suppressed, patched.suppressed)
    register.log.append(EntryKind.IMPORT_FINISHED, {})
    assert register.standing.snapshot().facts is fresh.facts
    assert register.standing.snapshot().head.seq == fresh.head.seq + 1


def test_many_changes_are_read_afresh(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.register.members.standing._PATCH_AT_MOST", 2)
    register.standing.snapshot()
    register.members.consent([f"x:m{number}" for number in range(5)], given=True)
    assert register.standing.snapshot().facts.consented.tolist() == [True] * 5


def test_arrays_are_read_only(register: Register) -> None:
    register.objections.lodge(["x:a"], channel="web")
    with pytest.raises(ValueError, match="read-only"):
        register.standing.suppressed()[0] = 1
