"""Weights that leave: what others load is what serves, and it is on record."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from calling import Demur
from trainable import TINY, Community, account

from demur.runs.holding import held_in, replays_all
from demur.runs.pointer import read_pointer
from demur.suppression.signed import file_digest
from demur.training.checkpoints import read_tensors
from demur.training.model import of_checkpoint
from demur.training.run import Run


def test_what_serves_is_written_and_listed_for_a_recall(own: Community, demur: Demur, tmp_path: Path) -> None:
    where, to = ("-w", str(own.workspace.root)), tmp_path / "left"
    with own.workspace.register() as register:
        register.objections.lodge([account(3)], channel="letter")
    told = demur("release", "one", "--to", to, "--json", *where).json
    assert told == {"model": "one/0001", "weights": file_digest(to / "model.safetensors"), "to": str(to)}
    run = own.run()
    loaded = of_checkpoint(to, replace(TINY, dropout=0.0)).state_dict()
    for name, tensor in served(run).items():
        assert torch.equal(loaded[name], tensor)
    assert (to / "tokenizer.json").read_bytes() == (run.model.run.tokenizer / "tokenizer.json").read_bytes()
    recalled = demur("recall", "v1", "--to", tmp_path / "list.csv", *where).out
    assert f"weights that left: {to} ({told['weights']})" in recalled
    with own.workspace.register() as register:
        key = own.workspace.keys().pepper.subject_key(account(5))
        assert [each.exported for each in held_in(own.workspace.models_path, register, torch.tensor([key]).numpy())]
        assert not replays_all(own.workspace.models_path, register)
    again = demur("release", "one", "--to", to, *where)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "is there already" in again.err


def served(run: Run) -> dict[str, torch.Tensor]:
    """What the pointer names."""
    pointer = read_pointer(run.model.run)
    assert pointer is not None
    assert pointer.checkpoint < max(run.model.steps())  # somebody objected
    return read_tensors(run.model.checkpoint(pointer.checkpoint) / "ema.safetensors")


def test_a_crash_leaves_an_entry_and_no_weights(
    own: Community, demur: Demur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", cut)
    demur("release", "one", "--to", tmp_path / "left", "-w", own.workspace.root)
    monkeypatch.undo()
    with own.workspace.register() as register:
        assert not replays_all(own.workspace.models_path, register)
    assert not list(tmp_path.glob("*left*"))
