"""Compiled fingerprints: gone on from by the difference, whatever becomes of the lines, and as all lines of now say.

Everybody in here is invented.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demur.corpus import caches
from demur.corpus import compiled as module
from demur.corpus.compiled import compiled, compiled_anew
from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.compaction import merge_small, remove_old_files, write_deletions
from demur.corpus.datasets.evidence import Fingerprints
from demur.kernel.evidence import FINGERPRINTS, UNDATED
from demur.suppression.copies import Copies
from demur.suppression.level import Level
from demur.suppression.shingles import ANCHOR, GRAM, NEAR, PAIR, WHOLE

KEYS: Final = [
    (number * 0x9E3779B97F4A7C15 & (2**63 - 1) & ~(7 << 32)) | kind << 32
    for kind in (GRAM, ANCHOR, NEAR, WHOLE, PAIR)
    for number in range(1, 7)
]
"""Few, so that many lines hold the same."""
ITEMS: Final = [number * 0x9E3779B97F4A7C15 >> 1 & (2**63 - 1) for number in range(1, 16)]

Line = tuple[int, int, list[int], list[int]]
"""Author, created, wrote and seen."""
LOOKED_UP: Final = [key for key in KEYS if key >> 32 & 7 in {ANCHOR, NEAR, WHOLE}]
wrote = st.lists(st.sampled_from(KEYS), max_size=6, unique=True)
seen = st.lists(st.sampled_from(LOOKED_UP), max_size=4, unique=True)
LINES: Final = st.dictionaries(
    st.sampled_from(ITEMS),
    st.tuples(st.integers(1, 5), st.sampled_from([1, 2, UNDATED]), wrote, seen),
    max_size=6,
)


def table(lines: dict[int, Line]) -> pa.Table:
    rows = [dict(zip(FINGERPRINTS.names, (item, *line), strict=True)) for item, line in lines.items()]
    return pa.Table.from_pylist(rows, schema=FINGERPRINTS)


def answers(copies: Copies | None) -> list[object]:
    """What is known of every key, post and person."""
    if copies is None:
        return []
    keys = np.array(sorted(key for key in KEYS if key >> 32 & 7 != PAIR))
    found = copies.levels.entries(keys)
    posts = copies.levels.posts(found.item)
    pairs = np.array([key for key in KEYS if key >> 32 & 7 == PAIR])
    which, pair = np.repeat(np.arange(len(found.item)), len(pairs)), np.tile(pairs, len(found.item))
    have = posts.have(which, pair).reshape(-1, len(pairs)).tolist()
    columns = [column.tolist() for column in (*found, posts.counts)]
    asked = [copies.asked(np.array([subject])).tolist() for subject in range(7)]
    known = copies.levels.known(np.array(LOOKED_UP)).tolist()
    return [sorted(zip(*columns, have, strict=True)), known, asked, copies.subjects.tolist()]


@dataclass
class World:
    """A dataset of fingerprints and a folder of files."""

    root: Path
    opened: Fingerprints = field(init=False)

    def __post_init__(self) -> None:
        (self.root / "files").mkdir()
        self.opened = Fingerprints.ensure(self.root / "fingerprints.lance")

    @property
    def folder(self) -> Path:
        return self.root / "files"

    def tell(self, lines: dict[int, Line], gone: list[int]) -> None:
        where = self.opened.where("item", np.array([*lines, *gone], np.int64))
        addresses = where.column(ADDRESS).to_numpy().astype(np.uint64)
        self.opened.replace(addresses, table(lines).to_batches())

    def require_exact(self) -> None:
        every = [batch.select(FINGERPRINTS.names) for batch in self.opened.batches()]
        now = Copies.build(pa.Table.from_batches(every, FINGERPRINTS)) if self.opened.count() else None
        assert answers(compiled(self.opened, self.folder)) == answers(now)


def do(world: World, what: str, before: list[int]) -> None:
    """Something that becomes of the lines, or of the files, besides what is told."""
    if what == "compact":
        merge_small(world.opened)
    elif what == "maintain":
        write_deletions(world.opened)
        remove_old_files(world.opened)
        before.clear()
    elif what == "restore" and before:
        world.opened.restore(before[len(before) // 2])
    elif what == "reopen":
        world.opened = Fingerprints.open(world.root / "fingerprints.lance")
    elif what == "forget":
        for path in world.folder.iterdir():
            path.unlink()
        world.opened = Fingerprints.open(world.root / "fingerprints.lance")
    elif what == "anew":
        copies = compiled_anew(world.opened, world.folder)
        assert copies is None or len(copies.levels.all) == 1


DOINGS: Final = ("compact", "maintain", "restore", "reopen", "reopen", "forget", "anew", "look")
STEPS: Final = st.lists(
    st.tuples(LINES, st.lists(st.sampled_from(ITEMS), max_size=3), st.lists(st.sampled_from(DOINGS), max_size=3)),
    min_size=1,
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.sampled_from([(0, 0), (10, 3), (50_000, 4), (50_000, 2_000)]))
def test_what_is_gone_on_from_is_as_what_is_read_anew(
    steps: list[tuple[dict[int, Line], list[int], list[str]]], few: tuple[int, int]
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEW", few[0])
        patch.setattr(module, "_FEW_LINES", few[1])
        patch.setattr(module, "_MANY", 1)
        world, before = World(Path(folder)), list[int]()
        for lines, gone, then in steps:
            world.tell(lines, gone)
            for what in then:
                if what == "look":
                    world.require_exact()
                do(world, what, before)
            world.require_exact()
            before.append(world.opened.version)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """One with forty people's lines, of which a file is kept."""
    monkeypatch.setattr(module, "_FEW_LINES", 3)
    made = World(tmp_path)
    lines: dict[int, Line] = {
        1000 + number: (number, number, [KEYS[number % 20], KEYS[(number + 7) % 20]], []) for number in range(40)
    }
    made.tell(lines, [])
    made.require_exact()
    return made


