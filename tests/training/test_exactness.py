"""Training from a checkpoint equals training from scratch, byte for byte: weights, moments, average and log."""

import json
import pickle
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import trainable
from planned import rewritten
from trainable import Community

from demur.corpus.session import reading
from demur.training import first
from demur.training.checkpoints import Checkpoints, Saved
from demur.training.filling import Plan, first_difference
from demur.training.loop import train
from demur.training.run import Run

TRIALS: Final = 8
FRESH: Final = """
import json, pickle, sys
from pathlib import Path
from demur.runs.folder import find_run
from demur.training.loop import train
from demur.training.run import Run
models, number, plan = sys.argv[1:]
run = Run.open(find_run(Path(models), "one").model(number))
print(train(run, from_step=0, plan=pickle.loads(Path(plan).read_bytes())).saved.to_bytes().decode())
"""


def objected(plan: Plan, drawn: random.Random, step_tokens: int) -> Plan:
    """The plan without 1 to 8 people, and with rewritten rows of two others."""
    everybody = plan.people().tolist()
    gone = drawn.sample(everybody, drawn.randint(1, 8))
    left = plan.without(np.array(gone, np.int64), step_tokens)
    others = drawn.sample(left.people().tolist(), min(2, len(left.people())))
    theirs = np.flatnonzero(left.rows.people.holding(np.array(others, np.int64)))
    return rewritten(left, sorted(drawn.sample(theirs.tolist(), min(2, len(theirs)))), trainable.TINY)


def replayed(run: Run, old: Plan, new: Plan) -> tuple[Saved, int]:
    """What a replay of a run gives, and the checkpoint it began from."""
    difference = first_difference(old, new)
    start = run.model.newest_clean(difference)
    assert start is not None
    return train(trainable.successor(run, up_to=start), from_step=start, plan=new).saved, start


def scratch(run: Run, plan: Plan) -> Saved:
    return train(trainable.successor(run, up_to=0), from_step=0, plan=plan).saved


def test_replay_equals_from_scratch(own: Community) -> None:
    run, plan = own.run(), own.plan()
    full, starts = Checkpoints(run.model).saved(plan.steps), []
    for trial in range(TRIALS):
        new = objected(plan, random.Random(trial), run.config.step_tokens)
        found, start = replayed(run, plan, new)
        starts.append(start)
        assert found == scratch(run, new)
        assert found.weights != full.weights
        assert found.chain != full.chain
    assert max(starts) > 0


def test_the_whole_training_equals_itself_in_a_fresh_process(own: Community, tmp_path: Path) -> None:
    run, plan = own.run(), own.plan()
    new = objected(plan, random.Random(77), run.config.step_tokens)
    found, _ = replayed(run, plan, new)
    empty = trainable.successor(run, up_to=0)
    (tmp_path / "plan").write_bytes(pickle.dumps(new))
    arguments = (str(own.workspace.models_path), empty.model.number, str(tmp_path / "plan"))
    said = subprocess.run([sys.executable, "-c", FRESH, *arguments], capture_output=True, text=True, check=True)
    assert Saved.of(said.stdout.encode()) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"threads": 2},
        {"passes": 2, "clip": 0.0, "decay": 0.1},
        {"dropout": 0.2, "keyed_dropout": True},
        {"adapters": 2},
        {"attention": "sdpa", "micro_tokens": 64},
        {"canaries": 9},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_replay_equals_from_scratch_whatever_is_chosen(own: Community, changes: dict[str, object]) -> None:
    config = replace(trainable.TINY, **changes)  # type: ignore[arg-type]  # fields of its own
    with reading(own.workspace, trainable.LATER) as session:
        run = first.begin(session, "v1", name="other", config=config, base=["run:one"])
        whole = first.carry_out(session, run).outcome
    plan = own.plan("other")
    assert plan.digest() == whole.plan.digest()
    assert scratch(run, plan) == whole.saved
    new = objected(plan, random.Random(3), config.step_tokens)
    found, _ = replayed(run, plan, new)
    assert found == scratch(run, new)
    assert found != whole.saved


def test_the_base_is_what_is_left_where_everybody_leaves(own: Community) -> None:
    run, plan = own.run(), own.plan()
    nobody = plan.without(plan.people(), run.config.step_tokens)
    assert nobody.steps == 0
    found, start = replayed(run, plan, nobody)
    assert (found, start) == (Checkpoints(run.model).saved(0), 0)
    assert json.loads((run.model.run.base).read_bytes())["weights"] == found.weights
