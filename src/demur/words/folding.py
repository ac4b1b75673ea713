"""Folded words of one text and where they stand: what :mod:`demur.words.batch` does for many, spelt out.

A *token* is a run of characters of words, with a connector between two of them (``O'Brien``, ``Anne-Marie``,
``ann.lee``, ``night_owl``), cut where a script without spaces begins or ends. Its *plain* words are the parts between
connectors, and each letter of a script without spaces. *Further* words (ALSO) are other readings of places that plain
words hold: parts joined (``obrien``), letters that were set apart (``s t e v e``), a word in look-alike letters.

Invariants: plain words are in order and disjoint; a word begins and ends between two characters as a reader sees them
(UAX #29), so that a mask in its place cuts none; the words of a token depend on the token alone; whatever the length of
the text, the time is linear.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final

from demur.words.classes import ALONE, CONNECTOR, LETTER, VIRAMAS, WORD, packed
from demur.words.letters import LONGEST, folds
from demur.words.shapes import (
    FARTHEST,
    LEAST_SPACED,
    LONGEST_TOKEN,
    SHORT,
    Piece,
    Shape,
    opens,
    separates,
    shape_of,
    spaced_runs,
    spaced_shape,
)

__all__ = ["Piece", "Shape", "fold", "fold_name", "fold_word"]

_MOST_PARTS: Final = 4
"""Up to so many joined parts every run of them is read as one word; of more, all, and all but the first or last."""
_JOINERS: Final = "\u200c\u200d"

_SIGNED: Final = re.compile(r"([\x00-\x7f])[-._]\1", re.DOTALL)
"""A sign within a name between two letters of it that are set apart."""
_LOOKALIKE: Final = Shape.ALSO | Shape.LOOKALIKE

Token = tuple[int, int, tuple[Piece, ...]]
"""Where a token is in its text, and its words, whose offsets count from there."""


def fold(text: str) -> tuple[Piece, ...]:
    """All words of a text, by place and last."""
    places = (place for start, end in _tokens(text) for place in _shortened(text, start, end))
    tokens = [(start, end, pieces) for start, end in places if (pieces := fold_word(text[start:end]))]
    found: list[Piece] = []
    number, before, short = 0, 0, False
    for at, (start, end, pieces) in enumerate(tokens):
        between = text[before:start]
        apart = separates(_classes(between), len(between), short=short)
        opening = at == 0 or opens(_classes(between), gap=apart)
        found += (_moved(piece, start, number, apart or at == 0, opening) for piece in pieces)
        plain = [piece for piece in pieces if not piece.further]
        number, before, short = number + len(plain), end, plain[-1].end - plain[-1].start <= SHORT
    found += _spaced(text, tokens, found)
    return tuple(sorted(found, key=lambda piece: (piece.place, piece.last)))


def fold_word(raw: str) -> tuple[Piece, ...]:
    """The words of one token: its plain ones and the further ones, by place and last; () if it holds no word.

    Offsets are code points of ``raw``, numbers count from 0 there; the first plain word has no gap and does not open.
    """
    if raw.isascii() and raw.isalnum():
        return (Piece(raw.lower(), 0, len(raw), shape_of(raw, raw.lower())),)
    plain, groups, lookalikes = _plain(raw)
    further = [*_joined(raw, plain, groups), *lookalikes]
    return tuple(sorted(plain + further, key=lambda piece: (piece.place, piece.last))) if further else tuple(plain)


def fold_name(written: str) -> str:
    """All plain words of a spelling as one: the fold under which a joined or connected form of it is found."""
    if written.isascii() and written.isalnum():
        return written.lower()
    return "".join(piece.folded for piece in fold(written) if not piece.further)


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    """Where the tokens of a text are."""
    begin, before, classes = None, 0, packed()
    for at, character in enumerate(text):
        found = classes[ord(character)]
        joins = begin is not None and _joins(text, at, found)
        inside = found & WORD or joins
        cut = (found & ALONE and (at == 0 or ord(text[at - 1]) not in VIRAMAS)) or (found & LETTER and before & ALONE)
        if begin is not None and (not inside or cut):
            yield begin, at
            begin = None
        if begin is None and inside:
            begin = at
        before = found
    if begin is not None:
        yield begin, len(text)


def _shortened(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A token, or what is between its connectors where it is too long to be one."""
    if len(text[start:end].encode()) <= LONGEST_TOKEN:
        yield start, end
        return
    runs = groupby(range(start, end), key=lambda at: bool(packed()[ord(text[at])] & CONNECTOR))
    for connected, places in runs:
        if not connected:
            run = list(places)
            yield run[0], run[-1] + 1


