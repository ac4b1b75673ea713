"""Cohorts: who is in which, what a replay touches, what is never seen, and how several answer as one."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch
import trainable
from bounded import require_bounded
from calling import Demur
from hypothesis import given
from hypothesis import strategies as st
from trainable import LATER, TINY, Community

from demur.claims import lodging
from demur.claims.testing import try_claim
from demur.corpus.session import reading
from demur.errors import UsageError
from demur.register.claims import Said
from demur.runs.facts import SEVERAL
from demur.runs.folder import answering, find_run
from demur.runs.people import read_people
from demur.terms import EntryKind
from demur.training import canaries, comparing, families
from demur.training.audit.again import read_trained
from demur.training.audit.continuing import LIKELIEST, beams, suffix_chances
from demur.training.audit.people import Draw, drawn, everybody
from demur.training.audit.reading import read
from demur.training.audit.served import audited_model
from demur.training.claims import asking
from demur.training.cohorts import cohorts_of, dealt
from demur.training.comparing import Comparison
from demur.training.config import Config
from demur.training.exporting import export
from demur.training.generating import Generation, Sampling
from demur.training.plan import rows_of_run
from demur.training.replay import replay
from demur.training.rows import Lists
from demur.training.run import Run
from demur.training.serving import Model, averaged, serving

torch.set_num_threads(1)
SPLIT: Final = replace(TINY, layers=1, adapters=2, step_tokens=96, held=0.4, cohorts=2, mask_mentions=False)
KEY: Final = bytes(range(32))
CANARIES: Final = 8


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A community with a plain run of adapters, `one`, and a family of two cohorts, `both`, on its base."""
    made = trainable.community(tmp_path_factory.mktemp("cohorts"), replace(SPLIT, cohorts=0))
    begun(made, "both", replace(SPLIT, canaries=CANARIES))
    return made


@pytest.fixture
def family(town: Community, tmp_path: Path) -> Community:
    return town.copied(tmp_path / "own")


def begun(town: Community, name: str, config: Config) -> None:
    with reading(town.workspace, LATER) as session:
        runs = families.begin(session, "v1", name=name, config=config, base=["run:one"], like="one")
        families.carry_out(session, runs)


def each_of(town: Community, name: str = "both") -> list[Run]:
    folders = answering(town.workspace.models_path, name)
    return [Run.open(folder.models()[-1]) for folder in folders]


def objects(town: Community, key: int) -> None:
    with town.workspace.register() as register:
        numbers = range(trainable.PEOPLE)
        who = next(each for each in numbers if register.pepper.subject_key(trainable.account(each)) == key)
        register.objections.lodge([trainable.account(who)], channel="letter")


def owners(run: Run) -> list[int]:
    """Whoever has a row of their own in the plan, by their last one there."""
    rows = run.plan().rows.people
    theirs = rows.flat[rows.ends[rows.sizes == 1] - 1].tolist()
    return list(dict.fromkeys(reversed(theirs)))


def somebody(run: Run) -> int:
    return owners(run)[0]


def files(folder: Path) -> dict[str, bytes]:
    skipped = {"serving.json", ".lock", ".pointing"}  # the pointer follows every binding entry
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in skipped
    }


# Who is in which


@given(
    st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=40),
    st.integers(1, 8),
    st.binary(min_size=32, max_size=32),
)
def test_nobodys_cohort_hangs_on_anybody_else(people: list[int], number: int, key: bytes) -> None:
    config = replace(SPLIT, cohorts=number)
    found = cohorts_of(np.array(people, np.int64), config, key)
    alone = [int(cohorts_of(np.array([each], np.int64), config, key)[0]) for each in people]
    assert found.tolist() == alone
    assert all(1 <= each <= number for each in alone)


def test_another_key_deals_otherwise_and_the_cohorts_are_about_alike() -> None:
    people = np.arange(4000)
    config = replace(SPLIT, cohorts=4)
    one, other = (cohorts_of(people, config, key) for key in (KEY, KEY[::-1]))
    assert 0.2 < (one == other).mean() < 0.3
    assert np.bincount(one)[1:].min() > 850


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True), max_size=20), st.integers(1, 4))
def test_each_row_is_in_the_cohort_of_all_its_people_or_in_none(rows: list[list[int]], number: int) -> None:
    config = replace(SPLIT, cohorts=number)
    place = cohorts_of(np.arange(10), config, KEY)
    wanted: dict[int, list[int]] = {each: [] for each in range(1, number + 1)}
    several = 0
    for at, people in enumerate(rows):
        of = {int(place[each]) for each in people}
        several += len(of) > 1
        if len(of) == 1:
            wanted[of.pop()].append(at)
    for cohort, expected in wanted.items():
        found, left = dealt(Lists.of(rows), replace(config, cohort=cohort), KEY)
        assert (found.tolist(), left) == (expected, several)


