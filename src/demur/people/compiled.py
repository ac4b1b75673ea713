"""What is kept of a name: the keys of the words in which it may stand in a text, and what each of them says.

Invariants: no letter of a name is in it, only keyed hashes of words, so that it may outlive the person's erasure; equal
names under equal keys give equal bytes; a byte form of an earlier version is read for ever (golden file in the tests).

Byte form, little-endian: version (1), number of tokens; then of each token its role, its part, its flags and the number
of its keys, one byte each; then all keys, int64, in the order of the tokens.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, Self

from demur.errors import IdentityError
from demur.people.inflect import Forms, forms
from demur.people.joined import joined_forms
from demur.people.lexicon import is_common
from demur.people.locale import languages_of
from demur.people.names import Name, NameRole, Part, read_handle, read_name
from demur.words.keys import WordKeys

_VERSION: Final = 1
_HEAD: Final = struct.Struct("<BB")
_TOKEN: Final = struct.Struct("<BBBB")
_KEY_BYTES: Final = 8
_MOST: Final = 255
"""Of tokens of a name, and of keys of a token: one byte counts them."""
_MEMO: Final = 300_000
"""Parts whose keys a compiler remembers: some 150 MB at most."""
_FLAGS: Final = 4
"""Bits of the flags in a number that holds a role, too."""
_ALL_FLAGS: Final = (1 << _FLAGS) - 1
_WORD: Final = 2
_INFLECTED: Final = 1
"""The values of FormFlag.WORD and FormFlag.INFLECTED."""
_INITIALLED: Final = frozenset({NameRole.GIVEN, NameRole.MIDDLE, NameRole.SURNAME})
"""A lone letter stands for a part only beside another part."""
_BEHIND: Final = {NameRole.JOINED: 0, NameRole.GIVEN: 1, NameRole.SURNAME: 2}
"""The number of what is joined, less that of all parts: two given names are a part of their own, and so is obrien."""
_TOO_NEW: Final = "A compiled name was written by a later demur: update this one."
_DAMAGED: Final = "A compiled name is damaged: restore the register from your backup."


class FormFlag(IntFlag):
    """What weakens a form; the numbers are stored and never change."""

    INFLECTED = 1
    """Another case than the name as it is spelt."""
    WORD = 2
    """People write it in lower case, too, in some language."""
    ABBREVIATED = 4
    """Joined from an initial and a name: smiller."""


@dataclass(frozen=True)
class Token:
    """Words that say the same of one part of a name."""

    role: NameRole
    part: int
    """The number of the part; of what is joined of several, a number behind those of all parts."""
    flags: FormFlag
    keys: tuple[int, ...]
    """Keys of the folded words, sorted, one or more."""


@dataclass(frozen=True)
class Compiled:
    """One spelling of a name, keyed; without tokens it names nobody."""

    tokens: tuple[Token, ...]

    def to_bytes(self) -> bytes:
        """The byte form."""
        heads = [_TOKEN.pack(token.role, token.part, token.flags, len(token.keys)) for token in self.tokens]
        keys = [key for token in self.tokens for key in token.keys]
        return b"".join((_HEAD.pack(_VERSION, len(self.tokens)), *heads, struct.pack(f"<{len(keys)}q", *keys)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What :meth:`to_bytes` wrote.

        Raises:
            IdentityError: for a later version, or a damaged one.
        """
        try:
            return cls(tuple(_tokens(data)))
        except (struct.error, ValueError):
            raise IdentityError(_DAMAGED) from None


def _tokens(data: bytes) -> Iterator[Token]:
    version, count = _HEAD.unpack_from(data)
    if version != _VERSION:
        raise IdentityError(_TOO_NEW)
    heads = [_TOKEN.unpack_from(data, _HEAD.size + number * _TOKEN.size) for number in range(count)]
    at = _HEAD.size + count * _TOKEN.size
    if len(data) != at + _KEY_BYTES * sum(head[3] for head in heads):
        raise IdentityError(_DAMAGED)
    for role, part, flags, size in heads:
        keys = struct.unpack_from(f"<{size}q", data, at)
        yield Token(NameRole(role), part, FormFlag(flags), keys)
        at += size * _KEY_BYTES


