"""What an order costs in what is learned: the loss on people who were never trained on, against rows at random.

One base; then, for each seed, the same rows of the same people in each order, with the same budget of tokens, steps
and rate, and the average of the weights is scored. A seed draws the run's key, who is held out and who is trained on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

import _irc_rows as irc_rows
import _measure as measure
from _irc_rows import NOW, VERSION, Irc
from _replay_cost import RESAMPLES, Floats, Places, at_random, ours, with_author
from demur.corpus.session import Session, reading
from demur.training import first
from demur.training.base import Chosen, lay_base
from demur.training.checkpoints import Checkpoints
from demur.training.config import Config
from demur.training.environment import load
from demur.training.filling import Plan
from demur.training.loop import NOTHING, microbatches, train
from demur.training.order import held_out, in_order
from demur.training.rows import Ints, Rows
from demur.training.run import Run
from demur.training.state import State

DECLARED: Final = 0.4
"""Share of people whose words make the base; the seeds part the others."""
HELD: Final = 0.3
"""Share of the others who are held out, by seed."""
SCORED: Final = 160
"""People held out who are scored."""
CONFIG: Final = Config(
    layers=4,
    width=128,
    inner=352,
    heads=4,
    vocabulary=irc_rows.VOCABULARY,
    context=64,
    step_tokens=768,
    micro_tokens=1536,
    rate=1e-3,
    warmup=10,
    average=0.95,
    held=0.0,
    checkpoints=0,
    threads=1,
)
"""About 1.05M weights, as the spike had."""
ORDERS: Final[dict[str, Places]] = {"random rows": at_random, "demur's": ours, "a row with its author": with_author}


@dataclass(frozen=True)
class Score:
    """What each person who is held out costs a model, in nats, and their predicted tokens; shape (people,) both."""

    nats: Floats
    tokens: Floats

    @property
    def mean(self) -> float:
        """Nats a token."""
        return float(self.nats.sum() / self.tokens.sum())

    def against(self, other: "Score") -> tuple[float, float, float]:
        """By how much it is worse than another one, in per cent, with its interval: a paired bootstrap over people."""
        drawn = np.random.default_rng(1).integers(0, len(self.nats), (RESAMPLES, len(self.nats)))
        ratios = self.nats[drawn].sum(axis=1) / other.nats[drawn].sum(axis=1)
        low, high = np.quantile(ratios, (0.025, 0.975))
        return tuple(100 * (float(each) - 1) for each in (self.nats.sum() / other.nats.sum(), low, high))  # type: ignore[return-value]  # three


def show(seeds: int, tokens: int, logs: int | None) -> None:
    """Print the loss by order and seed.

    Args:
        seeds: how many.
        tokens: of the personal phase, and about as many of the base for each third of it.
        logs: how many are read; None for all.
    """
    with irc_rows.imported(logs=logs) as workspace, reading(workspace, NOW) as session, measure.scratch() as folder:
        persons, declared = irc_rows.declared_of(session, DECLARED)
        base = base_of(session, persons[declared], folder / "base.jsonl", 3 * tokens)
        run = begun(session, "base", [str(base)])
        rest = irc_rows.read(session, run.tokenizer).of(~declared, persons)
        for seed in range(1, seeds + 1):
            key = bytes([100 + seed]) * 32
            kept, scored = parted(rest, key, tokens)
            found = {
                name: _scored(session, f"s{seed}-{at}", kept, scored, places, key)
                for at, (name, places) in enumerate(ORDERS.items())
            }
            before = score_of(opened(run, 0), scored)
            reference = found["random rows"]
            print(
                f"seed {seed}: {len(kept.author):,} rows, {int(kept.rows.tokens.sum()):,} tokens of "
                f"{len(np.unique(kept.author)):,} people; {len(reference.nats)} held out; base {before.mean:.4f}"
            )
            for name, score in found.items():
                worse, low, high = score.against(reference)
                print(f"  {name}: {score.mean:.4f}, {worse:+.2f} % [{low:+.2f}, {high:+.2f}]", flush=True)


def base_of(session: Session, declared: Ints, path: Path, tokens: int) -> Path:
    """The words of declared people, about so many tokens, with their declaration."""
    left = tokens * 3  # characters: a token is about three
    with path.open("w", encoding="utf-8") as file:
        for text in irc_rows.texts_of(session, declared):
            file.write(json.dumps({"text": text}) + "\n")
            left -= len(text)
            if left < 0:
                break
    path.with_name(f"{path.name}.declared.toml").write_text(
        'name = "Logs, for a bench"\nnobody_may_object = true\ndeclared_by = "a bench"\nsource = "shared"\n'
        'licence = "see there"\n'
    )
    return path


def begun(session: Session, name: str, base: Sequence[str], config: Config = CONFIG) -> Run:
    """A run that stands at its base."""
    run = first.begin(session, VERSION, name=name, config=config, base=base)
    lay_base(run, Chosen.read(base, run.model.run.models_path), run.facts())
    return run


def parted(rest: Irc, key: bytes, tokens: int) -> tuple[Irc, list[Rows]]:
    """Who is trained on, up to so many tokens, and the rows of each who is scored."""
    persons = np.unique(rest.author)
    held = held_out(persons, HELD, key)
    drawn = np.random.default_rng(key[0])
    trained = drawn.permutation(persons[~held])
    own = np.bincount(np.searchsorted(persons, rest.author), rest.rows.tokens, len(persons))
    taken = np.sort(trained[np.cumsum(own[np.searchsorted(persons, trained)]) <= tokens])
    scored = drawn.permutation(persons[held])[:SCORED]
    kept = rest.take(np.flatnonzero(np.isin(rest.author, taken)))
    return kept, [rest.rows.take(np.flatnonzero(rest.author == each)) for each in scored]


def _scored(session: Session, name: str, kept: Irc, scored: Sequence[Rows], places: Places, key: bytes) -> Score:
    run = replace(begun(session, name, ["run:base"]), key=key)
    place = places(kept, CONFIG, key)
    where = in_order(kept.rows.item, place, key)
    plan = Plan.filled(kept.rows.take(where), place[where], CONFIG.step_tokens)
    run.keep_plan(plan)
    return score_of(opened(run, train(run, from_step=0, plan=plan).saved.step), scored)


def opened(run: Run, step: int) -> State:
    """The average at a checkpoint, as weights."""
    state = State.of(run.network(), run.config)
    Checkpoints(run.model).load(step, state)
    parts = state.parts()
    state.put(parts | {"weights": parts["ema"]})
    return state


def score_of(state: State, scored: Sequence[Rows]) -> Score:
    """What people who are held out cost a model."""
    torch = load(state.config)
    nats, tokens = [], []
    with torch.no_grad():
        for rows in scored:
            ids = [rows.ids[start : start + size] for start, size in zip(rows.start, rows.tokens, strict=True)]
            total, number = 0.0, 0
            for inputs, targets in microbatches(ids, CONFIG.micro_tokens):
                logits = state.model(input_ids=torch.from_numpy(inputs), use_cache=False).logits
                wanted = torch.from_numpy(targets).reshape(-1)
                flat = logits.reshape(-1, logits.shape[-1])
                total += torch.nn.functional.cross_entropy(flat, wanted, ignore_index=NOTHING, reduction="sum").item()
                number += int((targets != NOTHING).sum())
            nats.append(total)
            tokens.append(number)
    return Score(np.array(nats), np.array(tokens, float))
