"""Notices within the platform, sent to it: the messages that it shows to its members.

Invariants: a notice counts as told once the platform has taken the message; it is sent under one id however often.
The message holds the account it is for, the text and the link, and goes to the platform alone.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from demur.register import Delivered, Due
from demur.terms import Channel
from demur.worker.depot import Depot
from demur.worker.mail_kinds import rendered_notice
from demur.worker.transport import NOTICES, Handover, Patience
from demur.worker.webhooks import message_id, post, webhook_key


class InAppNotices:
    """Notices by webhook."""

    name = "in-app"
    patience: Patience = NOTICES

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._book = depot.register.notices
        self._policy = depot.policy()
        self._key = b""
        self._made: dict[tuple[str, int], Delivered] = {}

    def claim(self, limit: int) -> Sequence[Due]:
        """Take some in hand, where the policy has them sent."""
        self._policy = self._depot.policy()
        self._made.clear()
        if self._policy.notice.in_app != "webhook" or not self._policy.webhooks.url:
            return []
        self._key = webhook_key(self._depot.workspace)
        return self._book.claim(Channel.IN_APP, limit)

    def carry(self, one: Due) -> Handover:
        """Render one, and send it."""
        notice = rendered_notice(self._depot, self._policy, one)
        name = message_id("notice", one.campaign, one.subject)
        key = (one.campaign, one.subject)
        self._made[key] = Delivered(*key, notice.language, notice.in_app_digest, name)
        data = {
            "campaign": one.campaign,
            "account": one.member.account,
            "language": notice.language,
            "digest": notice.in_app_digest.hex(),
            "subject": notice.subject,
            "text": notice.in_app,
            "object_url": notice.object_url,
        }
        body = {"type": "notice.show", "timestamp": datetime.now(UTC).isoformat(), "data": data}
        return post(self._policy.webhooks.url, self._key, name, orjson.dumps(body))

    def attempt(self, one: Due) -> int:
        """How often it was answered."""
        return one.attempt

    def sent(self, some: Sequence[Due]) -> None:
        """Their people are told from now on."""
        self._book.sent(Channel.IN_APP, [self._made[one.campaign, one.subject] for one in some])

    def retry(self, one: Due, at: datetime, *, tried: bool) -> None:
        """Give one back."""
        self._book.retry(Channel.IN_APP, one.campaign, one.subject, at, tried=tried)

    def failed(self, one: Due, cause: str) -> None:
        """Give one up."""
        self._book.failed(Channel.IN_APP, one.campaign, one.subject, cause=cause)

    def close(self) -> None:
        """Nothing is open."""
