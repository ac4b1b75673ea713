"""Keyed hashes of folded words.

Invariants: a word leaves as the first 63 bits of ``HMAC-SHA-256(pepper, "word " + folded)`` (demur.identity), so that
only whoever holds the pepper can say which word a key is; the message holds no colon, as every account and item does,
so that no word's key is an account's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from demur.identity import Pepper, SubjectKeys

Keys = SubjectKeys
"""Keys of words, int64 from 0, shape (n,)."""


@dataclass(frozen=True)
class WordKeys:
    """Keys words under one secret; hashable, and pickled as the secret alone."""

    secret: bytes = field(repr=False)
    """The pepper's 32 bytes."""

    def __post_init__(self) -> None:
        Pepper(self.secret)  # says what is wrong with a secret that is none

    def keys(self, folded: Iterable[str]) -> Keys:
        """The keys of folded words, in their order."""
        return Pepper(self.secret).spelt_keys(f"word {word}" for word in folded)
