"""Upkeep: the corpus follows the register, who is asked about an objection is reminded, what is spent is cleared.

Invariants: of several workers one does this, of those in one folder one has its corpus follow. Another process that
writes to the workspace goes first; the corpus is followed at most a fifth of the time, so that a campaign, whose every
group of notices binds, leaves the machine to others.
"""

import time
from collections import Counter
from typing import Final

from demur.errors import DemurError, WorkspaceError
from demur.health import honoured
from demur.objecting.settling import remind
from demur.terms import EntryKind
from demur.worker.delivery import IDLE_S
from demur.worker.depot import Depot
from demur.worker.lanes import log, log_error

_REST_S: Final = 5.0
_SHARE: Final = 4
"""Seconds of rest for each second of following."""
_LAPSE_S: Final = 60.0
_CLEAN_S: Final = 600.0
_STALE_S: Final = 60.0
STALE: Final = "stale"
"""Register state: how many versions are stale."""


class Upkeep:
    """The lane."""

    name = "upkeep"

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._lapse_at = self._clean_at = self._follow_at = self._stale_at = 0.0
        self._counted = -1
        self._doubted = False

    def turn(self) -> float:
        """Do what is due."""
        now = time.monotonic()
        register = self._depot.register
        leads = self._depot.shift.leads
        if leads and now >= self._lapse_at:
            self._remind_and_lapse()
            if not self._depot.policy().tries_out:
                self.counts["never-sent"] += register.notices.end_try_out()
            self._lapse_at = now + _LAPSE_S
        if leads and now >= self._clean_at:
            self.counts["cleaned"] += register.sessions.clean()
            self._clean_at = now + _CLEAN_S
        if self._depot.shift.leads_here and now >= self._follow_at and (self._behind() or register.persons.erasures()):
            self._follow()
        if self._depot.shift.leads_here and now >= self._stale_at:
            self._count_stale()
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

    def _count_stale(self) -> None:
        """Count the versions that are stale, for whoever watches: that takes too long to do whenever somebody asks."""
        began, register = time.monotonic(), self._depot.register
        binding = register.log.head().binding
        if binding != self._counted and register.log.last(EntryKind.VERSION_PUBLISHED) is not None:
            from demur.corpus.session import reading  # noqa: PLC0415  # Lance, which mails do without
            from demur.versions.states import states  # noqa: PLC0415  # the same

            try:
                with reading(self._depot.workspace, rows=False, register=register) as session:
                    stale = sum(bool(each.stale) for each in states(session))
            except DemurError as error:  # the versions lie in another folder, for instance
                log_error("upkeep.uncounted", error)
            else:
                register.set_state(STALE, str(stale))
            self._counted = binding
        ended = time.monotonic()
        self._stale_at = ended + max(_STALE_S, _SHARE * (ended - began))

    def _behind(self) -> bool:
        register = self._depot.register
        upto = honoured(self._depot.workspace, register)
        return upto is None or register.log.head().binding > upto

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
