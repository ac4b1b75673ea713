"""What a model is: its parent, what it was trained on, under which register, in which environment, and where it stands.

Invariants: equal facts have equal bytes (RFC 8785); what a later demur added survives a round trip; a model is
*finished* only when its plan, log and last checkpoint are on disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self

from demur.canonical import JSON, canonical_json
from demur.files import write_durably
from demur.runs.folder import ModelFolder
from demur.runs.reading import broken, read_json
from demur.suppression.signed import rfc3339

SEVERAL: Final = "several"
"""Of the facts of a cohort's first model: how many rows concern people of several cohorts, and train none."""


class ModelState(StrEnum):
    """Where a model stands."""

    RUNNING = "running"  # training or replay is under way, or was cut off and goes on
    FINISHED = "finished"
    SUPERSEDED = "superseded"  # a replay took its place; what saw nobody who objected is kept
    DESTROYED = "destroyed"  # only its facts and its certificate are left


@dataclass(frozen=True)
class AsOf:
    """Where the register stood."""

    seq: int
    """Its last entry."""
    binding: int
    """The last entry that changes what may be used."""
    digest: str
    """SHA-256 over the entries' commitments up to `seq`, lowercase hexadecimal; as a manifest has it."""

    def facts(self) -> dict[str, JSON]:
        """As JSON."""
        return {"seq": self.seq, "binding": self.binding, "digest": self.digest}


@dataclass(frozen=True)
class Facts:
    """``run.json``."""

    number: int
    """Of the model, from 1."""
    parent: str | None
    """``RUN/0001``; None for a first training."""
    version: str | None
    """The version it was trained on; None for the corpus as it was."""
    checkpoint: AsOf
    environment: Mapping[str, str]
    """Pins: what else has to be the same for the same bytes."""
    started: datetime
    finished: datetime | None = None
    state: ModelState = ModelState.RUNNING
    stopped: int | None = None
    """The step whose loss was no number, where the training could not go on for that."""
    unknown: Mapping[str, JSON] = field(default_factory=dict)
    """Further members, kept as they are."""

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        return {
            **self.unknown,
            "number": self.number,
            "parent": self.parent,
            "version": self.version,
            "checkpoint": self.checkpoint.facts(),
            "environment": dict(self.environment),
            "started": rfc3339(self.started),
            "finished": None if self.finished is None else rfc3339(self.finished),
            "state": self.state.value,
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What :meth:`json` said.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: when a member is missing or malformed.
        """
        as_of, finished, stopped = said["checkpoint"], said["finished"], said.get("stopped")
        return cls(
            number=int(said["number"]),
            parent=said["parent"],
            version=said["version"],
            checkpoint=AsOf(int(as_of["seq"]), int(as_of["binding"]), str(as_of["digest"])),
            environment={str(name): str(value) for name, value in said["environment"].items()},
            started=_moment(said["started"]),
            finished=None if finished is None else _moment(finished),
            state=ModelState(said["state"]),
            stopped=None if stopped is None else int(stopped),
            unknown={name: value for name, value in said.items() if name not in _KNOWN},
        )


_KNOWN: Final = frozenset(Facts.__dataclass_fields__) - {"unknown"}


def read_facts(model: ModelFolder) -> Facts:
    """What a model is.

    Raises:
        CorpusError: when that can't be read, or is damaged.
    """
    said = read_json(model.facts)
    try:
        return Facts.from_json(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise broken(model.facts) from None


def write_facts(model: ModelFolder, facts: Facts) -> None:
    """Put down what a model is, durably; the old content or the new, and no other."""
    write_durably(model.facts, canonical_json(facts.json()))


@dataclass(frozen=True)
class Base:
    """``base.json``: what a run began from."""

    kind: str
    """"fresh", "checkpoint" (a local Hugging Face folder) or "run"."""
    of: str | None
    """The run, where it is one."""
    weights: str
    """SHA-256 of the base's weights, lowercase hexadecimal."""
    declared: tuple[Mapping[str, str], ...] = ()
    """Data in which nobody may object: name and SHA-256 of each."""

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        declared = [dict(each) for each in self.declared]
        return {"kind": self.kind, "of": self.of, "weights": self.weights, "declared": declared}


def read_base(path: Path) -> Base:
    """What a run began from.

    Raises:
        CorpusError: when that can't be read, or is damaged.
    """
    said = read_json(path)
    try:
        declared = tuple({str(k): str(v) for k, v in each.items()} for each in said["declared"])
        return Base(str(said["kind"]), said["of"], str(said["weights"]), declared)
    except (KeyError, TypeError, AttributeError):
        raise broken(path) from None


def write_base(path: Path, base: Base) -> None:
    """Put down what a run began from, durably."""
    write_durably(path, canonical_json(base.json()))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
