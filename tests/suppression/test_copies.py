"""Copies: who wrote the words of others is found, by an import as by an objection, and stock is nobody's."""

import pickle
import random
import time
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from copying import KEYS, Said, known, lines, masked, page_of
from hypothesis import given, settings
from hypothesis import strategies as st

from demur.people.finds import Finds
from demur.suppression.copies import Copies, fingerprints_of, gram_lists
from demur.suppression.levels import Levels
from demur.words.batch import Words

ANN, BEN, CYD, DEE, EVE = 1, 2, 3, 4, 5
LONG = (
    "the tomatoes behind our old shed want water every evening and a little shade at noon or they dry out long before"
    " anybody thinks of picking them"
)
OTHER = "my neighbour keeps nine bees in a box and says they pay their rent in honey which nobody here believes at all"
SHORT = "magnificent turnips overcome ordinary rhubarb"
OWN = "quite some words of my own stand here"


def words_of(text: str) -> list[str]:
    return text.split()


def test_a_copy_is_found_among_other_words() -> None:
    assert masked(known([Said(LONG, ANN)]), Said(f"{OWN}. {LONG.upper()}! {OWN}")) == [(LONG.upper(), ANN, 100)]


@pytest.mark.parametrize("first", range(14))
def test_any_twelve_words_are_found(first: int) -> None:
    part = " ".join(words_of(LONG)[first : first + 12])
    assert [(words, who) for words, who, _ in masked(known([Said(LONG, ANN)]), Said(f"{OWN} {part} {OWN}"))] == [
        (part, ANN)
    ]


def test_seven_words_are_not() -> None:
    part = " ".join(words_of(LONG)[3:10])
    assert masked(known([Said(LONG, ANN)]), Said(f"{OWN} {part} {OWN}")) == []


def test_nothing_is_found_in_what_its_writer_wrote() -> None:
    copies = known([Said(LONG, ANN), Said(OTHER, BEN)])
    assert masked(copies, Said(LONG, ANN)) == []
    assert [who for _, who, _ in masked(copies, Said(OTHER, ANN))] == [BEN]


def test_what_two_wrote_is_found_of_both() -> None:
    found = masked(known([Said(LONG, ANN), Said(LONG, BEN)]), Said(LONG))
    assert [who for _, who, _ in found] == [ANN, BEN]


def test_an_edit_in_the_middle_is_masked_along() -> None:
    edited = LONG.replace("and a little", "but some")
    assert [words for words, _, _ in masked(known([Said(LONG, ANN)]), Said(f"{OWN}: {edited}, {OWN}"))] == [edited]


def test_one_mask_over_a_name_within() -> None:
    text = LONG.replace("evening", "evening [person]")
    at = text.index("[person]")
    found = masked(known([Said(LONG, ANN)]), Said(f"{text} {OWN}", masks=[(at, at + 8)]))
    assert [words for words, _, _ in found] == [text]


def test_a_find_ends_at_the_edge_of_a_quote() -> None:
    half = len(" ".join(words_of(LONG)[:13]))
    found = masked(known([Said(LONG, ANN)]), Said(LONG, quotes=[(0, half)]))
    assert [words for words, _, _ in found] == [LONG[:half], LONG[half + 1 :]]


def test_words_that_somebody_quotes_are_not_theirs() -> None:
    quoting = Said(f"{LONG}\n{OTHER}", ANN, quotes=[(0, len(LONG))])
    copies = known([quoting])
    assert masked(copies, Said(LONG)) == []
    assert masked(copies, Said(OTHER)) != []


def test_code_is_not_theirs() -> None:
    code = "for each in range(ninety):\n    print(each, other, third, fourth, fifth, sixth, seventh, eighth, ninth)\n"
    assert masked(known([Said(f"{code}\n{LONG}", ANN)]), Said(code)) == []


@pytest.mark.parametrize(("edits", "least"), [(0, 1), (1, 0.99), (3, 0.98)])
def test_near_copies(edits: int, least: float) -> None:
    chance, hits = random.Random(edits), 0
    for _ in range(150):
        words = ["".join(chance.choices("aeioulmnrst", k=7)) for _ in range(chance.randint(25, 60))]
        copies = known([Said(" ".join(words), ANN)])
        for at in chance.sample(range(len(words)), edits):
            words[at] = "changed"
        hits += bool(masked(copies, Said(" ".join(words))))
    assert hits >= least * 150


