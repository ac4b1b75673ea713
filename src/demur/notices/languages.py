"""The languages that people are told in, and how the one that a reader wants is found.

Invariants: English is the source, and every other language has a gettext catalogue in the package (``locale/``), which
is compiled in memory, so that there is no second file to keep up with it; a string that a catalogue lacks stays
English, and a test fails on it.
"""

import functools
import io
import re
from collections.abc import Sequence
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE: Final = "en"
"""The language that the strings in code and templates are written in."""

LANGUAGES: Final = tuple("bg cs da de el en es et fi fr ga hr hu is it lt lv mt nb nl pl pt ro sk sl sv".split())  # noqa: SIM905
"""The 24 official languages of the European Union, Norwegian and Icelandic, ISO 639-1."""

_BOKMAAL: Final = {"no": "nb", "nn": "nb"}
"""Norwegian of either spelling reads Norwegian Bokmål rather than English."""

_EUROPEAN: Final = {"en": "en-150", "pt": "pt-PT"}
"""Where the language alone would be the one of America."""

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
    known = {each.lower(): each for each in among}
    parts = (wanted or "").replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        tag = "-".join(parts[:length])
        found = known.get(tag) or known.get(_BOKMAAL.get(tag, ""))
        if found:
            return found
    return None


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


def direction(language: str) -> str:
    """``ltr`` or ``rtl``, as HTML's ``dir`` takes it."""
    return locale(language).text_direction
