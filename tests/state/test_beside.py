"""What lies beside the corpus, and the files that are compiled of it: believed only where they are what they seem.

Everybody in here is invented.
"""

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import lance
import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from making import NOW, batch, item, open_policy
from talking import CYD, ITEMS, MORE, NAMES, ROB, SAYING, held, talking

from demur import workspace as workspaces
from demur.corpus.affected import once
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.evidence import Fingerprints
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.scratch.spool import Spool
from demur.corpus.session import reading
from demur.kernel.door import KEPT, WAITS
from demur.kernel.schema import KEY
from demur.people.compiled import Compiler
from demur.policy import Door, Others, write_policy
from demur.register.database.tables import kept_name
from demur.register.members.rows import MEMBER
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

YEAR: Final = NOW.year


def members(workspace: Workspace, *rows: dict[str, Any]) -> None:
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(list(rows), schema=MEMBER)], now=NOW)


def object_(workspace: Workspace, account: str, **said: Any) -> str:  # noqa: ANN401  # a statement
    with workspace.register() as register:
        return str(register.objections.lodge([account], channel="form", now=NOW, **said).reference)


def texts(workspace: Workspace, now: datetime = NOW) -> dict[str, str]:
    """The stored text of each item by its id."""
    keys = workspace.keys().pepper
    names = {keys.item_key(each["item"]): each["item"].partition(":")[2] for each in (*ITEMS, *MORE, *EXTRA)}
    with reading(workspace, now) as session:
        return {
            names[row["item"]]: row["text"]
            for part in session.corpus.batches(["item", "text"])
            for row in part.to_pylist()
        }


EXTRA: Final = (
    item("named", "forum:gus", "Yesterday I met Cyd Steele at the market.", thread="forum:five"),
    item("former", "forum:gus", "Yesterday I met Sidonie Featherstone.", thread="forum:five"),
    *(item(f"stock{number}", f"forum:s{number}", f"As they say: {SAYING}.") for number in range(4)),
)


def compiled(workspace: Workspace) -> list[Path]:
    """The compiled files, once some were made."""
    with reading(workspace, NOW) as session:
        session.rules()
    return sorted(workspace.beside_path.glob("*.index"))


# Files of names


