"""Rows per second of the search for direct identifiers, on posts shaped like real ones.

Run ``python bench/identifiers.py [ROWS]``. The posts are made up: about 120 characters, 35 % with a handle, 8 % with a
web address, 1 % with a mail address, 0.5 % with a phone number, and the numbers, dates, versions and emoji of
ordinary talk. Prints the median of three runs, by the clock and by
the processor (for a machine that others use too), of the gate alone and of the whole, and the share of rows that needed
the exact search.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from demur.kernel.identifiers import Category, find_identifiers
from demur.kernel.identifiers.gate import Batch, gate

BATCH: Final = 16_384
ROWS: Final = 500_000
RUNS: Final = 3
TARGET: Final = 500_000
"""Rows a second on one core: 2 million posts in 4 seconds."""

WORDS: Final = """
    the a and is it was that this you for on with have not are but they what all when there can so one out
    people think really time know just good day today work year right never house light weather coffee train
    später möglich Straße être déjà niño год люди привет obrigado één güzel
    """.split()  # noqa: SIM905 - words are read better as a paragraph


def post(rng: random.Random) -> str:
    """One made-up post."""
    words = rng.choices(WORDS, k=rng.randint(8, 36))
    extras: list[tuple[float, Callable[[], str]]] = [
        (0.35, lambda: f"@{_name(rng)}{rng.choice(['', '', ':', ',', '.', '!'])}"),
        (0.08, lambda: _link(rng)),
        (0.01, lambda: f"{_name(rng)}@example.org"),
        (0.005, lambda: f"+49 30 {rng.randint(100000, 9999999)}"),
        (0.05, lambda: str(rng.randint(1, 99999))),
        (0.02, lambda: f"{rng.randint(2005, 2025)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}"),
        (0.02, lambda: f"{rng.randint(10, 23)}:{rng.randint(10, 59)}"),
        (0.01, lambda: f"v{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}"),
        (0.08, lambda: rng.choice("😀🎉❤👍🙏")),
        (0.02, lambda: "\u2764\ufe0f"),
        (0.02, lambda: "\u2013"),
        (0.02, lambda: rng.choice(["and/or", "w/o", "24/7"])),
    ]
    for share, make in extras:
        if rng.random() < share:
            words.insert(rng.randint(0, len(words)), make())
    return " ".join(words)


def _name(rng: random.Random) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz_", k=rng.randint(4, 12))) + rng.choice(["", "", "7", "92"])


def _link(rng: random.Random) -> str:
    if rng.random() < 0.15:
        return f"https://www.{rng.choice(['instagram', 'facebook', 'twitter'])}.com/{_name(rng)}"
    return f"https://{_name(rng)}.example.com/{rng.choice(['news', 'a', 'item'])}/{rng.randint(1, 99999)}"


def batches(rows: int, seed: int = 7) -> list[pa.Array]:
    """Posts in batches as the kernel gets them."""
    rng = random.Random(seed)
    pool = [post(rng) for _ in range(min(rows, 100_000))]
    texts = [pool[place % len(pool)] for place in range(rows)]
    return [pa.array(texts[start : start + BATCH], type=pa.large_string()) for start in range(0, rows, BATCH)]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Median wall and processor time of three runs."""
    walls, processor = [], []
    for _ in range(RUNS):
        begun, busy = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - begun)
        processor.append(time.process_time() - busy)
    return statistics.median(walls), statistics.median(processor)


def main() -> None:
    """Print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    posts = batches(rows)
    size = sum(len(Batch(batch).view) for batch in posts)
    wanted = frozenset(Category)
    slow = sum(len(gate(Batch(batch)).slow) for batch in posts)
    hits = sum(len(find_identifiers(batch, wanted)) for batch in posts)
    print(f"rows {rows:,}, bytes a row {size / rows:.0f}, hits {hits:,}, exact search {slow / rows:.1%} of rows")
    for name, work in (
        ("gate", lambda: [gate(Batch(batch)) for batch in posts]),
        ("whole", lambda: [find_identifiers(batch, wanted) for batch in posts]),
    ):
        wall, busy = seconds(work)
        print(
            f"{name:6} {wall:6.2f} s wall {busy:6.2f} s processor"
            f" {rows / busy:10,.0f} rows/s {size / busy / 1e6:6.0f} MB/s"
        )
    print(f"target {TARGET:44,} rows/s")


if __name__ == "__main__":
    main()
