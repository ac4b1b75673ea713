"""Where objections are taken in: with which policy, in which language, at which moment; and the mails about them.

Invariants: a mail is put into the register's outgoing mail in the transaction of what it tells, so that none is lost
and none tells what did not happen; it goes to an address that the register knows or that the person gave, in the
language on file, else in that of the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from demur.identity import Keys
from demur.notices.content import FOR, Behalf, behalf_of
from demur.notices.languages import LANGUAGES, matching
from demur.notices.words import languages_of
from demur.objecting.channels import Route
from demur.policy import Policy
from demur.register import ObjectionPhase, ObjectionState, Receipt, Register
from demur.register.database.records import JSON
from demur.register.objections.doubts import LEAST_DAYS, QUESTION, REMINDER
from demur.tokens import Purpose, Tokens

_MAIL: Final = "mail:"


def answer_days(policy: Policy) -> int:
    """Days that the holder of an account has to answer, where it is doubted whose an objection is."""
    return max(policy.objections.confirm_within_days, LEAST_DAYS)


@dataclass(frozen=True)
class Office:
    """What everything that happens to an objection is done with."""

    policy: Policy
    keys: Keys = field(repr=False)
    tokens: Tokens = field(repr=False)
    """Sign the links of mails."""
    now: datetime
    page_language: str = ""
    """Of the page that somebody reads; "" where there is none: the first language of the notices."""
    may_ask: Callable[[str], bool] = field(default=lambda _: True, repr=False)
    """Whether another mail may go to an account's holder: nobody can be flooded by somebody who types."""
    guessed: frozenset[str] = field(default=frozenset(), repr=False)
    """Accounts that only a forgeable field of a mail names: no mail goes to these but to an address on file."""

    def link(self, purpose: Purpose, seq: int, language: str) -> str:
        """The address of an objection's page, for a mail: the question to its holder, or its receipt."""
        path = "confirm" if purpose is Purpose.CONFIRM else "receipt"
        return f"{self.policy.portal.url}/{language}/{path}/{self.tokens.make(purpose, seq)}"

    @property
    def answer_days(self) -> int:
        """Days that the holder of an account has to answer now, see :func:`answer_days`."""
        return answer_days(self.policy)

    def language_for(self, register: Register, subject: int | None) -> str:
        """The language of a mail: the one on file, else the page's, else the first in which notices are given."""
        known = None if subject is None else register.mails.language_of(subject)
        return matching(known, LANGUAGES) or self.page_language or languages_of(self.policy)[0]


@dataclass(frozen=True)
class To:
    """Whom a mail is for: an account, whose address is looked up when it leaves, an address, or both."""

    subject: int | None = None
    address: str | None = None
    account: str | None = None
    """The account that a given address belongs to."""

    @property
    def nobody(self) -> bool:
        """Whether it is for nobody."""
        return self == To()


def reached(register: Register, account: str, office: Office) -> str | None:
    """Where the holder of an account is reached: a mail account's own address, else the one on file."""
    if account.startswith(_MAIL) and account not in office.guessed:
        return account.removeprefix(_MAIL)
    return register.mails.address_of(office.keys.pepper.subject_key(account))


def post_receipt(
    register: Register,
    receipt: Receipt | ObjectionState,
    office: Office,
    to: To,
    *,
    about: Mapping[str, JSON] | None = None,
) -> None:
    """Send the receipt; to nobody, where no address is known. ``about`` says what somebody without an account named."""
    language = _language(register, office, to)
    params = {
        "reference": receipt.reference,
        "receipt_url": office.link(Purpose.RECEIPT, receipt.seq, language),
        "lodged": receipt.lodged.isoformat(),
        **(about or {}),
    }
    _post(register, "receipt", language, params, office, to)


def post_question(
    register: Register, of: Receipt | ObjectionState, office: Office, to: To, *, reminder: int = 0
) -> None:
    """Ask the holder of an address whether to keep an objection; ``reminder``: which one it is, counted from 1.

    Its deadline, where a doubt gave it one, is filled in when the mail leaves (doubts.py).
    """
    language = _language(register, office, to)
    params: dict[str, JSON] = {
        "reference": of.reference,
        "confirm_url": office.link(Purpose.CONFIRM, of.seq, language),
        "confirm_by": None,
        **_about(register, of.reference),
    }
    if reminder:
        _post(register, REMINDER, language, {**params, "number": reminder}, office, to)
    else:
        _post(register, QUESTION, language, params, office, to)


def post_withdrawn(register: Register, state: ObjectionState, office: Office) -> None:
    """Tell whoever stood for an objection that it was withdrawn: it may not have been them.

    Whoever typed an account holds its receipt, too; its holder, once they have confirmed it, has to hear of it.
    """
    to = _whoever_stood(register, state, office)
    if not to.nobody:
        language = _language(register, office, to)
        params = {"reference": state.reference, **_about(register, state.reference)}
        _post(register, "withdrawn", language, params, office, to)


def about(behalf: Behalf) -> dict[str, JSON]:
    """What a statement, and a mail about an objection, say of it; nothing where somebody objects for themselves."""
    return {} if behalf == "self" else {FOR: behalf}


def _about(register: Register, reference: str) -> dict[str, JSON]:
    return about(behalf_of(register.objections.statement(reference) or {}))


def _whoever_stood(register: Register, state: ObjectionState, office: Office) -> To:
    """Whom an objection's end is told: nobody, of an account that somebody typed and nobody confirmed."""
    confirmed = state.phase is ObjectionPhase.CONFIRMED
    if state.channel == Route.NO_ACCOUNT:
        contact = (register.objections.statement(state.reference) or {}).get("contact")
        told = isinstance(contact, str) and (confirmed or office.may_ask(contact))
        return To(address=str(contact)) if told else To()
    if state.channel == Route.TYPED and not confirmed:
        return To()
    return To(subject=int(register.objections.lodged_for(state.reference)[0]))


def _language(register: Register, office: Office, to: To) -> str:
    return office.language_for(register, _subject(office, to))


def _post(register: Register, template: str, language: str, params: Mapping[str, JSON], office: Office, to: To) -> None:
    """Queue a mail; it names the account that it is about, where it goes to that account's own address."""
    subject = _subject(office, to)
    account = None if subject is None else register.mails.own_account(subject, to.address)
    said = {**params, "account": account.partition(":")[2]} if account else params
    register.mails.post(
        template, language, said, subject=to.subject, account=to.account, address=to.address, now=office.now
    )


def _subject(office: Office, to: To) -> int | None:
    return office.keys.pepper.subject_key(to.account) if to.account is not None else to.subject
