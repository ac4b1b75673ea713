"""What benchmarks share that put something beside a base: real IRC logs, a base of declared people, and the rest."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import _held_out as held_out
import _irc_rows as irc_rows
import _measure as measure
from _held_out import begun
from _irc_rows import NOW, Irc
from demur.corpus.session import Session, reading
from demur.training.config import Config
from demur.training.run import Run

SEEDS, TOKENS = 3, 47_000


@dataclass(frozen=True)
class Based:
    """A base, and whose rows are there."""

    session: Session
    folder: Path
    """For whatever is made; it is gone afterwards."""
    run: Run
    """Called `base`; it stands at its base."""
    rest: Irc
    """Of people who are not declared."""
    own: Irc
    """Of those who are."""


def asked() -> tuple[int, int, int | None] | None:
    """Seeds, tokens and logs (None: all) as the command line says, or as it is usual; None, and why, without torch."""
    if not importlib.util.find_spec("torch"):
        print(f"{Path(sys.argv[0]).name} needs demur[train]: pip install 'demur[train]'.")
        return None
    given = [int(each) for each in sys.argv[1:]]
    seeds, tokens = (*given[:2], *(SEEDS, TOKENS)[len(given) :])
    return seeds, tokens, given[2] if len(given) > 2 else None  # the third is the logs


@contextmanager
def based(tokens: int, logs: int | None, config: Config = held_out.CONFIG) -> Iterator[Based]:
    """A base on three times so many tokens of declared people, for as long as the block runs.

    Args:
        tokens: of the personal phase.
        logs: how many are read; None for all.
        config: of the run that is begun.
    """
    with irc_rows.imported(logs=logs) as workspace, reading(workspace, NOW) as session, measure.scratch() as folder:
        persons, declared = irc_rows.declared_of(session, held_out.DECLARED)
        base = held_out.base_of(session, persons[declared], folder / "base.jsonl", 3 * tokens)
        run = Run.open(begun(session, "base", [str(base)], config).model)
        everything = irc_rows.read(session, run.tokenizer)
        yield Based(session, folder, run, everything.of(~declared, persons), everything.of(declared, persons))
