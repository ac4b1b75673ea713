"""Training with noise: one fixed step a person, nobody moves anybody, and a replay is a release of its own."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
import trainable
from bounded import require_bounded
from hypothesis import given
from hypothesis import strategies as st
from trainable import Community

from demur.corpus.session import reading
from demur.errors import CheckFailed, UsageError
from demur.runs.folder import find_run
from demur.training import canaries, checking, first, fixed
from demur.training.audit import auditing
from demur.training.audit.auditing import Asked
from demur.training.audit.canaries import CHANCE, exposed
from demur.training.audit.figure import Figure, Finding
from demur.training.audit.page import audit_page
from demur.training.audit.people import Draw, everybody
from demur.training.audit.served import audited_model
from demur.training.certificate import read_certificate
from demur.training.config import Config
from demur.training.epsilon import epsilon
from demur.training.filling import Plan
from demur.training.fixed import Units
from demur.training.plan import plan_of
from demur.training.private import NOISE, Noise, Private
from demur.training.replay import replay
from demur.training.rows import Rows
from demur.training.run import Run
from demur.training.serving import averaged
from demur.training.state import State

PRIVATE: Final = replace(trainable.TINY, noise=1.0, fixed_steps=12, person_tokens=100, layers=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A community whose run `one` was trained with noise."""
    return trainable.community(tmp_path_factory.mktemp("private"), PRIVATE)


@pytest.fixture
def private(trained: Community, tmp_path: Path) -> Community:
    return trained.copied(tmp_path / "own")


def lodge(community: Community, number: int) -> int:
    with community.workspace.register() as register:
        register.objections.lodge([trainable.account(number)], channel="portal")
        return register.pepper.subject_key(trainable.account(number))


# Epsilon


@pytest.mark.parametrize(("sigma", "said"), [(0.5, 11.0), (1, 4.89), (2, 2.25), (4, 1.06), (8, 0.50)])
def test_epsilon_is_what_an_accountant_says(sigma: float, said: float) -> None:
    """The values are those of dp-accounting 0.6.0 (PLD) for one release, delta 1e-6."""
    assert epsilon(sigma, 1e-6) == pytest.approx(said, abs=0.01)


@given(sigma=st.floats(0.5, 50), releases=st.integers(1, 200))
def test_more_releases_are_one_with_less_noise(sigma: float, releases: int) -> None:
    together = epsilon(sigma, 1e-6, releases)
    assert together == pytest.approx(epsilon(sigma / math.sqrt(releases), 1e-6))
    assert together >= epsilon(sigma, 1e-6)


def test_without_noise_or_without_a_release() -> None:
    assert epsilon(0, 1e-6) == math.inf
    assert epsilon(1, 1e-6, 0) == 0


# The layout


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(1, 60), st.booleans()), max_size=20),
    st.integers(0, 5),
)
def test_which_rows_count_hangs_on_nobody_else(said: list[tuple[int, int, bool]], salt: int) -> None:
    key = bytes([salt]) * 32

    def counted(rows: list[tuple[int, tuple[int, int, bool]]]) -> dict[int, set[bytes]]:
        items = [number.to_bytes(16) for number, _ in rows]
        people = [[who, 4] if named else [who] for _, (who, _, named) in rows]
        made = Rows.of(items, [[7] * tokens for _, (_, tokens, _) in rows], people)
        found = fixed.counting(made, made.people.flat, PRIVATE, key)
        alone = {who: {bytes(made.item[at]) for at in found if who in people[at]} for who in (1, 2, 3)}
        assert not any(people[at][1:] for at in found)
        assert all(sum(int(made.tokens[at]) for at in found if people[at] == [who]) <= 100 for who in (1, 2, 3))
        return alone

    numbered = list(enumerate(said))
    everybody = counted(numbered)
    for who in (1, 2, 3):
        assert counted([each for each in numbered if each[1][0] == who])[who] == everybody[who]


def test_a_person_stands_in_one_step_and_moves_nobody(private: Community) -> None:
    run, plan = private.run(), private.plan()
    keys = run.plan().people()
    steps = {int(key): set(plan.step[plan.rows.people.holding(np.array([key]))].tolist()) for key in keys}
    assert {len(each) for each in steps.values()} == {1}
    assert (plan.rows.people.sizes == 1).all()
    left = plan.without(keys[:5], PRIVATE.step_tokens)
    assert left.steps == plan.steps == PRIVATE.fixed_steps
    stay = ~plan.rows.people.holding(keys[:5])
    assert (left.step == plan.step[stay]).all()
    assert plan.without(keys, PRIVATE.step_tokens).steps == PRIVATE.fixed_steps


# What one person adds


