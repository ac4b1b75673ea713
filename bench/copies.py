"""Copies of withheld people's words: how many are found, what else is touched, and how fast.

Run ``python bench/copies.py [UNRELATED]``, which is how many posts by others there are that copy nobody (100,000). The
posts are bench/_copied.py's. A copy counts as found where finds of its writer, from the score that a new policy has,
cover half of its characters. A post that copies nobody is touched where there is any such find. Stock is learnt as in
an import: what others wrote is read once, and then decided. *Both ways* is the number of posts where the look-up in
the corpus' column, by which an objection finds rows, leaves out a row that an import would mask: it has to be 0.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from _copied import Copy, Post, Talk, copies
from demur.kernel.evidence import FINGERPRINTS, gathered
from demur.people.finds import Finds
from demur.policy import Others
from demur.suppression.copies import Copies, fingerprints_of, gram_lists
from demur.words.batch import Words
from demur.words.keys import WordKeys
from demur.words.page import Page, Writing

KEYS: Final = WordKeys(bytes(range(32)))
SEED: Final = 12
PEOPLE: Final = 400
"""Withheld people."""
POSTS: Final = 40
"""Posts of each of them, of a tenth stock."""
OTHERS: Final = 20_000
BATCH: Final = 8_192
ROUNDS: Final = 5
GRAMS: Final = 1_000_000
FROM: Final = Others().copies_from

Reading = Callable[[Page], tuple[np.ndarray, np.ndarray]]


def page_of(posts: Sequence[Post], first: int = 0) -> Page:
    """Posts as the kernel reads them; items are numbered from ``first``."""
    texts = pa.array([post.text for post in posts], pa.large_string())
    quotes = [(row, *post.quote) for row, post in enumerate(posts) if post.quote]
    places = tuple(np.array(quotes, np.int64).reshape(-1, 3).T)
    none = np.zeros(0, np.int64)
    item = np.arange(first, first + len(posts))
    writing = Writing(np.array([post.author for post in posts]), item, item, np.full(len(posts), -1))
    language = pa.nulls(len(posts), pa.string())
    quoted = (places[0], places[1], places[2])
    return Page.of(texts, Words.of(texts, KEYS), writing, language, opaque=(none, none, none), quotes=quoted)


def lines(
    posts: Sequence[Post], first: int, read: Callable[[Page], tuple[np.ndarray, np.ndarray]], *, own: bool
) -> pa.Table:
    """Lines of FINGERPRINTS: what posts hold of own words, or of withheld people's."""
    parts = []
    for start in range(0, len(posts), BATCH):
        some = posts[start : start + BATCH]
        page = page_of(some, first + start)
        found, empty = gathered(len(some), *read(page)), gathered(len(some), *[np.zeros(0, np.int64)] * 2)
        created = pa.array([post.created for post in some])
        facts = [pa.array(page.writing.item), pa.array(page.writing.author), created]
        columns = [*facts, *((found, empty) if own else (empty, found))]
        parts.append(pa.RecordBatch.from_arrays(columns, schema=FINGERPRINTS))
    told = pa.Table.from_batches(parts, FINGERPRINTS)
    tells = pc.greater(pc.list_value_length(told.column("wrote" if own else "seen")), 0)
    return told.filter(tells)


def found_in(known: Copies, posts: Sequence[Post]) -> tuple[Finds, int]:
    """The finds in posts that count, and in how many rows of them an objection's look-up would have missed one."""
    parts, missed = [], 0
    asked = known.asked(known.subjects)
    for start in range(0, len(posts), BATCH):
        page = page_of(posts[start : start + BATCH])
        finds = known.found(page)
        finds = finds.take(finds.score >= FROM)
        lists = gram_lists(page)
        holds = np.isin(lists.flatten().to_numpy(zero_copy_only=False), asked)
        of = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
        missed += len(np.setdiff1d(finds.row, of[holds]))
        parts.append(replace(finds, row=finds.row + start))
    columns = [each.name for each in fields(Finds)]
    return Finds(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns)), missed