def test_short_posts_are_found_whole_alone() -> None:
    copies = known([Said(SHORT, ANN)])
    assert [(words, who) for words, who, _ in masked(copies, Said(f"{SHORT.title()}!!"))] == [(SHORT.title(), ANN)]
    assert masked(copies, Said(f"{SHORT} indeed")) == []


def test_rare_words_make_a_short_post_surer() -> None:
    usual = "so do i as well"
    ((_, _, rare),) = masked(known([Said(SHORT, ANN)]), Said(SHORT))
    ((_, _, common),) = masked(known([Said(usual, ANN)]), Said(usual))
    assert common < 50 < rare


def test_what_three_others_wrote_is_stock() -> None:
    two = [Said(f"{OWN} {LONG}", author) for author in (BEN, CYD)]
    assert masked(known([Said(LONG, ANN)], [*two, two[0]]), Said(LONG)) != []
    assert masked(known([Said(LONG, ANN)], [*two, Said(LONG, DEE)]), Said(LONG)) == []
    assert masked(known([Said(LONG, ANN)], [*two, Said(LONG, ANN)]), Said(LONG)) != []


def test_withheld_authors_count_for_stock() -> None:
    assert masked(known([Said(LONG, author) for author in (ANN, BEN, CYD, DEE)]), Said(LONG)) == []


def test_who_quotes_makes_no_stock() -> None:
    quoting = [Said(LONG, author, quotes=[(0, len(LONG))]) for author in (BEN, CYD, DEE)]
    assert masked(known([Said(LONG, ANN)], quoting), Said(LONG)) != []


def test_what_somebody_else_wrote_before_is_not_theirs() -> None:
    mine = Said(LONG, ANN, created=1000)
    assert masked(known([mine], [Said(LONG, BEN, created=999)]), Said(LONG)) == []
    for later in (1000, 1001, Said("").created):
        assert masked(known([mine], [Said(LONG, BEN, created=later)]), Said(LONG)) != []
    undated = Said(LONG, ANN)
    assert masked(known([undated], [Said(LONG, BEN, created=999)]), Said(LONG)) != []


def test_stock_within_own_words_stays() -> None:
    text = f"{LONG} {OTHER}"
    stock = [Said(OTHER, author) for author in (BEN, CYD, DEE)]
    ((words, _, _),) = masked(known([Said(text, ANN)], stock), Said(text))
    assert words.startswith(LONG[:40])
    assert len(words_of(words)) <= len(words_of(LONG)) + 8


PIECES = st.lists(
    st.sampled_from([LONG, OTHER, SHORT, OWN, LONG[:90], LONG[40:], OTHER[:60], "\n", "王", "[person]", "日本語" * 9]),
    max_size=5,
).map(" ".join)


@st.composite
def posts(draw: st.DrawFn) -> Said:
    text = draw(PIECES)
    ends = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    masks = [(at, at + 8) for at in [text.find("[person]")] if at >= 0]
    quotes = [(ends[0], ends[1])] if draw(st.booleans()) else []
    return Said(text, draw(st.integers(1, 6)), draw(st.integers(1, 4)), quotes, masks)


def rows_of(found: Finds, first: int = 0) -> list[tuple[int, ...]]:
    columns = (found.row + first, found.start, found.end, found.subject, found.score)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@given(st.lists(posts(), min_size=1, max_size=4), st.lists(posts(), max_size=5))
def test_laws_of_finds(wrote: list[Said], others: list[Said]) -> None:
    copies, page = known(wrote, others), page_of(others)
    found = copies.found(page)
    by_one = [rows_of(copies.found(page_of([post])), row) for row, post in enumerate(others)]
    assert rows_of(found) == sorted(chain.from_iterable(by_one))
    whole = Words.of(page.texts, KEYS)
    begins, ends = (set(zip(whole.row.tolist(), at.tolist(), strict=True)) for at in (whole.start, whole.end))
    lists = gram_lists(page).to_pylist()
    places: dict[tuple[int, int], int] = {}
    for row, start, end, subject, score in rows_of(found):
        assert (row, start) in begins
        assert (row, end) in ends
        assert 0 < score <= 100
        assert subject != others[row].author
        assert not any(start < edge < end for quote in others[row].quotes for edge in quote)
        assert places.get((row, subject), 0) <= start  # no two of one person overlap
        places[row, subject] = end
        assert set(lists[row]) & set(copies.asked(np.array([subject])).tolist())  # an objection finds the row, too