def gradient(run: Run, private: Private, plan: Plan, step: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    state = State.of(run.network(), run.config)
    private(state, plan, step)
    return {name: each.grad.numpy().copy() for name, each in state.weights.items()}


def test_a_person_moves_a_step_by_the_norm_at_most(private: Community) -> None:
    run, plan = private.run(), private.plan()
    with reading(private.workspace, trainable.LATER) as session:
        made = Private.of(run, session.keys)
    assert made is not None
    step = int(plan.step[0])
    quiet = replace(made, noise=Noise([(0, bytes(32))]))
    everybody, moved = gradient(run, quiet, plan, step), []
    for key in np.unique(plan.rows.people.flat[plan.of_step(step)]):
        others = gradient(run, quiet, plan.without(np.array([key]), 1), step)
        moved.append(math.sqrt(sum(float(((everybody[name] - others[name]) ** 2).sum()) for name in everybody)))
    assert moved
    assert all(0 < each <= PRIVATE.person_norm * 1.001 for each in moved)


def test_noise_is_drawn_anew_each_step_and_is_as_large_as_it_says(private: Community) -> None:
    run, plan = private.run(), private.plan()
    with reading(private.workspace, trainable.LATER) as session:
        made = Private.of(run, session.keys)
    assert made is not None
    empty = plan.without(plan.people(), 1)
    found = gradient(run, made, empty)
    values = np.concatenate([each.reshape(-1) for each in found.values()])
    assert values.std() == pytest.approx(PRIVATE.noise * PRIVATE.person_norm, rel=0.05)
    again = gradient(run, made, empty)
    assert all((again[name] == found[name]).all() for name in found)
    other = gradient(run, replace(made, noise=Noise.fresh()), empty)
    assert any((other[name] != found[name]).any() for name in found)


# Replay


def test_a_replay_is_a_release_of_its_own_and_can_be_executed_again(private: Community) -> None:
    run = private.run()
    before = (run.model.path / NOISE).read_bytes()
    key = lodge(private, 3)
    step = int(run.plan().step[run.plan().rows.people.holding(np.array([key]))][0])
    done = replay(private.workspace, "one")
    assert done.first == step
    with reading(private.workspace) as session:
        seeds = Noise.read(done.model, session.keys).seeds
        said = read_certificate(done.model, session.keys.signing.public_key()).facts["privacy"]
        checking.verify(session, done.model)
    assert [each[0] for each in seeds] in ([0, done.begun], [0] if not done.begun else [])
    assert not run.model.path.joinpath(NOISE).exists()
    assert (done.model.path / NOISE).read_bytes() != before
    assert said["releases"] == 2
    assert float(said["epsilon"]) == pytest.approx(epsilon(1.0, 1e-6, 2))
    left = Units.read(run.model.run.path / fixed.UNITS)
    assert key not in left.subject.tolist()


def test_everybody_objects(private: Community) -> None:
    for number in range(trainable.PEOPLE):
        lodge(private, number)
    done = replay(private.workspace, "one")
    assert not len(Run.open(done.model).plan())
    assert done.steps == PRIVATE.fixed_steps


# An audit


AUDITED: Final = replace(PRIVATE, held=0.3, person_tokens=60, canaries=8)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A community whose run `one` was trained with noise, canaries among the rows."""
    return trainable.community(tmp_path_factory.mktemp("audited"), AUDITED)


def test_a_run_with_noise_is_audited_by_what_could_count(audited: Community, tmp_path: Path) -> None:
    config, town = AUDITED, audited.copied(tmp_path / "own")
    run = town.run()
    with reading(town.workspace) as session:
        served = audited_model(session, "one")
        found = everybody(session, served)
        done = auditing.audit(session, served, Asked(Draw(seed=3), objectors=4), lambda _: None)
    assert (found.rows.people.sizes == 1).all()
    assert found.held.any()
    assert found.tokens.max() <= config.person_tokens
    assert np.isin(run.plan().people(), np.concatenate(found.keys)).all()
    told = {each.attack: each for each in done.findings}
    assert {"reference", "rmia", "quantised", "objectors", "version-diff", "canaries"} <= set(told)
    assert [(one.name, one.n) for one in told["canaries"].figures] == [("exposure", 8), ("auc", 8)]
    with reading(town.workspace) as session:
        (again,) = found.plans(np.ones(found.people, bool), config.step_tokens)
        auditing.keep(session, served, done)
    assert again.steps == config.fixed_steps
    assert again.digest() == run.plan().digest()
    assert served.run.model.audit.exists()
    require_bounded(audit_page(done), done.json())


# Canaries, each of which is a person


def test_a_canary_stands_once_and_moves_nobody(audited: Community) -> None:
    run, plan = audited.run(), audited.run().plan()
    theirs = canaries.are_canaries(plan.rows)
    assert theirs.sum() == AUDITED.canaries
    with reading(audited.workspace, trainable.LATER) as session:
        bare = replace(run, config=replace(run.config, canaries=0))
        run.model.plan.rename(away := run.model.plan.with_name("away"))
        try:
            without = plan_of(session, "v1", bare)
        finally:
            away.rename(run.model.plan)
    assert without.items() == [item for item, ours in zip(plan.items(), theirs, strict=True) if not ours]
    assert (without.step == plan.step[~theirs]).all()
    assert np.array_equal(without.people(), plan.people())


def test_a_canary_is_clipped_as_a_person_is(audited: Community) -> None:
    run, plan = audited.run(), audited.plan()
    with reading(audited.workspace, trainable.LATER) as session:
        made = Private.of(run, session.keys)
    assert made is not None
    quiet = replace(made, noise=Noise([(0, bytes(32))]))
    at = int(np.flatnonzero(canaries.are_canaries(plan.rows))[0])
    step, others = int(plan.step[at]), np.delete(np.arange(len(plan)), at)
    left = replace(plan, rows=plan.rows.take(others), place=plan.place[others], step=plan.step[others])
    everybody, less = gradient(run, quiet, plan, step), gradient(run, quiet, left, step)
    moved = math.sqrt(sum(float(((everybody[name] - less[name]) ** 2).sum()) for name in everybody))
    assert 0 < moved <= AUDITED.person_norm * 1.001


def test_noise_that_was_left_out_shows_in_canaries(trained: Community, tmp_path: Path) -> None:
    """Planted: a run with a thousandth of the noise that it should have.

    Keys and noise are drawn anew each time, so the run learns fast enough that the two are far apart whatever is drawn.
    """
    town, told = trained.copied(tmp_path / "own"), dict[float, Figure]()
    for name, noise in (("loud", 1.0), ("quiet", 0.001)):
        config = replace(PRIVATE, noise=noise, canaries=24, warmup=0, average=0.0, rate=6e-3)
        with reading(town.workspace, trainable.LATER) as session:
            done = first.carry_out(session, first.begin(session, "v1", name=name, config=config, base=["run:one"]))
        network = averaged(done.run, done.outcome.saved.step)
        found = exposed(network, done.run.tokenizer, config, done.run.key, number=255)
        assert isinstance(found, Finding)
        assert "as a person of its own" in found.said
        told[noise] = found.figures[0]
    loud, quiet = told[1.0], told[0.001]
    assert loud.interval is not None
    assert quiet.interval is not None
    assert loud.value is not None
    assert loud.value < CHANCE + 2 < quiet.interval[0]
    assert loud.interval[1] < quiet.interval[0]


def test_canaries_stay_whoever_objects(audited: Community, tmp_path: Path) -> None:
    town = audited.copied(tmp_path / "own")
    before = town.run().plan()
    gone = int(before.people()[0])
    with town.workspace.register() as register:
        keys = {register.pepper.subject_key(trainable.account(who)): who for who in range(trainable.PEOPLE)}
    lodge(town, keys[gone])
    done = replay(town.workspace, "one")
    after = Run.open(done.model).plan()
    theirs = canaries.are_canaries(before.rows)
    stays = canaries.are_canaries(after.rows)
    assert gone not in after.people()
    assert np.array_equal(before.rows.item[theirs], after.rows.item[stays])
    assert np.array_equal(before.step[theirs], after.step[stays])
    with reading(town.workspace) as session:
        checking.verify(session, done.model)


# Bad input


@pytest.mark.parametrize(
    "changes",
    [
        {"passes": 2},
        {"dropout": 0.1, "keyed_dropout": True},
        {"canaries": 4, "person_tokens": 31},
        {"fixed_steps": 0},
        {"delta": 1.0},
    ],
)
def test_what_does_not_hold_together(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(PRIVATE, **changes)


def test_seeds_that_were_changed(private: Community) -> None:
    path = private.run().model.path / NOISE
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    lodge(private, 3)
    with pytest.raises(CheckFailed, match="noise"):
        replay(private.workspace, "one")


def test_a_configuration_without_noise_says_nothing_of_it() -> None:
    assert "noise" not in json.loads(Config().to_bytes())
    said = PRIVATE.to_bytes()
    assert Config.from_mapping(json.loads(said), "here") == PRIVATE


def test_the_command_says_what_the_noise_is_worth(private: Community) -> None:
    path = trainable.config_file(private.root, PRIVATE)
    arguments = [
        "train",
        "v1",
        "--run",
        "two",
        "--config",
        str(path),
        "--base",
        "run:one",
        "-w",
        str(private.root / "w"),
    ]
    said = subprocess.run(
        [sys.executable, "-m", "demur", *arguments], capture_output=True, text=True, check=True
    ).stdout
    assert "epsilon 4.89 for a person at delta 1e-06, for one release" in said
    assert find_run(private.workspace.models_path, "two").path.exists()
