"""Tells the members of the demo, as `demur notice send` and `demur worker` do, once the loop has ended.

Invariants: no mail leaves the machine, because the demo's policy names no server: each becomes a file in the
workspace's outbox; it runs after the last version was exported and verified, whose rows it does not change.
"""

import re
import threading
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path
from time import perf_counter
from typing import Final

from demur.demo.report import Told
from demur.notices.campaign import channels_of, selection_of
from demur.policy import Policy
from demur.register import Register
from demur.terms import Channel
from demur.worker.mails import Post
from demur.worker.work import work
from demur.workspace import Workspace

CAMPAIGN: Final = "autumn"


def tell(workspace: Workspace, account: str, today: date) -> Told:
    """Queue a notice for everybody whose content may come in, and deliver them all into the outbox.

    Args:
        workspace: where the loop has ended.
        account: of the reader whose mail is the example; "" for none.
        today: the day on which ages are reckoned.
    """
    started, demo = perf_counter(), workspace.policy()
    assert not demo.mail.server
    with workspace.register() as register:
        campaign = register.campaigns.start(CAMPAIGN, selection_of(demo, today), channels_of(demo))
        mail = _mail_of(workspace, register, demo, account) if account else None
    work(workspace, threading.Event(), once=True)
    there = mail if mail and mail.is_file() else None
    mails = sum(1 for _ in workspace.outbox_path.glob("*.eml"))
    return Told(
        campaign=campaign.name,
        mails=mails,
        unreached=campaign.people - mails,
        outbox=workspace.outbox_path,
        portal=demo.portal.url,
        mail=there,
        link=_link_in(there, demo.portal.url) if there else "",
        seconds=perf_counter() - started,
    )


def _mail_of(workspace: Workspace, register: Register, demo: Policy, account: str) -> Path | None:
    """Where the mail to an account's person will lie; None if they get none."""
    theirs = set(register.members.covered_with(account).tolist())
    addressed = (subject for subject, _ in register.notices.records(CAMPAIGN) if subject in theirs)
    post = Post(demo, workspace.keys())
    names = (post.notice_id(CAMPAIGN, subject, Channel.MAIL) for subject in addressed)
    return next((workspace.outbox_path / f"{name}.eml" for name in names), None)


def _link_in(mail: Path, portal: str) -> str:
    """The link of a mail, to the page where its reader objects."""
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
    assert body is not None
    found = re.search(rf"{re.escape(portal)}/[a-z]+/o/\S+", body.get_content())
    assert found is not None
    return found.group()
