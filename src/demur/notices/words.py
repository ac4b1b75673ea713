"""What the values of demur.toml are called in the languages of readers, and what the controller says in its own words.

Invariants: every value has a word, so that a notice never shows a value of the file itself; the controller's words are
given with the language that they are in, which may be another one than the reader's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from babel.dates import format_date
from babel.lists import format_list

from demur.notices.languages import LANGUAGES, N_, SOURCE, locale, matching, translations
from demur.policy import Policy
from demur.terms import Audience, Basis, Kind

Say = Callable[..., str]
"""A message of the catalogues and its values -> a text in one language."""

Field = Literal["purpose_name", "purpose", "interests", "recipients", "transfers", "storage", "source"]
"""A key of [notice.wording.LANGUAGE]."""

KINDS: Final[Mapping[Kind, str]] = {
    # Translators: things that people posted; these words stand in a list after "Kinds of content:".
    Kind.POST: N_("posts"),
    Kind.COMMENT: N_("comments"),
    # Translators: what people write under their pictures.
    Kind.CAPTION: N_("captions"),
    Kind.PHOTO: N_("photos"),
    # Translators: pictures and films that a social network shows for a day.
    Kind.STORY: N_("stories"),
    Kind.REEL: N_("short videos"),
    Kind.PROFILE: N_("profiles"),
    Kind.REVIEW: N_("reviews"),
    Kind.GROUP_POST: N_("posts in groups"),
    # Translators: a page of an organisation or a person in a social network.
    Kind.PAGE_POST: N_("posts on pages"),
    Kind.MESSAGE: N_("private messages"),
    Kind.THIRD_PARTY_RECORD: N_("records from other organisations"),
}

AUDIENCES: Final[Mapping[Audience, str]] = {
    # Translators: these words stand in a list after "Who could see it:".
    Audience.PUBLIC: N_("everyone"),
    Audience.UNLISTED: N_("everyone who has the link"),
    Audience.FOLLOWERS: N_("followers"),
    Audience.GROUP: N_("members of a group"),
    Audience.DIRECT: N_("the people it was sent to"),
}

IDENTIFIERS: Final[Mapping[str, str]] = {
    # Translators: these words stand in a list after "These details are replaced before use, ...:".
    "handles": N_("user names"),
    "profile_urls": N_("links to profiles"),
    "mail": N_("email addresses"),
    "phone": N_("phone numbers"),
    "iban": N_("bank account numbers"),
    "ip": N_("IP addresses"),
}

BASES: Final[Mapping[Basis, str]] = {
    # Translators: as the GDPR has it in your language; these stand after "Legal basis:". Say "GDPR" as usual there.
    Basis.CONSENT: N_("consent (Art. 6(1)(a) GDPR)"),
    Basis.CONTRACT: N_("performance of a contract (Art. 6(1)(b) GDPR)"),
    Basis.LEGAL_OBLIGATION: N_("legal obligation (Art. 6(1)(c) GDPR)"),
    Basis.VITAL_INTERESTS: N_("vital interests (Art. 6(1)(d) GDPR)"),
    Basis.PUBLIC_TASK: N_("public task (Art. 6(1)(e) GDPR)"),
    Basis.LEGITIMATE_INTERESTS: N_("legitimate interests (Art. 6(1)(f) GDPR)"),
}

PURPOSE: Final = N_("Training of generative AI models")
"""The purpose that demur.toml has unless it is changed."""


@dataclass(frozen=True)
class Words:
    """A text and the language that it is in."""

    text: str
    language: str
    """BCP 47."""
    label: str = ""
    """What the text is about, in the language of the notice; "" where it says so itself."""


def speaker(language: str) -> Say:
    """What says messages in one of LANGUAGES; a message's placeholders are ``%(name)s``."""
    catalogue = translations(language)

    def say(message: str, /, **values: object) -> str:
        found = catalogue.gettext(message)
        return found % values if values else found

    return say


def said(policy: Policy, language: str, field: Field) -> Words | None:
    """What the controller says in [notice.wording], in ``language`` or else in the default one; None if nothing."""
    wording, default = policy.notice.wording, policy.notice.languages[0]
    for wanted in (language, default):
        found = matching(wanted, tuple(wording)) or next((key for key in wording if matching(key) == wanted), None)
        text = getattr(wording[found], field).strip() if found else ""
        if found and text:
            return Words(text, found)
    return None


def languages_of(policy: Policy) -> tuple[str, ...]:
    """The languages that notices are sent in: those of LANGUAGES that the controller signed off, the default first."""
    found = (matching(language) for language in policy.notice.languages)
    return tuple(dict.fromkeys(language for language in found if language)) or (SOURCE,)


def reading_of(policy: Policy, wanted: str | None) -> tuple[str, str]:
    """The language of a notice to somebody who reads ``wanted`` (BCP 47), and of the portal's pages for them.

    They are two where the controller has not signed the reader's language off for notices.
    """
    signed = languages_of(policy)
    notice = matching(wanted, signed) or signed[0]
    return notice, matching(wanted, LANGUAGES) or notice


def day(value: date, language: str) -> str:
    """A day at full length: ``1 February 2026``."""
    return format_date(value, "long", locale=locale(language))


def listed(items: Iterable[str], language: str) -> str:
    """``a, b and c``, as the language writes it."""
    return format_list(list(items), locale=locale(language))


def countries(codes: Iterable[str], language: str) -> str:
    """Countries (ISO 3166-1 alpha-2) by their names, sorted."""
    names = locale(language).territories
    return listed(sorted(names.get(code, code) for code in codes), language)
