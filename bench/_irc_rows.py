"""Rows of real IRC logs as demur trains on them, for the benchmarks of models: imported, published, encoded.

People are parted by a keyed hash: the *declared* ones, whose words the tokenizer is fitted on and a base is trained
on, and the *personal* ones, who are trained on behind it and may object. Nothing of the logs is printed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import _measure as measure
import _real as real
from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import Session
from demur.policy import Assessment, Door, LegalBasis, Notice, Policy
from demur.runs.render import render
from demur.sources import load_source
from demur.training.order import held_out
from demur.training.rows import COLUMNS, Ints, Rows, read_rows
from demur.training.tokenizer import Tokenizer, fit
from demur.versions.publish import publish
from demur.workspace import Workspace

NOW: Final = datetime(2026, 11, 29, tzinfo=UTC)
VERSION: Final = "v1"
SPLIT: Final = b"who is declared, a bench of demur"
"""The key of the hash by which people are parted; another one than the spike's, which is not kept."""
VOCABULARY: Final = 2048
OPTIONS: Final = {"channel": "#ubuntu"}
"""Of the source: which channel the logs are of."""


@dataclass(frozen=True, eq=False)
class Irc:
    """What everybody wrote, in the order of items."""

    rows: Rows
    """With mentions masked."""
    open: Rows
    """The same rows with mentions as they were written; a row that gives nothing without them is left out of both."""
    author: Ints
    """The key of each row's author, shape (n,)."""
    created: Ints
    """When each was written, in microseconds, shape (n,)."""

    def take(self, which: Ints) -> "Irc":
        """Some of the rows."""
        parts = (self.rows.take(which), self.open.take(which), self.author[which], self.created[which])
        return type(self)(*parts)

    def of(self, people: npt.NDArray[np.bool_], persons: Ints) -> "Irc":
        """The rows of some authors: ``people`` says of each of ``persons``, sorted, whether it is one of them."""
        return self.take(np.flatnonzero(people[np.searchsorted(persons, self.author)]))


def policy() -> Policy:
    """One that lets everybody in."""
    day = date(2026, 1, 10)
    return Policy(
        effective_date=day,
        basis=LegalBasis(legitimate_interests=Assessment(document="lia.pdf", date=day, signed_by="DPO")),
        notice=Notice(required=False),
        door=Door(unknown_age="use"),
    )


def paths(logs: int | None) -> list[str]:
    """The logs, or the first so many of them.

    Raises:
        FileNotFoundError: when they are not at hand.
    """
    folder = real.shared("irc")
    if folder is None:
        raise FileNotFoundError("no IRC logs: set DEMUR_SHARED to the folder that holds data/irc")
    return [str(path) for path in sorted(folder.glob("*.raw.txt"))][:logs]


@contextmanager
def imported(*, logs: int | None = None) -> Iterator[Workspace]:
    """A workspace with the logs, or the first so many of them, published; it is gone when the block ends.

    Raises:
        FileNotFoundError: when the logs are not at hand.
    """
    with measure.scratch() as place:
        made = workspaces.create(place / "w", policy())
        batches = load_source("irc").read(paths(logs), OPTIONS)
        import_items(made, "irc", batches, now=NOW)
        publish(made, VERSION, now=NOW)
        yield made


def declared_of(session: Session, share: float) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Everybody who wrote, sorted, and who of them is declared."""
    authors = pa.chunked_array([batch.column("author") for batch in session.corpus.batches(["author"])])
    persons = np.unique(authors.to_numpy())
    return persons, held_out(persons, share, SPLIT)


def texts_of(session: Session, persons: Ints) -> Iterator[str]:
    """The rendered texts of these people, sorted, by the order of items."""
    found: list[tuple[bytes, str]] = []
    for batch in session.corpus.batches(["item", "author", "text", "spans"]):
        theirs = batch.filter(pa.array(np.isin(batch.column("author").to_numpy(zero_copy_only=False), persons)))
        columns = (theirs.column(name).to_pylist() for name in ("item", "text", "spans"))
        found += [(item, render(text, spans)) for item, text, spans in zip(*columns, strict=True)]
    return (text for _, text in sorted(found) if text)


def tokenizer_of(session: Session, declared: Ints, folder: Path, context: int) -> Tokenizer:
    """A tokenizer that was fitted on the words of these people."""
    fit(texts_of(session, declared), VOCABULARY, folder)
    return Tokenizer.open(folder, context)


def read(session: Session, tokenizer: Tokenizer) -> Irc:
    """All rows of the corpus."""
    batches = list(session.corpus.batches([*COLUMNS, "created"]))
    masked = read_rows(batches, tokenizer.encode, mask_mentions=True)
    shown = read_rows(batches, tokenizer.encode, mask_mentions=False)
    authors: dict[bytes, int | None] = {}
    created: dict[bytes, int | None] = {}
    for batch in batches:
        items = batch.column("item").to_pylist()
        authors.update(zip(items, batch.column("author").to_pylist(), strict=True))
        created.update(zip(items, batch.column("created").cast(pa.int64()).to_pylist(), strict=True))
    both = sorted({bytes(each) for each in masked.item} & {bytes(each) for each in shown.item})
    rows, others = (_only(each, both) for each in (masked, shown))
    return Irc(rows, others, _column(authors, both), _column(created, both))


def capped(irc: Irc, most: int) -> Irc:
    """What is left where of each author only the first rows count that hold so many tokens."""
    by = np.lexsort((np.arange(len(irc.author)), irc.author))
    tokens, author = irc.rows.tokens[by].astype(np.int64), irc.author[by]
    total = np.cumsum(tokens)
    begins = np.searchsorted(author, author)
    before = total - tokens - (total[begins] - tokens[begins])
    return irc.take(np.sort(by[before < most]))


def _only(rows: Rows, items: Sequence[bytes]) -> Rows:
    known = {bytes(each): at for at, each in enumerate(rows.item)}
    return rows.take(np.array([known[item] for item in items], np.int64))


def _column(values: dict[bytes, int | None], items: Sequence[bytes]) -> Ints:
    return np.array([values[item] or 0 for item in items], np.int64)
