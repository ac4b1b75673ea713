"""In which languages' rules a name is read and inflected."""

from collections.abc import Sequence

MOST: int = 6


def languages_of(spelling: str, locale: str | None = None, also: Sequence[str] = ()) -> tuple[str, ...]:
    """The languages whose rules a spelling gets."""
    _ = spelling
    first = [locale.partition("-")[0].partition("_")[0].lower()] if locale else []
    return tuple(dict.fromkeys([*first, *also]))[:MOST]
