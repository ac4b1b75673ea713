"""Names in other letters: Cyrillic and Greek in Latin ones and back, and umlauts spelt out.

Several customs stand side by side, since writers follow several: passports (ICAO 9303, part 3, section 6), the
scholarly one (ISO 9, ELOT 743), English and German newspapers, and what people type. Invariants: words are small
letters, NFC; a word gives at most :data:`MOST` others, the likeliest first.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from demur.people.lexicon import ALPHABETS, of_one_alphabet, script_variants, without_accents

MOST: Final = 8

_LETTERS: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяієїґђјљњћџў"
_PASSPORT: Final = (
    "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y _ e iu ia i ie i g d j lj nj c dz u"
)
_ICAO: Final = dict(zip(_LETTERS, _PASSPORT.split(), strict=True))
"""An underscore for a letter that is left out."""
_EVERYDAY: Final = {**_ICAO, "ё": "yo", "й": "y", "ъ": "_", "ю": "yu", "я": "ya", "є": "ye", "ї": "yi", "х": "h"}
_ENGLISH: Final = {**_EVERYDAY, "ё": "e", "х": "kh"}
_ISO9: Final = {
    **_ICAO, "ж": "z", "й": "j", "х": "h", "ц": "c", "ч": "c", "ш": "s", "щ": "sc", "ю": "ju", "я": "ja", "ъ": "_",
    "є": "je", "ї": "ji",
}  # fmt: skip
_GERMAN: Final = {
    **_ICAO, "в": "w", "ж": "sch", "з": "s", "й": "i", "х": "ch", "ц": "z", "ч": "tsch", "ш": "sch", "щ": "schtsch",
    "ю": "ju", "я": "ja", "ъ": "_", "ё": "jo", "є": "je", "ї": "ji",
}  # fmt: skip
_POLISH: Final = {**_GERMAN, "ж": "z", "з": "z", "х": "ch", "ц": "c", "ч": "cz", "ш": "sz", "щ": "szcz", "й": "j"}
_SYSTEMS: Final = (
    (_ENGLISH, "y"), (_ICAO, "y"), (_ICAO, "ii"), (_GERMAN, "i"), (_EVERYDAY, "iy"), (_ISO9, "ij"), (_POLISH, "ij"),
)  # fmt: skip
"""Each with what it makes of an ending -ий."""
_UKRAINIAN: Final = {"г": "h", "и": "y"}
_BULGARIAN: Final = {"щ": "sht", "ъ": "a", "х": "h"}
_SERBIAN: Final = {"ж": "z", "ч": "c", "ш": "s", "х": "h", "ц": "c", "џ": "dz"}

_ELOT: Final = (
    ("αυ", "av"), ("ευ", "ev"), ("ηυ", "iv"), ("ου", "ou"), ("γγ", "ng"), ("γξ", "nx"), ("γχ", "nch"), ("μπ", "b"),
    ("θ", "th"), ("χ", "ch"), ("ψ", "ps"), ("ξ", "x"), ("φ", "f"),
    *zip("αβγδεζηικλμνοπρσςτυω", "avgdeziiklmnoprsstyo", strict=True),
)  # fmt: skip
_GREEKLISH: Final = (("μπ", "mp"), ("χ", "h"), ("υ", "i"), ("ου", "ou"), ("γγ", "gg"), *_ELOT)
_CLASSICAL: Final = (("φ", "ph"), ("ντ", "d"), ("μπ", "b"), ("υ", "y"), ("ει", "i"), ("οι", "i"), ("β", "b"), *_ELOT)

_TO_CYRILLIC: Final = (
    ("shch", "щ"), ("sch", "ш"), ("sh", "ш"), ("tch", "ч"), ("ch", "ч"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"),
    ("ph", "ф"), ("th", "т"), ("ck", "к"), ("x", "кс"), ("yu", "ю"), ("iu", "ю"), ("ju", "ю"), ("ya", "я"),
    ("ia", "ия"), ("ja", "я"), ("yo", "ё"), ("ye", "е"), ("je", "е"), ("č", "ч"), ("š", "ш"), ("ž", "ж"), ("ć", "ч"),
    *zip("abvgdezijklmnoprstufhcwq", "абвгдезийклмнопрстуфхквк", strict=True),
)  # fmt: skip
_CYRILLIC_ENDINGS: Final = (
    ("skiy", "ский"), ("skii", "ский"), ("skij", "ский"), ("sky", "ский"), ("ski", "ский"), ("skaya", "ская"),
    ("iy", "ий"), ("ii", "ий"), ("ij", "ий"), ("ey", "ей"), ("ei", "ей"), ("ay", "ай"), ("ai", "ай"), ("oy", "ой"),
    ("oi", "ой"), ("iya", "ия"), ("ia", "ия"), ("ry", "рий"), ("ly", "лий"), ("my", "мий"), ("ny", "ний"),
)  # fmt: skip
_TO_SERBIAN: Final = (
    ("dž", "џ"), ("lj", "љ"), ("nj", "њ"), ("đ", "ђ"), ("dj", "ђ"), ("ć", "ћ"), ("č", "ч"), ("š", "ш"), ("ž", "ж"),
    *zip("abvgdezijklmnoprstufhc", "абвгдезијклмнопрстуфхц", strict=True),
)  # fmt: skip
_STEMS: Final = (
    "theodor georg giorg dimitr konstant ioann michail panagiot athanas stavr antoni manol pavl anastas emmanouil",
    "θεοδωρ γεωργ γιωργ δημητρ κωνσταντ ιωανν μιχαηλ παναγιωτ αθανασ σταυρ αντωνι μανωλ παυλ αναστασ εμμανουηλ",
)
_TO_GREEK: Final = (
    ("ou", "ου"), ("th", "θ"), ("ch", "χ"), ("kh", "χ"), ("ps", "ψ"), ("ks", "ξ"), ("ph", "φ"), ("mp", "μπ"),
    ("nt", "ντ"), ("gk", "γκ"), ("ng", "γγ"), ("av", "αυ"), ("ev", "ευ"), ("ai", "αι"), ("ei", "ει"), ("oi", "οι"),
    ("x", "ξ"), ("b", "μπ"), ("y", "υ"), ("w", "ω"), ("h", "χ"), ("c", "κ"), ("j", "τζ"), ("q", "κ"), ("u", "ου"),
    *zip("adefgiklmnoprstvz", "αδεφγικλμνοπρστβζ", strict=True),
    *zip(_STEMS[0].split(), _STEMS[1].split(), strict=True),
)  # fmt: skip
"""And stems of names whose vowels only their spelling tells."""
_GREEK_ENDINGS: Final = (
    ("opoulos", "όπουλος"), ("opoulou", "οπούλου"), ("akis", "άκης"), ("idis", "ίδης"), ("iadis", "ιάδης"),
    ("adis", "άδης"), ("is", "ης"), ("os", "ος"), ("as", "ας"), ("es", "ες"), ("i", "η"),
)  # fmt: skip
_DIPHTHONGS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "đ": "dj", "ő": "oe", "ű": "ue"}
_SPELT_OUT: Final = re.compile(r"(?<=[bcdfghjklmnprstvwz])(?:ue|oe|ae)(?=[bcdfghklmnprstvz]{1,3}|$)")
_WITH_UMLAUT: Final = frozenset({"de", "da", "no", "sv", "fi", "et", "hu"})
_NO_UMLAUT: Final = re.compile(r"(?:ue|ae|oe)(?:ls?)?$|aer$|oes$|ues$|aes$")


def spellings(word: str, languages: Sequence[str]) -> list[str]:
    """Other spellings of a word, in its script and in the others that the languages call for."""
    script = script_of(word)
    known = script_variants().get(word, ())
    found = [each for each in known if script_of(each) != script and _wanted(script_of(each), languages)]
    if script == "latin":
        found = [*_umlauts(word, languages), *(found or _from_latin(word, languages))]
    elif script == "cyrillic":
        found += _cyrillic_in_latin(word, languages)
    elif script == "greek":
        found += _greek_in_latin(word)
    return [each for each in dict.fromkeys(found) if each != word and of_one_alphabet(each)][:MOST]


def script_of(word: str) -> str:
    """The script of the first letter of a word: latin, cyrillic, greek, or other."""
    for letter in word:
        if letter.isalpha():
            return next((script for script, letters in ALPHABETS.items() if letter in letters), "other")
    return "other"


def _wanted(script: str, languages: Sequence[str]) -> bool:
    """Whether texts in these languages are in that script; everybody is written in Latin letters somewhere."""
    if script == "latin":
        return True
    return any(_SCRIPTS.get(language) == script for language in languages)


_SCRIPTS: Final = {**dict.fromkeys(("bg", "ru", "uk", "sr", "mk", "be"), "cyrillic"), "el": "greek"}


def _umlauts(word: str, languages: Sequence[str]) -> Iterator[str]:
    """Müller: mueller; Mueller: muller, where the languages have umlauts."""
    spelt_out = "".join(_DIPHTHONGS.get(letter, letter) for letter in word)
    if spelt_out != word:
        yield spelt_out
    elif word.isascii() and not _WITH_UMLAUT.isdisjoint(languages) and not _NO_UMLAUT.search(word):
        yield _SPELT_OUT.sub(lambda match: match[0][0], word)


def _cyrillic_in_latin(word: str, languages: Sequence[str]) -> Iterator[str]:
    likely = next(iter(languages), "") == "uk"
    own = _UKRAINIAN if set(word) & set("іїєґ") or likely else _SERBIAN if set(word) & set("ђјљњћџ") else {}
    for system, ending in _SYSTEMS:
        stem, tail = (word[:-2], ending) if word.endswith(("ий", "ій")) else (word, "")
        yield _mapped(stem, {**system, **own}) + tail
    if not own and "uk" in languages:
        yield _mapped(word, {**_ENGLISH, **_UKRAINIAN})
    if own is _SERBIAN:
        yield _mapped(word, {**_ENGLISH, **own, "ђ": "dj"})
    if "ъ" in word or "щ" in word:
        yield _mapped(word, {**_ENGLISH, **_BULGARIAN})


def _mapped(word: str, letters: Mapping[str, str]) -> str:
    return "".join(letters.get(letter, letter) for letter in word).replace("_", "")


def _greek_in_latin(word: str) -> Iterator[str]:
    bare = without_accents(word)
    for system in (_ELOT, _GREEKLISH, _CLASSICAL):
        yield _replaced(_voiceless(bare) if system is not _CLASSICAL else bare, system)


def _voiceless(word: str) -> str:
    """Upsilon behind alpha or epsilon is f before a voiceless consonant and at the end (ELOT 743)."""
    return re.sub(r"(?<=[αε])υ(?=[θκξπσςτφχψ]|$)", "φ", word)


def _from_latin(word: str, languages: Sequence[str]) -> Iterator[str]:
    spoken = set(languages)
    if spoken & {"ru", "uk", "bg", "mk", "be"}:
        yield _in_cyrillic(word, ukrainian="uk" in spoken and "ru" not in spoken)
    if "sr" in spoken:
        yield _replaced(word, _TO_SERBIAN)
    if "el" in spoken:
        yield from _in_greek(word)


def _in_cyrillic(word: str, *, ukrainian: bool) -> str:
    head, tail = _ended(word, _CYRILLIC_ENDINGS)
    head = _replaced(head, _TO_CYRILLIC)
    head = re.sub("y(?=[аеиоуюя]|$)", "й", head).replace("y", "ы")
    whole = head + tail
    return whole.replace("и", "і").replace("ы", "и").replace("ський", "ський") if ukrainian else whole


def _in_greek(word: str) -> Iterator[str]:
    head, tail = _ended(word, _GREEK_ENDINGS)
    in_greek = _replaced(head, _TO_GREEK) + tail
    final = in_greek[:-1] + "ς" if in_greek.endswith("σ") else in_greek
    yield final
    if "i" in head:
        yield final.replace("ι", "η", final.count("ι"))


def _ended(word: str, endings: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """What stands before the first ending that fits, and what the ending is in the other script."""
    fits = ((latin, other) for latin, other in endings if word.endswith(latin) and len(word) > len(latin) + 1)
    latin, other = next(fits, ("", ""))
    return word[: len(word) - len(latin)], other


def _replaced(word: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """A word with each of the sequences replaced, the first that fits at each place."""
    return _pattern(pairs).sub(lambda match: _mapping(pairs)[match[0]], word)


@cache
def _pattern(pairs: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(_mapping(pairs), key=len, reverse=True)))


@cache
def _mapping(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The first of two pairs for one sequence counts."""
    return dict(reversed(pairs))
