"""How hard the English of the public pages, notices and emails is to read (`make readability`).

The Flesch-Kincaid grade (US Navy, 1975) says after how many years of school a text is understood: 0.39 words a sentence
and 11.8 syllables a word, less 15.59. Counted is what demur says under the demo's policy. The controller's own wording
is graded apart; links, addresses and the names of authorities are nobody's to reword. A heading, a label or an item of
a list is a sentence of its own; fewer than three words are none. A text that stands on several pages counts once in the
total.
"""
# ruff: noqa: INP001  # a script, no package

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import html5lib
import textstat
from starlette.testclient import TestClient

from demur.demo.loop import demo_policy
from demur.notices.authorities import authorities
from demur.notices.mails import MAILS
from demur.notices.rendering import Links, render_mail, render_notice
from demur.objecting.channels import Route
from demur.objecting.lodging import by_name, by_proof
from demur.objecting.office import Office
from demur.policy import Policy
from demur.register import JSON
from demur.tokens import Purpose
from demur.web.app import create_app
from demur.web.desk import Desk
from demur.workspace import create

AIM: Final = 6.0
"""The grade that the total has at most."""

Texts = dict[str, list[str]]
"""The sentences of each page, notice or email, by its name."""

_FEWEST_WORDS: Final = 3
_BLOCKS: Final = frozenset(
    "h1 h2 h3 p li dt dd label legend summary button th td caption blockquote".split()  # noqa: SIM905
)
_UNREAD: Final = frozenset({"script", "style", "title", "footer", "header", "nav", "head"})
_NAMES: Final = re.compile("|".join([r"https?://\S+", r"\S+@\S+", *(re.escape(each.name) for each in authorities())]))
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_REFERENCE: Final = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2,}\b")
_TOKEN: Final = re.compile(r"/(o|confirm|receipt|mine|in)/[\w-]{20,}")
_READER: Final = "forum:ann"
_PARAMS: Final[dict[str, JSON]] = {
    "reference": "7KQ2-9XJM-4TPA-C0WD",
    "lodged": "2027-01-02T00:00:00+00:00",
    "confirm_by": "2027-01-16T00:00:00+00:00",
    "minutes": 60,
    "outcome": "held",
    "asked": 20,
    "account": "ann",
    **dict.fromkeys(("receipt_url", "confirm_url", "url"), "https://object.example.org/x"),
}
_MORE: Final[tuple[dict[str, JSON], ...]] = (
    {},
    {"named": True, "accounts": True},
    {"for": "child"},
    {"for": "other"},
)


def grade(sentences: Iterable[str]) -> float:
    """The Flesch-Kincaid grade of some sentences; 0 for none."""
    text = " ".join(sentences)
    return round(textstat.flesch_kincaid_grade(text), 1) if text else 0.0


def sentences(html: str) -> list[str]:
    """What a page says in its main part, one text a block."""
    tree = html5lib.parse(_COMMENT.sub("", html), namespaceHTMLElements=False)
    main = tree.find(".//main")
    return [text for text in map(_sentence, _blocks(tree if main is None else main)) if text]


def measured() -> Texts:
    """Everything that demur says to the public, by where it stands."""
    whole = demo_policy(datetime.now(UTC).date())
    silent = whole.purpose.model_copy(update={"description": ""})
    policy = whole.model_copy(
        update={"purpose": silent, "notice": whole.notice.model_copy(update={"wording": {}, "languages": ("en",)})}
    )
    return _pages(policy) | _emails(policy)


def own_wording() -> list[str]:
    """What the demo's controller says in its own words."""
    policy = demo_policy(datetime.now(UTC).date())
    said = [policy.purpose.description, *policy.notice.wording["en"].model_dump().values()]
    return [text for text in map(_sentence, said) if text]


def total(texts: Texts) -> float:
    """The grade of all texts, each one counted once."""
    return grade(dict.fromkeys(text for some in texts.values() for text in some))


