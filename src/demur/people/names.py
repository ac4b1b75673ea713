"""How a spelling of a person's name is read: its words, and what each of them is.

Invariants: every part is one word, as the words of a text are cut, so that a part can be looked up; the order of parts
is that of the spelling; what names nobody (titles, emoji, punctuation) is left out; reading never fails.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from demur.people.lexicon import is_given, is_surname, places

LONGEST: Final = 200
"""Characters of a spelling that are read: nobody's name is longer, and what follows is none."""
MOST_PARTS: Final = 12


class NameRole(IntEnum):
    """What a part of a name is, or which kind of form stands for it; the numbers are stored and never change."""

    GIVEN = 1
    MIDDLE = 2
    PARTICLE = 3
    """von, de la, O': names nobody alone."""
    SURNAME = 4
    SINGLE = 5
    """The only word of a spelling: a given name, a surname, or neither."""
    HANDLE = 6
    """The name of an account: only whole."""
    NICK = 7
    """Another name that goes with the part (Steve for Stephen), or one that stood in quotes."""
    JOINED = 8
    """A given name and a surname written as one word: stevemiller; of two surnames, or two given names, that is one."""
    INITIAL = 9
    """The first letter of the part."""


@dataclass(frozen=True)
class Part:
    """A word of a name."""

    text: str
    """As it is written, NFC."""
    role: NameRole


