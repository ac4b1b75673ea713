"""A loader hands out a version's rows, and none that may not be used any more, whatever comes in meanwhile."""

import json
import pickle
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from loads import ALWAYS, TEXTS, loaded, objects, texts
from making import NOW, batch, item, open_policy

import demur
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.errors import CorpusError, PolicyError, RegisterError, UnavailableError, UsageError
from demur.loading import Loader, Part
from demur.policy import Others, write_policy
from demur.versions.export_form import EXPORTED
from demur.versions.publish import publish, retire
from demur.versions.states import rows_of
from demur.workspace import Workspace, create

MASKED = ["see [person] there", "I met [person] today", *TEXTS[3:]]


def test_a_current_version_is_handed_out_as_it_was_published(workspace: Workspace) -> None:
    loader = loaded(workspace)
    assert loader.schema == EXPORTED
    assert (loader.name, loader.published, loader.left_out, loader.rewritten) == ("v1", 5, 0, 0)
    assert "[person]" in next(iter(loaded(workspace, columns=["text"]).share(1, 5, block=1)))["text"]
    rows = list(loader)
    assert [row["item"] for row in rows] == [
        row["item"].hex() for part in rows_of(workspace, "v1") for row in part.to_pylist()
    ]
    assert rows == pa.Table.from_batches(loader.batches()).to_pylist()
    assert list(loader) == rows  # again, from the start


def test_columns_are_chosen(workspace: Workspace) -> None:
    objects(workspace, "forum:ann")
    (rows,) = loaded(workspace, columns=["text", "author"]).batches()
    assert rows.schema.names == ["text", "author"]
    assert rows.column("text").to_pylist() == MASKED
    assert {len(key) for key in rows.column("author").to_pylist()} == {16}
    with pytest.raises(UsageError, match=r"^Rows have no column 'txt': did you mean `text`\?$"):
        loaded(workspace, columns=["txt"])
    for wrong in ([], "text", ["text", "text"]):
        with pytest.raises(UsageError, match="once, in a list"):
            loaded(workspace, columns=wrong)


def test_after_an_objection_their_rows_are_gone_and_those_about_them_are_rewritten(workspace: Workspace) -> None:
    loader = loaded(workspace)
    objects(workspace, "forum:ann")
    assert texts(loader) == MASKED
    assert (loader.left_out, loader.rewritten) == (1, 2)
    honour(workspace)
    assert texts(loader) == MASKED
    assert texts(loaded(workspace)) == MASKED


def test_an_objection_between_two_rows_is_followed_before_the_next(workspace: Workspace) -> None:
    rows = iter(loaded(workspace))
    assert next(rows)["text"] == TEXTS[0]
    objects(workspace, "forum:cyd")
    assert next(rows)["text"].startswith("see")
    objects(workspace, "forum:ann", "forum:eve")
    assert texts(rows) == [TEXTS[3]]


def test_who_named_somebody_is_followed_before_the_next_row(workspace: Workspace) -> None:
    rows = loaded(workspace).walk()
    next(rows), next(rows)
    objects(workspace, "forum:ann")
    place, row = next(rows)
    assert (place, row["text"]) == (2, MASKED[1])
    assert "withheld-name" in {each["role"] for each in row["spans"]}


def test_copies_of_what_somebody_wrote_go_too(fast_tmp: Path) -> None:
    words = "a very particular sentence of mine that nobody else would have put quite like this in all those years"
    workspace = create(fast_tmp / "w", open_policy())
    items = [item("1", "forum:ann", words), item("2", "forum:bob", words), item("3", "forum:cyd", "something else")]
    import_items(workspace, "table", [batch(items)], now=NOW)
    publish(workspace, "v1")
    rows = iter(loaded(workspace))
    objects(workspace, "forum:ann")
    assert texts(rows) == ["something else"]


def test_a_withdrawal_lets_the_published_rows_be_used_again_and_no_others(workspace: Workspace) -> None:
    loader = loaded(workspace)
    reference = objects(workspace, "forum:ann")
    assert TEXTS[0] not in texts(loader)
    honour(workspace)
    publish(workspace, "v2")
    with workspace.register() as register:
        register.objections.withdraw(reference)
    assert texts(loader)[0] == TEXTS[0]
    assert TEXTS[0] not in texts(demur.load(workspace.root, "v2"))  # what it lacks does not come back


