"""Who objects during a training is out of every later step; what a run keeps says nothing of what they wrote."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import trainable
from making import batch, item, span
from trainable import LATER, TINY, Community

from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.identity import SubjectKeys
from demur.runs.following import put_in_service
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind
from demur.training import first
from demur.training.filling import Plan, first_difference
from demur.training.loop import train
from demur.training.plan import plan_of
from demur.versions.states import rows_of

WORD = "zwetschgenkuchen"


class Lodged:
    """A head at which people object before a step."""

    def __init__(self, who: SubjectKeys, before: int) -> None:
        self._who, self._looks, self._before = who, 0, before

    def withheld(self) -> SubjectKeys | None:
        self._looks += 1
        return self._who if self._looks == self._before + 1 else None


@pytest.mark.parametrize("before", [0, 3])
def test_who_objects_is_out_of_every_later_step(own: Community, before: int) -> None:
    plan, run = own.plan(), trainable.cut_off(own)
    begins = {key: int(plan.step[plan.rows.people.holding(np.array([key]))].min()) for key in plan.people().tolist()}
    early = min(begins, key=lambda key: (begins[key], key))
    late = max(begins, key=lambda key: (begins[key], key))
    gone = np.array(sorted({early, late}), np.int64)
    outcome = train(run, from_step=0, plan=plan, follow=Lodged(gone, before))
    theirs = outcome.plan.rows.people.holding(gone)
    assert not (outcome.plan.step[theirs] >= before).any()
    assert outcome.seen.tolist() == [key for key in gone.tolist() if begins[key] < before]
    assert run.plan().digest() == outcome.plan.digest()
    assert read_people(run.model).keys.tolist() == outcome.plan.people().tolist()
    again = trainable.successor(run, up_to=0)
    assert train(again, from_step=0, plan=outcome.plan).saved == outcome.saved
    if not before:
        assert first_difference(outcome.plan, plan.without(gone, TINY.step_tokens)) is None


def test_an_objection_lodged_during_a_training_is_followed(own: Community) -> None:
    """Lodged after step 2: the pointer never stands at a checkpoint that saw them."""
    workspace, run = own.workspace, trainable.cut_off(own)
    who = trainable.account(0)  # who wrote most, and so stands first

    def report(step: int, _steps: int, _loss: float) -> None:
        if step == 2:
            with workspace.register() as register:
                register.objections.lodge([who], channel="letter", now=LATER)

    with reading(workspace, LATER) as session:
        key = session.register.persons.subject(who)
        trained = first.carry_out(session, first.resumed(session, "one", "v1"), report)
        entry = session.register.log.last(EntryKind.RUN_TRAINED)
    theirs = trained.outcome.plan.rows.people.holding(np.array([key]))
    assert theirs.any()
    assert trained.outcome.plan.step[theirs].max() <= 1
    assert trained.outcome.seen.tolist() == [key]
    assert trained.serving == 0
    assert entry is not None
    assert (entry["run"], entry["version"], entry["weights"]) == ("one", "v1", trained.outcome.saved.weights)
    assert str(key) not in str(entry)
    pointer = read_pointer(run.model.run)
    assert pointer is not None
    assert pointer.checkpoint == 0


def test_a_later_plan_adds_nothing_and_leaves_out_who_objected(own: Community) -> None:
    workspace, plan = own.workspace, own.plan()
    with workspace.register() as register:
        register.objections.lodge([trainable.account(20)], channel="letter", now=LATER)
    with reading(workspace, LATER) as session:
        key = session.register.persons.subject(trainable.account(20))
        today = plan_of(session, None, own.run())
        stale = plan_of(session, "v1", own.run())
    honour(workspace, now=LATER)
    with reading(workspace, LATER) as session:
        honoured = plan_of(session, None, own.run())
    assert key in plan.people()
    assert len(honoured) < len(plan)
    assert _mentions(plan, own, key) & set(today.items())
    assert today.digest() == honoured.digest()  # what mentions them gives the same before it is masked in the corpus
    assert stale.digest() == honoured.digest()  # a version's rows as today's rules want them
    for new in (today, stale, honoured):
        assert key not in new.people()
        assert set(new.items()) <= set(plan.items())
        kept = [item for item in plan.items() if item in set(new.items())]
        assert new.items() == kept
    import_items(workspace, "table", iter([batch([item("new", "forum:eve", "rain at the door")])]), now=LATER)
    with reading(workspace, LATER) as session:
        assert set(plan_of(session, None, own.run()).items()) <= set(plan.items())


def _mentions(plan: Plan, own: Community, key: int) -> set[bytes]:
    """The rows of a plan that others wrote and that mentioned somebody when the version was published."""
    rows = (row for each in rows_of(own.workspace, "v1") for row in each.to_pylist())
    return {row["item"] for row in rows if key in row["subjects"] and row["author"] != key} & set(plan.items())


def test_linked_accounts_are_one_person(own: Community) -> None:
    accounts = [trainable.account(3), trainable.account(9)]
    with own.workspace.register() as register:
        keys = register.members._people.keys(accounts)
        assert register.members.persons(keys).tolist() == keys.tolist()
        register.members.link(*accounts, now=LATER)
        assert set(register.members.persons(keys).tolist()) == {int(keys.min())}
        assert register.members.persons(np.array([5, *keys], np.int64)).tolist() == [5, *[int(keys.min())] * 2]


def test_the_run_folder_tells_nothing_that_anybody_wrote_and_is_for_its_owner(tmp_path: Path) -> None:
    root = tmp_path / "c"
    root.mkdir()
    rows = [
        *trainable.posts(people=5, most=8),
        item("odd", "forum:zoe_of_the_plums", f"{WORD} @ann", spans=[span(17, 21, "mention", "forum:ann")]),
    ]
    trainable.workspace(root / "w", rows)
    made = Community(root)
    base = str(trainable.declared(root, lines=30))
    with reading(made.workspace, LATER) as session:
        first.carry_out(session, first.begin(session, "v1", name="small", config=replace(TINY, layers=1), base=[base]))
        names = [b"zoe_of_the_plums", b"member1", WORD.encode(), WORD[:8].encode()]
    folder = made.run("small").model.run.path
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.rglob("*")])
    assert not any(name in path.read_bytes() for path in files for name in names)
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == {
        "0001",
        "base.json",
        "classes.parquet",
        "config.json",
        "key",
        "model",
        "serving.json",
        "tokenizer",
    }
    assert pq.read_schema(folder / "0001" / "plan.parquet").names == [
        "step",
        "position",
        "item",
        "row",
        "tokens",
        "people",
        "class",
        "part",
    ]


def test_what_serves_has_seen_nobody_who_objected(own: Community) -> None:
    run = own.run()
    with own.workspace.register() as register:
        register.objections.lodge([trainable.account(22)], channel="letter", now=LATER)
        pointer = put_in_service(run.model, register, own.workspace.policy())
        key = register.persons.subject(trainable.account(22))
    first_step = read_people(run.model).first_step(np.array([key]))
    assert first_step is not None
    assert 0 < pointer.checkpoint <= first_step
    assert pointer.checkpoint == run.model.newest_clean(first_step)
