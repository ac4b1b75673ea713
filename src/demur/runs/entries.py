"""What the register says of runs: trained, its pointer moved, replayed, destroyed what saw somebody, left, audited.

Invariants: payloads hold names, numbers and digests, and no key of a person; those whom an entry concerns are its
subjects, which the log commits to under a salt of their own; no payload tells a step or a number of tokens, which for a
single person would tell how much they wrote.
"""

from collections.abc import Mapping
from datetime import datetime

from demur.identity import SubjectKeys
from demur.register import JSON, Register
from demur.runs.folder import ModelFolder
from demur.terms import EntryKind


def note_trained(
    register: Register, model: ModelFolder, facts: Mapping[str, JSON], *, now: datetime | None = None
) -> int:
    """Put a finished training on record, with its lineage (versions/lineage.py) and what else is known of it."""
    return register.log.append(EntryKind.RUN_TRAINED, {**facts, **_of(model)}, now=now)


def note_rolled_back(  # what happened, to whom
    register: Register,
    model: ModelFolder,
    *,
    binding: int,
    moved: bool,
    subjects: SubjectKeys,
    now: datetime | None = None,
) -> int:
    """Put on record that the pointer stands before all of some people's rows.

    Args:
        register: where.
        model: in which they are.
        binding: the last binding entry that was looked at.
        moved: whether it had to move; else it stood before them already.
        subjects: who, shape (n,); nobody, where rows of others were changed.
        now: this moment.
    """
    payload: dict[str, JSON] = {**_of(model), "binding": binding, "moved": moved}
    return register.log.append(EntryKind.RUN_ROLLED_BACK, payload, subjects=subjects, now=now)


def note_replayed(
    register: Register,
    model: ModelFolder,
    facts: Mapping[str, JSON],
    *,
    gone: SubjectKeys,
    now: datetime | None = None,
) -> int:
    """Put a replay on record, with the digest of its certificate; ``gone`` are those who are not in it any more."""
    return register.log.append(EntryKind.RUN_REPLAYED, {**facts, **_of(model)}, subjects=gone, now=now)


def note_destroyed(
    register: Register, model: ModelFolder, *, checkpoints: int, gone: SubjectKeys, now: datetime | None = None
) -> int:
    """Put on record that what saw somebody of a model was destroyed: so many checkpoints, its plan and its people."""
    payload: dict[str, JSON] = {**_of(model), "checkpoints": checkpoints}
    return register.log.append(EntryKind.RUN_DESTROYED, payload, subjects=gone, now=now)


def note_exported(register: Register, model: ModelFolder, *, weights: str, to: str, now: datetime | None = None) -> int:
    """Put on record that weights left: their SHA-256 in lowercase hexadecimal, and where they went."""
    payload: dict[str, JSON] = {**_of(model), "weights": weights, "to": to}
    return register.log.append(EntryKind.RUN_EXPORTED, payload, now=now)


def note_audited(register: Register, run: str, model: str, *, report: str, now: datetime | None = None) -> int:
    """Put on record that a model was audited.

    Args:
        register: where.
        run: the run's name, or that of a family of cohorts.
        model: its four digits; of a family those of all cohorts, with a plus between them.
        report: SHA-256 of the report, lowercase hexadecimal.
        now: this moment.
    """
    payload: dict[str, JSON] = {"run": run, "model": model, "report": report}
    return register.log.append(EntryKind.MODEL_AUDITED, payload, now=now)


def _of(model: ModelFolder) -> dict[str, JSON]:
    return {"run": model.run.name, "model": model.number}
