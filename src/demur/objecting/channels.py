"""How an objection came, and what that shows of whose it is."""

import re
import secrets
from enum import StrEnum
from typing import Final

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
