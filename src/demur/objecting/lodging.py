"""Lodging an objection: what goes into the register, and which mails leave for it, in one transaction.

Invariants: nothing is refused but an account that can't be one; an objection binds when it is recorded, whoever sent
it, and nothing has a deadline when it is lodged (ADR 0026). An objection and the mail that asks its account's holder
are recorded together or not at all. What nobody has proven or checked links no accounts: a link would show one
account's content to the holder of the other, so each account gets an objection of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from demur.notices.content import Behalf
from demur.objecting.channels import Route, new_person
from demur.objecting.office import Office, To, about, post_question, post_receipt, reached
from demur.objecting.senders import Doubt, Whose, whose
from demur.register import Receipt, Register
from demur.register.database.records import JSON
from demur.register.members.people import identify
from demur.register.objections.lodging import SURE, Lodging

if TYPE_CHECKING:  # most objections come without a letter
    from demur.objecting.eml import Attached, Letter


@dataclass(frozen=True)
class Statement:
    """What somebody says on the portal of those who have no account, themselves or another."""

    names: Sequence[str] = ()
    """Spellings of their name."""
    former: Sequence[str] = ()
    """Names that they had."""
    accounts: Sequence[str] = ()
    """Accounts that they named: each gets an objection of its own."""
    links: Sequence[str] = ()
    """Addresses and handles that are no account."""
    contact: str = ""
    """Mail address, "" for none."""
    behalf: Behalf = "self"


@dataclass(frozen=True)
class Written:
    """An objection in free text, as staff record it."""

    channel: str
    """letter, mail, ticket, form."""
    accounts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Spellings of the person's name."""
    text: str = field(default="", repr=False)
    """What it says; sealed."""
    reason: str | None = field(default=None, repr=False)
    received: date | None = None
    """The day it came, where that was before today."""
    attachments: "tuple[Attached, ...]" = field(default=(), repr=False)
    within: int | None = None
    """The number of the objection that holds what it says, where that is another one."""
    letter: "Letter | None" = field(default=None, repr=False)
    """The mail that it came as."""
    doubt: Doubt | None = None
    """Why somebody has to look at it; sealed with it as ``warning``."""
    former: tuple[str, ...] = ()
    """Names that the person had."""
    links: tuple[str, ...] = ()
    """Addresses that are no account, for an officer to look at; sealed."""

    def with_letter(self, letter: "Letter") -> "Written":
        """What is recorded once a letter is added: its day, text and attachments; whose it is, is found out then."""
        return replace(
            self,
            letter=letter,
            text="\n\n".join(filter(None, [self.text, letter.text])),
            received=self.received or letter.date,
            attachments=letter.attachments,
        )

    def statement(self, accounts: Sequence[str]) -> dict[str, JSON]:
        """What is sealed with the objection for some of its accounts."""
        said: dict[str, JSON] = {
            **spelt(self.names, self.former, sure=False),
            "accounts": list(accounts) if self.accounts else [],
            "links": list(self.links),
            "text": self.text,
            "within": self.within,
            "warning": None if self.doubt is None else self.doubt.value,
        }
        return {name: value for name, value in said.items() if value}


def spelt(names: Sequence[str], former: Sequence[str], *, sure: bool) -> dict[str, JSON]:
    """What a statement says of a person's name, however it came (ADR 0035); nothing where no spelling was given.

    Args:
        names: spellings of their name.
        former: names that they had.
        sure: whether whoever gives them has shown that the account is theirs: then they are looked for in what others
            wrote at once. Else they are once the objection is confirmed, by its holder or an officer.
    """
    said: dict[str, JSON] = {"names": list(names), "former": list(former)}
    given: dict[str, JSON] = {name: value for name, value in said.items() if value}
    return {**given, SURE: True} if given and sure else given