def test_names_are_compiled_once_by_whoever_honours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads all names afterwards, without a file of them, compiles none: not even after a restart."""
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    made = list[object]()
    monkeypatch.setattr(Compiler, "name", lambda _, *said: made.append(said))
    monkeypatch.setattr(Compiler, "handle", lambda _, *said: made.append(said))
    for path in workspace.beside_path.glob("people-*.index"):
        path.unlink()
    assert compiled(workspace)
    assert made == []


def test_maintenance_compiles_what_nobody_has(tmp_path: Path) -> None:
    """Of a register whose names an older demur, or a policy that looked for none, left uncompiled."""
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    with workspace.register() as register, register._store.writing() as connection:
        assert connection.execute(sa.delete(kept_name)).rowcount == 2
    maintain(workspace, now=NOW)
    with workspace.register() as register:
        assert register.names.keep_compiled() == 0


def test_names_in_a_file_of_a_register_that_was_put_back_are_not_believed(tmp_path: Path) -> None:
    """The newer register knew of Rob at the same number at which the older one learns of Cyd."""
    older, newer = Workspace(tmp_path / "older"), Workspace(tmp_path / "newer")
    workspaces.create(older.root, open_policy())
    members(older, *({"account": each, "names": names, "locale": "en"} for each, names in NAMES.items()))
    import_items(older, "table", [batch(EXTRA[:1])], now=NOW)
    shutil.copytree(older.root, newer.root)
    object_(newer, ROB)
    files = compiled(newer)
    assert [path.name.partition("-")[0] for path in files] == ["people"]
    object_(older, CYD)
    for path in files:
        shutil.copy(path, older.beside_path)
    honour(older, now=NOW)
    assert texts(older) == {"named": "Yesterday I met [person] at the market."}


@pytest.mark.parametrize("damage", ["cut", "empty", "strange name"])
def test_a_compiled_file_that_is_damaged_is_made_anew(tmp_path: Path, damage: str) -> None:
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    files = compiled(workspace)
    assert {path.name.partition("-")[0] for path in files} == {"people", "copies"}
    for path in files:
        if damage == "cut":
            path.write_bytes(path.read_bytes()[:-100])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            path.rename(path.with_name(f"{path.name.partition('-')[0]}-newest.index"))
    import_items(workspace, "table", [batch([*EXTRA[:1], ITEMS[5]])], now=NOW)
    assert texts(workspace)["named"] == "Yesterday I met [person] at the market."
    assert "[quote]" in texts(workspace)["copy"]


def test_what_a_kill_left_of_a_compiled_file_goes_and_a_folder_for_reading_alone_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    left = [workspace.beside_path / f".people-1-2.index{end}" for end in (".0123abcd", ".0123abcd.4567cdef")]
    for path in left:
        path.write_bytes(b"half")
    honour(workspace, now=NOW)
    assert not any(path.exists() for path in left)
    for path in workspace.beside_path.glob("*.index"):
        path.unlink()

    def refused(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr("demur.corpus.caches.replacing", refused)
    with reading(workspace, NOW) as session:
        rules, _ = session.rules()
    assert rules.people is not None
    assert rules.copies is not None
    assert not list(workspace.beside_path.glob("*.index"))


def test_no_file_of_copies_stays_where_nobody_looks_for_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    assert [path for path in compiled(workspace) if path.name.startswith("copies-")]
    write_policy(open_policy(others=Others(copies="keep")), workspace.policy_path)
    maintain(workspace, now=NOW)
    assert {path.name.partition("-")[0] for path in compiled(workspace)} == {"people"}


@pytest.mark.parametrize("damage", ["gone", "noise"])
def test_a_broken_index_of_what_lies_beside_is_passed_over(tmp_path: Path, damage: str) -> None:
    workspace = Workspace(tmp_path / "w")
    workspaces.create(workspace.root, open_policy())
    members(workspace, {"account": CYD, "names": NAMES[CYD], "locale": "en"})
    import_items(workspace, "table", [batch([*EXTRA[:1], item("own", CYD, "hello", thread="forum:five")])], now=NOW)
    broken = [path for path in workspace.beside_path.glob("*.lance/_indices/*/*") if path.is_file()]
    assert broken
    for path in broken:
        path.unlink() if damage == "gone" else path.write_bytes(bytes(200))
    object_(workspace, CYD)
    honour(workspace, now=NOW)
    assert texts(workspace) == {"named": "Yesterday I met [person] at the market."}


def test_a_spelling_that_ended_counts_no_more_though_a_file_holds_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    workspaces.create(workspace.root, open_policy())
    members(workspace, {"account": CYD, "names": ["Cyd Steele", "Sidonie Featherstone"], "locale": "en"})
    object_(workspace, CYD)
    honour(workspace, now=NOW)
    files = compiled(workspace)
    assert files
    members(workspace, {"account": CYD, "names": ["Cyd Steele"], "locale": "en"})
    import_items(workspace, "table", [batch(EXTRA[:2])], now=NOW)
    assert [path for path in files if path.exists()] == files, "the file is not what this is about"
    assert texts(workspace)["former"] == "Yesterday I met Sidonie Featherstone."
    assert texts(workspace)["named"] == "Yesterday I met [person] at the market."


def test_minors_of_an_edited_policy_are_looked_for_before_it_is_on_record(tmp_path: Path) -> None:
    """Whoever reads goes by demur.toml as it stands; only what writes puts it on record."""
    workspace = Workspace(tmp_path / "w")
    workspaces.create(workspace.root, open_policy(door=Door(unknown_age="use", minimum_age=18)))
    members(workspace, {"account": CYD, "names": ["Cyd Steele"], "birth_year": YEAR - 20, "locale": "en"})
    object_(workspace, ROB)
    honour(workspace, now=NOW)
    assert compiled(workspace)
    path = workspace.policy_path
    path.write_text(path.read_text().replace("minimum_age = 18", "minimum_age = 21"))
    assert workspace.policy().door.minimum_age == 21
    with reading(workspace, NOW) as session:
        rules, _ = session.rules()
        assert rules.people is not None
        assert len(rules.minors.keys)
        assert set(rules.minors.keys.tolist()) <= set(rules.people.subjects.tolist())


# Fingerprints


def test_other_fingerprints_of_the_same_number_are_other_content(tmp_path: Path) -> None:
    """As after a restore: fragments are numbered as before."""
    line = {"item": 1, "author": 2, "created": 3, "wrote": [4], "seen": []}
    made = []
    for name, wrote in (("one", [4]), ("other", [5])):
        dataset = Fingerprints.ensure(tmp_path / name)
        rows = pa.RecordBatch.from_pylist([line | {"wrote": wrote}], schema=Fingerprints.SCHEMA)
        dataset.replace(np.zeros(0, np.uint64), [rows])
        made.append(dataset.content)
    assert made[0] != made[1]


def test_what_many_wrote_is_stock_also_once_a_policy_looks_for_copies_at_last(tmp_path: Path) -> None:
    """Nobody noted who else wrote it as long as the policy kept copies."""
    found = []
    for first in ("keep", "mask"):
        workspace = Workspace(tmp_path / first)
        workspaces.create(workspace.root, open_policy(others=Others(copies=first)))
        import_items(workspace, "table", [batch([ITEMS[0], *EXTRA[2:]])], now=NOW)
        object_(workspace, CYD)
        honour(workspace, now=NOW)
        path = workspace.policy_path
        path.write_text(path.read_text().replace('copies = "keep"', 'copies = "mask"'))
        assert workspace.policy().others.copies == "mask"
        honour(workspace, now=NOW)
        found.append(texts(workspace))
    assert found[0] == found[1]
    assert all(text == f"As they say: {SAYING}." for text in found[0].values())


# Sessions


def test_readers_see_what_lies_beside_the_corpus_as_it_was_before_an_import_that_is_under_way(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)

    def now() -> dict[str, list[Any]]:
        with reading(workspace, NOW) as session:
            return held(session)

    before, meanwhile = now(), []
    rest = Corpus.commit

    def commit(self: Corpus, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as they come
        meanwhile.append(now())  # what lies beside it is written by then
        rest(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Corpus, "commit", commit)
        import_items(workspace, "table", [batch(MORE)], now=NOW)
    assert len(meanwhile) > 1
    assert all(each == before for each in meanwhile[:-1])  # the last one is what honours afterwards
    assert now() != before


def test_a_corpus_of_an_older_demur_is_read_for_names_though_its_upgrade_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off once its rows can be searched: they were never read."""
    workspace = Workspace(tmp_path / "w")
    talking(workspace, waiting=False)
    with reading(workspace, NOW) as session:
        said = session.corpus.said()
    as_older(workspace)

    whole = Corpus.overwrite

    def killed(self: Corpus, rows: Iterable[pa.RecordBatch]) -> None:
        whole(self, rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Corpus, "overwrite", killed)
        with pytest.raises(KeyboardInterrupt):
            honour(workspace, now=NOW)
    assert Corpus.open(workspace.corpus_path).has_words, "it was cut off too early"
    honour(workspace, now=NOW)
    assert texts(workspace)["full"] == "Yesterday I met [person] at the market."
    assert Corpus.open(workspace.corpus_path).said().honoured >= said.honoured


