"""Hungarian: the cases of a name, by vowel harmony, with lengthened final vowels and assimilated -val, -vel.

Source: A magyar helyesírás szabályai (12th edition, 2015), §§ 82-84 (assimilation), 161-163 (names); Siptár and
Törkenczy, The Phonology of Hungarian, 2000, chapter 3 (harmony).
"""

from typing import Final

from demur.people.paradigms.table import Use

_VOWELS: Final = "aáeéiíoóöőuúüű"
_BACK: Final = frozenset("aáoóuú")
_ROUNDED: Final = frozenset("öőüű")
_FRONT: Final = frozenset("eöőüű")
_LENGTHENED: Final = {"a": "á", "e": "é", "o": "ó", "ö": "ő"}
_DIGRAPHS: Final = ("cs", "sz", "zs", "gy", "ny", "ly", "ty", "dz")
_LINKED: Final = "nrljyszc"
"""Letters behind which the accusative needs no vowel; behind cs, c, z and s many have one all the same."""
# Endings for back, front and front rounded vowels.
_CASES: Final = (
    ("nak", "nek", "nek"), ("nál", "nél", "nél"), ("tól", "től", "től"), ("ról", "ről", "ről"),
    ("hoz", "hez", "höz"), ("ra", "re", "re"), ("ért", "ért", "ért"),
)  # fmt: skip


def hungarian(word: str, use: Use) -> list[str]:
    """The forms of a name: accusative, dative, with, at, from, about, to, of, and the family's."""
    _ = use
    harmony = _harmony(word)
    stem = word[:-1] + _LENGTHENED.get(word[-1], word[-1])
    found = [*_accusative(word, stem, harmony), _with(word, stem, harmony)]
    found += [stem + endings[harmony] for endings in _CASES]
    return [*found, stem + "ék", stem + "é", stem + "éknál" if harmony == 0 else stem + "éknél"]


def _harmony(word: str) -> int:
    """Which endings a word takes: 0 back, 1 front, 2 front rounded; by its last vowel that decides."""
    vowels = [letter for letter in word if letter in _VOWELS]
    for letter in reversed(vowels):
        if letter in _BACK:
            return 0
        if letter in _FRONT:
            return 2 if letter in _ROUNDED and letter == vowels[-1] else 1
    return 1


def _accusative(word: str, stem: str, harmony: int) -> list[str]:
    if word[-1] in _VOWELS:
        return [stem + "t"]
    linked = word + "oeö"[harmony] + "t"
    return [word + "t", linked] if word[-1] in _LINKED else [linked]


def _with(word: str, stem: str, harmony: int) -> str:
    """The form of -val or -vel: behind a consonant its v becomes that, doubled."""
    vowel = "a" if harmony == 0 else "e"
    if word[-1] in _VOWELS:
        return f"{stem}v{vowel}l"
    doubled = word[-1] if word[-2:] not in _DIGRAPHS else word[-2:]
    before = word[: len(word) - len(doubled)]
    if before.endswith(doubled[0]):  # long already: Kiss-sel, Papp-pal
        return f"{word}{vowel}l"
    return f"{before}{doubled[0]}{doubled}{vowel}l"
