"""Identifiers made of digits (IBANs, IP addresses, phone numbers): loose patterns find candidates, libraries decide.

IBANs (ISO 13616) by ``python-stdnum``, with structure and check digits of their country; IPv6 (RFC 4291) by the
standard library. A dotted quad is an IPv4 address unless it goes on (``1.2.3.4.5``, ``1.2.3.4-2ubuntu1``), stands
behind ``v``, ``version`` or a package name, or says nothing of anybody (loopback, 0.0.0.0, netmasks).

Phone numbers (ITU-T E.164) by ``phonenumbers``. Written internationally (``+49 30 ...``, ``0049 30 ...``) one is found
everywhere. A national format is found

- with the author's region: where the number is valid there and written with that country's trunk prefix;
- without: where the format speaks for itself (``(212) 555-0123``, ``030 / 901820``, ``01 23 45 67 89``) and the number
  is valid in a country that writes so, or where a word like *tel* stands before it.

Dates, prices, ranges, card numbers and long ids are none.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat
from stdnum import iban, numdb

from demur.kernel.identifiers.hits import Category, Hit
from demur.kernel.identifiers.letters import SPACED

_CHECKED: Final = 4  # country and check digits, before the account number

# Each begins with the digits, which are rare, and looks back from there: so the engine skips the rest of a text.
_IBAN: Final = re.compile(rf"[0-9]{{2}}(?<=[A-Za-z]{{2}}..)(?<![{SPACED}][A-Za-z]{{2}}..)(?:[ -]?[A-Za-z0-9]){{11,30}}")
_IPV4: Final = re.compile(
    rf"[0-9](?<![{SPACED}.].)(?<![A-Za-z][-~].)(?<!(?i:version).)(?<!(?i:version)..)(?<!(?i:version)...)"
    rf"[0-9]{{0,2}}(?:\.[0-9]{{1,3}}){{3}}(?!\.?[{SPACED}])(?![+~])(?!-[0-9]+[A-Za-z])"
)
_IPV6: Final = re.compile(
    rf"(?<![{SPACED}.])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|[0-9A-Fa-f]{{0,4}})"
    rf"(?![{SPACED}:])"
)
_LABEL: Final = re.compile(rf":([{SPACED}]+)")
"""On the reversed text: a word and its colon, as in ``ip:2001:db8::1`` and ``[IPv6:2001:db8::1]`` (RFC 5321, 4.1.3)."""
_HEXTET: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_LABEL_LENGTH: Final = 64
_OCTET_PAIRS: Final = re.compile(r"(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}")


def ibans(text: str) -> Iterator[Hit]:
    """The IBANs of a folded text, in groups or not, in either case."""
    at = 0
    while match := _IBAN.search(text, at):
        start = match.start() - 2  # the country's letters
        size = _iban_size(text[start : match.end()])
        if size:
            yield Hit(start, start + size, Category.IBAN, None)
        at = start + (size or _CHECKED)


@lru_cache(maxsize=256)
def _iban_length(country: str) -> int:
    """Characters of an IBAN of that country; 0 where it has none."""
    for _, properties in numdb.get("iban").info(country):
        if "bban" in properties:
            return _CHECKED + sum(int(width) for width in re.findall(r"([0-9]+)!?[nac]", properties["bban"]))
    return 0


def _iban_size(candidate: str) -> int:
    """How much of the candidate, spaces counted, is an IBAN; 0 if it does not begin with one."""
    places = [place for place, character in enumerate(candidate) if character.isalnum()]
    length = _iban_length(candidate[:2].upper())
    if not length or len(places) < length:
        return 0
    size = places[length - 1] + 1
    compact = "".join(candidate[place] for place in places[:length]).upper()
    ends = size == len(candidate) or not candidate[size].isalnum()
    return size if ends and iban.is_valid(compact, check_country=False) else 0


def addresses(text: str) -> Iterator[Hit]:
    """The IP addresses of a folded text, version 4 and 6, without port, prefix length or zone."""
    if text.count(".") >= 3:  # noqa: PLR2004 - the dots of a dotted quad
        for match in _IPV4.finditer(text):
            if _is_ipv4(match[0]):
                yield Hit(match.start(), match.end(), Category.IP, None)
    if text.count(":") >= 2:  # noqa: PLR2004 - the fewest colons of an IPv6 address
        for match in _IPV6.finditer(text):
            if _is_ipv6(match[0]) and _begins(text, match.start()):
                yield Hit(match.start(), match.end(), Category.IP, None)


def _is_ipv4(quad: str) -> bool:
    octets = [int(octet) for octet in quad.split(".")]
    nobody = octets[0] in {0, 127, 255}
    return not nobody and max(octets) <= 255  # noqa: PLR2004 - an octet


def _begins(text: str, start: int) -> bool:
    """Whether an address may begin there: behind a colon only where that ends a word which is no part of an address."""
    if not start or text[start - 1] != ":":
        return True
    label = _LABEL.match(text[max(0, start - _LABEL_LENGTH) : start][::-1])
    return label is not None and not _HEXTET.fullmatch(label[1])


def _is_ipv6(candidate: str) -> bool:
    """Not a time, a hardware address or fingerprint, nor a name of C++, Perl or Ruby made of hexadecimal letters."""
    if _OCTET_PAIRS.fullmatch(candidate) or not any(character.isdigit() for character in candidate):
        return False
    try:
        address = ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


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
_DATE: Final = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-./])[01]?[0-9]\1[0-3]?[0-9]|[0-3]?[0-9]([-./])[0-3]?[0-9]\2(?:19|20)[0-9]{2})(?![0-9])"
)
_DECIMAL: Final = re.compile(r"[0-9]+\.[0-9]+(?: [0-9.]+)*")
_BEFORE_NONE: Final = re.compile(r"[/=#$€£¥%_*^~-]|(?<=[0-9])[.,:]")
_AFTER_NONE: Final = re.compile(r" ?[%€$£¥]|[_=]|[:.,/-][0-9A-Za-z]")
_CALLED: Final = re.compile(
    r"(?:\b(?:tel|telefon|telephone|phone|fon|ph|mobile?|mobil|handy|cell|whatsapp|fax|tél|téléphone|teléfono|telefono|"
    r"telefone|telef|tlf|тел|телефон|電話|电话|هاتف|☎|📞)\W{0,3}(?:nr|no|number)?\W{0,3})\Z",
    re.IGNORECASE,
)
_CALLED_LENGTH: Final = 20
_NORTH_AMERICAN: Final = re.compile(r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}")
_TRUNK: Final = re.compile(
    r"\(?0[1-9][0-9]{0,4}(?:\) ?| ?[/-] ?| )[0-9]{2,}(?:[ -][0-9]{2,})*|0[1-9](?:[ .][0-9]{2}){4}"
)
_TRUNK_REGIONS: Final = ("DE", "GB", "FR", "IT", "NL", "AT", "CH", "BE", "SE", "IE", "AU", "JP", "TR")
"""Countries whose numbers are written with a leading 0 and often without a country code."""

_TRUNK_NEEDED: Final = frozenset(_TRUNK_REGIONS) - {"IT"}
_TRUNK_DROPPED: Final = frozenset({"BY", "IN", "KZ", "RU", "UA"})
"""Countries where people leave the trunk prefix out when they write a number down."""


def phones(text: str, region: str | None) -> Iterator[Hit]:
    """The phone numbers of a folded text, whose author lives in ``region`` (ISO 3166-1 alpha-2)."""
    at = 0
    while match := _CANDIDATE.search(text, at):
        hit = _number(text, match.start(), match.end(), region)
        if hit:
            yield hit
        at = hit.end if hit else match.end()


def _number(text: str, start: int, end: int, region: str | None) -> Hit | None:
    """The first reading of a candidate that is a number: whole, or without its last or its first group."""
    candidate = text[start:end]
    for begin, stop in _readings(candidate):
        piece = candidate[begin:stop].rstrip(" .(/-")
        if _is_number(text, start + begin, piece, region):
            return Hit(start + begin, start + begin + len(piece), Category.PHONE, None)
    return None


def _readings(candidate: str) -> Iterator[tuple[int, int]]:
    yield 0, len(candidate)
    if " " in candidate:
        yield 0, candidate.rindex(" ")
        yield candidate.index(" ") + 1, len(candidate)


def _is_number(text: str, start: int, piece: str, region: str | None) -> bool:
    if "+" in piece:
        return _international("+" + _digits(piece))
    digits = _digits(piece)
    if digits.startswith("00"):
        return _international("+" + digits[_INTERNATIONAL_PREFIX:], strict=True)
    if not DIGITS <= len(digits) <= _MOST_DIGITS or _is_part(text, start, start + len(piece)):
        return False
    if _DATE.search(piece) or _DECIMAL.fullmatch(piece) or piece.count("(") != piece.count(")"):
        return False
    return _national(piece, region) or bool(_CALLED.search(text[max(0, start - _CALLED_LENGTH) : start]))


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether what surrounds the digits makes them a price, a path, a range or an id."""
    return bool(_BEFORE_NONE.match(text, start - 1) if start else None) or bool(_AFTER_NONE.match(text, end))


def _digits(piece: str) -> str:
    return _NOT_DIGIT.sub("", piece)


def _parse(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _international(number: str, *, strict: bool = False) -> bool:
    """Whether ``+`` and digits are a number: of a possible length, or (strict) of a range that is in use."""
    if not DIGITS < len(number) <= _MOST_DIGITS + 1:
        return False
    parsed = _parse(number, None)
    if parsed is None:
        return False
    return phonenumbers.is_valid_number(parsed) if strict else phonenumbers.is_possible_number(parsed)


@lru_cache(maxsize=4096)
def _national(piece: str, region: str | None) -> bool:
    if region and _valid_in(piece, region):
        return True
    if _NORTH_AMERICAN.fullmatch(piece):
        return _valid_in(piece, "US")
    return bool(_TRUNK.fullmatch(piece)) and any(_valid_in(piece, other) for other in _TRUNK_REGIONS)


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
