"""The card of a run: its form, what it says of each group of people, and what it never says."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from calling import Demur
from modelling import trained
from town import ANN, DIETER, EWA, KARMENU, SILENT, found_town, town_policy

from demur.corpus.session import reading
from demur.runs.entries import note_exported
from demur.runs.facts import Base
from demur.runs.folder import ModelFolder
from demur.training.audit.figure import Figure, Finding, NotRun
from demur.versions.manifest import read
from demur.versions.model_card import model_card
from demur.versions.modelled import Audited, Certified, Modelled, modelled
from demur.versions.publish import publish
from demur.workspace import Workspace

HERE: Final = Path(__file__).parent
GOLDEN: Final = HERE / "golden-model-card.md"
WHEN: Final = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture
def town(tmp_path: Path) -> Workspace:
    made = found_town(tmp_path / "town", town_policy())
    publish(made, "v1")
    return made


@pytest.fixture
def model(town: Workspace) -> ModelFolder:
    pepper = town.keys().pepper
    return trained(town, [pepper.subject_key(account) for account in (KARMENU, SILENT, DIETER, ANN, EWA)])


def known() -> Modelled:
    """A run that was replayed, trained again elsewhere, and audited."""
    return Modelled(
        run="helper",
        model="0003",
        trained=WHEN,
        manifest=None,
        version="v1",
        base=Base("fresh", None, "ab" * 32, ({"name": "House rules", "sha256": "cd" * 32},)),
        config={"layers": 2},
        at_publishing=214,
        at_training=9,
        since=0,
        certified=[
            Certified("0001", "training", WHEN, "11" * 32, 0, destroyed=True),
            Certified("0002", "replay", WHEN, "22" * 32, 12, destroyed=True),
            Certified("0003", "retraining", WHEN, "", 3, destroyed=False),
        ],
        waiting=2,
        serves="an earlier state of it",
        left=1,
        audited=[
            Audited("loss", "auc", "0.612", "AUC", "120 persons", "0.551 to 0.668", ""),
            Audited("names", "hits", "", "share", "4 prompts", "", "too few | to say"),
        ],
        not_run=[("inversion", "there is no encoder")],
    )


def told(workspace: Workspace) -> Modelled:
    with reading(workspace, rows=False) as session:
        return modelled(session, "irc")


def test_the_form() -> None:
    assert model_card(known()) == GOLDEN.read_text("utf-8")


def test_it_says_apart_what_was_filtered_rolled_back_replayed_and_retrained() -> None:
    text = model_card(known())
    for words in ("| filtered: never in the version", "| replayed: not in model `0002` | 12 |", "| rolled back only:"):
        assert words in text
    assert "| retrained: not in model `0003` | fewer than 10 |" in text
    assert "compliant" not in text
    assert "anonymous" in text, "as what no certificate shows"


def test_with_its_version_it_counts_kinds_and_languages_and_few_are_hidden(town: Workspace, model: ModelFolder) -> None:
    found = told(town)
    assert found.manifest is not None
    assert (found.model, found.version, found.serves) == (model.number, "v1", "all of it")
    text = model_card(found)
    content = found.manifest.content
    assert f"{content.rows:,} items" in text
    many = replace(content, kinds={"post": 120, "comment": 15, "review": 4}, languages={"de": 139}, rows=139)
    card = model_card(replace(found, manifest=replace(found.manifest, content=many)))
    assert "| post | 120 |" in card
    assert "| comment | fewer than 10 |" in card, "with the total it would tell the four"
    assert "| review | fewer than 10 |" in card
    assert "| de | 139 |" in card


def test_it_names_nobody(town: Workspace, model: ModelFolder) -> None:
    pepper = town.keys().pepper
    with town.register() as register:
        receipt = register.objections.lodge([ANN], channel="letter")
        note_exported(register, model, weights="00", to="a lab in Ghent")
    text = model_card(told(town))
    for account in (KARMENU, SILENT, DIETER, ANN, EWA):
        key = pepper.subject_key(account)
        assert account.partition(":")[2] not in text
        assert str(key) not in text
        assert f"{key:016x}" not in text
    assert receipt.reference not in text
    assert "Ghent" not in text
    assert "weights of it were handed out: 1." in text


@pytest.mark.usefixtures("model")
def test_an_objection_after_the_training_is_rolled_back_only(town: Workspace) -> None:
    assert told(town).waiting == 0
    with town.register() as register:
        register.objections.lodge([KARMENU], channel="letter")
    found = told(town)
    assert found.waiting == 1
    assert found.serves == "an earlier state of it"
    assert "| rolled back only:" in model_card(found)


def test_the_figures_of_an_audit_are_read_as_they_are(town: Workspace, model: ModelFolder) -> None:
    figure = Figure("auc", 0.6125, "AUC", 120, "persons", (0.55, 0.67))
    finding = Finding("loss", "Is somebody in it?", "membership inference", "probabilities", [figure])
    audit = {"findings": [finding.json()], "not_run": [NotRun("inversion", "no encoder").json()]}
    (model.path / "audit.json").write_text(json.dumps(audit))
    text = model_card(told(town))
    assert "| loss | auc | 0.613 | AUC | 120 persons | 0.550 to 0.670 |" in text or "| loss | auc | 0.612 |" in text
    assert "- inversion: no encoder" in text


@pytest.mark.parametrize(
    "audit",
    ["", "[]", "{", '{"findings": 3}', '{"findings": [3, {"figures": [{"name": null, "interval": ["x", {}]}]}]}'],
)
def test_an_audit_of_another_form_is_no_error(town: Workspace, model: ModelFolder, audit: str) -> None:
    (model.path / "audit.json").write_text(audit)
    assert model_card(told(town))


@pytest.mark.usefixtures("model")
def test_the_command_writes_it_and_says_what_is_wrong(town: Workspace, demur: Demur, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    ended = demur("card", "irc", "--to", path, "-w", town.root)
    assert ended.code == 0
    printed = demur("card", "irc", "-w", town.root).out
    assert path.read_text("utf-8").strip() == printed.strip()
    assert printed.startswith("---\n")
    assert json.loads(demur("card", "irc", "--json", "-w", town.root).out)["run"] == "irc"
    ended = demur("card", "irk", "-w", town.root)
    assert (ended.code, "irc" in ended.err) == (2, True)


@pytest.mark.usefixtures("model")
def test_the_manifest_is_that_of_its_version(town: Workspace) -> None:
    manifest = read(town.versions_path / "v1.json", town.keys().signing.public_key())
    assert told(town).manifest == manifest
    (town.versions_path / "v1.json").unlink()
    assert "is not known here" in model_card(told(town))
