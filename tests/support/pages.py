"""A visitor who reads every page as a strict checker would, and fails the test at the first flaw.

What is checked on each page that is fetched: valid HTML (html5lib's strict parser), the language, one h1, a title that
begins with "Error" exactly where there is an error summary, unique ids, a label for every field, no reference to an id
that is not there, forms with a method and a button, nothing inline, the strict policy for content, no third party, no
dead link within the site, and at most 15 KB. A visitor fetches each link once; a page of the site that has the same
address for everybody is fetched once for a policy and a test process.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from starlette.testclient import TestClient

from demur.notices.languages import LANGUAGES, direction, translations

LARGEST: Final = 15 * 1024
"""Bytes of a page."""

CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_ANY_LANGUAGE: Final = re.compile(rf"^/({'|'.join(LANGUAGES)})/")
_OWN: Final = re.compile(r"/(?!staff)[a-z./-]*")
"""A page of the site without a token, a number or a query in its address; what staff see hangs on who they are."""
_THERE: Final[set[tuple[str, str]]] = set()
"""The site's own pages that were fetched, each with the policy under which it answered."""
_FIELDS: Final = ("input", "select", "textarea")
_UNLABELLED: Final = frozenset({"hidden", "submit", "button", "image", "reset"})
_EXTERNAL: Final = frozenset({"mailto", "tel"})
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Form:
    """A form as a browser would send it."""

    element: Element

    @property
    def action(self) -> str:
        return self.element.get("action", "")

    @property
    def method(self) -> str:
        return self.element.get("method", "")

    @property
    def values(self) -> dict[str, str]:
        """What is in the fields when the page opens, without those of buttons."""
        found: dict[str, str] = {}
        for each in self.element.iter():
            name, kind = each.get("name"), each.get("type", "text")
            if not name or each.tag not in _FIELDS or kind in {"submit", "file"}:
                continue
            if kind not in {"checkbox", "radio"} or each.get("checked") is not None:
                found[name] = _chosen(each)
        return found

    @property
    def buttons(self) -> list[Element]:
        return [each for each in self.element.iter("button") if each.get("type", "submit") == "submit"]


@dataclass(frozen=True)
class Page:
    """A page that passed."""

    path: str
    """Where it was found in the end, redirects followed, with its query."""
    status: int
    html: str
    headers: Mapping[str, str]
    tree: Element = field(repr=False)

    @property
    def language(self) -> str:
        return self.tree.get("lang", "")

    @property
    def title(self) -> str:
        return text_of(next(self.tree.iter("title")))

    @property
    def h1(self) -> str:
        return text_of(next(self.tree.iter("h1")))

    @cached_property
    def text(self) -> str:
        """What stands in the main part, spaces folded."""
        return text_of(next(self.tree.iter("main")))

    @property
    def forms(self) -> list[Form]:
        return [Form(each) for each in self.tree.iter("form")]

    @property
    def links(self) -> list[str]:
        return [href for each in self.tree.iter("a") if (href := each.get("href"))]

    @property
    def errors(self) -> dict[str, str]:
        """The error summary: the field that each line leads to, and the line."""
        box = next((each for each in self.tree.iter() if "error-summary" in each.get("class", "").split()), None)
        return {} if box is None else {each.get("href", "").lstrip("#"): text_of(each) for each in box.iter("a")}


