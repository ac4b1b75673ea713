"""Phone numbers (ITU-T E.164), told from other numbers by how they are written and what stands around them.

``phonenumbers`` decides whether digits are a number of a country. Besides, a candidate is found

- written internationally (``+49 30 ...``, ``0049 30 ...``): everywhere;
- right behind a word for a telephone (``Tel.:``): whatever its digits;
- in a line that talks of a telephone or of calling: where it is valid in some country;
- with the author's region: where it is valid there and written as people write it there;
- else: in a format that speaks for itself (``(415) 555-0132``, ``030 / 901820``, ``01 23 45 67 89``).

Dates, decimals, ranges, prices, sizes, and numbers in a row of numbers are none; nor is what a word before it calls
an order, a bug, a block and so on. Invariant: what was found counts as masked for what follows it, so that one pass
over a list of numbers finds what the next passes would.
"""

import re
from collections.abc import Iterator
from typing import Final

from demur.kernel.identifiers.hits import MASKS, Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.kernel.identifiers.national import (
    DIGITS,
    MOST_DIGITS,
    digits_of,
    groups_of,
    international,
    is_written,
    speaks_for_itself,
    valid_anywhere,
    valid_in,
)
from demur.kernel.identifiers.words import CALLED, CLOSE, INSTRUCTION, OTHER, REACH, SPOKEN, UNIT, before
from demur.patterns import lazily

SEPARATORS: Final = 3
SEPARATOR_SIGNS: Final = " .()/-"
"""How many characters may stand between two digits, and which; the gate relies on it."""
_INTERNATIONAL_PREFIX: Final = 2  # 00

_CANDIDATE: Final = lazily(
    rf"[(+0-9](?<![{SPACED}+].)(?:(?<=[(+])[ (+]{{0,2}}[0-9])?"
    rf"(?:[{SEPARATOR_SIGNS}]{{0,{SEPARATORS}}}[0-9]){{{DIGITS - 1},20}}(?![{SPACED}])"
)

_CLOCK: Final = r"[ T._/-]{0,3}[0-2]?[0-9](?:[ .:_-]?[0-5][0-9]){0,2}[ .]?"
_DATE: Final = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-./ ])[01]?[0-9]\1[0-3]?[0-9]"
    r"|[0-3]?[0-9]([-./ ])[0-3]?[0-9]\2(?:19|20)[0-9]{2})(?![0-9])"
)
_SHORT_DATE: Final = re.compile(
    rf"(?:(?:19|20)[0-9]{{2}}[01][0-9][0-3][0-9]|[0-3]?[0-9]([-./])[0-3]?[0-9]\1[0-9]{{2}})(?:{_CLOCK})?"
)
"""A date without separators, or with a year of two digits, alone or with a time."""
_BEFORE_NONE: Final = re.compile(r"[/=#$€£¥%_*^~-]|(?<=[0-9])[.,:]")
_AFTER_NONE: Final = re.compile(r"[_=+*]|[:.,/-][0-9A-Za-z]")
_AFTER_PLUS: Final = re.compile(r"[_=]|[.,:][0-9]")
_DOTTED: Final = re.compile(r"[0-9]{2,}(?:\.[0-9]{2,}){2,}|1(?:\.[0-9]{3}){2}\.[0-9]{4}")
"""Groups between dots, as in 06.39.98.12.34."""
_SLASH_DOTTED: Final = re.compile(r"0[0-9]{2,3}/[0-9]{2,3}(?:\.[0-9]{2}){2}")
_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}(?:([ .])[0-9]{3})(?:\1[0-9]{3})+")
_SEVERAL_SINGLE: Final = re.compile(r"(?:\A|[^0-9])[0-9](?=[^0-9])(?:.*[^0-9])?[0-9](?:[^0-9]|\Z)")
_COLUMNS: Final = re.compile(r" {2}")
_LOOSE: Final = re.compile(r"[ (]-[0-9]|\. | [.]|/")
"""Before a negative number, at a sentence's end, in a ratio."""
_BRACKETED: Final = re.compile(r"\A\([0-9]{2,5}\) ?")
_POSTCODE: Final = re.compile(r"[0-9]{5}-[0-9]{4}|0[0-9]{3} [0-9]{4}")
"""As in the United States, or twice four digits, as of a code point."""
_IN_ORDER: Final = "01234567890123456789"
_LARGEST: Final = frozenset({"2147483647", "2147483648", "4294967295", "4294967296"})
"""The ends of the ranges of 32 bits, which are numbers of Dallas and its like, too."""
_NUMBER_BEFORE: Final = re.compile(r"([0-9]+)[ \t]{1,12}\Z")
_NUMBER_BEHIND: Final = re.compile(r"[ \t]{1,12}[-+]?([0-9]+)")
_WORD_BEFORE: Final = re.compile(r"(?:\A|[^\W\d_]{2,}[:,.]?) \Z|\A\Z|\n\Z|[^\W\d_]:\Z")
_WORD_BEHIND: Final = re.compile(r"[.,;:!?)]*(?:\s|\Z)")
"""What stands beside a number within a sentence, not within code."""
_SPACED_GROUPS: Final = 3
"""Groups, country code included, that make an international number of a range that is not in use."""
_LOCAL: Final = 10
"""Digits from which a number in one piece may be meant where somebody is to be called."""
_SPACE: Final = 2
"""Spaces, and a sign, up to which two numbers stand beside each other in one column."""
_LONG: Final = 3
"""Digits from which a number beside another makes a row of numbers."""
_HEX_BESIDE: Final = re.compile(r"[ \t][0-9A-Fa-f]{2}(?![0-9A-Za-z])")
_HEX_BEFORE: Final = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}|[0-9a-f]{4,8}:?)[ \t]\Z")


