"""How each route lodges: what goes into the register, and which mails leave for it, in one transaction.

Invariants: an objection and the mail that asks its account's holder are recorded together or not at all, so that none
lapses that nobody was asked about; a deadline stands only where somebody can be asked; what somebody types links no
accounts, as nobody has shown whose they are, so that each account gets an objection of its own.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from demur.notices.languages import LANGUAGES, matching
from demur.register import ObjectionPhase, ObjectionState, Receipt, Register
from demur.register.records import JSON
from demur.tokens import Purpose
from demur.web.desk import Desk

PERSON: Final = "person"
"""Namespace of those without an account: a random value each, which names nobody."""

_PERSON_BYTES: Final = 16


class Route(StrEnum):
    """How somebody objected: the channel of their objection in the register."""

    LINK = "signed-link"
    SIGNED_IN = "signed-in"
    TYPED = "typed-in"
    NO_ACCOUNT = "no-account"


PROVEN: Final = frozenset({Route.LINK, Route.SIGNED_IN, "api", "erasure"})
"""Channels that show whose an objection is: a link to the address on file, or the platform's own word."""

SAID: Final = frozenset({Route.TYPED, Route.NO_ACCOUNT})
"""Channels by which somebody says whose an objection is, and shows it by nothing."""


@dataclass(frozen=True)
class Statement:
    """What somebody without an account says of themselves."""

    names: Sequence[str] = ()
    accounts: Sequence[str] = ()
    """Accounts that they named: each gets an objection of its own."""
    links: Sequence[str] = ()
    """Addresses and handles that are no account."""
    contact: str = ""
    """Mail address, "" for none."""
    child: bool = False
    """Whether they speak for a child."""


@dataclass(frozen=True)
class Counter:
    """Where objections are taken in: the desk, the language of the page, and the moment."""

    desk: Desk
    language: str
    now: datetime

    def link(self, purpose: Purpose, seq: int, language: str) -> str:
        """The address of an objection's page, for a mail."""
        path = "confirm" if purpose is Purpose.CONFIRM else "receipt"
        return f"{self.desk.policy().portal.url}/{language}/{path}/{self.desk.tokens.make(purpose, seq)}"

    def deadline(self) -> datetime:
        """When an objection lapses that is lodged now and that nobody confirms."""
        return self.now + timedelta(days=self.desk.policy().objections.confirm_within_days)

    def may_ask(self, account: str) -> bool:
        """Whether another mail may go to an account's holder: nobody can be flooded by somebody who types."""
        return self.desk.limits.may_mail("letter", account)

    def post_receipt(
        self, register: Register, receipt: Receipt, said: Statement | None = None, **to: int | str
    ) -> None:
        """Put the receipt into the mail; to nobody, where no address is known; ``said`` by whom has no account."""
        language = self._language(register, to.get("subject"))
        params: dict[str, JSON] = {
            "reference": receipt.reference,
            "receipt_url": self.link(Purpose.RECEIPT, receipt.seq, language),
            "lodged": receipt.lodged.isoformat(),
        }
        if said:
            params |= {"named": bool(said.names), "accounts": bool(said.accounts)}
        self._post(register, "receipt", language, params, to)

    def post_question(self, register: Register, receipt: Receipt, until: datetime | None, **to: int | str) -> None:
        """Ask the holder of an address whether it was them."""
        language = self._language(register, to.get("subject"))
        params: dict[str, JSON] = {
            "reference": receipt.reference,
            "confirm_url": self.link(Purpose.CONFIRM, receipt.seq, language),
            "confirm_by": None if until is None else until.isoformat(),
        }
        self._post(register, "confirm", language, params, to)

    def post_withdrawn(self, register: Register, state: ObjectionState, said: Mapping[str, JSON]) -> None:
        """Tell whoever stood for an objection that it was withdrawn: it may not have been them.

        Whoever typed an account holds its receipt, too; its holder, once they have confirmed it, has to hear of it.
        """
        to = self._whoever_stood(register, state, said)
        if to:
            language = self._language(register, to.get("subject"))
            self._post(register, "withdrawn", language, {"reference": state.reference}, to)

    def _whoever_stood(
        self, register: Register, state: ObjectionState, said: Mapping[str, JSON]
    ) -> Mapping[str, int | str]:
        """Whom an objection's end is told: nobody, of an account that somebody typed and nobody confirmed."""
        confirmed, contact = state.phase is ObjectionPhase.CONFIRMED, said.get("contact")
        if state.channel == Route.NO_ACCOUNT:
            told = isinstance(contact, str) and (confirmed or self.may_ask(contact))
            return {"address": str(contact)} if told else {}
        if state.channel == Route.TYPED and not confirmed:
            return {}
        return {"subject": int(register.lodged_for(state.reference)[0])}

    def _post(
        self, register: Register, template: str, language: str, params: Mapping[str, JSON], to: Mapping[str, int | str]
    ) -> None:
        subject, address = to.get("subject"), to.get("address")
        assert subject is None or isinstance(subject, int)
        assert address is None or isinstance(address, str)
        register.letters.post(template, language, params, subject=subject, address=address, now=self.now)

    def _language(self, register: Register, subject: int | str | None) -> str:
        """The language on file, else that of the page."""
        known = register.letters.language_of(subject) if isinstance(subject, int) else None
        return matching(known, LANGUAGES) or self.language


