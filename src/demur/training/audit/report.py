"""The report of an audit: about which model, of how many people, what was found, and what was not tried.

It lies beside the model as ``audit.json``, in canonical JSON (RFC 8785), and its SHA-256 is in the register's entry
(``model.audited``). It stays when a replay destroys the model, with its facts and its certificate, as it holds numbers
over people and nothing of any of them.

Invariants: equal audits have equal bytes; each attack of :data:`KNOWN` is either found or listed as not run, with why.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from demur.canonical import JSON, canonical_json
from demur.training.audit.figure import Finding, NotRun

FORMAT: Final = 1

_NOT_ASKED: Final = "not a part of this audit"

KNOWN: Final[Mapping[str, str]] = {
    "blind": _NOT_ASKED,
    "loss": _NOT_ASKED,
    "reference": _NOT_ASKED,
    "ez-mia": _NOT_ASKED,
    "rmia": _NOT_ASKED,
    "quantised": _NOT_ASKED,
    "position": _NOT_ASKED,
    "objectors": _NOT_ASKED,
    "version-diff": _NOT_ASKED,
    "canaries": _NOT_ASKED,
    "extraction": _NOT_ASKED,
    "near-verbatim": _NOT_ASKED,
    "names": _NOT_ASKED,
    "names-ranked": _NOT_ASKED,
    "skew by language": _NOT_ASKED,
    "attribute inference": "nothing here stands for it: no attributes of people are known that a guess could be held "
    "against, and demur infers none",
    "inversion": "nothing here stands for it: no attack that starts from weights or hidden states is tried",
    "reconstruction": "nothing here stands for it: gradients and optimiser states, from which rows can be rebuilt, are "
    "not attacked; who holds a checkpoint's moments holds more than the model",
    "many shadow models": "LiRA and its like ask for dozens of models; two references stand for them, and find less",
    "label-only and paraphrase": "attacks that ask with changed texts are not tried",
    "fine-tuning on the model": "training the model on, to bring back what it was taught before, is not tried",
    "poisoning": "nobody planted rows beforehand to make others' rows show",
}
"""Attacks that a report says something of, each with why it was not run where it was not."""


@dataclass(frozen=True)
class Audit:
    """What was found of one model."""

    about: Mapping[str, JSON]
    """Which model: run, number, version, digests of certificate, weights and configuration, environment."""
    people: Mapping[str, JSON]
    """How many were audited, of how many; and the seed of every draw."""
    findings: Sequence[Finding]
    not_run: Sequence[NotRun]
    made: datetime
    """When, in UTC."""

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        return {
            "format": FORMAT,
            "kind": "audit",
            "about": dict(self.about),
            "people": dict(self.people),
            "findings": [each.json() for each in self.findings],
            "not_run": [each.json() for each in self.not_run],
            "made": self.made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "means": MEANS,
        }

    def to_bytes(self) -> bytes:
        """The content of ``audit.json``."""
        return canonical_json(self.json())

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`to_bytes`, lowercase hexadecimal: what the register's entry names."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def name(self) -> str:
        """``RUN/0001``."""
        return f"{self.about['run']}/{self.about['model']}"


MEANS: Final = (
    "Each figure is a lower bound: another attack, or the same one with more people, may find more. An AUC of .5 is "
    "what guessing gives, 1 tells every member; below .5 an attack does worse than guessing. Intervals are of 95 %, "
    "over persons. The audit tests what was tried here, and asserts nothing else: not that the model is anonymous, and "
    "not that anybody complies with the law."
)


def not_run(findings: Iterable[Finding], told: Sequence[NotRun]) -> list[NotRun]:
    """Every known attack that nothing was found of, with why.

    Args:
        findings: what was found.
        told: attacks that were left out for a reason of this run.
    """
    found = {each.attack for each in findings}
    why = {**KNOWN, **{each.attack: each.why for each in told}}
    return [NotRun(attack, why[attack]) for attack in why if attack not in found]