def by_proof(  # what somebody says, and where
    register: Register,
    subject: int,
    route: Route,
    office: Office,
    account: str | None = None,
    *,
    names: Sequence[str] = (),
    former: Sequence[str] = (),
) -> int:
    """Object as somebody who has shown that an account is theirs; the number of the objection.

    One that stands already for this account by the same route is the answer: pressing the button twice is no second
    objection. One of another account that is linked is none: a link can be taken back, and theirs be withdrawn.

    Args:
        register: where.
        subject: the subject key of their account.
        route: how they came.
        office: with what, and when.
        account: its identifier; without one, the one on file, and where it was erased the key alone.
        names: spellings of their name; added to an objection that stands.
        former: names that they had; likewise.
    """
    standing = register.objections.standing(subject, route)
    if standing is not None:
        if names or former:
            reference = register.objections.reference_of(standing)
            assert reference is not None
            register.objections.add_names(reference, names, former=former, now=office.now)
        return standing
    known = account or register.members.identifiers(np.array([subject], np.int64))[0]
    if known is None:
        return register.objections.lodge_for_key(subject, channel=route, now=office.now).seq
    with register.locked():
        if register.persons.subject(known) == subject:
            said = {"accounts": [known], **spelt(names, former, sure=True)}
            receipt = register.objections.lodge([known], channel=route, statement=said, now=office.now)
        else:  # a link of an earlier rule of spelling: the key it holds is what it objects for, and finds again
            receipt = register.objections.lodge_for_key(subject, channel=route, now=office.now)
        post_receipt(register, receipt, office, To(subject=subject))
    return receipt.seq


def by_name(register: Register, account: str, office: Office, *, ask: bool, behalf: Behalf = "self") -> Receipt:
    """Object for an account that somebody typed; its holder is asked, where an address of theirs is on file.

    What is sealed with it is the same in either case, and so is the work but for the mail.
    """
    subject = office.keys.pepper.subject_key(account)
    said: dict[str, JSON] = {"accounts": [account], **about(behalf)}
    with register.locked():
        asked = register.mails.address_of(subject) is not None and ask
        receipt = register.objections.lodge([account], channel=Route.TYPED, statement=said, now=office.now)
        if asked:
            post_question(register, receipt, office, To(subject=subject))
    return receipt


def without_account(
    register: Register, statement: Statement, office: Office, asking: frozenset[str], *, mail: bool
) -> int:
    """Object for somebody who has no account; the number of the objection that holds what they said.

    Args:
        register: where.
        statement: what they say.
        office: with what, and when.
        asking: the accounts whose holders may get a mail.
        mail: whether their contact may get one.
    """
    with register.locked():
        parts = [
            by_name(register, each, office, ask=each in asking, behalf=statement.behalf) for each in statement.accounts
        ]
        said: dict[str, JSON] = {
            **spelt(statement.names, statement.former, sure=False),
            "accounts": list(statement.accounts),
            "links": list(statement.links),
            "contact": statement.contact or None,
            "objections": [part.reference for part in parts],
            **about(statement.behalf),
        }
        receipt = register.objections.lodge([new_person()], channel=Route.NO_ACCOUNT, statement=said, now=office.now)
        if statement.contact and mail:
            to = To(address=statement.contact)
            named: dict[str, JSON] = {
                "named": bool(statement.names or statement.former),
                "accounts": bool(statement.accounts),
            }
            post_receipt(register, receipt, office, to, about=named | about(statement.behalf))
            post_question(register, receipt, office, to)
    return receipt.seq


@dataclass(frozen=True)
class Taken:
    """What was done with a letter."""

    receipts: tuple[Receipt, ...]
    """Of each part, the first of which holds what was written."""
    binds: bool
    """Whether it names an account: else it keeps out nothing but what its names find, once these count."""
    doubt: Doubt | None = None
    """Why somebody has to look at it."""
    tagged: bool = False
    """Whether its sender's address has a tag (ann+tag@mail.example) and is nobody's on file with it."""


