"""Makes src/demur/people/data/words.txt: words that people write in lower case, by language.

Function words and other frequent ones are those of stopwordsiso (MIT), further frequent English ones of symspellpy
(MIT) without names; at most 3,000 a language, and of English 20,000. Neither package is needed but here:
``pip install stopwordsiso==0.7.1 symspellpy==6.10.1``.
"""
# ruff: noqa: INP001  # a script, no package

import json
from importlib import resources
from pathlib import Path
from typing import Final

from demur.people.lexicon import is_given, surname_languages

_LANGUAGES: Final = "bg ca cs da de el en es et fi fr ga hr hu it lt lv nl no pl pt ro ru sk sl sv tr uk".split()  # noqa: SIM905
_MOST: Final = 3_000
_FREQUENT: Final = 20_000
"""Of English words, since texts in other languages hold them, and accounts bear them."""
_NAME: Final = 7
"""What a listed surname scores."""
_TARGET: Final = Path(__file__).parent.parent / "src/demur/people/data/words.txt"
_HEAD: Final = """\
# Words that people write in lower case, by language: of stopwordsiso 0.7.1 (MIT), and for English the most frequent
# ones of symspellpy 6.10.1 (MIT) that are no names. Both are at github.com: bact/stopwords-iso, mammothb/symspellpy.
# Made by tools/common_words.py.
"""


def main() -> None:
    """Writes the list."""
    by_language = json.loads(resources.files("stopwordsiso").joinpath("stopwords-iso.json").read_text("utf-8"))
    lines = [f"{language}: {' '.join(_words(language, by_language[language]))}\n" for language in _LANGUAGES]
    _TARGET.write_text(_HEAD + "".join(lines), encoding="utf-8")


def _words(language: str, listed: list[str]) -> list[str]:
    words = list(dict.fromkeys(word for word in sorted(listed) if word.isalpha() and len(word) > 1))[:_MOST]
    return list(dict.fromkeys([*words, *_frequent()])) if language == "en" else words


def _frequent() -> list[str]:
    """Frequent English words, of three letters and more, that are no names."""
    source = resources.files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text("utf-8")
    words = [line.split()[0] for line in source.splitlines()[:_FREQUENT]]
    return [word for word in words if len(word) > 2 and word.isalpha() and not _is_name(word)]  # noqa: PLR2004


def _is_name(word: str) -> bool:
    return is_given(word) or max(surname_languages(word).values(), default=0) >= _NAME


if __name__ == "__main__":
    main()
