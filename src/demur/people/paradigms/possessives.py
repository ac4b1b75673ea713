"""Adjectives that Slavic languages make of given names: Markova ideja, Anin prijedlog, Pavlova kniha."""

from collections.abc import Sequence
from typing import Final

_OF_MEN: Final = {
    "cs": ("ův", "ova", "ovo", "ovi", "ovy", "ovu", "ově", "ovým"),
    "sk": ("ov", "ova", "ovo", "ove", "ovu", "ovi", "ovej", "ovho"),
    "hr": ("ov", "ova", "ovo", "ove", "ovu", "ovi", "ovom", "ovog"),
    "sl": ("ov", "ova", "ovo", "ove", "ovi", "ovem", "ovega"),
}
_OF_WOMEN: Final = {
    "cs": ("in", "ina", "ino", "iny", "inu", "ině"),
    "sk": ("in", "ina", "ino", "ine", "inu", "inej"),
    "hr": ("in", "ina", "ino", "ine", "inu", "inom"),
    "sl": ("in", "ina", "ino", "ine", "ini", "inem"),
}
"""Endings of the most frequent cases; Croatian ones stand for Bosnian and for Serbian in Latin letters, too."""
_SOFT: Final = ("č", "ć", "c", "š", "ž", "đ", "j")
_SOFTENING: Final = {"hr", "sl"}
"""Where o is e behind such a letter: Matejeva."""


def possessives(word: str, cases: Sequence[str], language: str) -> list[str]:
    """The forms of the adjective of a given name; none in languages that have no rule here.

    Args:
        word: in small letters, with its accents.
        cases: its forms, the genitive first.
        language: BCP 47 primary tag.
    """
    tongue = "hr" if language in {"bs", "sr"} else language
    if tongue not in _OF_MEN or not word.isalpha():
        return []
    if word.endswith("a"):
        stems = [each[:-2] for each in cases if each.endswith("in")] or [word[:-1]]
        return [stem + ending for stem in stems[:1] for ending in _OF_WOMEN[tongue]]
    genitive = cases[0] if cases else ""
    if not genitive.endswith(("a", "e")):
        return []
    stem = genitive[:-1]
    soft = tongue in _SOFTENING and stem.endswith(_SOFT)
    return [stem + ("e" + ending[1:] if soft and ending.startswith("o") else ending) for ending in _OF_MEN[tongue]]
