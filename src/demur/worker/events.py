"""Events: the platform hears, in order, what happened; the register's log is the queue.

Invariants: each entry that concerns the platform is sent at least once and in order, under an id that follows from
its number; the mark moves only over what was taken; a message names nobody: it says the entry's number, and what
leads to more over the API.
"""

from collections import Counter
from typing import Final

import orjson

from demur.register import JSON, Entry
from demur.terms import EntryKind
from demur.worker.delivery import IDLE_S
from demur.worker.depot import Depot
from demur.worker.lanes import Rest, log
from demur.worker.transport import Fate, Handover
from demur.worker.webhooks import post, webhook_key

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
        if not url:
            return IDLE_S
        register = self._depot.register
        heard = marked = int(register.state(MARK) or 0)
        shut = False
        try:
            for entry in register.log.entries(after=heard):
                if self._depot.stop.is_set():
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
