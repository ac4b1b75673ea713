"""Recall and precision of the search for phone numbers and addresses, on labelled spans of real IRC logs.

Run ``python bench/identifier_labels.py [dev|test]``. The labels (``bench/identifiers/README.md``) were made by hand;
the logs are read from ``DEMUR_SHARED``, else ``../shared``. A span that is to be masked is found when all its letters
and digits are masked, as whatever category; one that is not is a false mask where any of it is masked as a phone
number or address. Prints counts with Wilson's interval of 95 %, and how many masks no label speaks of.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from _real import irc_lines, shared, wilson
from demur.kernel.identifiers import Category, find_identifiers

LABELS: Final = Path(__file__).parent / "identifiers" / "labels.csv"
_JUDGED: Final = frozenset({Category.PHONE, Category.IP})


@dataclass(frozen=True)
class Label:
    """One labelled span."""

    file: str
    line: int
    """From 0."""
    start: int
    """Code points of the line's text, from 0."""
    end: int
    """Exclusive."""
    label: str
    drawn: str
    half: str


def labels(half: str | None = None) -> list[Label]:
    """The labels of one half, or all."""
    with LABELS.open(encoding="utf-8", newline="") as stream:
        rows = [
            Label(
                row["file"],
                int(row["line"]),
                int(row["start"]),
                int(row["end"]),
                row["label"],
                row["drawn"],
                row["half"],
            )
            for row in csv.DictReader(stream)
        ]
    return [row for row in rows if half in {None, row.half}]


@dataclass(frozen=True)
class Mask:
    """What the search found in a line."""

    start: int
    end: int
    category: Category


def masks(texts: dict[tuple[str, int], str], region: str | None = None) -> dict[tuple[str, int], list[Mask]]:
    """What the search finds in each line, all categories."""
    hits = find_identifiers(
        pa.array(list(texts.values()), type=pa.large_string()), frozenset(Category), [region] * len(texts)
    )
    places = list(texts)
    found: dict[tuple[str, int], list[Mask]] = defaultdict(list)
    for row, start, end, category in zip(hits.row, hits.start, hits.end, hits.category, strict=True):
        found[places[row]].append(Mask(int(start), int(end), Category(int(category))))
    return found


def is_found(label: Label, text: str, found: Iterable[Mask]) -> bool:
    """Whether every letter and digit of the span is masked."""
    covered = {place for mask in found for place in range(mask.start, mask.end)}
    return all(place in covered for place in range(label.start, label.end) if text[place].isalnum())


def touches(label: Label, mask: Mask) -> bool:
    """Whether they share a code point."""
    return label.start < mask.end and mask.start < label.end


def report(half: str | None) -> None:
    """Print the figures of one half, or of all."""
    known = labels(half)
    files = {label.file for label in known}
    lines = {(line.file, line.number): line.text for line in irc_lines() if line.file in files}
    found = masks(lines)
    judged = {place: [mask for mask in each if mask.category in _JUDGED] for place, each in found.items()}
    print(f"{half or 'all'}: {len(known):,} labels in {len(files)} logs, {len(lines):,} lines")
    for wanted in ("phone", "ip"):
        true = [label for label in known if label.label == wanted]
        hit = sum(is_found(label, lines[label.file, label.line], found[label.file, label.line]) for label in true)
        print(f"  {wanted:5} recall    {wilson(hit, len(true))}")
    truths = defaultdict(list)
    for label in known:
        truths[label.file, label.line].append(label)
    for category in sorted(_JUDGED):
        tally = _judge(category, judged, truths)
        print(f"  {category.name.lower():5} precision {wilson(tally['true'], tally['true'] + tally['none'])}", end="")
        print(f"; {tally['neither']} of nobody, {tally['unlabelled']} without a label")


def _judge(
    category: Category, judged: dict[tuple[str, int], list[Mask]], truths: dict[tuple[str, int], list[Label]]
) -> dict[str, int]:
    tally: dict[str, int] = defaultdict(int)
    for place, each in judged.items():
        for mask in each:
            if mask.category == category:
                touched = {label.label for label in truths[place] if touches(label, mask)}
                tally[_verdict(touched)] += 1
    return tally


def _verdict(touched: set[str]) -> str:
    if touched & {"phone", "ip"}:
        return "true"
    if touched & {"nobody", "mac"}:
        return "neither"
    return "none" if touched else "unlabelled"


def main() -> None:
    """Print the figures of the half named, or of both."""
    if shared("irc") is None:
        print("skipped: no IRC logs under DEMUR_SHARED/data/irc or ../shared/data/irc")
        return
    for half in sys.argv[1:] or ["dev", "test"]:
        report(half)


if __name__ == "__main__":
    main()
