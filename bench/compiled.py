"""Fingerprints of what withheld people wrote: compiled of all lines, and gone on from by the difference.

Run ``python bench/compiled.py [PEOPLE ...]``, by default 2,000 and 20,000, each of whom wrote 20 made-up posts
(`_posts.py`); others wrote the same as a tenth of these. *Anew* builds everything and writes the file. *One more* is
what each of 150 more objections takes in a process that knows what was there before, and *opened* what it takes in a
process of its own, which reads the files and finds out what came since: the files are written anew at times, so that
the mean counts. Seconds of processors.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import _measure as measure
import _posts as made_up
from _copied import Post
from copies import lines
from demur.corpus.compiled import compiled
from demur.corpus.datasets.compaction import maintain_if_due
from demur.corpus.datasets.evidence import Fingerprints
from demur.kernel.evidence import FINGERPRINTS
from demur.suppression.copies import Copies, fingerprints_of
from demur.words.grams import mixed

PEOPLE: Final = (2_000, 20_000)
POSTS: Final = 20
OTHERS: Final = 10
"""Of so many posts one stands in another's, too."""
MORE: Final = 150


def main() -> None:
    """Prints the figures."""
    for people in [int(given) for given in sys.argv[1:]] or PEOPLE:
        texts = _texts((people + MORE) * POSTS)
        wrote = [Post(text, at // POSTS, 1_700_000_000_000_000 + at) for at, text in enumerate(texts)]
        told = _keyed(lines(wrote[: people * POSTS], 0, fingerprints_of, own=True))
        same = [Post(each.text, 10**9 + at, each.created) for at, each in enumerate(wrote[: people * POSTS : OTHERS])]
        seen = _keyed(lines(same, 10**8, Copies.build(told).seen, own=False))
        with measure.scratch() as folder:
            _measured(folder, pa.concat_tables([told, seen]), wrote[people * POSTS :], people)


def _measured(folder: Path, told: pa.Table, more: list[Post], people: int) -> None:
    files = folder / "files"
    files.mkdir()
    opened = Fingerprints.create(folder / "fingerprints.lance")
    none = np.zeros(0, np.uint64)
    opened.replace(none, told.combine_chunks().to_batches())
    print(f"{people:,} people, {len(told):,} lines, load {os.getloadavg()[0]:.1f}", flush=True)
    anew = [_took(lambda: _anew(opened, files)) for _ in range(measure.RUNS)]
    size = sum(path.stat().st_size for path in files.glob("*.index")) / 1e6
    print(f"  anew: median {statistics.median(anew):.3f} s, {size:.0f} MB", flush=True)
    compiled(opened, files)
    warm, cold = list[float](), list[float]()
    for at in range(0, len(more), POSTS):
        opened.replace(none, _keyed(lines(more[at : at + POSTS], 10**7 + at, fingerprints_of, own=True)).to_batches())
        maintain_if_due(opened)  # as honouring does
        cold.append(_took(lambda: compiled(Fingerprints.open(folder / "fingerprints.lance"), files)))
        warm.append(_took(lambda: compiled(opened, files)))
    for name, took in (("one more", warm), ("opened", cold)):
        mean, median = statistics.mean(took), statistics.median(took)
        print(f"  {name}: mean {mean:.4f} s, median {median:.4f}, most {max(took):.3f}")


def _anew(fingerprints: Fingerprints, files: Path) -> None:
    """Compile everything: no file is there, and the dataset is one that nobody looked at."""
    for path in files.iterdir():
        path.unlink()
    compiled(Fingerprints.open(Path(fingerprints.uri)), files)


def _took(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _keyed(told: pa.Table) -> pa.Table:
    """The same under keys of items, in the order of nothing."""
    items = mixed(told.column("item").to_numpy().astype(np.uint64)).view(np.int64) & np.int64(2**63 - 1)
    return told.set_column(0, FINGERPRINTS.field(0), pa.array(items)).combine_chunks()


def _texts(count: int) -> list[str]:
    found: list[str] = pq.read_table(made_up.table(count), columns=["text"]).column("text").to_pylist()
    return found


if __name__ == "__main__":
    main()
