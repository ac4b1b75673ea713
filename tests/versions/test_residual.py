"""What a sample of a version says of what may be left of withheld people: exact bounds, and real rows read again."""

import json
from pathlib import Path
from typing import Any

import pytest
from calling import Demur
from desk import signed_workspace, write_posts
from hypothesis import given
from hypothesis import strategies as st

from demur.versions.residual import exact_interval

ANN = "forum:ann"
POSTS = [
    {"item": "forum:1", "author": "ben", "text": "I met Ann Bakewell at the market."},
    {"item": "forum:2", "author": "ben", "text": "I heard Bakewell on that yesterday"},
    {"item": "forum:3", "author": "cem", "text": "Nobody is named in this one."},
    *({"item": f"forum:{at}", "author": "cem", "text": f"Number {at} says nothing."} for at in range(10, 30)),
]


@pytest.fixture
def forum(fast_tmp: Path, demur: Demur) -> Path:
    """A workspace with a version from before Ann's objection, and one from after it."""
    root = signed_workspace(fast_tmp / "forum").root
    members = fast_tmp / "members.csv"
    members.write_text("account,names\nforum:ann,Ann Bakewell\n")
    for command in (
        ("members", members),
        ("import", "table", write_posts(fast_tmp / "posts.jsonl", POSTS)),
        ("publish", "before"),
        ("object", "--account", ANN),
        ("publish", "after"),
    ):
        assert demur(*command, "-w", root).code == 0
    return root


def audited(demur: Demur, root: Path, name: str, *options: str) -> dict[str, Any]:
    told = demur("audit", "residual", name, *options, "-w", root, "--json")
    assert told.code == 0, told.err
    found: dict[str, Any] = json.loads(told.out)
    return found | {"by": {left["tier"]: left for left in found["left"]}}


def test_a_version_from_before_an_objection_holds_what_would_be_masked_today(demur: Demur, forum: Path) -> None:
    found = audited(demur, forum, "before")
    assert found["by"]["full_name"]["rows"] == found["by"]["full_name"]["sure"] == 1
    assert found["newer"]
    told = demur("audit", "residual", "before", "-w", forum).out
    assert "the version is stale; publish a new one" in told
    assert "newer binding entries" in told


def test_a_current_version_holds_doubts_alone(demur: Demur, forum: Path) -> None:
    found = audited(demur, forum, "after")
    assert (found["sampled"], found["of"]) == (23, 23)
    assert found["by"]["any"]["rows"] == 1, "a surname alone"
    assert all(left["sure"] == 0 for left in found["left"])
    assert found["by"]["any"]["rows_at_most"] == 1, "every row was read"
    assert not found["newer"]


def test_a_part_of_the_rows_bounds_the_whole(demur: Demur, forum: Path) -> None:
    found = audited(demur, forum, "after", "--sample", "10", "--seed", "4")
    assert (found["sampled"], found["seed"]) == (10, 4)
    for left in found["left"]:
        assert (left["low"], left["high"]) == pytest.approx(exact_interval(left["rows"], 10))
        assert left["rows"] <= left["rows_at_most"] <= 23
    assert found == audited(demur, forum, "after", "--sample", "10", "--seed", "4")


def test_what_the_figures_rest_on_is_told(demur: Demur, forum: Path) -> None:
    told = demur("audit", "residual", "after", "-w", forum).out
    assert "drawn at random" in told
    assert "Not counted is what demur can't see" in told
    assert "Bakewell" not in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("nosuch",), "There is no version nosuch"), (("after", "--sample", "0"), "0 is not in the range")],
)
def test_wrong_use_is_told_in_a_sentence(demur: Demur, forum: Path, arguments: tuple[str, ...], said: str) -> None:
    result = demur("audit", "residual", *arguments, "-w", forum)
    assert result.code == 2
    assert said in result.err


def test_the_interval_is_clopper_and_pearsons() -> None:
    assert exact_interval(0, 100) == pytest.approx((0.0, 0.036217), abs=1e-6)
    assert exact_interval(10, 100) == pytest.approx((0.049005, 0.176223), abs=1e-6)
    assert exact_interval(100, 100) == pytest.approx((0.963783, 1.0), abs=1e-6)
    assert exact_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 3_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share(counts: tuple[int, int]) -> None:
    hits, of = counts
    low, high = exact_interval(hits, of)
    assert 0 <= low <= hits / of <= high <= 1
