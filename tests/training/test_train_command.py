"""`demur train`: one sentence, one object, and how it says what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import trainable
from calling import Demur
from trainable import Community

from demur.runs.pointer import read_pointer
from demur.training import loop
from demur.training.checkpoints import Checkpoints


def arguments(own: Community, *more: str | Path) -> tuple[str | Path, ...]:
    return ("train", "v1", "-w", own.workspace.root, *more)


def test_a_run_is_told_in_a_sentence_and_as_an_object(own: Community, demur: Demur, tmp_path: Path) -> None:
    small = trainable.config_file(tmp_path, layers=1)
    told = demur(*arguments(own, "--run", "small", "--config", small, "--base", own.base))
    assert (told.code, told.err) == (0, "")
    plan = own.plan("small")
    expected = f"Run small: {plan.steps} steps on {plan.rows.tokens.sum():,} tokens that concern 24 accounts"
    assert told.out == f"{expected}; checkpoint {plan.steps} serves.\n"
    again = demur(*arguments(own, "--run", "again", "--config", small, "--base", "run:small", "--json")).json
    assert (again["run"], again["model"], again["accounts"], again["to_replay"]) == ("again", "0001", 24, 0)
    saved = Checkpoints(own.run("again").model).saved(again["steps"])
    assert (saved.weights, saved.ema, saved.chain.hex()) == (again["weights"], again["ema"], again["chain"])
    pointer = read_pointer(own.run("again").model.run)
    assert pointer is not None
    assert pointer.checkpoint == again["serving"] == again["steps"]


def test_a_run_that_was_cut_off_is_resumed(own: Community, demur: Demur) -> None:
    expected = Checkpoints(own.run().model).saved(own.plan().steps)
    trainable.cut_off(own)
    refused = demur(*arguments(own, "--run", "one", "--base", own.base))
    assert refused.code == 2
    assert "was cut off: go on with `demur train v1 --run one --resume`" in refused.err
    resumed = demur(*arguments(own, "--run", "one", "--resume", "--json")).json
    assert resumed["weights"] == expected.weights
    assert demur(*arguments(own, "--run", "one", "--resume")).code == 2


def test_a_base_that_was_cut_off_is_resumed(own: Community, demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off in the base, it goes on with that, as it was asked for."""
    real, calls = loop.one_step, iter(range(100))

    def failing(*given: object) -> object:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]  # passed on

    small = trainable.config_file(own.root)
    monkeypatch.setattr(loop, "one_step", failing)
    assert demur(*arguments(own, "--run", "two", "--config", small, "--base", own.base)).code == 130
    monkeypatch.undo()
    run = own.run("two")
    assert not run.model.run.base.exists()
    assert run.model.run.model(".base").steps()
    resumed = demur(*arguments(own, "--run", "two", "--resume", "--json")).json
    assert resumed["steps"] == own.plan("two").steps
    assert not (run.model.run.path / ".base").exists()


def test_what_is_wrong_is_one_sentence(own: Community, demur: Demur, tmp_path: Path) -> None:
    wrong: dict[str, tuple[str | Path, ...]] = {
        "There is no version v9": ("train", "v9", "-w", own.workspace.root, "--base", own.base),
        "give --base with": arguments(own, "--run", "x"),
        "counts as personal": arguments(own, "--run", "x", "--base", trainable.config_file(tmp_path)),
        "There is a run one already": arguments(own, "--run", "one", "--base", own.base),
        "can't name a run": arguments(own, "--run", "Große", "--base", own.base),
        "leave out --config, --base": arguments(own, "--run", "one", "--resume", "--base", own.base),
        "did you mean `one`": arguments(own, "--run", "on", "--resume"),
        "can't be read": arguments(own, "--config", tmp_path / "none.toml", "--base", own.base),
    }
    (tmp_path / "tiny.json").rename(tmp_path / "tiny.jsonl")
    wrong["counts as personal"] = arguments(own, "--run", "x", "--base", tmp_path / "tiny.jsonl")
    for words, given in wrong.items():
        told = demur(*given)
        assert told.code == 2
        assert words in told.err
        assert told.err.count("\n") == 1
    assert {path.name for path in own.workspace.models_path.iterdir()} == {"one"}


def test_a_check_that_fails_exits_with_1(own: Community, demur: Demur) -> None:
    run = trainable.cut_off(own)
    path = run.model.checkpoint(0) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    told = demur(*arguments(own, "--run", "one", "--resume"))
    assert told.code == 1
    assert "weights.safetensors was changed or is damaged" in told.err


def test_who_objected_meanwhile_is_told_of(own: Community, demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    trainable.cut_off(own)
    real: Callable[..., object] = loop.train

    def objecting(*given: object, **options: object) -> object:
        def report(step: int, _steps: int, _loss: float) -> None:
            if step == 2:
                with own.workspace.register() as register:
                    register.objections.lodge([trainable.account(0)], channel="letter")

        return real(*given, **options | {"report": report})

    monkeypatch.setattr("demur.training.first.train", objecting)
    told = demur(*arguments(own, "--run", "one", "--resume"))
    assert told.code == 0
    assert (
        "1 account of people who objected meanwhile stood in steps already taken: run `demur replay one`." in told.out
    )
    assert json.loads((own.run().model.run.pointer).read_bytes())["checkpoint"] == 0
