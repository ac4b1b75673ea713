"""Policies, members and campaigns for tests of delivery. All names are invented."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

import pyarrow as pa
from places import decide

from demur.policy import Assessment, Controller, LegalBasis, Mail, Notice, Policy, Portal, Webhooks
from demur.register import MEMBER, Selection
from demur.terms import Channel, NoticeStatus
from demur.worker.delivery import Delivery
from demur.worker.depot import Depot
from demur.worker.mail_kinds import MailNotices
from demur.worker.smtp import Timeouts
from demur.worker.transport import Patience
from demur.workspace import Workspace

EVERYBODY: Final = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)

QUICK: Final = Patience(timedelta(0), timedelta(0), 5)
STRICT: Final = Timeouts(greeting=0.5, command=2, end=2)

Made = Callable[..., Depot]


def member_rows(number: int) -> pa.RecordBatch:
    """Members of a forum with an address each."""
    rows = [
        {"account": f"forum:m{each}", "names": [f"M {each}"], "locale": "en", "mail": f"m{each}@mail.example"}
        for each in range(number)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=MEMBER)


def mail_policy(server: str = "", *, in_app: Any = "none", hook: str = "", **mail: Any) -> Policy:  # noqa: ANN401  # keys of a policy
    """A policy that delivers to a server on this machine."""
    return Policy(
        effective_date=date(2027, 2, 1),
        controller=Controller(name="Harbour Commons", contact="privacy@harbour.example", country="IE"),
        basis=LegalBasis(legitimate_interests=Assessment(document="lia.pdf", date=date(2026, 1, 10), signed_by="DPO")),
        notice=Notice(in_app=in_app),
        portal=Portal(url="https://object.harbour.example"),
        mail=Mail(server=server, **({"security": "none"} | mail)),
        webhooks=Webhooks(url=hook),
    )


def campaign(workspace: Workspace, people: int, channels: tuple[Channel, ...] = (Channel.MAIL,)) -> None:
    """Members, and a notice for each of them."""
    with workspace.register() as register:
        register.members.import_all([member_rows(people)])
        register.campaigns.start("spring", EVERYBODY, channels)


def change(depot: Depot, policy: Policy) -> None:
    """Another policy in the same workspace."""
    decide(depot.workspace, policy)


@contextmanager
def lane(depot: Depot, patience: Patience = QUICK, timeouts: Timeouts = STRICT) -> Iterator[Delivery]:  # type: ignore[type-arg]  # of notices
    """The lane of notices by mail."""
    depot.timeouts = timeouts
    kind = MailNotices(depot)
    kind.patience = patience
    made = Delivery(depot, kind)
    try:
        yield made
    finally:
        made.close()


def deliver(depot: Depot, turns: int = 1, timeouts: Timeouts = STRICT) -> Counter[str]:
    """A few turns; what came of the mails."""
    with lane(depot, timeouts=timeouts) as made:
        for _ in range(turns):
            made.turn()
        return made.counts


def statuses(depot: Depot) -> Counter[NoticeStatus]:
    """How many notices of the campaign stand how."""
    return Counter(record.status for _, record in depot.register.notices.records("spring"))
