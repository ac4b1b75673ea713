"""What a check found: every finding counted, the first of each kind told in a sentence that names the row.

Invariants: nothing that was found is lost from the counts; memory does not grow with them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SHOWN: Final = 100
"""Findings of each kind that are told one by one, where nobody asks for more."""
EVERY: Final = 1_000_000
"""As many as are told where somebody asks for every one: what is found must fit into memory."""


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
    COPY = "copy"  # holds words that a suppressed person wrote
    NAME = "name"  # names a suppressed person without markup
    FILE = "file"  # one that does not belong there, is missing or was changed
    COLUMN = "column"  # a column or metadata that does not belong there, or another type
    SUBJECT = "subject"  # names a suppressed person among its subjects
    MODEL = "model"  # a model is not what it says, or serves what it should not


MEANS: Final[Mapping[Code, str]] = {
    Code.MANIFEST: "about the manifest",
    Code.SIDECAR: "about the list of row hashes",
    Code.SUPPRESSION: "about the suppression list",
    Code.UNREADABLE: "rows that can't be read",
    Code.CHANGED: "rows that were changed after it was published",
    Code.ADDED: "rows that were added after it was published",
    Code.MISSING: "rows that were removed after it was published",
    Code.TOTALS: "totals that differ",
    Code.REGISTER: "about the register",
    Code.AUTHOR: "rows that a suppressed person wrote",
    Code.RESHARE: "rows that pass on what a suppressed person wrote",
    Code.QUOTE: "rows that quote a suppressed person",
    Code.MENTION: "rows that mention a suppressed person",
    Code.TAG: "rows that tag a suppressed person",
    Code.COPY: "rows that hold what a suppressed person wrote",
    Code.NAME: "rows that hold a suppressed person's name",
    Code.FILE: "files that don't belong there, are missing or were changed",
    Code.COLUMN: "columns that differ",
    Code.SUBJECT: "rows that name a suppressed person among their subjects",
    Code.MODEL: "about models",
}
"""What all findings of a kind are."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    code: Code
    item: str | None
    """The row's item key in lowercase hexadecimal (its first 16 digits for a row that is gone), if it is about one."""
    sentence: str
    """What is wrong, for a person."""


@dataclass(frozen=True)
class Kind:
    """All findings of a kind."""

    code: Code
    number: int
    examples: tuple[str, ...]
    """The sentences of the first few."""


@dataclass
class Findings:
    """All that a check found."""

    shown: list[Finding] = field(default_factory=list)
    counts: Counter[Code] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    """What could not be checked, in sentences; nothing is wrong for all that is known."""
    most: int = SHOWN
    """Findings of each kind that are told one by one."""
    _told: Counter[Code] = field(default_factory=Counter, repr=False)

    def add(self, code: Code, sentence: str, item: str | None = None) -> None:
        """Count a finding, and keep its sentence while there are few of its kind."""
        if self._told[code] < self.most:
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

    def summary(self, examples: int) -> Iterator["Kind"]:
        """Every kind that was found, the most frequent first, with its first few findings."""
        first: dict[Code, list[Finding]] = {}
        for finding in self.shown:
            told = first.setdefault(finding.code, [])
            if len(told) < examples:
                told.append(finding)
        for code, number in self.counts.most_common():
            yield Kind(code, number, tuple(each.sentence for each in first.get(code, ())))

    def lines(self) -> Iterator[str]:
        """The sentences, and a line for what is not told one by one."""
        for finding in self.shown:
            yield finding.sentence
        for code, count in self.counts.items():
            if count > self._told[code]:
                yield f"... and {count - self._told[code]:,} more of the kind {code.value}."
