"""Letters that look like letters of another script, and which script a word is read in that mixes them.

Invariants: a word in one script is read in it; a word that mixes scripts is read in the one in which all its letters
can be read, and where that is true of several in the one that most of its letters are of, Latin first.
"""

from typing import Final

_CYRILLIC: Final = dict(
    zip("АВЕЅІЈКМНОРСТУХӀаеѕіјорсухԁԛԝһӏвкмнт", "ABESIJKMHOPCTYXIaesijopcyxdqwhlbkmht", strict=True)
)
_GREEK: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυγηωχ", "ABEZHIKMNOPTYXaeikvoptuynwx", strict=True))
_ARMENIAN: Final = dict(zip("օոսհցքյՕՏԼՍ", "onuhgqjOSLU", strict=True))


def _both_cases(known: dict[str, str]) -> dict[str, str]:
    """With capitals that look like nothing read as their small letters are."""
    return {letter.upper(): read for letter, read in known.items() if len(letter.upper()) == 1} | known


def _turned(known: dict[str, str]) -> dict[str, str]:
    """The other way round; of several letters that look like one the first."""
    return _both_cases({latin: letter for letter, latin in reversed(known.items()) if letter not in _STEMS})


_STEMS: Final = "\u04c0\u04cf"
"""The palochka looks like an I or l, and stands in few languages."""
_LATIN_OF: Final = _both_cases({**_CYRILLIC, **_GREEK, **_ARMENIAN})
_CYRILLIC_OF: Final = _turned(_CYRILLIC)
_GREEK_OF: Final = _turned(_GREEK)

_READINGS: Final = {"latin": _LATIN_OF, "cyrillic": _CYRILLIC_OF, "greek": _GREEK_OF}
"""By script: letters of other scripts -> what they are read as."""
_SAME: Final = frozenset("АВЕЅІЈКМНОРСТХаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")
"""What can't be told from a Latin letter at all: a whole word of these is read both ways."""
_SHORTEST: Final = 2

_BLOCKS: Final = (
    *((0x0041, 0x02B0, "latin"), (0x0370, 0x0400, "greek"), (0x0400, 0x0530, "cyrillic"), (0x0531, 0x0590, "armenian")),
    *((0x1C80, 0x1C90, "cyrillic"), (0x1D00, 0x1DC0, "latin"), (0x1E00, 0x1F00, "latin"), (0x1F00, 0x2000, "greek")),
    *((0x2C60, 0x2C80, "latin"), (0xA640, 0xA6A0, "cyrillic"), (0xA720, 0xA800, "latin"), (0xAB30, 0xAB66, "latin")),
)


def readings(word: str) -> tuple[str, ...]:
    """How a reader may take a word, NFC: the likelier way first, and a second one where its letters allow both."""
    scripts = [script for letter in word if (script := _script(letter))]
    if not scripts or set(scripts) == {"latin"}:
        return (word,)
    if len(set(scripts)) == 1:
        whole = len(word) >= _SHORTEST and _SAME.issuperset(word)
        return (word, _read(word, "latin")) if whole else (word,)
    ways = [script for script in _READINGS if _can_be_read(word, script)]
    if not ways:
        return (_read(word.casefold(), max(_READINGS, key=scripts.count)),)
    return tuple(_read(word, way) for way in sorted(ways, key=scripts.count, reverse=True)[:2])


def _script(letter: str) -> str | None:
    if not letter.isalpha():
        return None
    point = ord(letter)
    return next((script for first, end, script in _BLOCKS if first <= point < end), "other")


def _can_be_read(word: str, script: str) -> bool:
    known = _READINGS[script]
    return all(letter in known or _script(letter) in {script, None} for letter in word)


def _read(word: str, script: str) -> str:
    known = _READINGS[script]
    return "".join(letter if _script(letter) == script else known.get(letter, letter) for letter in word)
