"""The lists of what holders of exports must remove, of versions that an erasure retires: ``recalls/VERSION.csv``.

Invariants: a list names rows by item key and holds no text; once a version is gone its list only grows, by what its
exports hold of people who were suppressed since.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from demur.corpus.session import Session
from demur.errors import CorpusError
from demur.versions.leave import recalled
from demur.versions.recall import RECALL, recall_rows, write_recall
from demur.versions.verify import export_batches


def list_of(session: Session, name: str) -> Path:
    """Where the list of a version lies, if there is one."""
    return session.workspace.recalls_path / f"{name}.csv"


def write_list(session: Session, name: str) -> None:
    """Writes the list of a version that still can be read."""
    try:
        write_recall(recalled(session, name), list_of(session, name))
    except CorpusError:
        return  # the version can't be read any more, and goes all the same


def extend_list(session: Session, name: str, export: Path) -> None:
    """Adds to the list of a version that was retired before what an export of it holds of people suppressed since."""
    path = list_of(session, name)
    rules, _ = session.rules()
    listed = _read_list(path) if path.exists() else RECALL.empty_table()
    try:
        found = list(recall_rows(export_batches(export), rules.objected.union(rules.minors)))
    except CorpusError:
        return  # it is not there any more, or broken
    fresh = pa.Table.from_batches(found, RECALL)
    fresh = fresh.filter(pc.invert(pc.is_in(fresh.column("item"), listed.column("item"))))
    if fresh.num_rows:
        write_recall(pa.concat_tables([listed, fresh]).to_batches(), path)


def _read_list(path: Path) -> pa.Table:
    types = {column.name: column.type for column in RECALL}
    return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=types)).cast(RECALL)
