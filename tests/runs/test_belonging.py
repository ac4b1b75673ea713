"""Models and register belong together, and `demur verify` says where a model is not what it says."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from calling import Demur
from modelling import trained
from town import ANN, DIETER, EWA, KARMENU, SILENT, found_town, town_policy

from demur.canonical import JSON
from demur.errors import RegisterError
from demur.runs.belonging import findings, read_signed
from demur.runs.entries import note_exported, note_trained
from demur.runs.facts import ModelState, read_facts, write_facts
from demur.runs.folder import ModelFolder
from demur.runs.pointer import read_pointer, write_pointer
from demur.suppression.signed import envelope
from demur.versions.publish import publish
from demur.workspace import Workspace

CERTIFIED: Final[dict[str, JSON]] = {"run": "irc", "model": "0001", "format": 1}


@pytest.fixture
def town(tmp_path: Path) -> Workspace:
    return found_town(tmp_path / "town", town_policy())


@pytest.fixture
def model(town: Workspace) -> ModelFolder:
    pepper = town.keys().pepper
    model = trained(town, [pepper.subject_key(account) for account in (KARMENU, SILENT, DIETER, ANN, EWA)])
    with town.register() as register:
        model.certificate.write_bytes(envelope(CERTIFIED, town.keys().signing))
        said = read_signed(model, town.keys().signing.public_key())
        note_trained(register, model, {"version": "v1", "certificate": said.digest})
    return model


def found(town: Workspace) -> list[str]:
    with town.register() as register:
        return list(findings(town.models_path, register, town.policy(), town.keys().signing.public_key()))


def test_what_belongs_together_is_opened_and_nothing_is_found(town: Workspace, model: ModelFolder) -> None:
    assert found(town) == []
    assert model.certificate.exists()


def test_a_model_that_the_register_does_not_know_is_refused_unless_it_is_under_way(
    town: Workspace, model: ModelFolder
) -> None:
    facts = {**CERTIFIED, "newer": True}
    model.certificate.write_bytes(envelope(facts, town.keys().signing))
    with pytest.raises(RegisterError, match=r"does not know the model irc/0001.*older"):
        town.register()
    write_facts(model, replace(read_facts(model), state=ModelState.RUNNING))
    town.register().close()


def test_what_is_wrong_with_a_model_is_told(town: Workspace, model: ModelFolder) -> None:
    with town.register() as register:
        register.objections.lodge([ANN], channel="letter")
    pointer = read_pointer(model.run)
    assert pointer is not None
    write_pointer(model.run, replace(pointer, checkpoint=6))
    (model.path / "people.steps").write_bytes((model.path / "people.steps").read_bytes()[::-1])
    model.certificate.write_bytes(model.certificate.read_bytes().replace(b"irc", b"abc"))
    said = found(town)
    assert any("was changed after it was signed" in each for each in said)
    assert any("are not those of its plan" in each for each in said)
    (model.path / "people.keys").unlink()
    assert any("people.keys can't be read" in each for each in found(town))


@pytest.mark.usefixtures("model")
def test_a_pointer_behind_the_register_is_found(town: Workspace) -> None:
    with town.register() as register:
        register.follow_with(lambda: None)
        register.objections.lodge([ANN], channel="letter")
        [said] = list(findings(town.models_path, register, town.policy(), town.keys().signing.public_key()))
    assert "has seen rows of people who may not be in it" in said


def test_recall_and_verify_know_of_models(town: Workspace, model: ModelFolder, demur: Demur, tmp_path: Path) -> None:
    publish(town, "v1")
    with town.register() as register:
        note_exported(register, model, weights="ab", to="lab")
        register.objections.lodge([ANN], channel="letter")
    where = ["-w", str(town.root)]
    told = demur("recall", "v1", "--to", tmp_path / "list.csv", *where)
    assert "run irc, 7 checkpoints in 0001: run `demur replay irc`" in told.out
    assert "weights that left: lab (ab)" in told.out
    assert demur("verify", "v1", *where).code == 0
    assert "0001 at 3" in demur("runs", *where).out
    assert "replay irc, in which somebody objected" in demur("status", *where).out
    assert demur("erase", "--account", DIETER, "--yes", "--json", *where).json["to_replay"] == ["irc"]
    publish(town, "v2")
    model.certificate.write_bytes(b"{}")
    told = demur("verify", "v2", *where)
    assert told.code == 1
    assert "about models" in told.out
