"""What everything in the worker works with: the register, the policy as it is now, and what carries mails.

Invariants: an edit of demur.toml counts from the next turn on, and one that can't be read leaves the last good one;
secrets come from the environment or from files among the keys, and are nowhere else.
"""

import os
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Final

from demur.identity import Keys
from demur.objecting.office import Office
from demur.policy import Policy, WatchedPolicy
from demur.register import Register
from demur.tokens import Tokens
from demur.worker.lanes import log_error
from demur.worker.mails import Post
from demur.worker.shift import Shift
from demur.worker.smtp import TIMEOUTS, Smtp, Timeouts
from demur.worker.transport import Carrier, Outbox, Throttle
from demur.workspace import Workspace

_PASSWORD: Final = "smtp.password"  # noqa: S105  # a file's name
_PASSWORD_ENV: Final = "DEMUR_SMTP_PASSWORD"  # noqa: S105  # a variable's name


class Depot:
    """One workspace, open for delivery; shared by all threads of a worker."""

    def __init__(self, workspace: Workspace, register: Register, stop: threading.Event, shift: Shift) -> None:
        self.workspace = workspace
        self.register = register
        self.stop = stop
        self.shift = shift
        self.keys: Keys = workspace.keys()
        self.tokens: Tokens = Tokens.of(self.keys, register.incarnation)
        self.timeouts: Timeouts = TIMEOUTS
        self._lock = threading.Lock()
        self._watched = WatchedPolicy(workspace.policy_path, partial(log_error, "policy"))
        self._policy = self._watched.now()
        self._throttle = self._throttle_of(self._policy)

    def policy(self) -> Policy:
        """What demur.toml says now, or said when it could last be read."""
        with self._lock:
            now = self._watched.now()
            if now is not self._policy:
                self._policy = now
                self._throttle = self._throttle_of(now)
            return now

    def _throttle_of(self, policy: Policy) -> Throttle:
        return Throttle(policy.mail.per_second, self.stop, lambda: 1 + self.shift.others)

    def office(self) -> Office:
        """What objections are settled with, now."""
        return Office(self.policy(), self.keys, self.tokens, datetime.now(UTC))

    def post(self) -> Post:
        """What makes mails.

        Raises:
            PolicyError: when the policy names no sender.
        """
        return Post(self.policy(), self.keys)

    def carrier(self) -> Carrier:
        """Something new that carries mails where the policy says, at the pace that all of them share."""
        mail = self.policy().mail
        if not mail.server:
            return Outbox(self.workspace.outbox_path, alone=not self.shift.others)
        password = secret(self.workspace, _PASSWORD_ENV, _PASSWORD)
        return Smtp(mail, password, self.post().sender, self._throttle, self.timeouts)


def secret(workspace: Workspace, variable: str, file: str) -> str | None:
    """A secret from the environment, or from a file among the keys; None if there is none."""
    path = workspace.keys_path / file
    found = os.environ.get(variable) or (path.read_text().strip() if path.is_file() else "")
    return found or None