def phones(text: str, region: str | None) -> Iterator[Hit]:
    """The phone numbers of a folded text, whose author lives in ``region`` (ISO 3166-1 alpha-2)."""
    at = taken = 0
    masked = ""
    while match := _CANDIDATE.search(text, at):
        hit = _number(text, match.start(), match.end(), region, (masked, taken))
        if hit:
            yield hit
            masked = before(text, hit.start, masked, taken) + MASKS[Category.PHONE]
            taken = hit.end
        at = hit.end if hit else match.end()


def _number(text: str, start: int, end: int, region: str | None, done: tuple[str, int]) -> Hit | None:
    """The first reading of a candidate that is a number: whole, or without its last or its first group."""
    candidate = text[start:end]
    for begin, stop in _readings(candidate):
        piece = candidate[begin:stop].rstrip(" .(/-")
        here = start + begin
        if piece.startswith("(") and ")" not in piece:
            here, piece = here + 1, piece[1:]
        behind = here + len(piece)
        if "+" not in piece and _is_something_else(piece):
            continue
        if _is_number(before(text, here, *done), piece, text[behind : behind + REACH], region):
            return Hit(here, behind, Category.PHONE, None)
    return None


def _readings(candidate: str) -> Iterator[tuple[int, int]]:
    yield 0, len(candidate)
    if " " in candidate:
        yield 0, candidate.rindex(" ")
        yield candidate.index(" ") + 1, len(candidate)


def _is_number(said: str, piece: str, behind: str, region: str | None) -> bool:
    """Whether a piece of a text is a phone number, by what it is made of and what stands before and behind it."""
    if "+" in piece:
        return _is_international(said, piece, behind)
    if UNIT.match(behind):
        return False
    if CALLED.search(said):
        return not _AFTER_NONE.match(behind)
    if _is_part(said, behind) or _is_ordinary(piece) or OTHER.search(said):
        return False
    if piece.startswith("00"):
        beside = _HEX_BEFORE.search(said) or _HEX_BESIDE.match(behind) or _in_row(said, piece, behind)
        return not beside and international("+" + digits_of(piece)[_INTERNATIONAL_PREFIX:])
    return _is_national(said, piece, behind, region)