def _joins(text: str, at: int, found: int) -> bool:
    """Whether a character is a connector between two words."""
    classes = packed()
    return bool(
        found & CONNECTOR
        and classes[ord(text[at - 1])] & WORD
        and at + 1 < len(text)
        and classes[ord(text[at + 1])] & WORD
    )


def _classes(between: str) -> int:
    classes, found = packed(), 0
    for character in between:
        found |= classes[ord(character)]
    return found


def _moved(piece: Piece, start: int, number: int, gap: bool, opening: bool) -> Piece:  # noqa: FBT001  # the two facts of a token
    first = piece.place == 0
    return piece._replace(
        start=piece.start + start,
        end=piece.end + start,
        gap=gap if first else piece.gap,
        opens=opening and first,
        place=piece.place + number,
        last=piece.last + number,
    )


def _plain(raw: str) -> tuple[list[Piece], list[int], list[Piece]]:
    """The plain words of a token, for each the number of its group (words that only connectors join); their lookalikes.

    A lookalike is the second reading of a word whose letters allow two.
    """
    plain: list[Piece] = []
    groups: list[int] = []
    lookalikes: list[Piece] = []
    group, joined, before, short = 0, True, 0, False
    for start, end, alone in _parts(raw):
        ways, first, stop, shape = _part(raw[start:end], alone=alone)
        if not ways:
            continue
        gap = bool(plain) and _set_apart(raw[before : start + first], short=short)
        group += alone or not joined
        joined, before, short = not alone, start + stop, stop - first <= SHORT
        piece = Piece(ways[0], start + first, before, shape, gap, place=len(plain), last=len(plain))
        lookalikes += (piece._replace(folded=way, shape=shape | _LOOKALIKE) for way in ways[1:])
        plain.append(piece)
        groups.append(group)
    return plain, groups, lookalikes


def _part(raw: str, *, alone: bool) -> tuple[tuple[str, ...], int, int, int]:
    """The folds of a part of a token, where what is seen of it begins and ends, and its shape."""
    return _known_part(raw, alone) if len(raw) <= LONGEST else _new_part(raw, alone)


def _new_part(raw: str, alone: bool) -> tuple[tuple[str, ...], int, int, int]:  # noqa: FBT001  # the cache's key
    first, stop = _visible(raw)
    ways = folds(raw[first:stop]) if first < stop else ()
    return ways, first, stop, Shape.ALONE if alone or not ways else shape_of(raw[first:stop], ways[0])


_known_part = lru_cache(maxsize=1 << 14)(_new_part)


def _set_apart(between: str, *, short: bool) -> bool:
    """Whether words of one token are no neighbours, by what stands between them: one connector, or nothing seen."""
    return bool(between) and separates(_classes(between), sum(map(_seen_between, between)), short=short)


def _seen_between(character: str) -> bool:
    return not packed()[ord(character)] & WORD


def _parts(raw: str) -> Iterator[tuple[int, int, bool]]:
    """Where a token is cut: at connectors, and where a script without spaces begins or ends; whether it is of one."""
    classes = packed()
    begin, alone = 0, False
    for at, character in enumerate(raw):
        found = classes[ord(character)]
        starts_alone = bool(found & ALONE) and (at == 0 or ord(raw[at - 1]) not in VIRAMAS)
        if not found & WORD or starts_alone or (alone and found & LETTER):
            if begin < at:
                yield begin, at, alone
            begin = at if found & WORD else at + 1
            alone = starts_alone
    if begin < len(raw):
        yield begin, len(raw), alone


def _visible(raw: str) -> tuple[int, int]:
    """Where a part begins without what goes on with the character before it, and ends without what is not seen."""
    start, end, classes = 0, len(raw), packed()
    while start < end and not _begins(raw[start]):
        start += 1
    while end > start and classes[ord(raw[end - 1])] == WORD and not _extends(raw[end - 1]):
        end -= 1
    return start, end