class Visitor:
    """Somebody with a browser without JavaScript, and a strict eye."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self._alive: set[str] = set()

    def get(self, path: str, status: int = 200, **options: Any) -> Page:  # noqa: ANN401  # the client's own
        """The page at a path, redirects followed."""
        return self._page(self.client.get(path, **options), status)

    def post(self, path: str, data: Mapping[str, Any] | None = None, status: int = 200, **options: Any) -> Page:  # noqa: ANN401  # the same
        """The page that a form leads to, redirects followed."""
        return self._page(self.client.post(path, data=dict(data or {}), **options), status)

    def turn(self, page: Page, language: str, values: Mapping[str, str] | None = None, status: int = 200) -> Page:
        """Choose a language on a page with a form that is filled in."""
        (button,) = (each for each in page.tree.iter("button") if each.get("lang") == language)
        (form,) = (each for each in page.forms if each.element.get("id") == button.get("form"))
        return self.post(button.get("formaction", ""), form.values | dict(values or {}), status)

    def submit(
        self, page: Page, values: Mapping[str, str] | None = None, *, form: int = 0, button: str = "", status: int = 200
    ) -> Page:
        """Send a form of a page as a browser would.

        Args:
            page: where it stands.
            values: what is filled in, over what the page filled in.
            form: which form, in the order of the page.
            button: the value of the button that is pressed, where there are several.
            status: what is expected.
        """
        chosen = page.forms[form]
        data = chosen.values | dict(values or {})
        pressed = [each for each in chosen.buttons if not button or each.get("value") == button]
        assert pressed, f"{page.path} has no button {button!r}"
        if pressed[0].get("name"):
            data[pressed[0].get("name", "")] = pressed[0].get("value", "")
        unknown = set(data) - {each.get("name") for each in chosen.element.iter()}
        assert not unknown, f"{page.path} has no fields {unknown}"
        target = urljoin(page.path, chosen.action or page.path)
        if chosen.method == "post":
            return self.post(target, data, status)
        return self.get(target, status, params=data)

    def _page(self, response: Any, status: int) -> Page:  # noqa: ANN401  # of the client
        assert response.status_code == status, (
            f"{response.url} answered {response.status_code}:\n{response.text[:3000]}"
        )
        where = urlsplit(str(response.url))
        path = where.path + (f"?{where.query}" if where.query else "")
        assert response.headers["content-type"] == "text/html; charset=utf-8", path
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.text)
        page = Page(path, status, response.text, response.headers, tree)
        for flaw in flaws(page):
            raise AssertionError(f"{path}: {flaw}\n{response.text}")
        self._follow(page)
        return page

    def _follow(self, page: Page) -> None:
        """Every link within the site leads somewhere; a page that is there in one language is there in all."""
        links = {href.partition("#")[0] for href in page.links if not urlsplit(href).scheme} - {""}
        stylesheets = {each.get("href", "") for each in page.tree.iter("link") if each.get("rel") == "stylesheet"}
        policy = self.client.app.state.desk.policy().model_dump_json()  # type: ignore[attr-defined]  # of the ASGI application
        for link in sorted({urljoin(page.path, each) for each in links | stylesheets}):
            found = _ANY_LANGUAGE.sub("/", link)
            if found in self._alive or (policy, found) in _THERE:
                continue
            answer = self.client.get(link, follow_redirects=False)
            assert answer.status_code < 400, f"{page.path} leads to {link}, which answers {answer.status_code}"
            self._alive.add(found)
            if _OWN.fullmatch(found):
                _THERE.add((policy, found))


def flaws(page: Page) -> Iterator[str]:
    """What is wrong with a page."""
    yield from _document(page)
    yield from _references(page)
    yield from _fields(page)
    yield from _forms(page)
    yield from _foreign(page)
    yield from _answer(page)


def text_of(element: Element) -> str:
    """The text of an element, spaces folded."""
    return " ".join("".join(element.itertext()).split())


def _document(page: Page) -> Iterator[str]:
    if not page.html.lower().startswith("<!doctype html>"):
        yield "no doctype"
    if len(page.html.encode()) > LARGEST:
        yield f"{len(page.html.encode())} bytes"
    shown = page.path.split("/")[1]
    if page.language != (shown if shown in LANGUAGES else page.language) or page.language not in LANGUAGES:
        yield f"lang={page.language!r}"
    elif page.tree.get("dir") != direction(page.language):
        yield "no direction"
    if len(list(page.tree.iter("h1"))) != 1 or not page.h1:
        yield "not one h1"
    if len(list(page.tree.iter("main"))) != 1:
        yield "not one main"
    levels = [int(each.tag[1]) for each in page.tree.iter() if re.fullmatch("h[1-6]", str(each.tag))]
    body = levels[levels.index(1) :] if 1 in levels else []
    if any(after > before + 1 for before, after in pairwise(body)):
        yield f"headings skip a level: {levels}"
    titles = list(page.tree.iter("title"))
    if [bool(text_of(each)) for each in titles] != [True]:
        yield "not one title"
    elif bool(page.errors) != page.title.startswith(f"{translations(page.language).gettext('Error')}: "):
        yield f"the title {page.title!r} and the error summary {page.errors} do not go together"


def _references(page: Page) -> Iterator[str]:
    ids = [each.get("id", "") for each in page.tree.iter() if each.get("id") is not None]
    if len(set(ids)) != len(ids) or "" in ids:
        yield f"ids are not unique: {sorted(ids)}"
    known = set(ids)
    for each in page.tree.iter():
        named = [*each.get("aria-describedby", "").split(), *each.get("aria-labelledby", "").split()]
        named += [each.get("for", "")] if each.get("for") is not None else []
        named += [each.get("href", "")[1:]] if each.get("href", "").startswith("#") else []
        yield from (f"{each.tag} refers to #{name}, which is not there" for name in named if name not in known)


def _fields(page: Page) -> Iterator[str]:
    labelled = {each.get("for") for each in page.tree.iter("label") if text_of(each)}
    wrapped = {id(each) for label in page.tree.iter("label") if text_of(label) for each in label.iter()}
    for each in page.tree.iter():
        if each.tag not in _FIELDS or each.get("type") in _UNLABELLED:
            continue
        if each.get("id") not in labelled and id(each) not in wrapped and not each.get("aria-label"):
            yield f"{each.tag} {each.get('name')!r} has no label"
    for name in ("button", "a", "summary"):
        yield from (
            f"an empty {name}" for each in page.tree.iter(name) if not (text_of(each) or each.get("aria-label"))
        )


def _forms(page: Page) -> Iterator[str]:
    for form in page.forms:
        if form.method not in {"get", "post"}:
            yield f"a form with the method {form.method!r}"
        if not form.buttons:
            yield "a form without a button"
    inside = {id(each) for form in page.forms for each in form.element.iter()}
    named = {form.element.get("id", "") for form in page.forms} - {""}
    outside = [each for each in page.tree.iter("button") if id(each) not in inside]
    yield from ("a button outside a form" for each in outside if each.get("form") not in named)
    yield from (f"the first button of #{name} is no act" for name in named if _turns_first(page, name))


def _turns_first(page: Page, name: str) -> bool:
    """Whether Enter in a field of a form would choose a language: a browser presses the form's first button."""
    own = (each for each in page.tree.iter("button") if each.get("form") == name)
    return next((each.get("formaction") is not None for each in own), False)


