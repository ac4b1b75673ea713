"""A training that is cut off or meets what is broken: it goes on to the same bytes, or says what is wrong."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn

import pytest
import trainable
from disks import small_disk
from trainable import LATER, Community

from demur.corpus.session import reading
from demur.errors import CheckFailed, DemurError, UsageError, WorkspaceError
from demur.runs.facts import write_facts
from demur.training import checkpoints, first, log, loop
from demur.training.checkpoints import PARTS, Checkpoints, Saved
from demur.training.environment import Environment, of_now, require_same
from demur.training.filling import Plan
from demur.training.loop import Diverged, train
from demur.training.run import Run

KILLS: Final = (
    ("log append", log.Log, "append", 3),
    ("log sync", log.Log, "sync", 2),
    ("first file of a checkpoint", checkpoints, "_write", 1),
    ("last file of a checkpoint", checkpoints, "_write", 6),
    ("state of a checkpoint", checkpoints, "write_durably", 2),
    ("step", loop, "one_step", 5),
)
"""What is called when the process dies: name, owner, function, and which call of it."""
ROOM: Final = 24 << 20


def finished(community: Community, run: Run) -> Saved:
    """What a run gives when it is resumed."""
    with reading(community.workspace, LATER) as session:
        return first.carry_out(session, first.resumed(session, run.model.run.name, "v1")).outcome.saved


def last(run: Run) -> Saved:
    return Checkpoints(run.model).saved(max(run.model.steps()))


def killed_at(owner: object, name: str, call: int, work: Callable[[], object]) -> int:
    """Run some work in a child that kills itself after a call of a function; how it ended."""
    child = os.fork()
    if child == 0:
        real, calls = getattr(owner, name), iter(range(1, 1000))

        def deadly(*arguments: object, **options: object) -> object:
            found = real(*arguments, **options)
            if next(calls) == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        setattr(owner, name, deadly)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore")  # Lance warns of forks; the child does not touch it
@pytest.mark.parametrize(("owner", "name", "call"), [kill[1:] for kill in KILLS], ids=[kill[0] for kill in KILLS])
def test_after_a_kill_it_goes_on_to_the_same_bytes(own: Community, owner: object, name: str, call: int) -> None:
    expected, plan = last(own.run()), own.plan()
    run = trainable.cut_off(own)
    assert killed_at(owner, name, call, lambda: train(run, from_step=0, plan=plan)) == -signal.SIGKILL
    assert finished(own, run) == expected
    assert not list(run.model.checkpoints.glob(".*"))
    assert log.require_whole(run.model.log, expected.step) == expected.chain


@pytest.fixture
def disk(tmp_path: Path, missing: Callable[[str], NoReturn]) -> Iterator[Path]:
    """A small disk, empty."""
    with small_disk(tmp_path / "disk", ROOM, missing) as place:
        yield place


@pytest.mark.parametrize("left", [40, 700])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_to_the_same_bytes(
    community: Community, disk: Path, left: int
) -> None:
    small = community.copied(disk / "own")
    expected, run = last(small.run()), trainable.cut_off(small)
    filler, room = disk / "filler", os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - left * 1024)
    with pytest.raises(WorkspaceError, match=r"no room left .* `demur train v1 --run one --resume`"):
        finished(small, run)
    filler.unlink()
    assert finished(small, run) == expected


@pytest.mark.parametrize("part", PARTS)
def test_a_flipped_bit_in_a_checkpoint_is_named(own: Community, part: str) -> None:
    run, plan = own.run(), own.plan()
    step = run.model.steps()[1]
    path = run.model.checkpoint(step) / f"{part}.safetensors"
    data = bytearray(path.read_bytes())
    data[-9] ^= 4
    path.write_bytes(data)
    with pytest.raises(CheckFailed, match=rf"{step}/{part}\.safetensors was changed") as told:
        train(trainable.successor(run, up_to=step), from_step=step, plan=plan)
    assert told.value.exit_code == 1


def test_a_checkpoint_whose_state_is_damaged_or_gone_is_named(own: Community) -> None:
    run = own.run()
    path = run.model.checkpoint(0) / "state.json"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckFailed, match=r"state\.json is damaged"):
        Checkpoints(run.model).verify(0)
    path.unlink()
    with pytest.raises(CheckFailed, match="can't be read"):
        Checkpoints(run.model).verify(0)


def test_a_log_cut_short_is_named(own: Community) -> None:
    run, plan = own.run(), own.plan()
    step = max(run.model.steps())
    with run.model.log.open("r+b") as file:
        file.truncate(log.HEADER_BYTES + 96 * step - 50)
    with pytest.raises(CheckFailed, match=r"log\.bin is cut short in the record of step"):
        train(run, from_step=step, plan=plan)


def test_a_log_of_another_model_is_named(own: Community) -> None:
    run, plan = own.run(), own.plan()
    step = run.model.steps()[1]
    other = log.Log.begin(run.model.log, config=run.config_digest, environment=bytes(32), base=bytes(32))
    for number in range(step):
        other.append(log.Record(number, 1, 1.0, 1.0, 1.0, bytes(32)))
    with pytest.raises(CheckFailed, match=rf"log\.bin is not the log of checkpoint {step}"):
        train(run, from_step=step, plan=plan)


def test_an_edited_plan_is_named(own: Community) -> None:
    run = trainable.cut_off(own)
    plan = run.plan()
    Plan(plan.rows, plan.place, plan.step[::-1].copy()).write(run.model.plan)
    with pytest.raises(CheckFailed, match=r"plan\.parquet was changed") as told:
        finished(own, run)
    assert told.value.exit_code == 1


def test_an_edited_configuration_is_named(own: Community) -> None:
    run, path = trainable.cut_off(own), own.run().model.run.config
    path.write_bytes(path.read_bytes().replace(b'"rate":"0.003"', b'"rate":"0.004"'))
    with pytest.raises(CheckFailed, match="of another configuration"):
        finished(own, run)
    path.write_bytes(b"{")
    with pytest.raises(CheckFailed, match=r"config\.json is missing, damaged"):
        finished(own, run)


def test_a_loss_that_is_no_number_stops_at_the_last_good_checkpoint_and_is_told_of(
    own: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, run = last(own.run()), trainable.cut_off(own)
    real = loop.rate_of
    monkeypatch.setattr(loop, "rate_of", lambda step, config: float("inf") if step == 3 else real(step, config))
    with pytest.raises(Diverged, match=r"no number: the run stops at its checkpoint \d") as told:
        finished(own, run)
    assert told.value.exit_code == 1
    kept = run.model.steps()
    assert f"checkpoint {max(kept)}" in str(told.value)
    assert all(Checkpoints(run.model).verify(step) for step in kept)
    assert max(kept) <= 3
    assert run.facts().stopped == told.value.step
    with pytest.raises(UsageError, match=r"one stopped at step \d, as its loss was no number: choose another name"):
        first.require_not_begun(run.model.run, "v1")
    monkeypatch.undo()  # where it was a fault of the machine, it goes on
    assert finished(own, run) == expected
    assert run.facts().stopped is None


def test_another_environment_is_refused_before_the_first_step_naming_both(own: Community) -> None:
    run = trainable.cut_off(own)
    facts = run.facts()
    other = {**facts.environment, "threads": "7", "torch": "1.0"}
    write_facts(run.model, replace(facts, environment=other))
    before = run.model.log.read_bytes()
    with pytest.raises(CheckFailed, match=r"threads 7, torch 1\.0, and this is threads 1, torch [2-9]") as told:
        train(run, from_step=0, plan=own.plan())
    assert told.value.exit_code == 1
    assert run.model.log.read_bytes() == before
    with pytest.raises(CheckFailed, match="cuda 12"):
        require_same(Environment({"cuda": "12"}), of_now(run.config))


def test_a_finished_run_is_not_resumed(community: Community) -> None:
    with reading(community.workspace, LATER) as session:
        with pytest.raises(UsageError, match="is finished"):
            first.resumed(session, "one", "v1")
        with pytest.raises(UsageError, match="is one of version v1"):
            first.resumed(session, "one", "v2")
        with pytest.raises(UsageError, match="There is no run 'two'"):
            first.resumed(session, "two", "v1")


def test_every_refusal_is_one_sentence(own: Community) -> None:
    run = own.run()
    (run.model.run.key).write_bytes(b"short")
    with pytest.raises(DemurError, match="key is missing or damaged") as told:
        Run.open(run.model)
    assert "\n" not in str(told.value)