def as_older(workspace: Workspace) -> None:
    """Makes the corpus one that no words were looked for in: with a name, without columns of words."""
    path = str(workspace.corpus_path)
    table = lance.dataset(path).to_table().drop_columns(["words", "grams"])
    whole = [text.replace("[person]", "Cyd Steele") for text in table.column("text").to_pylist()]
    index = table.schema.get_field_index("text")
    table = table.set_column(index, table.schema.field("text"), pa.array(whole, pa.large_string()))
    table = table.set_column(
        table.schema.get_field_index("spans"),
        table.schema.field("spans"),
        pa.array([[] for _ in whole], table.schema.field("spans").type),
    )
    lance.write_dataset(table, path, mode="overwrite")


# Costs


def test_outcomes_of_some_readings_touch_no_other(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool") as spool:
        items = pa.array([number.to_bytes(16, "big") for number in range(100)], KEY)
        codes = np.full(100, KEPT, np.int8)
        codes[10:20:3] = WAITS
        spool.add(items, codes)
        spool.resolve(np.zeros(0, np.int64), np.zeros(0, np.int8))
        spool.resolve(np.array([10, 16]), np.array([2, KEPT], np.int8))
        spool.resolve(np.array([13, 19]), np.array([KEPT, 3], np.int8))
        (found,) = [chunk["code"].tolist() for _, chunk in spool.chunks()]
    assert [(at, code) for at, code in enumerate(found) if code != KEPT] == [(10, 2), (19, 3)]


def test_rows_come_once_however_many_batches_there_are() -> None:
    chance = np.random.default_rng(5)
    addresses = [chance.permutation(1_000)[:100].astype(np.uint64) for _ in range(50)]
    batches = [pa.RecordBatch.from_arrays([pa.array(each)], [ADDRESS]) for each in addresses]
    found = np.concatenate([each.column(ADDRESS).to_numpy() for each in once(batches)])
    assert sorted(found.tolist()) == np.unique(np.concatenate(addresses)).tolist()
