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
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from demur.kernel.identifiers.hits import MASKS, Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.kernel.identifiers.words import CALLED, INSTRUCTION, OTHER, REACH, SPOKEN, UNIT, before

DIGITS: Final = 7
"""The fewest digits of a number found, prefixes counted; the gate relies on it."""
SEPARATORS: Final = 3
SEPARATOR_SIGNS: Final = " .()/-"
"""How many characters may stand between two digits, and which; the gate relies on it."""
_MOST_DIGITS: Final = 15  # E.164, section 6
_INTERNATIONAL_PREFIX: Final = 2  # 00

_CANDIDATE: Final = re.compile(
    rf"[(+0-9](?<![{SPACED}+].)(?:(?<=[(+])[ (+]{{0,2}}[0-9])?"
    rf"(?:[{SEPARATOR_SIGNS}]{{0,{SEPARATORS}}}[0-9]){{{DIGITS - 1},20}}(?![{SPACED}])"
)
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")

_CLOCK: Final = r"[ T._/-]{0,3}[0-2]?[0-9](?:[ .:_-]?[0-5][0-9]){0,2}[ .]?"
_DATE: Final = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-./ ])[01]?[0-9]\1[0-3]?[0-9]|[0-3]?[0-9]([-./ ])[0-3]?[0-9]\2(?:19|20)[0-9]{2})(?![0-9])"
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
_LOOSE: Final = re.compile(r" {2}|[ (]-[0-9]|\. | [.]|/")
"""Between the columns of a table, before a negative number, at a sentence's end, in a ratio."""
_NUMBER_BEFORE: Final = re.compile(r"([0-9]+)[ \t]{1,4}\Z")
_NUMBER_BEHIND: Final = re.compile(r"[ \t]{1,4}[-+]?([0-9]+)")
_LISTED: Final = 3
"""Groups from which digits may be a list."""
_LONG: Final = 3
"""Digits from which a number beside another makes a row of numbers."""
_HEX_BESIDE: Final = re.compile(r"[ \t][0-9A-Fa-f]{2}(?![0-9A-Za-z])")
_HEX_BEFORE: Final = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}|[0-9a-f]{4,8}:?)[ \t]\Z")

_NORTH_AMERICAN: Final = re.compile(r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}")
_PLAIN_NORTH_AMERICAN: Final = re.compile(
    r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-]|[2-9][0-9]{2}([.-])[2-9][0-9]{2}\1)[0-9]{4}"
)
_RUSSIAN: Final = re.compile(r"8[ -]?(?:\([3489][0-9]{2}\)|[3489][0-9]{2})[ -]?[0-9]{3}-[0-9]{2}-[0-9]{2}")
_BRAZILIAN: Final = re.compile(r"\([1-9]{2}\) ?9?[0-9]{4}-[0-9]{4}")
_AREA_CODE: Final = re.compile(r"(?:\(0[1-9][0-9]{0,4}\) ?| ?0[1-9][0-9]{1,4} ?[/-] ?)[0-9]{2,}(?:[ -][0-9]{2,})*")
_TRUNK: Final = re.compile(r"0[1-9][0-9]{0,4}(?: [0-9]{2,}){1,4}|0[1-9](?:([ .-])[0-9]{2})(?:\1[0-9]{2}){3}")
_SPACED_GROUPS: Final = 3
"""Groups, country code included, that make an international number of a range that is not in use."""
_LANDLINE: Final = 9
"""Digits, trunk prefix included, that a national number has at least where nothing else speaks for it."""
_LOCAL: Final = 10
"""Digits from which a number in one piece may be meant where somebody is to be called."""

_TRUNK_REGIONS: Final = tuple(
    "DE GB FR IT NL AT CH BE SE IE AU JP TR KR IL UA FI RO ZA NZ PK ID HR RS SI SK BG PH VN MY TH TW EG NG KE".split()  # noqa: SIM905
)
"""Countries whose numbers are written with a leading 0 and often without a country code."""
_LOOSE_REGIONS: Final = ("DE", "AT", "CH", "NL", "BE", "SE", "GB", "FR", "IE", "AU", "JP", "TR", "KR", "UA", "IL", "ID")
"""Those among them where one sets off the area code by a sign of one's choice."""
_OTHER_REGIONS: Final = tuple("US ES PT PL CZ HU GR NO DK RU IN CN BR MX AR AE SA SG HK LT LV EE".split())  # noqa: SIM905
_ANYWHERE: Final = (*_TRUNK_REGIONS, *_OTHER_REGIONS)
"""Where a number may be valid that somebody is told to call."""

