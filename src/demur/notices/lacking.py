"""What Arts 13, 14 and 21(4) GDPR ask of a notice and demur.toml does not say.

Invariants: every sentence names the article and the key to set; an empty list means that the keys are filled in, and
says nothing about whether what stands in them is right.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from demur.notices.campaign import channels_of
from demur.notices.languages import matching
from demur.notices.words import PURPOSE, Field, languages_of, said
from demur.policy import Policy
from demur.policy.fields import loopback
from demur.terms import Basis, Kind

_FIELDS: Final[tuple[tuple[Field, str, str], ...]] = (
    ("recipients", "13(1)(e)", "who receives the data, or that nobody does"),
    ("transfers", "13(1)(f)", "transfers to third countries and their safeguards, or that there are none"),
    ("storage", "13(2)(a)", "how long the data is kept"),
)


def lacks(policy: Policy) -> list[str]:
    """What the notice of a policy lacks, a sentence each; empty where nothing is missing."""
    return [*_controller(policy), *_purpose(policy), *_fields(policy), *_languages(policy), *_portal(policy)]


def _sentence(article: str, what: str, key: str) -> str:
    return f"Art. {article} GDPR asks for {what}: set `{key}`."


def _controller(policy: Policy) -> Iterator[str]:
    if not policy.controller.name:
        yield _sentence("13(1)(a)", "the name of the controller", "controller.name")
    if not policy.controller.contact:
        yield _sentence("13(1)(a)", "contact details of the controller", "controller.contact")


def _purpose(policy: Policy) -> Iterator[str]:
    if policy.purpose.name not in {"", PURPOSE}:  # the catalogues have that one in every language
        yield from _translated(policy, "purpose_name")  # the name is in the default language
    if policy.purpose.description:
        yield from _translated(policy, "purpose")  # the description is in the default language
    else:
        yield from _wanted(policy, "purpose", "13(1)(c)", "the purpose, in words that people understand")
    if policy.basis.use is Basis.LEGITIMATE_INTERESTS:
        yield from _wanted(policy, "interests", "13(1)(d)", "the legitimate interests pursued")


def _fields(policy: Policy) -> Iterator[str]:
    for field, article, what in _FIELDS:
        yield from _wanted(policy, field, article, what)
    door = policy.door
    if door.origins != ("first-party",) or Kind.THIRD_PARTY_RECORD in door.kinds:
        yield from _wanted(policy, "source", "14(2)(f)", "the source of data that people did not give you themselves")


def _wanted(policy: Policy, field: Field, article: str, what: str) -> Iterator[str]:
    """What the default language lacks, or else the other languages that are signed off."""
    default = languages_of(policy)[0]
    if said(policy, default, field) is None:
        yield _sentence(article, what, f"notice.wording.{default}.{field}")
    else:
        yield from _translated(policy, field)


def _translated(policy: Policy, field: Field) -> Iterator[str]:
    """The other signed-off languages that a text is missing in: their readers would get it in the default one."""
    for language in languages_of(policy)[1:]:
        found = said(policy, language, field)
        if found is None or matching(found.language) != language:
            what = f"a notice that its readers understand, and {field} is not said in their language"
            yield _sentence("12(1)", what, f"notice.wording.{language}.{field}")


def _languages(policy: Policy) -> Iterator[str]:
    for language in policy.notice.languages:
        if matching(language) is None:
            what = f"a notice that its readers understand, and demur has no texts in `{language}`"
            yield f"Art. 12(1) GDPR asks for {what}: take it out of `notice.languages`."


def _portal(policy: Policy) -> Iterator[str]:
    """Only a workspace that sends mails needs a portal that others reach: the embedded outbox is for trying out."""
    if policy.mail.server and loopback(urlsplit(policy.portal.url).hostname or ""):
        yield _sentence(
            "21(4)", "a right to object that can be used, and nobody else reaches this portal", "portal.url"
        )
    if not channels_of(policy):
        what = "a notice that reaches people, and mails lie in the outbox while none leaves"
        yield _sentence("21(4)", what, "mail.server")
