"""Ways in which a text says the same and is no longer found by comparing words: the judge of bench/guard.py.

Written before the guard's figures, and from nothing that it knows. Each way is a rule, and all that is drawn hangs on a
seed; what has nothing to change comes back as it was, and is counted so. Spaces, invisible characters and lookalikes
are those of bench/people/disguise.py; synonyms and translations stand in evading.toml, and made-up words, which have
neither, get another made-up word for each.
"""

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from people.disguise import capitals, fullwidth, homoglyphs, small, spaced, zero_width

_TABLES: Final = tomllib.loads((Path(__file__).parent / "evading.toml").read_text("utf-8"))
SYNONYMS: Final[Mapping[str, str]] = _TABLES["synonyms"]
GERMAN: Final[Mapping[str, str]] = _TABLES["german"]
_WORD: Final = re.compile(r"\w+")
_CLAUSE: Final = re.compile(r"(?<=[,;:.!?]) ")

Way = Callable[[str], str]


@dataclass(frozen=True)
class Words:
    """Exchanges words by a table, drawn by a seed."""

    table: Callable[[str], str]
    share: float
    """Of the words, how many are exchanged where the table has another."""
    seed: int

    def __call__(self, text: str) -> str:
        """The text with other words."""
        drawn = random.Random(f"{self.seed}/{text}")

        def other(found: re.Match[str]) -> str:
            word = found[0]
            if drawn.random() >= self.share:
                return word
            said = self.table(word.lower())
            return said.capitalize() if word[0].isupper() else said

        return _WORD.sub(other, text)


def in_table(table: Mapping[str, str]) -> Callable[[str], str]:
    """What a table has for a word; the word itself where it has nothing."""
    return lambda word: table.get(word, word)


def made_up(word: str) -> str:
    """Another made-up word for a made-up one, always the same."""
    drawn = random.Random(word)
    return "".join(chr(drawn.randrange(ord("a"), ord("z") + 1)) for _ in range(max(len(word), 3)))


def doubled(text: str) -> str:
    """With two spaces for each."""
    return text.replace(" ", "  ")


def swapped(text: str) -> str:
    """With every two neighbouring words in the other order."""
    words = text.split(" ")
    for at in range(0, len(words) - 1, 2):
        words[at], words[at + 1] = words[at + 1], words[at]
    return " ".join(words)


def turned(text: str) -> str:
    """With its clauses in the other order; without marks, its halves."""
    clauses = _CLAUSE.split(text)
    if len(clauses) == 1:
        words = text.split(" ")
        clauses = [" ".join(words[len(words) // 2 :]), " ".join(words[: len(words) // 2])]
    else:
        clauses.reverse()
    return " ".join(clauses)


def invisible(text: str) -> str:
    """With an invisible character within each word."""
    return " ".join(map(zero_width, text.split(" ")))


def ways(synonyms: Callable[[str], str], translated: Callable[[str], str], seed: int) -> dict[str, Way]:
    """Every way of writing what somebody wrote.

    Args:
        synonyms: another word for a word.
        translated: a word in another language.
        seed: of what is drawn.
    """
    return {
        "verbatim": str,
        "small letters": small,
        "capitals": capitals,
        "doubled spaces": doubled,
        "zero-width in words": invisible,
        "letters spaced": spaced,
        "lookalike letters": homoglyphs,
        "fullwidth letters": fullwidth,
        "one word in ten another": Words(synonyms, 0.1, seed),
        "one word in four another": Words(synonyms, 0.25, seed),
        "every other word another": Words(synonyms, 0.5, seed),
        "clauses turned": turned,
        "neighbours swapped": swapped,
        "translated by table": Words(translated, 1.0, seed),
    }


def names(language: str) -> dict[str, Callable[[str], str]]:
    """Every way of writing a name of two words or more, in a language."""
    from people.disguise import apply  # noqa: PLC0415  # beside what it is used for

    def of(way: str) -> Callable[[str], str]:
        return lambda name: apply(way, name, language)

    return {
        "verbatim": str,
        "small letters": of("small"),
        "capitals": of("capitals"),
        "doubled spaces": doubled,
        "zero-width in words": invisible,
        "letters spaced": of("spaced"),
        "joined": of("joined"),
        "lookalike letters": of("homoglyph"),
        "fullwidth letters": of("fullwidth"),
        "without diacritics": of("stripped"),
        "transliterated": of("transliterated"),
        "surname first": lambda name: " ".join(reversed(name.split(" "))),
        "initial and surname": lambda name: f"{name[0]}. {name.split(' ')[-1]}",
        "surname alone": lambda name: name.split(" ")[-1],
        "given name alone": lambda name: name.split(" ")[0],
        "paraphrase: initials": lambda name: " ".join(f"{part[0]}." for part in name.split(" ")),
    }
