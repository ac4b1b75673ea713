"""Makes src/demur/people/data/places.txt and calendar.txt: names of countries and cities, of months and weekdays.

They are those of the Common Locale Data Repository (Unicode licence v3) as Babel 2.18 (BSD) has them, in one word each.
"""
# ruff: noqa: INP001  # a script, no package

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from babel import Locale

from demur.people.lexicon import TONGUES

_DATA: Final = Path(__file__).parent.parent / "src/demur/people/data"
_SOURCE: Final = "of the Common Locale Data Repository (Unicode licence v3) by Babel 2.18, in one word each.\n"
_MADE: Final = "# Made by tools/place_names.py.\n"
_LEAST: Final = 4
"""Letters of a place."""
_LEAST_OF_DAYS: Final = 3
"""Letters of a month: May."""


def main() -> None:
    """Writes the lists."""
    _write("places.txt", "# Names of countries and large cities, by language: " + _SOURCE, _places, _LEAST)
    _write("calendar.txt", "# Names of months and weekdays, by language: " + _SOURCE, _days, _LEAST_OF_DAYS)


def _write(name: str, head: str, words: Callable[[Locale], Iterable[str]], least: int) -> None:
    lines = [f"{language}: {' '.join(_single(words(Locale.parse(language)), least))}\n" for language in TONGUES]
    (_DATA / name).write_text(head + _MADE + "".join(lines), encoding="utf-8")


def _single(words: Iterable[str], least: int) -> list[str]:
    return sorted({word.lower() for word in words if word.isalpha() and len(word) >= least})


def _places(locale: Locale) -> Iterable[str]:
    cities = (zone.get("city") for zone in locale.time_zones.values())
    return [*locale.territories.values(), *(city for city in cities if city)]


def _days(locale: Locale) -> Iterable[str]:
    wide = [locale.months[use]["wide"] for use in ("format", "stand-alone")]
    wide += [locale.days[use]["wide"] for use in ("format", "stand-alone")]
    return [name for names in wide for name in names.values()]


if __name__ == "__main__":
    main()
