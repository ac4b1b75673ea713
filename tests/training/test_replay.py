"""A replayed run is, byte for byte, the one that was never trained on whoever objected."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from calling import Demur
from trainable import PEOPLE, TINY, account, declared, posts
from trainable import workspace as published

from demur.corpus.honour import honour
from demur.corpus.session import reading
from demur.errors import CheckFailed, UsageError
from demur.register import Register
from demur.runs.facts import ModelState, read_facts, write_facts
from demur.runs.folder import ModelFolder, RunFolder, find_run
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind
from demur.training import checking, first
from demur.training import replay as replaying
from demur.training.certificate import read_certificate
from demur.training.checkpoints import Checkpoints, Saved
from demur.training.replay import Replayed, replay
from demur.training.run import Run
from demur.versions.lineage import Roots, proof_of
from demur.versions.subjects import holds
from demur.workspace import Workspace

LIGHT, HEAVY = account(23), account(0)
"""Who wrote one post, and stands late; who wrote most, and stands first."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run on its version."""
    folder = tmp_path_factory.mktemp("template")
    workspace = published(folder / "town", list(posts(most=12)))
    data = declared(folder, lines=40)
    with reading(workspace) as session:
        run = first.begin(session, "v1", name="tiny", config=replace(TINY, step_tokens=96), base=[str(data)])
        first.carry_out(session, run)
    return workspace.root


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(template, tmp_path / "town", symlinks=True)))


def run_of(town: Workspace) -> RunFolder:
    return find_run(town.models_path, "tiny")


def last(model: ModelFolder) -> Saved:
    return Checkpoints(model).verify(max(model.steps()))


def hashes(model: ModelFolder) -> tuple[Any, ...]:
    saved = last(model)
    return saved.step, saved.chain, saved.weights, saved.moments, saved.ema


def lodge(town: Workspace, *accounts: str) -> None:
    with town.register() as register:
        for each in accounts:
            register.objections.lodge([each], channel="letter")


def serving(town: Workspace) -> tuple[str, int]:
    pointer = read_pointer(run_of(town))
    assert pointer is not None
    return pointer.model, pointer.checkpoint


def verified(town: Workspace, done: Replayed) -> None:
    with reading(town) as session:
        checked = checking.verify(session, done.model)
    assert checked.intervals == [(0, done.steps)]


@pytest.mark.parametrize("who", [[LIGHT], [HEAVY], [account(9), account(20)]], ids=["light", "heavy", "two"])
def test_what_a_replay_gives_is_what_training_from_scratch_gives(town: Workspace, who: Sequence[str]) -> None:
    before = hashes(run_of(town).model("0001"))
    lodge(town, *who)
    assert serving(town)[0] == "0001"
    done = replay(town, "tiny")
    assert hashes(done.model) != before
    assert serving(town) == ("0002", done.steps)
    assert done.gone == len(who)
    assert done.begun <= (done.first or 0)
    verified(town, done)  # from the base, with the certificate compared
    with town.register() as register:
        keys = np.array([register.pepper.subject_key(each) for each in who])
    assert len(read_people(done.model).among(keys)) == 0


def test_rows_in_which_somebody_is_a_mask_alone_neither_move_the_pointer_nor_are_replayed(town: Workspace) -> None:
    model = run_of(town).model("0001")
    who, own, named = _mentioned_early(town, model)
    lodge(town, who)
    assert serving(town) == ("0001", model.newest_clean(own))
    assert honour(town).rewritten > 0
    assert serving(town) == ("0001", model.newest_clean(own))
    done = replay(town, "tiny")
    assert done.first == own > named
    assert done.gone == 1
    verified(town, done)


def _mentioned_early(town: Workspace, model: ModelFolder) -> tuple[str, int, int]:
    """Somebody, the step of their first row, and an earlier one in which a row mentions them, before a checkpoint."""
    plan = Run.open(model).plan()
    step = dict(zip(plan.items(), plan.step.tolist(), strict=True))
    with reading(town) as session:
        rows = [row for each in session.corpus.batches(["item", "author", "subjects"]) for row in each.to_pylist()]
    for who in (account(number) for number in range(PEOPLE)):
        key = town.keys().pepper.subject_key(who)
        own = min(step[row["item"]] for row in rows if row["author"] == key)
        others = [step[row["item"]] for row in rows if key in row["subjects"] and row["author"] != key]
        if others and (model.newest_clean(min(others)) or 0) < (model.newest_clean(own) or 0):
            return who, own, min(others)
    raise AssertionError(step)


