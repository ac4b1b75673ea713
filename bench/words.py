"""Megabytes per second of reading folded, keyed words out of texts, and of the grams over them.

Run ``python bench/words.py [MEGABYTES]``. The texts are made up, about 120 characters each: words by a Zipf law out of
200,000, with capitals, apostrophes, hyphens and punctuation as in English, 2 % of them with a letter beyond ASCII;
then the same in Cyrillic, in Han, and in identifiers that never come twice. Steady state: the first pass, which learns
the vocabulary, is printed by itself. The yardstick is Arrow's ``utf8_lower`` and ``split_pattern`` of the same texts in
the same process; each figure is the median of five rounds in which all take turns.
"""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.words.batch import Words
from demur.words.grams import grams, sampled
from demur.words.keys import WordKeys

KEYS: Final = WordKeys(bytes(range(32)))
VOCABULARY: Final = 200_000
BATCH: Final = 16_384
ROUNDS: Final = 5
MEGABYTES: Final = 20
WORDS_A_ROW: Final = 20
ENDS: Final = (" ", ". ", ", ", "\n", "! ", "-", "'s ", " (", ") ", "... ", "? ", ": ")
SHARES: Final = (0.84, 0.05, 0.06, 0.008, 0.004, 0.006, 0.01, 0.004, 0.004, 0.004, 0.006, 0.004)


def vocabulary(rng: np.random.Generator, letters: str, shortest: int, longest: int) -> list[str]:
    """Made-up words, the frequent ones shorter."""
    drawn = np.array(list(letters))
    sizes = rng.integers(shortest, longest, VOCABULARY) - (np.arange(VOCABULARY) < VOCABULARY // 500) * 3
    return ["".join(drawn[rng.integers(0, len(drawn), max(size, 1))]) for size in sizes.tolist()]


def texts(words: list[str], megabytes: float, seed: int) -> list[pa.LargeStringArray]:
    """Batches of texts out of a vocabulary, by Zipf's law."""
    rng = np.random.default_rng(seed)
    weights = np.cumsum(1 / np.arange(1, len(words) + 1))
    wanted, made = megabytes * 1e6, 0
    batches = []
    while made < wanted:
        number = BATCH * WORDS_A_ROW
        which = np.searchsorted(weights, rng.random(number) * weights[-1])
        ends = rng.choice(len(ENDS), number, p=SHARES)
        upper = rng.random(number) < 0.08
        pieces = [
            (words[word].title() if capital else words[word]) + ENDS[end]
            for word, end, capital in zip(which.tolist(), ends.tolist(), upper.tolist(), strict=True)
        ]
        rows = ["".join(pieces[at : at + WORDS_A_ROW]) for at in range(0, number, WORDS_A_ROW)]
        batches.append(pa.array(rows, pa.large_string()))
        made += sum(map(size_of, batches[-1:]))
    return batches


def size_of(batch: pa.LargeStringArray) -> int:
    """Bytes of its texts."""
    return int(pc.sum(pc.binary_length(batch)).as_py())


def yardstick(batches: list[pa.LargeStringArray]) -> None:
    """What Arrow takes to lower-case and split."""
    for batch in batches:
        pc.split_pattern(pc.utf8_lower(batch), " ")


def figures(name: str, batches: list[pa.LargeStringArray]) -> str:
    """A line of figures on some texts."""
    size = sum(map(size_of, batches)) / 1e6
    began = time.process_time()
    found = [Words.of(batch, KEYS) for batch in batches]
    first = time.process_time() - began
    works: dict[str, Callable[[], object]] = {
        "yardstick": lambda: yardstick(batches),
        "words": lambda: [Words.of(batch, KEYS) for batch in batches],
        "grams": lambda: [(grams(words.key[words.plain], 8), sampled(words.key[words.plain], 8, 3)) for words in found],
    }
    times: dict[str, list[float]] = {work: [] for work in works}
    for _ in range(ROUNDS):
        for work, run in works.items():
            began = time.process_time()
            run()
            times[work].append(time.process_time() - began)
    rates = {work: size / statistics.median(each) for work, each in times.items()}
    words = sum(map(len, found))
    return (
        f"{name:12} {size:4.0f} MB {words / 1e6:5.1f}M words  first pass {size / first:5.1f} MB/s  words"
        f" {rates['words']:5.1f} MB/s  yardstick {rates['yardstick']:6.1f} MB/s"
        f" ({rates['words'] / rates['yardstick']:.2f} of it)  grams {rates['grams']:5.1f} MB/s"
    )


def unknown(megabytes: float) -> str:
    """A line on texts of which no token was ever seen: what an attacker may send."""
    numbers = np.random.default_rng(3).integers(0, 2**62, int(megabytes * 1e6 / 17)).tolist()
    tokens = [f"a{number:015x}" for number in numbers]
    batch = pa.array([" ".join(tokens[at : at + 10]) for at in range(0, len(tokens), 10)], pa.large_string())
    began = time.process_time()
    Words.of(batch, KEYS)
    rate = size_of(batch) / 1e6 / (time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{'never seen':12} {megabytes:4.0f} MB words {rate:5.1f} MB/s  peak memory of all {peak:.0f} MB"


def main() -> None:
    """Print the figures."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES
    rng = np.random.default_rng(1)
    english = vocabulary(rng, "eeeetttaaooiinnsshhrrdlucmfwypvbgkjxqz", 2, 11)
    english[10::50] = [word + "éüøß"[place % 4] for place, word in enumerate(english[10::50])]
    han = [chr(0x4E00 + place) for place in range(5000)]
    for name, words in (
        ("English-like", english),
        ("Cyrillic", vocabulary(rng, "оооеееааинтсрвлкмдпуяыьгзбчйхжшюцщэф", 2, 13)),
        ("Han", han),
    ):
        print(figures(name, texts(words, megabytes, 2)))
    print(unknown(megabytes / 4))


if __name__ == "__main__":
    main()
