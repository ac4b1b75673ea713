"""A run that remembers: nothing personal in its weights, a store beside them, and forgetting that is exact."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
import trainable
from calling import Demur
from making import batch
from trainable import LATER, TINY, Community, account

from demur.backup.container import Writer
from demur.backup.making import back_up
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CheckFailed, CorpusError, UsageError
from demur.runs import store as stores
from demur.runs.belonging import findings
from demur.runs.folder import ModelFolder, find_run
from demur.runs.following import current, follow_rows
from demur.runs.forgetting import STORE, opened
from demur.runs.holding import Done, held_in
from demur.runs.listing import listed
from demur.runs.ngrams import Counts
from demur.runs.pointer import read_pointer
from demur.runs.store import Store
from demur.training import checking, first
from demur.training.certificate import read_certificate, store_digest
from demur.training.checkpoints import Checkpoints
from demur.training.exporting import export
from demur.training.filling import Plan
from demur.training.generating import Sampling
from demur.training.mixing import Recollection, Shares, mixed
from demur.training.model import looked_at
from demur.training.plan import plan_of
from demur.training.remembering import Remembering
from demur.training.replay import replay
from demur.training.run import Run
from demur.training.serving import serving
from demur.training.state import State

torch.set_num_threads(1)
MEMORY: Final = replace(TINY, memory=True, layers=1, neighbours=8)
FEW: Final = Sampling(tokens=6, seed=1)


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A community whose run `one` remembers."""
    return trainable.community(tmp_path_factory.mktemp("memory"), MEMORY)


@pytest.fixture
def town(remembering: Community, tmp_path: Path) -> Community:
    return remembering.copied(tmp_path / "own")


def model_of(town: Community, number: str = "0001") -> ModelFolder:
    return find_run(town.workspace.models_path, "one").model(number)