def built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines were read, each time that all are."""
    counts, bottom = list[int](), Level.bottom

    def counting(told: pa.Table) -> Level:
        counts.append(len(told))
        return bottom(told)

    monkeypatch.setattr(Level, "bottom", counting)
    return counts


def names(world: World) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in world.folder.glob("*.index"))


def flipped(path: Path) -> None:
    """Changes one bit of the last number in a file, which has the form it had before."""
    data = bytearray(path.read_bytes())
    data[-4] ^= 1
    path.write_bytes(data)


def test_an_objection_reads_what_it_brought(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, read = built(monkeypatch), list[int]()
    lines_in = Fingerprints.lines_in

    def reading(self: Fingerprints, fragments: list[int]) -> Iterator[pa.RecordBatch]:
        for batch in lines_in(self, fragments):
            read.append(len(batch))
            yield batch

    monkeypatch.setattr(Fingerprints, "lines_in", reading)
    for number in range(3):
        world.tell({ITEMS[number]: (3, 3, KEYS[:4], [])}, [1005 + number])
        compiled(world.opened, world.folder)
    assert read == [1, 1, 1]
    assert not counts
    assert names(world) == ["copied", "copies"]
    do(world, "reopen", [])
    read.clear()
    world.require_exact()
    assert read == [1]  # what came since the second file


def test_compaction_makes_nothing_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = built(monkeypatch)
    world.tell({ITEMS[0]: (3, 3, KEYS[:4], [])}, [])
    before = compiled(world.opened, world.folder)
    merge_small(world.opened)
    assert len(world.opened.fragment_rows()) == 1
    after = compiled(world.opened, world.folder)
    assert answers(before) == answers(after)
    assert not counts
    assert names(world) == ["copied", "copies"]  # so that nobody looks for the moved lines again
    do(world, "reopen", [])
    monkeypatch.setattr(Fingerprints, "_scanned_in", None)
    assert answers(compiled(world.opened, world.folder)) == answers(after)


def test_when_much_differs_all_is_read_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = built(monkeypatch)
    world.tell({item: (4, 4, KEYS[:3], []) for item in ITEMS}, [])
    compiled(world.opened, world.folder)
    assert counts == [55]
    world.require_exact()
    assert names(world) == ["copies"]


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "gone", "flipped"])
@pytest.mark.parametrize("which", ["copied-*", "copies-*"])
def test_a_file_that_is_damaged_counts_as_none(
    world: World, damage: str, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        world.tell({ITEMS[number]: (3, 3, KEYS[:4], [])}, [])
        world.require_exact()
    (path,) = world.folder.glob(which)
    if damage == "gone":
        path.unlink()
    elif damage == "flipped":
        flipped(path)
    else:
        data = path.read_bytes()
        path.write_bytes({"cut": data[:-70], "empty": b"", "noise": bytes(len(data))}[damage])
    do(world, "reopen", [])
    counts = built(monkeypatch)
    compiled(world.opened, world.folder)
    assert counts == ([44] if which == "copies-*" else [])
    world.require_exact()


def test_a_file_that_nobody_wrote_down_counts_as_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / caches.NOTES).write_bytes(b"[")
    do(world, "reopen", [])
    counts = built(monkeypatch)
    compiled(world.opened, world.folder)
    assert counts == [40]
    do(world, "reopen", [])
    compiled(world.opened, world.folder)
    assert counts == [40]


def test_a_copy_of_the_files_is_known_by_its_bytes(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in list(world.folder.iterdir()):
        shutil.copyfile(path, tmp_path / path.name)
        path.unlink()
        shutil.copyfile(tmp_path / path.name, path)
    do(world, "reopen", [])
    monkeypatch.setattr(Level, "bottom", None)
    compiled(world.opened, world.folder)
    monkeypatch.setattr(caches, "file_digest", None)  # nobody reads it again
    do(world, "reopen", [])
    assert compiled(world.opened, world.folder) is not None


@pytest.mark.parametrize("said", [[KEYS[0]], []])
def test_what_went_is_in_no_file_once_it_is_compiled_anew(world: World, said: list[int]) -> None:
    gone = 0x123456789ABCDEF
    world.tell({gone: (0x777777777777777, 3, said, [])}, [])
    write_deletions(world.opened)
    compiled_anew(world.opened, world.folder)
    world.tell({}, [gone])
    compiled(world.opened, world.folder)
    compiled_anew(world.opened, world.folder)
    world.require_exact()
    held = b"".join(path.read_bytes() for path in world.folder.iterdir())
    for number in (gone, 0x777777777777777):
        assert np.int64(number).tobytes() not in held


def test_no_file_stays_where_no_line_does(world: World) -> None:
    world.tell({}, [1000 + number for number in range(40)])
    assert compiled_anew(world.opened, world.folder) is None
    assert not names(world)


def test_files_of_another_dataset_are_not_believed(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    other.tell({1000 + number: (9, 9, [KEYS[3]], []) for number in range(40)}, [])
    other.require_exact()
    for path in world.folder.iterdir():
        path.unlink()
    for path in other.folder.iterdir():
        shutil.copy(path, world.folder)
    do(world, "reopen", [])
    world.require_exact()


def test_a_kill_while_a_file_is_written_leaves_the_old_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(world)
    world.tell({ITEMS[number]: (3, 3, KEYS[:4], []) for number in range(4)}, [])

    def killed(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Level, "save", lambda _, path, beside: killed(path, beside))
        with pytest.raises(KeyboardInterrupt):
            compiled(world.opened, world.folder)
    assert names(world) == before
    do(world, "reopen", [])
    world.require_exact()


def test_a_file_of_which_a_kill_left_no_note_counts_as_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.tell({item: (4, 4, KEYS[:3], []) for item in ITEMS}, [])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(caches, "_note", killed)
        with pytest.raises(KeyboardInterrupt):
            compiled(world.opened, world.folder)
    assert names(world) == ["copies"]
    do(world, "reopen", [])
    counts = built(monkeypatch)
    compiled(world.opened, world.folder)
    assert counts == [55]
    world.require_exact()


def test_an_older_demurs_file_is_replaced(world: World) -> None:
    (path,) = world.folder.glob("*.index")
    copies = compiled(world.opened, world.folder)
    assert copies is not None
    copies.save(path)
    (world.folder / caches.NOTES).unlink()
    do(world, "reopen", [])
    world.require_exact()
    assert names(world) == ["copies"]
    do(world, "reopen", [])
    assert compiled(world.opened, world.folder).levels.bottom.path == path  # type: ignore[union-attr]  # there are lines


def test_an_item_with_two_lines_is_read_as_one(world: World) -> None:
    line = table({ITEMS[0]: (3, 3, KEYS[:4], [])})
    world.opened.replace(np.zeros(0, np.uint64), line.to_batches())
    world.require_exact()
    world.opened.replace(np.zeros(0, np.uint64), line.to_batches())
    world.require_exact()
    do(world, "reopen", [])
    world.tell({ITEMS[1]: (3, 3, KEYS[:4], [])}, [])
    world.require_exact()


def test_a_folder_for_reading_alone_will_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(caches, "replacing", refused)
    for number in range(6):
        world.tell({ITEMS[number]: (3, 3, KEYS[:4], [])}, [1000 + number])
        world.require_exact()
    assert names(world) == ["copies"]
