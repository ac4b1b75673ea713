"""IBANs and IP addresses: loose patterns find candidates, maintained libraries decide.

IBANs (ISO 13616) by ``python-stdnum``, with structure and check digits of their country; IPv6 (RFC 4291) by the
standard library. A dotted quad is an IPv4 address unless it goes on (``1.2.3.4.5``, ``1.2.3.4-2ubuntu1``), stands
behind ``v``, ``version`` or a package name, or says nothing of anybody (loopback, 0.0.0.0, netmasks).
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from stdnum import iban, numdb

from demur.kernel.identifiers.classes import SPACED
from demur.kernel.identifiers.hits import Category, Hit

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
