"""Texts made safe for where they go: by Jinja, which escapes and is strict, and on one line.

Invariants: in ``.html`` every value is escaped and a string of a catalogue is not, so that no catalogue holds markup (a
test fails on it); in ``.txt`` nothing is; a name that a template uses and nobody gave is an error, never an empty
place. In a string, ``%`` is a placeholder's: write ``%%`` for the sign. A line has no line break, no control character
and nothing that turns the direction of text, so that it is safe in a mail's header. A name that could pass for a link
or an address is not used to greet anybody, as mail programs would make it one.
"""

import re
import unicodedata
from typing import Final

from babel.dates import format_date
from jinja2 import BaseLoader, Environment, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context

from demur.notices.languages import SOURCE, autonym, direction, locale, megabytes, translations

EXTENSIONS: Final = ("jinja2.ext.i18n",)
"""What the extractor of strings has to know of, too."""

_LONGEST: Final = 200
_LONGEST_NAME: Final = 60
_JOINERS: Final = "\u200c\u200d"  # scripts and emoji need them
_SEPARATORS: Final = frozenset({"Zl", "Zp", "Zs", "Cc"})
_UNSEEN: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
_LINK_LIKE: Final = re.compile(r"[/@\\]|\w[.:]\w\w")


def environment(loader: BaseLoader) -> Environment:
    """An environment for templates that are rendered by :func:`render`."""
    made = Environment(
        loader=loader,
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        extensions=EXTENSIONS,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    made.filters["day"] = _day
    made.filters["megabytes"] = _megabytes
    made.filters["autonym"] = autonym
    made.filters["direction"] = direction
    return made


def render(environment: Environment, name: str, language: str, **values: object) -> str:
    """A template in a language; besides ``values`` it knows ``language`` and ``direction``."""
    return environment.get_template(name).render(language=language, direction=direction(language), **values)


def line(text: str, longest: int = _LONGEST) -> str:
    """``text`` on one line of at most ``longest`` characters."""
    if text.isascii() and text.isprintable() and len(text) <= longest:
        return " ".join(text.split())
    shown = "".join(map(_shown, text[: 4 * longest]))
    found = unicodedata.normalize("NFC", " ".join(shown.split()))  # what was apart by the unseen may join now
    return found if len(found) <= longest else found[: longest - 1].rstrip() + "…"


def greeting(names: tuple[str, ...]) -> str:
    """The first name to greet somebody by, "" if none will do."""
    name = line(names[0], _LONGEST_NAME) if names else ""
    return "" if _LINK_LIKE.search(name) else name


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    if category in _SEPARATORS:
        return " "
    return "" if category in _UNSEEN and char not in _JOINERS else char


@pass_context
def _gettext(context: Context, message: str) -> str:
    return translations(_language(context)).gettext(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, number: int) -> str:
    return translations(_language(context)).ngettext(singular, plural, number)


@pass_context
def _day(context: Context, value: object) -> str:
    """A day or a time as the reader's language writes days, at full length: ``1 February 2026``."""
    return format_date(value, "long", locale=locale(_language(context)))  # type: ignore[arg-type]  # a date, as mypy can't see


@pass_context
def _megabytes(context: Context, number: int) -> str:
    """A size as the reader's language writes it: ``10 megabytes``."""
    return megabytes(number, _language(context))


def _language(context: Context) -> str:
    return str(context.get("language", SOURCE))