def test_rows_of_several_cohorts_train_none_and_are_counted(town: Community) -> None:
    runs = each_of(town)
    with reading(town.workspace, LATER) as session:
        rows = rows_of_run(session, "v1", runs[0])
    plain = town.run()
    usable = {bytes(item) for item in plain.plan().rows.item}
    seen = [set(run.plan().items()) for run in runs]
    assert not seen[0] & seen[1]
    left = usable - seen[0] - seen[1]
    assert left
    place = [set(cohorts_of(people, SPLIT, runs[0].key).tolist()) for people in _people(rows)]
    for item, of in zip(rows.item, place, strict=True):
        if bytes(item) in usable:
            assert (len(of) > 1) == (bytes(item) in left)
    assert [run.facts().unknown[SEVERAL] for run in runs] == [len(left)] * 2
    assert not np.intersect1d(read_people(runs[0].model).keys, read_people(runs[1].model).keys).size


def _people(rows: Any) -> Iterator[Any]:  # noqa: ANN401  # of the plan's rows
    begins = rows.people.ends - rows.people.sizes
    return (rows.people.flat[begin:end] for begin, end in zip(begins, rows.people.ends, strict=True))


# Replay


def test_an_objection_trains_one_cohort_again_to_the_bytes_of_from_scratch(family: Community, demur: Demur) -> None:
    one, two = each_of(family)
    gone = somebody(two)
    before = files(one.model.path)
    parent = two.plan()
    objects(family, gone)
    said = demur("replay", "both", "-w", str(family.root / "w"), "--json").json["cohorts"]
    assert [each["parent"] for each in said] == [None, "0001"]
    assert files(one.model.path) == before
    again = each_of(family)[1]
    assert again.model.number == "0002"
    assert gone not in again.plan().people()
    assert set(again.plan().items()) < set(parent.items())
    checked = demur("replay", "both", "--verify", "-w", str(family.root / "w"))
    assert checked.code == 0
    assert checked.out.count("every byte is what the certificate says") == 2
    assert demur("replay", "both.c2", "-w", str(family.root / "w")).out.startswith("Run both.c2: nobody in it objected")


# Answers


def opened(model: Model) -> list[Any]:
    return [
        averaged(Run.open(run.model(number)), checkpoint)
        for run, (number, checkpoint) in zip(model.runs, model.loaded().at, strict=True)
    ]


def scores(network: Any, ids: torch.Tensor) -> torch.Tensor:  # noqa: ANN401  # of transformers
    with torch.no_grad():
        found: torch.Tensor = network(input_ids=ids, use_cache=False).logits.double()
    return found


def dense(network: Any) -> dict[str, torch.Tensor]:  # noqa: ANN401  # of peft
    """Each weight of a network with its adapters worked in by hand: W + (alpha / rank) B A."""
    found = {}
    for name, module in network.named_modules():
        if hasattr(module, "lora_A"):
            low, high = module.lora_A["default"].weight, module.lora_B["default"].weight
            scale = SPLIT.adapters_alpha / SPLIT.adapters
            plain = name.removeprefix("base_model.model.")
            found[f"{plain}.weight"] = (module.base_layer.weight + scale * high @ low).detach().clone()
    return found


def test_merged_is_the_base_and_the_mean_of_what_adapters_add(town: Community) -> None:
    with serving(town.workspace, "both") as model:
        one, two = (dense(each) for each in opened(model))
        network = model.loaded().network
    assert one
    assert any(not torch.equal(one[name], two[name]) for name in one)
    weights = dict(network.named_parameters())
    assert not any("lora" in name for name in weights)
    for name in one:
        torch.testing.assert_close(weights[name].data, (one[name] + two[name]) / 2)


