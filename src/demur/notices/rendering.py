"""Notices and mails as they leave: text, HTML and the text for the platform, from one source of content.

Invariants: the right to object comes first, apart from everything else, with its link; a mail loads nothing and
measures nothing; whatever comes from members or from the policy is escaped in HTML and on one line in a header. What
two readers of one language and country get differs in the name and the link alone, so that the rest is made once.
"""

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jinja2 import Environment, PackageLoader
from markupsafe import escape

from demur.characters import C1, IN_TEXT, SURROGATES
from demur.notices.authorities import Authority, authority_of
from demur.notices.content import NoticeContent, name_of
from demur.notices.languages import LANGUAGES, N_, matching
from demur.notices.mails import mail
from demur.notices.templating import environment, greeting, line, render
from demur.notices.words import Words, languages_of, reading_of, speaker
from demur.policy import Policy
from demur.register import JSON, Member

_NAME: Final = "\0name\0"
_TOKEN: Final = "\0token\0"  # noqa: S105  # where a link's token goes
_SLOT: Final = re.compile("\0(name|token)\0")
_POLICIES_KEPT: Final = 4
_LONGEST_NAME: Final = 80
"""Characters of the controller's name in a subject, so that it leaves room for what is said."""
_NO_CHARACTERS: Final = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_NOT_TEXT: Final = re.compile(f"[{IN_TEXT}{C1}{SURROGATES}\ufdd0-\ufdef{_NO_CHARACTERS}]")
"""What HTML does not allow in a document (WHATWG HTML, 13.2.3.5)."""
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Rendered:
    """A notice or a mail, ready to leave."""

    language: str
    """One of LANGUAGES."""
    subject: str
    """One line, safe in a header."""
    text: str
    html: str
    in_app: str
    """Shorter, for the platform's own messages; "" for a mail."""
    object_url: str = ""
    """The page where the reader of a notice objects, in the language that they read."""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text, as the record of a mail keeps it."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def in_app_digest(self) -> bytes:
        """SHA-256 of the text within the platform."""
        return hashlib.sha256(self.in_app.encode()).digest()


@dataclass(frozen=True)
class Links:
    """Where a notice leads."""

    portal: str
    """Where the portal is, without a last slash."""
    token: str = ""
    """Of Purpose.OBJECT, for the reader; "" for a notice to nobody in particular."""


@dataclass(frozen=True)
class _Places:
    """The links of one notice, as its templates use them."""

    object: str
    notice: str
    mine: str
    personal: bool


@dataclass(frozen=True)
class _Variant:
    """What a notice depends on besides a name and a token: at most some hundreds for one policy."""

    language: str
    reading: str
    """The language of the portal's pages."""
    authority: Authority | None
    portal: str
    personal: bool
    named: bool

    @property
    def places(self) -> _Places:
        """The links, with a place for the token."""
        root = f"{self.portal}/{self.reading}"
        objecting = f"{root}/o/{_TOKEN}" if self.personal else f"{root}/object"
        return _Places(objecting, f"{root}/notice", f"{root}/mine", self.personal)


