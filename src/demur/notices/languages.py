"""The languages that people are told in, how the one that a reader wants is found, and how it writes quantities.

Invariants: English is the source, and every other language has a gettext catalogue in the package (``locale/``), which
is compiled in memory, so that there is no second file to keep up with it; a string that a catalogue lacks stays
English, and a test fails on it.
"""

import functools
import io
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Final, Literal

from babel import Locale
from babel.dates import format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

SOURCE: Final = "en"
"""The language that the strings in code and templates are written in."""

LANGUAGES: Final = tuple("bg cs da de el en es et fi fr ga hr hu is it lt lv mt nb nl pl pt ro sk sl sv".split())  # noqa: SIM905
"""The 24 official languages of the European Union, Norwegian and Icelandic, ISO 639-1."""

_BOKMAAL: Final = {"no": "nb", "nn": "nb"}
"""Norwegian of either spelling reads Norwegian Bokmål rather than English."""

_EUROPEAN: Final = {"en": "en-150", "pt": "pt-PT"}
"""Where the language alone would be the one of America."""

Unit = Literal["day", "year"]
"""What a time is counted in."""

_SPANS: Final[Mapping[Unit, timedelta]] = {"day": timedelta(days=1), "year": timedelta(days=365)}
_OWN: Final[Mapping[tuple[str, Unit], Mapping[str, str]]] = {
    ("et", "day"): {"one": "{} päev", "other": "{} päeva"},
    ("ga", "year"): {
        "one": "{} bhliain",
        "two": "{} bhliain",
        "few": "{} bliana",
        "many": "{} mbliana",
        "other": "{} bliain",
    },
    ("mt", "day"): {"two": "{} ijiem", "few": "{} ijiem", "many": "{}-il jum", "other": "{} jum"},
    ("mt", "year"): {"two": "{} snin", "few": "{} snin", "many": "{}-il sena", "other": "{} sena"},
    ("nb", "day"): {"one": "{} dag", "other": "{} dager"},
    ("sv", "day"): {"one": "{} dag", "other": "{} dagar"},
}
"""By plural category (CLDR), where Babel has only an abbreviation, or a word for 24 hours instead of a day."""

_ALWAYS: Final = 100_000
"""Units that a time may have before Babel counts it in the next larger one: more than any policy says."""
_TWO: Final = 2

_RANGE: Final = re.compile(
    r"\s*(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=(?P<q>[01](?:\.\d{0,3})?)\s*)?"
)
_LONGEST_HEADER: Final = 1000


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a string for the catalogues, to be translated where it is shown."""
    return message


@functools.cache
def translations(language: str) -> NullTranslations:
    """The catalogue of one of :data:`LANGUAGES`; ``gettext`` of it turns English into that language."""
    if language == SOURCE:
        return NullTranslations()
    path = files("demur.notices").joinpath("locale", language, "LC_MESSAGES", "demur.po")
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def matching(wanted: str | None, among: Sequence[str] = LANGUAGES) -> str | None:
    """The language of ``among`` that a BCP 47 tag asks for (RFC 4647, lookup), None if there is none.

    Args:
        wanted: A tag as members have it, ``de``, ``pt-BR`` or ``nb_NO``; None where nothing is known.
        among: The choice.
    """
    known = _lowered(tuple(among))
    parts = (wanted or "").replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        tag = "-".join(parts[:length])
        found = known.get(tag) or known.get(_BOKMAAL.get(tag, ""))
        if found:
            return found
    return None


@functools.cache
def _lowered(among: tuple[str, ...]) -> Mapping[str, str]:
    return {each.lower(): each for each in among}


def accepted(header: str | None, among: Sequence[str] = LANGUAGES) -> str | None:
    """The language of ``among`` that a browser's ``Accept-Language`` prefers (RFC 9110, 12.5.4), None if none."""
    ranges = [_RANGE.fullmatch(part) for part in (header or "")[:_LONGEST_HEADER].split(",")]
    weighed = [(float(found["q"] or 1), found["tag"]) for found in ranges if found]
    wanted = (tag for weight, tag in sorted(weighed, key=lambda each: -each[0]) if weight > 0)
    return next((found for found in (matching(tag, among) for tag in wanted) if found), None)


@functools.cache
def locale(language: str) -> Locale:
    """What Babel knows of one of :data:`LANGUAGES`: how it writes days, countries and lists in Europe."""
    return Locale.parse(_EUROPEAN.get(language, language), sep="-")


@functools.cache
def autonym(language: str) -> str:
    """What a language calls itself: ``Deutsch``."""
    return Locale.parse(language).get_language_name(language) or language


def lasting(number: int, unit: Unit, language: str) -> str:
    """A time, counted in a unit, to stand after a colon: ``30 days``."""
    own = _OWN.get((language, unit))
    if own is not None:
        return own.get(locale(language).plural_form(number), own["other"]).format(number)
    return format_timedelta(number * _SPANS[unit], granularity=unit, threshold=_ALWAYS, locale=locale(language))


def within(time: timedelta, language: str) -> str:
    """When something happens, seen from now, to stand in a sentence: ``in 60 minutes``."""
    return format_timedelta(time, threshold=_TWO, add_direction=True, locale=locale(language))


def megabytes(number: int, language: str) -> str:
    """A size, to stand after a colon: ``10 megabytes``."""
    return format_unit(number, "digital-megabyte", "long", locale=locale(language))


def direction(language: str) -> str:
    """``ltr`` or ``rtl``, as HTML's ``dir`` takes it."""
    return locale(language).text_direction
