"""What noise for each person is worth, and what it costs in what is learned, on real IRC logs.

Run ``python bench/private.py [SEEDS [TOKENS [LOGS]]]`` with the extra `train` installed; by default 3 seeds of 47,000
tokens. Printed are epsilon of a person for 1, 10 and 100 releases (a training, or a replay that takes their step
again), and the loss on people who were never trained on, against the same rows in demur's order without noise. Rows
that name somebody else are left out of both, as noise wants them left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

import _held_out as held_out
from _based import asked, based
from _held_out import Score, begun, opened, parted, score_of
from _irc_rows import Irc
from _replay_cost import ours
from demur.corpus.session import Session
from demur.training import fixed
from demur.training.config import Config
from demur.training.epsilon import epsilon
from demur.training.filling import Plan
from demur.training.fixed import Units
from demur.training.loop import train
from demur.training.order import in_order
from demur.training.private import Noise, Private
from demur.training.rows import Rows

NOISES: Final = (0.5, 1.0, 2.0)
RELEASES: Final = (1, 10, 100)
CONFIG: Final = replace(held_out.CONFIG, fixed_steps=40, person_tokens=2048)


def main() -> None:
    """Prints the figures."""
    if (given := asked()) is None:
        return
    for noise in NOISES:
        worth = ", ".join(f"{epsilon(noise, CONFIG.delta, each):.3g} for {each}" for each in RELEASES)
        print(f"noise {noise:g}: epsilon of a person at delta {CONFIG.delta:g}, by releases: {worth}")
    show(*given)


def show(seeds: int, tokens: int, logs: int | None) -> None:
    """Print the loss with each noise, and without, by seed.

    Args:
        seeds: how many.
        tokens: of the personal phase, at most.
        logs: how many are read; None for all.
    """
    with based(tokens, logs) as made:
        session, run, rest = made.session, made.run, made.rest
        rest = rest.take(np.flatnonzero(rest.rows.people.sizes == 1))
        for seed in range(1, seeds + 1):
            key = bytes([150 + seed]) * 32
            kept, scored = parted(rest, key, tokens)
            before = score_of(opened(run, 0), scored)
            plain = _plain(session, f"plain{seed}", kept, scored, key)
            print(
                f"seed {seed}: {len(kept.author):,} rows, {int(kept.rows.tokens.sum()):,} tokens of "
                f"{len(np.unique(kept.author)):,} people; {len(scored)} held out; base {before.mean:.4f}; without "
                f"noise {plain.mean:.4f}"
            )
            for noise in NOISES:
                found = _noisy(session, f"noise{seed}-{noise:g}", kept, scored, (key, noise))
                worse, low, high = found.against(plain)
                print(f"  noise {noise:g}: {found.mean:.4f}, {worse:+.2f} % [{low:+.2f}, {high:+.2f}]", flush=True)


def _plain(session: Session, name: str, kept: Irc, scored: Sequence[Rows], key: bytes) -> Score:
    run, places = replace(begun(session, name, ["run:base"]), key=key), ours(kept, held_out.CONFIG, key)
    where = in_order(kept.rows.item, places, key)
    plan = Plan.filled(kept.rows.take(where), places[where], CONFIG.step_tokens)
    run.keep_plan(plan)
    return score_of(opened(run, train(run, from_step=0, plan=plan).saved.step), scored)


def _noisy(session: Session, name: str, kept: Irc, scored: Sequence[Rows], drawn: tuple[bytes, float]) -> Score:
    (key, noise), rows = drawn, kept.rows
    config: Config = replace(CONFIG, noise=noise)
    run = replace(begun(session, name, ["run:base"], config), key=key)
    rows = rows.take(fixed.counting(rows, rows.people.flat, config, key))
    places = fixed.steps_of(rows.people.flat, config, key)
    where = in_order(rows.item, places, key)
    plan = Plan.filled(rows.take(where), places[where], config.step_tokens, fixed=config.fixed_steps)
    run.keep_plan(plan)
    private = Private(Units(plan.people(), plan.people()), Noise.fresh())
    return score_of(opened(run, train(run, from_step=0, plan=plan, private=private).saved.step), scored)


if __name__ == "__main__":
    main()
