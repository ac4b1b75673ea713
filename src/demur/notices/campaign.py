"""A campaign from the policy: whom it tells, through what, whom mails reach, and what to say before it starts.

Invariants: whoever may be too young is never selected: with only a year of birth known, the last day of that year is
assumed, as the door assumes it; mail is no way of telling people where it would end in the outbox (law 4). Names that
are reserved for examples (RFC 2606, RFC 6761) count as this machine's, as nobody can own them.
"""

from datetime import date, timedelta

from demur.policy import Policy
from demur.register.contact.records import Selection
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


def unsent(policy: Policy) -> bool:
    """Whether mails that are meant for the public would only lie in the outbox: nobody is told or asked by those."""
    return policy.portal.public and not policy.mail.server


def channels_of(policy: Policy) -> tuple[Channel, ...]:
    """Mail where it leaves or is only tried out, and in-app where the platform takes notices; none, if neither."""
    ways = {Channel.MAIL: not unsent(policy), Channel.IN_APP: policy.notice.in_app != "none"}
    return tuple(way for way, open_ in ways.items() if open_)


def unmailed(policy: Policy) -> str | None:
    """A sentence, where mails would end in the outbox although others reach the portal."""
    if not unsent(policy):
        return None
    then = "set `mail.server`, or try things out with a `portal.url` of this machine"
    if channels_of(policy):
        then = "people are told within the platform alone, until you set `mail.server` and start the campaign again"
    return f"`mail.server` is empty, so that no mail reaches anybody, and `portal.url` is public: {then}."


def too_soon(policy: Policy, today: date) -> str | None:
    """A sentence, where the policy takes effect before the notice period of those told today is over."""
    days, effective = policy.notice.period_days, policy.effective_date
    if effective >= today + timedelta(days=days):
        return None
    then = "their content comes in later than the notice says" if policy.notice.required else "they have fewer days"
    return f"`effective_date` {effective} is less than `notice.period_days` ({days}) from today: {then}."
