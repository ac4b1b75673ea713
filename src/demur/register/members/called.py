"""By which words members are or were called: keyed, for whoever asks whom of a thread a given name may mean.

Invariants: the words of a member's given names and of the handle of their account, as keys (words/keys.py), are added
to with each import and never taken away (ADR 0031): who was renamed is still called by the old name in old threads, and
so nothing that speaks against a find is lost. They survive an erasure; they say nothing without the pepper. The stored
form is sorted little-endian int64.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.identity import Pepper, SubjectKeys
from demur.people.context import Pairs, no_pairs, pairs
from demur.people.names import NameRole, read_name
from demur.register.database import bulk
from demur.register.database.tables import member
from demur.spelling import MAIL
from demur.words.folding import fold_name
from demur.words.keys import WordKeys

_NAMELESS: Final = frozenset({MAIL, "person", "tel"})
"""Namespaces whose identifiers nobody is called by: addresses, numbers, random values."""
_CALLING: Final = frozenset({NameRole.GIVEN, NameRole.SINGLE, NameRole.HANDLE, NameRole.NICK})
_MEMO: Final = 300_000
"""Words and names that are remembered: some 60 MB at most."""
_KEY_BYTES: Final = 8


def handle_of(account: str) -> str | None:
    """The account, where its identifier is a name that people write; None for addresses, numbers and random values."""
    namespace, _, value = account.partition(":")
    named = namespace not in _NAMELESS and any(map(str.isalpha, value.lstrip("@").partition("@")[0]))
    return account if named else None


class Calling:
    """Keys the words by which members are called; what a word gives is remembered, as names repeat."""

    def __init__(self, pepper: Pepper) -> None:
        self._keys = WordKeys(pepper.secret)
        self._words: dict[str, bytes] = {}

    def words(self, account: str, names: Iterable[str], locale: str | None) -> bytes:
        """The words by which a member is called, in the stored form.

        Args:
            account: canonical.
            names: display, real and former names.
            locale: BCP 47.
        """
        called = [word for name in names for word in _given(name, locale)]
        handle = handle_of(account)
        if handle is not None:
            called.append(handle.partition(":")[2].lstrip("@").partition("@")[0])
        return b"".join(sorted({self._key(word) for word in called} - {b""}, key=_number))

    def _key(self, word: str) -> bytes:
        """The key of a word, or nothing."""
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _MEMO:
                self._words.clear()
            folded = fold_name(word)
            known = self._words[word] = self._keys.keys([folded]).astype("<i8").tobytes() if folded else b""
        return known


def _given(name: str, locale: str | None) -> Iterable[str]:
    spoken = (locale[:2].lower(),) if locale else ()
    return (part.text for part in read_name(name, spoken).parts if part.role in _CALLING)


def _number(key: bytes) -> int:
    return int.from_bytes(key, "little")


def joined(first: bytes, second: bytes) -> bytes:
    """What two stored forms say together."""
    if first == second or not second:
        return first
    both = {value[at : at + _KEY_BYTES] for value in (first, second) for at in range(0, len(value), _KEY_BYTES)}
    return b"".join(sorted(both, key=_number))


def bears(connection: sa.Connection, subjects: SubjectKeys | Sequence[int]) -> Pairs:
    """Subject and word, of some people: the words by which each is or was called, as members say."""
    here = (bulk.among(connection, member.c.key, subjects), member.c.bears.is_not(None))
    rows = [
        (int(key), bytes(value))
        for key, value in connection.execute(sa.select(member.c.key, member.c.bears).where(*here))
    ]
    if not rows:
        return no_pairs()
    words: npt.NDArray[np.int64] = np.frombuffer(b"".join(value for _, value in rows), "<i8").astype(np.int64)
    sizes = [len(value) // _KEY_BYTES for _, value in rows]
    return pairs(np.repeat(np.array([key for key, _ in rows], np.int64), sizes), words)
