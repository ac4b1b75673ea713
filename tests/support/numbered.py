"""The hard cases of phone numbers and addresses: a table of texts in which they are marked (tests/kernel/cases)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parents[1] / "kernel" / "cases" / "numbers.tsv"
_MARKS: Final = re.compile("[«»]")


@dataclass(frozen=True)
class Case:
    """One text, and where its identifiers stand."""

    trap: str
    """What makes it hard."""
    category: str
    """Of its identifiers: phone, ip or iban; none where it holds no identifier."""
    region: str | None
    """Of its author."""
    text: str
    spans: tuple[tuple[int, int], ...]
    """Code points of each identifier, exclusive end."""


def cases() -> list[Case]:
    """The table, in its order."""
    _, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [_case(*line.split("\t")) for line in lines]


def _case(trap: str, category: str, region: str, marked: str) -> Case:
    signs = [match.start() - at for at, match in enumerate(_MARKS.finditer(marked))]
    spans = tuple(zip(signs[::2], signs[1::2], strict=True))
    return Case(trap, category, None if region == "-" else region, _MARKS.sub("", marked), spans)
