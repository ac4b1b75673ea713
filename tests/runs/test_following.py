"""The pointer of a run stands before everybody who objected, from the acknowledgement on."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from modelling import trained
from town import ANN, DIETER, EWA, KARMENU, SILENT, found_town, town_policy

from demur.corpus.honour import honour
from demur.errors import CheckFailed, CorpusError
from demur.policy import Assessment, LegalBasis, write_policy
from demur.register import Register
from demur.register.members.rows import MEMBER
from demur.runs.folder import ModelFolder
from demur.runs.following import current, follow, follow_rows
from demur.runs.pointer import Pointer, read_pointer, write_pointer
from demur.terms import Basis, EntryKind
from demur.workspace import Workspace

ORDER = (KARMENU, SILENT, DIETER, ANN, EWA)
"""One post each, and two of Ann's: she stands in steps 3, 4 and, as Ewa mentions her, 5."""


@pytest.fixture
def town(tmp_path: Path) -> Workspace:
    return found_town(tmp_path / "town", town_policy())


@pytest.fixture
def model(town: Workspace) -> ModelFolder:
    pepper = town.keys().pepper
    return trained(town, [pepper.subject_key(account) for account in ORDER])


def at(model: ModelFolder) -> Pointer:
    pointer = read_pointer(model.run)
    assert pointer is not None
    return pointer


def told(town: Workspace) -> list[tuple[object, object]]:
    with town.register() as register:
        return [
            (entry.payload["run"], entry.payload["moved"]) for entry in register.log.entries(EntryKind.RUN_ROLLED_BACK)
        ]


def test_what_is_trained_serves_with_its_last_checkpoint(model: ModelFolder) -> None:
    assert (at(model).model, at(model).checkpoint) == ("0001", 6)


