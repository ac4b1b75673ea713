"""Models that follow objections: the figures of docs/models.md, on real IRC logs.

Run ``python bench/models.py WHAT [NUMBER ...]`` with the extra `train` installed:

- ``cost [DECLARED]``: what a replay costs, from the layout alone, where so many percent of the people are declared, by
  default 20; about two minutes of a quiet core.
- ``exact [TRIALS [FIRST]]``: whether replay and training from scratch give the same bytes; by default 200 trials, about
  three seconds of a core each, by their numbers from FIRST on.
- ``exact-loop [TRIALS [FRESH]]``: the same at the loop alone, on an invented community, 1 and 2 threads; by default 20
  trials of each, 2 of them in fresh processes.
- ``held-out [SEEDS [TOKENS [LOGS]]]``: what the order costs in what is learned; by default 5 seeds of 47,000 tokens.
- ``objecting [LOGS]``: the seconds from an objection to the pointer that moved; by default all logs.
- ``overhead``: the processor time of a step over that of a plain loop.

What a loader costs is ``bench/loading.py``.
"""

import importlib.util
import sys
from typing import Final

import _held_out as held_out
import _irc_rows as irc_rows
import _loop_exact as loop_exact
import _measure as measure
import _model_times as times
import _replay_cost as cost
import _replay_exact as exact
from _irc_rows import NOW
from demur.corpus.session import reading
from demur.training.config import Config

DECLARED: Final = 20
"""Percent of people whose words the tokenizer is fitted on, for the figures of cost."""
CAP: Final = 4000
"""Tokens a person at most, as the spike had it; demur has no cap."""
KEYS: Final = 3
TRIALS: Final = 200
LOOPS, FRESH = 20, 2
SEEDS, TOKENS = 5, 47_000


def main() -> None:
    """Prints the figures."""
    if not importlib.util.find_spec("torch"):
        print("models.py needs demur[train]: pip install 'demur[train]'.")
        return
    what, *numbers = sys.argv[1:] or ["cost"]
    given = [int(each) for each in numbers]
    match what:
        case "cost":
            show_cost((given or [DECLARED])[0])
        case "exact":
            exact.show(*(given or [TRIALS]))
        case "exact-loop":
            loop_exact.show(*(*given[:2], *(LOOPS, FRESH)[len(given) :]))
        case "held-out":
            seeds, tokens = (*given[:2], *(SEEDS, TOKENS)[len(given) :])
            held_out.show(seeds, tokens, given[2] if len(given) > 2 else None)
        case "objecting":
            times.show_objecting(given[0] if given else None)
        case "overhead":
            times.show_overhead()
        case _:
            sys.exit(__doc__)


def show_cost(declared_percent: int) -> None:
    """Print what a replay costs, without a cap and with the spike's."""
    config = Config(vocabulary=irc_rows.VOCABULARY)
    with irc_rows.imported() as workspace, reading(workspace, NOW) as session, measure.scratch() as folder:
        persons, declared = irc_rows.declared_of(session, declared_percent / 100)
        tokenizer = irc_rows.tokenizer_of(session, persons[declared], folder / "tokenizer", config.context)
        irc = irc_rows.read(session, tokenizer).of(~declared, persons)
    keys = [bytes([number]) * 32 for number in range(1, KEYS + 1)]
    for most in (None, CAP):
        print(f"\n{'no cap' if most is None else f'at most {most:,} tokens a person'}")
        cost.show(irc if most is None else irc_rows.capped(irc, most), config, keys)


if __name__ == "__main__":
    main()
