"""Phone numbers as countries have and write them: ``phonenumbers`` decides which digits are one.

Invariant: what is answered for a piece of text depends on that piece and a country alone.
"""

import re
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

DIGITS: Final = 7
"""The fewest digits of a number found, prefixes counted; the gate relies on it."""
MOST_DIGITS: Final = 15  # E.164, section 6
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
_LISTED: Final = 3
"""Groups from which digits may be a list."""

_NORTH_AMERICAN: Final = re.compile(r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}")
_PLAIN_NORTH_AMERICAN: Final = re.compile(
    r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ .-]|[2-9][0-9]{2}([.-])[2-9][0-9]{2}\1)[0-9]{4}"
)
_RUSSIAN: Final = re.compile(r"8[ -]?(?:\([3489][0-9]{2}\)|[3489][0-9]{2})[ -]?[0-9]{3}-[0-9]{2}-[0-9]{2}")
_BRAZILIAN: Final = re.compile(r"\([1-9]{2}\) ?9?[0-9]{4}-[0-9]{4}")
_AREA_CODE: Final = re.compile(r"(?:\(0[1-9][0-9]{0,4}\) ?| ?0[1-9][0-9]{1,4} ?[/-] ?)[0-9]{2,}(?:[ -][0-9]{2,})*")
_TRUNK: Final = re.compile(r"0[1-9][0-9]{0,4}(?: [0-9]{2,}){1,4}|0[1-9](?:([ .-])[0-9]{2})(?:\1[0-9]{2}){3}")
_LANDLINE: Final = 9
"""Digits, trunk prefix included, that a national number has at least where nothing else speaks for it."""
_LONGEST_EIGHT: Final = 11
"""Digits of a number behind the trunk prefix 8, with it."""
_PADDED: Final = 3

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


def groups_of(piece: str) -> list[str]:
    """The digits of a number, as signs and spaces set them apart."""
    return [group for group in _NOT_DIGIT.split(piece) if group]


def digits_of(piece: str) -> str:
    """The digits of a number."""
    return _NOT_DIGIT.sub("", piece)


def _parse(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def international(number: str, *, in_use: bool = True) -> bool:
    """Whether ``+`` and digits are a number: of a range that is in use, or only of a possible length."""
    if not DIGITS < len(number) <= MOST_DIGITS + 1:
        return False
    parsed = _parse(number, None)
    if parsed is None:
        return False
    if in_use:
        return phonenumbers.is_valid_number(parsed)
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


@lru_cache(maxsize=4096)
def speaks_for_itself(piece: str) -> bool:
    """Whether the format alone tells a phone number, and it is one in a country that writes so."""
    if _PLAIN_NORTH_AMERICAN.fullmatch(piece):
        return valid_in(piece, "US")
    if _RUSSIAN.fullmatch(piece):
        return valid_in(piece, "RU")
    if _BRAZILIAN.fullmatch(piece):
        return valid_in(piece, "BR")
    if len(digits_of(piece)) < _LANDLINE or _is_list(piece):
        return False
    if _AREA_CODE.fullmatch(piece):
        return any(valid_in(piece, region) for region in _LOOSE_REGIONS)
    return bool(_TRUNK.fullmatch(piece)) and any(
        valid_in(piece, region) and _grouped_as_in(piece, region) for region in _TRUNK_REGIONS
    )


def _is_list(piece: str) -> bool:
    """Whether its groups follow each other (01 02 03 04 05), or each begins with a 0 (0644 0755 0600)."""
    groups = groups_of(piece)
    if len(groups) < _LISTED:
        return False
    padded = all(group.startswith("0") and len(group) >= _PADDED for group in groups)
    return padded or all(int(after) - int(before) == 1 for before, after in pairwise(groups))


def valid_anywhere(piece: str) -> bool:
    """Whether it is valid in any of the countries whose people one is told to call."""
    return any(valid_in(piece, region) for region in _ANYWHERE)


@lru_cache(maxsize=4096)
def is_written(piece: str, region: str, *, alone: bool) -> bool:
    """Whether it is valid in ``region`` and written as there: in one piece with its trunk prefix, alone, or mobile."""
    if _is_list(piece) or not valid_in(piece, region):
        return False
    if piece.isdigit():
        trunk = piece.startswith("0") or (region in _EIGHT and piece.startswith("8") and len(piece) >= _LONGEST_EIGHT)
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
    usual = groups_of(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
    length = len(digits_of(piece))
    ends = {length - end for end in accumulate(map(len, reversed(usual)))}
    return {length - end for end in accumulate(map(len, reversed(groups_of(piece))))} <= ends | {0}


@lru_cache(maxsize=16384)
def valid_in(piece: str, region: str) -> bool:
    """Whether the number is valid when dialled in ``region`` and written as there, trunk prefix included."""
    parsed = _parse(piece, region)
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return False
    digits = digits_of(piece)
    if region in _TRUNK_NEEDED and not digits.startswith("0"):
        return False
    national = digits_of(phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL))
    international = digits_of(phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
    if digits in {national, "1" + national} or (digits.startswith("0") and digits.endswith(international)):
        return True
    return region in _TRUNK_DROPPED and digits == phonenumbers.national_significant_number(parsed)
