"""Policies, members and campaigns for tests of delivery. All names are invented."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import pyarrow as pa

from demur.policy import Assessment, Controller, LegalBasis, Mail, Notice, Policy, Portal, Webhooks, write_policy
from demur.register import MEMBER, Selection
from demur.terms import Channel
from demur.worker.office import Office
from demur.workspace import Workspace

EVERYBODY: Final = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)

Made = Callable[..., Office]


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
        register.import_members([member_rows(people)])
        register.notices.start("spring", EVERYBODY, channels)


def change(office: Office, policy: Policy) -> None:
    """Another policy in the same workspace."""
    office.workspace.policy_path.unlink()
    write_policy(policy, office.workspace.policy_path)