def _foreign(page: Page) -> Iterator[str]:
    for each in page.tree.iter():
        if each.tag in {"script", "style", "iframe", "object", "embed", "base"}:
            yield f"<{each.tag}>"
        for name, value in each.items():
            if name == "style" or str(name).startswith("on"):
                yield f"an inline {name}"
            if name in {"src", "href", "action", "formaction"} and _third_party(each, value):
                yield f"{each.tag} {name}={value!r}"


def _third_party(element: Element, url: str) -> bool:
    """Whether a URL loads from, sends to, or (unless it is a plain link) points to another site."""
    parts = urlsplit(url)
    if element.tag == "link" and element.get("rel") in {"canonical", "alternate"}:
        return False  # for search engines: nothing is loaded
    if element.tag == "a":
        return parts.scheme not in {"", "https", "http", *_EXTERNAL}
    return bool(parts.netloc) or parts.scheme not in {"", "data"}


def _answer(page: Page) -> Iterator[str]:
    if page.headers.get("content-security-policy") != CSP:
        yield f"the policy for content is {page.headers.get('content-security-policy')!r}"
    for name, value in _HEADERS.items():
        if page.headers.get(name) != value:
            yield f"{name}: {page.headers.get(name)}"
    if "server" in page.headers or "x-powered-by" in page.headers:
        yield "it says what serves it"


def _chosen(element: Element) -> str:
    if element.tag == "textarea":
        return "".join(element.itertext())
    if element.tag == "select":
        options = list(element.iter("option"))
        marked = [each for each in options if each.get("selected") is not None] or options[:1]
        return marked[0].get("value", text_of(marked[0])) if marked else ""
    return element.get("value", "on" if element.get("type") in {"checkbox", "radio"} else "")