def by_proof(register: Register, subject: int, route: Route, counter: Counter, account: str | None = None) -> int:
    """Object as somebody who has shown that an account is theirs; the number of the objection.

    One that stands already for this account by the same route is the answer: pressing the button twice is no second
    objection. One of another account that is linked is none: a link can be taken back, and theirs be withdrawn.

    Args:
        register: where.
        subject: the subject key of their account.
        route: how they came.
        counter: where and when.
        account: its identifier; without one, the one on file, and where it was erased the key alone.
    """
    standing = register.standing(subject, route)
    if standing is not None:
        return standing
    known = account or register.identifiers(np.array([subject], np.int64))[0]
    if known is None:
        return register.lodge_for_key(subject, channel=route, now=counter.now).seq
    with register.locked():
        receipt = register.lodge([known], channel=route, statement={"accounts": [known]}, now=counter.now)
        counter.post_receipt(register, receipt, subject=subject)
    return receipt.seq


def by_name(register: Register, account: str, counter: Counter, *, ask: bool) -> Receipt:
    """Object for an account that somebody typed; its holder is asked, where an address of theirs is on file.

    What is sealed with it is the same in either case, and so is the work but for the mail.
    """
    subject = counter.desk.keys.pepper.subject_key(account)
    until = counter.deadline()
    said: dict[str, JSON] = {"accounts": [account], "answer_by": until.isoformat()}
    with register.locked():
        asked = register.letters.address_of(subject) is not None and ask
        deadline = until if asked else None
        receipt = register.lodge([account], channel=Route.TYPED, statement=said, confirm_by=deadline, now=counter.now)
        if asked:
            counter.post_question(register, receipt, until, subject=subject)
    return receipt


def without_account(
    register: Register, statement: Statement, counter: Counter, asking: frozenset[str], *, mail: bool
) -> int:
    """Object for somebody who has no account; the number of the objection that holds what they said.

    Args:
        register: where.
        statement: what they say.
        counter: where and when.
        asking: the accounts whose holders may get a mail.
        mail: whether their contact may get one.
    """
    with register.locked():
        parts = [by_name(register, each, counter, ask=each in asking) for each in statement.accounts]
        said: dict[str, JSON] = {
            "names": list(statement.names),
            "accounts": list(statement.accounts),
            "links": list(statement.links),
            "contact": statement.contact or None,
            "child": statement.child,
            "objections": [part.reference for part in parts],
            "answer_by": counter.deadline().isoformat(),
        }
        receipt = register.lodge([_person()], channel=Route.NO_ACCOUNT, statement=said, now=counter.now)
        if statement.contact and mail:
            counter.post_receipt(register, receipt, statement, address=statement.contact)
            counter.post_question(register, receipt, None, address=statement.contact)
    return receipt.seq


def again(register: Register, state: ObjectionState, counter: Counter) -> int:
    """Lodge an objection anew that its holder confirms too late; the number of the one that stands then."""
    said = register.statement(state.reference) or {}
    accounts = [_person()] if state.channel == Route.NO_ACCOUNT else texts(said, "accounts")
    standing = _returned(register, state)
    if standing is None:
        standing = register.standing(counter.desk.keys.pepper.subject_key(accounts[0]), confirmed=True)
    if standing is not None:
        return standing
    with register.locked():
        receipt = register.lodge(accounts, channel=state.channel, statement=said, now=counter.now)
        register.confirm(receipt.reference, now=counter.now)
        register.set_state(_returned_mark(state.seq), str(receipt.seq))
    return receipt.seq


def _returned(register: Register, state: ObjectionState) -> int | None:
    """The number of the objection that was lodged anew for one that lapsed, where it stands."""
    seq = int(register.state(_returned_mark(state.seq)) or 0)
    reference = register.reference_of(seq) if seq else None
    return seq if reference and register.objection(reference).binding else None


def _returned_mark(seq: int) -> str:
    return f"returned.{seq}"


def can_return(state: ObjectionState, said: Mapping[str, JSON]) -> bool:
    """Whether an objection that lapsed can be lodged anew by :func:`again`: it is known what it was about.

    However it came, its holder was asked by the same question: a letter that staff recorded is no exception.
    """
    named = "names" if state.channel == Route.NO_ACCOUNT else "accounts"
    return state.channel not in PROVEN and bool(texts(said, named))


def _person() -> str:
    """An account of somebody who has none."""
    return f"{PERSON}:{secrets.token_hex(_PERSON_BYTES)}"


def texts(said: Mapping[str, JSON], name: str) -> list[str]:
    """A list of texts in a statement."""
    found = said.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []
