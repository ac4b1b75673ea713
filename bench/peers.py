"""The same job by demur and by tools that people use for it: some authors' rows out, identifiers and mentions masked.

Run ``python bench/peers.py [ROWS] [NAME ...]``, by default 200,000 posts and everything. ``--picture PAGE FILE`` runs
nothing: it draws the table of a page, as this printed it, so that page and picture say the same.

Every tool is a process of its own that runs one script of ``_peers/``, with as many workers as there are cores; demur
imports the same files into a new workspace in which the same people have objected. They take turns, in three rounds
(``DEMUR_RUNS``), each after a plain DuckDB copy of the same rows. Seconds of processors are what is drawn: they hold on
a machine that others use, too, where those of the clock don't. What a tool left behind is counted in what it wrote, by
one and the same query.

Tools that are no part of demur's own environment get one each, made under ``bench/data/peers`` by pip, at the release
named here; one that does not install is said to, and left out.
"""

import contextlib
import ctypes
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import duckdb
import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import _bars
import _measure as measure
import _posts as posts
import importing
from demur.corpus.importing import import_items
from demur.sources import load_source
from demur.workspace import find

ROWS: Final = 200_000
PARTS: Final = 8
HERE: Final = Path(__file__).parent
VENVS: Final = HERE / "data" / "peers"
MAIL: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
PHONE: Final = r"\+[0-9][0-9 ()-]{6,}[0-9]"
OURS: Final = "demur"
HEAD: Final = (
    "| tool | processors | in copies | by the clock | after start | peak | rows | theirs | handles | mail addresses "
    "| phone numbers |"
)
"""Of the table; the last four are of rows in which something was left behind."""
TITLE: Final = "One job, seconds of processors (in plain copies of the same posts)"
_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER, prctl(2)
_PATIENCE_S: Final = 30
_PLAIN: Final = pa.schema([("author", pa.string()), ("text", pa.large_string())])


class FailedError(Exception):
    """A tool ended with an error; the message is the last line of what it said."""


@dataclass(frozen=True)
class Peer:
    """One tool."""

    name: str
    script: str
    """In _peers/."""
    wants: tuple[str, ...]
    """What pip installs; of Data-Juicer, also what it imports and does not ask for."""
    module: str
    """What tells that an interpreter has it."""


PEERS: Final = (
    Peer("DuckDB", "by_duckdb.py", ("duckdb==2.0.0",), "duckdb"),
    Peer("Polars", "by_polars.py", ("polars==2.1.0",), "polars"),
    Peer("PySpark", "by_spark.py", ("pyspark==4.3.0",), "pyspark"),
    Peer("datatrove", "by_datatrove.py", ("datatrove[io,processing]==0.10.1",), "datatrove"),
    Peer("Data-Juicer", "by_juicer.py", ("py-data-juicer==1.6.1", "aiohttp", "ray==2.60.0"), "data_juicer"),
    Peer("NeMo Curator", "by_curator.py", ("nemo-curator==1.4.0",), "nemo_curator"),
)


@dataclass
class Figures:
    """What was measured of one tool; times in seconds, a value for each round."""

    whole: list[float] = field(default_factory=list)
    """From the start of its process to its end."""
    inside: list[float] = field(default_factory=list)
    """Once all was imported."""
    busy: list[float] = field(default_factory=list)
    """Of processors."""
    peak: list[float] = field(default_factory=list)
    """Bytes, of all its processes together."""
    versions: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    """What was left behind."""


