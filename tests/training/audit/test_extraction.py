"""Extraction: the arithmetic against brute force, and rows that were learnt by heart come out."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learnt import Learnt, figures, people

from demur.training.audit.continuing import ALL, LIKELIEST, Scheme, beams, sampled, suffix_chances
from demur.training.audit.extraction import extractable, extracted, within
from demur.training.audit.figure import Finding, NotRun
from demur.training.audit.intervals import auc, mean, share, share_of_rows
from demur.training.audit.near_verbatim import common_run, edits, found_near, near_extracted
from demur.training.audit.passages import CUT, Cut, Passages, grouped
from demur.training.rows import Rows

pytest.importorskip("torch")

TOKENS = st.lists(st.integers(0, 3), min_size=5, max_size=5)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5), st.integers(1, 6), st.floats(0.3, 3))
def test_a_scheme_draws_with_the_likelihood_that_it_says(scores: list[float], top_k: int, temperature: float) -> None:
    found = Scheme(temperature, top_k).log_chances(np.array(scores))
    order = sorted(range(len(scores)), key=lambda at: (-scores[at] / temperature, at))[:top_k]
    weights = [np.exp(scores[at] / temperature) if at in order else 0.0 for at in range(len(scores))]
    assert np.allclose(np.exp(found), np.array(weights) / sum(weights))


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=4), st.integers(1, 4), st.data())
def test_n_queries_are_all_ways_to_draw(weights: list[float], queries: int, data: st.DataObject) -> None:
    """Over all that n draws from a toy distribution can give, at least one of which is the one that is wanted."""
    chances, wanted = np.array(weights) / sum(weights), data.draw(st.integers(0, len(weights) - 1))
    drawn = product(range(len(weights)), repeat=queries)
    brute = sum(float(np.prod(chances[list(each)])) for each in drawn if wanted in each)
    assert within(np.log(chances[wanted : wanted + 1]), queries) == pytest.approx(brute)


@given(st.floats(-40, 0), st.sampled_from([0.5, 0.9]))
def test_more_queries_give_more(chance: float, wanted: float) -> None:
    given_in = [bool(extractable(np.array([chance]), queries, wanted)[0]) for queries in (1, 10, 100, 10_000)]
    assert given_in == sorted(given_in)
    assert given_in[0] == (np.exp(chance) >= wanted)
    assert not within(np.array([-np.inf]), 10_000)[0]


def test_what_is_drawn_comes_as_often_as_it_is_likely(duplicated: Learnt) -> None:
    """Drawn 3,000 times from a network, each of the commonest ends is as frequent as its exact likelihood."""
    scheme, prompt, number = Scheme(1.3, 6), duplicated.held[0][0][:6].astype(np.int64), 3000
    drawn = Counter(map(tuple, sampled(duplicated.network, prompt, number, 2, scheme, seed=1).tolist()))
    ends = [list(each) for each, _ in drawn.most_common(12)]
    rows = np.array([[*prompt, *end] for end in ends], np.int64)
    chances = np.exp(suffix_chances(duplicated.network, rows, len(prompt), scheme)[0])
    seen = np.array([drawn[tuple(end)] for end in ends]) / number
    assert (np.abs(seen - chances) < 5 * np.sqrt(chances * (1 - chances) / number)).all()


def test_wide_beams_find_everything_that_can_be_drawn(duplicated: Learnt) -> None:
    scheme, rows = Scheme(0.8, 3), np.array([row[0] for row in duplicated.held[:3]], np.int64)
    ids, chances = beams(duplicated.network, rows[:, :5], 3, 27, scheme)
    assert ids.shape == (3, 27, 3)
    assert np.exp(chances).sum(axis=1) == pytest.approx(1)
    for row, ends, found in zip(rows, ids, chances, strict=True):
        assert len(set(map(tuple, ends.tolist()))) == 27
        whole = np.concatenate([np.tile(row[:5], (27, 1)), ends], axis=1)
        assert suffix_chances(duplicated.network, whole, 5, scheme)[0] == pytest.approx(found, abs=1e-3)
        assert (np.diff(found) <= 0).all()


@given(TOKENS, TOKENS)
def test_edits_and_runs_by_brute_force(one: list[int], other: list[int]) -> None:
    assert edits(np.array(one), np.array(other)) == levenshtein(one, other)
    runs = [
        size
        for size in range(6)
        for a in range(6 - size)
        for b in range(6 - size)
        if one[a:][:size] == other[b:][:size]
    ]
    assert common_run(np.array(one), np.array(other)) == max(runs)


def levenshtein(one: list[int], other: list[int]) -> int:
    if not (one and other):
        return len(one) + len(other)
    same = levenshtein(one[1:], other[1:]) if one[0] == other[0] else 9
    further = (levenshtein(one[1:], other), levenshtein(one, other[1:]), levenshtein(one[1:], other[1:]))
    return min(same, 1 + min(further))


def test_rows_that_were_learnt_by_heart_come_out(duplicated: Learnt, planted: Learnt) -> None:
    """Four copies of a row, against one, in as many updates; and people who were held out."""
    found = [extracted(each.network, each.members, each.held) for each in (duplicated, planted)]
    assert all(isinstance(each, Finding) for each in found)
    often, once = map(figures, found)
    assert often["members_n100_p0.5"].value > 0.9
    assert often["members_greedy"].value > once["members_greedy"].value
    assert often["members_n100_p0.5"].value > once["members_n100_p0.5"].value
    for told in (often, once):
        assert all(figure.value == 0 for name, figure in told.items() if name.startswith("held"))
        assert all(figure.interval for figure in told.values())
        assert told["members_n10_p0.9"].value <= told["members_n10_p0.5"].value <= told["members_n100_p0.5"].value
    assert (often["members_greedy"].n, often["members_rows_greedy"].n) == (20, 40)


def test_near_is_at_least_what_is_verbatim(duplicated: Learnt, planted: Learnt) -> None:
    for model in (duplicated, planted):
        rows = Passages.of(model.members, CUT).rows
        near = found_near(model.network, rows, CUT, LIKELIEST, 5)
        verbatim, _ = suffix_chances(model.network, rows, CUT.prefix, LIKELIEST)
        assert (near.chances >= verbatim).all()
        assert (near.chances < 1e-9).all()
    told = near_extracted(duplicated.network, duplicated.members, duplicated.held)
    assert isinstance(told, Finding)
    found = figures(told)
    assert found["members_n100_p0.5"].value > 0.9
    assert found["members_beam_near"].value > 0.9
    assert found["held_n10000_p0.5"].value == found["held_beam_near"].value == 0


def test_a_row_that_was_changed_a_little_is_near_and_not_verbatim(duplicated: Learnt) -> None:
    changed = [[row.copy() for row in theirs] for theirs in duplicated.members]
    for theirs in changed:
        for row in theirs:
            row[-1] = (row[-1] + 1) % 300
    verbatim = extracted(duplicated.network, changed, duplicated.held)
    near = near_extracted(duplicated.network, changed, duplicated.held)
    assert isinstance(verbatim, Finding)
    assert isinstance(near, Finding)
    assert figures(verbatim)["members_greedy"].value == 0
    assert figures(near)["members_n10000_p0.5"].value > 0.9


def test_who_wrote_too_little_is_counted_apart(duplicated: Learnt) -> None:
    short = people(3, 5, length=9)
    assert extracted(duplicated.network, short, short) == NotRun(
        "extraction", "no member has a row of 16 tokens: ask for shorter passages"
    )
    assert isinstance(near_extracted(duplicated.network, short, short), NotRun)
    found = extracted(duplicated.network, [*duplicated.members, *short], short)
    assert isinstance(found, Finding)
    told = figures(found)
    assert (told["members_greedy"].n, told["members_greedy"].note) == (20, "3 more have no row that is long enough")
    assert told["held_greedy"].value is told["held_greedy"].interval is None
    assert (
        told["held_greedy"].note
        == told["held_rows_greedy"].note.split("; ")[-1]
        == "nobody has a row that is long enough"
    )


@given(st.integers(1, 5), st.integers(0, 99))
def test_passages_are_of_whoever_wrote_them(each: int, seed: int) -> None:
    groups = [*people(4, seed, rows=3, length=20), *people(2, seed, length=3), *people(1, seed, rows=1, length=16)]
    cut = replace(CUT, each=each)
    found = Passages.of(groups, cut, seed)
    assert (found.persons, found.without) == (5, 2)
    whole = [{tuple(row[:16]) for row in theirs} for theirs in groups if len(theirs[0]) >= 16]
    assert all(tuple(row) in whole[at] for row, at in zip(found.rows, found.person.tolist(), strict=True))
    assert np.bincount(found.person).tolist() == [min(each, 3)] * 4 + [1]
    assert Cut(8, 8).length == 16


def test_rows_are_grouped_by_whose_they_are() -> None:
    rows = Rows.of([at.to_bytes(16, "big") for at in range(3)], [[1, 2], [3], [4, 5, 6]], [[1]] * 3)
    found = grouped(rows, np.array([2, 0, 2]), 4)
    assert [[row.tolist() for row in theirs] for theirs in found] == [[[3]], [], [[1, 2], [4, 5, 6]], []]


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_share_lies_in_its_interval(hits: list[bool]) -> None:
    value, interval = share(np.array(hits))
    assert value == sum(hits) / len(hits)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= value <= high <= 1
    assert high - low > 0.08 / np.sqrt(len(hits)) / np.sqrt(len(hits))


@settings(max_examples=25)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=22), st.lists(st.integers(0, 5), min_size=1, max_size=22))
def test_an_auc_counts_pairs(high: list[int], low: list[int]) -> None:
    pairs = [(one > other) + (one == other) / 2 for one in high for other in low]
    value, interval = auc(np.array(high, float), np.array(low, float))
    assert value == pytest.approx(np.mean(pairs))
    assert (interval is None) == (min(len(high), len(low)) < 20)


def test_nothing_has_no_figure() -> None:
    empty = np.zeros(0)
    assert share(empty.astype(bool)) == mean(empty) == auc(empty, empty) == (None, None)
    assert share_of_rows(empty.astype(bool), empty.astype(np.int64)) == (None, None)
    assert ALL.top_k == 0
