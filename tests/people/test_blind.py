"""The blind sample of masks: it shows what was masked in its context, and nothing of where it comes from."""

import pytest

from _real import wilson
from people.blind import Masked, draw, shown, tally, verdicts

MASKS = [Masked(f"before number {at}\nand after", 7, 13, f"source {at % 2}") for at in range(100)]


def test_a_seed_draws_the_same_masks_and_another_seed_others() -> None:
    assert draw(MASKS, 10, 1) == draw(MASKS, 10, 1)
    assert draw(MASKS, 10, 1) != draw(MASKS, 10, 2)
    assert len(draw(MASKS, 1000, 1)) == 100


def test_a_mask_is_shown_in_its_context_on_one_line_without_its_source() -> None:
    assert shown(MASKS[3]) == "before \u27e6number\u27e7 3 and after"


def test_verdicts_are_tallied_by_source() -> None:
    sample = MASKS[:6]
    read = verdicts(["1 y", "2 n", "", " 3 y ", "5 ?"], len(sample))
    assert list(tally(sample, read)) == [
        f"all: {wilson(2, 3)}, 1 left open",
        f"source 0: {wilson(2, 2)}, 1 left open",
        f"source 1: {wilson(0, 1)}, 0 left open",
        "2 of 6 not judged",
    ]


@pytest.mark.parametrize("line", ["7 y", "0 y", "1 yes", "y", "1"])
def test_a_line_that_is_no_verdict_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="line 1: write a number from 1 to 6"):
        verdicts([line], 6)


def test_a_mask_is_judged_once() -> None:
    with pytest.raises(ValueError, match="line 2"):
        verdicts(["1 y", "1 n"], 6)