def main() -> None:
    """Prints the table."""
    given = sys.argv[1:]
    if given[:1] == ["--demur"]:
        by_demur(json.loads(Path(given[1]).read_text()))
        return
    if given[:1] == ["--picture"]:
        Path(given[2]).write_text(picture(Path(given[1]).read_text("utf-8")), "utf-8")
        return
    numbers, names = [int(each) for each in given if each.isdigit()], [each for each in given if each[0].isalpha()]
    rows = numbers[0] if numbers else ROWS
    parts, people = split(rows), posts.people(rows)
    authors = posts.accounts(np.arange(0, people, 100))
    adopt()
    wanted = [each for each in PEERS if not names or each.name in names]
    pythons = {each: python for each in wanted if (python := interpreter(each))}
    copies: list[float] = []
    copied: list[float] = []
    found = {OURS: Figures(), **{each.name: Figures() for each in pythons}}
    for number in range(measure.RUNS):
        before = sum(os.times()[:2])
        copies.append(measure.copy_seconds(posts.table(rows)))
        copied.append(sum(os.times()[:2]) - before)
        once(found[OURS], rows, parts, authors, None, number)
        for peer, python in list(pythons.items()):
            try:
                once(found[peer.name], rows, parts, authors, (peer, python), number)
            except FailedError as error:
                print(f"{peer.name}: does not get through ({error})", flush=True)
                del pythons[peer], found[peer.name]
    shown(rows, found, measure.median(copies), measure.median(copied))


def split(rows: int) -> list[Path]:
    """The posts as several files, which tools share out among their workers."""
    folder = posts.FOLDER / f"posts-{rows}-parts"
    paths = [folder / f"part-{number}.parquet" for number in range(PARTS)]
    if not paths[-1].exists():
        folder.mkdir(exist_ok=True)
        table = pq.read_table(posts.table(rows))
        each = -(-rows // PARTS)
        for number, path in enumerate(paths):
            pq.write_table(table.slice(number * each, each), path, compression="zstd")
    return paths


def interpreter(peer: Peer) -> Path | None:
    """A Python that has a tool: this one, or one made for it; None, and why, where it does not install."""
    if find_spec(peer.module) is not None:
        return Path(sys.executable)
    folder = VENVS / peer.name.lower().replace(" ", "-")
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.wants]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{peer.name}: does not install ({(done.stderr.strip().splitlines() or ['no reason'])[-1]})")
            return None
        (folder / "whole").touch()
    return python


def once(
    figures: Figures, rows: int, parts: list[Path], authors: list[str], peer: tuple[Peer, Path] | None, number: int
) -> None:
    """One run of one tool; demur's where none is given."""
    with measure.scratch() as folder:
        to = folder / "kept"
        if peer is None:
            importing.workspace(to, rows)
            command: list[str | Path] = [sys.executable, __file__, "--demur"]
        else:
            to.mkdir()
            command = [peer[1], HERE / "_peers" / peer[0].script]
        job = folder / "job.json"
        said = {"parts": [*map(str, parts)], "authors": authors, "to": str(to), "workers": os.cpu_count() or 1}
        job.write_text(json.dumps(said))
        with measure.memory() as memory:
            whole, busy, told = run([*command, job])
        figures.whole.append(whole)
        figures.busy.append(busy)
        figures.peak.append(memory.peak)
        print(f"{OURS if peer is None else peer[0].name}: {busy:.1f} s, {memory.peak / 1e9:.2f} GB", file=sys.stderr)
        figures.inside.append(told["seconds"])
        figures.versions = told["versions"]
        if number == 0:
            figures.left = left(texts_of(to, authors) if peer is None else kept(to), authors)


def run(command: list[str | Path]) -> tuple[float, float, dict[str, Any]]:
    """Seconds of the clock and of processors that a process takes with all below it, and what it says in the end."""
    before, began = os.times(), time.perf_counter()
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"  # where a tool looks for its own programs
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=os.environ | {"PATH": path}, **pipes) as process:
        out, said = process.communicate()
        whole = time.perf_counter() - began
    lines = [line for line in out.splitlines() if line.startswith('{"seconds"')]
    if process.returncode or not lines:
        raise FailedError((said.strip().splitlines() or ["no reason"])[-1])
    reap()
    after = os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return whole, busy, dict(json.loads(lines[-1]))


