"""Pages: a template in the language that the path says, in the one frame that all share.

Invariants: a path begins with its language, ``/de/object``, and nothing else decides it; templates are compiled once;
every value is escaped. Every page can be had in every language: by a link, or where it holds a form by a button that
sends what was filled in to the same page of that language, in the body and never in an address. Compressed are only
public pages, which hold neither a secret nor anything that came with the request: what is compressed with both tells
the one by the other (BREACH, Gluck, Harris and Prado 2013).
"""

import functools
import gzip
import hashlib
import re
from collections.abc import Mapping
from gettext import NullTranslations
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse

from demur.notices.languages import LANGUAGES, SOURCE, accepted, autonym, translations
from demur.notices.templating import environment, render
from demur.web.desk import Desk

PREFIX: Final = "/{language:language}"
"""What the path of a public page begins with."""

_ENGLISH: Final = frozenset({"staff", "outbox", "api"})
"""Parts of the site, by the beginning of their path, that are not translated."""

_LEVEL: Final = 6
"""Of gzip: more takes longer and saves nothing worth it."""
_GZIP: Final = re.compile(r"(?i)(?:^|[\s,])gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))")

_LONGEST_QUERY: Final = 60
"""A longer query is a token: 26 links to the page in other languages with it would be most of the page."""


class LanguageConvertor(Convertor[str]):
    """One of the languages, as the first part of a path."""

    regex = "|".join(LANGUAGES)

    def convert(self, value: str) -> str:
        """The language."""
        return value

    def to_string(self, value: str) -> str:
        """The part of the path."""
        return value


register_url_convertor("language", LanguageConvertor())


def desk(request: Request) -> Desk:
    """What the routes work with."""
    found = request.app.state.desk
    assert isinstance(found, Desk)
    return found


def address(language: str, path: str) -> str:
    """The path of a page in a language: ``address("de", "/object")``."""
    return f"/{language}{path}"


def language(request: Request) -> str:
    """The language that the path says, else the one the browser prefers, else English; staff read English."""
    first = request.url.path.split("/", 2)[1]
    if first in LANGUAGES:
        return first
    return SOURCE if first in _ENGLISH else accepted(request.headers.get("accept-language"), LANGUAGES) or SOURCE


def gettext(request: Request) -> NullTranslations:
    """The catalogue of the page's language."""
    return translations(language(request))


def page(
    request: Request,
    name: str,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page.

    Args:
        request: what it answers; its path says the language.
        name: of the template, which extends ``base.html``.
        status: of the answer.
        headers: further ones.
        values: for the template. ``errors``, a mapping from the id of a field to a sentence, makes an error summary;
            ``switch`` is the path, without its language, that the choice of languages leads to, None for no choice;
            ``kept`` is the path, without its language, that takes the form ``f`` to be filled in further in
            another language, "" where the page has no such form; ``kept_plain`` without its file.
    """
    shown = language(request)
    policy = desk(request).policy()
    frame: dict[str, object] = {
        "policy": policy,
        "controller": policy.controller,
        "switch": _switch(request),
        "kept": "",
        "kept_plain": False,
        "errors": {},
        "place": "",
    }
    return HTMLResponse(render(_environment(), name, shown, **(frame | values)), status, headers)


def public_page(
    request: Request,
    name: str,
    **values: Any,  # noqa: ANN401  # a template's
) -> HTMLResponse:
    """A page that search engines may show: the same for everybody, repeating nothing of the request; compressed."""
    path = request.url.path
    place, switch = f"{desk(request).policy().portal.url}{path}", f"/{path.split('/', 2)[2]}"
    answer = page(request, name, headers={"vary": "accept-encoding"}, place=place, switch=switch, **values)
    if takes_gzip(request):
        answer.body = gzip.compress(answer.body, _LEVEL, mtime=0)
        answer.headers["content-encoding"] = "gzip"
        answer.headers["content-length"] = str(len(answer.body))
    return answer


def takes_gzip(request: Request) -> bool:
    """Whether a browser says that it reads gzip (RFC 9110, 12.5.3)."""
    return _GZIP.search(request.headers.get("accept-encoding", "")) is not None


def _switch(request: Request) -> str | None:
    """The path of this page without its language; None where it has none to choose."""
    _, first, *rest = request.url.path.split("/", 2)
    if first not in LANGUAGES or len(request.url.query) > _LONGEST_QUERY:
        return None
    return "/" + "".join(rest) + (f"?{request.url.query}" if request.url.query else "")


@functools.cache
def stylesheet() -> tuple[bytes, str]:
    """The stylesheet, and the path of just this one."""
    content = files("demur.web").joinpath("static", "style.css").read_bytes()
    return content, f"/static/style.css?v={hashlib.sha256(content).hexdigest()[:12]}"


@functools.cache
def _environment() -> Environment:
    made = environment(PackageLoader("demur.web"))
    made.globals["languages"] = [(code, autonym(code)) for code in LANGUAGES]
    made.globals["address"] = address
    made.globals["stylesheet"] = stylesheet()[1]
    return made
