"""IP addresses (RFC 791, RFC 4291), told from versions, times, slices and names of code by what stands around them.

A dotted quad is an address unless it looks like a version (a small first number and small others, or zeros within)
and nothing beside it speaks of addresses, or a word before it makes it a version. An IPv6 address lies in one of the
ranges in use (IANA, IPv6 Address Space): so times, slices of Python and names of C++ are none.

What is nobody's is left: loopback, unspecified, netmasks, multicast, reserved ranges, shared blocks (``10.0.0.0/8``).
Private addresses are found: within its network one tells a device, and so often a person.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import Final

from demur.kernel.identifiers.hits import MASKS, Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.kernel.identifiers.words import ADDRESSED, PRODUCT, VERSIONED, before
from demur.patterns import lazily

# It begins with a digit, which is rare, and looks back from there: so the engine skips the rest of a text.
_QUAD: Final = lazily(
    rf"[0-9](?<![{SPACED}.].)[0-9]{{0,2}}(?:\.[0-9]{{1,3}}){{3}}(?![{SPACED}])(?![+~])(?!-[0-9]+[A-Za-z])"
)
_GOES_ON: Final = re.compile(rf"\.[{SPACED}]")
_PORT_OR_HOST: Final = re.compile(rf"\.[0-9]{{2,5}}(?!\.?[{SPACED}])|\.[A-Za-z]")
"""Behind a dotted quad: a port as in ``tcpdump``, or the rest of a host's name."""
_PORT_OR_PREFIX: Final = re.compile(r":[0-9]{2,5}(?![0-9])|/[0-9]{1,2}(?![0-9.])| port [0-9]")
_PREFIX: Final = re.compile(r"/([0-9]{1,3})(?![0-9])")
_SITE: Final = 48
"""Bits of an IPv6 network that is one customer's (RFC 6177); shorter prefixes are providers' and registries'."""
_SHARED: Final = 16
"""Bits of the smallest private block of IPv4 that has a name (RFC 1918, RFC 3927)."""
_PACKAGE: Final = re.compile(r"[A-Za-z][-~]\Z")
_FLAVOUR: Final = re.compile(r"-[A-Za-z]{3}")
"""Behind the version of a kernel: ``-generic``."""
_DECIMAL_BEFORE: Final = re.compile(r"[0-9]\.[0-9]+ \Z")
_MULTICAST: Final = 224  # RFC 5771; what lies above is reserved (RFC 1112, section 4)
_NOBODY: Final = frozenset({0, 127, *range(_MULTICAST, 256)})
_MAJOR: Final = 20
"""Versions begin with a number below it."""
_MINOR: Final = 64
"""Versions go on with numbers below it."""
_CHAPTERS: Final = 100
_DECIMAL: Final = 10
"""Sections, as of a standard, begin below the first and go on in single digits."""
_PRIVATE: Final = 10
_RESOLVERS: Final = frozenset(
    {"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", *(f"4.2.2.{last}" for last in range(1, 7))}
)
"""Addresses that everybody knows by heart and that look like versions."""

_IPV6: Final = lazily(
    rf"(?<![{SPACED}.])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|[0-9A-Fa-f]{{0,4}})"
    rf"(?![{SPACED}:])"
)
_LABEL: Final = re.compile(rf":([{SPACED}]+)")
"""On the reversed text: a word and its colon, as in ``ip:2001:db8::1`` and ``[IPv6:2001:db8::1]`` (RFC 5321, 4.1.3)."""
_HEXTET: Final = re.compile(r"[0-9A-Fa-f]{1,4}")
_LABEL_LENGTH: Final = 64
_PAIRS: Final = re.compile(r"(?:[0-9A-Fa-f]{2}:){7}[0-9A-Fa-f]{2}|[0-9]{4}(?::[0-9]{2}){7}")
"""A hardware address of eight octets, or a date and a time."""
_SLICE: Final = re.compile(r"[0-9]+::[0-9]*")
_RANGES: Final = tuple(
    ipaddress.IPv6Network(network) for network in ("2000::/3", "fc00::/7", "fe80::/9", "::ffff:0:0/96", "64:ff9b::/96")
)


