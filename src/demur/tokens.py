"""Signed links: what a person may do who holds one, and for how long.

Invariants: a token says one purpose and one number (a subject key, or the number of an entry) and cannot be used for
another; it is an HMAC-SHA-256 (RFC 2104) under a key derived from the workspace's sealing key (HKDF, RFC 5869), so
that only the workspace makes one, without a row in any table; one that need not expire does not. A token in a link
is base64url (RFC 4648, section 5) of 27 or 39 bytes: version, purpose, incarnation, the number, where it expires the
second and a nonce, and the first 16 bytes of the code. A restore numbers entries anew and begins an incarnation
(register/database/instance.py): a token that names an entry says in which one, counted from 0; any other says 0.
"""

import base64
import binascii
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from demur.errors import IdentityError
from demur.identity import KEY_BYTES, Keys

_VERSION: Final = 1
_HEAD: Final = struct.Struct(">BBBQ")
_TAIL: Final = struct.Struct(">I8s")
_CODE_BYTES: Final = 16
_MOST: Final = 255
"""Incarnations after the first that are told apart: nobody restores a workspace so often."""
_NO_TOKEN: Final = "This link is damaged or was not made here: copy all of it, or write to us."  # noqa: S105  # a sentence
_TOO_LATE: Final = "This link has expired: ask for a new one."


class Purpose(IntEnum):
    """What a token is for."""

    OBJECT = 1
    """Object, as the member whose subject key is the number; not to read anything of theirs."""
    CONFIRM = 2
    """Confirm or deny the objection that the entry of that number lodged; withdraw it once it is confirmed."""
    RECEIPT = 3
    """See how that objection stands, and withdraw it."""
    READ = 4
    """See what is held of the member whose subject key is the number: expires, and is used once."""
    ENTER = 5
    """The challenge of a passkey: to join as the member of staff of that number, or with 0 to sign in; expires."""
    VIEW = 6
    """See how that objection stands, and nothing else: what staff have of a receipt."""
    CLAIM = 7
    """See how the claim stands that the entry of that number lodged, and object for the account that it names."""


_OF_ENTRIES: Final = frozenset({Purpose.CONFIRM, Purpose.RECEIPT, Purpose.VIEW, Purpose.CLAIM})
"""Purposes whose number is an entry's."""


@dataclass(frozen=True)
class Token:
    """A token that holds."""

    number: int
    """A subject key, or the number of an entry."""
    incarnation: int
    """In which the entry had the number; 1 for what is no entry's."""
    expires: datetime | None
    digest: bytes
    """SHA-256 of the whole, under which it can be remembered as spent."""


class Tokens:
    """Makes and reads tokens."""

    def __init__(self, secret: bytes, incarnation: int = 1) -> None:
        self._secret = secret
        self._incarnation = incarnation

    @classmethod
    def of(cls, keys: Keys, incarnation: int) -> Self:
        """The tokens of a workspace, whose register is in an incarnation."""
        return cls(derived(keys, "links"), incarnation)

    def make(self, purpose: Purpose, number: int, *, expires: datetime | None = None) -> str:
        """A token: 36 letters, or 52 where it expires (to the second)."""
        since = min(self._incarnation - 1, _MOST) if purpose in _OF_ENTRIES else 0
        body = _HEAD.pack(_VERSION, purpose, since, number)
        if expires is not None:
            body += _TAIL.pack(int(expires.timestamp()), os.urandom(8))
        return base64.urlsafe_b64encode(body + self._code(body)).decode().rstrip("=")

    def read(self, token: str, purpose: Purpose, now: datetime | None = None) -> Token:
        """What a token says.

        Raises:
            IdentityError: if it is damaged, forged, made for another purpose, or has expired.
        """
        whole = _decoded(token)
        body, code = whole[:-_CODE_BYTES], whole[-_CODE_BYTES:]
        if len(body) not in _LENGTHS or not hmac.compare_digest(code, self._code(body)):
            raise IdentityError(_NO_TOKEN)
        version, found, since, number = _HEAD.unpack_from(body)
        if version != _VERSION or found != purpose:
            raise IdentityError(_NO_TOKEN)
        expires = _expiry(body)
        if expires is not None and expires <= (now or datetime.now(UTC)):
            raise IdentityError(_TOO_LATE)
        return Token(number, since + 1, expires, hashlib.sha256(whole).digest())

    def _code(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, "sha256")[:_CODE_BYTES]


_LENGTHS: Final = (_HEAD.size, _HEAD.size + _TAIL.size)


def derived(keys: Keys, label: str) -> bytes:
    """A key of its own for one use, 32 bytes, from the workspace's sealing key (HKDF-SHA-256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"demur/{label}".encode()).derive(keys.sealing)


def _expiry(body: bytes) -> datetime | None:
    if len(body) == _HEAD.size:
        return None
    seconds, _ = _TAIL.unpack_from(body, _HEAD.size)
    return datetime.fromtimestamp(seconds, UTC)


def _decoded(token: str) -> bytes:
    """The bytes of the one spelling of a token."""
    try:
        whole = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise IdentityError(_NO_TOKEN) from None
    if base64.urlsafe_b64encode(whole).decode().rstrip("=") != token:
        raise IdentityError(_NO_TOKEN)
    return whole