def covered(finds: Finds, row: int, subject: int | None, start: int, end: int) -> int:
    """How many code points of a place finds in a row cover."""
    here = np.flatnonzero(finds.row == row)
    masked = np.zeros(end - start, bool)
    for at in here.tolist():
        if subject is None or finds.subject[at] == subject:
            masked[max(finds.start[at] - start, 0) : max(finds.end[at] - start, 0)] = True
    return int(masked.sum())


def recall(known: Copies, made: list[Copy]) -> int:
    """Prints how many copies are found, by case; says how many posts the look-up would have missed."""
    finds, missed = found_in(known, [copy.post for copy in made])
    shares: dict[str, list[float]] = defaultdict(list)
    beyond: dict[str, list[int]] = defaultdict(list)
    for row, copy in enumerate(made):
        inside = covered(finds, row, copy.writer, copy.start, copy.end)
        shares[copy.case].append(inside / (copy.end - copy.start))
        beyond[copy.case].append(covered(finds, row, None, 0, len(copy.post.text)) - inside)
    print("recall                          found   of    masked of those found   characters masked beyond")
    for case in sorted(shares):
        hit = [share for share in shares[case] if share >= 0.5]
        rate, of = len(hit) / len(shares[case]), len(shares[case])
        print(
            f"  {case:28} {rate:7.4f} {of:5} {statistics.mean(hit or [0]):12.3f} {statistics.mean(beyond[case]):20.2f}"
        )
    return missed


def touched(known: Copies, posts: list[Post]) -> int:
    """Prints how many posts that copy nobody are touched, and some of what was masked."""
    finds, missed = found_in(known, posts)
    rows = np.unique(finds.row)
    print(f"unrelated posts touched: {len(rows)} of {len(posts)} ({len(rows) / len(posts):.4%})")
    for at in range(min(len(finds), 8)):
        text = posts[int(finds.row[at])].text[int(finds.start[at]) : int(finds.end[at])]
        print(f"    score {finds.score[at]}: {text[:110]!r}")
    return missed


def rates(known: Copies, posts: list[Post], other: list[Post]) -> None:
    """Prints megabytes a second: of the gate, where nothing is found, and of the whole, beside a yardstick."""
    clean, mixed = ([page_of(some[at : at + BATCH]) for at in range(0, len(some), BATCH)] for some in (posts, other))
    size, both = (sum(pc.sum(pc.binary_length(page.texts)).as_py() for page in pages) / 1e6 for pages in (clean, mixed))
    works: dict[str, tuple[float, Callable[[], object]]] = {
        "yardstick (lower case, split)": (size, lambda: [pc.split_pattern(pc.utf8_lower(p.texts), " ") for p in clean]),
        "words": (size, lambda: [Words.of(page.texts, KEYS) for page in clean]),
        "gate: found, no candidate": (size, lambda: [known.found(page) for page in clean]),
        "found, each post a copy": (both, lambda: [known.found(page) for page in mixed]),
        "seen, no candidate": (size, lambda: [known.seen(page) for page in clean]),
        "gram_lists": (size, lambda: [gram_lists(page) for page in clean]),
        "words, found, seen, lists": (
            size,
            lambda: [(known.found(p), known.seen(p), gram_lists(p)) for p in map(again, clean)],
        ),
    }
    times = defaultdict(list)
    for _ in range(ROUNDS):
        for name, (_, work) in works.items():
            began = time.process_time()
            work()
            times[name].append(time.process_time() - began)
    for name, (megabytes, _) in works.items():
        print(f"  {name:32} {megabytes / statistics.median(times[name]):7.1f} MB/s")


def again(page: Page) -> Page:
    """A page with its words read anew."""
    none = (np.zeros(0, np.int64),) * 3
    words = Words.of(page.texts, KEYS)
    return Page.of(page.texts, words, page.writing, page.language, opaque=none, quotes=none)


