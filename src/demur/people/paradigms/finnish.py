"""Finnish: the cases of a name, with vowel harmony and the gradation of its stem.

Source: Iso suomen kielioppi (VISK, 2008), §§ 41-62 (gradation), 81-99 (cases). Given names change long consonants
alone (Matti, Matin; Mika, Mikan), surnames that are words every one (Mäki, Mäen).
"""

from typing import Final

from demur.people.paradigms.table import Use

_VOWELS: Final = "aeiouyäöå"
_BACK: Final = frozenset("aouå")
_FRONT: Final = frozenset("äöy")
_LONG: Final = {"kk": "k", "pp": "p", "tt": "t"}
_CLUSTERS: Final = {"nk": "ng", "nt": "nn", "mp": "mm", "lt": "ll", "rt": "rr", "ht": "hd", "lk": "l", "rk": "r"}
_SINGLE: Final = {"t": "d", "p": "v", "k": ""}
_E_STEMS: Final = (
    "mäki", "lampi", "niemi", "järvi", "koski", "lahti", "joki", "saari", "salmi", "nurmi", "suomi", "kivi", "lehti",
    "tammi", "talvi", "hirvi", "kurki", "suuri", "nuori", "tuomi", "veri", "hanki", "lumi", "meri", "onni",
)  # fmt: skip
"""Words in -i whose stem ends in -e, of which surnames are made; Onni is no surname of them, but keeps its -i."""
_WEAK: Final = ("n", "lla", "lle", "lta", "ssa", "sta")
_STRONG: Final = ("na",)


def finnish(word: str, use: Use) -> list[str]:
    """The forms of a name: genitive, partitive, the cases of place, essive."""
    if len(word) > 3 and word.endswith("nen"):  # noqa: PLR2004  # the ending and a letter
        stem = word[:-3] + "se"
        return _harmonised(word, stem, stem, [word[:-3] + "sta", stem + "en"])
    if word[-1] in _VOWELS:
        strong = word[:-1] + "e" if use is Use.SURNAME and word.endswith(_E_STEMS) else word
        return _harmonised(word, _weak(strong, use), strong, _partitive_and_illative(word, strong))
    if word[-1] == "s" and word[-2:-1] in set("aeiouyäö"):
        stem = word[:-1] + "kse"
        return _harmonised(word, stem, stem, [word + "ta", stem + "en", word + "in"])
    stem = word + "i"
    return _harmonised(word, stem, stem, [word + "ia", word + "iin"])


def _partitive_and_illative(word: str, strong: str) -> list[str]:
    """Given their stem ``strong``, with back vowels."""
    last = strong[-1]
    if len(strong) > 1 and strong[-2] in _VOWELS:
        return [word + "ta", word + "h" + last + "n", strong + "seen"]
    return [(word[:-1] + "e" if strong != word else word) + "a", strong + last + "n"]


def _harmonised(word: str, weak: str, strong: str, others: list[str]) -> list[str]:
    """All forms, their a turned into ä behind front vowels."""
    back = _is_back(word)
    endings = [(weak, ending) for ending in _WEAK] + [(strong, ending) for ending in _STRONG]
    found = [stem + (ending if back else ending.replace("a", "ä")) for stem, ending in endings]
    return found + [other if back else _fronted(other, word) for other in others]


def _fronted(form: str, word: str) -> str:
    """A form whose ending, what it has beyond the word, is in front vowels."""
    kept = next(
        (at for at, pair in enumerate(zip(form, word, strict=False)) if pair[0] != pair[1]), min(len(form), len(word))
    )
    return form[:kept] + form[kept:].replace("a", "ä")


def _is_back(word: str) -> bool:
    """Whether its endings have back vowels: by its last vowel that is not e or i."""
    deciding = [letter for letter in word if letter in _BACK or letter in _FRONT]
    return bool(deciding) and deciding[-1] in _BACK


def _weak(strong: str, use: Use) -> str:
    """The stem in the weak grade: the consonants before its last vowel, shortened or softened."""
    head, last = strong[:-1], strong[-1]
    if head[-2:] in _LONG and len(head) > 2:  # noqa: PLR2004  # a vowel before the consonants
        return head[:-1] + last
    if use is Use.GIVEN:
        return strong
    if head[-2:] in _CLUSTERS:
        return head[:-2] + _CLUSTERS[head[-2:]] + last
    if head[-1:] in _SINGLE and head[-2:-1] in set(_VOWELS):
        return head[:-1] + _SINGLE[head[-1]] + last
    return strong
