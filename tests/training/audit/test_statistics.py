"""What an audit counts, against counting by hand; and that its intervals are what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from demur.training.audit import statistics
from demur.training.audit.scores import Read, error_zone, robust
from demur.training.audit.statistics import Floats, Scores

VALUES = st.integers(-4, 4).map(float)


def some(least: int = 1) -> st.SearchStrategy[Floats]:
    return arrays.arrays(np.float64, st.integers(least, 12), elements=VALUES)


def rates_by_hand(scores: Scores) -> set[tuple[float, float]]:
    """False and true positive rate at every threshold, one above all included."""
    every = [*scores.members, *scores.held]
    return {
        (float((scores.held > each).mean()), float((scores.members > each).mean())) for each in [*every, min(every) - 1]
    }


@given(some(), some())
def test_an_auc_counts_pairs(members: Floats, held: Floats) -> None:
    pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one in members for other in held]
    assert statistics.auc(Scores(members, held)) == pytest.approx(np.mean(pairs))
    assert statistics.auc(Scores(held, members)) == pytest.approx(1 - np.mean(pairs))


@given(some(), some(), st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5]))
def test_a_true_rate_is_the_best_that_the_false_rate_allows(members: Floats, held: Floats, rate: float) -> None:
    scores = Scores(members, held)
    best = max(true for false, true in rates_by_hand(scores) if false <= rate)
    assert statistics.true_rate(scores, rate) == pytest.approx(best)


@given(some(), some())
def test_the_worst_tenth_is_the_highest_members(members: Floats, held: Floats) -> None:
    lowest = sorted(members)[-max(1, round(len(members) / 10))]
    assert statistics.false_rate(Scores(members, held), 0.1) == pytest.approx(np.mean(held >= lowest))


@given(some(), some())
def test_the_area_below_the_curve_is_the_auc(members: Floats, held: Floats) -> None:
    points = statistics.roc(Scores(members, held)).points
    across, up = np.array(points).T
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert float(np.trapezoid(up, across)) == pytest.approx(statistics.auc(Scores(members, held)))


@given(some(2), some(2), st.integers(0, 9))
def test_a_resample_is_what_the_drawn_people_give(members: Floats, held: Floats, seed: int) -> None:
    """The counts of one draw, laid out as people, have its AUC and its rate."""
    scores = Scores(np.sort(members), np.sort(held))
    rates = (0.1, 0.5)
    found = statistics.resampled(scores, seed, rates, resamples=3)
    drawn, others = next(statistics._drawn(len(members), len(held), np.random.default_rng(seed), 3))
    for line in range(3):
        again = Scores(np.repeat(scores.members, drawn[line]), np.repeat(scores.held, others[line]))
        assert found.auc[line] == pytest.approx(statistics.auc(again))
        assert found.rates[line] == pytest.approx([statistics.true_rate(again, rate) for rate in rates])


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    random, hits = np.random.default_rng(1), 0
    for seed in range(200):
        scores = Scores(random.normal(1, 1, 60), random.normal(0, 1, 60))
        low, high = statistics.interval(statistics.resampled(scores, seed, resamples=300).auc)
        hits += low <= 0.7602 <= high  # the normal distribution at 1 over the root of 2
    assert 180 <= hits <= 198


def test_who_is_too_few_has_no_interval_and_the_figure_says_so() -> None:
    random = np.random.default_rng(2)
    few = statistics.figures(Scores(random.normal(size=19), random.normal(size=60)), 0)
    assert all(each.interval is None for each in few)
    assert "too few persons" in few[0].note
    enough = {each.name: each for each in statistics.figures(Scores(random.normal(size=99), random.normal(size=99)), 0)}
    assert enough["auc"].interval is not None
    assert enough["tpr_at_0.01"].value is None
    assert enough["tpr_at_0.01"].note == "asks for 100 held out, and there are 99"
    many = {each.name: each for each in statistics.figures(Scores(np.arange(50.0), np.arange(10_000.0)), 0)}
    assert many["tpr_at_0.001"].interval is not None


def test_the_same_seed_gives_the_same_figures() -> None:
    scores = Scores(np.arange(30.0), np.arange(25.0))
    assert statistics.figures(scores, 4) == statistics.figures(scores, 4)
    assert statistics.figures(scores, 4) != statistics.figures(scores, 5)


def test_the_error_zone_counts_no_token_that_the_model_gets_right() -> None:
    logs = np.array([-1, -1, -9, -1, -3], np.float32)
    model = Read(logs, np.array([False, False, True, False, False]))
    base = Read(np.full(5, -2, np.float32), np.zeros(5, bool))
    owners = np.array([0, 0, 0, 1, 1], np.int32)
    assert error_zone(model, base, owners, 2) == pytest.approx([np.log(2 / 1e-9), np.log(1 / 1)])


@given(arrays.arrays(np.float64, 9, elements=st.integers(-9, -1).map(float)))
def test_rmia_is_the_share_of_others_held_out_with_a_smaller_ratio(model: Floats) -> None:
    held = np.array([True] * 4 + [False] * 5)
    references = [np.log(np.linspace(0.1, 0.9, 9)), np.where(held, np.nan, np.log(0.2))]
    ratio = np.exp(model) / np.nanmean(np.exp(references), axis=0)
    found = robust(model, references, held)
    for person in range(9):
        others = [each for each in range(4) if each != person]
        by_hand = np.mean([ratio[each] <= ratio[person] * (1 + 1e-9) for each in others])
        assert found[person] == pytest.approx(by_hand, abs=1e-9)