def _begins(character: str) -> bool:
    """Whether a word may begin with it: whatever only goes on with what stands before belongs to that."""
    return bool(packed()[ord(character)] & (LETTER | ALONE)) or character.isalnum()


def _extends(character: str) -> bool:
    """Whether it belongs to the character before it (UAX #29: Extend, ZWJ, SpacingMark, Hangul's rules)."""
    return (
        character in _JOINERS
        or character.isalnum()
        or unicodedata.category(character)[0] == "M"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _joined(raw: str, plain: Sequence[Piece], groups: Sequence[int]) -> Iterator[Piece]:
    """Parts that connectors join, read as one word."""
    for _, members in groupby(plain, key=lambda piece: groups[piece.place]):
        group = list(members)
        spaced = all(piece.shape & Shape.SINGLE for piece in group)
        runs = spaced_runs(len(group)) if spaced else _part_runs(len(group))
        for first, end in runs:
            yield from _one(raw, group[first:end], spaced=spaced)


def _part_runs(parts: int) -> Iterator[tuple[int, int]]:
    """Which runs of so many parts are read as one word, as (first, end)."""
    if parts <= _MOST_PARTS:
        yield from ((first, end) for first in range(parts) for end in range(first + 2, parts + 1))
    elif parts <= LONGEST:
        yield from ((0, parts), (0, parts - 1), (1, parts), (1, parts - 1))


def _one(raw: str, parts: Sequence[Piece], *, spaced: bool) -> Iterator[Piece]:
    """A run of parts as one word, if it is one that somebody may be called by."""
    written = "".join(raw[piece.start : piece.end] for piece in parts)
    if len(written) > LONGEST or all(piece.shape & Shape.DIGITS for piece in parts):
        return
    for folded in folds(written):
        shape = spaced_shape(written, folded)
        yield _over(parts[0], parts[-1], folded, shape if spaced else shape & ~Shape.SPACED)


def _over(first: Piece, last: Piece, folded: str, shape: int) -> Piece:
    """A further word over the places of plain ones."""
    return Piece(folded, first.start, last.end, shape, first.gap, first.opens, first.place, last.place)


def _spaced(text: str, tokens: Sequence[Token], plain: Sequence[Piece]) -> Iterator[Piece]:
    """Single letters that stand apart by one and the same thing, read as one word."""
    by_start = {piece.start: piece for piece in plain if not piece.further}
    for run in _letter_runs(text, tokens):
        for first, end in spaced_runs(len(run)):
            within = [tokens[at] for at in run[first:end]]
            one, other = (by_start[start + pieces[0].start] for start, _, pieces in (within[0], within[-1]))
            written = "".join(text[start:stop] for start, stop, _ in within)
            yield from (_over(one, other, folded, spaced_shape(written, folded)) for folded in folds(written))


def _letter_runs(text: str, tokens: Sequence[Token]) -> Iterator[range]:
    """Runs of tokens that are a letter or a digit each, with one and the same thing between any two neighbours."""
    apart = [_apart(text, *pair) for pair in pairwise(tokens)]
    for between, members in groupby(range(len(apart)), key=apart.__getitem__):
        if between:
            pairs = list(members)
            run = range(pairs[0], pairs[-1] + 2)
            if sum(tokens[at][2][0].shape & Shape.SINGLE > 0 for at in run) >= LEAST_SPACED:
                yield run


def _apart(text: str, left: Token, right: Token) -> str:
    """What stands between two single letters or digits; "" where they are none, or stand far from each other.

    A sign within a name has the same on both of its sides, and stands for one of them: ``n i g h t _ o w l``.
    """
    between = text[left[1] : right[0]]
    if not (_is_single(text, left) and _is_single(text, right) and len(between.encode()) <= FARTHEST):
        return ""
    return between[0] if _SIGNED.fullmatch(between) else between


def _is_single(text: str, token: Token) -> bool:
    """Whether a token is one letter, or one of the digits 0 to 9."""
    start, stop, pieces = token
    digit = stop - start == 1 and text[start:stop].isascii()
    return len(pieces) == 1 and bool(pieces[0].shape & Shape.SINGLE or (digit and pieces[0].shape & Shape.DIGITS))
