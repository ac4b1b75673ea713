"""Irish: the vocative and the genitive of a name: its first consonant softened, its last one made slender.

Source: Gramadach na Gaeilge (An Caighdeán Oifigiúil, 2017), chapters 2 (séimhiú) and 3 (declension of names).
"""

from typing import Final

from demur.people.paradigms.table import Use

_SOFTENED: Final = "bcdfgmpst"
_VOWELS: Final = "aeiouáéíóú"
_SLENDER: Final = {"a": "ai", "á": "ái", "o": "oi", "ó": "ói", "u": "ui", "ú": "úi", "ea": "i", "éa": "éi", "ia": "éi"}


def irish(word: str, use: Use) -> list[str]:
    """The softened form, and both cases of men's names and of surnames: Seán, Sheáin; Pádraig, Phádraig."""
    _ = use
    slender = _slender(word)
    return list(dict.fromkeys(form for form in (_softened(word), _softened(slender), slender) if form != word))


def _softened(word: str) -> str:
    if word[0] not in _SOFTENED or word[1:2] == "h" or (word[0] == "s" and word[1:2] in set("cmpt")):
        return word
    return f"{word[0]}h{word[1:]}"


def _slender(word: str) -> str:
    """A word whose last consonant is slender: a broad vowel before it gets an i."""
    if word[-1] in _VOWELS:
        return word
    head = word.rstrip("bcdfghlmnprst")
    tail = word[len(head) :]
    if word.endswith("ch"):
        return word[:-2] + "igh" if word.endswith("ach") else word
    for vowels in ("ea", "éa", "ia"):
        if head.endswith(vowels):
            return head[: -len(vowels)] + _SLENDER[vowels] + tail
    return head[:-1] + _SLENDER.get(head[-1], head[-1]) + tail if head else word
