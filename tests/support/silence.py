"""An objection that somebody doubts, and whose holder says nothing, as far as it has come."""

from datetime import datetime, timedelta

from demur.register import Register
from demur.register.objections.doubts import LEAST_DAYS, REMINDERS


def doubted(register: Register, reference: str, overdue: datetime, *, mails: int = len(REMINDERS)) -> None:
    """Doubt an objection, so that its last day is ``overdue``; its holder got so many reminders, and says nothing."""
    began = overdue - timedelta(days=LEAST_DAYS)
    register.objections.doubt(reference, "Two people claim this account.", days=LEAST_DAYS, now=began)
    for number in range(1, mails + 1):
        register.objections.reminded(reference, number, now=overdue)