def test_an_edit_of_the_policy_is_followed(workspace: Workspace) -> None:
    loader = loaded(workspace)
    objects(workspace, "forum:ann")
    assert MASKED[1] in texts(loader)
    write_policy(open_policy(others=Others(names="drop")), workspace.policy_path)
    assert texts(loader) == [MASKED[0], *TEXTS[3:]]


def test_a_policy_that_cannot_be_read_is_an_unknown_head(workspace: Workspace) -> None:
    kept = workspace.policy_path.read_bytes()
    rows = iter(loaded(workspace, max_staleness=ALWAYS))
    next(rows)
    workspace.policy_path.write_text("nonsense = ")
    with pytest.raises(UnavailableError, match="unknown who objected since"):
        next(rows)
    with pytest.raises(PolicyError):
        loaded(workspace)
    workspace.policy_path.write_bytes(kept)
    assert len(list(loaded(workspace))) == 5


# what is refused


def test_what_is_not_there_is_refused(workspace: Workspace, fast_tmp: Path) -> None:
    with pytest.raises(UsageError, match=r"^There is no version v9: `demur versions` lists those there are\.$"):
        demur.load(workspace.root, "v9")
    with pytest.raises(UsageError, match=r"^Say which version"):
        demur.load(workspace.root)
    with pytest.raises(UsageError, match="neither a workspace"):
        demur.load(fast_tmp / "nothing", "v1")
    with pytest.raises(UsageError, match="leave `head` away"):
        demur.load(workspace.root, "v1", head="https://portal.example/api")
    with pytest.raises(UsageError, match="write 'refuse' or 'leave-out'"):
        demur.load(workspace.root, "v1", stale="maybe")
    with pytest.raises(UsageError, match="may not be longer than the second"):
        demur.load(workspace.root, "v1", check_every=timedelta(hours=1))


def test_a_retired_version_is_refused_and_its_reading_ends(workspace: Workspace) -> None:
    rows = iter(loaded(workspace))
    next(rows)
    retire(workspace, "v1")
    with pytest.raises(UsageError, match=r"^Version v1 was retired: publish a new one\.$"):
        next(rows)
    with pytest.raises(UsageError, match="was retired"):
        loaded(workspace)


def test_a_manifest_that_was_changed_is_refused(workspace: Workspace) -> None:
    path = workspace.versions_path / "v1.json"
    document = json.loads(path.read_bytes())
    document["signed"]["controller"] = "Somebody Else"
    path.write_text(json.dumps(document))
    with pytest.raises((CorpusError, RegisterError), match=r"v1\.json"):
        loaded(workspace)


