"""Suppression membership: keys a second on one core, 1 million in the set (target: at least 20 million)."""

import statistics
import time

import numpy as np

from demur.suppression.keyset import KeySet

MEMBERS = 1_000_000
ASKED = 8_000_000
ROUNDS = 5


def rate(members: KeySet, hits: float, random: np.random.Generator) -> float:
    """The median over five rounds of the keys answered in a second."""
    keys = random.integers(0, 2**63, ASKED, dtype=np.int64)
    known = random.random(ASKED) < hits
    keys[known] = random.choice(members.keys, int(known.sum()))
    members.contains(keys[:1])
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        members.contains(keys)
        seconds.append(time.perf_counter() - start)
    return ASKED / statistics.median(seconds)


def main() -> None:
    """Print one line for each share of hits."""
    random = np.random.default_rng(1)
    members = KeySet(random.integers(0, 2**63, MEMBERS, dtype=np.int64))
    for hits in (0.01, 0.5):
        print(f"membership  {hits:4.0%} hits  {rate(members, hits, random) / 1e6:6.1f} million keys/s")


if __name__ == "__main__":
    main()
