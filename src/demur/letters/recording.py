"""Recording an objection that came in free text: it binds then, whoever wrote it.

Invariants: nothing is refused but an account that can't be one; without an account it is lodged for a person of its
own; accounts are linked only where staff have checked that they are one person's: what a mail says of its sender can
be forged, and a link would show one account's content to the holder of the other. What nobody has checked is asked
about, in the same transaction: the holder's address gets a question with a deadline; where no address is known there
is no deadline, and the objection waits in the officer's queue and binds.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from demur.identity import Keys
from demur.letters.eml import Attached
from demur.notices.languages import LANGUAGES, SOURCE, matching
from demur.policy import Policy
from demur.register import Receipt, Register
from demur.register.people import identify
from demur.register.records import JSON
from demur.tokens import Purpose, Tokens

_PERSON_BYTES: Final = 16
_MAIL: Final = "mail:"


@dataclass(frozen=True)
class Written:
    """An objection in free text."""

    channel: str
    """letter, mail, ticket, ..."""
    accounts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    """What it says; sealed."""
    reason: str | None = field(default=None, repr=False)
    received: date | None = None
    """The day it came, where that was before today."""
    attachments: tuple[Attached, ...] = field(default=(), repr=False)
    within: int | None = None
    """The number of the objection that holds what it says, where that is another one."""

    def statement(self, accounts: Sequence[str]) -> dict[str, JSON]:
        """What is sealed with the objection for some of its accounts."""
        said = {"names": list(self.names), "accounts": list(accounts) if self.accounts else [], "text": self.text}
        return {name: value for name, value in {**said, "within": self.within}.items() if value}


@dataclass(frozen=True)
class Office:
    """Where letters are recorded: the policy, the secrets, the moment, and the register's incarnation."""

    policy: Policy
    keys: Keys
    now: datetime
    incarnation: int

    def link(self, purpose: Purpose, receipt: Receipt, language: str = SOURCE) -> str:
        """The address of an objection's page: its receipt, or the question to its holder."""
        path = "confirm" if purpose is Purpose.CONFIRM else "receipt"
        token = Tokens.of(self.keys, self.incarnation).make(purpose, receipt.seq)
        return f"{self.policy.portal.url}/{language}/{path}/{token}"

    def deadline(self) -> datetime:
        """When an objection lapses whose holder was asked now and does not answer."""
        return self.now + timedelta(days=self.policy.objections.confirm_within_days)

    def language(self, known: str | None) -> str:
        """The language of a mail: the one on file, else the first in which notices are given."""
        return matching(known, LANGUAGES) or next(iter(self.policy.notice.languages), SOURCE)


def record(register: Register, written: Written, office: Office, *, checked: bool) -> list[Receipt]:
    """Record an objection; the receipt of each part.

    Args:
        register: where.
        written: what was written.
        office: with what, and when.
        checked: whether staff know that the accounts are the writer's: then they are linked and the objection is
            confirmed. Else each account gets an objection of its own, and its holder is asked; what was written goes
            with the first one alone.

    Raises:
        IdentityError: for a malformed account.
    """
    accounts = list(dict.fromkeys(identify(each, office.policy.accounts.names) for each in written.accounts)) or [
        without_account()
    ]
    groups = [accounts] if checked else [[each] for each in accounts]
    with register.locked():
        receipts = [_lodge(register, written, groups[0], office, checked=checked)]
        bare = replace(written, names=(), text="", reason=None, within=receipts[0].seq)
        receipts += [_lodge(register, bare, group, office, checked=checked) for group in groups[1:]]
        for attached in written.attachments:
            register.attachments.add(receipts[0].reference, attached.name, attached.type, attached.content)
    return receipts


def without_account() -> str:
    """An account for somebody who has none: a random value, which names nobody."""
    return f"person:{secrets.token_hex(_PERSON_BYTES)}"


def _lodge(register: Register, written: Written, accounts: list[str], office: Office, *, checked: bool) -> Receipt:
    address = _address(register, accounts[0], office)
    until = office.deadline() if address and not checked else None
    for other in accounts[1:]:
        register.link(accounts[0], other, now=office.now)
    receipt = register.lodge(
        accounts,
        channel=written.channel,
        received=written.received,
        reason=written.reason,
        statement=written.statement(accounts),
        confirm_by=until,
        now=office.now,
    )
    if checked:
        register.confirm(receipt.reference, now=office.now)
    if address:
        _post(register, receipt, accounts[0], address, office, until)
    return receipt


def _address(register: Register, account: str, office: Office) -> str | None:
    """Where the holder of an account is reached: a mail account's own address, else the one on file."""
    if account.startswith(_MAIL):
        return account.removeprefix(_MAIL)
    return register.letters.address_of(office.keys.pepper.subject_key(account))


def _post(  # the parts of one mail
    register: Register, receipt: Receipt, account: str, address: str, office: Office, until: datetime | None
) -> None:
    """Ask the holder whether it was them, or, where that is known, send the receipt."""
    language = office.language(register.letters.language_of(office.keys.pepper.subject_key(account)))
    params: dict[str, JSON] = {"reference": receipt.reference}
    if until is None:
        link = office.link(Purpose.RECEIPT, receipt, language)
        params |= {"receipt_url": link, "lodged": receipt.lodged.isoformat()}
    else:
        link = office.link(Purpose.CONFIRM, receipt, language)
        params |= {"confirm_url": link, "confirm_by": until.isoformat()}
    template = "receipt" if until is None else "confirm"
    register.letters.post(template, language, params, account=account, address=address, now=office.now)