def test_a_manifest_of_another_key_is_refused(workspace: Workspace) -> None:
    with pytest.raises(CorpusError, match="signed with another key"):
        loaded(workspace, public_key="d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        loaded(workspace, public_key="my key")


def test_a_register_that_goes_away_stops_the_loader_once_that_is_too_long(
    workspace: Workspace, clock: list[float]
) -> None:
    rows = iter(loaded(workspace, max_staleness=timedelta(seconds=60)))
    next(rows)
    away = workspace.root / "register.db"
    away.rename(workspace.root / "elsewhere.db")
    clock[0] += 59
    next(rows)  # unknown, and not yet for too long
    clock[0] += 2
    next(rows)  # not asked again at once
    clock[0] += 3
    with pytest.raises(
        UnavailableError, match=r"^Loading has stopped: the register of .* out of reach for 64 s, .*\.$"
    ):
        next(rows)


def test_a_register_that_comes_back_is_followed_again(workspace: Workspace, clock: list[float]) -> None:
    rows = iter(loaded(workspace, max_staleness=timedelta(seconds=60)))
    next(rows)
    away, kept = workspace.root / "register.db", workspace.root / "elsewhere.db"
    away.rename(kept)
    clock[0] += 10
    next(rows)
    kept.rename(away)
    objects(workspace, "forum:dag")
    clock[0] += 10
    assert texts(rows) == [TEXTS[2], TEXTS[4]]


def test_an_older_register_is_refused(workspace: Workspace) -> None:
    rows = iter(loaded(workspace))
    next(rows)
    kept = {path: path.read_bytes() for path in workspace.root.iterdir() if path.is_file()}
    objects(workspace, "forum:dag")
    next(rows)
    for path in workspace.root.iterdir():
        if path.is_file() and path.name.startswith("register.db-"):
            path.unlink()
    for path, data in kept.items():
        path.unlink(missing_ok=True)
        path.write_bytes(data)
    with pytest.raises(RegisterError, match="older than"):
        next(rows)


# going on, and sharing


def test_a_reader_goes_on_where_it_was(workspace: Workspace) -> None:
    rows = iter(loader := loaded(workspace))
    before = [next(rows), next(rows)]
    state = json.loads(json.dumps(loader.state_dict()))
    assert state["position"] == 2
    again = loaded(workspace)
    again.load_state_dict(state)
    assert [*before, *again] == list(loader)
    assert list(again) == list(loader)  # the next time from the start


def test_a_state_of_something_else_is_refused(workspace: Workspace) -> None:
    loader = loaded(workspace)
    state = loader.state_dict()
    publish(workspace, "v2")
    other = demur.load(workspace.root, "v2")
    with pytest.raises(UsageError, match=r"^The state is of the version v1, not of this v2"):
        other.load_state_dict(state)
    with pytest.raises(UsageError, match="of part 0 of 1 in blocks of 64 rows, not of 1 of 2"):
        loader.share(1, 2).load_state_dict(state)
    with pytest.raises(UsageError, match="no state of a loader"):
        loader.load_state_dict({})
    head = state["head"] | {"seq": state["head"]["seq"] + 100}
    with pytest.raises(RegisterError, match="older than the head"):
        loader.load_state_dict(state | {"head": head})


@pytest.mark.parametrize(("readers", "block"), [(2, 1), (3, 2), (7, 1), (4, 64)])
def test_readers_that_share_take_each_row_once(workspace: Workspace, readers: int, block: int) -> None:
    objects(workspace, "forum:ann")
    loader = loaded(workspace)
    taken = [place for reader in range(readers) for place, _ in loader.share(reader, readers, block=block).walk()]
    assert sorted(taken) == [1, 2, 3, 4]


def test_a_part_of_a_part_is_a_part() -> None:
    parts = [Part(worker, 3, 4).of(Part(rank, 2, 4)) for rank in range(2) for worker in range(3)]
    taken = np.concatenate([part.within(5, 101) for part in parts])
    assert np.array_equal(np.sort(taken), np.arange(5, 101))
    with pytest.raises(UsageError, match="There is no part 2 of 2"):
        Part(2, 2)


def test_a_pickled_loader_is_opened_anew_and_goes_on(workspace: Workspace) -> None:
    rows = iter(loader := loaded(workspace))
    next(rows)
    again: Loader = pickle.loads(pickle.dumps(loader))
    objects(workspace, "forum:dag")
    assert texts(again) == texts(rows)


# for other libraries


def test_duckdb_reads_anew_each_time(workspace: Workspace) -> None:
    with duckdb.connect() as connection:
        relation = loaded(workspace).duckdb(connection)
        assert relation.count("*").fetchall() == [(5,)]
        objects(workspace, "forum:ann")
        assert [text for (text,) in relation.project("text").fetchall()] == MASKED


def test_arrow_reads_a_loader_as_it_is(workspace: Workspace) -> None:
    objects(workspace, "forum:ann")
    assert pa.table(loaded(workspace)).column("text").to_pylist() == MASKED
    assert loaded(workspace).reader().read_all().num_rows == 4


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_streaming_data_set_follows_the_head(workspace: Workspace) -> None:
    data = loaded(workspace).dataset()
    rows = iter(data)
    assert next(rows)["text"] == TEXTS[0]
    objects(workspace, "forum:ann")
    assert texts(rows) == MASKED
    both = [data.shard(num_shards=2, index=index) for index in range(2)]
    assert sorted(row["text"] for part in both for row in part) == sorted(MASKED)


def test_without_the_library_one_sentence_says_what_to_install(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"needs demur\[train\]: pip install 'demur\[train\]'\.$"):
        loaded(workspace).dataset()


def test_importing_demur_loads_nothing() -> None:
    check = "import sys, demur; print(sorted({'numpy', 'pyarrow', 'lance', 'torch', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        demur.lode  # noqa: B018  # it is asked for
