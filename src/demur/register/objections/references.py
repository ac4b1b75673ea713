"""References of objections: unguessable, short enough for a phone call, and safe against typing errors.

Fourteen random symbols of Crockford's Base32 (70 bits; no I, L, O, U) and two check symbols: the number modulo 1021,
the largest prime below 32 * 32. Since no difference of one symbol, nor of two exchanged neighbours, is a multiple
of that prime, every such slip is noticed. Written in four groups of four: ``7KQ2-9XJM-4TPA-C0VE``.
"""

import secrets
from typing import Final

from demur.errors import RegisterError

_SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("ILO", "110", " -.\u00a0\u2010\u2011\u2013\u2014")  # and what letters make of a hyphen
_LENGTH: Final = 16
_CHECK_BITS: Final = 10
_PRIME: Final = 1021


def new_reference() -> str:
    """A fresh reference."""
    number = secrets.randbits(5 * _LENGTH - _CHECK_BITS)
    number = number << _CHECK_BITS | number % _PRIME
    symbols = "".join(_SYMBOLS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return "-".join(symbols[start : start + 4] for start in range(0, _LENGTH, 4))


def read_reference(typed: str) -> str:
    """The reference somebody typed, in its one spelling: case, spaces and hyphens don't matter, nor O for 0.

    Raises:
        RegisterError: if it holds a typing error.
    """
    symbols = typed.upper().translate(_READ_AS).strip()
    if len(symbols) != _LENGTH or not set(symbols) <= set(_SYMBOLS):
        raise RegisterError(f"{typed!r} is no reference: it has four groups of four letters and digits.")
    number = 0
    for symbol in symbols:
        number = number << 5 | _SYMBOLS.index(symbol)
    if (number >> _CHECK_BITS) % _PRIME != number & (1 << _CHECK_BITS) - 1:
        raise RegisterError(f"{typed!r} holds a typing error: compare it with the receipt.")
    return "-".join(symbols[start : start + 4] for start in range(0, _LENGTH, 4))
