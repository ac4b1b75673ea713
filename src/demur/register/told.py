"""Who was told by demur's own notices.

Invariants: `member.noticed_on` is the day of the earliest notice that was sent to any account of the member's person
and did not come back, NEVER if there is none; it follows from the notices and the links alone, so whatever changes
either of them sets it anew in the same transaction, and names the keys in its entry.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from demur.identity import SubjectKeys
from demur.kernel.facts import NEVER
from demur.register import bulk
from demur.register.clock import MICROS_PER_DAY
from demur.register.contact_tables import notice
from demur.register.people import together
from demur.register.tables import account, member
from demur.terms import Channel, NoticeStatus

_PIECE: Final = 100_000


def retell(connection: sa.Connection, keys: Sequence[int] | SubjectKeys) -> None:
    """Set the day anew for every member's account of the people who have some accounts."""
    reached = [NoticeStatus.SENT.value, NoticeStatus.BOUNCED.value]
    channels = [each.value for each in Channel]  # names the index's first column
    sent = sa.exists().where(notice.c.channel.in_(channels), notice.c.status.in_(reached))
    if not connection.scalar(sa.select(sent)):  # nobody was ever told, and nothing is to be taken back
        return
    for start in range(0, len(keys), _PIECE):
        everybody = together(connection, keys[start : start + _PIECE])
        theirs = bulk.among(connection, member.c.key, everybody)
        connection.execute(sa.update(member).where(theirs).values(noticed_on=_first_day()))


def _first_day() -> sa.ColumnElement[int]:
    """The day of the earliest notice that stands of a member's person."""
    mine, their = account.alias("mine"), account.alias("their")
    joined = sa.join(mine, their, their.c.person == mine.c.person).join(notice, notice.c.subject == their.c.key)
    first = sa.select(sa.func.min(notice.c.sent // MICROS_PER_DAY)).select_from(joined)
    first = first.where(mine.c.key == member.c.key, notice.c.status == NoticeStatus.SENT.value).correlate(member)
    return sa.func.coalesce(first.scalar_subquery(), NEVER)
