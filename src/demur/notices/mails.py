"""The single mails: what each one says, before its link and after it.

Invariants: a mail says the same whether it is read as text or as HTML; it holds nothing of a person but a reference
and a link, and no mail asks for anything but what its link does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from demur.notices.asking import Question, question_of, withdrawn_of
from demur.notices.authorities import authority_of
from demur.notices.content import Behalf, complaint_of, name_of, undone_of
from demur.notices.templating import line
from demur.notices.words import day, speaker
from demur.policy import Policy
from demur.register import JSON

Params = Mapping[str, JSON]


@dataclass(frozen=True)
class MailContent:
    """What one mail says."""

    subject: str
    before: tuple[str, ...]
    """Sentences before the link."""
    link: str
    """A page of the portal, "" for none."""
    after: tuple[str, ...] = ()


def mail(policy: Policy, template: str, language: str, params: Params) -> MailContent:
    """A mail in one of LANGUAGES.

    Raises:
        KeyError: for an unknown template, or a value that it needs and ``params`` lack.
    """
    return MAILS[template](policy, language, params)


def _receipt(policy: Policy, language: str, params: Params) -> MailContent:
    """The confirmation says what stops, from when, and what can't be undone."""
    _ = speaker(language)
    return MailContent(
        _("We have received your objection"),
        (
            *(_said(params, language) if "named" in params else _stands(params, language)),
            _reference(params, language),
            _("See how your objection stands, or withdraw it"),
        ),
        _text(params, "receipt_url"),
        (*undone_of(language), *complaint_of(authority_of(policy.controller.country), language)),
    )


def _stands(params: Params, language: str) -> tuple[str, ...]:
    """How the objection for an account stands."""
    _, lodged = speaker(language), _day(params, "lodged", language)
    return (
        _("Your objection stands from %(day)s on. You do not have to do anything else.", day=lodged),
        _("What you posted is not used for new versions of the training data any more."),
    )


def _said(params: Params, language: str) -> tuple[str, ...]:
    """What a receipt says to somebody without an account: their names count once they are confirmed."""
    _ = speaker(language)
    sentences = [_("Your objection holds from %(day)s on.", day=_day(params, "lodged", language))]
    if params["accounts"]:
        sentences.append(_("The accounts and profiles that you named are covered from now on."))
    if params["named"]:
        sentences.append(_("We keep the names sealed, until texts of others can be searched for them."))
        sentences.append(_("They will count once you have confirmed them by mail, or we have checked them."))
    return tuple(sentences)


def _confirm(policy: Policy, language: str, params: Params) -> MailContent:
    """The question whether to keep an objection; what happens without an answer comes first."""
    asked, _ = _question(policy, language, params), speaker(language)
    return MailContent(
        asked.heading,
        (*asked.goes_on, *asked.given, asked.keep, asked.end, _("Open this page to keep the objection or to end it:")),
        _text(params, "confirm_url"),
        (_reference(params, language),),
    )


def _reminder(policy: Policy, language: str, params: Params) -> MailContent:
    """The question again, to somebody who has not answered it."""
    asked, _ = _confirm(policy, language, params), speaker(language)
    first, *others = asked.before
    before = (first, _("We asked you this before. Nobody has answered yet."), *others)
    return replace(asked, subject=_("Reminder: keep this objection?"), before=before)


def _question(policy: Policy, language: str, params: Params) -> Question:
    by = params["confirm_by"]
    until = None if by is None else datetime.fromisoformat(str(by)).date()
    return question_of(policy, language, _behalf(params), until)


def _sign_in(policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Your link to see what is held about you"),
        (_("Somebody asked %(controller)s for this link. If it was you, open it:", controller=name_of(policy)),),
        _text(params, "url"),
        (
            _("The link works once. Minutes until it expires: %(number)s", number=_text(params, "minutes")),
            _("If it was not you, you do not have to do anything."),
        ),
    )


def _withdrawn(policy: Policy, language: str, params: Params) -> MailContent:
    _, (subject, follows) = speaker(language), withdrawn_of(language, _behalf(params))
    return MailContent(
        subject,
        (follows, _reference(params, language), _("You can object again at any time:")),
        f"{policy.portal.url}/{language}/object",
    )


def _erased(policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Your data is deleted"),
        (
            _("We have deleted what we held of you for AI training."),
            _("Only coded identifiers stay. They serve one purpose: that your objection still holds."),
            _reference(params, language),
        ),
        "",
        (*undone_of(language), *complaint_of(authority_of(policy.controller.country), language)),
    )


def _copy_ready(_policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Your copy is ready"),
        (_("The copy of what is held about you is ready. You get it here:"),),
        _text(params, "url"),
    )


MAILS: Final[Mapping[str, Callable[[Policy, str, Params], MailContent]]] = {
    "receipt": _receipt,
    "confirm": _confirm,
    "reminder": _reminder,
    "sign-in": _sign_in,
    "withdrawn": _withdrawn,
    "erased": _erased,
    "copy-ready": _copy_ready,
}
"""Every mail by the name that the register has for it."""


def _behalf(params: Params) -> Behalf:
    """For whom somebody objected or asked; for themselves where nothing says so."""
    found = params.get("for")
    return "child" if found == "child" else "other" if found == "other" else "self"


def _text(params: Params, name: str) -> str:
    return line(str(params[name]), 500)


def _reference(params: Params, language: str) -> str:
    _ = speaker(language)
    return _("Your reference: %(reference)s", reference=_text(params, "reference"))


def _day(params: Params, name: str, language: str) -> str:
    """A day out of an ISO 8601 time."""
    return day(datetime.fromisoformat(str(params[name])).date(), language)
