"""Runs side by side: who is scored, what each number is over, and that nothing is changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
import trainable
from calling import Demur
from trainable import LATER, TINY, Community

from demur.corpus.session import reading
from demur.errors import UsageError
from demur.runs.folder import find_run
from demur.runs.people import read_people
from demur.training import comparing, first
from demur.training.audit.figure import Figure
from demur.training.comparing import Comparison
from demur.training.config import Config
from demur.training.order import held_out

torch.set_num_threads(1)
WEIGHTS: Final = replace(TINY, layers=1, held=0.5, step_tokens=96)
MEMORY: Final = replace(WEIGHTS, memory=True, neighbours=4)
NOISE: Final = replace(WEIGHTS, noise=1.0, fixed_steps=3)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A community with three runs on one base: `one` trained, `mem` remembers, `quiet` was trained with noise."""
    made = trainable.community(tmp_path_factory.mktemp("several"), WEIGHTS)
    shares = {"ngram_share": 0.4, "nearest_share": 0.2, "nearest_scale": 5.0}
    for name, config in (("mem", replace(MEMORY, **shares)), ("quiet", NOISE)):  # type: ignore[arg-type]
        run(made, name, config, like="one")
    return made


def run(town: Community, name: str, config: Config, *, like: str | None = None) -> None:
    with reading(town.workspace, LATER) as session:
        first.carry_out(session, first.begin(session, "v1", name=name, config=config, base=["run:one"], like=like))


def compared(town: Community, *names: str) -> Comparison:
    with reading(town.workspace) as session:
        return comparing.compare(session, names)


def figure(found: Comparison, name: str, which: str) -> Figure:
    side = next(each for each in found.sides if each.run == name)
    return next(each for each in side.figures if each.name.startswith(which))


def files(town: Community) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((town.root / "w" / "models").rglob("*")) if path.is_file()}


def test_each_side_says_what_it_learned_what_forgetting_costs_and_how_fast_it_is(several: Community) -> None:
    before = files(several)
    found = compared(several, "one", "mem", "quiet")
    assert [side.kind for side in found.sides] == ["weights", "a store beside the base", "weights, noise 1"]
    for side in found.sides:
        loss = figure(found, side.run, "held-out loss")
        assert loss.value is not None
        assert loss.n == figure(found, "one", "held-out loss").n > 5
        assert figure(found, side.run, "generation").n >= 32
        assert all(each.unit and (each.value is None or each.n) for each in side.figures)
    assert figure(found, "one", "forgetting").unit == "share of the personal phase"
    assert figure(found, "mem", "forgetting").unit == "ms"
    assert figure(found, "quiet", "noise").value == pytest.approx(4.89, abs=0.01)
    assert figure(found, "mem", "held-out loss, against one").unit == "%"
    assert any("holds the rows themselves" in note for note in found.notes)
    assert files(several) == before


def test_the_cost_of_a_replay_is_what_lies_behind_the_checkpoint_before_a_person(several: Community) -> None:
    model = several.run().model
    plan, people = several.run().plan(), read_people(model)
    shares = []
    for step in people.steps:
        begun = model.newest_clean(int(step))
        assert begun is not None
        shares.append(plan.rows.tokens[plan.step >= begun].sum() / plan.rows.tokens.sum())
    found = figure(compared(several, "one"), "one", "forgetting")
    assert found.value == pytest.approx(np.mean(shares))
    assert found.n == len(people.keys)


def test_only_who_is_held_out_by_all_is_scored(several: Community, tmp_path: Path) -> None:
    own = several.copied(tmp_path / "own")
    run(own, "other", WEIGHTS)
    together, alone = compared(own, "one", "other"), compared(own, "one")
    assert figure(together, "one", "held-out loss").n < figure(alone, "one", "held-out loss").n
    keys = read_people(find_run(own.workspace.models_path, "one").model("0001")).keys
    assert not held_out(np.asarray(keys), WEIGHTS.held, own.run().key).any()


def test_nobody_is_held_out(several: Community, tmp_path: Path) -> None:
    own = several.copied(tmp_path / "own")
    run(own, "all", replace(WEIGHTS, held=0.0))
    loss = figure(compared(own, "all"), "all", "held-out loss")
    assert (loss.value, loss.n) == (None, 0)
    assert "--held-as" in loss.note


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        (None, [None]),
        ("no JSON", [None]),
        ({"findings": "none"}, []),
        ({"findings": [{"attack": "loss"}, {"attack": "x", "figures": [{"unit": "AUC"}]}]}, []),
        (
            {
                "findings": [
                    {
                        "attack": "loss",
                        "figures": [
                            {"name": "auc", "value": "0.7", "unit": "AUC", "n": 40, "of": "persons", "interval": None},
                            {"name": "tpr", "value": "0.1", "unit": "share", "n": 40, "of": "persons"},
                        ],
                    }
                ]
            },
            [0.7],
        ),
    ],
)
def test_an_audit_is_read_as_far_as_it_can_be(several: Community, tmp_path: Path, audit: Any, said: list[Any]) -> None:  # noqa: ANN401  # of a file
    own = several.copied(tmp_path / "own")
    if audit is not None:
        (own.run().model.path / "audit.json").write_text(audit if isinstance(audit, str) else json.dumps(audit))
    found = compared(own, "one").sides[0].figures
    assert [each.value for each in found if each.name.startswith("leakage")] == said


def test_a_run_that_waits_for_a_replay_is_compared_as_it_serves(several: Community, tmp_path: Path) -> None:
    own = several.copied(tmp_path / "own")
    people = set(read_people(own.run("mem").model).keys.tolist())
    with own.workspace.register() as register:
        numbers = range(trainable.PEOPLE)
        who = next(each for each in numbers if register.pepper.subject_key(trainable.account(each)) in people)
        register.objections.lodge([trainable.account(who)], channel="letter")
    found = compared(own, "mem")
    assert found.sides[0].serves == "0001 at 0"
    assert any("waits for a replay" in note for note in found.notes)


def test_runs_of_several_versions(several: Community, tmp_path: Path) -> None:
    own = several.copied(tmp_path / "own")
    path = own.run("mem").model.facts
    path.write_bytes(path.read_bytes().replace(b'"version":"v1"', b'"version":"v2"'))
    with pytest.raises(UsageError, match="several versions"):
        compared(own, "one", "mem")


def test_the_command(several: Community, demur: Demur, tmp_path: Path) -> None:
    own = tmp_path / "w"
    shutil.copytree(several.root / "w", own)
    said = demur("compare", "one", "mem", "-w", str(own))
    assert said.code == 0
    assert "share of the personal phase" in said.out
    told = demur("compare", "one", "mem", "-w", str(own), "--json").json
    assert [each["run"] for each in told["runs"]] == ["one", "mem"]
    assert demur("compare", "nobody", "-w", str(own)).code == 2
    arguments = ("--run", "like", "--base", "run:one", "--held-as", "nobody", "-w", str(own))
    assert demur("train", "v1", *arguments).code == 2
