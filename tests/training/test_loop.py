"""A step: the sum over its rows, whichever way they are put together; and what it must never share."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from trainable import Community

from demur.training import loop
from demur.training.checkpoints import PARTS, Checkpoints, read_tensors
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.loop import NOTHING, dropout_seed, microbatches, rate_of, update_average
from demur.training.state import State

LENGTHS = st.lists(st.integers(1, 12), max_size=30)


def ids(lengths: list[int]) -> list[np.ndarray]:
    return [np.arange(length, dtype=np.int32) + 100 * number for number, length in enumerate(lengths)]


@given(LENGTHS, st.integers(1, 40))
def test_every_token_but_the_first_of_a_row_is_predicted_once(lengths: list[int], most: int) -> None:
    rows, found = ids(lengths), []
    for inputs, targets in microbatches(rows, most):
        assert inputs.shape == targets.shape
        assert inputs.size <= max(most, inputs.shape[1])
        held = targets != NOTHING
        assert (np.diff(held.astype(int), axis=1) <= 0).all()  # padding stands behind
        assert (inputs[held] == targets[held] - 1).all()  # a row goes on with itself
        found += targets[held].tolist()
    assert sorted(found) == sorted(each for row in rows for each in row[1:].tolist())


@given(LENGTHS, st.integers(1, 40))
def test_the_longest_rows_come_first(lengths: list[int], most: int) -> None:
    widths = [inputs.shape[1] for inputs, _ in microbatches(ids(lengths), most)]
    assert widths == sorted(widths, reverse=True)


def test_the_rate_follows_from_the_place_alone() -> None:
    config = Config(rate=0.4, warmup=4)
    assert [rate_of(step, config) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert rate_of(0, Config(rate=0.4, warmup=0)) == 0.4


def test_dropout_follows_from_the_key_and_the_place_alone() -> None:
    seeds = {
        dropout_seed(key, *place)
        for key in (bytes(32), b"k" * 32)
        for place in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    }
    assert len(seeds) == 8
    assert dropout_seed(bytes(32), 1, 2, 3) == dropout_seed(bytes(32), 1, 2, 3)
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.fixture
def begun(community: Community) -> tuple[State, Plan]:
    """The base of the run, in memory alone, and its plan."""
    run = community.run()
    state = State.of(run.network(), run.config)
    Checkpoints(run.model).load(0, state)
    return state, community.plan()


def gradient(state: State, rows: list[np.ndarray], most: int) -> torch.Tensor:
    """The gradient of some rows, as one vector."""
    changed = replace(state, config=replace(state.config, micro_tokens=most))
    state.optimizer.zero_grad(set_to_none=True)
    loop.add_gradient(changed, rows, state.config.step_tokens, (bytes(32), 0, 0))
    return torch.cat([each.grad.reshape(-1) for each in state.weights.values()])


def is_a_sum(state: State, plan: Plan) -> None:
    """A step's gradient is the sum of its rows' own: nobody's row counts less because of who else is there."""
    where = plan.of_step(1)
    rows = [plan.ids(row) for row in range(where.start, where.stop)]
    whole = gradient(state, rows, 512)
    each = torch.stack([gradient(state, [row], 512) for row in rows]).sum(0)
    assert torch.allclose(whole, each, atol=1e-6)
    assert torch.allclose(whole, gradient(state, rows, 40), atol=1e-6)


def test_a_gradient_is_the_sum_of_its_rows(begun: tuple[State, Plan]) -> None:
    is_a_sum(*begun)


def test_a_mean_loss_would_be_caught(begun: tuple[State, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.functional.cross_entropy

    @functools.wraps(real)
    def mean(*arguments: Any, **options: Any) -> torch.Tensor:  # noqa: ANN401  # torch's
        return real(*arguments, **options | {"reduction": "mean"})

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", mean)
    with pytest.raises(AssertionError):
        is_a_sum(*begun)


def test_no_row_sees_another(begun: tuple[State, Plan]) -> None:
    state, plan = begun
    short, long = sorted((plan.ids(row) for row in range(2, 12)), key=len)[:: len(range(2, 12)) - 1]
    assert len(short) < len(long)
    (inputs, _), *_ = microbatches([short, long], 10_000)
    with torch.no_grad():
        together = state.model(input_ids=torch.from_numpy(inputs)).logits[1, : len(short) - 1]
        alone = state.model(input_ids=torch.from_numpy(short[:-1].astype(np.int64))[None]).logits[0]
    assert torch.allclose(together, alone, atol=1e-5)


def shares_nothing(state: State, plan: Plan, held: dict[str, dict[str, torch.Tensor]]) -> None:
    """Going on with a state changes nothing of what it was put in from."""
    before = {part: {name: each.clone() for name, each in tensors.items()} for part, tensors in held.items()}
    loop.one_step(state, plan, 0, bytes(32))
    changed = [name for part in held for name in held[part] if not torch.equal(held[part][name], before[part][name])]
    assert not changed


def held_of(community: Community) -> dict[str, dict[str, torch.Tensor]]:
    model = community.run().model
    folder = model.checkpoint(model.steps()[2])
    return {name: read_tensors(folder / f"{name}.safetensors") for name in PARTS}


def test_a_state_shares_nothing_with_what_it_was_read_from(begun: tuple[State, Plan], community: Community) -> None:
    state, plan = begun
    held = held_of(community)
    state.put(held)
    shares_nothing(state, plan, held)


def test_moments_that_are_shared_would_be_caught(begun: tuple[State, Plan], community: Community) -> None:
    """The mutant: moments are taken as they are, as `Optimizer.load_state_dict` takes them (pytorch #196083)."""
    state, plan = begun
    held = held_of(community)
    state.put(held)
    for name, parameter in state.weights.items():
        moments = state.optimizer.state[parameter]
        moments |= {moment: held["moments"][f"{name}.{moment}"] for moment in moments}
    with pytest.raises(AssertionError):
        shares_nothing(state, plan, held)


def test_the_average_follows_the_weights(begun: tuple[State, Plan]) -> None:
    state, _ = begun
    name, parameter = next(iter(state.weights.items()))
    before = state.average[name].clone()
    with torch.no_grad():
        parameter += 1.0
    update_average(state, 0)
    assert torch.allclose(state.average[name], before + 0.9)  # the first updates count for much
    update_average(state, 10_000)
    assert torch.allclose(state.average[name], before + 0.9 + (1 - state.config.average) * 0.1)


def test_passes_are_updates_on_the_same_step(begun: tuple[State, Plan], community: Community) -> None:
    def weights(passes: int, steps: int) -> Iterator[torch.Tensor]:
        run = community.run()
        state = State.of(run.network(), replace(run.config, passes=passes))
        Checkpoints(run.model).load(0, state)
        for _ in range(steps):
            loop.one_step(state, begun[1], 0, run.key)
        yield from (each.detach() for each in state.weights.values())

    assert all(torch.equal(one, other) for one, other in zip(weights(2, 1), weights(1, 2), strict=True))
