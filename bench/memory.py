"""What a memory beside the base is worth against training, and how long it takes to forget, on real IRC logs.

Run ``python bench/memory.py [SEEDS [TOKENS [LOGS]]]`` with the extra `train` installed; by default 3 seeds of 47,000
tokens. One base; then the same rows of the same people in demur's order, trained or remembered. Printed are the loss on
people who were never seen, also with a store of as many declared tokens, which is what any n-grams give; the time until
somebody is out of the store, and the processor's part of it; and whether what is left is what is built without them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

import _held_out as held_out
from _based import asked, based
from _held_out import Score, begun, opened, parted, score_of
from _irc_rows import Irc
from _replay_cost import ours
from demur.corpus.session import Session
from demur.runs.forgetting import opened as opened_store
from demur.runs.store import Store
from demur.training.filling import Plan
from demur.training.loop import train
from demur.training.mixing import distribution
from demur.training.model import looked_at
from demur.training.order import in_order
from demur.training.remembered import Remembered
from demur.training.remembering import Remembering
from demur.training.rows import Rows
from demur.training.run import Run
from demur.training.state import State

CONFIG: Final = held_out.CONFIG
FORGOTTEN: Final = 100
"""People for whom the time is taken, at most."""
REBUILT: Final = 3
"""People without whom the store is built from nothing."""


@dataclass(frozen=True)
class Remembers:
    """A store that was made, and what it costs people who are held out."""

    run: Run
    state: State
    plan: Plan
    score: Score
    ms: float
    """A scored token."""


def main() -> None:
    """Prints the figures."""
    if (given := asked()) is not None:
        show(*given)


def show(seeds: int, tokens: int, logs: int | None) -> None:
    """Print what is learned, and what forgetting takes, by seed.

    Args:
        seeds: how many.
        tokens: of the personal phase, at most.
        logs: how many are read; None for all.
    """
    with based(tokens, logs, replace(CONFIG, memory=True)) as made_of:
        session, run, folder, rest, own = made_of.session, made_of.run, made_of.folder, made_of.rest, made_of.own
        shares = run.config
        print(
            f"shares, fitted on declared data: n-grams {shares.ngram_share:.3f}, neighbours "
            f"{shares.nearest_share:.3f}, the base {1 - shares.ngram_share - shares.nearest_share:.3f}"
        )
        for seed in range(1, seeds + 1):
            key = bytes([180 + seed]) * 32
            kept, scored = parted(rest, key, tokens)
            before = score_of(opened(run, 0), scored)
            trained = _trained(session, f"trained{seed}", kept, scored, key)
            made = _remembered(session, f"memory{seed}", kept, scored, key)
            alike = own.take(np.flatnonzero(np.cumsum(own.rows.tokens) <= kept.rows.tokens.sum()))
            control = _remembered(session, f"control{seed}", alike, scored, key)
            print(
                f"seed {seed}: {len(kept.author):,} rows, {int(kept.rows.tokens.sum()):,} tokens of "
                f"{len(np.unique(kept.author)):,} people; {len(scored)} held out; base {before.mean:.4f}"
            )
            others = (("a store of as many declared tokens", control.score), ("memory", made.score))
            for name, score in (("trained", trained), *others):
                worse, low, high = score.against(before)
                print(f"  {name}: {score.mean:.4f}, against the base {worse:+.2f} % [{low:+.2f}, {high:+.2f}]")
            worse, low, high = made.score.against(control.score)
            print(f"  memory against that store: {worse:+.2f} % [{low:+.2f}, {high:+.2f}]")
            worse, low, high = made.score.against(trained)
            print(
                f"  memory against trained: {worse:+.2f} % [{low:+.2f}, {high:+.2f}]; {made.ms:.1f} ms a scored token"
            )
            _forgotten(made, folder / f"copy{seed}")


def _trained(session: Session, name: str, kept: Irc, scored: Sequence[Rows], key: bytes) -> Score:
    run, places = replace(begun(session, name, ["run:base"]), key=key), ours(kept, CONFIG, key)
    where = in_order(kept.rows.item, places, key)
    plan = Plan.filled(kept.rows.take(where), places[where], CONFIG.step_tokens)
    run.keep_plan(plan)
    return score_of(opened(run, train(run, from_step=0, plan=plan).saved.step), scored)


def _remembered(session: Session, name: str, kept: Irc, scored: Sequence[Rows], key: bytes) -> Remembers:
    run = Run.open(begun(session, name, ["run:base"], replace(CONFIG, memory=True)).model)
    run, places = replace(run, key=key), ours(kept, CONFIG, key)
    plan = Plan.filled(kept.rows, places, run.config.plan_tokens)
    state = opened(run, 0)
    Remembering(run, None, None)(state, plan, 0)
    remembered = Remembered(run.model, run.config, run.tokenizer.size)
    nats, tokens, began = [], [], time.perf_counter()
    for rows in scored:
        costs = [_nats(run, state, remembered, rows, row) for row in range(len(rows))]
        nats.append(sum(costs))
        tokens.append(int(np.maximum(rows.tokens - 1, 0).sum()))
    ms = 1000 * (time.perf_counter() - began) / sum(tokens)
    return Remembers(run, state, plan, Score(np.array(nats), np.array(tokens, float)), ms)


def _nats(run: Run, state: State, remembered: Remembered, rows: Rows, row: int) -> float:
    ids = rows.ids[rows.start[row] : rows.start[row] + rows.tokens[row]]
    logits, states = looked_at(state.model, ids, run.config)
    scores = remembered.scores(logits, states, [ids[: at + 1].tolist() for at in range(len(ids) - 1)])
    return float(-np.log(distribution(scores)[np.arange(len(ids) - 1), ids[1:]]).sum())


def _forgotten(made: Remembers, place: Path) -> None:
    """Print how long it takes to forget, and whether what is left is what would have been built."""
    with opened_store(made.run.model) as store:
        people = np.random.default_rng(1).permutation(store.people())[:FORGOTTEN]
        size = sum(path.stat().st_size for path in store.folder.iterdir())
        store.copied(place)
    tokens = int(made.plan.rows.tokens.sum())
    print(f"  the store has {size / tokens:,.0f} bytes a token")
    took, work, equal = [], [], 0
    with Store(place) as copy:
        for number, each in enumerate(people):
            began, busy = time.perf_counter(), time.process_time()
            copy.forget_people(np.array([each]))
            took.append(1000 * (time.perf_counter() - began))
            work.append(1000 * (time.process_time() - busy))
            if number < REBUILT:
                left = made.plan.without(people[: number + 1], made.run.config.plan_tokens)
                equal += copy.digest() == _built(made, left, f"rebuilt{number}")
    said = (
        f"median {np.median(each):.1f}, mean {np.mean(each):.1f}, 95 % {np.quantile(each, 0.95):.1f}"
        for each in (took, work)
    )
    print(f"  to forget one of {len(people)} people, ms on the disk: {next(said)}; of them the processor: {next(said)}")
    print(f"  digest equal to a store built without them: {equal} of {min(REBUILT, len(people))}", flush=True)


def _built(made: Remembers, plan: Plan, name: str) -> str:
    model = made.run.model.run.model(name)
    model.path.mkdir()
    Remembering(replace(made.run, model=model), None, None)(made.state, plan, 0)
    with opened_store(model) as store:
        return store.digest()


if __name__ == "__main__":
    main()
