"""Notices, replayed: whose left and whose came back, and the day from which a member counts as told.

An entry of the first format counts the people and does not say which notices were theirs: its notices are taken at
their word, as many as it says.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from demur.kernel.rules import NEVER
from demur.register.audit.people import Latest, Rows, groups, matched
from demur.register.database import bulk
from demur.register.database.clock import MICROS_PER_DAY
from demur.register.database.effects import NO_KEYS, Effect
from demur.register.database.entries import Stored
from demur.register.database.tables import account, campaign, link, member, notice
from demur.terms import Channel, EntryKind, NoticeStatus

_KINDS: Final = frozenset({EntryKind.NOTICE_SENT.value, EntryKind.NOTICE_BOUNCED.value})
"""The entries that change who was told."""

_KEY: Final = ("campaign", "channel", "subject")
_NOTICE: Final = np.dtype([(name, "i8") for name in (*_KEY, "back", "sent")])
_TOLD: Final = np.dtype([("key", "i8"), ("noticed_on", "i8")])
_EDGE: Final = np.dtype([("low", "i8"), ("high", "i8")])
_CHANNELS: Final = {each.value: number for number, each in enumerate(Channel)}


class Notices:
    """The notices of the entries that were read so far."""

    kinds: Final = _KINDS

    def __init__(self, connection: sa.Connection, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._report = report
        self._latest = Latest(_NOTICE, _KEY)
        rows = iter(connection.execute(sa.select(campaign.c.name, campaign.c.number)))
        self._campaigns: dict[str, int] = dict(rows)
        self._older: Counter[tuple[int, int, int]] = Counter()
        """How many people were reached by the notices of a campaign and channel that left at one time."""
        self._returned = NO_KEYS
        """Whose notices may have come back."""

    def take(self, stored: Stored) -> None:
        """Take an entry of one of its kinds.

        Raises:
            KeyError, TypeError, ValueError: when it does not say what it must.
        """
        payload = orjson.loads(stored.payload)
        number, channel = self._campaigns.get(payload["campaign"], -1), _CHANNELS[payload["channel"]]
        back = stored.kind == EntryKind.NOTICE_BOUNCED
        if stored.format is not None:
            keys = Effect.read(stored.effect).keys
            sent = -1 if back else stored.time
            self._latest.put(campaign=number, channel=channel, subject=keys, back=int(back), sent=sent)
        elif back:
            self._returned = np.union1d(self._returned, np.frombuffer(stored.subjects or b"", "<i8"))
        else:
            self._older[number, channel, stored.time] += int(payload["people"])

    def finish(self) -> None:
        """Compare with the tables."""
        stands, told = self._stands(), self._latest.rows()
        here, there = matched(stands, told, _KEY)
        for place in np.flatnonzero((there < 0) & (told["back"] == 0)).tolist():  # what came back may be tried again
            self._report(f"A notice to account {told[place]['subject']} left or came back, and stands so no more.")
        both, other = stands[there[there >= 0]], told[there >= 0]
        wrong = (both["back"] != other["back"]) | ((other["back"] == 0) & (both["sent"] != other["sent"]))
        for key in both["subject"][wrong].tolist():
            self._report(f"A notice to account {key} left, or came back, otherwise than the entries say.")
        self._first(stands[here < 0])
        self._days(stands)

    def _stands(self) -> Rows:
        """The notices that left or came back."""
        channel = sa.case(_CHANNELS, value=notice.c.channel, else_=-1)
        back = sa.case((notice.c.status == NoticeStatus.BOUNCED.value, 1), else_=0)
        columns = (notice.c.campaign, channel, notice.c.subject, back, sa.func.coalesce(notice.c.sent, -1))
        reached = notice.c.status.in_([NoticeStatus.SENT.value, NoticeStatus.BOUNCED.value])
        numbers: list[Any] = [sa.cast(each, sa.BigInteger) for each in columns]
        return bulk.read(self._connection, sa.select(*numbers).where(reached), _NOTICE)

    def _first(self, rows: Rows) -> None:
        """Notices that no entry of this format names: entries of the first one must allow them."""
        came_back = np.isin(rows["subject"], self._returned)
        for row in rows[(rows["back"] == 1) & ~came_back].tolist():
            if (row[0], row[1], row[4]) not in self._older:
                self._report(f"A notice to account {row[2]} came back, and no entry says so.")
        left = Counter((row[0], row[1], row[4]) for row in rows[rows["back"] == 0].tolist())
        for place, count in left.items():
            if count > self._older[place]:
                self._report(f"{count} notices left at once, and the entries know of {self._older[place]}.")

    def _days(self, stands: Rows) -> None:
        """Whether each member counts as told from the day of the earliest notice that stands of their holder."""
        proven = sa.select(link.c.low, link.c.high).where(link.c.active, link.c.proven)
        edges = bulk.read(self._connection, proven, _EDGE)
        keys = bulk.read_keys(self._connection, sa.select(account.c.key))
        holder = groups(keys, np.column_stack([edges["low"], edges["high"]]))
        first = np.full(len(keys), NEVER, np.int64)
        sent = stands[(stands["back"] == 0) & np.isin(stands["subject"], keys)]
        roots = np.searchsorted(keys, holder[np.searchsorted(keys, sent["subject"])])
        np.minimum.at(first, roots, sent["sent"] // MICROS_PER_DAY)
        columns = (member.c.key, sa.cast(member.c.noticed_on, sa.BigInteger))
        told = bulk.read(self._connection, sa.select(*columns), _TOLD)
        known = told[np.isin(told["key"], keys)]
        expected = first[np.searchsorted(keys, holder[np.searchsorted(keys, known["key"])])]
        for key in known["key"][known["noticed_on"] != expected].tolist():
            self._report(f"Member {key} counts as told from another day than the notices say.")
