"""The loop on 51 days of real chat: the 50 most active people object, and nothing of theirs is handed over.

The checks read only the exported Parquet and the raw logs, as an outsider with both would.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from making import open_policy

from demur import workspace as workspaces
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.honour import honour
from demur.corpus.importing import ImportReport, import_items
from demur.sources import load_source
from demur.sources.chats.nicks import is_word
from demur.versions.leave import export, verify
from demur.versions.publish import publish

LINE = re.compile(r"\[(\d\d:\d\d)\] <([^>]+)> ?(.*)")
OPENING = re.compile(r"[^\s:,;>]+")
ACTIVE = 50
EVERY = 3
"""Of the 153 days that the logs hold, one in three is read."""


@dataclass
class Journey:
    """What the loop left, and what stands in the logs."""

    report: ImportReport
    rows: pa.Table
    """The exported Parquet, as any reader sees it."""
    workspace: workspaces.Workspace
    said: list[tuple[str, str]]
    """Nick, folded, and words of every message in the raw logs."""
    objected: set[str]


def messages(days: list[Path]) -> Iterator[tuple[str, str]]:
    for path in days:
        for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
            if match := LINE.match(line):
                yield match[2].casefold(), match[3].strip()


@pytest.fixture(scope="module")
def journey(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    days = sorted((shared / "irc").glob("*.raw.txt"))[::EVERY]
    said = list(messages(days))
    objected = {nick for nick, _ in Counter(nick for nick, _ in said).most_common(ACTIVE)}
    workspace = workspaces.create(tmp_path_factory.mktemp("irc") / "w", open_policy())
    report = import_items(workspace, "irc", load_source("irc").read([str(day) for day in days], {}))
    with workspace.register() as register:
        for nick in sorted(objected):
            register.objections.lodge([f"irc:{nick}"], channel="letter")
    honour(workspace)
    publish(workspace, "v1")
    to = workspace.root / "exported"
    export(workspace, "v1", to)
    rows = ds.dataset(to / "data", format="parquet").to_table()
    return Journey(report, rows, workspace, said, objected)


def test_everything_is_read_and_accounted_for(journey: Journey) -> None:
    report = journey.report
    assert report.read >= len(journey.said)
    assert report.read == report.kept + sum(report.left_out.values())
    assert verify(journey.workspace, "v1").ok
    assert verify(journey.workspace, "v1", export=journey.workspace.root / "exported").ok


def test_no_row_of_theirs_is_exported(journey: Journey) -> None:
    speakers = defaultdict(set)
    for nick, words in journey.said:
        speakers[words].add(nick)
    theirs = {words for words, nicks in speakers.items() if nicks <= journey.objected and len(words) > 25}
    assert len(theirs) > 3_000
    found = theirs & set(journey.rows.column("text").to_pylist())
    assert not found
    kept = sum(nick not in journey.objected for nick, _ in journey.said)
    assert 0.95 * kept < len(journey.rows) < 1.02 * kept


def test_no_line_opens_with_a_nick(journey: Journey) -> None:
    nicks = {nick for nick, _ in journey.said if not is_word(nick.casefold())}  # words need evidence
    opening = Counter(
        first[0].casefold() for text in journey.rows.column("text").to_pylist() if (first := OPENING.match(text))
    )
    assert opening["[person]"] > 3_000
    assert not {nick for nick in opening if nick in nicks}


def test_no_field_but_the_text_holds_a_nick(journey: Journey) -> None:
    nicks = {nick for nick, _ in journey.said}
    corpus = Corpus.open(journey.workspace.corpus_path)
    for batch in corpus.batches([name for name in journey.rows.column_names if name != "text"]):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            assert not [value for value in strings(name, column) if value.casefold() in nicks]


def strings(name: str, column: pa.Array) -> Iterator[str]:
    """The different words of a column, however it nests."""
    kind = column.type
    if name in FIXED:
        return
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (value for value in column.unique().to_pylist() if value is not None)
    elif pa.types.is_struct(kind):
        for number, each in enumerate(kind):
            yield from strings(each.name, column.field(number))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from strings("", column.flatten())
    else:
        assert not pa.types.is_nested(kind)
        assert not pa.types.is_dictionary(kind)


FIXED = frozenset({"kind", "audience", "origin", "source", "role", "language"})
"""Closed vocabularies: people have called themselves `post` and `public`."""