def test_the_parent_is_destroyed_and_what_both_share_stays(town: Workspace) -> None:
    parent = run_of(town).model("0001")
    shared = parent.checkpoint(0) / "weights.safetensors"
    inode = shared.stat().st_ino
    classes = run_of(town).classes.read_bytes()
    lodge(town, LIGHT)
    done = replay(town, "tiny")
    assert sorted(path.name for path in parent.path.iterdir()) == ["certificate.json", "run.json"]
    assert read_facts(parent).state is ModelState.DESTROYED
    assert (done.model.checkpoint(0) / "weights.safetensors").stat().st_ino == inode
    assert run_of(town).classes.read_bytes() != classes
    with town.register() as register:
        kinds = [entry.kind for entry in register.log.entries() if entry.kind.startswith("run.")]
        destroyed = next(iter(register.log.entries(EntryKind.RUN_DESTROYED)))
    assert kinds == ["run.trained", "run.rolled-back", "run.replayed", "run.destroyed"]
    assert destroyed.payload["checkpoints"] > 0  # type: ignore[operator]


def test_a_second_replay_finds_nothing_to_do(town: Workspace) -> None:
    lodge(town, LIGHT)
    replay(town, "tiny")
    again = replay(town, "tiny")
    assert again.parent is None
    assert len(run_of(town).models()) == 2


def test_the_certificate_tells_no_steps_and_shows_who_is_out(town: Workspace) -> None:
    lodge(town, LIGHT)
    done = replay(town, "tiny")
    with town.register() as register:
        entry = next(iter(register.log.entries(EntryKind.RUN_REPLAYED)))
        key = register.pepper.subject_key(LIGHT)
    data = done.model.certificate.read_bytes()
    assert entry.payload["certificate"] == hashlib.sha256(data).hexdigest()
    facts = orjson.loads(data)["signed"]
    assert not {"steps", "tokens", "first", "begun", "plan", "rows"} & set(facts)
    assert facts["people"]["before"]["people"] == facts["people"]["after"]["people"] + 1
    roots = Roots.read(facts["people"]["after"])
    proof, digest = proof_of(read_people(done.model).keys, roots, key)
    assert holds(proof, digest, bits=roots.bits, root=bytes.fromhex(roots.root)) is False
    first_one = orjson.loads(run_of(town).model("0001").certificate.read_bytes())["signed"]
    assert facts["people"]["before"] == first_one["people"]["after"]


class Killed(BaseException):
    pass


