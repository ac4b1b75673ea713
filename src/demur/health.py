"""Whether a workspace that is open still holds together, and how far what follows the register is behind.

Invariants: nothing is changed, no row is read, and nothing that is said names anybody: a check by its name, and whether
it holds.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from demur import glance
from demur.errors import DemurError, UnavailableError
from demur.identity import Keys
from demur.parts import require_corpus
from demur.register import Register
from demur.register.contact.workers import SILENT_S
from demur.register.figures import Unhonoured
from demur.workspace import Workspace

LATE_S: Final = 900
"""An objection that the corpus has not followed for so long says that the worker lags."""


class Check(StrEnum):
    """What is looked at, in this order."""

    REGISTER = "register"  # it can be read
    KEYS = "keys"  # those in the folder are those that it was made with
    MARK = "mark"  # it is there, can be written, and the register is not behind it
    CORPUS = "corpus"  # it is this register's, and not ahead of it
    WORKER = "worker"  # one is at work, and no objection has waited for it for too long


@dataclass(frozen=True)
class Following:
    """How far the corpus and the workers are."""

    honoured: int | None
    """The last binding entry that the corpus honours; None where it is not known without opening it."""
    unhonoured: Unhonoured | None
    workers: int
    """How many are at work."""
    beat: datetime | None
    """When one of them last said so."""


def failing(workspace: Workspace, register: Register, *, now: datetime | None = None) -> list[Check]:
    """The checks that do not hold now; behind one that the others rest on, these are not looked at."""
    moment = now or datetime.now(UTC)
    looks: dict[Check, Callable[[], object]] = {
        Check.REGISTER: register.log.head,
        Check.KEYS: lambda: _require_keys(workspace, register),
        Check.MARK: register.require_mark,
        Check.CORPUS: lambda: _require_corpus(workspace, register),
    }
    found = []
    for check, look in looks.items():
        try:
            look()
        except (DemurError, OSError):
            found.append(check)
            if check is Check.REGISTER:
                return found
    if _lags(following(workspace, register), moment):
        found.append(Check.WORKER)
    return found


def following(workspace: Workspace, register: Register) -> Following:
    """How far the corpus and the workers are."""
    upto = honoured(workspace, register)
    at_work = register.workers.at_work()
    return Following(
        upto,
        None if upto is None else register.figures.unhonoured(upto),
        len(at_work),
        max((each.beat for each in at_work), default=None),
    )


def honoured(workspace: Workspace, register: Register) -> int | None:
    """The last binding entry that the corpus honours: all of them before the first import.

    None where it is not known without opening the corpus, or where its store does not answer.
    """
    place = workspace.corpus_place
    with suppress(UnavailableError):
        if (seen := glance.take(workspace.root, place)) is not None:
            return seen.said.honoured
        if not place.exists():
            return register.log.head().binding
    return None


def _lags(found: Following, now: datetime) -> bool:
    oldest = None if found.unhonoured is None else found.unhonoured.oldest
    if oldest is not None and now - oldest > timedelta(seconds=LATE_S):
        return True
    return found.beat is None or now - found.beat > timedelta(seconds=SILENT_S)


def _require_keys(workspace: Workspace, register: Register) -> None:
    instance = register.instance
    assert instance is not None  # see Workspace.register
    instance.require(Keys.load(workspace.keys_path), "the register")


def _require_corpus(workspace: Workspace, register: Register) -> None:
    seen = glance.take(workspace.root, workspace.corpus_place)
    if seen is not None:
        require_corpus(register, seen.said, workspace.corpus_place)
