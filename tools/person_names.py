"""Makes src/demur/people/data/given_more.txt: given names by language, besides those that were written for demur.

They are those of Faker (MIT) for the languages of the lists, in one word each, without common words. It is not needed
but here: ``pip install faker==40.63.0``.
"""
# ruff: noqa: INP001  # a script, no package

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from demur.people.lexicon import common_words, folded, given_names, surname_languages

_LOCALES: Final = """
en_US en_GB en_IE de_DE de_AT de_CH fr_FR fr_BE fr_CA fr_CH es_ES es_MX es_AR es_CO es_CL pt_PT pt_BR it_IT nl_NL nl_BE
pl_PL cs_CZ sk_SK hu_HU ro_RO bg_BG ru_RU uk_UA el_GR da_DK sv_SE fi_FI et_EE lv_LV lt_LT hr_HR sl_SI no_NO ga_IE tr_TR
""".split()  # noqa: SIM905  # a list of words
_TARGET: Final = Path(__file__).parent.parent / "src/demur/people/data/given_more.txt"
_LEAST: Final = 3
"""Letters."""
_LISTED: Final = 7
"""What a listed surname scores."""
_HEAD: Final = """\
# Given names by language, besides those of given.txt: of Faker 40.63.0 (MIT, github.com/joke2k/faker), in one word,
# without common words and listed surnames. Made by tools/person_names.py.
"""


def main() -> None:
    """Writes the list."""
    found: dict[str, set[str]] = {}
    for locale in _LOCALES:
        language = locale.partition("_")[0]
        found.setdefault(language, set()).update(_names(import_module(f"faker.providers.person.{locale}").Provider))
    lines = [f"{language}: {' '.join(sorted(_fresh(language, names)))}\n" for language, names in found.items()]
    _TARGET.write_text(_HEAD + "".join(lines), encoding="utf-8")


def _names(provider: type) -> Iterator[str]:
    """The given names that a locale has."""
    for name in dir(provider):
        values = getattr(provider, name)
        if name.startswith("first_name") and isinstance(values, (tuple, list, dict)):
            yield from (str(value).lower() for value in values)


def _fresh(language: str, names: set[str]) -> Iterator[str]:
    """The names that are no common word, no listed surname, and not known for the language yet."""
    for name in names:
        plain = folded(name)
        listed = max(surname_languages(name).values(), default=0) >= _LISTED
        word = plain in common_words() or listed
        if name.isalpha() and len(name) >= _LEAST and not word and language not in given_names().get(plain, ()):
            yield name


if __name__ == "__main__":
    main()
