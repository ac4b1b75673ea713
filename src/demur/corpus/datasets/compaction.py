"""Compaction: small fragments are merged, deleted rows leave the files, and indexes learn new rows.

Invariants: no row changes; a step is short, so that whoever waits for an objection waits little; a kill in the
middle leaves a corpus that the next step finishes.
"""

from datetime import timedelta
from typing import Any, Final

from demur.corpus.datasets.base import Dataset

MOST_SMALL: Final = 32
"""Fragments of at most :data:`SMALL_ROWS` rows that may gather; each costs every look-up a little."""
SMALL_ROWS: Final = 100_000
_EVER: Final = timedelta(days=36_500)
_MOST_PARTS: Final = 8
"""Parts of an index that may gather before all but the first, which is large, are merged."""


def small_fragments(dataset: Dataset) -> int:
    """How many small fragments have gathered."""
    return sum(rows <= SMALL_ROWS for rows in dataset.fragment_rows())


def maintain_if_due(dataset: Dataset) -> bool:
    """One step, if enough small fragments have gathered."""
    if small_fragments(dataset) <= MOST_SMALL:
        return False
    merge_small(dataset)
    return True


def merge_small(dataset: Dataset) -> None:
    """Merges small fragments with each other and adds what is not indexed to the indexes.

    Large fragments stay as they are: Lance would rewrite one of 900,000 rows to add 300 to it.
    """
    large = [f.fragment_id for f in dataset.dataset.get_fragments() if f.metadata.num_rows > SMALL_ROWS]
    _compact(dataset, materialize_deletions=False, excluded_fragment_ids=large)
    index_new(dataset)


def write_deletions(dataset: Dataset) -> None:
    """Rewrites every fragment that has deleted rows, so that its files don't hold them any more.

    Lance by itself leaves a fragment with a few per cent of deleted rows alone.
    """
    _compact(dataset, materialize_deletions=True, materialize_deletions_threshold=0.0)
    dataset.keep_postings()


def rewrite_deleted(dataset: Dataset) -> None:
    """Rewrites fragments that have deleted rows, and no others, however small these are."""
    whole = [f.fragment_id for f in dataset.dataset.get_fragments() if not f.metadata.num_deletions]
    _compact(dataset, materialize_deletions=True, materialize_deletions_threshold=0.0, excluded_fragment_ids=whole)


def _compact(dataset: Dataset, **how: Any) -> None:  # noqa: ANN401  # Lance's options
    """Compact, in one commit; where the disk did not keep the new files it is as if that had not been."""
    before = dataset.version
    dataset.dataset.optimize.compact_files(target_rows_per_fragment=dataset.FRAGMENT_ROWS, **how)
    dataset.refresh()
    dataset.require_kept(before)


def remove_old_files(dataset: Dataset) -> int:
    """Removes the files of versions that are neither published nor the head; returns bytes.

    The caller holds the workspace's lock, so that files of no version are a crash's leavings and nobody's work.
    """
    stats = dataset.dataset.cleanup_old_versions(
        older_than=timedelta(0), error_if_tagged_old_versions=False, delete_unverified=True
    )
    dataset.keep_postings()  # and none of rows whose files are gone
    return int(stats.bytes_removed)


def remove_uncommitted(dataset: Dataset) -> None:
    """Removes what was written for a commit that never came, and nothing that any version has.

    The caller holds the workspace's lock, as for :func:`remove_old_files`.
    """
    dataset.dataset.cleanup_old_versions(older_than=_EVER, error_if_tagged_old_versions=False, delete_unverified=True)


def index_new(dataset: Dataset) -> None:
    """Adds new rows to the indexes as a part of its own, merged with the other small parts when these are many."""
    parts = dataset.index_parts()
    if parts is None:
        dataset.index()
        return
    merged = parts - 1 if parts >= _MOST_PARTS else 0
    dataset.dataset.optimize.optimize_indices(num_indices_to_merge=merged)
    dataset.refresh()
    dataset.keep_postings()