def test_an_ensemble_says_the_mean_of_probabilities(town: Community, tmp_path: Path) -> None:
    own = town.copied(tmp_path / "own")
    begun(own, "mean", replace(SPLIT, ensemble=True))
    ids = torch.tensor([[1, 5, 9, 30, 31]])
    with serving(own.workspace, "mean") as model:
        parts = [scores(each, ids).softmax(-1) for each in opened(model)]
        torch.testing.assert_close(scores(model.loaded().network, ids).exp(), sum(parts) / 2)
        greedy = model.complete("rain tea", Sampling(tokens=8, temperature=0))[2]
        tokenizer, drawn = model.loaded().tokenizer, list[int]()
        read = [tokenizer.begin, *tokenizer.inner.encode("rain tea", add_special_tokens=False).ids]
        while len(drawn) < 8:
            told = scores(model.loaded().network, torch.tensor([[*read, *drawn]]))[0, -1]
            drawn.append(int(told.argmax()))
            if drawn[-1] == tokenizer.end:
                drawn.pop()
                break
    assert greedy == tokenizer.inner.decode(drawn, skip_special_tokens=True)
    with pytest.raises(UsageError, match="no folder of weights"):
        export(own.workspace, "mean", tmp_path / "out")


def test_who_objects_is_out_of_what_answers_at_once(family: Community) -> None:
    with serving(family.workspace, "both", guarded=False) as model:
        before = model.loaded()
        objects(family, int(read_people(each_of(family)[1].model).keys[0]))
        assert not model.may_leave(before)
        after = model.loaded()
    assert after.at[0] == before.at[0]
    assert after.at[1][1] < before.at[1][1]


# Commands


def test_the_commands_know_a_family(family: Community, demur: Demur, tmp_path: Path) -> None:
    place = ("-w", str(family.root / "w"))
    path = trainable.config_file(tmp_path, SPLIT)
    said = demur(
        "train", "v1", "--run", "new", "--config", str(path), "--base", "run:both", "--held-as", "both", *place
    )
    assert said.code == 0
    assert "of people of several cohorts trained none" in said.out
    listed = demur("runs", *place, "--json").json["runs"]
    assert {each["run"] for each in listed} == {"one", "both.c1", "both.c2", "new.c1", "new.c2"}
    drawn = demur("generate", "both", "rain tea", "--seed", "1", "--tokens", "4", *place, "--json").json
    assert drawn["model"] == "both/0001+0001"
    assert demur("release", "both", "--to", str(tmp_path / "out"), *place).code == 0
    assert (tmp_path / "out" / "model.safetensors").exists()
    again = demur("train", "v1", "--run", "both", "--config", str(path), "--base", "run:one", *place)
    assert again.code == 2
    assert "already" in again.err


def test_canaries_are_dealt_as_people_are(town: Community) -> None:
    one, two = (each.plan().rows for each in each_of(town))
    planted = [{bytes(item) for item in rows.item[canaries.are_canaries(rows)]} for rows in (one, two)]
    run = each_of(town)[0]
    every = {bytes(item) for item in canaries.planted(run.tokenizer, run.config, run.key).item}
    assert len(planted[0]) == len(planted[1]) == 15  # four of them: once, twice, four and eight times
    assert planted[0] | planted[1] == every
    assert not planted[0] & planted[1]


# As one model: audit, card, claim


@pytest.mark.parametrize("ensemble", [False, True])
def test_what_is_audited_is_what_answers(town: Community, tmp_path: Path, *, ensemble: bool) -> None:
    own = town.copied(tmp_path / "own")
    for run in each_of(own):
        write_config(run, ensemble=ensemble)
    with reading(own.workspace) as session:
        served = audited_model(session, "both")
        found = everybody(session, served)
    who = drawn(found, Draw())
    plans = found.plans(np.ones(found.people, bool), SPLIT.step_tokens)
    assert [plan.digest() for plan in plans] == [run.plan().digest() for run in each_of(own)]
    assert found.missing == 0
    with serving(own.workspace, "both", guarded=False) as model:
        answers = model.loaded().network
    audited, said = (read(each, served.run, who.rows, lambda _: None) for each in (served.network(), answers))
    assert np.array_equal(audited.logs, said.logs)
    rows = np.array([[1, *range(20, 27)], [1, *range(40, 47)]])
    ids, chances = beams(answers, rows, 3, 4, LIKELIEST)  # each beam has read what it goes on from
    whole = np.concatenate([np.repeat(rows[:, None], 4, axis=1), ids], axis=-1).reshape(8, -1)
    np.testing.assert_allclose(suffix_chances(answers, whole, 8, LIKELIEST)[0], chances.reshape(-1), rtol=1e-4)


