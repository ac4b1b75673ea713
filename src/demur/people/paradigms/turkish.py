"""Turkish: the cases of a name written without the apostrophe that sets them off, by vowel harmony.

Source: Göksel and Kerslake, Turkish: A Comprehensive Grammar, 2005, chapters 3 and 8.
"""

from typing import Final

from demur.people.paradigms.table import Use

_HIGH: Final = {"a": "ı", "ı": "ı", "o": "u", "u": "u", "e": "i", "i": "i", "ö": "ü", "ü": "ü"}
"""The vowel of an ending by the last one of the word."""
_BACK: Final = frozenset("aıou")
_HARD: Final = frozenset("fstkçşhp")


def turkish(word: str, use: Use) -> list[str]:
    """Genitive, dative, accusative, locative, ablative, with."""
    _ = use
    last = next((letter for letter in reversed(word) if letter in _HIGH), "e")
    high, low = _HIGH[last], "a" if last in _BACK else "e"
    open_end = word[-1] in _HIGH
    hard = "t" if word[-1] in _HARD else "d"
    glide = "y" if open_end else ""
    genitive = ("n" if open_end else "") + high + "n"
    return [
        word + ending for ending in (genitive, glide + low, glide + high, hard + low, f"{hard}{low}n", f"{glide}l{low}")
    ]