def test_an_objection_moves_the_pointer_before_its_person_and_says_so(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        began = time.perf_counter()
        register.objections.lodge([ANN], channel="letter")
        assert time.perf_counter() - began < 1
        assert at(model).checkpoint == 3
    assert told(town) == [("irc", True)]


def test_a_later_persons_objection_moves_nothing_and_is_put_on_record(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.objections.lodge([DIETER], channel="letter")
        since = at(model).since
        register.objections.lodge([EWA], channel="letter")
        assert (at(model).checkpoint, at(model).since) == (2, since)
    assert told(town) == [("irc", True), ("irc", False)]


def test_somebody_who_is_in_no_model_moves_nothing(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.objections.lodge(["forum:stranger"], channel="letter")
        assert at(model).checkpoint == 6
        assert at(model).binding == register.log.head().binding
    assert told(town) == []


def test_a_minor_moves_the_pointer(town: Workspace, model: ModelFolder) -> None:
    import pyarrow as pa  # noqa: PLC0415

    young = {"account": SILENT, "birth_year": date.today().year - 12}  # noqa: DTZ011
    with town.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([young], schema=MEMBER)])
    assert at(model).checkpoint == 1


def test_a_consent_that_is_withdrawn_moves_it_where_consent_is_the_basis(town: Workspace, model: ModelFolder) -> None:
    signed = Assessment(document="dpia.pdf", date=date(2026, 1, 10), signed_by="DPO")
    write_policy(town_policy(basis=LegalBasis(use=Basis.CONSENT, consent=signed)), town.policy_path)
    with town.register() as register:
        register.members.consent([DIETER], given=True)
        assert at(model).checkpoint == 6
        register.members.consent([DIETER], given=False)
        assert at(model).checkpoint == 2


def test_an_objection_of_the_linked_account_moves_it_too(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.objections.lodge(["mastodon:@ann@town.example"], channel="letter")
    assert at(model).checkpoint == 3


def test_a_crash_before_the_move_serves_nothing_in_between(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.follow_with(lambda: None)  # the process died here
        register.objections.lodge([ANN], channel="letter")
    assert at(model).checkpoint == 6
    with town.register() as register:
        assert current(model.run, register, town.policy()).checkpoint == 3
        assert current(model.run, register, town.policy()).checkpoint == 3
    assert told(town) == [("irc", True)]


def test_an_entry_that_a_crash_cut_off_is_owed(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.follow_with(lambda: None)
        register.objections.lodge([ANN], channel="letter")
        head = register.point(register.log.head().binding)
        with model.run.pointing():
            moved = replace(at(model), checkpoint=3, binding=head.seq, commitment=head.commitment.hex(), moved_from=6)
            write_pointer(model.run, moved)
        follow(model.run, register, town.policy())
    assert told(town) == [("irc", True)]
    assert at(model).moved_from is None


def test_a_pointer_of_another_numbering_is_looked_at_as_a_whole(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.follow_with(lambda: None)
        register.objections.lodge([ANN], channel="letter")
        write_pointer(model.run, replace(at(model), binding=10**6, commitment="ab" * 32))
        follow(model.run, register, town.policy())
    assert at(model).checkpoint == 3


def test_without_its_base_nothing_serves(town: Workspace, model: ModelFolder) -> None:
    for step in model.steps():
        if step < 6:
            (model.checkpoint(step) / "weights.safetensors").unlink()
            model.checkpoint(step).rmdir()
    with town.register() as register:
        register.objections.lodge([ANN], channel="letter")
        with pytest.raises(CheckFailed, match="irc may serve"):
            current(model.run, register, town.policy())


def test_rows_of_others_that_name_somebody_move_the_pointer_before_they_change(
    town: Workspace, model: ModelFolder
) -> None:
    with town.register() as register:
        register.follow_with(lambda: None)
        register.objections.lodge([ANN], channel="letter")
    honour(town)  # finds her rows, and Ewa's that names her
    assert at(model).checkpoint == 3
    with town.register() as register:
        entries = list(register.log.entries(EntryKind.RUN_ROLLED_BACK))
        honoured = next(iter(register.log.entries(EntryKind.CORPUS_HONOURED)))
    assert entries[0].seq < honoured.seq


@pytest.mark.parametrize(("masks", "checkpoint"), [(b'{"mask_mentions":true}', 6), (b"{}", 2), (b"{", 2)])
def test_rows_that_a_model_read_with_the_same_mask_move_nothing(
    town: Workspace, model: ModelFolder, masks: bytes, checkpoint: int
) -> None:
    model.run.config.write_bytes(masks)
    items = pq.read_table(model.plan, columns=["item"]).column("item").to_pylist()
    with town.register() as register:
        follow_rows(town.models_path, register, items[2:4], [])
        assert at(model).checkpoint == checkpoint
        follow_rows(town.models_path, register, items[2:4], items[3:4])
        assert at(model).checkpoint == min(checkpoint, 3)


def test_where_a_plan_cannot_be_read_the_base_serves_and_rows_change(town: Workspace, model: ModelFolder) -> None:
    model.plan.write_bytes(b"no plan")
    with town.register() as register:
        register.follow_with(lambda: None)
        register.objections.lodge([ANN], channel="letter")
    assert honour(town).deleted == 2
    assert at(model).checkpoint == 0


def test_damaged_files_are_told_of_and_no_acknowledgement_fails(
    town: Workspace, model: ModelFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (model.path / "people.keys").write_bytes(b"123")
    with town.register() as register:
        assert register.objections.lodge([ANN], channel="letter").reference
        with pytest.raises(CorpusError, match=r"people\.keys is damaged"):
            current(model.run, register, town.policy())
    assert "did not follow" in caplog.text
    assert "ann" not in caplog.text


def test_what_serves_costs_one_look_while_nothing_binds(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        before = model.run.pointer.stat().st_mtime_ns
        assert current(model.run, register, town.policy()) == at(model)
        assert model.run.pointer.stat().st_mtime_ns == before


@pytest.mark.law
def test_two_who_object_at_once_are_both_out(town: Workspace, model: ModelFolder) -> None:
    from threading import Thread  # noqa: PLC0415

    def lodging(register: Register, account: str) -> Callable[[], object]:
        return lambda: register.objections.lodge([account], channel="letter")

    with town.register() as register, town.register() as other:
        threads = [Thread(target=lodging(register, EWA)), Thread(target=lodging(other, SILENT))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert at(model).checkpoint == 1
    assert len(told(town)) in {1, 2}  # whoever looks after both were committed takes both out at once


def test_keys_are_found_by_place(model: ModelFolder, town: Workspace) -> None:
    from demur.runs.people import read_people  # noqa: PLC0415

    people, pepper = read_people(model), town.keys().pepper
    wanted = np.array([pepper.subject_key(EWA), 17, pepper.subject_key(ANN)], np.int64)
    assert people.first_step(wanted) == 3
    assert sorted(people.among(wanted)) == sorted([wanted[0], wanted[2]])
    assert people.first_step(np.array([17])) is None
