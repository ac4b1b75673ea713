"""Trainers that people use, as in the examples: an objection in the middle reaches them, and they are on record."""

import runpy
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from datetime import timedelta
from functools import wraps
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import numpy as np
import pytest
import torch
import trainable
from calling import Demur
from making import NOW, batch, item, open_policy
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

import demur
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.errors import UsageError
from demur.register import Register
from demur.runs.facts import ModelState, read_facts
from demur.runs.folder import ModelFolder, find_run
from demur.runs.people import read_people
from demur.terms import EntryKind
from demur.training import Following, tracked
from demur.versions.lineage import Roots, proof_of, roots_of
from demur.versions.publish import publish
from demur.versions.subjects import holds
from demur.workspace import Workspace

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.filterwarnings("ignore:'pin_memory' argument")  # torch's, of the Trainer's default
SCRIPTS: Final = [("loop.py", "by-hand"), ("trainer.py", "by-trainer")]
LINES: Final = 15
torch.set_num_threads(1)  # others wait for the cores
BATCH: Final = 8
LATE: Final = 12
"""Somebody whose one row is the last, and whom nobody names."""
FORWARD: Final = LlamaForCausalLM.forward


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the examples find it: a workspace `community` with the version `spring`, and a checkpoint `base`."""
    folder = tmp_path_factory.mktemp("desk")
    workspace = workspaces.create(folder / "community", open_policy())
    rows = [*trainable.posts(people=LATE, most=30), item("last", trainable.account(LATE), "I never say much.")]
    for row in rows:
        row["text"] += f" by{row['author'].removeprefix('forum:member')}x"  # so that a text tells who wrote it
    import_items(workspace, "table", [batch(rows)], now=NOW)
    publish(workspace, "spring", now=NOW)
    _base(folder / "base")
    return folder


def _base(folder: Path) -> None:
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(["rain"], trainers.BpeTrainer(special_tokens=["</s>"], initial_alphabet=alphabet))
    inner.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>", pad_token="</s>").save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(
        LlamaConfig(vocab_size=len(inner.get_vocab()), max_position_embeddings=256, **sizes)
    ).save_pretrained(folder)


@pytest.fixture
def at(desk: Path, tmp_path: Path) -> Path:
    copytree(desk, tmp_path / "desk")
    return tmp_path / "desk"


class Watched:
    """What the model of a script reads, batch by batch; something may happen before one of them."""

    def __init__(self, act: Callable[[int, "Watched"], None]) -> None:
        self._act = act
        self.read: list[list[str]] = []
        self.weights: list[torch.Tensor] = []
        """Before each batch, and at the end."""
        self.model: Any = None
        self._tokenizer: Any = None

    def authors(self, number: int) -> set[int]:
        """Who wrote the rows of a batch."""
        return {int(text.rpartition("by")[2].partition("x")[0]) for text in self.read[number]}

    def forward(self, model: LlamaForCausalLM, **given: Any) -> Any:  # noqa: ANN401  # as the model's own
        tokenizer = self._tokenizer = self._tokenizer or PreTrainedTokenizerFast.from_pretrained("base")
        self.model = model
        self.weights.append(self.flat())
        self.read.append(tokenizer.batch_decode(given["input_ids"], skip_special_tokens=True))
        self._act(len(self.read) - 1, self)
        return FORWARD(model, **given)

    def flat(self) -> torch.Tensor:
        return torch.cat([each.detach().flatten().clone() for each in self.model.parameters()])


@contextmanager
def running(at: Path, script: str, act: Callable[[int, Watched], None] = lambda *_: None) -> Iterator[Watched]:
    watched = Watched(act)

    @wraps(FORWARD)
    def forward(model: LlamaForCausalLM, **given: Any) -> Any:  # noqa: ANN401  # as the model's own
        return watched.forward(model, **given)

    with pytest.MonkeyPatch.context() as patch, chdir(at):
        patch.setattr(LlamaForCausalLM, "forward", forward)
        runpy.run_path(str(EXAMPLES / script))
    yield watched


def objects(at: Path, who: int) -> None:
    with Workspace(at / "community").register() as register:
        register.objections.lodge([trainable.account(who)], channel="letter")


def of(at: Path, run: str, number: str = "0001") -> ModelFolder:
    return find_run(at / "community" / "models", run).model(number)


def entries(at: Path) -> list[dict[str, Any]]:
    with Workspace(at / "community").register() as register:
        return [dict(entry.payload) for entry in register.log.entries(EntryKind.RUN_TRAINED)]


def key(at: Path, who: int) -> int:
    return Workspace(at / "community").keys().pepper.subject_key(trainable.account(who))


@pytest.mark.parametrize("script", [script for script, _ in SCRIPTS])
def test_the_examples_have_at_most_fifteen_lines(script: str) -> None:
    assert len([line for line in (EXAMPLES / script).read_text().splitlines() if line]) <= LINES


@pytest.mark.parametrize(("script", "run"), SCRIPTS)
def test_a_script_trains_on_every_row_and_is_on_record_with_its_people(at: Path, script: str, run: str) -> None:
    with running(at, script) as watched:
        pass
    read = [text for number in watched.read for text in number]
    with tracked(at / "community", "spring", run="again") as again:
        texts = [row["text"] for row in again.rows()]
    if script == "loop.py":  # the Trainer begins again until its steps are done
        assert read == texts
    assert set(read) == set(texts)
    (said, _) = entries(at)
    model = of(at, run)
    facts, people = read_facts(model), np.asarray(read_people(model).keys)
    assert (said["run"], said["model"], said["version"], said["ended"]) == (run, "0001", "spring", "finished")
    assert facts.state is ModelState.FINISHED
    assert facts.version == "spring"
    assert said["environment"]["torch"] == facts.environment["torch"]
    roots = Roots.read(said)
    assert roots_of(people, bytes.fromhex(roots.salt)) == roots
    proof, digest = proof_of(people, roots, key(at, 0))
    assert holds(proof, digest, bits=roots.bits, root=bytes.fromhex(roots.root))
    assert key(at, 0) in people.tolist()
    with Workspace(at / "community").register() as register:
        assert said["checkpoint"]["seq"] <= register.log.head().seq
    assert not any(str(each) in repr(said) for each in people.tolist())


@pytest.mark.parametrize(("script", "run"), SCRIPTS)
def test_who_was_read_and_objects_stops_it_and_no_later_step_sees_them(at: Path, script: str, run: str) -> None:
    gone: list[int] = []

    def object_(number: int, watched: Watched) -> None:
        if number == 2:
            gone.append(min(watched.authors(1)))
            objects(at, gone[0])

    with running(at, script, object_) as watched:
        pass
    assert len(watched.read) == 3
    if script == "trainer.py":  # its update was not made
        assert torch.equal(watched.flat(), watched.weights[2])
    (said,) = entries(at)
    assert said["ended"] == "stopped"
    assert key(at, gone[0]) in read_people(of(at, run)).keys.tolist()


@pytest.mark.parametrize(("script", "run"), SCRIPTS)
def test_who_was_not_read_yet_is_left_out_and_it_goes_on(at: Path, script: str, run: str) -> None:
    def object_(number: int, watched: Watched) -> None:
        if number == 2:
            assert all(LATE not in watched.authors(each) for each in range(3))
            objects(at, LATE)

    with running(at, script, object_) as watched:
        pass
    assert len(watched.read) > 8
    assert all(LATE not in watched.authors(each) for each in range(len(watched.read)))
    (said,) = entries(at)
    assert (said["run"], said["version"], said["ended"]) == (run, "spring", "finished")
    assert key(at, LATE) in read_people(of(at, run)).keys.tolist()  # as nobody can tell what was read of a batch


def test_who_is_in_a_batch_that_the_trainer_read_ahead_is_in_no_step(at: Path) -> None:
    last, who = newcomer(at)

    def object_(number: int, _: Watched) -> None:
        if number == last:
            objects(at, who)

    with running(at, "trainer.py", object_) as watched:
        pass
    assert len(watched.read) == last + 1
    assert all(who not in watched.authors(each) for each in range(last + 1))
    assert torch.equal(watched.flat(), watched.weights[last])
    (said,) = entries(at)
    assert said["ended"] == "stopped"
    assert key(at, who) in read_people(of(at, "by-trainer")).keys.tolist()


def newcomer(at: Path) -> tuple[int, int]:
    """A batch, and somebody who is in none up to it and wrote a row of the next."""
    with demur.load(at / "community", "spring") as loader:
        rows = list(loader)
    seen: set[str] = set()
    for number in range(1, len(rows) // BATCH):
        seen.update(key for row in rows[(number - 1) * BATCH : number * BATCH] for key in people_of(row))
        wrote = {row["author"] for row in rows[number * BATCH : (number + 1) * BATCH]}
        for who in range(LATE):
            if f"{key(at, who):016x}" in wrote - seen:
                return number - 1, who
    raise AssertionError(rows)


def people_of(row: dict[str, Any]) -> list[str]:
    return [row["author"], *(row["subjects"] or ())]


def test_where_the_head_is_out_of_reach_it_stops_cleanly_and_says_so(at: Path) -> None:
    community = at / "community"
    with tracked(community, "spring", run="far", max_staleness=timedelta(0)) as run:
        seen = 0
        for rows in run.batches(BATCH):
            seen += len(rows)
            if seen == 2 * BATCH:
                (community / "demur.toml").rename(community / "away")
        assert seen == 2 * BATCH
        assert run.stopped is not None
        assert "it is unknown who objected" in run.stopped
        assert not run.goes_on()
        (community / "away").rename(community / "demur.toml")
    assert entries(at)[-1]["ended"] == "stopped"


def test_a_loop_that_fails_is_on_record_and_the_name_goes_on_with_the_next_model(at: Path) -> None:
    community = at / "community"
    with pytest.raises(StopIteration), tracked(community, "spring", run="mine"):
        next(iter(()))
    with tracked(community, "spring", run="mine"):
        pass
    assert [(each["model"], each["ended"]) for each in entries(at)] == [("0001", "failed"), ("0002", "finished")]


def test_people_are_named_before_the_first_row_is_handed_out(at: Path) -> None:
    with tracked(at / "community", "spring", run="mine") as run:
        assert key(at, 3) in read_people(run.model).keys.tolist()
        assert read_facts(run.model).state is ModelState.RUNNING


def test_rows_that_come_back_bring_their_people(at: Path) -> None:
    with Workspace(at / "community").register() as register:
        reference = register.objections.lodge([trainable.account(3)], channel="letter").reference
    with tracked(at / "community", "spring", run="mine") as run:
        assert key(at, 3) not in read_people(run.model).keys.tolist()
        with Workspace(at / "community").register() as register:
            _withdraw(register, reference)
        next(run.batches(BATCH))
        assert run.stopped is None
        assert key(at, 3) in read_people(run.model).keys.tolist()


def _withdraw(register: Register, reference: str) -> None:
    register.objections.withdraw(reference)


@pytest.mark.parametrize("command", [("replay", "mine"), ("generate", "mine", "rain"), ("serve", "--model", "mine")])
def test_what_is_on_record_alone_is_neither_replayed_nor_asked(at: Path, demur: Demur, command: Sequence[str]) -> None:
    with tracked(at / "community", "spring", run="mine"):
        pass
    told = demur(*command, "-w", at / "community")
    assert told.code == 2
    assert "The run mine was trained by a trainer of your own, which has its weights" in told.err
    assert len(told.err.splitlines()) == 1


def test_it_refuses_other_processes(at: Path) -> None:
    with tracked(at / "community", "spring", run="mine") as run:
        arguments = TrainingArguments("trained", dataloader_num_workers=1)
        with pytest.raises(UsageError, match="dataloader_num_workers=0"):
            Following(run).on_train_begin(arguments, TrainerState(), TrainerControl())