def _after(number: int) -> Callable[..., None]:
    """A report that dies with a step."""
    seen = 0

    def report(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen >= number:
            raise Killed

    return report


def _dying(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("place", ["link", "certify", "note_replayed", "put_in_service", "destroy", "note_destroyed"])
def test_a_kill_anywhere_is_carried_on_to_the_same_bytes(
    town: Workspace, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    whole = Workspace(Path(shutil.copytree(town.root, town.root.with_name("whole"))))
    lodge(whole, account(9))
    wanted = hashes(replay(whole, "tiny").model)
    lodge(town, account(9))
    with monkeypatch.context() as patch:
        patch.setattr(replaying, place, _dying)
        with pytest.raises(Killed):
            replay(town, "tiny")
    assert serving(town)[0] in {"0001", "0002"}
    replay(town, "tiny")
    assert hashes(run_of(town).model("0002")) == wanted
    assert serving(town) == ("0002", wanted[0])
    assert read_facts(run_of(town).model("0001")).state is ModelState.DESTROYED
    assert [model.number for model in run_of(town).models()] == ["0001", "0002"]


@pytest.mark.parametrize("steps", [1, 3])
def test_a_kill_between_steps_is_carried_on_to_the_same_bytes(town: Workspace, steps: int) -> None:
    whole = Workspace(Path(shutil.copytree(town.root, town.root.with_name("whole"))))
    lodge(whole, HEAVY)
    wanted = hashes(replay(whole, "tiny").model)
    lodge(town, HEAVY)
    with pytest.raises(Killed):
        replay(town, "tiny", report=_after(steps))
    done = replay(town, "tiny")
    assert hashes(done.model) == wanted


KILLED = """
import os, signal, sys
from pathlib import Path
from demur.training.replay import replay
from demur.workspace import Workspace

def report(step, steps, loss):
    if step >= 2:
        os.kill(os.getpid(), signal.SIGKILL)

replay(Workspace(Path(sys.argv[1])), "tiny", report=report)
"""


def test_a_process_that_is_killed_leaves_what_the_next_one_carries_on(town: Workspace) -> None:
    whole = Workspace(Path(shutil.copytree(town.root, town.root.with_name("whole"))))
    lodge(whole, HEAVY)
    wanted = hashes(replay(whole, "tiny").model)
    lodge(town, HEAVY)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(town.root)], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert hashes(replay(town, "tiny").model) == wanted


@pytest.mark.parametrize("who", [HEAVY, LIGHT], ids=["taken", "to-come"])
def test_an_objection_during_a_replay_is_in_it(town: Workspace, who: str) -> None:
    shutil.copytree(town.root, town.root.with_name("before"))
    lodge(town, account(1))
    lodged = False

    def report(step: int, steps: int, _: float) -> None:
        nonlocal lodged
        if not lodged and step > steps // 2:
            lodged = True
            lodge(town, who)

    done = replay(town, "tiny", report=report)
    assert lodged
    assert (done.gone, done.waiting) == (2, 0)
    verified(town, done)
    whole = Workspace(Path(shutil.copytree(town.root.with_name("before"), town.root.with_name("whole"))))
    lodge(whole, account(1), who)
    assert hashes(replay(whole, "tiny").model) == hashes(done.model)


def test_an_objection_after_a_cut_is_in_what_is_carried_on(town: Workspace) -> None:
    lodge(town, account(20))
    with pytest.raises(Killed):
        replay(town, "tiny", report=_after(1))
    lodge(town, account(2))
    done = replay(town, "tiny")
    assert done.gone == 2
    verified(town, done)


def test_another_environment_is_refused_before_the_first_step_and_retraining_works(town: Workspace) -> None:
    model = run_of(town).model("0001")
    facts = read_facts(model)
    write_facts(model, replace(facts, environment={**facts.environment, "torch": "1.0"}))
    lodge(town, LIGHT)
    at = serving(town)
    with pytest.raises(CheckFailed, match=r"trained with torch 1\.0, and this is torch"):
        replay(town, "tiny")
    assert serving(town) == at
    assert len(run_of(town).models()) == 1
    done = replay(town, "tiny", retrain=True)
    assert (done.begun, done.gone) == (0, 1)
    assert serving(town) == ("0002", done.steps)
    verified(town, done)


def test_when_everybody_objects_the_base_serves(town: Workspace) -> None:
    lodge(town, *(account(number) for number in range(24)))
    assert serving(town) == ("0001", 0)
    done = replay(town, "tiny")
    assert (done.steps, serving(town)) == (0, ("0002", 0))


def test_a_flipped_bit_in_the_checkpoint_it_begins_from_is_named(town: Workspace) -> None:
    lodge(town, LIGHT)
    model = run_of(town).model("0001")
    begun = model.newest_clean(serving(town)[1])
    path = model.checkpoint(begun or 0) / "moments.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckFailed, match=r"moments\.safetensors was changed"):
        replay(town, "tiny")


def test_a_spot_check_trains_what_the_nonce_picks_and_finds_what_was_changed(town: Workspace) -> None:
    model = run_of(town).model("0001")
    with reading(town) as session:
        one = checking.spot(session, model, 2, b"heron")
        assert len(one.intervals) == 2
        assert checking.spot(session, model, 2, b"heron").intervals == one.intervals
        every = checking.spot(session, model, 1000, b"heron")
        assert every.steps == max(model.steps())
        with pytest.raises(UsageError, match="nonce"):
            checking.spot(session, model, 0, b"heron")
    nonces = [str(number).encode() for number in range(30)]
    picks = {tuple(checking.picked(model.steps(), 1, nonce, b"x" * 32)) for nonce in nonces}
    assert len(picks) > 1
    path = model.checkpoint(model.steps()[1]) / "state.json"
    said = orjson.loads(path.read_bytes())
    said["weights"] = "0" * 64
    path.write_bytes(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))
    with reading(town) as session, pytest.raises(CheckFailed, match="checkpoints of the model"):
        checking.spot(session, model, 1, b"heron")


def test_a_certificate_of_a_changed_plan_is_named(town: Workspace) -> None:
    model = run_of(town).model("0001")
    private = model.path / "certificate.private.json"
    private.write_bytes(private.read_bytes() + b" ")
    with town.register() as register, pytest.raises(CheckFailed, match=r"private\.json was changed"):
        read_certificate(model, town.keys().signing.public_key())
    assert isinstance(register, Register)


def test_commands(town: Workspace, demur: Demur) -> None:
    lodge(town, LIGHT)
    where = ["-w", str(town.root)]
    assert "replay" in demur("runs", *where).out
    assert "1 account fewer" in demur("replay", "tiny", *where).out
    assert "every byte" in demur("replay", "tiny", "--verify", *where).out
    assert "every byte" in demur("replay", "tiny", "--spot", "1", "--nonce", "heron", *where).out
    assert demur("replay", "tiny", "--spot", "1", *where).code == 2
    assert demur("replay", "nobody", *where).code == 2


def test_a_run_through_adapters_answers_and_is_replayed_to_equal_bytes(
    template: Path, tmp_path: Path, demur: Demur
) -> None:
    town = Workspace(Path(shutil.copytree(template, tmp_path / "town", symlinks=True)))
    config = replace(TINY, step_tokens=96, adapters=2, rate=1e-2)
    data = template.parent / "rules.jsonl"
    with reading(town) as session:
        run = first.begin(session, "v1", name="small", config=config, base=[str(data)])
        first.carry_out(session, run)
    asked = ("generate", "small", "rain", "--tokens", "4", "--seed", "1", "--json", "-w", town.root)
    assert demur(*asked).json["model"] == "small/0001"
    lodge(town, account(9))
    done = replay(town, "small")
    assert (done.gone, done.first is not None) == (1, True)
    verified(town, done)
    assert demur(*asked).json["model"] == "small/0002"
