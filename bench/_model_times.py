"""What following costs in time: from an objection to the pointer that moved, and a step beside a plain loop's."""

import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

import _held_out as held_out
import _irc_rows as irc_rows
import _measure as measure
from _irc_rows import NOW, OPTIONS, VERSION
from _replay_cost import Floats
from demur.corpus.session import Session, reading
from demur.runs.facts import ModelState, write_facts
from demur.runs.following import put_in_service
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer, write_pointer
from demur.sources import load_source
from demur.training import first
from demur.training.base import Chosen, lay_base
from demur.training.checkpoints import Checkpoints
from demur.training.config import Config
from demur.training.environment import load
from demur.training.filling import Plan
from demur.training.loop import NOTHING, microbatches, train
from demur.training.plan import plan_of
from demur.training.run import Run
from demur.training.spacing import checkpoint_steps
from demur.training.state import State

OBJECTIONS: Final = 100
PAIRS: Final = 7
STEPS: Final = 12
_LETTER: Final = "letter"


def show_objecting(logs: int | None) -> None:
    """Print the seconds from lodging an objection to its receipt, the pointer of a run having moved.

    The run has the plan, the people and the checkpoints of the logs; its weights are the base's, as nothing reads them.
    """
    with irc_rows.imported(logs=logs) as workspace, measure.scratch() as folder:
        with reading(workspace, NOW) as session:
            run, plan = _standing(session, folder)
            put_in_service(run.model, session.register, session.policy, now=NOW)
        accounts, drawn = _accounts(logs), np.random.default_rng(1)
        seconds, moved = [], 0
        with workspace.register() as register:
            there = set(read_people(run.model).keys.tolist())
            known = [each for each in accounts if register.pepper.subject_key(each) in there]
            for account in drawn.permutation(known)[:OBJECTIONS]:
                began = time.perf_counter()
                register.objections.lodge([str(account)], channel=_LETTER, now=NOW + timedelta(hours=1))
                seconds.append(time.perf_counter() - began)
                pointer = read_pointer(run.model.run)
                assert pointer is not None
                moved += pointer.checkpoint < plan.steps
                write_pointer(run.model.run, replace(pointer, checkpoint=plan.steps))
    half, most, longest = np.quantile(seconds, (0.5, 0.95, 1.0))
    print(
        f"objection to pointer moved, {len(plan):,} rows, {len(there):,} people in the plan: median {half:.3f} s, "
        f"95 % within {most:.3f} s, slowest {longest:.3f} s; {moved} of {len(seconds)} moved it"
    )


def show_overhead() -> None:
    """Print the processor time of a step of demur's loop over that of a plain loop on the same rows."""
    with irc_rows.imported(logs=2) as workspace, reading(workspace, NOW) as session, measure.scratch() as folder:
        run, plan = _standing(session, folder, replace(held_out.CONFIG, step_tokens=1024, micro_tokens=2048))
        plan = plan.until(STEPS)
        ratios = []
        for _ in range(PAIRS):
            ours, plain = _ours(run, plan), _plain(run, plan)
            ratios.append(float(ours.sum() / plain.sum()))
        print(
            f"processor time over a plain loop, {STEPS - 1} steps, {PAIRS} pairs: median {np.median(ratios):.3f} "
            f"[{min(ratios):.3f}, {max(ratios):.3f}]"
        )


def _standing(session: Session, folder: Path, config: Config = held_out.CONFIG) -> tuple[Run, Plan]:
    """A finished run with the plan of everything, and checkpoints that hold its base."""
    base = folder / "base.jsonl"
    base.write_text('{"text": "The harbour opens at six, and the tea is hot."}\n' * 60)
    base.with_name("base.jsonl.declared.toml").write_text(
        'name = "A sentence"\nnobody_may_object = true\ndeclared_by = "a bench"\nsource = "a bench"\n'
        'licence = "as demur"\n'
    )
    run = first.begin(session, VERSION, name="standing", config=config, base=[str(base)])
    lay_base(run, Chosen.read([str(base)], run.model.run.models_path), run.facts())
    plan = plan_of(session, VERSION, run)
    run.keep_plan(plan)
    state, checkpoints = State.of(run.network(), config), Checkpoints(run.model)
    chain = checkpoints.load(0, state).chain
    for step in (*checkpoint_steps(plan, config.hazard, 32), plan.steps):
        checkpoints.save(step, state, tokens=0, chain=chain)
    write_facts(run.model, replace(run.facts(), state=ModelState.FINISHED))
    return run, plan


def _accounts(logs: int | None) -> list[str]:
    """Everybody who speaks."""
    read = (batch.column("author").to_pylist() for batch in load_source("irc").read(irc_rows.paths(logs), OPTIONS))
    return sorted({str(each) for authors in read for each in authors})


def _ours(run: Run, plan: Plan) -> Floats:
    """Processor seconds of each step but the first, in demur's loop, log and average included."""
    for step in run.model.steps():
        if step:
            shutil.rmtree(run.model.checkpoint(step))
    ticks: list[float] = []
    train(run, from_step=0, plan=plan, report=lambda *_: ticks.append(time.process_time()))
    return np.diff(ticks)


def _plain(run: Run, plan: Plan) -> Floats:
    """The same of a loop as one writes it: forward, backward, clip, AdamW."""
    config = run.config
    torch, model = load(config), run.network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.rate, betas=(config.beta1, config.beta2))
    ticks: list[float] = []
    for step in range(plan.steps):
        where = plan.of_step(step)
        optimizer.zero_grad(set_to_none=True)
        for ids, targets in microbatches(
            [plan.ids(row) for row in range(where.start, where.stop)], config.micro_tokens
        ):
            logits = model(input_ids=torch.from_numpy(ids), use_cache=False).logits
            wanted = torch.from_numpy(targets).reshape(-1)
            flat = logits.reshape(-1, logits.shape[-1])
            loss = torch.nn.functional.cross_entropy(flat, wanted, ignore_index=NOTHING, reduction="sum")
            (loss / config.step_tokens).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        optimizer.step()
        ticks.append(time.process_time())
    return np.diff(ticks)
