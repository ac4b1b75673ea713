"""Where a model comes from: the state of the register, and a salted root over the people whose rows it saw.

The root is that of a manifest: a tree in which the key decides the place, under a salt of its own (subjects.py). So
whoever holds an account can be shown, with one proof, that they are in a model or that they are not, and proofs of two
models can't be joined.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from demur.canonical import JSON
from demur.identity import SubjectKeys
from demur.register import Head, Register
from demur.runs.facts import AsOf
from demur.versions.placing import big_endian
from demur.versions.sorting import Records, as_strings
from demur.versions.subjects import SALT_BYTES, Proof, bits_for, digests_of, prove, subjects_root


@dataclass(frozen=True)
class Roots:
    """The people of a model, as others may see them."""

    people: int
    """How many subject keys."""
    root: str
    """Of the tree over them, lowercase hexadecimal."""
    bits: int
    """That number the tree's buckets."""
    salt: str
    """32 random bytes, lowercase hexadecimal."""

    def facts(self) -> dict[str, JSON]:
        """As JSON."""
        return {"people": self.people, "root": self.root, "bits": self.bits, "salt": self.salt}

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """From what :meth:`facts` said.

        Raises:
            KeyError, TypeError, ValueError: when it is something else.
        """
        return cls(int(said["people"]), str(said["root"]), int(said["bits"]), str(said["salt"]))


def roots_of(keys: SubjectKeys, salt: bytes | None = None) -> Roots:
    """The root over people's keys, shape (n,), sorted and once each.

    Args:
        keys: of whom.
        salt: 32 bytes; random ones unless an earlier root is made again.
    """
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    digests, bits = _sorted_digests(salt, keys), bits_for(len(keys))
    return Roots(len(keys), subjects_root([digests], bits).hex(), bits, salt.hex())


def proof_of(keys: SubjectKeys, roots: Roots, key: int) -> tuple[Proof, bytes]:
    """The proof that somebody is among the people of a model, or is not, and their digest (subjects.holds)."""
    salt = bytes.fromhex(roots.salt)
    digest = digests_of(salt, big_endian(np.array([key], np.int64))).tobytes()
    return prove([_sorted_digests(salt, keys)], roots.bits, [digest])[1][0], digest


def as_of(register: Register, head: Head | None = None) -> AsOf:
    """Where a register stands now, or stood at an earlier ``head``."""
    head = register.log.head() if head is None else head
    return AsOf(head.seq, head.binding, commitments_digest(register, head.seq))


def commitments_digest(register: Register, seq: int) -> str:
    """SHA-256 over the commitments of the register's entries up to ``seq``, in hexadecimal."""
    digest = hashlib.sha256()
    for entry in register.log.entries():
        if entry.seq > seq:
            break
        digest.update(entry.commitment)
    return digest.hexdigest()


def _sorted_digests(salt: bytes, keys: SubjectKeys) -> Records:
    digests = digests_of(salt, big_endian(keys))
    return digests[np.argsort(as_strings(digests))] if len(digests) else digests