def addresses(text: str) -> Iterator[Hit]:
    """The IP addresses of a folded text, version 4 and 6, without port, prefix length or zone."""
    if text.count(".") >= 3:  # noqa: PLR2004 - the dots of a dotted quad
        yield from _found(text, _QUAD, _is_ipv4)
    if text.count(":") >= 2:  # noqa: PLR2004 - the fewest colons of an IPv6 address
        yield from _found(text, _IPV6, _is_ipv6)


def _found(text: str, pattern: re.Pattern[str], is_address: Callable[[str, int, int, str], bool]) -> Iterator[Hit]:
    """The candidates that are addresses; each counts as masked for the next, as it will in the next pass."""
    masked, taken = "", 0
    for match in pattern.finditer(text):
        start, end = match.span()
        said = before(text, start, masked, taken)
        if is_address(text, start, end, said):
            yield Hit(start, end, Category.IP, None)
            masked, taken = said + MASKS[Category.IP], end


def _is_ipv4(text: str, start: int, end: int, said: str) -> bool:
    quad = text[start:end]
    parts = quad.split(".")
    octets = [int(part) for part in parts]
    if octets[0] in _NOBODY or max(octets) > 255 or _is_block(text, quad, end):  # noqa: PLR2004 - an octet
        return False
    if VERSIONED.search(said):
        return False
    if octets[0] < _MAJOR and (PRODUCT.search(said) or _DECIMAL_BEFORE.search(said) or _FLAVOUR.match(text, end)):
        return False
    if quad not in _RESOLVERS and _like_version(parts, octets):
        spoken = ADDRESSED.search(said) or _PORT_OR_PREFIX.match(text, end)
        return bool(spoken) and not _GOES_ON.match(text, end) and not _PACKAGE.search(said)
    if _GOES_ON.match(text, end):
        return bool(_PORT_OR_HOST.match(text, end))
    return not _PACKAGE.search(said)


def _like_version(parts: list[str], octets: list[int]) -> bool:
    """Whether a dotted quad reads like a version or a time: small numbers, or zeros as few addresses have them."""
    if any(len(part) == 2 and part[0] == "0" for part in parts):  # noqa: PLR2004 - as in 09:05
        return True
    if octets[0] == _PRIVATE:
        return False
    if octets[0] >= _MAJOR:
        return octets[0] < _CHAPTERS and max(octets[1:]) < _DECIMAL
    return max(octets[1:]) < _MINOR or 0 in octets[1:3]


def _is_block(text: str, address: str, end: int) -> bool:
    """Whether the prefix length behind it makes it one of the large blocks that everybody shares or registries give."""
    prefix = _PREFIX.match(text, end)
    try:
        network = ipaddress.ip_network(address + prefix[0]) if prefix else None
    except ValueError:  # an address within a network, or a prefix that is none
        return False
    if network is None:
        return False
    return network.prefixlen < _SITE if network.version == 6 else network.is_private and network.prefixlen <= _SHARED  # noqa: PLR2004


def _begins(text: str, start: int) -> bool:
    """Whether an address may begin there: behind a colon only where that ends a word which is no part of an address."""
    if not start or text[start - 1] != ":":
        return True
    label = _LABEL.match(text[max(0, start - _LABEL_LENGTH) : start][::-1])
    return label is not None and not _HEXTET.fullmatch(label[1])


def _is_ipv6(text: str, start: int, end: int, said: str) -> bool:
    """Not a time, a slice, a hardware address or fingerprint, nor a name of code made of hexadecimal letters."""
    candidate = text[start:end]
    if _PAIRS.fullmatch(candidate) or not any(map(str.isdigit, candidate)) or not _begins(text, start):
        return False
    try:
        address = ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified or address.is_multicast or _is_block(text, candidate, end):
        return False
    if ADDRESSED.search(said):
        return True
    return any(address in network for network in _RANGES) and not _SLICE.fullmatch(candidate)