_Kinds = tuple[tuple[NameRole, FormFlag, tuple[int, ...]], ...]
"""Tokens of a part before it has a number."""


class Compiler:
    """Compiles many names under one key; what a part gives is remembered, since names repeat."""

    def __init__(self, keys: WordKeys) -> None:
        self._keys = keys
        self._memo: dict[tuple[Part, tuple[str, ...]], tuple[tuple[str, ...], _Kinds]] = {}

    def name(self, spelling: str, languages: Sequence[str] = ()) -> Compiled:
        """A declared spelling; without ``languages`` its letters and endings tell them."""
        spoken = tuple(languages) or languages_of(spelling)
        return self._compiled(read_name(spelling, spoken), spoken)

    def handle(self, account: str) -> Compiled:
        """The name of an account, ``irc:steve_m91``, as one word."""
        return self._compiled(read_handle(account), ())

    def _compiled(self, name: Name, languages: tuple[str, ...]) -> Compiled:
        known = [self._part(part, languages) for part in name.parts]
        tokens = [Token(role, at, flags, keys) for at, (_, kinds) in enumerate(known) for role, flags, keys in kinds]
        joined = self._keyed(_joined(name, [base for base, _ in known]))
        tokens += [Token(role, len(known) + _BEHIND[role], flags, keys) for role, flags, keys in joined]
        return Compiled(tuple(tokens[:_MOST]))

    def _part(self, part: Part, languages: tuple[str, ...]) -> tuple[tuple[str, ...], _Kinds]:
        place = (part, languages)
        found = self._memo.get(place)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            of_part = forms(part, languages)
            found = self._memo[place] = (of_part.base, self._keyed(_said(part, of_part)))
        return found

    def _keyed(self, said: Iterable[tuple[str, int]]) -> _Kinds:
        """Keys of forms, by what they say: the strongest first."""
        forms_ = list(said)
        by_kind: dict[int, list[int]] = {}
        for (_, kind), key in zip(forms_, self._keys.keys([form for form, _ in forms_]).tolist(), strict=True):
            by_kind.setdefault(kind, []).append(key)
        kinds = ((kind, tuple(sorted(by_kind[kind])[:_MOST])) for kind in sorted(by_kind))
        return tuple((NameRole(kind >> _FLAGS), FormFlag(kind & _ALL_FLAGS), keys) for kind, keys in kinds)


def compile_name(spelling: str, languages: Sequence[str], keys: WordKeys) -> Compiled:
    """One name; for many use one :class:`Compiler`."""
    return Compiler(keys).name(spelling, languages)


def compile_handle(account: str, keys: WordKeys) -> Compiled:
    """The name of one account."""
    return Compiler(keys).handle(account)


def _said(part: Part, of_part: Forms) -> Iterator[tuple[str, int]]:
    """Each form of a part, with its kind: role and flags as one number, since a million names have a score each."""
    role, nick = int(part.role) << _FLAGS, int(NameRole.NICK) << _FLAGS
    for form in of_part.base:
        if len(form) > 1 or part.role is NameRole.PARTICLE:
            yield form, role | _word(form)
    word = _word(of_part.base[0]) if of_part.base else 0
    for form in of_part.inflected:
        yield form, role | word | _word(form) | _INFLECTED
    for form in of_part.nicks:
        yield form, nick | _word(form)
    for form in of_part.nicks_inflected:
        yield form, nick | _word(form) | _INFLECTED
    if part.role in _INITIALLED:
        for letter in sorted({form[0] for form in of_part.base}):
            yield letter, int(NameRole.INITIAL) << _FLAGS


def _joined(name: Name, bases: Sequence[Sequence[str]]) -> Iterator[tuple[str, int]]:
    joined = joined_forms(name, bases)
    abbreviated = NameRole.JOINED << _FLAGS | FormFlag.ABBREVIATED.value
    kinds = NameRole.JOINED << _FLAGS, abbreviated, NameRole.GIVEN << _FLAGS, NameRole.SURNAME << _FLAGS
    for forms_, kind in zip((joined.whole, joined.short, joined.given, joined.surname), kinds, strict=True):
        yield from ((form, int(kind) | _word(form)) for form in forms_)


def _word(form: str) -> int:
    """The flag of a common word."""
    return _WORD if is_common(form) else 0
