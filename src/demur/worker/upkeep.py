"""Upkeep: the corpus follows the register, who is asked about an objection is reminded, what is spent is cleared.

Invariants: another process that writes to the workspace goes first; the corpus is followed at most a fifth of the
time, so that a campaign, whose every group of notices binds, leaves the machine to others.
"""

import time
from collections import Counter
from typing import Final

from demur import glance
from demur.errors import WorkspaceError
from demur.objecting.settling import remind
from demur.worker.delivery import IDLE_S
from demur.worker.depot import Depot
from demur.worker.lanes import log, log_error

_REST_S: Final = 5.0
_SHARE: Final = 4
"""Seconds of rest for each second of following."""
_LAPSE_S: Final = 60.0
_CLEAN_S: Final = 600.0


class Upkeep:
    """The lane."""

    name = "upkeep"

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._lapse_at = self._clean_at = self._follow_at = 0.0
        self._doubted = False

    def turn(self) -> float:
        """Do what is due."""
        now = time.monotonic()
        register = self._depot.register
        if now >= self._lapse_at:
            self._remind_and_lapse()
            if not self._depot.policy().tries_out:
                self.counts["never-sent"] += register.notices.end_try_out()
            self._lapse_at = now + _LAPSE_S
        if now >= self._clean_at:
            self.counts["cleaned"] += register.sessions.clean()
            self._clean_at = now + _CLEAN_S
        if now >= self._follow_at and (self._behind() or register.persons.erasures()):
            self._follow()
        return IDLE_S

    def close(self) -> None:
        """Nothing is open."""

    def _remind_and_lapse(self) -> None:
        lapsing = self._depot.register.objections.lapse_due()
        self.counts["lapsed"] += len(lapsing.references)
        if lapsing.doubted_days is None:
            self.counts["reminded"] += remind(self._depot.register, self._depot.office())
        if lapsing.doubted_days is not None and not self._doubted:
            log("upkeep.clock", days=lapsing.doubted_days)
        self._doubted = lapsing.doubted_days is not None

    def _behind(self) -> bool:
        workspace = self._depot.workspace
        if not workspace.corpus_place.exists():  # nothing was imported yet
            return False
        seen = glance.take(workspace.root, workspace.corpus_place)
        return seen is None or self._depot.register.log.head().binding > seen.said.honoured

    def _follow(self) -> None:
        from demur.corpus.honour import honour  # noqa: PLC0415  # Lance, which mails do without
        from demur.rights.erasing import finish  # noqa: PLC0415  # the same

        began = time.monotonic()
        try:
            report = honour(self._depot.workspace)
            self.counts["erased"] += len(finish(self._depot.workspace))
        except WorkspaceError as error:  # somebody imports, for instance
            log_error("upkeep.waits", error)
        else:
            self.counts["deleted"] += report.deleted
            self.counts["rewritten"] += report.rewritten
            if report.deleted or report.rewritten:
                log("upkeep.honoured", binding=report.binding, deleted=report.deleted, rewritten=report.rewritten)
        ended = time.monotonic()
        self._follow_at = ended + max(_REST_S, _SHARE * (ended - began))
