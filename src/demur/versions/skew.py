"""What objections and the policy did to the corpus: whose items stayed out, by what their source said of them.

Invariants: counts alone are compared, those of the door (corpus.imports) with those of a version; what was left out is
not there to be looked at, and nothing is inferred about anybody; no cell is crossed with another; counts of few are
hidden, and those of what was read are rounded (:mod:`demur.versions.few`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.imports import cells
from demur.corpus.session import Session
from demur.kernel.cells import CELLS, languages, years
from demur.versions.few import FEWEST, rounded, shown
from demur.versions.states import manifest_of, published

ASSUMED: Final = (
    "Read are readings: an item that several imports read counts in each. Language and year are those that the source "
    "gave, the region the item's or the member's; nothing is inferred. Counts of 1 to 9 are hidden, those of what was "
    "read and left out rounded to tens."
)


@dataclass(frozen=True)
class Cell:
    """One value of one cell."""

    value: str
    """"" where it is unknown."""
    read: int | None
    """Items that were there to be read, to tens; None where it is hidden."""
    left_out: int | None
    """Of these, how many the door left out, for whatever reason; the same."""
    share: float | None
    """Of what was read, how much was left out, to hundredths; None where a count is hidden."""
    version: int | None
    """Rows of the version; None where it is hidden."""
    weight: float | None
    """Its share of the version over its share of what was read, to hundredths: 1 where nothing is skewed."""


@dataclass(frozen=True)
class Skew:
    """What became of what was read, by one cell at a time."""

    name: str
    """Of the version."""
    imports: int
    lacking: int
    """Imports of an older demur, that counted by no cell: what they read is only in the version's counts."""
    cells: Mapping[str, tuple[Cell, ...]]
    """In the order of kernel.cells.CELLS; each by what was read, the most first."""


def skew(session: Session, name: str) -> Skew:
    """What was read up to a version, and what of it the version holds.

    Raises:
        UsageError: when there is no such version, or it was retired.
    """
    published(session.register, name)
    manifest = manifest_of(session, name)
    before = cells(session, manifest.checkpoint.seq)
    after = {
        "kind": manifest.content.kinds,
        "language": _as_read(manifest.content.languages),
        "region": _known(manifest.content.regions),
        "year": _years(Corpus.open(session.workspace.corpus_place, name)),
    }
    nothing: Mapping[str, int] = {}
    of = {
        cell: tuple(_cells(before.read.get(cell, nothing), before.kept.get(cell, nothing), after[cell]))
        for cell in CELLS
    }
    return Skew(name, before.imports, before.lacking, of)


def _cells(read: Mapping[str, int], kept: Mapping[str, int], after: Mapping[str, int]) -> Iterator[Cell]:
    total, rows, visible = rounded(sum(read.values())), sum(after.values()), shown(after)
    for value in sorted({*read, *after}, key=lambda value: (-read.get(value, 0), -after.get(value, 0), value)):
        there, left, here = read.get(value, 0), read.get(value, 0) - kept.get(value, 0), after.get(value, 0)
        seen, gone, stays = rounded(there), rounded(left), visible.get(value, 0)
        share = round(gone / seen, 2) if seen and gone is not None else None
        weight = round((here / rows) / (seen / total), 2) if seen and total and rows and stays is not None else None
        yield Cell(value, seen, gone, None if share is None else min(share, 1.0), stays, weight)


def _as_read(tags: Mapping[str, int]) -> Counter[str]:
    """Counts by language, of counts by tag."""
    found: Counter[str] = Counter()
    names = languages(pa.array(list(tags), pa.string())).to_pylist() if tags else []
    for name, count in zip(names, tags.values(), strict=True):
        found[name] += count
    return found


def _known(regions: Mapping[str, int]) -> Counter[str]:
    """Counts by region; what is no country code is unknown."""
    found: Counter[str] = Counter()
    for name, count in regions.items():
        found[name if len(name) == 2 and name.isascii() and name.isupper() else ""] += count  # noqa: PLR2004  # ISO 3166
    return found


def _years(version: Corpus) -> Counter[str]:
    found: Counter[str] = Counter()
    for batch in version.batches(["created"]):
        for group in years(batch.column("created")).value_counts().to_pylist():
            found[group["values"]] += group["counts"]
    return found


def data(found: Skew) -> dict[str, object]:
    """For machines."""
    of = {cell: [vars(each) for each in rows] for cell, rows in found.cells.items()}
    return {"name": found.name, "imports": found.imports, "lacking": found.lacking, "fewest": FEWEST, "cells": of}
