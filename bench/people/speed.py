"""How fast names are looked for, and what their index costs.

Processor time, the median of rounds in which everything takes turns, so that ratios hold on a busy machine; the
yardstick is Arrow's ``utf8_lower`` and ``split_pattern`` of the same texts.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

import words as made_up
from _measure import scratch
from _real import irc_lines, shared
from demur.kernel.govern import govern
from demur.kernel.rules import Facts, Known, Rules, compile_rules
from demur.kernel.wording import Pages, read
from demur.people.context import Context
from demur.people.index import PeopleIndex
from demur.terms import ITEM
from demur.words.batch import Words
from people.crowd import KEYS, crowd, write
from people.targets import heading
from people.under_test import NOW, PEPPER, policy

ROUNDS: Final = 5
MEGABYTES: Final = 10
WITHHELD: Final = 100_000
CROWD: Final = 1_000_000
_BATCH: Final = 16_384


def of_search() -> Iterator[str]:
    """The gate alone on texts that name nobody, and the whole path on real lines or made-up ones."""
    yield from heading(f"speed, with {WITHHELD:,} people")
    index = PeopleIndex.build(crowd(WITHHELD))
    yield from _gate(index)
    yield from _whole(index)


def _gate(index: PeopleIndex) -> Iterator[str]:
    """Words and keys of texts of which no word is in a name, but for initials."""
    rng = np.random.default_rng(1)
    vocabulary = made_up.vocabulary(rng, "eeeetttaaooiinnsshhrrdlucmfwypvbgkjxqz", 2, 11)
    named = index.candidates(KEYS.keys(vocabulary))
    texts = made_up.texts(
        [word for word, is_named in zip(vocabulary, named, strict=True) if not is_named], MEGABYTES, 2
    )
    size = sum(map(made_up.size_of, texts)) / 1e6
    hits = sum(int(index.candidates(Words.of(batch, KEYS).key).sum()) for batch in texts)
    rates = _rates(
        size,
        {
            "yardstick": lambda: made_up.yardstick(texts),
            "gate": lambda: [index.candidates(Words.of(batch, KEYS).key) for batch in texts],
        },
    )
    yield _told("gate alone, made-up English", size, rates, "gate", 15, f"{hits:,} candidates, the s of possessives")


def _whole(index: PeopleIndex) -> Iterator[str]:
    """Everything that reads names in rows at rest, and govern with names and without."""
    name, texts = _texts()
    rules = _rules(index)
    rows = [govern(_items(batch), _rules(None)).kept for batch in texts]
    size = sum(made_up.size_of(batch.column("text")) for batch in rows) / 1e6
    named = sum(int(index.candidates(Words.of(batch.column("text"), KEYS).key).sum()) for batch in rows)
    words = sum(len(Words.of(batch.column("text"), KEYS)) for batch in rows)
    context = Context()
    rates = _rates(
        size,
        {
            "yardstick": lambda: made_up.yardstick([batch.column("text") for batch in rows]),
            "names": lambda: [read(Pages(batch, rules), context) for batch in rows],
            "govern with names": lambda: [govern(batch, rules, context) for batch in rows],
            "govern without": lambda: [govern(batch, _rules(None)) for batch in rows],
        },
    )
    yield _told(f"whole path of names, {name}", size, rates, "names", 5, f"{named / words:.1%} of words in some name")
    with_names, without = rates["govern with names"], rates["govern without"]
    yield f"govern at rest: {with_names:.1f} MB/s with names, {without:.1f} without ({without / with_names:.2f} times)"


def _texts() -> tuple[str, list[pa.LargeStringArray]]:
    """Lines of the channel, where it is at hand, ten together; else made-up English."""
    if shared("irc") is None:
        vocabulary = made_up.vocabulary(np.random.default_rng(1), "etaoinshrdlucmfwypvbgkjxqz", 2, 11)
        return "made-up English", made_up.texts(vocabulary, MEGABYTES, 2)
    lines = [line.text for line in irc_lines()]
    texts = ["\n".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
    return "lines of irc, two together", [
        pa.array(texts[at : at + _BATCH], pa.large_string()) for at in range(0, len(texts), _BATCH)
    ]


def _items(texts: pa.LargeStringArray) -> pa.RecordBatch:
    """Texts as items of a source, each by somebody else."""
    facts = {"kind": "post", "audience": "public", "origin": "first-party", "language": "en", "created": NOW}
    rows = [
        {"item": f"forum:{at}", "author": f"forum:x{at}", "text": text, **facts}
        for at, text in enumerate(texts.to_pylist())
    ]
    return pa.RecordBatch.from_pylist(rows, schema=ITEM)


def _rules(index: PeopleIndex | None) -> Rules:
    nothing = Facts(*(np.zeros(0, kind) for kind in (np.int64, "S2", np.int16, np.int32, bool)))
    withheld = np.zeros(0, np.int64) if index is None else index.subjects
    return replace(compile_rules(policy(), PEPPER, Known(withheld, nothing), NOW), people=index)


def _rates(size: float, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Megabytes a second of each work, all taking turns."""
    times: dict[str, list[float]] = {work: [] for work in works}
    for _ in range(ROUNDS):
        for work, run in works.items():
            began = time.process_time()
            run()
            times[work].append(time.process_time() - began)
    return {work: size / statistics.median(each) for work, each in times.items()}


def _told(what: str, size: float, rates: dict[str, float], work: str, aim: float, note: str) -> str:
    rate, yardstick = rates[work], rates["yardstick"]
    met = "met" if rate >= aim else "MISSED"
    return (
        f"{what}: {rate:.1f} MB/s, {rate / yardstick:.2f} of the yardstick's {yardstick:.0f} MB/s"
        f" ({size:.0f} MB, {note})  aim >= {aim:g} MB/s: {met}"
    )


def of_building() -> Iterator[str]:
    """A million people, in a process of its own."""
    yield from heading(f"the index of {CROWD:,} people")
    with scratch() as folder:
        path = folder / "crowd"
        write(path, CROWD)
        told = _child(path)
        kept = path.stat().st_size
    seconds, memory = told["seconds"], told["memory"] / 1e6
    yield (
        f"built in {seconds:.0f} s of one core, {told['parsing']:.0f} s of it reading {kept / 1e6:.0f} MB of names"
        f"  aim <= 60 s: {'met' if seconds <= 60 else 'MISSED'}"
    )
    yield f"memory grew by {memory:.0f} MB  aim <= 500 MB: {'met' if memory <= 500 else 'MISSED'}"
    yield f"the file has {told['file'] / 1e6:.0f} MB"


def _child(path: Path) -> dict[str, float]:
    here = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "people.crowd", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told: dict[str, float] = json.loads(done.stdout)
    return told
