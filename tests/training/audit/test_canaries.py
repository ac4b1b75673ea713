"""Canaries: drawn again to the same bytes, nobody's, and found where they were planted and nowhere else."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import trainable
from calling import Demur
from hypothesis import given
from hypothesis import strategies as st
from learnt import CONFIG, KEY, Learnt, figures
from trainable import Community

from demur.corpus.session import reading
from demur.runs.people import read_people
from demur.training import canaries, checking, first
from demur.training.audit.canaries import CHANCE, exposed, exposure
from demur.training.audit.figure import Finding, NotRun
from demur.training.certificate import read_certificate
from demur.training.plan import plan_of
from demur.training.replay import replay
from demur.training.run import Run
from demur.training.tokenizer import Tokenizer

pytest.importorskip("torch")

REFERENCES: Final = 255


def measured(model: Learnt, number: int = 24) -> dict[str, float]:
    found = exposed(model.network, model.tokenizer, replace(CONFIG, canaries=number), KEY, number=REFERENCES)
    assert isinstance(found, Finding)
    return {name: figure.value for name, figure in figures(found).items()}


def test_planted_canaries_stand_out(planted: Learnt) -> None:
    found = measured(planted)
    assert found["exposure"] > 6
    assert found["auc"] > 0.95
    assert set(found) == {f"{what}{which}" for what in ("exposure", "auc") for which in ("", "_1", "_2", "_4", "_8")}


def test_canaries_that_were_not_planted_do_not(duplicated: Learnt) -> None:
    """The configuration names them, the plan does not hold them."""
    found = exposed(duplicated.network, duplicated.tokenizer, CONFIG, KEY, number=REFERENCES)
    assert isinstance(found, Finding)
    told = figures(found)
    assert told["exposure"].value < 3.5
    low, high = told["exposure"].interval
    assert low < CHANCE + 0.5 < high + 0.5
    assert 0.2 < told["auc"].value < 0.8


def test_a_run_without_canaries_says_so(planted: Learnt) -> None:
    found = exposed(planted.network, planted.tokenizer, replace(CONFIG, canaries=0), KEY)
    assert found == NotRun("canaries", "no canaries were planted in this run: train one with --canaries")


def test_too_few_have_no_interval(planted: Learnt) -> None:
    found = exposed(planted.network, planted.tokenizer, replace(CONFIG, canaries=3), KEY, number=REFERENCES)
    assert isinstance(found, Finding)
    assert all(each.interval is None and "too few" in each.note for each in found.figures)
    assert "exposure_8" not in figures(found)


def test_what_is_drawn_follows_from_key_and_tokenizer(tokenizer: Tokenizer) -> None:
    drawn = canaries.canaries(tokenizer, KEY, 40)
    assert drawn == canaries.canaries(tokenizer, KEY, 50)[:40]
    others = [*canaries.references(tokenizer, KEY, 40), *canaries.canaries(tokenizer, bytes(32), 40)]
    assert len({tuple(each) for each in [*drawn, *others]}) == 120
    assert all(len(each) == canaries.TOKENS for each in [*drawn, *others])
    inside = {token for each in drawn for token in each[1:-1]}
    assert not inside & {tokenizer.begin, tokenizer.end}
    assert drawn[0][:3] == [0, 285, 269]  # a golden draw: a replay by a later demur has to make the same


def test_they_are_nobodys(tokenizer: Tokenizer) -> None:
    rows = canaries.planted(tokenizer, CONFIG, KEY)
    assert len(rows) == 90
    assert canaries.are_canaries(rows).all()
    assert len({bytes(item) for item in rows.item}) == 90
    assert len({bytes(row) for row in rows.row}) == 24
    assert len(canaries.planted(tokenizer, replace(CONFIG, canaries=0), KEY)) == 0


@given(
    st.lists(st.integers(0, 30).map(float), min_size=1, max_size=9),
    st.lists(st.integers(0, 30).map(float), min_size=1, max_size=40),
)
def test_exposure_is_by_rank(planted: list[float], fresh: list[float]) -> None:
    found = exposure(np.array(planted), np.array(fresh))
    ranks = [1 + sum(other <= each for other in fresh) for each in planted]
    assert np.allclose(found, [np.log2((len(fresh) + 1) / rank) for rank in ranks])


def test_a_replay_keeps_them(own: Community, demur: Demur, tmp_path: Path) -> None:
    """Planted by the command, on no list of people, and still there, to the same bytes, after somebody objected."""
    settings = trainable.config_file(tmp_path, layers=1)
    command = ("train", "v1", "-w", own.workspace.root, "--run", "two", "--config", settings, "--canaries", "9")
    told = demur(*command, "--base", own.base, "--json").json
    plain, run, plan = own.plan(), own.run("two"), own.plan("two")
    theirs = np.flatnonzero(canaries.are_canaries(plan.rows))
    assert (told["canaries"], run.config.canaries, len(theirs)) == (9, 9, 31)
    assert np.array_equal(plan.people(), plain.people())
    assert np.array_equal(read_people(run.model).keys, plain.people())
    assert len(np.unique(plan.place[theirs])) > 1
    with own.workspace.register() as register:
        register.objections.lodge([trainable.account(3)], channel="letter")
    done = replay(own.workspace, "two")
    with reading(own.workspace) as session:
        assert checking.verify(session, done.model).steps == done.steps
        assert read_certificate(done.model, session.keys.signing.public_key()).private["canaries"] == 31
        after = Run.open(done.model).plan()
    assert done.gone == 1
    assert {bytes(plan.rows.item[at]) for at in theirs} < set(after.items())


def test_a_run_that_was_cut_off_plants_the_same(own: Community) -> None:
    config = replace(trainable.TINY, layers=1, canaries=5)
    with reading(own.workspace, trainable.LATER) as session:
        run = first.begin(session, "v1", name="two", config=config, base=["run:one"])
        whole = first.carry_out(session, run).outcome
        trainable.cut_off(own, "two")
        again = first.carry_out(session, first.resumed(session, "two", "v1")).outcome
    assert again.saved == whole.saved


def test_resuming_takes_no_other_number(own: Community, demur: Demur) -> None:
    refused = demur("train", "v1", "-w", own.workspace.root, "--run", "one", "--resume", "--canaries", "3")
    assert refused.code == 2
    assert "leave out --config, --base, --canaries" in refused.err


def test_people_keep_their_classes(own: Community) -> None:
    """The order of everybody's rows is what it is without canaries."""
    run, plain = own.run(), own.plan()
    run.model.plan.unlink()
    with reading(own.workspace, trainable.LATER) as session:
        plan = plan_of(session, "v1", replace(run, config=replace(run.config, canaries=40)))
    stay = np.flatnonzero(~canaries.are_canaries(plan.rows))
    assert len(plan) - len(stay) == 150
    assert [plan.items()[at] for at in stay] == plain.items()
    assert np.array_equal(plan.place[stay], plain.place)
