"""What the demo found out, as plain values: the page is rendered from this and from nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from demur.demo.modelled import Modelled
from demur.terms import Kind, Reason


@dataclass
class Imported:
    """All imports of one wave."""

    wave: str
    read: int = 0
    kept: int = 0
    left_out: Counter[Reason] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass(frozen=True)
class Cost:
    """What one objection cost, from being lodged to nothing of it being left."""

    milliseconds: float
    deleted: int
    """Rows of their own."""
    rewritten: int
    """Rows of others."""


@dataclass(frozen=True)
class Published:
    """One version."""

    name: str
    rows: int
    objections: int
    """Lodged before it."""


@dataclass(frozen=True)
class Example:
    """One item as its source had it, and as the export has it."""

    what: str
    before: str
    after: str
    reasons: Sequence[str] = ()
    """Of what was found in its words: the words, the tier, the score of 100, what became of them, and why."""


@dataclass(frozen=True)
class Told:
    """The campaign with which the demo ends."""

    campaign: str
    mails: int
    """How many lie in the outbox."""
    unreached: int
    """People for whom no mail address is on file."""
    outbox: Path
    """The folder."""
    portal: str
    """Where `demur serve` answers."""
    mail: Path | None
    """The mail to the holder of the report's account, None if there is none."""
    link: str
    """The link in it, "" without a mail."""
    seconds: float


@dataclass(frozen=True)
class Report:
    """The outcome of one demo."""

    seed: int
    people: int
    accounts: int
    languages: int
    folder: Path
    """The workspace."""
    export: Path
    """The folder of the exported Parquet files."""
    imports: Sequence[Imported]
    offered: Counter[Kind]
    """Items of the community by kind, each once."""
    exported: Counter[Kind]
    """Rows of the exported version by kind."""
    costs: Sequence[Cost]
    withdrawals: int
    links: int
    versions: Sequence[Published]
    examples: Sequence[Example]
    findings: Sequence[str]
    """What `verify` found wrong with the last version."""
    residual: Sequence[str]
    """What the ground truth found wrong with the export and with the imports' accounts."""
    account: str
    """Of somebody who did not object, to try things with."""
    told: Told
    seconds: float
    """Of the whole demo, but for the model."""
    model: Modelled | None = None
    """What was trained on the last version; None where nothing was."""

    @property
    def left_out(self) -> Counter[Reason]:
        """Readings left out of all imports, by their first reason."""
        return sum((each.left_out for each in self.imports), Counter[Reason]())

    @property
    def clean(self) -> bool:
        """Whether neither the ground truth nor `verify` found anything."""
        return not self.residual and not self.findings


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; 0.0 of nothing."""
    ranked = sorted(values)
    return ranked[max(0, ceil(share * len(ranked)) - 1)] if ranked else 0.0