def _blocks(element: Any) -> Iterator[str]:  # noqa: ANN401  # an ElementTree, without types
    """The texts of an element, cut where a block begins or ends."""
    text = element.text or ""
    for child in element:
        if not isinstance(child.tag, str) or child.tag in _UNREAD or child.get("hidden") is not None:
            text += child.tail or ""
        elif child.tag in _BLOCKS or any(each.tag in _BLOCKS for each in child.iter()):
            yield text
            yield from _blocks(child)
            text = child.tail or ""
        else:
            text += " ".join(child.itertext()) + (child.tail or "")
    yield text


def _sentence(text: str) -> str:
    """A block's text as whole sentences; "" where it is none."""
    said = " ".join(_REFERENCE.sub("", _NAMES.sub("", text)).split()).rstrip(" :,")
    if len(re.findall(r"[^\W\d_]+", said)) < _FEWEST_WORDS:
        return ""
    return said if said[-1] in ".!?" else f"{said}."


def _pages(policy: Policy) -> Texts:
    """Every page that a visitor reaches by links, and what an objection leads to."""
    found: Texts = {}
    with tempfile.TemporaryDirectory(prefix="demur-") as folder:
        workspace = create(Path(folder) / "demo", policy)
        with TestClient(create_app(workspace), base_url="http://127.0.0.1:8470") as client:
            paths = _first_paths(client.app.state.desk)  # type: ignore[attr-defined]  # of the application
            seen = set(paths)
            while paths:
                path = paths.pop(0)
                answer = client.get(path)
                if "html" not in answer.headers.get("content-type", "") or "<main" not in answer.text:
                    continue
                found[_TOKEN.sub(r"/\1/…", path)] = sentences(answer.text)
                fresh = [each for each in _links(answer.text) if each not in seen]
                seen.update(fresh)
                paths += fresh
    return found


def _first_paths(desk: Desk) -> list[str]:
    """Where a visit begins: the first page, a link that leads nowhere, and the links of emails."""
    office = Office(desk.policy(), desk.keys, desk.tokens, datetime.now(UTC), "en")
    subject = desk.keys.pepper.subject_key(_READER)
    typed = by_name(desk.register, "forum:ben", office, ask=False).seq
    proven = by_proof(desk.register, subject, Route.LINK, office, _READER)
    make, soon = desk.tokens.make, datetime.now(UTC) + timedelta(hours=1)
    return [
        "/en/",
        "/en/nowhere",
        f"/en/o/{make(Purpose.OBJECT, desk.keys.pepper.subject_key('forum:cleo'))}",
        f"/en/receipt/{make(Purpose.RECEIPT, typed)}",
        f"/en/receipt/{make(Purpose.RECEIPT, proven)}",
        f"/en/confirm/{make(Purpose.CONFIRM, typed)}",
        f"/en/mine/{make(Purpose.READ, subject, expires=soon)}",
    ]


def _links(html: str) -> list[str]:
    """The pages in English that a page leads to."""
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    links = [str(each.get("href", "")).partition("#")[0] for each in tree.iter("a")]
    return [link for link in dict.fromkeys(links) if link.startswith("/en/")]


def _emails(policy: Policy) -> Texts:
    links = Links("https://object.example.org", "token")
    found = {"notice": sentences(render_notice(policy, None, links).html)}
    for template in MAILS:
        said = [sentences(render_mail(policy, template, "en", {**_PARAMS, **more}).html) for more in _MORE]
        found[f"email {template}"] = list(dict.fromkeys(text for some in said for text in some))
    return found


def main() -> None:
    """Print the grade of each text and of all."""
    texts = measured()
    for name, said in sorted(texts.items()):
        sys.stdout.write(f"{grade(said):5.1f}  {name}\n")
    sys.stdout.write(f"{grade(own_wording()):5.1f}  the controller's own wording, apart\n")
    sys.stdout.write(f"{total(texts):5.1f}  all, each text once (aim: at most {AIM})\n")


if __name__ == "__main__":
    main()