def lodge(town: Community, *who: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    with town.workspace.register() as register:
        for each in who:
            register.objections.lodge([account(each)], channel="letter")
        return np.array([register.pepper.subject_key(account(each)) for each in who])


def rebuilt(run: Run, plan: Plan, place: Path) -> str:
    """The digest of a store that is built from nothing, of the rows of a plan."""
    shutil.copytree(run.model.run.path, place / "models" / "one", ignore=shutil.ignore_patterns("0*", ".*"))
    folder = find_run(place / "models", "one").model("0009")
    folder.path.mkdir()
    state = State.of(run.network(), run.config)
    Checkpoints(run.model).load(0, state)
    Remembering(replace(run, model=folder), None, None)(state, plan, 0)
    found = store_digest(folder)
    assert found is not None
    return found


def digest(model: ModelFolder) -> str:
    with opened(model) as store:
        assert list(store.findings()) == []
        return store.digest()


def pointer(town: Community) -> tuple[str, int]:
    found = read_pointer(find_run(town.workspace.models_path, "one"))
    assert found is not None
    return found.model, found.checkpoint


def wrong(town: Community) -> list[str]:
    with reading(town.workspace) as session:
        public = session.keys.signing.public_key()
        return list(findings(town.workspace.models_path, session.register, session.policy, public))


# What it is


def test_its_weights_have_seen_nobody_and_its_shares_are_of_declared_data(remembering: Community) -> None:
    run = remembering.run()
    assert run.model.steps() == [0, 1]
    base, last = (run.model.checkpoint(step) / "weights.safetensors" for step in run.model.steps())
    assert base.read_bytes() == last.read_bytes()
    assert pointer(remembering) == ("0001", 1)
    assert 0 < run.config.ngram_share + run.config.nearest_share < 1
    assert run.config.nearest_scale > 0
    with reading(remembering.workspace, LATER) as session:
        said = read_certificate(run.model, session.keys.signing.public_key()).facts
    assert said["store"] == digest(run.model)
    assert not wrong(remembering)


def test_it_holds_the_rows_of_its_plan_and_nothing_else(remembering: Community, tmp_path: Path) -> None:
    run, plan = remembering.run(), remembering.plan()
    with opened(run.model) as store:
        assert sorted(store.items()) == sorted(plan.items())
        assert (store.people() == plan.people()).all()
        places = store.places()
    counts = Counts.of([plan.ids(row) for row in range(len(plan))])
    with opened(run.model) as store:
        following, count = store.continuations(0)
        assert (following == counts.continuations(0)[0]).all()
        assert (count == counts.continuations(0)[1]).all()
    assert sum(map(len, places.ids)) == int(plan.rows.tokens.sum())
    assert rebuilt(run, plan, tmp_path) == digest(run.model)


def test_what_it_remembers_is_likelier(town: Community) -> None:
    run, plan = town.run(), town.plan()
    row = plan.ids(int(np.argmax(plan.rows.tokens)))
    with serving(town.workspace, "one") as model:
        loaded = model.loaded()
        assert loaded.remembered is not None
        logits, states = looked_at(loaded.network, row, run.config)
        before = [row[: at + 1].tolist() for at in range(len(row) - 1)]
        with_it = loaded.remembered.scores(logits, states, before)
        _, generation, text = model.complete("rain tea", FEW)
    places = np.arange(len(row) - 1)
    base = torch.log_softmax(torch.from_numpy(logits), -1).numpy()
    assert with_it[places, row[1:]].mean() > base[places, row[1:]].mean() + 0.5
    assert np.exp(with_it.astype(np.float64)).sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert generation.tokens
    assert text


def test_voices_are_mixed_by_their_shares() -> None:
    rows = [np.array([0, 1, 2], np.int32)]
    vectors = np.array([[0.0, 0.0], [9.0, 9.0]], np.float32)
    recalled = Recollection.of(Counts.of(rows), vectors, np.array([0]), rows, 4)
    base, asked = np.full((1, 4), 0.25), np.zeros((1, 2), np.float32)
    nearest = mixed(recalled, Shares(0, 0.5, 1.0, 2), base, asked, [[3]])[0]
    assert nearest == pytest.approx([0.125, 0.625, 0.125, 0.125])
    none = Recollection.of(Counts.of([]), np.zeros((0, 2), np.float32), np.zeros(0, np.int64), [], 4)
    assert mixed(none, Shares(0.2, 0.5, 1.0, 2), base, asked, [[3]])[0] == pytest.approx(base[0])
    grams = mixed(recalled, Shares(0.5, 0, 1.0, 2), base, asked, [[0]])[0]
    assert grams.sum() == pytest.approx(1)
    assert grams.argmax() == 1


# Whoever objects


@pytest.mark.parametrize("who", [[0], [9, 20]], ids=["one", "two"])
def test_it_forgets_before_the_objection_is_acknowledged(town: Community, tmp_path: Path, who: Sequence[int]) -> None:
    run, plan = town.run(), town.plan()
    keys = lodge(town, *who)
    assert pointer(town) == ("0001", 0)
    with opened(run.model) as store:
        assert not store.holds(keys)
        assert store.changes == 1 or len(who) > 1
    left = plan.without(keys, run.config.plan_tokens)
    assert rebuilt(run, left, tmp_path) == digest(run.model)
    assert not wrong(town)
    with town.workspace.register() as register:
        done = {each.done for each in held_in(town.workspace.models_path, register, keys)}
        assert done == {Done.ROLLED_BACK}
        others = register.pepper.subject_key(account(1))
        assert held_in(town.workspace.models_path, register, np.array([others]))[0].done is Done.HOLDS
        assert listed(town.workspace.models_path, register)[0].waits == "replay"


def test_an_answer_that_is_being_drawn_is_begun_again(town: Community) -> None:
    with serving(town.workspace, "one") as model:
        loaded, _, pieces = model.pieces("rain", FEW)
        next(pieces)
        lodge(town, 2)
        assert not model.may_leave(loaded)
        after, _, _ = model.complete("rain", FEW)
        assert after.network is loaded.network
        assert model.may_leave(after)


def test_a_store_that_was_put_back_forgets_again_before_it_answers(town: Community) -> None:
    model, older = model_of(town), town.root / "older"
    shutil.copytree(model.path / STORE, older)
    keys = lodge(town, 4)
    shutil.rmtree(model.path / STORE)
    shutil.copytree(older, model.path / STORE)
    assert any("may not be in it" in each for each in wrong(town))
    with reading(town.workspace) as session:
        current(model.run, session.register, session.policy)
    with opened(model) as store:
        assert not store.holds(keys)
    assert not wrong(town)


def test_a_damaged_store_answers_nothing(town: Community) -> None:
    (model_of(town).path / STORE / stores.ROWS).write_bytes(b"nothing that SQLite reads, and long enough" * 99)
    with pytest.raises(CorpusError, match="damaged"), serving(town.workspace, "one"):
        pass
    assert any("damaged" in each for each in wrong(town))


def test_rows_of_others_leave_before_they_are_changed(town: Community) -> None:
    model, plan = model_of(town), town.plan()
    with reading(town.workspace) as session:
        follow_rows(town.workspace.models_path, session.register, plan.items()[:3], plan.items()[:2])
        with opened(model) as store:
            assert len(store.items()) == len(plan) - 2
        entries = session.register.log.head().seq
        current(model.run, session.register, session.policy)
        assert session.register.log.head().seq == entries  # it need not look again
    assert pointer(town) == ("0001", 0)


def test_another_environment_builds_it_anew(town: Community) -> None:
    model = model_of(town)
    with opened(model) as store:
        old = store.vectors().copy()
    (model.path / STORE / stores.VECTORS).write_bytes((old + 1).astype("<f4").tobytes())
    done = replay(town.workspace, "one", retrain=True)
    with opened(done.model) as store:
        assert sorted(map(bytes, store.vectors())) == sorted(map(bytes, old))


# Replay


def test_a_replay_brings_it_to_what_a_store_from_nothing_would_be(town: Community) -> None:
    keys = lodge(town, 0, 7)
    done = replay(town.workspace, "one")
    assert done.gone == 2
    assert pointer(town) == ("0002", 1)
    with reading(town.workspace) as session:
        checking.verify(session, done.model)  # builds it from nothing, and compares
        said = read_certificate(done.model, session.keys.signing.public_key()).facts
    assert said["store"] == digest(done.model)
    with opened(done.model) as store:
        assert not store.holds(keys)
        assert store.changes == 0
        assert len(store.vectors()) == sum(len(each) - 1 for each in store.places().ids)
    assert not (model_of(town).path / STORE).exists()
    assert not wrong(town)
    assert replay(town.workspace, "one").parent is None


def test_what_a_withdrawal_allows_again_is_remembered_again(town: Community) -> None:
    before = digest(model_of(town))
    with town.workspace.register() as register:
        objection = register.objections.lodge([account(5)], channel="letter")
    assert digest(model_of(town)) != before
    with town.workspace.register() as register:
        register.objections.withdraw(objection.reference)
    rows = [batch(list(trainable.posts()))]
    import_items(town.workspace, "table", iter(rows), now=LATER)
    done = replay(town.workspace, "one")
    assert done.parent is not None
    assert digest(done.model) == before
    assert pointer(town) == ("0002", 1)


@pytest.mark.parametrize("moment", ["copied", "settle"])
def test_a_replay_that_was_cut_off_is_carried_on_to_the_same_store(
    town: Community, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    lodge(town, 0)
    with reading(town.workspace) as session:
        plan = plan_of(session, None, town.run())
    real = getattr(stores.Store, moment)

    def cut(*given: object) -> None:
        real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stores.Store, moment, cut)
        with pytest.raises(KeyboardInterrupt):
            replay(town.workspace, "one")
    done = replay(town.workspace, "one")
    assert done.model.number == "0002"
    with opened(done.model) as store:
        assert sorted(store.items()) == sorted(plan.items())
    with reading(town.workspace) as session:
        checking.verify(session, done.model)


def test_a_store_that_somebody_changed_is_named(town: Community) -> None:
    model, plan = model_of(town), town.plan()
    with opened(model) as store:
        store.forget(plan.items()[:1])
        store.settle()
    with reading(town.workspace) as session, pytest.raises(CheckFailed, match="store"):
        checking.verify(session, model)


def test_everybody_objects(town: Community) -> None:
    lodge(town, *range(trainable.PEOPLE))
    with serving(town.workspace, "one") as model:
        model.complete("rain", FEW)
    done = replay(town.workspace, "one")
    assert not len(Run.open(done.model).plan())
    with serving(town.workspace, "one") as model:
        assert model.complete("rain", FEW)[1].tokens
    assert not wrong(town)


# Backup


def test_a_backup_has_the_store_whole_though_it_forgets_meanwhile(
    town: Community, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, real, late = model_of(town), Writer.copy, [town.plan().items()[:5]]

    def copy(writer: Writer, source: Path, name: str) -> None:
        real(writer, source, name)
        if source.name == stores.ROWS and late:
            with opened(model) as store:
                store.forget(late.pop())

    monkeypatch.setattr(Writer, "copy", copy)
    back_up(town.workspace, tmp_path / "backup", None)
    folder = next((tmp_path / "backup").rglob(STORE))
    with Store(folder) as copied:
        assert list(copied.findings()) == []
        assert copied.digest() == digest(model)
    assert not late


# Bad input


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": 1.0},
        {"adapters": 2},
        {"ngram_share": 0.6, "nearest_share": 0.5, "nearest_scale": 1.0},
        {"nearest_share": 0.5},
    ],
)
def test_what_does_not_hold_together(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(MEMORY, **changes)


def test_a_base_without_declared_data_wants_shares(town: Community) -> None:
    config = replace(MEMORY, ngram_share=0.0)
    with reading(town.workspace, LATER) as session:
        like = first.begin(session, "v1", name="like", config=config, base=["run:one"])
        first.carry_out(session, like)
    assert Run.open(like.model).config.ngram_share == town.run().config.ngram_share
    folder = town.root / "checkpoint"
    loaded = town.run()
    from demur.training.model import keep  # noqa: PLC0415  # for this one
    from demur.training.tokenizer import keep as keep_tokenizer  # noqa: PLC0415  # the same

    keep(loaded.network(), folder, weights=True)
    keep_tokenizer(loaded.model.run.tokenizer, folder)
    with reading(town.workspace, LATER) as session:
        bare = first.begin(session, "v1", name="bare", config=config, base=[str(folder)])
        with pytest.raises(UsageError, match="ngram_share"):
            first.carry_out(session, bare)
    assert not bare.model.run.path.exists()


def test_it_is_not_exported(town: Community) -> None:
    with pytest.raises(UsageError, match="store"):
        export(town.workspace, "one", town.root / "out")


def test_the_command(town: Community, demur: Demur) -> None:
    path = trainable.config_file(town.root, replace(MEMORY, memory=False))
    arguments = ["--run", "two", "--config", str(path), "--base", "run:one", "--memory", "-w", str(town.root / "w")]
    said = demur("train", "v1", *arguments)
    assert "The store holds what they wrote" in said.out
    assert demur("generate", "two", "rain tea", "--tokens", "3", "-w", str(town.root / "w")).code == 0