@given(st.lists(posts(), min_size=1, max_size=4), st.lists(posts(), max_size=4))
def test_whoever_is_seen_is_found_by_what_is_asked(wrote: list[Said], others: list[Said]) -> None:
    copies, page = known(wrote), page_of(others)
    row, key = copies.seen(page)
    lists = gram_lists(page).to_pylist()
    for at, one in zip(row.tolist(), key.tolist(), strict=True):
        writers = np.unique(copies.writers(np.array([one]))[1])
        assert set(copies.asked(writers).tolist()) & set(lists[at])


@given(st.lists(posts(), min_size=1, max_size=4), st.lists(posts(), max_size=5))
def test_whatever_is_found_or_seen_stands_on_the_row(wrote: list[Said], others: list[Said]) -> None:
    copies, page = known(wrote, others), page_of(others)
    standing = copies.standing(page)
    assert standing[copies.found(page).row].all()
    assert standing[copies.seen(page)[0]].all()
    alone = [copies.standing(page_of([post])).item() for post in others]
    assert standing.tolist() == alone


def test_the_shortened_form_of_a_key_is_not_taken_for_it() -> None:
    copies, page = known([Said(LONG, ANN)]), page_of([Said(LONG), Said(OTHER)])
    assert copies.standing(page).tolist() == [True, False]
    (level,) = copies.levels.all
    gram = np.sort(level.gram ^ np.int64(1 << 40))  # the same shortened keys, and other keys
    like = Copies(Levels((replace(level, gram=gram),)))
    assert copies.asked(np.array([ANN])).tolist() == like.asked(np.array([ANN])).tolist()
    assert like.standing(page).tolist() == [False, False]


@given(st.lists(posts(), min_size=1, max_size=5), st.lists(posts(), min_size=1, max_size=5), st.randoms())
def test_the_order_of_lines_does_not_show(wrote: list[Said], others: list[Said], chance: random.Random) -> None:
    first = Copies.build(lines(wrote))
    table = pa.concat_tables([lines(wrote), lines(others, first)])
    order = chance.sample(range(len(table)), len(table))
    one, other = Copies.build(table), Copies.build(table.take(order))
    assert rows_of(one.found(page_of(others))) == rows_of(other.found(page_of(others)))
    assert one.asked(np.arange(9)).tolist() == other.asked(np.arange(9)).tolist()


def test_they_cross_processes_by_their_path(tmp_path: Path) -> None:
    copies = known([Said(LONG, ANN), Said(SHORT, BEN)])
    copies.save(tmp_path / "copies.index")
    loaded = Copies.load(tmp_path / "copies.index")
    assert len(pickle.dumps(loaded)) < 500
    for each in (loaded, pickle.loads(pickle.dumps(loaded)), pickle.loads(pickle.dumps(copies))):
        assert masked(each, Said(LONG)) == masked(copies, Said(LONG))


def test_without_any_there_is_nothing() -> None:
    copies = known([Said("", ANN)])
    assert masked(copies, Said(LONG)) == []
    assert len(copies.asked(np.array([ANN]))) == 0
    assert len(copies.found(page_of([]))) == 0
    assert gram_lists(page_of([])).to_pylist() == []


@pytest.mark.parametrize("unit", ["spam ", f"{LONG} ", f"{SHORT}\n", "王明", "a.b.c.d", "?!"])
def test_time_is_linear(unit: str) -> None:
    copies = known([Said(LONG, ANN), Said(SHORT, ANN), *(Said(f"{LONG} {n}", BEN) for n in range(30))])

    def seconds(size: int) -> float:
        post = Said(unit * (size // len(unit)))
        page, writers = page_of([post]), page_of([Said(post.text, ANN)])
        began = time.process_time()
        copies.found(page), copies.seen(page), gram_lists(page), fingerprints_of(writers)
        return time.process_time() - began

    seconds(20_000)
    assert seconds(800_000) < 100 * max(seconds(40_000), 0.004)  # 20 times as much


@settings(max_examples=30)
@given(PIECES, st.integers(1, 60))
def test_a_gram_list_holds_a_share_of_the_words(text: str, times: int) -> None:
    page = page_of([Said(" ".join([text] * times))])
    assert len(gram_lists(page)[0]) <= len(page.words) + 1
