"""The single mails: what each one says, before its link and after it.

Invariants: a mail says the same whether it is read as text or as HTML; it holds nothing of a person but a reference
and a link, and no mail asks for anything but what its link does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from demur.notices.authorities import authority_of
from demur.notices.content import complaint_of, name_of, undone_of
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
            _("See your objection, or withdraw it"),
        ),
        _text(params, "receipt_url"),
        (*undone_of(language), *complaint_of(authority_of(policy.controller.country), language)),
    )


def _stands(params: Params, language: str) -> tuple[str, ...]:
    """How the objection for an account stands."""
    _, lodged = speaker(language), _day(params, "lodged", language)
    return (
        _("Your objection applies from %(day)s on. You do not have to do anything else.", day=lodged),
        _("What you posted is not used for new versions of the training data any more."),
    )


def _said(params: Params, language: str) -> tuple[str, ...]:
    """What a receipt says to somebody without an account: their names count once they are confirmed."""
    _ = speaker(language)
    sentences = [_("Your objection applies from %(day)s on.", day=_day(params, "lodged", language))]
    if params["accounts"]:
        sentences.append(_("The accounts and profiles that you named are covered from now on."))
    if params["named"]:
        sentences.append(_("We keep the names sealed, until texts of others can be searched for them."))
        sentences.append(_("They apply once you have confirmed them by email, or we have checked them."))
    return tuple(sentences)


def _confirm(policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Did you object?"),
        (
            _(
                "Somebody gave your account or mail address to object to AI training with your content"
                " at %(controller)s.",
                controller=name_of(policy),
            ),
            _("The objection stands already. Please open this page and say whether it was you:"),
        ),
        _text(params, "confirm_url"),
        (
            *_until(params, language),
            _reference(params, language),
        ),
    )


def _until(params: Params, language: str) -> tuple[str, ...]:
    """When the objection ends, where it ends without an answer."""
    if params["confirm_by"] is None:
        return ()
    _ = speaker(language)
    return (_("Without an answer, the objection ends on %(day)s.", day=_day(params, "confirm_by", language)),)


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
    _ = speaker(language)
    return MailContent(
        _("Your objection is withdrawn"),
        (
            _reference(params, language),
            _("Your content may be used again, as our notice says. You can object again at any time:"),
        ),
        f"{policy.portal.url}/{language}/object",
    )


def _erased(policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Your data is deleted"),
        (
            _("We have deleted what we held of you for AI training."),
            _("Only coded identifiers stay. They serve one purpose: that your objection still applies."),
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
    "sign-in": _sign_in,
    "withdrawn": _withdrawn,
    "erased": _erased,
    "copy-ready": _copy_ready,
}
"""Every mail by the name that the register has for it."""


def _text(params: Params, name: str) -> str:
    return line(str(params[name]), 500)


def _reference(params: Params, language: str) -> str:
    _ = speaker(language)
    return _("Your reference: %(reference)s", reference=_text(params, "reference"))


def _day(params: Params, name: str, language: str) -> str:
    """A day out of an ISO 8601 time."""
    return day(datetime.fromisoformat(str(params[name])).date(), language)
