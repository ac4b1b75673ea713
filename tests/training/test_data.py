"""Ranks and worker processes share a version's rows exactly, go on exactly, and follow the head."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from loads import ALWAYS, objects, text_of, texts
from making import NOW, batch, item, open_policy, span
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import demur
from demur.corpus.importing import import_items
from demur.errors import GoneError, UsageError
from demur.loading import Loader
from demur.training import data
from demur.training.data import Feed, Stream, Table
from demur.versions.leave import export
from demur.versions.publish import publish
from demur.workspace import Workspace, create, find

ROWS = 100


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred rows of ten people; every tenth mentions ann."""
    made = create(tmp_path_factory.mktemp("founded") / "w", open_policy())
    people = ["ann", *(f"user{number}" for number in range(1, 10))]
    items = [
        item(
            str(number),
            f"forum:{people[number % 10]}",
            f"@ann {number}" if number % 10 == 5 else f"row {number}",
            spans=[span(0, 4, "mention", "forum:ann")] if number % 10 == 5 else [],
        )
        for number in range(ROWS)
    ]
    import_items(made, "table", [batch(items)], now=NOW)
    publish(made, "v1")
    return made.root


@pytest.fixture
def workspace(founded: Path, fast_tmp: Path) -> Workspace:
    return find(Path(shutil.copytree(founded, fast_tmp / "w")))


@pytest.fixture
def loader(workspace: Workspace) -> Iterator[Loader]:
    with demur.load(workspace.root, "v1", columns=["item", "text"], check_every=ALWAYS) as opened:
        yield opened


def rows_of(feeds: list[Feed]) -> list[str]:
    return [text for feed in feeds for rows in feed for text in texts(rows)]


@pytest.mark.parametrize(("world", "size"), [(1, 7), (2, 7), (3, 10), (5, 64)])
def test_ranks_share_every_row_once(loader: Loader, workspace: Workspace, world: int, size: int) -> None:
    objects(workspace, "forum:ann")
    feeds = [Stream(loader, size, rank=rank, world=world).feed() for rank in range(world)]
    found = Counter(rows_of(feeds))
    assert found == Counter(text_of(row) for row in loader)
    assert len(found) == 90
    single = [text_of(row) for rank in range(world) for row in Stream(loader, size, rank=rank, world=world)]
    assert Counter(single) == found