def _is_something_else(piece: str) -> bool:
    """Whether it can't be dialled, whatever is said of it: too short or too long, a date, a decimal."""
    if not DIGITS <= len(digits_of(piece)) <= MOST_DIGITS or piece.count("(") != piece.count(")"):
        return True
    return bool(_DATE.search(piece) or _SHORT_DATE.fullmatch(piece)) or _is_decimal(piece)


def _is_international(said: str, piece: str, behind: str) -> bool:
    """Whether a candidate with a ``+`` is a number, not an offset, a time zone or a sum."""
    if _AFTER_PLUS.match(behind) or (piece.count(".") == 1 and " " not in piece):
        return False
    number, grouped = "+" + digits_of(piece), len(groups_of(piece)) >= _SPACED_GROUPS
    if UNIT.match(behind) and (not grouped or _THOUSANDS.fullmatch(piece.lstrip("+ "))):
        return False
    if international(number):
        return True
    if UNIT.match(behind):
        return False
    spoken = SPOKEN.search(said) or grouped
    return bool(spoken) and "." not in piece and international(number, in_use=False)


def _is_national(said: str, piece: str, behind: str, region: str | None) -> bool:
    """Whether a candidate is a number of ``region`` or of whatever country, by what speaks for it."""
    if SPOKEN.search(said) and _is_called(said, piece, region):
        return True
    if _in_row(said, piece, behind):
        return False
    if speaks_for_itself(piece):
        return True
    if region is None or (piece.isdigit() and not (_WORD_BEFORE.search(said) and _WORD_BEHIND.match(behind))):
        return False
    return is_written(piece, region, alone=_is_alone(said, behind))


def _is_called(said: str, piece: str, region: str | None) -> bool:
    """Whether somebody who is told to call may be told these digits."""
    if region and valid_in(piece, region):
        return True
    if len(digits_of(piece)) <= DIGITS or (_is_short(piece) and (INSTRUCTION.search(said) or not CLOSE.search(said))):
        return False
    return valid_anywhere(piece)


def _is_short(piece: str) -> bool:
    """Whether it is in one piece, without a trunk prefix, and shorter than such numbers are in large countries."""
    return piece.isdigit() and not piece.startswith("0") and len(piece) < _LOCAL


def _is_alone(said: str, behind: str) -> bool:
    """Whether a line holds nothing else."""
    return not said.rpartition("\n")[2].strip() and not behind.partition("\n")[0].strip(" .,;!?")


def _is_part(said: str, behind: str) -> bool:
    """Whether what surrounds the digits makes them a price, a path, a range or an id."""
    return bool(_BEFORE_NONE.match(said, len(said) - 1) if said else None) or bool(_AFTER_NONE.match(behind))


def _is_decimal(piece: str) -> bool:
    """Whether dots in it are decimal points, or set thousands off."""
    if "." not in piece:
        return False
    dotted = _DOTTED.fullmatch(_BRACKETED.sub("", piece)) and not _THOUSANDS.fullmatch(piece)
    return not dotted and not _SLASH_DOTTED.fullmatch(piece)


def _is_ordinary(piece: str) -> bool:
    """Whether it is written as other numbers are and phone numbers are not."""
    if _POSTCODE.fullmatch(piece) or piece in _IN_ORDER or piece in _LARGEST:
        return True
    if _COLUMNS.search(piece) or " -" in piece.replace(" - ", "") or _SEVERAL_SINGLE.search(piece):
        return True
    return bool(_LOOSE.search(piece)) and not piece.lstrip("(").startswith("0")


def _in_row(said: str, piece: str, behind: str) -> bool:
    """Whether it stands among numbers, as in a table."""
    first, last = (len(group) for group in (groups_of(piece)[0], groups_of(piece)[-1]))
    left, right = _NUMBER_BEFORE.search(said), _NUMBER_BEHIND.match(behind)
    return any(
        len(match[1]) == near or len(match[1]) >= _LONG or len(match[0]) - len(match[1]) > _SPACE
        for match, near in ((left, first), (right, last))
        if match is not None
    )
