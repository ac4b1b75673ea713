"""What Lance wrote and the disk did not keep counts for nothing: the dataset is as it was, and the next try works."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest
from lance.dataset import DatasetOptimizer
from lance.fragment import LanceFragment
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.datasets import compaction
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.whole import require_whole
from demur.corpus.importing import import_items
from demur.errors import UnavailableError

ROWS = 30_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one fragment."""
    workspace = workspaces.create(tmp_path_factory.mktemp("whole") / "w", open_policy())
    import_items(workspace, "table", [batch(item(str(n), text=f"Post {n}") for n in range(300))], now=NOW)
    return workspace.corpus_path


@pytest.fixture
def corpus(made: Path, fast_tmp: Path) -> Corpus:
    """The same, for one test."""
    return Corpus.open(Path(shutil.copytree(made, fast_tmp / "corpus.lance")))


def cut(path: Path, left: int) -> None:
    """As the disk leaves a file whose last write fails."""
    os.truncate(path, left)


def cutting(function: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """The same, whose newest file in a folder is cut short."""

    def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # of Lance
        done = function(*arguments, **options)
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        cut(newest, newest.stat().st_size // 2)
        return done

    return call


def addresses(corpus: Corpus) -> Any:  # noqa: ANN401  # an array
    return np.concatenate([rows["_rowaddr"].to_numpy() for rows in corpus.batches(["author"])]).astype(np.uint64)


def rows(corpus: Corpus) -> list[Any]:
    return [row for part in corpus.batches() for row in part.drop_columns(["_rowaddr"]).to_pylist()]


def test_new_rows_that_were_cut_short_are_in_no_version(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    before, some = rows(corpus), next(Corpus.open(Path(corpus.uri)).batches(corpus.SCHEMA.names))
    some = some.drop_columns(["_rowaddr"])
    with monkeypatch.context() as patch:
        patch.setattr(
            "lance.fragment.write_fragments", cutting(lance.fragment.write_fragments, Path(corpus.uri) / "data")
        )
        with pytest.raises(UnavailableError, match="did not keep all of what was written"):
            corpus.write([some])
    assert rows(Corpus.open(Path(corpus.uri))) == before
    corpus.commit(np.zeros(0, np.uint64), corpus.write([some]))
    assert len(rows(Corpus.open(Path(corpus.uri)))) == len(before) + some.num_rows


def test_deletions_that_were_cut_short_delete_nothing(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    before, gone = rows(corpus), addresses(corpus)[:7]
    folder = Path(corpus.uri) / "_deletions"
    with monkeypatch.context() as patch:
        patch.setattr(LanceFragment, "delete", cutting(LanceFragment.delete, folder))
        with pytest.raises(UnavailableError, match="nothing of this counts"):
            corpus.commit(gone, [])
    assert rows(Corpus.open(Path(corpus.uri))) == before
    corpus.commit(gone, [])
    assert rows(Corpus.open(Path(corpus.uri))) == before[7:]


def test_a_compaction_that_was_cut_short_is_taken_back(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus.commit(addresses(corpus)[:7], [])
    before = rows(corpus)
    with monkeypatch.context() as patch:
        patch.setattr(
            DatasetOptimizer, "compact_files", cutting(DatasetOptimizer.compact_files, Path(corpus.uri) / "data")
        )
        with pytest.raises(UnavailableError, match="did not keep"):
            compaction.write_deletions(corpus)
    assert rows(corpus) == rows(Corpus.open(Path(corpus.uri))) == before
    compaction.write_deletions(corpus)
    assert rows(Corpus.open(Path(corpus.uri))) == before
    assert sum(each.metadata.num_deletions for each in corpus.dataset.get_fragments()) == 0


@pytest.mark.parametrize(
    ("which", "form"),
    [(range(0, ROWS, 3000), ".arrow"), (range(0, ROWS, 2), ".bin"), (range(5, ROWS - 5), ".bin"), (range(3), ".arrow")],
)
def test_every_form_of_deletions_is_read_to_its_end(fast_tmp: Path, which: range, form: str) -> None:
    """A list, a bitmap with bits, one with a list, one of a run."""
    root = fast_tmp / "numbers.lance"
    dataset = lance.write_dataset({"n": list(range(ROWS))}, root)
    fragment = dataset.get_fragment(0)
    assert fragment is not None
    left = fragment.delete(f"n IN ({','.join(map(str, which))})")
    assert left is not None
    assert left.deletion_file is not None
    path = root / left.deletion_file.path(0)
    assert path.suffix == form
    require_whole(root, left)
    size = path.stat().st_size
    for keeps in (size - 1, size // 2, 5, 0):
        cut(path, keeps)
        with pytest.raises(UnavailableError):
            require_whole(root, left)
    path.unlink()
    with pytest.raises(UnavailableError):
        require_whole(root, left)
