"""The lanes to the platform: events, which it hears in order, and the notices that it shows to its members.

Invariants: the register's log is the queue of events, which the leading worker alone goes through. Each entry that
concerns the platform is sent at least once and in order, under an id that follows from its number; the mark moves only
over what was taken; a message names nobody: it says the entry's number, and what leads to more over the API.

A notice counts as told once the platform has taken the message; it is sent under one id however often. The message
holds the account it is for, the text and the link, and goes to the platform alone.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from demur.register import JSON, Delivered, Due, Entry
from demur.terms import Channel, EntryKind
from demur.worker.delivery import IDLE_S
from demur.worker.depot import Depot
from demur.worker.lanes import Rest, log
from demur.worker.mail_kinds import rendered_notice
from demur.worker.transport import LINES, NOTICES, Fate, Handover, Patience
from demur.worker.webhooks import message_id, post, webhook_key

MARK: Final = "webhook"
"""Register state: the last entry that the platform has heard of."""
TOLD: Final = frozenset(
    {
        EntryKind.OBJECTION_LODGED,
        EntryKind.OBJECTION_CONFIRMED,
        EntryKind.OBJECTION_LAPSED,
        EntryKind.OBJECTION_WITHDRAWN,
        EntryKind.OBJECTION_REVIVED,
        EntryKind.VERSION_PUBLISHED,
        EntryKind.VERSION_RETIRED,
        EntryKind.PERSON_ERASED,
        EntryKind.NOTICE_BOUNCED,
    }
)
_PASSED_ON: Final = ("campaign", "channel", "cause", "name")
"""Parts of an entry's payload that a message repeats."""
_MARK_EVERY: Final = 20


class Events:
    """The lane."""

    name = "events"

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._rest = Rest()

    def turn(self) -> float:
        """Tell the platform of every entry it has not heard of."""
        url = self._depot.policy().webhooks.url
        if not url or not self._depot.shift.leads:
            return IDLE_S
        register = self._depot.register
        heard = marked = int(register.state(MARK) or 0)
        shut = False
        try:
            for entry in register.log.entries(after=heard):
                if self._depot.stop.is_set() or not self._depot.shift.number:
                    break
                if entry.kind in TOLD:
                    answer = self._tell(url, entry)
                    shut = answer.fate is Fate.CLOSED
                    if shut:
                        log("events.closed", entry=entry.seq, cause=answer.cause)
                        break
                    self.counts[answer.fate.value] += 1
                heard = entry.seq
                if entry.kind in TOLD and heard - marked >= _MARK_EVERY:
                    register.set_state(MARK, str(heard))
                    marked = heard
        finally:
            if heard > marked:
                register.set_state(MARK, str(heard))
        if shut:
            return self._rest.more()
        self._rest.over()
        return IDLE_S

    def close(self) -> None:
        """Nothing is open."""

    def _tell(self, url: str, entry: Entry) -> Handover:
        body = {"type": entry.kind.value, "timestamp": entry.time.isoformat(), "data": self._data(entry)}
        return post(url, webhook_key(self._depot.workspace), f"entry_{entry.seq}", orjson.dumps(body))

    def _data(self, entry: Entry) -> dict[str, JSON]:
        data: dict[str, JSON] = {"entry": entry.seq}
        lodged = entry.payload.get("objection", entry.seq)
        reference = self._depot.register.objections.reference_of(lodged) if isinstance(lodged, int) else None
        if reference is not None:
            data["reference"] = reference
        return data | {name: entry.payload[name] for name in _PASSED_ON if name in entry.payload}


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

    @property
    def lines(self) -> int:
        """How many are handed over side by side."""
        return LINES

    def claim(self, limit: int, worker: int) -> Sequence[Due]:
        """Take some in the hands of a worker, where the policy has them sent."""
        self._policy = self._depot.policy()
        self._made.clear()
        if self._policy.notice.in_app != "webhook" or not self._policy.webhooks.url:
            return []
        self._key = webhook_key(self._depot.workspace)
        return self._book.claim(Channel.IN_APP, limit, worker=worker)

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