def write_config(run: Run, **changes: Any) -> None:  # noqa: ANN401  # fields of a configuration
    """Have a finished run say that it answers otherwise."""
    was, now = run.config, replace(run.config, **changes)
    run.model.run.config.write_bytes(now.to_bytes())
    log = run.model.log.read_bytes()
    run.model.log.write_bytes(log.replace(was.digest, now.digest))


def test_who_is_taken_out_of_a_family_is_taken_out_as_a_replay_does(family: Community) -> None:
    begun(family, "masked", replace(SPLIT, mask_mentions=True))  # rows that mention them stay as they are
    with reading(family.workspace) as session:
        served = audited_model(session, "masked")
        found = everybody(session, served)
    who, (one, two) = drawn(found, Draw()), each_of(family, "masked")
    gone = somebody(two)
    stay = np.array([gone not in keys for keys in found.keys])
    plans = found.plans(stay, SPLIT.step_tokens)
    said = read_trained(served, found.seen, plans, who.rows, (lambda *_: None, lambda _: None))
    objects(family, gone)
    for run in (one, two):
        replay(family.workspace, run.model.run.name)
    with reading(family.workspace) as session:
        after = audited_model(session, "masked")
    assert after.number == "0001+0002"
    assert np.array_equal(said.logs, read(after.network(), after.run, who.rows, lambda _: None).logs)


def test_a_family_is_audited_as_one_model(family: Community, demur: Demur, tmp_path: Path) -> None:
    place, page = ("-w", str(family.root / "w")), tmp_path / "audit.html"
    done = demur("audit", "both", "--objectors", "4", "--seed", "3", "--html", page, "--json", *place).json
    about = done["about"]
    assert (about["run"], about["model"], about["together"], about["whole"]) == ("both", "0001+0001", "merged", True)
    require_bounded(page.read_text("utf-8"), done)
    told = {each["attack"]: each for each in done["findings"]}
    assert {"reference", "rmia", "quantised", "objectors", "version-diff", "canaries"} <= set(told)
    assert told["canaries"]["figures"][0]["n"] == CANARIES
    alone = [len(owners(run)) for run in each_of(family)]
    there = [len(read_people(run.model).keys) for run in each_of(family)]
    assert max(alone) < sum(alone) <= done["people"]["members_of"] <= sum(there)
    kept = each_of(family)[0].model.path / "audit.family.json"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == done["digest"]
    with family.workspace.register() as register:
        (entry,) = register.log.entries(EntryKind.MODEL_AUDITED)
    assert dict(entry.payload) == {"run": "both", "model": "0001+0001", "report": done["digest"]}
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    listed = {each["run"]: each["audited"] for each in demur("runs", "--json", *place).json["runs"]}
    assert listed == {"one": None, "both.c1": day, "both.c2": day}
    sides = {each["run"]: each["figures"] for each in demur("compare", "both", "--json", *place).json["runs"]}
    assert any(each["name"] == "leakage, reference: auc" for each in sides["both, merged"])
    assert [each["value"] for each in sides["both, ensemble"] if each["name"].startswith("leakage")] == [None]
    card = demur("card", "both", *place).out
    assert "| reference | auc |" in card
    wrong = demur("audit", "both/0001+0002", *place)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)

    objects(family, somebody(each_of(family)[1]))
    assert demur("replay", "both", *place).code == 0
    again = demur("card", "both", *place).out
    assert "This model was not audited" in again
    for line in ("| `both.c1/0001` | first training", "| `both.c2/0001` | first training", "| `both.c2/0002` | replay"):
        assert line in again
    assert "both.c1/0002" not in again
    assert demur("runs", "--json", *place).json["runs"][0]["audited"] is None
    assert kept.exists()


def test_the_card_of_a_family_says_how_it_answers_and_that_of_a_cohort_whose_it_is(
    family: Community, demur: Demur
) -> None:
    place = ("-w", str(family.root / "w"))
    said = demur("card", "both", *place).out
    assert "It is a family of 2 cohorts" in said
    assert "One model answers" in said
    left = each_of(family)[0].facts().unknown[SEVERAL]
    assert f"trained none: {left if int(str(left)) >= 10 else 'fewer than 10'}." in said
    assert "What answers for the run now: all of it." in said
    assert "It is cohort 2 of the 2 of the family `both`" in demur("card", "both.c2", *place).out
    assert "cohort" not in demur("card", "one", *place).out
    objects(family, somebody(each_of(family)[0]))
    assert "What answers for the run now: an earlier state of it." in demur("card", "both", *place).out


