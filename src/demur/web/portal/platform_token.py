"""The platform's word on who is signed in: a JSON Web Token that its backend signs (RFC 7519, RFC 8037).

Invariants: the algorithm is EdDSA and the key an Ed25519 public key out of a file, whatever a token's header says
(RFC 8725, 3.1); a token is for this portal alone, is valid for at most ten minutes, and has an id by which it can be
spent once; a clock may be off by a minute.
"""

import functools
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.types import Options

from demur.errors import IdentityError, WorkspaceError
from demur.policy import Policy
from demur.register.members.people import identify
from demur.workspace import Workspace

LONGEST: Final = timedelta(minutes=10)
"""From `iat` to `exp`."""
SKEW: Final = timedelta(seconds=60)
"""What the clocks of the platform and the portal may differ by."""

_ALGORITHMS: Final = ("EdDSA",)
_REQUIRED: Final = ("aud", "exp", "iat", "jti", "sub")
_LONGEST_TOKEN: Final = 4096
_LONGEST_ID: Final = 200
_REFUSED: Final = "This sign-in link does not hold: go back to the page that you came from and click again."


@dataclass(frozen=True)
class Visitor:
    """Who the platform says is signed in."""

    account: str
    """Canonical, ``namespace:value``."""
    digest: bytes
    """SHA-256 of the token's id, under which it is spent."""
    until: datetime
    """From when on the token is refused anyway."""


def signed_in(workspace: Workspace, policy: Policy, token: str) -> Visitor:
    """Who a token says is signed in.

    Raises:
        IdentityError: for a token that does not hold, whatever the cause, and where no platform's key is configured.
        WorkspaceError: when the key that demur.toml names can't be read.
    """
    if not policy.portal.platform_key or not 0 < len(token) <= _LONGEST_TOKEN:
        raise IdentityError(_REFUSED)
    claims = _claims(token, public_key(workspace.root / policy.portal.platform_key), policy.portal.url)
    expires = datetime.fromtimestamp(_lifetime(claims), UTC)
    name, number = claims["sub"], claims["jti"]
    if not isinstance(name, str) or not isinstance(number, str) or not 0 < len(number) <= _LONGEST_ID:
        raise IdentityError(_REFUSED)
    return Visitor(
        identify(name, policy.accounts.names),
        hashlib.sha256(f"jti\0{number}".encode(errors="replace")).digest(),
        expires + SKEW,
    )


def _claims(token: str, key: Ed25519PublicKey, audience: str) -> Mapping[str, object]:
    options: Options = {"require": list(_REQUIRED), "strict_aud": True, "verify_sub": True, "verify_jti": True}
    try:
        found: Mapping[str, object] = jwt.decode(
            token, key, algorithms=list(_ALGORITHMS), audience=audience, leeway=SKEW, options=options
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise IdentityError(_REFUSED) from None
    return found


def _lifetime(claims: Mapping[str, object]) -> float:
    """When it expires, in seconds since 1970; a token that says no times, or too long ones, does not hold."""
    times = claims["iat"], claims["exp"]
    issued, expires = (
        float(each) if isinstance(each, int | float) and not isinstance(each, bool) else math.nan for each in times
    )
    if not 0 < expires - issued <= LONGEST.total_seconds():
        raise IdentityError(_REFUSED)
    return expires


def public_key(path: Path) -> Ed25519PublicKey:
    """The platform's key, read again when its file changes.

    Raises:
        WorkspaceError: when it can't be read, or is no Ed25519 public key.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, TypeError, ValueError, UnsupportedAlgorithm):
        message = f"{path} is no PEM file with an Ed25519 public key: correct portal.platform_key in demur.toml."
        raise WorkspaceError(message) from None


@functools.lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Ed25519PublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError
    return key
