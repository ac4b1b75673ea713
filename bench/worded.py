"""Names and copies at import and at objections: what they cost, in time and on disk.

Run ``python bench/worded.py [ROWS [POSTS]]``, by default 200,000 and 2,000,000.

- Import of ROWS posts (``_spoken``): with ``names`` and ``copies`` kept, the yardstick, since nothing is looked for;
  with them masked and nobody objecting; and with 100,000 people who objected, with their names, and a million
  fingerprints of what they wrote. One in a hundred of the forum's people objected in each but the second.
- Bytes a row of the corpus and of what lies beside it.
- Objections, one at a time, over POSTS posts: of somebody with a common name and of somebody with a rare one, by phase.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import _measure as measure
import _posts as posts
import _spoken
from demur import workspace as workspaces
from demur.corpus.datasets.compaction import index_new
from demur.corpus.honour import honour_in
from demur.corpus.importing import import_items
from demur.corpus.session import Session, writing
from demur.kernel.evidence import FINGERPRINTS
from demur.kernel.govern import govern
from demur.kernel.wording import page_of
from demur.policy import Assessment, Door, LegalBasis, Notice, Others, Policy
from demur.processes import collect_seldom, keep_memory
from demur.register.members.rows import MEMBER
from demur.register.objections.lodging import Lodging
from demur.sources import load_source
from demur.suppression.copies import fingerprints_of
from demur.terms import ITEM

ROWS: Final = 200_000
POSTS: Final = 2_000_000
OBJECTORS: Final = 100_000
GRAMS: Final = 1_000_000
TARGET: Final = 2.0
GROWTH: Final = 1.5
SECONDS: Final = 1.0
_PIECE: Final = 10_000
RUNS: Final = 5
"""Objections of each kind."""


def main() -> None:
    """Prints the figures."""
    keep_memory()  # as the command does
    collect_seldom()
    given = [int(each) for each in sys.argv[1:]]
    rows, many = (*given, ROWS, POSTS)[:2] if len(given) != 1 else (given[0], POSTS)
    source = _spoken.table(rows)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for _ in range(measure.RUNS):
        for name in CASES:
            with measure.scratch() as folder:
                made = CASES[name](folder / "w", rows)
                times[name].append(imported(made, source))
                sizes = bytes_a_row(made.root, rows)
            if len(times[name]) == 1:
                print(f"  {name}: bytes a row read: {sizes}")
    show_imports(rows, times)
    if many:
        with measure.scratch() as folder:
            show_objections(workspace(folder / "w", many), many)


def policy(**others: Any) -> Policy:  # noqa: ANN401  # fields of a model
    """A signed policy."""
    assessment = Assessment(document="lia.pdf", date=posts.EFFECTIVE, signed_by="DPO")
    return Policy(
        effective_date=posts.EFFECTIVE,
        basis=LegalBasis(legitimate_interests=assessment),
        notice=Notice(required=False),
        door=Door(unknown_age="use"),
        others=Others(**others),
    )


def workspace(root: Path, rows: int, **others: Any) -> workspaces.Workspace:  # noqa: ANN401  # see policy
    """One in which 1 % of the forum's people objected."""
    made = workspaces.create(root, policy(**others))
    lodge(made, posts.accounts(np.arange(0, posts.people(rows), 100)))
    return made


def lodge(made: workspaces.Workspace, accounts: list[str]) -> None:
    """Objections of accounts."""
    with made.register() as register:
        for start in range(0, len(accounts), _PIECE):
            said = [Lodging((account,), channel="api") for account in accounts[start : start + _PIECE]]
            register.objections.lodge_all(said)


def keeping(root: Path, rows: int) -> workspaces.Workspace:
    """One that looks for no names and no copies."""
    return workspace(root, rows, names="keep", copies="keep")


def nobody(root: Path, _: int) -> workspaces.Workspace:
    """One with an empty register."""
    return workspaces.create(root, policy())


