"""What a replay costs, by the order of rows: shares of the personal phase, on the IRC logs; needs no training.

Half of the people, by a hash, are the declared ones on whom the tokenizer is fitted; rows of the others are planned. A
person's replay begins with the step of the first row that their objection takes out or rewrites. Nicks, not people, are
the unit. Run it with the extra `train`: `python bench/model_costs.py [CHECKPOINTS]`.
"""

import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from _real import shared
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.sources import load_source
from demur.training import order
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.order import Classes
from demur.training.rows import COLUMNS, Ints, Lists, Rows, read_rows
from demur.training.spacing import checkpoint_steps
from demur.training.tokenizer import Tokenizer, fit

Shares = npt.NDArray[np.float64]

KEY = bytes(range(32))
SEED = 13
BATCHES = (1, 8, 64)
DRAWS = 2_000
CONFIG = Config(vocabulary=2048, step_tokens=2048, context=256)


def corpus(root: Path) -> list[pa.RecordBatch]:
    """The rows of the IRC logs, as demur keeps them."""
    folder = shared("irc")
    if folder is None:
        raise FileNotFoundError("no IRC logs: set DEMUR_SHARED to the folder that holds data/irc")
    day = date(2026, 1, 10)
    signed = Assessment(document="lia.pdf", date=day, signed_by="DPO")
    basis, notice, door = LegalBasis(legitimate_interests=signed), Notice(required=False), Door(unknown_age="use")
    workspace = workspaces.create(root / "w", Policy(effective_date=day, basis=basis, notice=notice, door=door))
    import_items(workspace, "irc", load_source("irc").read([str(folder)], {}))
    with reading(workspace) as session:
        return [batch.select(COLUMNS) for batch in session.corpus.batches(COLUMNS)]


def is_personal(people: Ints) -> npt.NDArray[np.bool_]:
    """Who is not declared, shape (n,): subject keys are hashes already."""
    return np.asarray(people % 2 == 1)


def rows_of(batches: list[pa.RecordBatch], folder: Path) -> Rows:
    """What the rows of the personal half give; their people are those of that half alone."""
    authors = [batch.column("author").to_numpy() for batch in batches]
    declared: Iterator[str] = (
        text
        for batch, who in zip(batches, authors, strict=True)
        for text in batch.filter(pa.array(~is_personal(who))).column("text").to_pylist()
    )
    fit(declared, CONFIG.vocabulary, folder)
    tokenizer = Tokenizer.open(folder, CONFIG.context)
    personal = (batch.filter(pa.array(is_personal(who))) for batch, who in zip(batches, authors, strict=True))
    rows = read_rows(personal, tokenizer.encode, mask_mentions=True)
    owner, stay = rows.people.owner, is_personal(rows.people.flat)
    sizes = np.bincount(owner[stay], minlength=len(rows))
    return replace(rows, people=Lists(rows.people.flat[stay], np.cumsum(sizes)))


def authors_of(batches: list[pa.RecordBatch], rows: Rows) -> Ints:
    """The author of each row."""
    item = pa.concat_arrays([batch.column("item") for batch in batches])
    author = np.concatenate([batch.column("author").to_numpy() for batch in batches])
    wanted = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(rows), [None, pa.py_buffer(rows.item.tobytes())])
    return np.asarray(author[pc.index_in(wanted, value_set=item).to_numpy()])


def first_steps(plan: Plan, people: Lists, persons: Ints) -> Ints:
    """The first step in which each person stands, shape (n,)."""
    first = np.full(len(persons), plan.steps)
    np.minimum.at(first, np.searchsorted(persons, people.flat), plan.step[people.owner])
    return first


def costs(plan: Plan, first: Ints, checkpoints: list[int] | None = None) -> Shares:
    """The share of all tokens that is trained again for each, from their first step or the checkpoint before it."""
    if checkpoints is not None:
        marks = np.array([0, *checkpoints])
        first = marks[np.searchsorted(marks, first, side="right") - 1]
    begins = np.concatenate([[0], np.cumsum(np.bincount(plan.step, plan.rows.tokens, plan.steps))])
    return np.asarray(1 - begins[first] / begins[-1])


