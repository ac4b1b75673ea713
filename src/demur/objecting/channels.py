"""How an objection came, and what that shows of whose it is.

Invariants: somebody without an account is found by the reference on their receipt, under an account that nobody can
name. A reference leads to no other account: whoever typed one in, or wrote a letter that names one, holds a reference,
too, which proves nothing about that account.
"""

import re
import secrets
from contextlib import suppress
from enum import StrEnum
from typing import Final

import numpy as np

from demur.errors import RegisterError, UsageError
from demur.identity import SubjectKeys
from demur.register import Register

_PERSON: Final = "person"
_PERSON_BYTES: Final = 16
_NAMELESS: Final = re.compile(rf"{_PERSON}:[0-9a-f]{{{2 * _PERSON_BYTES}}}")


class Route(StrEnum):
    """How an objection came: its channel in the register. A platform that calls the API may name others."""

    LINK = "signed-link"
    """The link of a notice, or of a mail to the address on file."""
    SIGNED_IN = "signed-in"
    TYPED = "typed-in"
    """An account that anybody may have typed on the portal."""
    NO_ACCOUNT = "no-account"
    API = "api"
    API_UNCONFIRMED = "api-unconfirmed"
    """The platform passes it on, and says that nobody knows yet whether its account's holder sent it."""
    ERASURE = "erasure"
    LETTER = "letter"
    MAIL = "mail"
    TICKET = "ticket"
    FORM = "form"


PROVEN: Final = frozenset({Route.LINK, Route.SIGNED_IN, Route.API, Route.ERASURE})
"""Shows whose an objection is: a link to the address on file, the platform's own word, or an earlier proof."""

SAID: Final = frozenset({Route.TYPED, Route.NO_ACCOUNT})
"""Somebody says on the portal whose an objection is, and shows it by nothing."""

RECORDED: Final = (Route.LETTER, Route.MAIL, Route.TICKET, Route.FORM)
"""What staff record."""


def new_person() -> str:
    """An account for somebody who has none: a random value, which names nobody."""
    return f"{_PERSON}:{secrets.token_hex(_PERSON_BYTES)}"


def nameless(account: str) -> bool:
    """Whether an account is such a random value, so that it can't be named by mistake."""
    return _NAMELESS.fullmatch(account) is not None


def account_by_reference(register: Register, reference: str) -> str:
    """The account of whoever objected, or reported what a model said, without one (Arts 15 and 17 GDPR).

    Raises:
        RegisterError: for an unknown reference.
        UsageError: where it is no such objection, or nothing is left of what was said with it.
    """
    what, known, channel, keys = _named_by(register, reference)
    accounts = register.members.identifiers(keys)
    if not any(accounts):
        raise UsageError(f"What was said with the {what} {known} was erased: nothing is left to ask for.")
    (account, *others) = accounts
    if others or account is None or not nameless(account) or channel == Route.TYPED:
        raise UsageError(
            f"The {what} {known} was lodged for an account, and a reference does not prove whose that is: "
            "make sure who asks, and give the account instead (--account)."
        )
    return account


def _named_by(register: Register, reference: str) -> tuple[str, str, str, SubjectKeys]:
    """What a reference is of, in a word, with its one spelling, its channel and the keys of the accounts it is for."""
    try:
        state = register.objections.get(reference)
    except RegisterError:
        with suppress(RegisterError):
            claim = register.claims.get(reference)
            return "claim", claim.reference, claim.channel, np.array([claim.account], np.int64)
        raise
    return "objection", state.reference, state.channel, register.persons.named(state.seq)
