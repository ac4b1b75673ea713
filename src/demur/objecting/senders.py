"""Whose an objection is that came by mail: its sender's, or that of whoever a list or a forwarder put itself before.

Invariants: it binds for whom it may be, at once; a list's address and the controller's own bind nobody; what only
a forgeable field or a likeness says covers, and proves nothing: it links no accounts, and no mail goes to it but to an
address on file (ADR 0017). An automatic reply is no objection and binds nobody; it is kept all the same, and waits for
somebody to read it. Wherever a sender can't be relied on, the reason goes with the objection.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from demur.objecting.office import Office
from demur.register import Register
from demur.register.members.people import mail_account

if TYPE_CHECKING:
    from demur.objecting.eml import Letter

_FORWARDED: Final = re.compile(
    r"(?i)\s*(?:fwd?|wg|wtr?|tr|rv|enc|i|vl|vb|vs|vidarebef|ds|pd|\u03c0\u03c1\u03b8|fs|tov|ynt|\u043f\u0440\u0435\u043f)\s*:"
)
"""How mail programs begin the subject of what is passed on."""
_TAG: Final = re.compile(r"mail:([^+@]+)\+[^@]*@(.+)")


class Doubt(StrEnum):
    """Why somebody has to look at a letter that came by mail."""

    SENDER_REWRITTEN = "sender-rewritten"
    OWN_ADDRESS = "own-address"
    AUTO_REPLY = "auto-reply"
    UNKNOWN_SENDER = "unknown-sender"

    @property
    def said(self) -> str:
        """What to look at, in a sentence or two."""
        return _SAID[self]


_SAID: Final = {
    Doubt.SENDER_REWRITTEN: "A mailing list or a forwarder stands in the place of its sender: it binds for the writer "
    "that the mail names, if it names one, which anybody can forge. Make sure who wrote it.",
    Doubt.OWN_ADDRESS: "It came from an address of yours, and names no other writer: it binds nobody. Find out who "
    "wrote it, and record an objection for their account.",
    Doubt.AUTO_REPLY: "It is an automatic reply, and no objection: it binds nobody. Read it, and withdraw it if it "
    "holds nothing.",
    Doubt.UNKNOWN_SENDER: "Its sender matches nobody that you know: it binds for that address alone. Find out which "
    "accounts are theirs.",
}


@dataclass(frozen=True)
class Whose:
    """Whose a letter may be."""

    accounts: tuple[str, ...] = field(default=(), repr=False)
    """The account that its sender's address is."""
    guessed: tuple[str, ...] = field(default=(), repr=False)
    """Accounts that a forgeable field or a likeness gives."""
    doubt: Doubt | None = None
    tagged: bool = False
    """Whether the sender's address has a tag (ann+tag@mail.example) and is nobody's on file with it."""


def whose(register: Register, letter: "Letter", office: Office) -> Whose:
    """Whose a letter may be, and what makes it doubtful."""
    if letter.automatic:
        return Whose(doubt=Doubt.AUTO_REPLY)
    own = set(_own(office))
    sender = letter.account
    hidden = sender in own or (letter.origins.rewritten and not _on_file(register, sender, office))
    if hidden or sender in set(_accounts(letter.origins.lists, office)):
        return _hidden(register, letter, office, own)
    if sender is None:
        return Whose(doubt=Doubt.UNKNOWN_SENDER)
    return _shown(register, letter, office, sender, own)


def _hidden(register: Register, letter: "Letter", office: Office, own: set[str]) -> Whose:
    """Of a letter whose sender is a list, a forwarder or the controller: whom it names besides."""
    found = _likeliest(register, (*letter.origins.named, *letter.origins.passed), letter, office, own)
    if found is not None:
        return Whose(guessed=(found, *_untagged(register, found, office)), doubt=Doubt.SENDER_REWRITTEN)
    if letter.account in own:
        return Whose(doubt=Doubt.OWN_ADDRESS)
    return Whose(guessed=tuple(_seeming(letter, office, own)), doubt=Doubt.SENDER_REWRITTEN)


def _seeming(letter: "Letter", office: Office, own: set[str]) -> Iterator[str]:
    """The sender, who may be a person whose name looks like a list's: no list says it is one, and it is elsewhere."""
    account, lists = letter.account, set(_accounts(letter.origins.lists, office))
    if account and account not in lists and _domain(account) not in set(map(_domain, own)):
        yield account


def _domain(account: str) -> str:
    return account.rpartition("@")[2]


def _shown(register: Register, letter: "Letter", office: Office, sender: str, own: set[str]) -> Whose:
    """Of a letter whose sender is a person's address."""
    tagged = _plain(sender) != sender and not _on_file(register, sender, office)
    plain = _untagged(register, sender, office)
    known = any(_on_file(register, each, office) for each in (sender, *plain))
    passed = letter.origins.passed if _FORWARDED.match(letter.subject) else ()
    beside = () if known else letter.origins.beside
    writer = _likeliest(register, (*beside, *passed), letter, office, own | {sender, *plain})
    if writer is not None:
        return Whose((sender,), (writer, *plain), Doubt.SENDER_REWRITTEN, tagged)
    return Whose((sender,), plain, None if known else Doubt.UNKNOWN_SENDER, tagged)


def _likeliest(
    register: Register, addresses: Iterable[str], letter: "Letter", office: Office, own: set[str]
) -> str | None:
    """The first account among addresses that is on file, else the first one; None where there is no person's."""
    nobody = own | set(_accounts(letter.origins.lists, office))
    found = [each for each in _accounts(addresses, office) if not nobody.intersection((each, _plain(each)))]
    return next((each for each in found if _on_file(register, each, office)), found[0] if found else None)


def _accounts(addresses: Iterable[str], office: Office) -> Iterator[str]:
    """The accounts that addresses are."""
    read = (mail_account(each, office.policy.accounts.names) for each in addresses)
    return (each for each in read if each is not None)


def _own(office: Office) -> Iterator[str]:
    """The controller's own accounts."""
    policy = office.policy
    return _accounts((policy.controller.contact, policy.controller.dpo, policy.mail.sender), office)


def _on_file(register: Register, account: str | None, office: Office) -> bool:
    """Whether an address of an account's holder is known."""
    return account is not None and register.mails.address_of(office.keys.pepper.subject_key(account)) is not None


def _untagged(register: Register, account: str, office: Office) -> tuple[str, ...]:
    """The address without its tag, where the policy says that it is covered, too (RFC 5233)."""
    plain = _plain(account)
    covered = office.policy.accounts.mail_tags == "cover" and not _on_file(register, account, office)
    return (plain,) if plain != account and covered else ()


def _plain(account: str) -> str:
    return _TAG.sub(r"mail:\1@\2", account)
