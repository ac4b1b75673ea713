"""The desk: what every route works with, opened once for a process.

Invariants: the policy is the one that demur.toml says now, as far as it can be read (in the middle of an edit the
last good one stays); what is slow to open is opened once; nothing here knows of HTTP.
"""

from collections import Counter
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Final

from demur.identity import Keys
from demur.loading.answering import Answers
from demur.objecting.office import Office
from demur.policy import Policy, WatchedPolicy
from demur.register import Register
from demur.tokens import Tokens, derived
from demur.web.intake import Intake
from demur.web.server.limits import Limits
from demur.workspace import Workspace

_FORMS: Final = "forms"
_SESSIONS: Final = "sessions"


class Desk:
    """One workspace, open for the web."""

    def __init__(self, workspace: Workspace, limits: Limits | None = None) -> None:
        self.workspace = workspace
        self.keys: Keys = workspace.keys()
        self.form_secret: bytes = derived(self.keys, _FORMS)
        self.session_secret: bytes = derived(self.keys, _SESSIONS)
        self.limits: Limits = limits or Limits()
        self.answered: Counter[tuple[str, int]] = Counter()
        """Requests that this process has answered, by the part of the site and the status; 0 before an answer."""
        self._policy = WatchedPolicy(workspace.policy_path)
        self.register: Register = workspace.register()
        self.tokens: Tokens = Tokens.of(self.keys, self.register.incarnation)

    @cached_property
    def intake(self) -> Intake:
        """Where every objection is lodged; its thread begins with the first."""
        return Intake(self.register)

    @cached_property
    def heads(self) -> Answers:
        """What tells holders of exports which of their rows may not be used any more."""
        return Answers(self.workspace)

    def policy(self) -> Policy:
        """What demur.toml says now, or said when it could last be read."""
        return self._policy.now()

    def now(self) -> datetime:
        """This moment, aware."""
        return datetime.now(UTC)

    def office(self, page_language: str = "") -> Office:
        """What is done to an objection now, from a page in a language or without one."""
        may_ask = partial(self.limits.may_mail, "question")
        return Office(self.policy(), self.keys, self.tokens, self.now(), page_language, may_ask)

    def close(self) -> None:
        """Let go of the register, after the last objection that waits is in it."""
        if "intake" in self.__dict__:
            self.intake.close()
        if "heads" in self.__dict__:
            self.heads.close()
        self.register.close()
