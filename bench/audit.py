"""The whole audit of a run, timed: people of real IRC logs, a model of about two million weights.

Run ``python bench/audit.py [RUNS [PEOPLE [LOGS [HELD]]]]`` with the extra `train` installed and the logs at hand
(`DEMUR_SHARED`). It trains a run on what so many people wrote, those who wrote most (500 people, 40 logs, a fifth held
out by default), and audits it so often (3). Printed are the median and the range of the seconds, of the clock and of
the processor, and what the last audit found. Nicks, not people, are the unit.
"""

import importlib.util
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

import _irc_rows as irc_rows
import _measure as measure
from _irc_rows import NOW, OPTIONS, VERSION
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import Session, reading
from demur.sources import load_source
from demur.training.config import Config
from demur.versions.publish import publish
from demur.workspace import Workspace

RUNS, PEOPLE, LOGS, HELD = 3, 500, 40, 0.2
LINES: Final = 4000
"""Of the declared words, which make base and tokenizer: of people who are not among those trained on."""


def config(held: float) -> Config:
    """About two million weights, on two threads."""
    return Config(layers=4, width=160, inner=432, heads=4, vocabulary=4096, context=64, held=held, threads=2)


def main() -> None:
    """Prints the figures."""
    if not importlib.util.find_spec("torch"):
        print("audit.py needs demur[train]: pip install 'demur[train]'.")
        return
    given = sys.argv[1:]
    runs, people, logs = (int(given[at]) if len(given) > at else each for at, each in enumerate((RUNS, PEOPLE, LOGS)))
    held = float(given[3]) if len(given) > 3 else HELD
    with measure.scratch() as place:
        workspace, declared = made(place, people, logs)
        began = time.monotonic()
        with reading(workspace, NOW) as session:
            print(trained(session, declared, held), f"{time.monotonic() - began:.0f} s to train", flush=True)
        show(workspace, runs)


def made(place: Path, people: int, logs: int) -> tuple[Workspace, Path]:
    """A workspace with what so many people wrote, and the words of the others, as declared."""
    workspace = workspaces.create(place / "w", irc_rows.policy())
    batches = list(load_source("irc").read(irc_rows.paths(logs), OPTIONS))
    authors = pa.chunked_array([batch.column("author") for batch in batches]).value_counts()
    counts = sorted(authors.to_pylist(), key=lambda each: (-each["counts"], str(each["values"])))
    theirs = pa.array([each["values"] for each in counts if each["values"] is not None][:people])
    import_items(workspace, "irc", iter(_by(batches, theirs, others=False)), now=NOW)
    publish(workspace, VERSION, now=NOW)
    path = place / "others.txt"
    texts = (text for batch in _by(batches, theirs, others=True) for text in batch.column("text").to_pylist())
    words = [" ".join(text.split()) for _, text in zip(range(LINES), filter(None, texts), strict=False)]
    path.write_text("\n\n".join(words), "utf-8")
    path.with_name("others.txt.declared.toml").write_text(
        'name = "Logs, for a bench"\nnobody_may_object = true\ndeclared_by = "a bench"\nsource = "shared"\n'
        'licence = "see there"\n'
    )
    return workspace, path


def _by(batches: list[pa.RecordBatch], theirs: pa.Array, *, others: bool) -> Iterator[pa.RecordBatch]:
    """What some people wrote, or what everybody else did."""
    for batch in batches:
        yield batch.filter(pa.array(np.isin(batch.column("author").to_pylist(), theirs.to_pylist()) != others))


def trained(session: Session, declared: Path, held: float) -> str:
    """Train the run; what it came to."""
    from demur.training import first  # noqa: PLC0415  # it stands on torch

    run = first.begin(session, VERSION, name="audited", config=config(held), base=[str(declared)])
    outcome = first.carry_out(session, run).outcome
    weights = sum(each.numel() for each in run.network().parameters())
    plan = outcome.plan
    return f"{weights:,} weights, {len(plan):,} rows, {outcome.saved.tokens:,} tokens in {plan.steps} steps,"


def show(workspace: Workspace, runs: int) -> None:
    """Print how long audits take, and what the last one found."""
    from demur.training.audit import auditing  # noqa: PLC0415  # as above
    from demur.training.audit.page import said  # noqa: PLC0415  # the same
    from demur.training.audit.people import Draw  # noqa: PLC0415  # the same
    from demur.training.audit.served import audited_model  # noqa: PLC0415  # the same

    clock, processor = [], []
    for seed in range(runs):
        began, used = time.monotonic(), time.process_time()
        with reading(workspace, NOW) as session:
            asked = auditing.Asked(Draw(seed=seed))
            done = auditing.audit(session, audited_model(session, "audited"), asked, lambda _: None)
        clock.append(time.monotonic() - began)
        processor.append(time.process_time() - used)
        print(f"audit {seed + 1}: {clock[-1]:.0f} s, {processor[-1]:.0f} s of the processor", flush=True)
    for name, found in (("clock", clock), ("processor", processor)):
        print(f"{name}: median {statistics.median(found):.0f} s, {min(found):.0f} to {max(found):.0f}")
    print({name: value for name, value in done.people.items() if isinstance(value, int)})
    for each in done.findings:
        for one in each.figures:
            print(f"  {each.attack:14}{one.name:22}{said(one):24}{one.unit}, {one.n:,} {one.of}")


if __name__ == "__main__":
    main()