def test_ranks_are_those_of_the_environment(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (Stream(loader).rank, Stream(loader).world) == (1, 4)
    with pytest.raises(UsageError, match="There is no part 4 of 4"):
        Stream(loader, rank=4)


def test_worker_processes_share_the_rows_of_a_rank(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Counter[str]()
    for worker in range(3):
        monkeypatch.setattr(data, "get_worker_info", lambda worker=worker: SimpleNamespace(id=worker, num_workers=3))
        found.update(Stream(loader, 6, rank=1, world=2, transform=text_of))
    monkeypatch.undo()
    assert found == Counter(Stream(loader, 6, rank=1, world=2, transform=text_of))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_feed_goes_on_where_it_was_with_any_number_of_workers(loader: Loader, workers: int) -> None:
    stream = Stream(loader, 6, rank=0, world=2, transform=text_of)
    whole = list(stream.feed())
    assert len(whole) == len(stream.feed()) == 9
    feed = stream.feed()
    batches = iter(feed)
    begun = [next(batches) for _ in range(3)]
    state = json.loads(json.dumps(feed.state_dict()))
    assert state["position"] == 3
    again = stream.feed(workers=workers)
    again.load_state_dict(state)
    assert [*begun, *again] == whole
    if not workers:
        assert list(again) == whole  # the next time from the start


def test_a_stream_goes_on_where_it_was(loader: Loader) -> None:
    stream = Stream(loader, 8, rank=1, world=3, transform=text_of)
    whole = list(stream)
    rows = iter(stream)
    begun = [next(rows) for _ in range(11)]
    other = Stream(loader, 8, rank=1, world=3, transform=text_of)
    other.load_state_dict(json.loads(json.dumps(stream.state_dict())))
    assert [*begun, *other] == whole


def test_positions_stay_true_whoever_objects_in_between(loader: Loader, workspace: Workspace) -> None:
    stream = Stream(loader, 6, transform=text_of)
    whole = list(stream.feed())
    feed = stream.feed()
    batches = iter(feed)
    begun = [next(batches) for _ in range(4)]
    state = feed.state_dict()
    objects(workspace, "forum:user1")
    again = stream.feed()
    again.load_state_dict(state)
    gone = {text for text in (f"row {number}" for number in range(1, ROWS, 10)) if text not in begun}
    assert [text for part in again for text in part] == [t for part in whole[4:] for t in part if t not in gone]


def test_a_state_of_something_else_is_refused(loader: Loader) -> None:
    state = Stream(loader, 6).feed().state_dict()
    with pytest.raises(UsageError, match="The state is of another batch and world"):
        Stream(loader, 7, rank=0, world=2).feed().load_state_dict(state)
    with pytest.raises(UsageError, match="no state of a feed"):
        Stream(loader).feed().load_state_dict({"position": 1})
    with pytest.raises(UsageError, match="settles batch_size itself"):
        Stream(loader).feed(batch_size=3)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_waits_in_a_queue_is_read_again_after_an_objection(
    loader: Loader, workspace: Workspace, workers: int
) -> None:
    options = {"prefetch_factor": 4} if workers else {}
    batches = iter(Stream(loader, 10, transform=text_of).feed(workers, **options))
    assert next(batches)[:2] == ["row 0", "row 1"]
    objects(workspace, "forum:user1", "forum:ann")
    later = [text for part in batches for text in part]
    assert len(later) == 72
    assert not {f"row {number}" for number in range(ROWS) if number % 10 < 2} & set(later)
    assert "[person] 15" in later


def test_a_block_of_which_nothing_is_left_is_passed_over_and_counted(loader: Loader, workspace: Workspace) -> None:
    objects(workspace, "forum:ann", *(f"forum:user{number}" for number in range(1, 5)))
    feed = Stream(loader, 5, transform=text_of).feed()
    assert [len(part) for part in feed] == [5] * 10
    assert feed.state_dict()["position"] == 20


def test_a_table_keeps_its_length_and_says_which_rows_are_gone(loader: Loader, workspace: Workspace) -> None:
    objects(workspace, "forum:user9")
    table = Table(loader, transform=text_of)
    assert len(table) == 90
    assert (table[0], table[89], table[-1]) == ("row 0", "row 98", "row 98")
    assert table.__getitems__([5, 2, 2]) == ["[person] 5", "row 2", "row 2"]
    with pytest.raises(IndexError):
        table[90]
    objects(workspace, "forum:user2")
    assert len(table) == 90
    with pytest.raises(GoneError, match=r"^The row with the index 2 may not be used any more: .*\.$"):
        table[2]
    assert table.__getitems__([1, 2, 3]) == ["row 1", "row 3"]
    with pytest.raises(GoneError, match="All 2 rows may not"):
        table.__getitems__([2, 2])
    rows = [row for part in DataLoader(table, batch_size=7, shuffle=True) for row in part]
    assert Counter(rows) == Counter(row["text"] for row in loader)


def test_an_export_is_read_the_same_way(workspace: Workspace, fast_tmp: Path, loader: Loader) -> None:
    folder = fast_tmp / "out"
    export(workspace, "v1", folder)
    asked: dict[str, Any] = {"head": workspace.root, "columns": ["text"], "check_every": ALWAYS}
    exported = demur.load(folder, **asked)
    for rank in range(2):
        theirs, ours = (Stream(each, 6, rank=rank, world=2, transform=text_of) for each in (exported, loader))
        assert list(theirs.feed()) == list(ours.feed())
        assert list(theirs) == list(ours)
    objects(workspace, "forum:ann")
    assert Table(exported, transform=text_of).__getitems__([4, 0]) == ["[person] 5", "row 1"]


def test_a_forked_process_is_told_to_spawn(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.loading.watching.os.getpid", lambda: 1)
    with pytest.raises(UsageError, match="start worker processes with `spawn`"):
        list(Stream(loader))
    with pytest.raises(UsageError, match="start worker processes with `spawn`"):
        Table(loader)[0]


def test_the_five_lines_of_the_readme_train(root: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    (code,) = (each for each in blocks if "demur.load(" in each)
    assert len(code.partition("\n\n")[2].splitlines()) == 5
    (workspace.root.parent / "community").symlink_to(workspace.root)
    monkeypatch.chdir(workspace.root.parent)
    model = LlamaForCausalLM(
        LlamaConfig(vocab_size=300, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    before = model.lm_head.weight.detach().clone()
    bytewise = Tokenizer(BPE())
    bytewise.pre_tokenizer = ByteLevel()
    bytewise.train_from_iterator([], BpeTrainer(initial_alphabet=ByteLevel.alphabet(), special_tokens=["[PAD]"]))
    names = {
        "demur": demur,
        "model": model,
        "tokenizer": PreTrainedTokenizerFast(tokenizer_object=bytewise, pad_token="[PAD]", model_max_length=64),
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
    }
    exec(compile(code, "README.md", "exec"), names)  # it is ours
    assert not torch.equal(before, model.lm_head.weight)