def take_letter(register: Register, written: Written, office: Office, *, checked: bool) -> Taken:
    """Record an objection that came in free text, and tell what came of it.

    What nobody has checked is asked about, where an address is known: what a mail says of its sender can be forged. It
    waits in the officer's queue, and binds, whatever comes of the question. What a mail says of its writer in fields
    that anybody can forge gets objections of its own, which link nothing and which no mail follows but to an address on
    file; staff who know whose it is name the account.

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
    names = office.policy.accounts.names
    typed = [identify(each, names) for each in written.accounts]
    with register.locked():
        found = Whose() if written.letter is None else whose(register, written.letter, office)
        sure = list(dict.fromkeys([*found.accounts, *typed]))
        guessed = [each for each in found.guessed if each not in sure]
        doubt = None if checked or (typed and found.doubt is Doubt.UNKNOWN_SENDER) else found.doubt
        if checked and not sure:
            sure, guessed = guessed[:1], guessed[1:]
        office = replace(office, guessed=frozenset(guessed))
        groups = ([sure] if checked else [[each] for each in sure]) if sure else []
        parts = [(group, checked) for group in groups] + [([each], False) for each in guessed]
        parts = parts or [([new_person()], checked)]
        said = replace(written, accounts=(*sure, *guessed), doubt=doubt)
        receipts = _lodge_parts(register, said, parts, office)
    return Taken(tuple(receipts), bool(sure or guessed), doubt, found.tagged)


def _lodge_parts(
    register: Register, written: Written, parts: Sequence[tuple[list[str], bool]], office: Office
) -> list[Receipt]:
    """Lodge an objection for each group of accounts, confirmed or not; the first one holds what was written."""
    (accounts, checked), *others = parts
    receipts = [_lodge_letter(register, written, accounts, office, checked=checked)]
    for group, known in others:
        doubt = written.doubt if office.guessed.intersection(group) else None
        bare = replace(
            written, names=(), former=(), links=(), text="", reason=None, within=receipts[0].seq, doubt=doubt
        )
        receipts.append(_lodge_letter(register, bare, group, office, checked=known))
    for attached in written.attachments:
        register.attachments.add(receipts[0].reference, attached.name, attached.type, attached.content)
    return receipts


def _lodge_letter(
    register: Register, written: Written, accounts: list[str], office: Office, *, checked: bool
) -> Receipt:
    for other in accounts[1:]:
        register.members.link(accounts[0], other, now=office.now)
    receipt = register.objections.lodge(
        accounts,
        channel=written.channel,
        received=written.received,
        reason=written.reason,
        statement=written.statement(accounts),
        now=office.now,
    )
    if checked:
        register.objections.confirm(receipt.reference, now=office.now)
    _tell(register, receipt, accounts[0], office, ask=not checked)
    return receipt


def as_staff_say(register: Register, written: Written, office: Office, *, unconfirmed: bool) -> Receipt:
    """Record an objection that staff took, in one for every account given; its first account's holder is told.

    Names in it count at once, unless nobody knows yet whose they are (ADR 0035).

    Args:
        register: where.
        written: what they say of it.
        office: with what, and when.
        unconfirmed: whether nobody knows yet that the holder sent it: then they are asked, where their address is
            known, and get no receipt. It has no deadline either way.

    Raises:
        IdentityError: for a malformed account.
    """
    names = office.policy.accounts.names
    accounts = list(dict.fromkeys(identify(each, names) for each in written.accounts)) or [new_person()]
    said = written.statement(accounts[:1]) | spelt(written.names, written.former, sure=not unconfirmed)
    with register.locked():
        receipt = register.objections.lodge(
            accounts,
            channel=written.channel,
            received=written.received,
            reason=written.reason,
            statement=said or None,
            now=office.now,
        )
        _tell(register, receipt, accounts[0], office, ask=unconfirmed)
    return receipt


def _tell(register: Register, receipt: Receipt, account: str, office: Office, *, ask: bool) -> None:
    """Send a receipt to the holder of an account, or the question whether to keep the objection."""
    address = reached(register, account, office)
    to = To(address=address, account=account)
    if address and ask:
        post_question(register, receipt, office, to)
    elif address:
        post_receipt(register, receipt, office, to)


def as_platform_says(
    said: Lodging,
    *,
    unconfirmed: bool,
    names: Sequence[str] = (),
    former: Sequence[str] = (),
    links: Sequence[str] = (),
) -> Lodging:
    """What the platform's backend says of an objection, to be recorded; nobody is asked, and nothing lapses.

    What it says that nobody has confirmed is recorded as that, and stands in the officer's queue.
    """
    linked: dict[str, JSON] = {"links": list(links)} if links else {}
    if statement := spelt(names, former, sure=not unconfirmed) | linked:
        said = replace(said, statement=statement)
    return replace(said, channel=Route.API_UNCONFIRMED) if unconfirmed and said.channel == Route.API else said
