"""What a run begins from: declared data, a checkpoint, another run; and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trainable
from trainable import LATER, TINY, Community

from demur.corpus.session import reading
from demur.errors import UsageError
from demur.runs.facts import read_base
from demur.runs.render import MASK
from demur.training import first, tokenizer
from demur.training.base import Chosen
from demur.training.checkpoints import Checkpoints, read_tensors
from demur.training.declared import Declared
from demur.training.model import keep
from demur.training.tokenizer import Tokenizer


def test_declared_data_are_named_in_the_base(community: Community) -> None:
    run = community.run()
    base = read_base(run.model.run.base)
    assert (base.kind, base.of) == ("fresh", None)
    assert base.weights == Checkpoints(run.model).saved(0).weights
    (data,) = base.declared
    assert (data["name"], data["declared_by"], data["licence"]) == ("House rules", "The board", "own work")
    assert len(data["sha256"]) == 64


def test_the_base_was_trained_and_is_its_own_average(community: Community) -> None:
    folder = community.run().model.checkpoint(0)
    weights, average = (read_tensors(folder / f"{name}.safetensors") for name in ("weights", "ema"))
    assert all(bool((weights[name] == average[name]).all()) for name in weights)
    moments = read_tensors(folder / "moments.safetensors")
    assert not any(bool(each.any()) for each in moments.values())


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        (None, "counts as personal, because nothing declares"),
        ('declared_by = "The board"\n', "does not say `declared_by`"),
        ("nobody_may_object = true\n", "does not say `nobody_may_object = true`"),
    ],
)
def test_what_is_not_declared_is_personal(tmp_path: Path, lacking: str | None, words: str) -> None:
    path = trainable.declared(tmp_path)
    beside = tmp_path / "rules.jsonl.declared.toml"
    if lacking is None:
        beside.unlink()
    else:
        beside.write_text(beside.read_text().replace(lacking, ""))
    with pytest.raises(UsageError, match=words):
        Chosen.read([str(path)], tmp_path)


def test_nothing_and_what_is_no_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give --base"):
        Chosen.read([], tmp_path)
    with pytest.raises(UsageError, match="can't be a base"):
        Chosen.read([str(tmp_path / "none.txt")], tmp_path)
    with pytest.raises(UsageError, match="There is no run 'none'"):
        Chosen.read(["run:none"], tmp_path)


def test_texts_come_from_each_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\n")
    pq.write_table(pa.table({"text": ["one", "two"]}), tmp_path / "a.parquet")
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n\n{"text": " two "}\n')
    said = ("Rules", "The board", "ours", "own work")
    assert list(Declared(tmp_path / "a.txt", *said).texts()) == ["one\ntwo", "three"]
    assert list(Declared(tmp_path / "a.parquet", *said).texts()) == ["one", "two"]
    assert list(Declared(tmp_path / "a.jsonl", *said).texts()) == ["one", "two"]
    (tmp_path / "a.jsonl").write_text('{"words": "one"}\n')
    with pytest.raises(UsageError, match="is no JSON Lines"):
        list(Declared(tmp_path / "a.jsonl", *said).texts())
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(UsageError, match="is no Parquet"):
        list(Declared(tmp_path / "a.parquet", *said).texts())


def test_a_mask_is_one_token_and_what_is_typed_is_text(community: Community) -> None:
    known = community.run().tokenizer
    (plain, masked, typed, cut, empty) = known.encode(["rain", MASK, "<s></s>", "rain " * 200, ""])
    assert (plain[0], plain[-1]) == (known.begin, known.end)
    assert len(masked) == 3
    assert known.begin not in typed[1:-1]
    assert known.end not in typed[1:-1]
    assert len(cut) == TINY.context
    assert empty == []
    assert known.inner.decode(plain) == "rain"


def test_a_tokenizer_is_fitted_to_the_same_bytes(community: Community, tmp_path: Path) -> None:
    texts = list(Declared.of(Path(community.base)).texts())
    for name in ("a", "b"):
        tokenizer.fit(iter(texts), TINY.vocabulary, tmp_path / name)
    kept = (community.run().model.run.tokenizer / "tokenizer.json").read_bytes()
    assert (tmp_path / "a" / "tokenizer.json").read_bytes() == (tmp_path / "b" / "tokenizer.json").read_bytes() == kept


def test_a_missing_or_broken_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing"):
        Tokenizer.open(tmp_path, 8)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(UsageError, match="is unreadable"):
        Tokenizer.open(tmp_path, 8)


@pytest.mark.parametrize("adapters", [0, 2])
def test_a_local_checkpoint_is_a_base(
    own: Community, tmp_path: Path, adapters: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """One in the format of Hugging Face, in full or through adapters; the run is complete without that folder."""
    one, folder = own.run(), tmp_path / "checkpoint"
    keep(one.network(), folder, weights=True)
    tokenizer.keep(one.model.run.tokenizer, folder)
    config = replace(TINY, adapters=adapters, rate=1e-2)
    with reading(own.workspace, LATER) as session:
        run = first.begin(session, "v1", name="from-folder", config=config, base=[str(folder)])
        trained = first.carry_out(session, run)
    assert capfd.readouterr().err == ""
    assert read_base(run.model.run.base).kind == "checkpoint"
    assert trained.outcome.saved.step == trained.outcome.plan.steps > 0
    names = set(read_tensors(run.model.checkpoint(0) / "weights.safetensors"))
    assert all("lora" in name for name in names) == bool(adapters)
    assert (run.model.run.path / "model" / "model.safetensors").exists() == bool(adapters)
    settings = json.loads((run.model.run.path / "model" / "config.json").read_bytes())
    assert settings["model_type"] == "llama"
    if adapters:  # what stays of it is the base of another run, too
        with reading(own.workspace, LATER) as session:
            again = first.begin(session, "v1", name="on-adapters", config=config, base=["run:from-folder"])
            first.carry_out(session, again)
        kept, first_kept = (each.model.run.path / "model" / "model.safetensors" for each in (again, run))
        assert kept.read_bytes() == first_kept.read_bytes()


def test_a_broken_checkpoint_is_named(own: Community, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    tokenizer.keep(own.run().model.run.tokenizer, folder)
    with reading(own.workspace, LATER) as session:
        run = first.begin(session, "v1", name="broken", config=TINY, base=[str(folder)])
        with pytest.raises(UsageError, match=r"The checkpoint .* can't be read"):
            first.carry_out(session, run)
        assert not run.model.run.path.exists()
        first.begin(session, "v1", name="broken", config=TINY, base=[own.base])  # its name is free