def test_a_claim_against_a_family_is_tested_on_what_answers(
    family: Community, demur: Demur, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, prompt = "the keeper lit the lamp behind the mill", "Who lit it?"
    monkeypatch.setattr(Generation, "__iter__", lambda _: iter([f" {words}"]))
    place = ("-w", str(family.root / "w"))
    said = demur("claim", "record", "--output", words, "--prompt", prompt, "--run", "both", "--json", *place).json
    done = demur("claim", "test", said["reference"], "--json", *place).json["claims"][0]
    assert (done["run"], done["outcome"]) == ("both", "reproduced")
    assert [each["run"] for each in done["result"]["runs"]] == ["both.c1", "both.c2"]
    assert [each["run"] for each in done["result"]["answers"]] == ["both"]
    assert demur("claim", "answer", said["reference"], *place).code == 0
    assert lodging.answering(family.workspace.models_path) == ["both", "one"]
    with asking(family.workspace, 0) as ask, family.workspace.register() as register:
        any_ = register.claims.lodge(Said(words, prompt), "person:0", channel="letter")
        asked = try_claim(family.workspace, any_.reference, ask).looked.answers
    assert [each["run"] for each in asked] == ["both", "one"]


def test_the_row_that_a_claim_finds_is_told_of_the_cohort_that_was_trained_on_it(family: Community) -> None:
    with family.workspace.register() as register:
        key = register.pepper.subject_key
        keys = set(read_people(each_of(family)[1].model).keys.tolist())
        theirs = [each for each in trainable.posts() if not each["spans"] and key(each["author"]) in keys]
        said = max((str(each["text"]) for each in theirs), key=len)
        state = register.claims.lodge(Said(said), "person:0", channel="letter", run="both")
    looked = try_claim(family.workspace, state.reference).looked
    assert [(each.run, each.rows > 0) for each in looked.runs] == [("both.c1", False), ("both.c2", True)]


def test_a_family_that_was_cut_off_is_gone_on_with(town: Community, tmp_path: Path, demur: Demur) -> None:
    own = town.copied(tmp_path / "own")
    wanted = each_of(own)[1].model.checkpoint(each_of(own)[1].plan().steps) / "weights.safetensors"
    bytes_ = wanted.read_bytes()
    trainable.cut_off(own, "both.c2")
    assert demur("train", "v1", "--run", "both", "--resume", "-w", str(own.root / "w")).code == 0
    assert wanted.read_bytes() == bytes_


def test_side_by_side_both_ways(town: Community) -> None:
    with reading(town.workspace) as session:
        found: Comparison = comparing.compare(session, ["one", "both"])
    assert [side.run for side in found.sides] == ["one", "both, merged", "both, ensemble"]
    shares: dict[str, float] = {}
    for side in found.sides:
        named = {each.name: each for each in side.figures}
        assert named["held-out loss"].value is not None
        told = named["members told apart by loss minus the base's"]
        assert told.value is not None
        assert told.n > 5
        cost = named["forgetting one person"].value
        assert cost is not None
        shares[side.run] = cost
    runs = each_of(town)
    total = sum(int(run.plan().rows.tokens.sum()) for run in runs)
    behind = []
    for run in runs:
        plan, people = run.plan(), read_people(run.model)
        for step in people.steps:
            begun_at = run.model.newest_clean(int(step))
            assert begun_at is not None
            behind.append(plan.rows.tokens[plan.step >= begun_at].sum() / total)
    assert shares["both, merged"] == shares["both, ensemble"] == pytest.approx(np.mean(behind))
    assert shares["both, merged"] < shares["one"]


# Bad input


@pytest.mark.parametrize(
    "changes",
    [
        {"cohorts": -1},
        {"cohorts": 65},
        {"adapters": 0},
        {"noise": 1.0},
        {"cohort": 3},
        {"cohorts": 0, "ensemble": True},
    ],
)
def test_what_does_not_hold_together(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(SPLIT, **changes)


def test_names(town: Community) -> None:
    with pytest.raises(UsageError, match="family of 2 cohorts"):
        find_run(town.workspace.models_path, "both")
    with pytest.raises(UsageError, match="no run"):
        answering(town.workspace.models_path, "nobody")
    with reading(town.workspace) as session, pytest.raises(UsageError, match="leave it out"):
        families.begin(session, "v1", name="x", config=replace(SPLIT, cohort=1), base=["run:one"])
