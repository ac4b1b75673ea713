"""Sealed personal details: what names a person is kept under a key of their own, so that erasing the key erases it.

Invariants: an account has one random 256-bit key, wrapped by the workspace's sealing key; a person's keys are those
of their accounts. Linking merges two people by that rule alone and unlinking parts them again: no detail is ever
sealed anew, none is readable with the other side's key, and destroying the keys of one side leaves the other's
details intact. The profile an import brings has a fresh key each time, which lies beside it and is destroyed with
the account's. Everything is AES-256-GCM under a random 96-bit nonce (NIST SP 800-38D, which allows 2^32 seals under
one key: four billion accounts), bound to the subject key and to what it is, so that no sealed value can be put in
another's place. What people said is sealed as :func:`plain` writes it, whatever they said.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from demur.identity import KEY_BYTES, seal, unseal
from demur.register.database.records import JSON

_NONCE_BYTES: Final = 12


class FreshKey(NamedTuple):
    """A new key and its wrapped form."""

    cipher: AESGCM
    wrapped: bytes


class Vault:
    """Wraps and opens keys, and seals with them; holds the workspace's sealing key."""

    def __init__(self, sealing: bytes) -> None:
        self._sealing = sealing
        self._wrapper = AESGCM(sealing)
        self._digest_key = hmac.digest(sealing, b"demur/digest", "sha256")

    def fresh(self, subject: int) -> FreshKey:
        """A random key for one account, wrapped."""
        noise = os.urandom(_NONCE_BYTES + KEY_BYTES)
        nonce, key = noise[:_NONCE_BYTES], noise[_NONCE_BYTES:]
        return FreshKey(AESGCM(key), nonce + self._wrapper.encrypt(nonce, key, _context("key", subject)))

    def put(self, cipher: AESGCM, plain: bytes, what: str, subject: int) -> bytes:
        """Seal under a key that is at hand; the same form as :func:`demur.identity.seal`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, plain, _context(what, subject))

    def seal(self, wrapped: bytes, plain: bytes, what: str, subject: int) -> bytes:
        """Seal under a wrapped key."""
        return seal(self._unwrap(wrapped, subject), plain, context=_context(what, subject))

    def open(self, wrapped: bytes, sealed: bytes, what: str, subject: int) -> bytes:
        """What was sealed.

        Raises:
            IdentityError: under another key, for another account, or when a byte was changed.
        """
        return unseal(self._unwrap(wrapped, subject), sealed, context=_context(what, subject))

    def seal_apart(self, plain: bytes, what: str, *bound: str | bytes) -> bytes:
        """Seal what leaves the register and only this workspace opens, bound to what it is and what it is about."""
        return seal(self._apart(what), plain, context=_bound(what, bound))

    def open_apart(self, sealed: bytes, what: str, *bound: str | bytes) -> bytes:
        """What :meth:`seal_apart` sealed.

        Raises:
            IdentityError: of another workspace, about something else, or when a byte was changed.
        """
        return unseal(self._apart(what), sealed, context=_bound(what, bound))

    def _apart(self, what: str) -> bytes:
        return hashlib.sha256(f"demur/{what}".encode() + self._sealing).digest()

    def digest(self, plain: bytes) -> bytes:
        """A keyed digest, 16 bytes: tells whether something changed, and nobody without the key what it says."""
        return hashlib.blake2b(plain, key=self._digest_key, digest_size=16).digest()

    def mark(self, subject: int, facts: Sequence[object], profile: bytes) -> int:
        """A keyed digest of a member, int64: tells whether a row is the one that was imported, and nothing else.

        Args:
            subject: the subject key.
            facts: region, birth year, told on and imported consent, as their columns have them.
            profile: what is sealed with them.
        """
        said = f"mark\0{subject}\0{[int(each) if isinstance(each, bool) else each for each in facts]}\0".encode()
        return int.from_bytes(self.digest(said + profile)[:8], "little", signed=True)

    def _unwrap(self, wrapped: bytes, subject: int) -> bytes:
        return unseal(self._sealing, wrapped, context=_context("key", subject))


def _context(what: str, subject: int) -> bytes:
    return f"demur/{what}/{subject}".encode()


def _bound(what: str, bound: Sequence[str | bytes]) -> bytes:
    parts = (part.encode() if isinstance(part, str) else part for part in (what, *bound))
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def plain(value: JSON) -> bytes:
    """A value as JSON, UTF-8: half a surrogate pair becomes a question mark, nothing is refused."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses strings that are no UTF-8
        return orjson.dumps(_readable(value))


def _readable(value: JSON) -> JSON:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {str(_readable(name)): _readable(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_readable(each) for each in value]
    return value
