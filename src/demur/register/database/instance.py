"""The instance: what says that a register, a corpus, versions, keys and a mark belong together.

Invariants: `demur init` alone begins an instance; a register holds its id, its incarnation and a check value of every
key, which tells nobody anything about the key; a restore begins the next incarnation, so that what was left behind
is refused where the two meet.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

import orjson
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import IdentityError
from demur.identity import Keys
from demur.register.database import state

_STATE: Final = "instance"
_RESTORING: Final = "restoring"
"""Set while a restore replays a journal, so that one which was cut off is told from a register in use."""
_ID_BYTES: Final = 16
_CHECK_BYTES: Final = 16


@dataclass(frozen=True)
class Instance:
    """One workspace's identity, as its register holds it."""

    id: str
    """32 random hexadecimal digits, the same for as long as the workspace lives."""
    incarnation: int
    """1 from `demur init` on; each restore counts one up."""
    checks: Mapping[str, str]
    """For each key by its file's name, a value that only this key gives, in hexadecimal."""

    @classmethod
    def begin(cls, keys: Keys) -> Self:
        """A new instance with these keys."""
        name = secrets.token_hex(_ID_BYTES)
        return cls(name, 1, _checks(name, keys))

    def next(self) -> Self:
        """The incarnation after this one."""
        return replace(self, incarnation=self.incarnation + 1)

    @property
    def origin(self) -> str:
        """What its checkpoints name the log by: a restore begins another one, as what it lost is missing there."""
        return self.origins[-1]

    @property
    def origins(self) -> list[str]:
        """What they named it by so far."""
        return [f"demur/{self.id}/{number}" for number in range(1, self.incarnation + 1)]

    def with_log(self, keys: Keys) -> Self:
        """The instance, with a check value of the log's key."""
        return replace(self, checks=_checks(self.id, keys))

    def but_log(self) -> Self:
        """The instance, which says nothing of the log's key."""
        return replace(self, checks={name: check for name, check in self.checks.items() if name != "log"})

    def with_log_check(self, check: str) -> Self:
        """The instance, with another check value of the log's key."""
        return replace(self, checks={**self.checks, "log": check})

    def log_check(self, key: Ed25519PrivateKey) -> str:
        """The check value of a key of the log."""
        return self.log_check_of(key.public_key().public_bytes_raw())

    def log_check_of(self, public: bytes) -> str:
        """The check value of a key of the log, of which the public half is known: 32 bytes."""
        return _check(_message(self.id), public)

    def require(self, keys: Keys, where: str) -> None:
        """Make sure that these are the keys of this instance.

        Args:
            keys: the keys at hand.
            where: what the instance is of, for the sentence.

        Raises:
            IdentityError: naming the first key that is another one.
        """
        given = _checks(self.id, keys)
        wrong = next((name for name, check in self.checks.items() if given.get(name) != check), None)
        if wrong is not None:
            missing = "" if wrong in given else "missing, and a new one would be "
            raise IdentityError(
                f"keys/{wrong}.key is {missing}not the key that {where} was made with: nothing was changed; "
                "restore the keys that belong to this workspace from your backup."
            )


def read(connection: sa.Connection) -> Instance | None:
    """The register's instance; None in one that was made before there were any."""
    stored = state.read(connection, _STATE)
    return None if stored is None else Instance(**orjson.loads(stored))


def write(connection: sa.Connection, instance: Instance) -> None:
    """Put the instance into the register."""
    state.write(connection, _STATE, orjson.dumps(asdict(instance)).decode())


def restoring(connection: sa.Connection) -> bool:
    """Whether a restore was cut off in this register."""
    return state.read(connection, _RESTORING) is not None


def set_restoring(connection: sa.Connection, *, under_way: bool) -> None:
    """Note that a restore begins, or that it is done."""
    if under_way:
        state.write(connection, _RESTORING, "1")
    else:
        state.remove(connection, _RESTORING)


def _checks(name: str, keys: Keys) -> dict[str, str]:
    """For each key its check value: HMAC-SHA-256 (RFC 2104) under the key; of keys that sign, their public half."""
    message = _message(name)
    checks = {
        "pepper": hmac.digest(keys.pepper.secret, message, "sha256")[:_CHECK_BYTES].hex(),
        "sealing": hmac.digest(keys.sealing, message, "sha256")[:_CHECK_BYTES].hex(),
        "signing": _public(message, keys.signing),
    }
    return checks if keys.log is None else checks | {"log": _public(message, keys.log)}


def _message(name: str) -> bytes:
    return b"demur/key-check/" + name.encode()


def _public(message: bytes, key: Ed25519PrivateKey) -> str:
    return _check(message, key.public_key().public_bytes_raw())


def _check(message: bytes, public: bytes) -> str:
    return hashlib.sha256(message + public).digest()[:_CHECK_BYTES].hex()
