"""Tables of endings: what stands for an ending in the other forms of a word.

A line of a table is ``ending: replacement replacement ...``; of the endings that fit a word the longest counts. ``C``
and ``V`` stand for any one consonant and vowel, the same in the replacements. Lines under ``[given]`` or ``[surname]``
are for names that are borne as that alone, and come before others of the same ending. A lone colon: it has no forms.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Final

_CONSONANTS: Final = "bcdfghjklmnpqrstvwxzčćçďđģķļľłňńņñřŕšśșşťțţžźżßбвгґджзйклмнпрстфхцчшщђјљњћџѓќ"
_VOWELS: Final = "aeiouyáàâãäåąéèêëęěēėíìîïįīóòôõöøőúùûüűůųūýаеёиіїоуыэюяєъ"
_LEAST_STEM: Final = 2
"""Letters that stay before a short ending."""
_SHORT_ENDING: Final = 2


class Use(IntEnum):
    """As what a name is borne."""

    GIVEN = 0
    SURNAME = 1


@dataclass(frozen=True)
class Table:
    """The endings of one language."""

    endings: tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]
    """For given names, and for surnames: ending to its replacements."""
    longest: int

    def forms(self, word: str, use: Use) -> list[str]:
        """The other forms of a word."""
        endings = self.endings[use]
        for size in range(min(self.longest, len(word)), 0, -1):
            if size <= _SHORT_ENDING and len(word) - size < _LEAST_STEM:
                continue
            found = endings.get(word[-size:])
            if found is not None:
                return [word[:-size] + replacement for replacement in found]
        return []


@cache
def table(name: str) -> Table:
    """The table of a name, read once a process."""
    source = resources.files("demur.people.paradigms").joinpath(f"tables/{name}.txt")
    return parsed(source.read_text(encoding="utf-8"))


def parsed(text: str) -> Table:
    """A table as it is written.

    Raises:
        ValueError: if an ending stands twice in a section.
    """
    sections: dict[str, dict[str, tuple[str, ...]]] = {"": {}, "[given]": {}, "[surname]": {}}
    section = sections[""]
    for line in filter(None, (each.partition("#")[0].strip() for each in text.splitlines())):
        if line in sections:
            section = sections[line]
            continue
        ending, _, replacements = line.partition(":")
        _add(section, ending.strip(), tuple(replacements.split()))
    shared = _spelt_out(sections[""])
    both = tuple({**shared, **_spelt_out(sections[name])} for name in ("[given]", "[surname]"))
    return Table((both[0], both[1]), max(map(len, (*both[0], *both[1]))))


def _add(section: dict[str, tuple[str, ...]], ending: str, replacements: tuple[str, ...]) -> None:
    if ending in section:
        raise ValueError(f"The ending {ending} stands twice: write one line for it.")
    section[ending] = replacements


def _spelt_out(section: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """A section with a line for each letter of a class, unless the letter has one of its own."""
    found: dict[str, tuple[str, ...]] = {}
    for sign, letters in (("C", _CONSONANTS), ("V", _VOWELS)):
        pattern = section.get(sign)
        if pattern is not None:
            found |= {letter: tuple(each.replace(sign, letter) for each in pattern) for letter in letters}
    return found | {ending: replacements for ending, replacements in section.items() if ending not in {"C", "V"}}