_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_TRUNK_NEEDED: Final = frozenset(_TRUNK_REGIONS) - {"IT"}
_TRUNK_DROPPED: Final = frozenset({"BY", "IN", "KZ", "RU", "UA"})
"""Countries where people leave the trunk prefix out when they write a number down."""
_EIGHT: Final = frozenset({"BY", "KZ", "RU"})
"""Countries whose trunk prefix is 8."""
_ALSO: Final = re.compile(r"[0-9]{3}([ -])[0-9]{3}\1[0-9]{3}|[0-9]{3} [0-9]{2} [0-9]{3}")
"""How nine digits are often written, and Norway's eight, whatever the grouping that ``phonenumbers`` knows."""


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
        if _is_number(before(text, here, *done), piece, text[behind : behind + REACH], region):
            return Hit(here, behind, Category.PHONE, None)
    return None


def _readings(candidate: str) -> Iterator[tuple[int, int]]:
    yield 0, len(candidate)
    if " " in candidate:
        yield 0, candidate.rindex(" ")
        yield candidate.index(" ") + 1, len(candidate)


def _is_number(said: str, piece: str, behind: str, region: str | None) -> bool:
    digits = _digits(piece)
    if "+" in piece:
        return _is_international(said, piece, behind)
    if not DIGITS <= len(digits) <= _MOST_DIGITS or piece.count("(") != piece.count(")") or UNIT.match(behind):
        return False
    if _DATE.search(piece) or _SHORT_DATE.fullmatch(piece) or _is_decimal(piece):
        return False
    if CALLED.search(said):
        return not _AFTER_NONE.match(behind)
    if _is_part(said, behind) or _is_ordinary(piece) or OTHER.search(said):
        return False
    if piece.startswith("00"):
        beside = _HEX_BEFORE.search(said) or _HEX_BESIDE.match(behind) or _in_row(said, piece, behind)
        return not beside and _international("+" + digits[_INTERNATIONAL_PREFIX:])
    return _is_national(said, piece, behind, region)


def _is_international(said: str, piece: str, behind: str) -> bool:
    """Whether a candidate with a ``+`` is a number, not an offset, a time zone or a sum."""
    if _AFTER_PLUS.match(behind) or UNIT.match(behind) or (piece.count(".") == 1 and " " not in piece):
        return False
    number = "+" + _digits(piece)
    if _international(number):
        return True
    spoken = SPOKEN.search(said) or len(_groups(piece)) >= _SPACED_GROUPS
    return bool(spoken) and "." not in piece and _international(number, in_use=False)


def _is_national(said: str, piece: str, behind: str, region: str | None) -> bool:
    """Whether a candidate is a number of ``region`` or of whatever country, by what speaks for it."""
    if SPOKEN.search(said) and _is_called(piece, region) and not (_is_short(piece) and INSTRUCTION.search(said)):
        return True
    if _in_row(said, piece, behind):
        return False
    if _speaks_for_itself(piece):
        return True
    return region is not None and _is_written(piece, region, alone=_is_alone(said, behind))


def _is_called(piece: str, region: str | None) -> bool:
    """Whether somebody who is told to call may be told these digits."""
    if region and _valid_in(piece, region):
        return True
    if len(_digits(piece)) <= DIGITS:
        return False
    return any(_valid_in(piece, other) for other in _ANYWHERE)


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
    """Whether dots in it are decimal points."""
    return (
        "." in piece and not _DOTTED.fullmatch(_DIGITS_AND_DOTS.sub("", piece)) and not _SLASH_DOTTED.fullmatch(piece)
    )


_DIGITS_AND_DOTS: Final = re.compile(r"\A\([0-9]{2,5}\) ?")


def _is_ordinary(piece: str) -> bool:
    """Whether it is written as other numbers are and phone numbers are not."""
    return bool(_LOOSE.search(piece) and not piece.lstrip("(").startswith("0")) or bool(
        _SEVERAL_SINGLE.search(piece)
        or "  " in piece
        or " -" in piece.replace(" - ", "")
        or _THOUSANDS.fullmatch(piece)
        and "." in piece
    )