def told(name: str, cost: Shares, own: Ints) -> str:
    """Mean with its interval of 95 % over people, median, p90; the mean for two other hazards."""
    drawn = np.random.default_rng(SEED)
    means = [float(drawn.choice(cost, len(cost)).mean()) for _ in range(500)]
    low, high = np.quantile(means, (0.025, 0.975))
    hazards = (float((cost * weight).sum() / weight.sum()) for weight in (np.sqrt(own), own))
    root, tokens = hazards
    return (
        f"{name:<46} {cost.mean():.3f} [{low:.3f}, {high:.3f}]  {np.median(cost):.3f}  {np.quantile(cost, 0.9):.3f}"
        f"  {root:.3f}  {tokens:.3f}"
    )


def batched(cost: Shares) -> Iterator[str]:
    """What batches of objections cost together, and each."""
    drawn = np.random.default_rng(SEED)
    for size in BATCHES:
        together = np.mean([drawn.choice(cost, size, replace=False).max() for _ in range(DRAWS)])
        yield f"  batch of {size:>2}: {together:.3f} together, {together / size:.3f} each"


def main() -> None:
    """Print the table."""
    if importlib.util.find_spec("tokenizers") is None:
        print("model costs  skipped: the tokenizer needs demur[train]")
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else CONFIG.checkpoints
    with tempfile.TemporaryDirectory() as folder:
        batches = corpus(Path(folder))
        rows = rows_of(batches, Path(folder) / "tokenizer")
    author = Lists(authors_of(batches, rows), np.arange(1, len(rows) + 1))
    persons, involved = order.tokens_of(rows.people, rows.tokens)
    writers, own = order.tokens_of(author, rows.tokens)
    print(f"{len(rows):,} rows, {int(rows.tokens.sum()):,} tokens, {len(writers):,} writers, {len(persons):,} people")
    print(f"{(rows.people.sizes > 1).mean():.0%} of the rows name somebody of this half besides their author")
    print(f"{'order':<46} mean                  median p90    root   tokens")
    classes = Classes.first(persons, involved, CONFIG, KEY)

    def planned(places: Ints) -> tuple[Plan, Ints]:
        where = order.in_order(rows.item, places, KEY)
        return Plan.filled(rows.take(where), places[where], CONFIG.step_tokens), where

    last, where = planned(order.row_places(rows.people, classes.places(rows.people.flat)))
    own_first = first_steps(last, author.take(where), writers)
    print(told("recommended, mentions masked", cost := costs(last, own_first), own))
    marks = checkpoint_steps(last, CONFIG.hazard, number)
    even = [round(last.steps * each / (number + 1)) for each in range(1, number + 1)]
    for name, steps in ((f"  with {len(marks)} checkpoints", marks), (f"  with {number} even ones", even)):
        with_them = costs(last, own_first, steps)
        print(told(name, with_them, own) + f"  adds {(with_them - cost).mean():.3f}")
    print("\n".join(batched(cost)))
    print(told("recommended, mentions not masked", costs(last, first_steps(last, last.rows.people, persons)), involved))
    by_author, where = planned(classes.places(author.flat))
    print(
        told(
            "row with its author, mentions masked",
            costs(by_author, first_steps(by_author, author.take(where), writers)),
            own,
        )
    )
    unmasked = first_steps(by_author, by_author.rows.people, persons)
    print(told("row with its author, mentions not masked", costs(by_author, unmasked), involved))
    alone = Classes.first(writers, own, CONFIG, KEY)
    by_own, where = planned(alone.places(author.flat))
    print(
        told(
            "row with its author, classes by own tokens",
            costs(by_own, first_steps(by_own, author.take(where), writers)),
            own,
        )
    )
    unsorted, where = planned(np.zeros(len(rows), np.int64))
    print(told("rows at random", costs(unsorted, first_steps(unsorted, author.take(where), writers)), own))


if __name__ == "__main__":
    main()
