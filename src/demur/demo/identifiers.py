"""Direct identifiers that look real and reach nobody: they come from ranges kept free for examples.

Sources: mail RFC 2606, IP addresses RFC 5737 and RFC 3849; telephone numbers from the ranges that Ofcom, ARCEP, the
Bundesnetzagentur, PTS and the NANPA keep for fiction; IBANs with a valid checksum (ISO 13616) at banks that do not
exist.
"""

from collections.abc import Callable
from random import Random
from typing import Final

Maker = Callable[[Random], str]

_PHONES: Final = (
    ("+44 20 7946 0{}", 3),
    ("+33 1 99 00 {}", 4),
    ("+49 30 23125 {}", 3),
    ("+46 8 465 004 {}", 2),
    ("+1 202-555-01{}", 2),
)
_BANKS: Final = (("DE", "99999999", 10), ("NL", "DEMO", 10), ("PL", "99999999", 16), ("IE", "DEMO999999", 8))


def mail(rng: Random) -> str:
    """A mail address under example.org."""
    return f"contact.{rng.randrange(10**6):06}@example.org"


def phone(rng: Random) -> str:
    """A telephone number that is valid in form and given to nobody."""
    form, digits = rng.choice(_PHONES)
    return form.format(_digits(rng, digits))


def iban(rng: Random) -> str:
    """An IBAN with the right checksum at a bank that does not exist."""
    country, bank, digits = rng.choice(_BANKS)
    return with_checksum(country, bank + _digits(rng, digits))


def with_checksum(country: str, account: str) -> str:
    """The IBAN of a national account number (ISO 13616, check digits by ISO 7064 MOD 97-10)."""
    number = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02}{account}"


def address(rng: Random) -> str:
    """An IPv4 or IPv6 address of the documentation ranges."""
    if rng.random() < 0.3:  # noqa: PLR2004  # a share
        return f"2001:db8::{rng.randrange(1, 0xFFFF):x}:{rng.randrange(1, 0xFFFF):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _digits(rng: Random, count: int) -> str:
    return f"{rng.randrange(10**count):0{count}}"


MAKERS: Final[tuple[Maker, ...]] = (mail, phone, iban, address)
