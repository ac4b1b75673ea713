"""Names: a model that learnt them says them and ranks them first; invented ones are nobody's."""

import json

import learnt
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainable import Community

from demur.register.members.rows import MEMBER
from demur.training.audit.continuing import Continuation, Scheme
from demur.training.audit.figure import Finding, NotRun
from demur.training.audit.naming import Asking, invented, names_of, names_ranked, names_said
from demur.training.rows import Rows
from demur.training.tokenizer import Tokenizer

pytest.importorskip("torch")

MEMBERS = [
    [f"{first}{last}"] for first in ("Zork", "Mila", "Pell", "Quin") for last in ("ane", "uro", "ith", "olt", "ery")
]
HELD = [
    [f"{first}{last}"] for first in ("Brax", "Tovi", "Nerd", "Hjal") for last in ("emo", "ysk", "and", "uvi", "ops")
]


@pytest.fixture(scope="module")
def told(tokenizer: Tokenizer) -> learnt.Learnt:
    """A network that learnt who posted."""
    encoded = tokenizer.encode([f"{how} {name}" for how in ("posted by", "Hallo") for (name,) in MEMBERS])
    rows = Rows.of([at.to_bytes(16, "big") for at in range(len(encoded))], encoded, [[1]] * len(encoded))
    network = learnt.trained(tokenizer, rows, learnt.CONFIG, 60)
    return learnt.Learnt(network, tokenizer, [], [])


def test_names_that_were_learnt_are_said(told: learnt.Learnt) -> None:
    outputs = Continuation(told.network, told.tokenizer, Scheme(), seed=2)
    found = names_said(outputs, MEMBERS, HELD, Asking(number=24, tokens=10))
    assert isinstance(found, Finding)
    figures = learnt.figures(found)
    assert figures["members"].value > 0.7
    assert figures["held"].value == figures["invented"].value == 0
    assert all(each.interval and each.n == 20 for each in figures.values())
    assert not any(name in json.dumps(found.json()) for (name,) in [*MEMBERS, *HELD])


def test_names_that_were_learnt_rank_first(told: learnt.Learnt, duplicated: learnt.Learnt) -> None:
    known = names_ranked(told.network, told.tokenizer, MEMBERS, HELD, base=duplicated.network)
    chance = names_ranked(duplicated.network, told.tokenizer, MEMBERS, HELD)
    assert isinstance(known, Finding)
    assert isinstance(chance, Finding)
    assert known.figures[0].value is not None
    assert known.figures[0].value > 0.9
    assert chance.figures[0].interval is not None
    assert chance.figures[0].interval[0] < known.figures[0].value
    assert "the model over its base" in known.said
    assert "the model alone" in chance.said


def test_nobody_with_a_name_is_not_run(told: learnt.Learnt) -> None:
    outputs = Continuation(told.network, told.tokenizer)
    assert isinstance(names_said(outputs, [["x", "42"], []], HELD), NotRun)
    assert names_ranked(told.network, told.tokenizer, MEMBERS, [[]]) == NotRun(
        "names-ranked", "nobody held out has a name of 3 letters on record"
    )


@given(st.lists(st.text("abcdeåΣжZ- 7", min_size=3, max_size=9), min_size=1, max_size=6), st.integers(0, 9))
def test_invented_names_are_nobodys(names: list[str], seed: int) -> None:
    made = invented([names], 5, seed)
    assert len(made) <= 5
    assert not set(made) & {name for name in names if sum(map(str.isalpha, name)) >= 3}
    assert {len(each) for each in made} <= {len(each) for each in names}
    assert made == invented([names], 5, seed)


def test_names_come_from_the_register(own: Community) -> None:
    row = {"account": "forum:@mira_q", "names": ["Mira Quell"], "linked": ["mail:mira@post.example"]}
    with own.workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist([row], schema=MEMBER)])
        person = register.members.covered_with("forum:@mira_q")
        found = names_of(register, [person, np.array([17]), np.zeros(0, np.int64)])
    assert len(person) == 2
    assert [set(each) for each in found] == [{"Mira Quell", "mira_q"}, set(), set()]
