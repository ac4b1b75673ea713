"""Whether the loop alone gives, from a checkpoint on, the bytes of a training from scratch: trial by trial.

Each trial takes out 1 to 8 people of a small community and rewrites rows of two others, trains on from the checkpoint
before the first step that differs, and trains from scratch; equal means SHA-256 over weights, both moments, average and
the log's chain. The first trials train from scratch in a fresh process. Register, corpus and certificate have no part
in it; _replay_exact.py has all of them.
"""

import pickle
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
import trainable
from planned import rewritten

from demur.corpus.session import reading
from demur.training import first
from demur.training.checkpoints import Saved
from demur.training.filling import Plan, first_difference
from demur.training.loop import train
from demur.training.run import Run

CONFIG = replace(
    trainable.TINY, width=64, inner=176, heads=4, vocabulary=512, context=64, step_tokens=512, micro_tokens=1024
)
PEOPLE = 60
THREADS = (1, 2)
FRESH = """
import pickle, sys
from pathlib import Path
from demur.runs.folder import find_run
from demur.training.loop import train
from demur.training.run import Run
models, name, number, plan = sys.argv[1:]
run = Run.open(find_run(Path(models), name).model(number))
print(train(run, from_step=0, plan=pickle.loads(Path(plan).read_bytes())).saved.to_bytes().decode())
"""


def objected(plan: Plan, drawn: random.Random) -> Plan:
    """The plan without 1 to 8 people, and with rewritten rows of two others."""
    gone = drawn.sample(plan.people().tolist(), drawn.randint(1, 8))
    left = plan.without(np.array(gone, np.int64), CONFIG.step_tokens)
    others = np.array(drawn.sample(left.people().tolist(), 2), np.int64)
    theirs = np.flatnonzero(left.rows.people.holding(others)).tolist()
    return rewritten(left, sorted(drawn.sample(theirs, min(3, len(theirs)))), CONFIG)


def trained(run: Run, start: int, plan: Plan) -> Saved:
    """What training on from a checkpoint gives, in a model of its own."""
    new = trainable.successor(run, up_to=start)
    try:
        return train(new, from_step=start, plan=plan).saved
    finally:
        shutil.rmtree(new.model.path)


def fresh(run: Run, plan: Plan, file: Path) -> Saved:
    """What training from scratch gives in a process of its own."""
    file.write_bytes(pickle.dumps(plan))
    new = trainable.successor(run, up_to=0)
    place = (str(run.model.run.models_path), run.model.run.name, new.model.number, str(file))
    said = subprocess.run([sys.executable, "-c", FRESH, *place], capture_output=True, check=True)
    shutil.rmtree(new.model.path)
    return Saved.of(said.stdout)


def show(trials: int, apart: int) -> None:
    """Print one line for each number of threads.

    Args:
        trials: of each.
        apart: so many of them train from scratch in a fresh process.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = trainable.Community(root)
        trainable.workspace(root / "w", list(trainable.posts(people=PEOPLE, most=150)))
        trainable.declared(root)
        for count in THREADS:
            with reading(made.workspace, trainable.LATER) as session:
                name, config = f"threads-{count}", replace(CONFIG, threads=count)
                run = first.begin(session, "v1", name=name, config=config, base=[made.base])
                whole = first.carry_out(session, run).outcome
            _told(run, made.plan(name), whole.saved, trials, apart, root / "plan")


def _told(run: Run, plan: Plan, whole: Saved, trials: int, apart: int, file: Path) -> None:
    """Do the trials, and say how many were equal."""
    found, starts = Counter[str](), []
    for trial in range(trials):
        new = objected(plan, random.Random(f"{run.config.threads} {trial}"))
        start = run.model.newest_clean(first_difference(plan, new))
        assert start is not None  # the base at least
        starts.append(start)
        replayed = trained(run, start, new)
        kind = "fresh process" if trial < apart else "same process"
        scratch = fresh(run, new, file) if trial < apart else trained(run, 0, new)
        found[f"{kind}, equal"] += replayed == scratch
        found[kind] += 1
        found["differs from the full run"] += replayed.weights != whole.weights
    parameters = sum(each.numel() for each in run.network().parameters())
    kinds = "  ".join(f"{kind}: {found[f'{kind}, equal']}/{found[kind]}" for kind in ("same process", "fresh process"))
    differing = f"{found['differs from the full run']}/{trials}"
    print(
        f"exactness  {run.config.threads} thread(s)  {parameters:,} parameters  {plan.steps} steps  {kinds}  differs "
        f"from the full run: {differing}  begun at step {np.mean(starts):.1f} on average",
        flush=True,
    )