def everybody(root: Path, rows: int) -> workspaces.Workspace:
    """One with 100,000 people who objected, by name, and a million fingerprints."""
    made = workspace(root, rows)
    own = np.arange(0, posts.people(rows), 100)
    accounts = posts.accounts(np.concatenate([own, posts.people(rows) + np.arange(OBJECTORS - len(own))]))
    with made.register() as register:
        register.members.import_all(members(accounts, seed=1))
    lodge(made, accounts[len(own) :])
    with writing(made, "bench") as session:
        began = time.perf_counter()
        session.beside.fingerprints.replace(np.zeros(0, np.uint64), fingerprints(session))
        index_new(session.beside.fingerprints)
        honour_in(session)
        session.rules()
        print(f"  {len(accounts):,} people with names, and their fingerprints: {time.perf_counter() - began:.1f} s")
    return made


CASES: Final = {"keep": keeping, "nobody": nobody, "everybody": everybody}


def members(accounts: list[str], seed: int) -> Iterator[pa.RecordBatch]:
    """What members say of themselves: a full name each."""
    names = _spoken.full_names(_spoken.Names(), len(accounts), seed)
    for start in range(0, len(accounts), _PIECE):
        some = zip(accounts[start : start + _PIECE], names[start : start + _PIECE], strict=True)
        yield pa.RecordBatch.from_pylist([{"account": account, "names": [name]} for account, name in some], MEMBER)


def fingerprints(session: Session) -> Iterator[pa.RecordBatch]:
    """Lines of what objectors wrote elsewhere, with a million fingerprints in all."""
    rules, _ = session.rules()
    objectors, names = np.asarray(rules.objected.keys), _spoken.Names()
    made, number = 0, 0
    while made < GRAMS:
        batch = next(pq.ParquetFile(posts.table(_PIECE)).iter_batches())
        batch = elsewhere(_spoken.spoken(pa.record_batch(batch), names, 1000 + number), number)
        kept = govern(batch, rules).kept
        row, gram = fingerprints_of(page_of(kept, rules))
        lengths = np.bincount(row, minlength=len(kept))
        item = np.random.default_rng([number, 5]).integers(0, 2**63 - 1, len(kept))
        author = objectors[(number * _PIECE + np.arange(len(kept))) % len(objectors)]
        wrote = pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(lengths)).astype(np.int32)), pa.array(gram))
        none = pa.ListArray.from_arrays(pa.array(np.zeros(len(kept) + 1, np.int32)), pa.array([], pa.int64()))
        columns = [pa.array(item), pa.array(author), pa.array(np.zeros(len(kept), np.int64)), wrote, none]
        yield pa.RecordBatch.from_arrays(columns, schema=FINGERPRINTS)
        made, number = made + len(gram), number + 1


def elsewhere(batch: pa.RecordBatch, number: int) -> pa.RecordBatch:
    """Posts with their words in another order, so that no two batches say the same; without quotes."""
    rng = np.random.default_rng([number, 3])
    texts = [" ".join(rng.permutation(text.split())) for text in batch.column("text").to_pylist()]
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    spans = ITEM.field("spans").type
    columns |= {"text": pa.array(texts, batch.schema.field("text").type), "spans": pa.array([[]] * len(texts), spans)}
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


def imported(made: workspaces.Workspace, source: Path) -> tuple[float, float]:
    """Seconds that the import takes: by the clock with as many workers as cores, and of processors in one process."""
    batches = load_source("table").read([str(source)], {})
    before = os.times()
    took = import_items(made, "table", batches, workers=os.cpu_count() or 1).seconds
    after = os.times()
    return took, sum(after[:4]) - sum(before[:4])


def bytes_a_row(root: Path, rows: int) -> dict[str, float]:
    """Of the corpus and of each dataset beside it."""
    folders = [root / "corpus.lance", *sorted((root / "evidence").glob("*"))]
    return {path.name: round(size(path) / rows, 1) for path in folders}


