"""Index files are a cache: missing, damaged, swapped or of another age, they hide nobody's row and stop nobody."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from making import batch, item, open_policy

from demur import workspace as workspaces
from demur.cli import run
from demur.corpus.find import find
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.versions.publish import publish
from demur.versions.states import rows_of
from demur.worker.maintenance import maintain
from demur.workspace import Workspace

PEOPLE = 50


@pytest.fixture
def town(fast_tmp: Path) -> Workspace:
    """A corpus with an item of each of 50 people, and a version of it."""
    workspace = workspaces.create(fast_tmp / "w", open_policy())
    import_items(workspace, "table", [batch(item(f"{n}", f"forum:u{n}", f"words of u{n}.") for n in range(PEOPLE))])
    publish(workspace, "v1")
    return workspace


def files(workspace: Workspace) -> list[Path]:
    return sorted(path for path in (workspace.corpus_path / "_indices").rglob("*") if path.is_file())


def removed(workspace: Workspace) -> None:
    shutil.rmtree(workspace.corpus_path / "_indices")


def emptied(workspace: Workspace) -> None:
    for path in files(workspace):
        path.write_bytes(b"")


def one_gone(workspace: Workspace) -> None:
    files(workspace)[0].unlink()


def flipped(workspace: Workspace) -> None:
    for path in files(workspace):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))


def of_another_corpus(workspace: Workspace) -> None:
    """The same columns, of a corpus that holds none of these people: it is read without an error, and finds nobody."""
    other = workspaces.create(workspace.root.parent / "other", open_policy())
    import_items(other, "table", [batch(item(f"{n}", f"forum:other{n}", "else") for n in range(PEOPLE))])
    theirs = {path.name: path for path in files(other)}
    for path in files(workspace):
        shutil.copyfile(theirs[path.name], path)


HARM: list[Callable[[Workspace], None]] = [removed, emptied, one_gone, flipped, of_another_corpus]


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_an_objection_is_honoured_whatever_became_of_the_index(
    town: Workspace, harm: Callable[[Workspace], None]
) -> None:
    harm(town)
    assert run(["object", "-w", str(town.root), "--account", "forum:u7", "--channel", "letter"]) == 0
    publish(town, "v2")
    texts = [text for rows in rows_of(town, "v2") for text in rows.column("text").to_pylist()]
    assert len(texts) == PEOPLE - 1
    assert "words of u7." not in texts
    with reading(town) as session:
        assert session.corpus.indexed, "the index was not built anew"


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_readers_find_everything_without_the_index(town: Workspace, harm: Callable[[Workspace], None]) -> None:
    harm(town)
    found = find(town, "forum:u3")
    assert [row.text for row in found.rows] == ["words of u3."]
    with reading(town) as session:
        assert not session.corpus.indexed


def test_an_untouched_index_is_trusted_and_a_copied_one_read_once(town: Workspace) -> None:
    with reading(town) as session:
        assert session.corpus.indexed
    copy = Workspace(town.root.parent / "copy")
    shutil.copytree(town.root, copy.root)
    with reading(copy) as session:
        assert session.corpus.indexed
    before = {path.name for path in (copy.corpus_path / "_indices").iterdir()}
    honour(copy)
    assert {path.name for path in (copy.corpus_path / "_indices").iterdir()} == before


def test_an_index_that_was_merged_or_extended_is_trusted(town: Workspace) -> None:
    for round_ in range(3):
        import_items(town, "table", [batch([item(f"more{round_}", f"forum:more{round_}", "more words")])])
    maintain(town)
    with reading(town) as session:
        assert session.corpus.indexed
        assert session.corpus.count() == PEOPLE + 3
