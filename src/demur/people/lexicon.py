"""What is known of single names: in which languages people bear them, and which of them are words as well."""

from functools import cache
from importlib import resources
from typing import Final

from demur.people.standin import fold_word

_ENDINGS: Final = tuple(
    "ski ska cki cka wicz ova ov ev eva enko chuk nen poulos akis idis son sen ic escu aitis iene shvili ez mann ini "
    "elli ова ов ев ева ский ская енко чук".split()
)


def folded(word: str) -> str:
    """A word as the words of texts are folded, in one piece."""
    return "".join(piece.folded for piece in fold_word(word))


@cache
def given_names() -> dict[str, tuple[str, ...]]:
    """Folded given names with the languages whose people bear them."""
    return {}


def is_given(word: str) -> bool:
    """Whether people bear a word as a given name."""
    return folded(word) in given_names()


def is_surname(word: str) -> bool:
    """Whether a word ends as surnames do, and no given name."""
    plain = folded(word)
    return plain.endswith(_ENDINGS) and plain not in given_names()


@cache
def common_words() -> frozenset[str]:
    """Folded words that people write in lower case."""
    source = resources.files("demur.people").joinpath("data/words.txt")
    return frozenset(source.read_text(encoding="utf-8").split()) if source.is_file() else frozenset()


def is_common(word: str) -> bool:
    """Whether a folded word is one that people write in lower case in some language."""
    return word in common_words()
