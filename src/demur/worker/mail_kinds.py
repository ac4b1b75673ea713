"""What goes out by mail: notices, and single mails that somebody waits for.

Invariants: a person without an address that mail can be sent to has failed, and so is not told; a mail that says
that somebody was erased does not stay in the workspace as a file; nobody counts as told or asked by a mail that only
lies in the outbox of a portal for the public: it waits for a mail server instead.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from demur.notices.campaign import unsent
from demur.notices.rendering import Links, Rendered, render_mail, render_notice
from demur.policy import Policy
from demur.register import Delivered, Due, SingleMail
from demur.terms import Channel
from demur.tokens import Purpose
from demur.worker.depot import Depot
from demur.worker.lanes import log, log_error
from demur.worker.mails import BadAddressError, Post
from demur.worker.transport import MAILS, NOTICES, Carrier, Fate, Handover, Patience

_ERASED: Final = "erased"


class _Sending:
    """Post and carrier of the policy as it is; new ones when it changes."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._policy: Policy | None = None
        self.post: Post
        self.carrier: Carrier

    def refresh(self, kind: str) -> Policy:
        """The policy, with what it asks for at hand; called between groups, never during one."""
        policy = self._depot.policy()
        if policy is not self._policy:
            self.close()
            self.post, self.carrier = self._depot.post(), self._depot.carrier()
            self._policy = policy
            if unsent(policy):
                log(f"{kind}.wait", cause="mail.server is empty, and portal.url is public: nothing can be sent")
        return policy

    def close(self) -> None:
        """Hang up."""
        if self._policy is not None:
            self.carrier.close()
            self._policy = None


class MailNotices:
    """Notices by mail."""

    name = "notices"
    patience: Patience = NOTICES

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._book = depot.register.notices
        self._sending = _Sending(depot)
        self._policy: Policy
        self._made: dict[tuple[str, int], Delivered] = {}

    @property
    def lines(self) -> int:
        """How many are handed over side by side."""
        return self._policy.mail.connections

    def claim(self, limit: int, worker: int) -> Sequence[Due]:
        """Take some in the hands of a worker."""
        self._policy = self._sending.refresh(self.name)
        self._made.clear()
        if unsent(self._policy):
            return []
        return self._book.claim(Channel.MAIL, limit, named=self._name, worker=worker)

    def carry(self, one: Due) -> Handover:
        """Render one, and hand it over."""
        if not one.member.mail:
            return Handover(Fate.NEVER, "no mail address")
        rendered = self._rendered(one)
        message_id = self._name(one.campaign, one.subject)
        try:
            mail = self._sending.post.mail(rendered, one.member.mail, message_id)
        except BadAddressError:
            return Handover(Fate.NEVER, "address not usable")
        key = (one.campaign, one.subject)
        self._made[key] = Delivered(
            *key, rendered.language, rendered.digest, message_id, tried=not self._policy.mail.server
        )
        return self._sending.carrier.carry(mail)

    def attempt(self, one: Due) -> int:
        """How often it was answered."""
        return one.attempt

    def sent(self, some: Sequence[Due]) -> None:
        """Their people are told from now on."""
        self._book.sent(Channel.MAIL, [self._made[one.campaign, one.subject] for one in some])

    def retry(self, one: Due, at: datetime, *, tried: bool) -> None:
        """Give one back."""
        self._book.retry(Channel.MAIL, one.campaign, one.subject, at, tried=tried)

    def failed(self, one: Due, cause: str) -> None:
        """Give one up: the person stays untold."""
        self._book.failed(Channel.MAIL, one.campaign, one.subject, cause=cause)

    def close(self) -> None:
        """Hang up."""
        self._sending.close()

    def _name(self, campaign: str, subject: int) -> str:
        return self._sending.post.notice_id(campaign, subject, Channel.MAIL)

    def _rendered(self, one: Due) -> Rendered:
        return rendered_notice(self._depot, self._policy, one)


class SingleMails:
    """Mails to one person each, who waits for it: receipts, questions, links to sign in with."""

    name = "mails"
    patience: Patience = MAILS

    def __init__(self, depot: Depot) -> None:
        self._box = depot.register.mails
        self._sending = _Sending(depot)
        self._policy: Policy

    @property
    def lines(self) -> int:
        """How many are handed over side by side."""
        return self._policy.mail.connections

    def claim(self, limit: int, worker: int) -> Sequence[SingleMail]:
        """Take some in the hands of a worker; the write lock is asked for only where there are any."""
        self._policy = self._sending.refresh(self.name)
        if unsent(self._policy) or not self._box.waiting():
            return []
        return self._box.claim(limit, worker=worker)

    def carry(self, one: SingleMail) -> Handover:
        """Render one, and hand it over."""
        if one.template == _ERASED and not self._policy.mail.server:
            return Handover(Fate.NEVER, "no mail server")
        try:
            rendered = render_mail(self._policy, one.template, one.language, one.params)
            mail = self._sending.post.mail(rendered, one.address, self._sending.post.mail_id(one.id))
        except BadAddressError:
            return Handover(Fate.NEVER, "address not usable")
        except KeyError as error:  # a template, or a value for it, that is not there
            log_error("mails.incomplete", error)
            return Handover(Fate.NEVER, "not renderable")
        return self._sending.carrier.carry(mail, urgent=True)

    def attempt(self, one: SingleMail) -> int:
        """How often it was answered."""
        return one.attempt

    def sent(self, some: Sequence[SingleMail]) -> None:
        """What they said is destroyed."""
        self._box.sent([one.id for one in some])

    def retry(self, one: SingleMail, at: datetime, *, tried: bool) -> None:
        """Give one back."""
        self._box.retry(one.id, at, tried=tried)

    def failed(self, one: SingleMail, cause: str) -> None:
        """Give one up."""
        self._box.failed(one.id, cause)

    def close(self) -> None:
        """Hang up."""
        self._sending.close()


def rendered_notice(depot: Depot, policy: Policy, one: Due) -> Rendered:
    """A notice with its reader's own link."""
    token = depot.tokens.make(Purpose.OBJECT, one.subject)
    return render_notice(policy, one.member, Links(policy.portal.url, token))
