"""Which models held somebody's rows, and what was done: by the folders while they are there, else the register."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from modelling import trained
from town import ANN, DIETER, EWA, KARMENU, SILENT, found_town, town_policy

from demur.identity import SubjectKeys
from demur.rights.access import copy_of
from demur.runs.belonging import findings
from demur.runs.entries import note_destroyed, note_exported, note_trained
from demur.runs.facts import ModelState, read_facts, write_facts
from demur.runs.folder import ModelFolder
from demur.runs.holding import Done, HeldIn, held_in, replays_all
from demur.runs.listing import listed, trained_on
from demur.workspace import Workspace


@pytest.fixture
def town(tmp_path: Path) -> Workspace:
    return found_town(tmp_path / "town", town_policy())


@pytest.fixture
def model(town: Workspace) -> ModelFolder:
    pepper = town.keys().pepper
    return trained(town, [pepper.subject_key(account) for account in (KARMENU, SILENT, DIETER, ANN, EWA)])


def keys(town: Workspace, *accounts: str) -> SubjectKeys:
    return np.array([town.keys().pepper.subject_key(each) for each in accounts], np.int64)


def found(town: Workspace, account: str) -> list[HeldIn]:
    with town.register() as register:
        return held_in(town.models_path, register, keys(town, account))


def test_nobody_is_in_a_model_that_is_not_there(town: Workspace) -> None:
    assert found(town, ANN) == []


def test_from_training_over_the_objection_to_the_end(town: Workspace, model: ModelFolder) -> None:
    [held] = found(town, ANN)
    assert (held.run, held.model, held.version, held.done, held.exported) == ("irc", "0001", "v1", Done.HOLDS, False)
    assert found(town, "forum:stranger") == []
    with town.register() as register:
        register.objections.lodge([ANN], channel="letter")
    [rolled_back] = found(town, ANN)
    assert rolled_back.done is Done.ROLLED_BACK
    assert rolled_back.time > held.time
    assert [each.done for each in found(town, DIETER)] == [Done.HOLDS]
    with town.register() as register:
        note_exported(register, model, weights="00", to="a lab")
        note_destroyed(register, model, checkpoints=3, gone=keys(town, ANN))
    shutil.rmtree(model.path)
    [replayed] = found(town, ANN)
    assert (replayed.done, replayed.exported) == (Done.REPLAYED, True)
    assert found(town, DIETER) == []


def test_a_model_whose_people_cannot_be_read_may_hold_anybody(town: Workspace, model: ModelFolder) -> None:
    (model.path / "people.steps").write_bytes(b"\0")
    assert [each.done for each in found(town, "forum:stranger")] == [Done.HOLDS]


def test_a_model_of_another_program_holds_whom_its_version_holds(town: Workspace, model: ModelFolder) -> None:
    elsewhere = ModelFolder(model.run.__class__(model.run.models_path, "theirs"), "")
    with town.register() as register:
        assert replays_all(town.models_path, register)
        note_trained(register, elsewhere, {"version": "v1"})
        said = held_in(town.models_path, register, keys(town, DIETER), lambda version: version == "v1")
        assert [(each.run, each.done) for each in said] == [("irc", Done.HOLDS), ("theirs", Done.ELSEWHERE)]
        assert not replays_all(town.models_path, register)
        assert trained_on(register, "v1") == [("irc", "0001"), ("theirs", "")]
        assert [(each.run, each.state, each.waits) for each in listed(town.models_path, register)] == [
            ("irc", "finished", ""),
            ("theirs", "elsewhere", ""),
        ]


def test_a_run_of_a_trainer_of_ones_own_is_neither_replayed_nor_certified(town: Workspace, model: ModelFolder) -> None:
    model.run.config.unlink()
    model.run.pointer.unlink()
    assert [each.done for each in found(town, DIETER)] == [Done.ELSEWHERE]
    with town.register() as register:
        assert not replays_all(town.models_path, register)
        [run] = listed(town.models_path, register)
        assert (run.state, run.waits, run.to_do) == ("finished", "", "")
        assert list(findings(town.models_path, register, town.policy(), town.keys().signing.public_key())) == []
        write_facts(model, replace(read_facts(model), state=ModelState.RUNNING))
        [run] = listed(town.models_path, register)
        assert (run.state, run.waits, run.to_do) == ("cut off", "", "train it again by your own trainer")


def test_what_is_not_finished_is_told_by_whether_somebody_works_on_it(town: Workspace, model: ModelFolder) -> None:
    model.run.pointer.unlink()
    unfinished = replace(read_facts(model), state=ModelState.RUNNING)
    write_facts(model, unfinished)

    def told() -> tuple[str, str, str]:
        with town.register() as register:
            [run] = listed(town.models_path, register)
        return run.state, run.waits, run.to_do

    assert told() == ("cut off", "resume", "go on with `demur train v1 --run irc --resume`")
    with model.run.held("train"):
        assert told() == ("running", "", "")
    write_facts(model, replace(unfinished, stopped=7))
    assert read_facts(model).stopped == 7
    words = "train another run, with a lower `rate` or a longer `warmup`"
    assert told() == ("stopped at step 7: its loss was no number", "", words)


def test_a_replay_that_was_cut_off_waits_for_the_next(town: Workspace, model: ModelFolder) -> None:
    new = model.run.begin_model()
    write_facts(new, replace(read_facts(model), number=2, state=ModelState.RUNNING))
    with town.register() as register:
        [run] = listed(town.models_path, register)
        assert (run.model, run.state, run.waits, run.to_do) == ("0002", "cut off", "replay", "run `demur replay irc`")
        with model.run.held("replay irc"):
            [run] = listed(town.models_path, register)
        assert (run.state, run.to_do) == ("running", "")


def test_a_run_that_waits_is_listed_so_and_a_damaged_one_as_damaged(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.objections.lodge([ANN], channel="letter")
        [run] = listed(town.models_path, register)
        assert (run.serving, run.waits, run.to_do) == ("0001 at 3", "replay", "run `demur replay irc`")
        model.facts.write_bytes(b"{}")
        [run] = listed(town.models_path, register)
        assert (run.state, run.waits) == ("damaged", "")
        assert run.to_do == f"{model.facts} is damaged: put it back from your backup, or train the run again."


def test_the_copy_says_it_in_words(town: Workspace, model: ModelFolder, tmp_path: Path) -> None:
    copy = copy_of(town, DIETER, to=tmp_path / "copy.zip")
    with zipfile.ZipFile(copy.path) as archive:
        facts, page = json.loads(archive.read("copy.json")), archive.read("copy.html").decode()
    [held] = facts["models"]
    assert (held["run"], held["model"], held["done"]) == (model.run.name, "0001", "holds")
    assert "Das Modell irc/0001 wurde damit trainiert." in page
