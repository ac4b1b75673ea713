"""Countries and locales as forums and people write them: codes, or names in the languages of the portal.

Invariants: a code counts as it is assigned (ISO 3166-1), and what people write for another is told and not guessed; a
name that two countries have in different languages is refused. Names are those of Unicode's CLDR, which Babel brings.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from babel import Locale

from demur.policy.fields import COUNTRIES, country_hint
from demur.sources.values import Unfit

LANGUAGES: Final = tuple("bg cs da de el en es et fi fr ga hr hu is it lt lv mt nb nl pl pt ro sk sl sv".split())  # noqa: SIM905
"""In which names of countries and languages are known: those of the notices."""

_ALSO: Final = {
    "GB": "great britain|britain|england|scotland|wales|northern ireland|großbritannien|schottland|grande-bretagne|"
    "gran bretaña|gran bretagna|grã-bretanha|groot-brittannië|storbritannien|storbritannia|wielka brytania|anglia",
    "US": "usa|u.s.a.|u.s.|united states of america|vereinigte staaten von amerika|états-unis d'amérique",
    "CZ": "czech republic|the czech republic|tschechische republik|česká republika|république tchèque",
    "NL": "holland|the netherlands",
    "TR": "turkey|türkiye",
    "MK": "macedonia|republic of north macedonia",
    "RU": "russian federation",
    "KR": "republic of korea|korea, republic of",
    "IR": "iran, islamic republic of",
    "VN": "viet nam",
    "MD": "republic of moldova|moldova, republic of",
    "SK": "slovak republic|slovenská republika",
    "DE": "federal republic of germany|bundesrepublik deutschland|brd",
    "IE": "republic of ireland|ireland, republic of|eire",
    "CI": "elfenbeinküste|ivory coast",
}
"""Names that CLDR does not have, and that lists of countries in forums do."""

_TAG: Final = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{1,8})*)(?:\.[A-Za-z0-9-]+)?(?:@[A-Za-z]+)?")
"""BCP 47, or a POSIX locale (``de_AT.UTF-8``)."""


def country(written: str) -> str:
    """The code of the country that a code or a name tells.

    Raises:
        Unfit: where it is none, with what was meant where that is known.
    """
    code = written.strip().upper()
    if code in COUNTRIES:
        return code
    found = _countries().get(_folded(written), frozenset())
    if not found and re.fullmatch(r"[A-Z]{2,4}", code):
        raise Unfit(f"is {code}, {country_hint(code)}")
    if len(found) == 1:
        return next(iter(found))
    if found:
        raise Unfit(f"is the name of {' and '.join(sorted(found))}: write one of these codes")
    raise Unfit("is no country that demur knows: write a two-letter code, like DE")


@lru_cache(maxsize=1)
def _countries() -> dict[str, frozenset[str]]:
    """Names of countries, folded, with their codes: two where languages differ."""
    names: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in COUNTRIES:
                names.setdefault(_folded(name), set()).add(code)
    for code, also in _ALSO.items():
        for name in also.split("|"):
            names.setdefault(_folded(name), set()).add(code)
    return {name: frozenset(codes) for name, codes in names.items()}


def _folded(name: str) -> str:
    """A name without case, and without the accents that capitals and plain keyboards leave out."""
    bare = "".join(one for one in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(one))
    return " ".join(bare.replace("\u2019", "'").replace("\u03c2", "\u03c3").split())


def locale(written: str) -> str:
    """A locale as BCP 47 has it, of a tag, a POSIX locale, or the name of a language.

    Raises:
        Unfit: where it is none of these.
    """
    match = _TAG.fullmatch(written.strip())
    if match and (len(match[1]) == 2 or match[1].lower() in Locale("en").languages):  # noqa: PLR2004  # ISO 639-1
        return match[1] + match[2].replace("_", "-")
    found = _languages().get(_folded(written), frozenset())
    if len(found) == 1:
        return next(iter(found))
    raise Unfit("is no locale: write a language tag, like de-AT")


@lru_cache(maxsize=1)
def _languages() -> dict[str, frozenset[str]]:
    names: dict[str, set[str]] = {}
    for language in LANGUAGES:
        for code, name in Locale.parse(language).languages.items():
            names.setdefault(_folded(name), set()).add(code.replace("_", "-"))
    return {name: frozenset(codes) for name, codes in names.items()}