def sizes(talk: Talk) -> None:
    """Prints the bytes a row that the column of grams takes, by length of the post."""
    for count in (8, 20, 30, 40, 60, 120):
        posts = [Post(talk.written("en", talk.words("en", count)), 0, 0) for _ in range(500)]
        held = len(gram_lists(page_of(posts)).flatten()) * 4 / len(posts)
        size = statistics.mean(len(post.text) for post in posts)
        print(f"  posts of {count:3} words: {size:5.0f} bytes of text, {held:5.1f} bytes of grams")


def adversarial(known: Copies, talk: Talk, original: Post) -> None:
    """Prints the seconds that posts made to be slow take, at a tenth of their size and whole."""
    cases = {
        "one word": "spam ",
        "one original": original.text + " ",
        "everybody's phrase": " ".join(talk.words("en", 9)) + " ",
        "no word": "?!",
    }
    for name, unit in cases.items():
        parts = []
        for size in (1_000_000, 10_000_000):
            page = page_of([Post(unit * (size // len(unit)), 0, 0)])
            began = time.process_time()
            known.found(page), known.seen(page), gram_lists(page)
            parts.append(time.process_time() - began)
        print(
            f"  {name:20} 1 MB {parts[0]:6.2f} s, 10 MB {parts[1]:6.2f} s ({parts[1] / max(parts[0], 1e-9):.1f} times)"
        )


def loaded(told: pa.Table) -> Copies:
    """Copies of a million grams more, built, written and mapped; prints the seconds."""
    rng = np.random.default_rng(SEED)
    posts = 20_000
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(posts + 1, dtype=np.int32) * (GRAMS // posts)),
        pa.array(rng.integers(0, 2**63 - 1, GRAMS)),
    )
    empty = gathered(posts, *[np.zeros(0, np.int64)] * 2)
    facts = [pa.array(rng.integers(0, 2**62, posts)) for _ in range(2)]
    more = pa.Table.from_arrays([*facts, pa.array(np.full(posts, 10**15)), lists, empty], schema=FINGERPRINTS)
    both = pa.concat_tables([told, more])
    path = Path(tempfile.mkdtemp()) / "copies.index"
    began = time.process_time()
    built = Copies.build(both)
    took = time.process_time() - began
    built.save(path)
    size = path.stat().st_size
    print(f"  {GRAMS + len(pc.list_flatten(told.column('wrote')))} grams built in {took:.2f} s, {size / 1e6:.0f} MB")
    return Copies.load(path)


def main() -> None:
    """Prints the figures."""
    unrelated = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    talk = Talk(SEED)
    others = list(range(10_000, 10_000 + OTHERS))
    originals = [talk.post(1 + number % PEOPLE, 3, 90) for number in range(PEOPLE * POSTS)]
    pure = [talk.post(1 + number % PEOPLE, 4, 90) for number in range(PEOPLE * POSTS)]
    short = [talk.post(1 + number % PEOPLE, 4, 30) for number in range(PEOPLE * POSTS // 2)]
    made = list(copies(talk, [*pure, *short], others))
    posts = [talk.post(talk.random.choice(others)) for _ in range(unrelated)]
    wrote = lines([*originals, *pure, *short], 0, fingerprints_of, own=True)
    first = Copies.build(wrote)
    seen = lines([*posts, *(copy.post for copy in made)], 10**9, first.seen, own=False)
    known = Copies.build(pa.concat_tables([wrote, seen]))
    print(f"{len(pc.list_flatten(wrote.column('wrote')))} fingerprints; {len(seen)} lines of others who wrote one")
    missed = recall(known, made) + touched(known, posts)
    print(f"both ways: {missed} posts that the look-up leaves out")
    print("bytes a row")
    sizes(talk)
    print("a million grams more")
    big = loaded(pa.concat_tables([wrote, seen]))
    clean = [talk.post(0, 4) for _ in range(BATCH * 4)]
    rates(big, clean, [copy.post for copy in made][: BATCH * 2])
    print("adversarial posts")
    adversarial(big, talk, pure[0])


if __name__ == "__main__":
    main()
