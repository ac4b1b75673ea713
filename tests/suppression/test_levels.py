"""Levels of fingerprints: what is kept of one moment, and what differs since, answer as all lines of now do.

Everybody in here is invented.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from copying import Said, lines, page_of
from hypothesis import given, settings
from hypothesis import strategies as st

from demur.errors import RegisterError
from demur.kernel.evidence import FINGERPRINTS, UNDATED
from demur.suppression.copies import Copies
from demur.suppression.level import ENTRIES, ITEMS, Level
from demur.suppression.levels import Levels
from demur.suppression.shingles import is_looked_up

LONG = (
    "the ferry was late again and everybody on the pier had begun to talk about the winter of the great storm when "
    "nobody could cross for nine days and the baker walked over the ice"
)
NEARLY = LONG[:150]
SHORT = "moths adore lamps beyond reason"
OTHER = "our kitchen clock runs backwards whenever the neighbour upstairs plays his accordion out of tune at night"
TEXTS = (LONG, NEARLY, SHORT, OTHER, f"{LONG}\n{OTHER}", f"{OTHER} {SHORT}", LONG[40:130], "", "well")
ITEM_KEYS = (np.arange(1, 41, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(1)).astype(np.int64)
"""Of forty items, in no order: keys as words.page.short_keys gives them."""


@dataclass(frozen=True)
class Step:
    """What becomes of lines."""

    told: dict[int, Said]
    """Lines that come, or take the place of others, by the number of their item."""
    seen: dict[int, Said]
    """The same, of people who are not withheld: with what is seen in them."""
    gone: set[int]
    then: str
    """What is done about the levels."""


POSTS = st.builds(
    Said, st.sampled_from(TEXTS), st.integers(1, 6), st.sampled_from([1, 2, 3, UNDATED]), st.just([]), st.just([])
)
NUMBERS = st.integers(0, len(ITEM_KEYS) - 1)
STEPS = st.lists(
    st.builds(
        Step,
        st.dictionaries(NUMBERS, POSTS, max_size=12),
        st.dictionaries(NUMBERS, POSTS, max_size=6),
        st.sets(NUMBERS, max_size=8),
        st.sampled_from(["stack", "merge", "merge", "anew"]),
    ),
    min_size=1,
    max_size=6,
)
PAGE = page_of([Said(text, author) for text in (*TEXTS, f"Look: {LONG}", f"{NEARLY} indeed") for author in (2, 99)])


def told_of(posts: dict[int, Said], copies: Copies | None = None) -> pa.Table:
    """Lines of posts, by the numbers of their items: of what was written, or of what ``copies`` see in it."""
    table = lines(list(posts.values()), copies)
    return table.set_column(0, FINGERPRINTS.field("item"), pa.array(ITEM_KEYS[list(posts)], pa.int64()))


def without(table: pa.Table, items: np.ndarray) -> pa.Table:
    return table.filter(pa.array(~np.isin(table.column("item").to_numpy(), items)))


def every(copies: Copies) -> list[tuple[int, ...]]:
    return sorted(zip(*(column.tolist() for column in copies.levels.every()), strict=True))


def answers(copies: Copies) -> list[object]:
    """All that can be asked of them."""
    keys = np.unique(np.concatenate([copies.levels.every()[0], copies.seen(PAGE)[1], np.arange(5)]))
    finds = copies.found(PAGE)
    known = copies.levels.entries(keys)
    posts = copies.levels.posts(known.item)
    return [
        every(copies),
        [column.tolist() for column in (finds.row, finds.start, finds.end, finds.subject, finds.tier, finds.score)],
        [column.tolist() for column in copies.seen(PAGE)],
        sorted(zip(*(column.tolist() for column in copies.writers(keys)), strict=True)),
        sorted(zip(*(column.tolist() for column in (*known, posts.counts)), strict=True)),
        copies.standing(PAGE).tolist(),
        copies.levels.known(keys[is_looked_up(keys)]).tolist(),
        [copies.asked(np.array(subjects)).tolist() for subjects in ([], [1], [2], [6, 3], list(range(9)))],
        copies.subjects.tolist(),
    ]


def merged(copies: Copies) -> Copies:
    """The same with the two uppermost levels as one, where there are three."""
    if len(copies.levels.all) < 3:
        return copies
    first, second, *rest = copies.levels.all
    return Copies(Levels((first.merged(second), *rest)))


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_levels_answer_as_one_of_all_lines(steps: list[Step]) -> None:
    live = FINGERPRINTS.empty_table()
    copies = Copies.build(live)
    for step in steps:
        told = told_of(step.told)
        seen = told_of({number: post for number, post in step.seen.items() if number not in step.told}, copies)
        came = pa.concat_tables([told, seen])
        gone = ITEM_KEYS[sorted(step.gone)]
        live = pa.concat_tables([without(live, np.union1d(gone, came.column("item").to_numpy())), came])
        copies = Copies.build(live) if step.then == "anew" else copies.changed(gone, came)
        if step.then == "merge":
            copies = merged(copies)
        assert answers(copies) == answers(Copies.build(live))
    crossed: Copies = pickle.loads(pickle.dumps(copies))
    assert answers(crossed) == answers(copies)


def test_of_a_key_that_many_wrote_the_first_by_item_are_kept() -> None:
    posts = {number: Said(SHORT, 1 + number % 3) for number in range(30)}
    copies = Copies.build(told_of({}))
    for number in np.random.default_rng(5).permutation(30).tolist():
        copies = merged(copies.changed(np.zeros(0, np.int64), told_of({number: posts[number]})))
    gram = np.unique(copies.levels.every()[0])
    (one,) = gram[is_looked_up(gram)].tolist()
    found = copies.levels.entries(np.array([one]))
    assert len(found.item) == 3 * ITEMS == ENTRIES
    first = [sorted(ITEM_KEYS[[n for n in posts if posts[n].author == author]])[:ITEMS] for author in (1, 2, 3)]
    assert sorted(found.item.tolist()) == sorted(np.concatenate(first).tolist())


def test_a_level_costs_what_differs() -> None:
    copies = Copies.build(told_of({number: Said(f"{LONG} {number}", 1) for number in range(20)}))
    other = told_of({20: Said(OTHER, 2)})
    fresh = copies.changed(np.zeros(0, np.int64), other).levels.all[0]
    assert len(fresh.item) == 1
    assert len(fresh.gram) < 25


def test_two_lines_of_one_item_count_as_one() -> None:
    line = told_of({3: Said(LONG, 1)})
    assert answers(Copies.build(pa.concat_tables([line, line]))) == answers(Copies.build(line))


def test_levels_are_kept_as_files(tmp_path: Path) -> None:
    bottom = Copies.build(told_of({number: Said(text, 1) for number, text in enumerate(TEXTS)}))
    copies = bottom.changed(ITEM_KEYS[:1], told_of({20: Said(OTHER, 2), 1: Said(LONG, 3)}))
    loaded = []
    for number, level in enumerate(copies.levels.all):
        level.save(tmp_path / str(number), {".beside": np.arange(number)})
        found, beside = Level.load(tmp_path / str(number))
        assert beside[".beside"].tolist() == list(range(number))
        loaded.append(found)
    again = Copies(Levels(tuple(loaded)))
    assert answers(again) == answers(copies)
    data = pickle.dumps(again)
    assert len(data) < 800  # by their paths
    assert answers(pickle.loads(data)) == answers(copies)
    assert again.same_as(pickle.loads(data))
    assert not again.same_as(bottom)
    with pytest.raises(RegisterError):
        Level.published(tmp_path / "0")


def test_what_is_published_says_nothing_of_items_or_of_others(tmp_path: Path) -> None:
    wrote = Copies.build(told_of({1: Said(LONG, 1)}))
    copies = Copies.build(pa.concat_tables([told_of({1: Said(LONG, 1)}), told_of({2: Said(LONG, 777_777)}, wrote)]))
    path = tmp_path / "copies"
    copies.save(path)
    data = path.read_bytes()
    assert np.int64(1).tobytes() in data
    for secret in (777_777, ITEM_KEYS[1], ITEM_KEYS[2]):
        assert np.int64(secret).tobytes() not in data
    found = Copies.load(path)
    assert answers(found)[1:4] == answers(copies)[1:4]
    found.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == data
    with pytest.raises(ValueError, match="too many values"):
        copies.changed(ITEM_KEYS[:1], FINGERPRINTS.empty_table()).save(path)


def test_nothing_above_makes_no_difference() -> None:
    copies = Copies.build(told_of({1: Said(LONG, 1)}))
    assert answers(copies.changed(ITEM_KEYS[5:], FINGERPRINTS.empty_table())) == answers(copies)
