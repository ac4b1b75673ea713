"""IBANs (ISO 13616): a loose pattern finds candidates, ``python-stdnum`` decides by structure and check digits."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from stdnum import iban, numdb

from demur.kernel.identifiers.hits import Category, Hit
from demur.kernel.identifiers.letters import SPACED
from demur.patterns import lazily

_CHECKED: Final = 4  # country and check digits, before the account number

# It begins with the digits, which are rare, and looks back from there: so the engine skips the rest of a text.
_IBAN: Final = lazily(rf"[0-9]{{2}}(?<=[A-Za-z]{{2}}..)(?<![{SPACED}][A-Za-z]{{2}}..)(?:[ -]?[A-Za-z0-9]){{11,30}}")


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
