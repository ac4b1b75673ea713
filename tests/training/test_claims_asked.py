"""Asking a model whether it says what somebody says it said: what it says comes again, and nothing else."""

import pytest
from trainable import LATER, Community

from demur.claims.testing import Asked, try_claim
from demur.register import Outcome
from demur.register.claims import Said
from demur.training.claims import asking, longest_run
from demur.training.generating import Sampling
from demur.training.serving import serving

DRAWS = 2
PROMPT = "rain tea"


def asked(community: Community, said: Said) -> Asked:
    with asking(community.workspace, DRAWS) as ask:
        return ask("one", said)


@pytest.fixture(scope="module")
def likeliest(community: Community) -> str:
    """What the model says when it is asked, without the last word, which may be half of one."""
    with serving(community.workspace, "one") as model:
        text = model.complete(PROMPT, Sampling(tokens=24, temperature=0))[2]
    words = text.split()[:-1]
    assert len(words) >= 4
    return " ".join(words)


def test_what_it_says_comes_again_and_so_do_the_numbers(community: Community, likeliest: str) -> None:
    found = asked(community, Said(likeliest, prompt=PROMPT))
    assert found.reproduced
    assert found.facts["greedy"] == len(likeliest.split())
    assert int(str(found.facts["millinats"])) > 0
    assert int(str(found.facts["gain"])) > 0, "training made likelier what it says now"
    assert (found.facts["others"], found.facts["permille"]) == (0, None), "there is no row that it was not trained on"
    assert asked(community, Said(likeliest, prompt=PROMPT)) == found, "draws have seeds"


def test_what_nobody_wrote_does_not(community: Community) -> None:
    found = asked(community, Said("Zebedee keeps eleven geese behind the chapel, and sings to them at noon.", "Who?"))
    assert (found.reproduced, found.facts["greedy"], found.times) == (False, 0, 2 * (DRAWS + 1))


def test_what_does_not_fit_is_cut_and_an_empty_prompt_is_none(community: Community) -> None:
    assert asked(community, Said("word " * 2_000, prompt="why " * 2_000)).times == 2 * (DRAWS + 1)
    assert asked(community, Said("No.", prompt=" ")).times == 0


def test_a_claim_is_tested_by_rows_and_model_together(own: Community, likeliest: str) -> None:
    with own.workspace.register() as register:
        state = register.claims.lodge(Said(likeliest, PROMPT), "person:0", channel="letter", now=LATER)
    with asking(own.workspace, 0) as ask:
        done = try_claim(own.workspace, state.reference, ask)
    assert done.state.outcome is Outcome.REPRODUCED
    assert done.looked.answers[0]["run"] == "one"
    assert done.looked.asked >= 1


@pytest.mark.parametrize(
    ("one", "other", "run"),
    [("a b c d", "x b c y", 2), ("a b", "a b", 2), ("", "a", 0), ("a b a", "b a b", 2), ("q", "r", 0)],
)
def test_the_longest_run_in_common(one: str, other: str, run: int) -> None:
    assert longest_run(one.split(), other.split()) == run
