"""Collects the strings of pages, notices and mails, and brings every catalogue up to date (`make messages`).

Invariants: running it twice changes nothing; a string that is new is empty in every catalogue (nothing is guessed), one
that is gone is dropped, and no date or line number is written, so that a change of a catalogue is a change of words.
"""
# ruff: noqa: INP001  # a script, no package

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from demur.notices.languages import LANGUAGES, SOURCE
from demur.notices.templating import EXTENSIONS

PACKAGE: Final = Path(__file__).resolve().parent.parent / "src" / "demur"
LOCALE: Final = PACKAGE / "notices" / "locale"
TEMPLATE: Final = LOCALE / "demur.pot"

_FOLDERS: Final = ("notices", "rights", "web", "worker")
_JINJA: Final = "jinja2.ext:babel_extract"
_METHODS: Final = [("**.py", "python"), ("**.html", _JINJA), ("**.txt", _JINJA)]
_OPTIONS: Final = {
    "extensions": ",".join(EXTENSIONS),
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
}
_KEYWORDS: Final = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def extracted() -> Catalog:
    """Every string that is marked in code or in a template, with the files it stands in."""
    catalog = Catalog()
    for folder in (PACKAGE / name for name in _FOLDERS):
        if not folder.is_dir():
            continue
        options = {pattern: _OPTIONS for pattern, method in _METHODS if method == _JINJA}
        found = extract_from_dir(folder, _METHODS, options, _KEYWORDS, ("Translators:",), strip_comment_tags=True)
        for name, _line, message, comments, context in found:
            catalog.add(message, None, [(f"{folder.name}/{name}", 1)], auto_comments=comments, context=context)
    return catalog


def path(language: str) -> Path:
    """The catalogue of a language."""
    return LOCALE / language / "LC_MESSAGES" / "demur.po"


def updated(language: str, template: Catalog) -> str:
    """The catalogue of a language as it should stand: the strings of ``template``, translated as far as they are."""
    known = read_po(io.BytesIO(path(language).read_bytes()), locale=language) if path(language).exists() else Catalog()
    catalog = Catalog(locale=language)
    for message in _messages(template):
        old = known.get(message.id, message.context)
        catalog.add(
            message.id,
            old.string if old else None,
            message.locations,
            auto_comments=message.auto_comments,
            user_comments=old.user_comments if old else (),
            flags=(old.flags & {"fuzzy"}) if old else (),
            context=message.context,
        )
    return text(catalog, language)


def text(catalog: Catalog, language: str | None = None) -> str:
    """A catalogue as a file, sorted, one string a line; ``language`` None is the template."""
    heads = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    if language:
        number, rule, *_ = get_plural(language)
        heads += [f"Language: {language}", f"Plural-Forms: nplurals={number}; plural={rule};"]
    body = io.BytesIO()
    write_po(body, catalog, width=0, omit_header=True, sort_output=True, include_lineno=False)
    head = "\n".join(['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in heads)])
    return f"{head}\n\n{body.getvalue().decode().strip()}\n"


def _messages(catalog: Catalog) -> Iterable:  # type: ignore[type-arg]  # Babel's messages are untyped strings or pairs
    return (message for message in catalog if message.id)


def main() -> None:
    """Write the template and every catalogue; say how many strings each one lacks."""
    template = extracted()
    LOCALE.mkdir(exist_ok=True)
    TEMPLATE.write_text(text(template), "utf-8")
    lacking = {}
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        path(language).parent.mkdir(parents=True, exist_ok=True)
        path(language).write_text(updated(language, template), "utf-8")
        catalog = read_po(io.BytesIO(path(language).read_bytes()), locale=language)
        lacking[language] = sum(1 for message in _messages(catalog) if not message.string or message.fuzzy)
    missing = ", ".join(f"{language} {number}" for language, number in lacking.items() if number) or "none"
    sys.stdout.write(f"{len(template)} strings. Missing translations: {missing}.\n")


if __name__ == "__main__":
    main()