class Notices:
    """Renders the notices of one policy."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._made: dict[_Variant, _Made] = {}

    def render(self, locale: str | None, region: str | None, name: str, links: Links) -> Rendered:
        """The notice to a reader.

        Args:
            locale: The language that they read, BCP 47, None if unknown.
            region: Their country, ISO 3166-1 alpha-2, None if unknown.
            name: To greet them by, "" for no name.
            links: Where it leads.
        """
        language, reading = reading_of(self.policy, locale)
        authority = authority_of(region, self.policy.controller.country)
        variant = _Variant(language, reading, authority, links.portal, bool(links.token), bool(name))
        made = self._made.get(variant)
        if made is None:
            made = self._made[variant] = _make(self.policy, variant)
        return made.filled(name, links.token)


def render_notice(policy: Policy, member: Member | None, links: Links) -> Rendered:
    """The notice to a member, in their language as far as it is signed off; to nobody in particular for None."""
    if member is None:
        return _notices(policy).render(None, None, "", links)
    return _notices(policy).render(member.locale, member.region, greeting(member.names), links)


def render_mail(policy: Policy, template: str, language: str, params: Mapping[str, JSON]) -> Rendered:
    """A mail of MAILS; in the default language where ``language`` is none of LANGUAGES.

    Raises:
        KeyError: for an unknown template, or a value that it needs and ``params`` lack.
    """
    found = matching(language, LANGUAGES) or languages_of(policy)[0]
    content = mail(policy, template, found, params)
    subject = _subject(policy, content.subject, found)
    values = {"subject": subject, "heading": line(content.subject), "mail": content, **_signature(policy)}
    text, html = (_clean(render(_mails(), f"mail/mail.{form}", found, **values)) for form in ("txt", "html"))
    return Rendered(found, subject, text, html, "")


class _Template:
    """A rendered text with places for a name and a token."""

    def __init__(self, text: str) -> None:
        parts = _SLOT.split(text)
        parts[::2] = map(_clean, parts[::2])
        self._parts = parts

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with its places filled: every second part is the name of one."""
        parts = self._parts.copy()
        for place in range(1, len(parts), 2):
            parts[place] = values[parts[place]]
        return "".join(parts)


@dataclass(frozen=True)
class _Made:
    """Everything of a notice but the name and the token."""

    language: str
    subject: str
    text: _Template
    html: _Template
    in_app: _Template
    object_url: _Template

    def filled(self, name: str, token: str) -> Rendered:
        plain = {"name": name, "token": token}
        html = self.html.filled({"name": str(escape(name)), "token": str(escape(token))})
        text, in_app, url = (each.filled(plain) for each in (self.text, self.in_app, self.object_url))
        return Rendered(self.language, self.subject, text, html, in_app, url)


def _make(policy: Policy, variant: _Variant) -> _Made:
    language, authority = variant.language, variant.authority
    _ = speaker(language)
    content = NoticeContent.of(policy, language, authority.country if authority else None)
    subject = _subject(policy, content.subject, language)
    values = {
        "subject": subject,
        "heading": line(content.subject),
        "notice": content,
        "links": variant.places,
        "greeting": _("Hello %(name)s,", name=_NAME) if variant.named else _("Hello,"),
        "own": _own(variant),
        **_signature(policy),
    }
    text, html, in_app = (
        _Template(render(_mails(), f"mail/{name}", language, **values))
        for name in ("notice.txt", "notice.html", "in_app.txt")
    )
    return _Made(language, subject, text, html, in_app, _Template(variant.places.object))


def _subject(policy: Policy, said: str, language: str) -> str:
    """The subject of a mail: who writes, and what has happened."""
    _, name = speaker(language), line(name_of(policy), _LONGEST_NAME)
    # Translators: the subject of an email: who writes, and what has happened.
    return line(_("%(controller)s: %(subject)s", controller=name, subject=said))


def _own(variant: _Variant) -> Words | None:
    """The line to readers of a language that is not signed off, in that language."""
    if variant.reading == variant.language:
        return None
    return Words(speaker(variant.reading)(N_("Read this notice in your language:")), variant.reading)


def _signature(policy: Policy) -> dict[str, str]:
    return {"controller": name_of(policy), "contact": policy.controller.contact}


@functools.cache
def _mails() -> Environment:
    return environment(PackageLoader("demur.notices"))


_KEPT: Final[list[Notices]] = []
"""Of the policies rendered last, newest first; a worker that reloads its policy makes a new one."""


def _notices(policy: Policy) -> Notices:
    found = next((notices for notices in _KEPT if notices.policy is policy), None)
    if found is None:
        found = Notices(policy)
        _KEPT[:] = [found, *_KEPT[: _POLICIES_KEPT - 1]]
    return found


def _clean(text: str) -> str:
    """Only characters, line breaks and tabs, with at most one empty line at a time."""
    return _EMPTY_LINES.sub("\n\n", _NOT_TEXT.sub("", text))