def _in_row(said: str, piece: str, behind: str) -> bool:
    """Whether it stands among numbers, as in a table."""
    first, last = (len(group) for group in (_groups(piece)[0], _groups(piece)[-1]))
    left, right = _NUMBER_BEFORE.search(said), _NUMBER_BEHIND.match(behind)
    return any(
        len(match[1]) >= _LONG or len(match[1]) == near
        for match, near in ((left, first), (right, last))
        if match is not None
    )


def _groups(piece: str) -> list[str]:
    return [group for group in _NOT_DIGIT.split(piece) if group]


def _digits(piece: str) -> str:
    return _NOT_DIGIT.sub("", piece)


def _parse(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _international(number: str, *, in_use: bool = True) -> bool:
    """Whether ``+`` and digits are a number: of a range that is in use, or only of a possible length."""
    if not DIGITS < len(number) <= _MOST_DIGITS + 1:
        return False
    parsed = _parse(number, None)
    if parsed is None:
        return False
    if in_use:
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


@lru_cache(maxsize=4096)
def _speaks_for_itself(piece: str) -> bool:
    """Whether the format alone tells a phone number, and it is one in a country that writes so."""
    if _PLAIN_NORTH_AMERICAN.fullmatch(piece):
        return _valid_in(piece, "US")
    if _RUSSIAN.fullmatch(piece):
        return _valid_in(piece, "RU")
    if _BRAZILIAN.fullmatch(piece):
        return _valid_in(piece, "BR")
    if len(_digits(piece)) < _LANDLINE or _is_list(piece):
        return False
    if _AREA_CODE.fullmatch(piece):
        return any(_valid_in(piece, region) for region in _LOOSE_REGIONS)
    return bool(_TRUNK.fullmatch(piece)) and any(
        _valid_in(piece, region) and _grouped_as_in(piece, region) for region in _TRUNK_REGIONS
    )


def _is_list(piece: str) -> bool:
    """Whether its groups follow each other (01 02 03 04 05), or each begins with a 0 (0644 0755 0600)."""
    groups = _groups(piece)
    if len(groups) < _LISTED:
        return False
    padded = all(group.startswith("0") and len(group) >= _LONG for group in groups)
    return padded or all(int(after) - int(before) == 1 for before, after in pairwise(groups))


@lru_cache(maxsize=4096)
def _is_written(piece: str, region: str, *, alone: bool) -> bool:
    """Whether it is valid in ``region`` and written as there: in one piece with its trunk prefix, alone, or mobile."""
    if _is_list(piece) or not _valid_in(piece, region):
        return False
    if piece.isdigit():
        trunk = piece.startswith("0") or (region in _EIGHT and piece.startswith("8") and len(piece) > _LOCAL)
        if len(piece) < _LANDLINE:
            return alone and len(piece) > DIGITS and _is_mobile(piece, region)
        return alone or trunk or _is_mobile(piece, region)
    if region in {"US", "CA"}:
        return piece.startswith("011") or bool(_NORTH_AMERICAN.fullmatch(piece))
    if piece.lstrip("(").startswith("0"):
        return True
    return bool(_ALSO.fullmatch(piece)) or _grouped_as_in(piece, region)


def _is_mobile(piece: str, region: str) -> bool:
    """Whether it may be a mobile number, which people write in one piece more often than any other."""
    parsed = _parse(piece, region)
    return parsed is not None and phonenumbers.number_type(parsed) in _MOBILE


def _grouped_as_in(piece: str, region: str) -> bool:
    """Whether groups end only where the country's own way of writing ends one."""
    parsed = _parse(piece, region)
    if parsed is None:
        return False
    usual = _groups(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
    length = len(_digits(piece))
    ends = {length - end for end in accumulate(map(len, reversed(usual)))}
    return {length - end for end in accumulate(map(len, reversed(_groups(piece))))} <= ends | {0}


@lru_cache(maxsize=16384)
def _valid_in(piece: str, region: str) -> bool:
    """Whether the number is valid when dialled in ``region`` and written as there, trunk prefix included."""
    parsed = _parse(piece, region)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return False
    digits = _digits(piece)
    if region in _TRUNK_NEEDED and not digits.startswith("0"):
        return False
    national = _digits(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
    international = _digits(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    if digits in {national, "1" + national} or (digits.startswith("0") and digits.endswith(international)):
        return True
    return region in _TRUNK_DROPPED and digits == phonenumbers.national_significant_number(parsed)
