"""Doing what was asked once, however often it is sent (draft-ietf-httpapi-idempotency-key-header).

Invariants: the answer is remembered in the transaction that made the change, so that no crash parts them; the same
key with another request is refused, and never answered with what another caller's request came to; what failed is
not remembered, and may be tried again with the same key.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Request

from demur.errors import DemurError
from demur.register import Register
from demur.web.problems import KeyReusedError, Problem

T = TypeVar("T")

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r'("?)([\x21\x23-\x7e]{1,255})\1')
"""Bare, or between quotes as the draft writes it; a quote on one side alone is no key."""


@dataclass(frozen=True)
class Once:
    """A request that is to be done once."""

    key: bytes
    """SHA-256 of the caller, the route and the key."""
    request: bytes
    """SHA-256 of what was sent."""

    def part(self, number: int) -> "Once":
        """A part of it that is done in a transaction of its own."""
        return Once(hashlib.sha256(self.key + number.to_bytes(4, "big")).digest(), self.request)


def do_once(
    register: Register, items: Sequence[tuple[Once, T]], do: Callable[[Sequence[T]], Sequence[str | DemurError]]
) -> list[str | DemurError]:
    """Do many things that are each to be done once: the answer to each, of the first time where there was one.

    Args:
        register: in one transaction with what ``do`` does.
        items: what is to be done.
        do: does those that are new, and gives an answer or an error for each; errors are not remembered.
    """
    known = register.sessions.answered_all(each.key for each, _ in items)
    new = {each.key: (each, item) for each, item in reversed(items) if each.key not in known}  # the first of each key
    fresh = dict(zip(new, do([item for _, item in new.values()]) if new else [], strict=True))
    done = {key: (new[key][0].request, answer) for key, answer in fresh.items() if isinstance(answer, str)}
    register.sessions.remember_all((key, *answer) for key, answer in done.items())
    return [_answer(each, (known | done).get(each.key)) or fresh[each.key] for each, _ in items]


def _answer(each: Once, known: tuple[bytes, str] | None) -> str | DemurError | None:
    if known is None:
        return None
    if known[0] != each.request:
        return KeyReusedError("This Idempotency-Key came before with another request: make a new one for each.")
    return known[1]


def once(request: Request, body: bytes) -> Once | None:
    """What a request says about being done once; None where it says nothing.

    Raises:
        Problem: for a key that is none.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return None
    read = _KEY.fullmatch(given.strip())
    if read is None:
        raise Problem("malformed", f"{HEADER} takes up to 255 letters, digits and signs, for instance a UUID.")
    key = f"{request.state.caller}\0{request.url.path}\0{read[2]}"
    return Once(hashlib.sha256(key.encode()).digest(), hashlib.sha256(body).digest())
