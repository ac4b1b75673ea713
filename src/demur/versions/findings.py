"""What a check found: every finding counted, the first of each kind told in a sentence that names the row.

Invariants: nothing that was found is lost from the counts; memory does not grow with them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SHOWN: Final = 100
"""Findings of each kind that are told one by one."""


class Code(StrEnum):
    """What is wrong."""

    MANIFEST = "manifest"  # it was changed, or is another version's
    SIDECAR = "sidecar"  # the list of row hashes is not the one the manifest names
    SUPPRESSION = "suppression"  # the suppression list is not the one the manifest names
    UNREADABLE = "unreadable"  # rows that can't be read
    CHANGED = "changed"
    ADDED = "added"
    MISSING = "missing"
    TOTALS = "totals"  # counts or digests over all rows
    REGISTER = "register"  # an entry, or what stands and does not follow from the entries
    AUTHOR = "author"  # written by a suppressed person
    RESHARE = "reshare"  # passes on what a suppressed person wrote
    QUOTE = "quote"
    MENTION = "mention"
    TAG = "tag"
    FILE = "file"  # one that does not belong there, is missing or was changed
    COLUMN = "column"  # a column or metadata that does not belong there, or another type
    SUBJECT = "subject"  # names a suppressed person among its subjects


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    code: Code
    item: str | None
    """The row's item key in lowercase hexadecimal (its first 16 digits for a row that is gone), if it is about one."""
    sentence: str
    """What is wrong, for a person."""


@dataclass
class Findings:
    """All that a check found."""

    shown: list[Finding] = field(default_factory=list)
    counts: Counter[Code] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """What could not be checked, in sentences; nothing is wrong for all that is known."""
    _told: Counter[Code] = field(default_factory=Counter, repr=False)

    def add(self, code: Code, sentence: str, item: str | None = None) -> None:
        """Count a finding, and keep its sentence while there are few of its kind."""
        if self._told[code] < SHOWN:
            self.shown.append(Finding(code, item, sentence))
            self._told[code] += 1
        self.counts[code] += 1

    def count(self, code: Code, more: int) -> None:
        """Count ``more`` findings that are not told one by one."""
        if more > 0:
            self.counts[code] += more

    def note(self, sentence: str) -> None:
        """Say what could not be checked, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def total(self) -> int:
        """How many there are."""
        return self.counts.total()

    @property
    def ok(self) -> bool:
        """Whether there is none."""
        return self.total == 0

    def lines(self) -> Iterator[str]:
        """The sentences, and a line for what is not told one by one."""
        for finding in self.shown:
            yield finding.sentence
        for code, count in self.counts.items():
            if count > self._told[code]:
                yield f"... and {count - self._told[code]:,} more of the kind {code.value}."
