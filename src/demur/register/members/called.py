"""By which words members are or were called: keyed, for whoever asks whom of a thread a given name may mean.

Invariants: the words of a member's given names and of the handle of their account, as keys (words/keys.py), are added
to with each import and never taken away (ADR 0031): who was renamed is still called by the old name in old threads, and
so nothing that speaks against a find is lost. They survive an erasure; they say nothing without the pepper. The stored
form is little-endian int64, one after another, each once, in the order of their bytes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.identity import Pepper, SubjectKeys
from demur.people.context import Pairs, no_pairs, pairs
from demur.people.lexicon import given_names
from demur.register.database import bulk
from demur.register.database.tables import member
from demur.spelling import MAIL
from demur.words.folding import fold_name
from demur.words.keys import WordKeys

_NAMELESS: Final = frozenset({MAIL, "person", "tel"})
"""Namespaces whose identifiers nobody is called by: addresses, numbers, random values."""
_SURNAME_FIRST: Final = frozenset({"hu", "ja", "ko", "vi", "zh"})
_MEMO: Final = 200_000
"""Words that are remembered: some 30 MB."""
_MOST_WORDS: Final = 12
"""Of one name that are read."""
_CONNECTORS: Final = re.compile(r"[\W_]+")
_DIGIT: Final = re.compile(r"\d")
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
        self._folded: dict[str, str] = {}
        self._known: dict[str, bytes] = {}

    def words(
        self, accounts: Iterable[str], names: Iterable[Sequence[str | None] | None], locales: Iterable[str | None]
    ) -> list[bytes]:
        """The words by which some members are called, in the stored form.

        Args:
            accounts: canonical.
            names: of each, display, real and former names.
            locales: of each, BCP 47.
        """
        self._forget()
        rows = [self._called(*row) for row in zip(accounts, names, locales, strict=True)]
        new = list({word for row in rows for word in row} - self._known.keys())
        keys = self._keys.keys(new).astype("<i8").tobytes()
        self._known |= {word: keys[_KEY_BYTES * at : _KEY_BYTES * (at + 1)] for at, word in enumerate(new)}
        known = self._known
        return [b"".join(sorted([known[word] for word in row])) for row in rows]

    def _called(self, account: str, names: Sequence[str | None] | None, locale: str | None) -> set[str]:
        """The folded words of a member.

        Of a name these are, in a rough way that errs towards more, all words but the last; that one, too, where it is
        the only one, where the language has it behind the surname, or where it is known as a given name and the first
        one is not. What holds a digit is nobody's given name.
        """
        fold, found = self._fold, set[str]()
        for name in names or ():
            words = [fold(word) for word in (name or "").split()[:_MOST_WORDS]]
            if len(words) > 1 and not self._whole(words, locale):
                del words[-1]
            found.update(words)
        namespace, _, handle = account.partition(":")
        if namespace not in _NAMELESS:
            found.add(fold(handle.lstrip("@").partition("@")[0]))
        found.discard("")
        return found

    def _whole(self, words: Sequence[str], locale: str | None) -> bool:
        given = given_names()
        return (words[0] not in given and words[-1] in given) or (locale or "")[:2] in _SURNAME_FIRST

    def _fold(self, word: str) -> str:
        """The folded word; nothing of one with a digit in it."""
        known = self._folded.get(word)
        if known is None:
            known = self._folded[word] = folded_word(word)
        return known

    def _forget(self) -> None:
        if len(self._folded) > _MEMO:
            self._folded.clear()
            self._known.clear()


def folded_word(word: str) -> str:
    """What :func:`fold_name` makes of a word, which of most is quickly told; nothing of one with a digit in it."""
    bare = word
    if not word.isascii():
        letters = unicodedata.normalize("NFD", word)
        bare = "".join([letter for letter in letters if not "\u0300" <= letter <= "\u036f"])
    folded = _CONNECTORS.sub("", bare).lower() if bare.isascii() else fold_name(word)
    return "" if _DIGIT.search(folded) else folded


def joined(first: bytes, second: bytes) -> bytes:
    """What two stored forms say together."""
    if first == second or not second:
        return first
    both = {value[at : at + _KEY_BYTES] for value in (first, second) for at in range(0, len(value), _KEY_BYTES)}
    return b"".join(sorted(both))


def bears(connection: sa.Connection, subjects: SubjectKeys | Sequence[int]) -> Pairs:
    """Subject and word, of some people: the words by which each is or was called, as members say."""
    here = (bulk.among(connection, member.c.key, subjects), member.c.bears.is_not(None))
    rows = [(int(key), bytes(value)) for key, value in connection.execute(sa.select(member.c.key, member.c.bears).where(*here))]
    if not rows:
        return no_pairs()
    words: npt.NDArray[np.int64] = np.frombuffer(b"".join(value for _, value in rows), "<i8").astype(np.int64)
    sizes = [len(value) // _KEY_BYTES for _, value in rows]
    return pairs(np.repeat(np.array([key for key, _ in rows], np.int64), sizes), words)