def size(path: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(each.stat().st_size for each in (path.rglob("*") if path.is_dir() else [path]) if each.is_file())


def show_imports(rows: int, times: dict[str, list[tuple[float, float]]]) -> None:
    """A line for each case: medians, and their ratio to the yardstick."""
    medians = {name: [measure.median([run[which] for run in runs]) for which in (0, 1)] for name, runs in times.items()}
    for name, (took, worked) in medians.items():
        ratios = took / medians["keep"][0], worked / medians["keep"][1]
        each = ", ".join(f"{run:.1f}" for run, _ in times[name])
        print(f"import {rows:,} rows, {name}: {took:.1f} s, {worked:.1f} s of processors")
        print(f"  to the yardstick {ratios[0]:.2f} and {ratios[1]:.2f} (target {TARGET}); runs {each}")


@contextmanager
def phases() -> Iterator[Counter[str]]:
    """Seconds by what an objection goes through, while the block runs."""
    from demur.corpus import affected, regoverning  # noqa: PLC0415  # what is timed is put in their place
    from demur.corpus.datasets.corpus import Corpus  # noqa: PLC0415

    took: Counter[str] = Counter()
    places = [
        (Session, "rules", "names and fingerprints"),
        (affected.Affected, "named_anywhere", "rows by name"),
        (affected.Affected, "named_in_threads", "rows by name in threads"),
        (affected.Affected, "copied", "rows by copies"),
        (regoverning, "govern_at_rest", "kernel"),
        (regoverning, "_add", "beside"),
        (Corpus, "commit", "commit"),
        (Corpus, "say", "note"),
    ]
    kept = [(where, name, getattr(where, name)) for where, name, _ in places]
    for where, name, phase in places:
        setattr(where, name, _timed(getattr(where, name), took, phase))
    try:
        yield took
    finally:
        for where, name, before in kept:
            setattr(where, name, before)


def _timed(work: Any, took: Any, phase: str) -> Any:  # noqa: ANN401  # any function
    def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # its own
        began = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            took[phase] += time.perf_counter() - began

    return timed


def show_objections(made: workspaces.Workspace, rows: int) -> None:
    """Imports the posts, then lets people object one at a time."""
    import_items(made, "table", load_source("table").read([str(_spoken.table(rows))], {}), workers=os.cpu_count() or 1)
    names = _spoken.Names()
    common, rare = (f"{names.given[0]} {names.surnames[0]}", f"{names.given[-1]} {names.surnames[-1]}")
    people = posts.people(rows)
    number = people // 2 + 1
    with writing(made, "bench") as session:
        for what, name in (("no name", None), ("a common name", common), ("a rare name", rare)):
            runs = []
            for _ in range(RUNS):
                number += 100
                runs.append(objected(session, posts.accounts(np.array([number]))[0], name))
            times, concerned = [run[0] for run in runs], [run[1] for run in runs]
            print(
                f"objection over {rows:,} posts, {what}: median {measure.median(times):.2f} s, "
                f"worst {max(times):.2f} s (target {SECONDS}), {measure.median(concerned):.0f} rows changed"
            )
            total: Counter[str] = sum((run[2] for run in runs), Counter())
            print("  " + ", ".join(f"{phase} {took / RUNS:.3f}" for phase, took in total.most_common()))


def objected(session: Session, account: str, name: str | None) -> tuple[float, float, Counter[str]]:
    """Seconds from the lodged objection to the honoured corpus, rows that changed, and seconds by phase."""
    if name:
        member = {"account": account, "names": [name], "locale": "en"}
        session.register.members.import_all([pa.RecordBatch.from_pylist([member], MEMBER)])
        honour_in(session)
    with session.register.locked():
        session.register.objections.lodge([account], channel="api")
    with phases() as took:
        began = time.perf_counter()
        report = honour_in(session)
        return time.perf_counter() - began, report.deleted + report.rewritten, took


if __name__ == "__main__":
    main()
