"""What cohorts of people cost in what is learned, and what they save when somebody objects, on real IRC logs.

Run ``python bench/cohorts.py [SEEDS [TOKENS [LOGS]]]`` with the extra `train` installed; by default 3 seeds of 47,000
tokens. One base; then adapters on the rows of all (S = 1), and of S = 2, 4, 8 cohorts. Printed are the rows that are of
several cohorts and train none; for the merged adapters and the mean of probabilities the loss on people who were never
seen, the share of what S = 1 gains over the base, the AUC by which members are told from people held out by the loss
minus the base's, and the milliseconds a scored token; and which share of the personal phase an objection trains again.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

import _held_out as held_out
from _based import Based, asked, based
from _held_out import SCORED, Score, begun, opened, parted, score_of
from _irc_rows import Irc
from _replay_cost import Floats, ours
from demur.runs.people import people_of
from demur.training.audit.intervals import auc, mean
from demur.training.cohorts import dealt
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.loop import train
from demur.training.order import in_order
from demur.training.rows import Rows
from demur.training.run import Run
from demur.training.together import Ensemble, merged

COHORTS: Final = (1, 2, 4, 8)
CONFIG: Final = replace(held_out.CONFIG, adapters=8, rate=3e-3)
"""Of adapters; the rate is three times that of full weights, and was chosen by no trial."""


def main() -> None:
    """Prints the figures."""
    if (given := asked()) is None:
        return
    seeds, tokens, logs = given
    with based(tokens, logs) as made:
        for seed in range(1, seeds + 1):
            _show(made, seed, tokens)


def _show(made: Based, seed: int, tokens: int) -> None:
    """Print a seed."""
    key = bytes([210 + seed]) * 32
    kept, scored = parted(made.rest, key, tokens)
    members = _by_author(kept)
    base = opened(made.run, 0)
    before, of_members = score_of(base, scored), score_of(base, members)
    print(
        f"seed {seed}: {len(kept.author):,} rows, {int(kept.rows.tokens.sum()):,} tokens of "
        f"{len(np.unique(kept.author)):,} people; {len(scored)} held out; base {before.mean:.4f}"
    )
    whole: Score | None = None
    for number in COHORTS:
        config = replace(CONFIG, cohorts=number)
        runs, several, cost = _trained(made, f"s{seed}-{number}", kept, config, key)
        value, interval = mean(cost)
        said = "" if interval is None else " [{:.3f}, {:.3f}]".format(*interval)
        print(f"  S = {number}: {several:,} rows of several cohorts; one objection trains {value:.3f}{said} again")
        for name, network in _together(runs):
            state: Any = SimpleNamespace(config=CONFIG, model=network)
            began = time.perf_counter()
            score = score_of(state, scored)
            ms = 1000 * (time.perf_counter() - began) / score.tokens.sum()
            whole = score if whole is None else whole
            gain = (before.mean - score.mean) / (before.mean - whole.mean)
            worse, low, high = score.against(before)
            told, between = auc(_gains(of_members, score_of(state, members)), _gains(before, score))
            around = "" if between is None else " [{:.3f}, {:.3f}]".format(*between)
            print(
                f"    {name}: {score.mean:.4f}, against the base {worse:+.2f} % [{low:+.2f}, {high:+.2f}], "
                f"{gain:.0%} of the gain; AUC {told:.3f}{around}; {ms:.2f} ms a token",
                flush=True,
            )


def _trained(
    made: Based, name: str, kept: Irc, config: Config, key: bytes
) -> tuple[list[tuple[Run, int]], int, Floats]:
    """Each cohort's run with its last step; the rows of several; and for each person the share trained again."""
    runs, several, behind, total = [], 0, [], 0.0
    for cohort in range(1, config.cohorts + 1):
        own = replace(config, cohort=cohort)
        mine, several = dealt(kept.rows.people, own, key)
        run, theirs = replace(begun(made.session, f"{name}.c{cohort}", ["run:base"], own), key=key), kept.take(mine)
        places = ours(theirs, own, key)
        where = in_order(theirs.rows.item, places, key)
        plan = Plan.filled(theirs.rows.take(where), places[where], own.step_tokens)
        run.keep_plan(plan)
        runs.append((run, train(run, from_step=0, plan=plan).saved.step))
        before = np.concatenate([[0.0], np.cumsum(np.bincount(plan.step, plan.rows.tokens, plan.steps))])
        behind.append(before[-1] - before[people_of(plan.table()).steps])
        total += before[-1]
    return runs, several, np.concatenate(behind) / total


def _together(runs: Sequence[tuple[Run, int]]) -> Iterator[tuple[str, Any]]:
    """What answers, both ways; the second takes the networks of the first apart."""
    networks = [opened(run, step).model.eval() for run, step in runs]
    if len(networks) > 1:
        yield "ensemble", Ensemble(networks)
    yield "merged", merged(networks)


def _by_author(kept: Irc) -> list[Rows]:
    """The rows of some who are trained on, as many as are scored of those held out."""
    authors = np.random.default_rng(3).permutation(np.unique(kept.author))[:SCORED]
    return [kept.rows.take(np.flatnonzero(kept.author == each)) for each in authors]


def _gains(before: Score, after: Score) -> Floats:
    """What each person's tokens cost less than at the base."""
    return (before.nats - after.nats) / np.maximum(after.tokens, 1)


if __name__ == "__main__":
    main()
