"""Bits of pictures under the pepper: permuted, and some of them turned around, so that distances stay.

Invariants: any two values differ in as many bits under a key as without it; the same pepper and purpose give the same
key for ever (a golden file holds it); a key is made of HMAC-SHA-256 (RFC 2104) alone.

What this protects from: whoever gets hold of the fingerprints alone cannot compare them with pictures of their own, nor
with fingerprints of another workspace, nor with a public list of PDQ hashes. What it does not protect from: whoever
holds the pepper; whoever can have a few hundred pictures of their own fingerprinted and see the results, since from
such pairs a permutation is solved for; and what distances themselves say, such as that two fingerprints show the same.
It is no encryption, therefore fingerprints are sealed at rest besides.
"""

import hmac
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from demur.identity import Pepper
from demur.looks.pdq import Bits

BITS: Final = 256


@dataclass(frozen=True)
class BitKey:
    """Keys values of 256 bits; hashable, and pickled as the secret and the purpose alone."""

    secret: bytes = field(repr=False)
    """The pepper's 32 bytes."""
    purpose: str
    """What the bits are: values of two purposes are never comparable."""

    def __post_init__(self) -> None:
        Pepper(self.secret)  # says what is wrong with a secret that is none

    def __reduce__(self) -> tuple[type["BitKey"], tuple[bytes, str]]:
        return BitKey, (self.secret, self.purpose)

    def keyed(self, values: Bits) -> Bits:
        """The values under the key, shape (..., 32) as they came."""
        order, mask = self._order_and_mask
        bits = np.unpackbits(np.ascontiguousarray(values), axis=-1)
        return np.packbits(bits[..., order], axis=-1) ^ mask

    @cached_property
    def _order_and_mask(self) -> tuple[npt.NDArray[np.int64], Bits]:
        """Which bit stands in each place, and which are turned around."""
        drawn = [self._draw(f"place {bit}")[:8] for bit in range(BITS)]
        order = np.argsort(np.frombuffer(b"".join(drawn), ">u8"), kind="stable")
        return order, np.frombuffer(self._draw("mask"), np.uint8)

    def _draw(self, what: str) -> bytes:
        return hmac.digest(self.secret, f"bits of {self.purpose}; {what}".encode(), "sha256")
