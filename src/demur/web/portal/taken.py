"""What was typed, told back to whoever typed it: on the receipt, and in the form that corrects it.

Invariants: it stands sealed in the address of the receipt that the form led to, behind the token, and nowhere else, so
that the receipt tells the same of every account for ever: known or not, asked, denied or erased. An address without it,
such as the one that a reference leads to, tells nothing of an account. It is bound to the token before it; a damaged
one opens nothing. Its length says little: it is filled up to whole blocks.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import orjson
from fastapi import Request

from demur.errors import IdentityError
from demur.identity import seal, unseal
from demur.notices.content import name_of
from demur.notices.languages import N_
from demur.objecting.naming import AccountKind, like_a_name, taken_for
from demur.policy import Policy
from demur.tokens import derived
from demur.web.desk import Desk
from demur.web.pages import desk

TOKEN_LENGTH: Final = 36
"""Letters of a receipt's own token."""

_BLOCK: Final = 32
_MOST: Final = 20
"""Accounts that are told one by one."""
_ROOM: Final = 1000
"""Bytes of them, but for the first: an address has some thousand letters at most."""
_LEAST: Final = 28
"""Bytes of what is sealed: nonce and tag."""
_DAMAGED: Final = "This link is damaged: copy all of it."
_SENTENCES: Final[Mapping[AccountKind, str]] = {
    AccountKind.USER: N_("For the user name %(name)s on %(place)s."),
    AccountKind.MAIL: N_("For the email address %(name)s."),
    AccountKind.FEDIVERSE: N_("For the fediverse handle %(name)s."),
    # Translators: the profile of a person at another site: "For the profile ann on Instagram."
    AccountKind.PROFILE: N_("For the profile %(name)s on %(place)s."),
}


@dataclass(frozen=True)
class Told:
    """What one account was taken for, for a template."""

    sentence: str
    """In English, with the places %(name)s and %(place)s."""
    name: str
    place: str


@dataclass(frozen=True)
class Typed:
    """What was typed, and the accounts that it was taken for."""

    text: str = ""
    accounts: tuple[str, ...] = ()
    more: int = 0
    """Accounts beyond those."""

    @classmethod
    def of(cls, text: str, accounts: list[str]) -> "Typed":
        """What a form held, as far as it is told back; a text that is an account's own name is kept with it alone."""
        own = len(accounts) == 1 and accounts[0].partition(":")[2] in {text, text.removeprefix("@")}
        told = _fitting(accounts)
        return cls("" if own else text, tuple(accounts[:told]), len(accounts) - told)

    @property
    def again(self) -> str:
        """What was typed for one account, to be filled in again."""
        return self.text or (self.accounts[0].partition(":")[2] if self.accounts else "")

    def told(self, policy: Policy) -> list[Told]:
        """Each account as it is told back."""
        return [_told(each, policy) for each in self.accounts]

    def name_at(self, policy: Policy) -> str:
        """What was typed, where it may be somebody's name and not a user name; "" where not."""
        namespace = policy.portal.namespace
        return self.again if len(self.accounts) == 1 and like_a_name(self.accounts[0], namespace) else ""


def sealed(request: Request, token: str, typed: Typed) -> str:
    """The token of a receipt, and behind it what was typed."""
    plain = orjson.dumps([typed.text, typed.accounts, typed.more])
    plain += b" " * (-len(plain) % _BLOCK)
    told = seal(_key(desk(request)), plain, context=token.encode())
    return token + _written(told)


def opened(at: Desk, token: str) -> tuple[str, Typed]:
    """A receipt's own token, and what was typed where anything stands behind it.

    Raises:
        IdentityError: where that does not hold.
    """
    token, told = token[:TOKEN_LENGTH], token[TOKEN_LENGTH:]
    if not told:
        return token, Typed()
    try:
        whole = base64.b64decode(told + "=" * (-len(told) % 4), altchars=b"-_", validate=True)
    except ValueError:
        whole = b""
    if len(whole) < _LEAST or _written(whole) != told:
        raise IdentityError(_DAMAGED)
    text, accounts, more = orjson.loads(unseal(_key(at), whole, context=token.encode()))
    return token, Typed(text, tuple(accounts), more)


def _fitting(accounts: Sequence[str]) -> int:
    """How many of the accounts there is room for."""
    sizes = accumulate(len(each.encode()) for each in accounts[1:_MOST])
    return min(len(accounts), 1) + sum(size <= _ROOM for size in sizes)


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _told(account: str, policy: Policy) -> Told:
    taken = taken_for(account, policy.portal.namespace)
    return Told(_SENTENCES[taken.kind], taken.name, taken.place or name_of(policy))


def _key(at: Desk) -> bytes:
    return derived(at.keys, "typed")
