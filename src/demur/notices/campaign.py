"""A campaign from the policy: whom it tells, through what, and what to say before it starts.

Invariants: whoever may be too young is never selected: with only a year of birth known, the last day of that year is
assumed, as the door assumes it.
"""

from datetime import date, timedelta

from demur.policy import Policy
from demur.register.contact_records import Selection
from demur.terms import Channel


def selection_of(policy: Policy, today: date) -> Selection:
    """Whom the policy wants to be told: those whose content may come in."""
    door = policy.door
    return Selection(
        regions=None if policy.regions == "any" else frozenset(policy.regions),
        unknown_region=policy.regions == "any" or door.unknown_region == "use",
        born_by=today.year - door.minimum_age - 1,
        unknown_age=door.unknown_age == "use",
    )


def channels_of(policy: Policy) -> tuple[Channel, ...]:
    """Mail, and in-app where the platform takes notices."""
    return (Channel.MAIL,) if policy.notice.in_app == "none" else (Channel.MAIL, Channel.IN_APP)


def too_soon(policy: Policy, today: date) -> str | None:
    """A sentence, where the policy takes effect before the notice period of those told today is over."""
    days, effective = policy.notice.period_days, policy.effective_date
    if effective >= today + timedelta(days=days):
        return None
    then = "their content comes in later than the notice says" if policy.notice.required else "they have fewer days"
    return f"`effective_date` {effective} is less than `notice.period_days` ({days}) from today: {then}."