@dataclass(frozen=True)
class Name:
    """A spelling as it was read; without parts it names nobody."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Word:
    text: str
    group: int
    """The number of the run without spaces in which it stands: the two words of Anne-Marie share it."""
    after: str
    """What stands between the word before it in the run and this one: a hyphen or an apostrophe."""
    leads: bool = False
    """Whether it stands before a comma that says that the surname stands first."""

    @property
    def plain(self) -> str:
        return self.text.casefold()


_TITLES: Final = frozenset(
    """dr drs prof professor mr mrs ms mx miss mister sir dame lady herr frau fräulein dipl ing mgr mgra bc inż
    mudr judr phdr rndr thdr mvdr paedr csc drsc dott dottssa avv sig sigra signor signora mme mlle monsieur madame
    mademoiselle sra srta señor señora doña pan pani herra rouva kyria kyrios hr fru jr snr phd md msc mba
    esq ii iii iv obe kbe mp dphil llb llm bsc beng univ habil g-n gospodin gospodja γδ κος κα κύριος κυρία
    г-н г-жа господин госпожа пан пані д-р проф doctor dra doc docent""".split()  # noqa: SIM905  # a list of words
)
_DOTTED_TITLES: Final = frozenset({"m", "ing", "mag", "don", "fr", "st", "br", "sr", "ba", "ma", "o", "p"})
"""Titles that are names, too, or initials: only with a dot, and before another word of more than one letter."""
_SUFFIXES: Final = frozenset({"jr", "sr", "snr", "phd", "md", "ii", "iii", "iv", "esq", "mba", "msc", "csc"})
_BORN: Final = re.compile(
    r"\b(?:n[eé]e|born|geb\.?|geborene|z domu|z d\.|roz\.|rozená|født|född|o\.s\.|szül\.|урожд\.?|урождённая|născută|"
    r"alias|aka)\s",
    re.IGNORECASE,
)
_BESIDES: Final = re.compile(r"\s[|•·–—/@:~-]+\s")
"""What sets off a name from what else a display name says: a company, a place, a mood."""
_TAG: Final = re.compile(r"#\d{1,5}\Z")
"""The number that some platforms put behind a name."""
_PARTICLES: Final = frozenset(
    """von van vom der den dem de da do dos das du di del della dello dei degli delle la le las los lo el al ap bin
    ben ibn abu af av zu zum zur ter ten te y e i und und'm und- ó o d l mac mc ní nic ni ui uí mhic san santa st
    фон ван де дер ди""".split()  # noqa: SIM905  # a list of words
)
_NAMES_TOO: Final = frozenset(
    {"ben", "al", "van", "mac", "san", "e", "i", "o", "y", "d", "l", "st", "santa", "le", "do"}
)
"""Particles that begin a spelling only as a name or an initial."""
_ELIDED: Final = frozenset({"o", "d", "l", "dell", "dall", "sant", "m", "n", "mc", "т", "д", "о", "al", "el", "ó"})
_SURNAME_FIRST: Final = frozenset({"hu", "zh", "ja", "ko", "vi"})
_TWO_SURNAMES: Final = frozenset({"es", "pt", "ca", "gl"})
_PATRONYMIC: Final = re.compile(
    r"\w{2,}(?:[ое]вич|ична|[ое]вна|івна|ївна|[oe]vich|[oe]vi[cč]|[oe]vna|ichna|ivna)", re.IGNORECASE
)
_QUOTED: Final = re.compile(r"[\"“”„‟«»‘]\s*([^\"“”„‟«»’]{2,40}?)\s*[\"“”«»’]")
_BRACKETED: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_APOSTROPHES: Final = frozenset("'’ʼ`´′")
_HANDLE_LIKE: Final = re.compile(r"\S*(?:\d|_)\S*")


def read_name(spelling: str, languages: Sequence[str] = ()) -> Name:
    """The parts of a spelling, in its order.

    Args:
        spelling: as a person or a platform wrote it: ``Dr. Ludwig van Beethoven``, ``Müller-Schmidt, Anna``.
        languages: those the name may be in, BCP 47 primary tags, the likeliest first: they tell which word is the
            surname where nothing else does.
    """
    text = _without_besides(unicodedata.normalize("NFC", spelling)[:LONGEST].strip())
    if _HANDLE_LIKE.fullmatch(text):
        return read_handle(text)
    text, nicks = _without_quoted(text)
    text, born = _without_born(_BRACKETED.sub(_bracketed, text))
    words = _words_in_order(text)
    roles = _roles(words, languages)
    parts = [Part(word.text, role) for word, role in zip(words, roles, strict=True)]
    parts += [Part(word.text, NameRole.SURNAME) for word in _words(born)] if parts else []
    parts += [Part(nick, NameRole.NICK) for nick in nicks]
    return Name(tuple(parts[:MOST_PARTS]))


def read_handle(account: str) -> Name:
    """The name of an account as one part: ``irc:steve_m91``, ``mastodon:@ann@host``, or the name alone."""
    _, colon, value = account.partition(":")
    value = _TAG.sub("", (value if colon else account).strip().lstrip("@"))
    local = unicodedata.normalize("NFC", value.partition("@")[0])[:LONGEST]
    return Name((Part(local, NameRole.HANDLE),)) if any(map(str.isalnum, local)) else Name(())


def _without_besides(text: str) -> str:
    """The first piece that has a letter."""
    return next((piece for piece in _BESIDES.split(text) if any(map(str.isalpha, piece))), text)


def _without_quoted(text: str) -> tuple[str, list[str]]:
    nicks = [word.text for quoted in _QUOTED.findall(text) for word in _words(quoted)]
    rest = _QUOTED.sub(" ", text)
    return (rest, nicks) if any(map(str.isalpha, rest)) else (text, [])


def _bracketed(match: re.Match[str]) -> str:
    """A former name in brackets stays, anything else (pronouns, a company) goes."""
    inside = match[1] or match[2] or ""
    return f" {inside} " if _BORN.match(inside) else " "


def _without_born(text: str) -> tuple[str, str]:
    """What stands before ``née``, and after it."""
    found = _BORN.search(text)
    if found is None or not any(map(str.isalpha, text[: found.start()])):
        return text, ""
    return text[: found.start()], text[found.end() :]


def _words_in_order(text: str) -> list[_Word]:
    """The words that name, those before a comma marked where given names follow it."""
    before, _, after = text.partition(",")
    words, behind = _words(before), _words(after)
    if not words or all(word.plain.rstrip(".") in _TITLES | _SUFFIXES for word in behind):
        return _untitled(words or behind)
    first = [replace(word, leads=True) for word in words]
    return _untitled([*first, *(replace(word, group=word.group + len(words)) for word in behind)])


def _words(text: str) -> list[_Word]:
    """The words of a text, cut as those of posts are, with the dot behind each."""
    found = []
    for group, run in enumerate(text.split()):
        last = 0
        for number, (start, end) in enumerate(places(run)):
            after = run[last:start] if number else ""
            dot = "." if run[end : end + 1] == "." else ""
            found.append(_Word(run[start:end] + dot, group, after))
            last = end
    return found


def _untitled(words: list[_Word]) -> list[_Word]:
    """Without titles, where a name is left, and without the dots."""
    kept = [word for number, word in enumerate(words) if not _is_title(word, words[number + 1 :])]
    bare = [replace(word, text=word.text.rstrip(".")) for word in kept or words]
    return [word for word in bare if any(map(str.isalpha, word.text))]


def _is_title(word: _Word, behind: list[_Word]) -> bool:
    plain = word.plain.rstrip(".")
    if plain in _TITLES:
        return True
    return word.text.endswith(".") and plain in _DOTTED_TITLES and len(behind) > 1


def _roles(words: list[_Word], languages: Sequence[str]) -> list[NameRole]:
    """The role of each word."""
    naming = [number for number, word in enumerate(words) if not _is_particle(words, number)]
    roles = [NameRole.PARTICLE] * len(words)
    if len(naming) == 1:
        roles[naming[0]] = NameRole.SINGLE if len(words) == 1 else NameRole.SURNAME
    elif naming:
        for number, role in zip(naming, _order(words, naming, languages), strict=True):
            roles[number] = role
    return roles


def _is_particle(words: list[_Word], number: int) -> bool:
    """Whether a word names nobody: a small one before the surname, or what stands before an apostrophe."""
    word, behind = words[number], words[number + 1 :]
    if not behind:
        return False
    if word.plain in _ELIDED and behind[0].group == word.group and set(behind[0].after) <= _APOSTROPHES:
        return True
    if word.plain not in _PARTICLES:
        return False
    return number > 0 or (word.plain not in _NAMES_TOO and len(words) > 1)


def _order(words: list[_Word], naming: list[int], languages: Sequence[str]) -> list[NameRole]:
    """The roles of the words that name, of which there are two or more."""
    named = [words[number] for number in naming]
    leading = sum(word.leads for word in named)
    if leading or _begins_with_surname(named, languages):
        surnames = leading or sum(word.group == named[0].group for word in named[:-1])
        return [NameRole.SURNAME] * surnames + _given(len(named) - surnames)
    gaps = (place for place, number in enumerate(naming) if place and number - naming[place - 1] > 1)
    given = next(gaps, len(named) - _surnames(named, languages))
    return _given(given) + [NameRole.SURNAME] * (len(named) - given)


def _given(count: int) -> list[NameRole]:
    return [NameRole.GIVEN, *[NameRole.MIDDLE] * (count - 1)] if count else []


def _surnames(named: list[_Word], languages: Sequence[str]) -> int:
    """How many words at the end are surnames: those of one hyphened run, or two where people have two."""
    last = named[-1].group
    hyphened = sum(word.group == last for word in named[1:])
    two = bool(languages) and languages[0] in _TWO_SURNAMES and len(named) > 2  # noqa: PLR2004  # a given name first
    if two and hyphened == 1 and not (len(named) == 3 and is_given(named[1].text)):  # noqa: PLR2004
        return 2
    return hyphened


def _begins_with_surname(named: list[_Word], languages: Sequence[str]) -> bool:
    """Whether the surname stands first: in capitals alone, before a patronymic, or as the language has it."""
    first, last = named[0], named[-1]
    if len(first.text) > 1 and first.text.isupper() and not last.text.isupper():
        return True
    if len(last.text) > 1 and last.text.isupper() and not first.text.isupper():
        return False
    if len(named) > 2 and _PATRONYMIC.fullmatch(last.text) and not _PATRONYMIC.fullmatch(named[1].text):  # noqa: PLR2004
        return True
    if is_given(first.text) or not is_given(last.text):
        return bool(languages) and languages[0] in _SURNAME_FIRST and not is_given(first.text)
    return is_surname(first.text) or (bool(languages) and languages[0] in _SURNAME_FIRST)