def adopt() -> None:
    """Have processes that outlive the one that made them be children of this one, so that their time is counted."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def reap() -> None:
    """Wait for whatever is left of a tool."""
    until = time.monotonic() + _PATIENCE_S
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.1)


def by_demur(job: dict[str, Any]) -> None:
    """An import, as a process of its own."""
    batches = load_source("table").read(job["parts"], {})
    report = import_items(find(Path(job["to"])), "table", batches, workers=job["workers"])
    print(json.dumps({"seconds": report.seconds, "versions": {"pylance": lance.__version__}}))


def kept(folder: Path) -> pa.Table:
    """What a tool wrote, whatever its files are called."""
    files = [path for path in folder.rglob("*.parquet") if not path.name.startswith(("_", "."))]
    return pa.concat_tables(map(_read, files))


def _read(path: Path) -> pa.Table:
    """Author and text of each row; datatrove puts all but the text below `metadata`."""
    table = pq.ParquetFile(path).read()
    below = table["metadata"].combine_chunks() if "metadata" in table.column_names else None
    author = table["author"] if below is None else below.field("author")
    return pa.table({"author": author, "text": table["text"]}).cast(_PLAIN)


def texts_of(root: Path, authors: list[str]) -> pa.Table:
    """The corpus; its authors are keyed, and those of whoever objected are given their accounts again."""
    workspace = find(root)
    table = lance.dataset(str(workspace.corpus_path)).to_table(columns=["author", "text"])
    keys = pa.array(workspace.keys().pepper.spelt_keys(authors))
    known = pc.take(pa.array(authors), pc.index_in(table["author"], keys))
    return pa.table({"author": known, "text": table["text"]}).cast(_PLAIN)


def left(table: pa.Table, authors: list[str]) -> dict[str, int]:
    """How many rows there are, and how many of them still hold what was to go."""
    handles = "@(?:" + "|".join(re.escape(each.partition(":")[2]) for each in authors) + r")\b"
    out = pa.table({"author": authors})
    with duckdb.connect() as connection:
        connection.register("kept", table)
        connection.register("gone", out)
        count = partial(_count, connection)
        return {
            "rows": count("SELECT count(*) FROM kept"),
            "theirs": count("SELECT count(*) FROM kept SEMI JOIN gone USING (author)"),
            "handles": count(f"SELECT count(*) FROM kept WHERE regexp_matches(text, '{handles}')"),
            "mails": count(f"SELECT count(*) FROM kept WHERE regexp_matches(text, '{MAIL}')"),
            "phones": count(f"SELECT count(*) FROM kept WHERE regexp_matches(text, '{PHONE}')"),
        }


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    found = connection.execute(query).fetchone()
    assert found is not None
    return int(found[0])


def shown(rows: int, found: dict[str, Figures], copy: float, copied: float) -> None:
    """Prints the table."""
    load = Path("/proc/loadavg").read_text().split()[0]
    print(
        f"{rows:,} posts; a DuckDB copy of them takes {copied:.2f} s of processors, {copy:.2f} s by the clock; medians "
        f"of {measure.RUNS}; load {load}"
    )
    print(HEAD)
    print("|---" * HEAD.count(" | ") + "|---|")
    for name, each in found.items():
        versions = ", ".join(f"{package} {version}" for package, version in each.versions.items())
        busy = measure.median(each.busy)
        figures = (
            f"{busy:.1f} s",
            f"{busy / copied:.0f}",
            f"{measure.median(each.whole):.1f} s",
            f"{measure.median(each.inside):.1f} s",
            f"{max(each.peak) / 1e9:.2f} GB",
            *(f"{number:,}" for number in each.left.values()),
        )
        print(f"| {name} ({versions}) | {' | '.join(figures)} |")


def picture(page: str) -> str:
    """The table of a page as a picture: seconds of processors, the fewest first.

    Raises:
        ValueError: when the page has no such table.
    """
    lines = iter(page.splitlines())
    if HEAD not in lines:  # which moves them on to what stands below it
        raise ValueError("no table of peers")
    next(lines)
    bars = []
    for line in lines:
        if not line.startswith("|"):
            break
        tool, busy, times = (cell.strip(" *") for cell in line.split("|")[1:4])
        name = tool.partition(" (")[0]
        bars.append(_bars.Bar(name, float(busy.removesuffix(" s")), f"{busy} ({times} copies)", name == OURS))
    ordered = sorted(bars, key=lambda bar: bar.value)
    told = ", ".join(f"{bar.name} {bar.said}" for bar in ordered)
    return _bars.drawn(TITLE, f"From the fewest to the most: {told}.", ordered)


if __name__ == "__main__":
    main()
