"""`demur demo --train`, small: every part is the real one."""

from dataclasses import replace
from pathlib import Path

import pytest
from bounded import require_bounded
from calling import Demur

from demur.demo import training
from demur.runs.folder import find_run
from demur.runs.pointer import read_pointer
from demur.workspace import Workspace

PEOPLE = 30


def test_a_demo_trains_objects_replays_and_verifies(
    demur: Demur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(training.CONFIG, width=32, inner=48, vocabulary=512, context=32, step_tokens=512, checkpoints=4)
    monkeypatch.setattr(training, "CONFIG", small)
    monkeypatch.setattr(training, "_LINES", 80)
    folder, page = tmp_path / "demo", tmp_path / "demo.html"
    done = demur("demo", "--train", "--people", str(PEOPLE), folder, "--json", "--html", page)
    assert done.code == 0
    model = done.json["model"]
    assert model["people_before"] > model["people_after"]  # every account of the person's, and whom they alone named
    assert model["checked"]["steps"] == model["steps_after"]
    assert model["weights_before"] != model["weights_after"]
    assert model["begun"] <= model["first"]
    assert model["at_once"] < model["steps"]
    assert 0 < model["cost"] <= 1
    assert 0 < model["expected"] <= 1
    assert sum(each["share"] for each in model["classes"]) == pytest.approx(1)
    assert sum(each["rows"] for each in model["classes"]) == model["rows"]
    pointer = read_pointer(find_run(Workspace(folder).models_path, training.RUN))
    assert pointer is not None
    assert (f"{training.RUN}/{pointer.model}", pointer.checkpoint) == (model["serving"], model["steps_after"])
    assert model["certificate"] in page.read_text("utf-8")
    assert require_bounded(page.read_text("utf-8"), model["audit"]) > 20
