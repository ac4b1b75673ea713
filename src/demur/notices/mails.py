"""The single mails: what each one says, before its button and after it.

Invariants: the first sentence says what has happened, or what the mail is for; a mail says the same whether it is read
as text or as HTML; it names an account only where it goes to that account's own address, and holds nothing else of a
person but a reference and a link; no mail asks for anything but what its link does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from demur.notices.asking import Question, question_of, withdrawn_of
from demur.notices.authorities import authority_of
from demur.notices.claimed import answered
from demur.notices.content import Behalf, behalf_of, complaint_of, looks_for_names, name_of, stopped_of, undone_of
from demur.notices.languages import N_, within
from demur.notices.templating import line
from demur.notices.words import day, speaker
from demur.policy import Policy
from demur.register import JSON

Params = Mapping[str, JSON]


@dataclass(frozen=True)
class MailContent:
    """What one mail says."""

    subject: str
    """What has happened, in a few words; the subject that leaves begins with the controller's name."""
    before: tuple[str, ...]
    """Sentences before the button; the first says what has happened, or will."""
    link: str
    """A page of the portal, "" for none."""
    after: tuple[str, ...] = ()
    """Sentences after the button."""
    button: str = ""
    """What the button says that leads to the link; "" for a general word."""


def mail(policy: Policy, template: str, language: str, params: Params) -> MailContent:
    """A mail in one of LANGUAGES; its second sentence names the account that it is about, where ``params`` do.

    Raises:
        KeyError: for an unknown template, or a value that it needs and ``params`` lack.
    """
    _, content = speaker(language), MAILS[template](policy, language, params)
    first, *others = content.before
    before = (first, *_account(policy, language, params), *others)
    return replace(content, before=before, button=content.button or _("Open the page"))


def _account(policy: Policy, language: str, params: Params) -> tuple[str, ...]:
    if "account" not in params:
        return ()
    _, account = speaker(language), _text(params, "account")
    told = _(
        "This email is about your account %(account)s at %(controller)s.", account=account, controller=name_of(policy)
    )
    return (told,)


_RECEIVED: Final[Mapping[Behalf, str]] = {
    "self": N_("We have received your objection"),
    "child": N_("We have received your objection for a child"),
    "other": N_("We have received your objection for somebody else"),
}
_APPLIES: Final[Mapping[Behalf, str]] = {
    "self": N_("Your objection applies from %(day)s on."),
    "child": N_("Your objection for a child applies from %(day)s on."),
    "other": N_("Your objection for somebody else applies from %(day)s on."),
}


def _receipt(policy: Policy, language: str, params: Params) -> MailContent:
    """The confirmation says what stops, from when, and what can't be undone."""
    _, behalf = speaker(language), behalf_of(params)
    return MailContent(
        _(_RECEIVED[behalf]),
        (
            _(_APPLIES[behalf], day=_day(params, "lodged", language)),
            *(_said(policy, params, language) if "named" in params else _stands(params, language)),
            _reference(params, language),
        ),
        _text(params, "receipt_url"),
        (*undone_of(language, behalf), *complaint_of(authority_of(policy.controller.country), language)),
        _("See your objection, or withdraw it"),
    )


def _stands(params: Params, language: str) -> tuple[str, ...]:
    """What a receipt says to the holder of an account."""
    _ = speaker(language)
    return stopped_of(language, behalf_of(params)), _("You do not have to do anything else.")


def _said(policy: Policy, params: Params, language: str) -> tuple[str, ...]:
    """What a receipt says to somebody who named accounts and names: names apply once they are confirmed."""
    _ = speaker(language)
    sentences = []
    if params["accounts"]:
        sentences.append(_("The accounts and profiles that you named are covered from now on."))
    if params["named"] and looks_for_names(policy):
        sentences.append(_("We keep the names sealed, and look for them in what others wrote."))
        sentences.append(_("They apply once you have confirmed them by email, or we have checked them."))
    return tuple(sentences)


def _confirm(policy: Policy, language: str, params: Params) -> MailContent:
    """The question whether to keep an objection; what happens without an answer comes first."""
    asked, _ = _question(policy, language, params), speaker(language)
    return MailContent(
        asked.heading,
        (*asked.goes_on, *asked.given, asked.keep, asked.end),
        _text(params, "confirm_url"),
        (_reference(params, language),),
        _("Keep or end the objection"),
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
    return question_of(policy, language, behalf_of(params), until)


def _sign_in(policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    expiry = within(timedelta(minutes=float(_text(params, "minutes"))), language)
    return MailContent(
        _("Your link to see what we hold about you"),
        (
            _("This link shows you what %(controller)s holds about you.", controller=name_of(policy)),
            _("Somebody asked for it. If it was not you, you do not have to do anything."),
        ),
        _text(params, "url"),
        # Translators: "time" is like "in 60 minutes", as your language writes it.
        (_("The link works once. It expires %(time)s.", time=expiry),),
        _("See what we hold about you"),
    )


def _withdrawn(policy: Policy, language: str, params: Params) -> MailContent:
    _, (subject, follows) = speaker(language), withdrawn_of(language, behalf_of(params))
    return MailContent(
        subject,
        (follows, _reference(params, language), _("You can object again at any time.")),
        f"{policy.portal.url}/{language}/object",
        button=_("Object to AI training"),
    )


_DELETED: Final[Mapping[Behalf, tuple[str, str]]] = {
    "self": (N_("Your data is deleted"), N_("We have deleted what we held of you for AI training.")),
    "child": (N_("The child's data is deleted"), N_("We have deleted what we held of the child for AI training.")),
    "other": (N_("The person's data is deleted"), N_("We have deleted what we held of this person for AI training.")),
}
_KEPT: Final[Mapping[Behalf, str]] = {
    "self": N_("Only coded identifiers stay. They serve one purpose: that your objection still applies."),
    "child": N_("Only coded identifiers stay. They serve one purpose: that the objection still applies."),
    "other": N_("Only coded identifiers stay. They serve one purpose: that the objection still applies."),
}


def _erased(policy: Policy, language: str, params: Params) -> MailContent:
    _, behalf = speaker(language), behalf_of(params)
    subject, done = _DELETED[behalf]
    return MailContent(
        _(subject),
        (_(done), _(_KEPT[behalf]), _reference(params, language)),
        "",
        (*undone_of(language, behalf), *complaint_of(authority_of(policy.controller.country), language)),
    )


_READY: Final[Mapping[Behalf, str]] = {
    "self": N_("The copy of what we hold about you is ready."),
    "child": N_("The copy of what we hold about the child is ready."),
    "other": N_("The copy of what we hold about this person is ready."),
}


def _copy_ready(_policy: Policy, language: str, params: Params) -> MailContent:
    _ = speaker(language)
    return MailContent(
        _("Your copy is ready"), (_(_READY[behalf_of(params)]),), _text(params, "url"), button=_("Get your copy")
    )


def _claim(_policy: Policy, language: str, params: Params) -> MailContent:
    """The answer to whoever reported what a model said."""
    _ = speaker(language)
    before = (*answered(params, language), _reference(params, language))
    return MailContent(_("Our answer to your report"), before, _text(params, "url"), button=_("See our answer"))


MAILS: Final[Mapping[str, Callable[[Policy, str, Params], MailContent]]] = {
    "receipt": _receipt,
    "confirm": _confirm,
    "reminder": _reminder,
    "sign-in": _sign_in,
    "withdrawn": _withdrawn,
    "erased": _erased,
    "copy-ready": _copy_ready,
    "claim": _claim,
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
