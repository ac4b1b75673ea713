"""Whether a replayed model is, byte for byte, the one that training from scratch gives: trial by trial, on a real log.

Each trial begins from a copy of a workspace with two finished runs, of one thread and of two. One to eight people
object, and in every fourth trial the source edits rows of others. The run of the trial is replayed, and its
certificate is held against a training from the base: in this process, or, in every fifth trial, in a fresh one.
"""

import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

import _measure as measure
import _real as real
from _irc_rows import NOW, OPTIONS, VERSION, paths, policy
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed
from demur.sources import load_source
from demur.terms import ITEM
from demur.training import checking, first
from demur.training.certificate import read_certificate
from demur.training.config import Config
from demur.training.replay import Replayed, replay
from demur.versions.publish import publish
from demur.workspace import Workspace

LINES: Final = 400
MOST: Final = 8
"""People who object at once."""
EDITED: Final = 2
"""Rows that the source edits, in every fourth trial."""
CONFIG: Final = Config(
    layers=2,
    width=64,
    inner=128,
    heads=2,
    vocabulary=512,
    context=48,
    step_tokens=512,
    micro_tokens=1024,
    rate=3e-3,
    warmup=4,
    average=0.9,
    held=0.0,
    checkpoints=8,
    threads=1,
)


@dataclass(frozen=True)
class Trial:
    """One trial, and what came of it."""

    threads: int
    people: int
    edited: bool
    fresh: bool
    """Whether the training from scratch had a process of its own."""
    equal: bool
    begun: int
    """The checkpoint from which the replay trained on."""


def show(trials: int, first_one: int = 0) -> None:
    """Run so many trials, by their numbers, and print what they came to so far after every fifth."""
    with measure.scratch() as folder:
        rows = _rows()
        template = _template(folder / "template", rows)
        done: list[Trial] = []
        for number in range(first_one, first_one + trials):
            done.append(_trial(template, folder / "trial", rows, number))
            if not done[-1].equal:
                print(f"NOT EQUAL: trial {number}, {done[-1]}")
            if number % 5 == 4 or len(done) == trials:
                _print(done)


def _print(done: list[Trial]) -> None:
    found = Counter(
        (f"{each.threads} thread(s)", "edited rows" if each.edited else "no edited rows", _process(each), each.equal)
        for each in done
    )
    late = sum(each.begun > 0 for each in done)
    print(f"equal: {real.wilson(sum(each.equal for each in done), len(done))}; {late} of them from behind the base")
    for (*what, equal), number in sorted(found.items()):
        print(f"  {', '.join(what)}: {'equal' if equal else 'NOT EQUAL'} {number}")
    sys.stdout.flush()


def _process(trial: Trial) -> str:
    return "fresh process" if trial.fresh else "same process"


def _rows() -> list[dict[str, Any]]:
    """The first lines of the first log."""
    read = (row for batch in load_source("irc").read(paths(1), OPTIONS) for row in batch.to_pylist())
    return [row for _, row in zip(range(LINES), read, strict=False)]


def _template(root: Path, rows: list[dict[str, Any]]) -> Workspace:
    """A workspace with the runs `one` and `two`, by their threads."""
    made = workspaces.create(root / "w", policy())
    _import(made, rows)
    publish(made, VERSION, now=NOW)
    base = root / "base.jsonl"
    base.write_text('{"text": "The harbour opens at six, and the tea is hot."}\n' * 60)
    base.with_name("base.jsonl.declared.toml").write_text(
        'name = "A sentence"\nnobody_may_object = true\ndeclared_by = "a bench"\nsource = "a bench"\n'
        'licence = "as demur"\n'
    )
    for name, threads in (("one", 1), ("two", 2)):
        with reading(made, NOW) as session:
            config = replace(CONFIG, threads=threads)
            first.carry_out(session, first.begin(session, VERSION, name=name, config=config, base=[str(base)]))
    return made


def _import(workspace: Workspace, rows: list[dict[str, Any]]) -> None:
    import_items(workspace, "irc", iter([pa.RecordBatch.from_pylist(rows, schema=ITEM)]), now=NOW)


def _trial(template: Workspace, root: Path, rows: list[dict[str, Any]], number: int) -> Trial:
    drawn = random.Random(number)
    shutil.rmtree(root, ignore_errors=True)
    workspace = Workspace(Path(shutil.copytree(template.root, root, symlinks=True)))
    threads, edited, fresh = 1 + number % 2, number % 4 >= 2, number % 5 == 4
    name = "one" if threads == 1 else "two"
    gone = drawn.sample(sorted({str(row["author"]) for row in rows}), drawn.randint(1, MOST))
    if edited:
        plain = [row for row in rows if not row["spans"] and row["author"] not in gone and len(row["text"]) > 10]
        _import(workspace, [row | {"text": f"{row['text']} again"} for row in drawn.sample(plain, EDITED)])
    with workspace.register() as register:
        for account in gone:
            register.objections.lodge([account], channel="letter", now=NOW + timedelta(hours=1))
    done = replay(workspace, name)
    return Trial(threads, len(gone), edited, fresh, _is_equal(workspace, done, fresh=fresh), done.begun)


def _is_equal(workspace: Workspace, done: Replayed, *, fresh: bool) -> bool:
    """Whether training from scratch gives the certified bytes, and they are other ones than the parent's."""
    assert done.parent is not None
    public = workspace.keys().signing.public_key()
    before, after = (read_certificate(model, public).facts for model in (done.parent, done.model))
    if before["weights"] == after["weights"]:
        return False
    if fresh:
        command = [sys.executable, "-m", "demur", "replay", done.run.name, "--verify", "-w", str(workspace.root)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        with reading(workspace) as session:
            checking.verify(session, done.model)
    except CheckFailed:
        return False
    return True
