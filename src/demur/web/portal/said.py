"""An objection by what somebody says, who proves nothing: an account that they type, or no account at all.

Invariants: an account binds at once, and its holder is asked, where an address is on file. The answer has the same
wording, shape and time whether anybody has heard of the account or not. It shows nothing of it, not even what was
typed. Nothing typed is refused but what can't be an account. Of people without an account, names and further links are
sealed for the officer and for the search of names; a contact is optional, and so is everything but one line.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.notices.languages import N_
from demur.objecting.lodging import Statement, by_name, without_account
from demur.objecting.naming import account_of, is_mail, tidy
from demur.spelling import Names
from demur.web import forms
from demur.web.pages import desk, gettext, language, page
from demur.web.portal.receipt import receipt_at

router: Final = APIRouter()

MOST_LINES: Final = 50
"""Of accounts and links in one form."""
_LONGEST_LINK: Final = 2000

_UNREADABLE: Final = N_("Write a user name, a mail address or the address of a profile.")
_NOTHING: Final = N_("Write at least one name, account or link.")
_NO_ADDRESS: Final = N_("This is no mail address. Leave the field empty, or write one like name@example.org.")
_TOO_MANY: Final = N_("These are too many lines. Send the others with a second form.")


@router.get("/object")
async def ask_account(request: Request) -> Response:
    """The field for an account or a mail address."""
    return page(request, "object.html", account="")


@router.post("/object")
async def object_for_account(request: Request) -> Response:
    """Object for what was typed, and show the receipt."""
    steady = forms.Steady()
    at = desk(request)
    account = await typed_account(request, "object.html")
    if isinstance(account, Response):
        return account
    office = at.office(language(request))
    receipt = await at.intake.run(by_name, account, office, ask=office.may_ask(account))
    await steady.wait()
    return RedirectResponse(receipt_at(request, receipt.seq), 303)


async def typed_account(request: Request, template: str) -> str | Response:
    """The account that a form with one field names, within its limit; or the form again, with what is wrong."""
    typed = (await forms.read(request)).text("account")
    policy = desk(request).policy()
    account = account_of(typed, policy.portal.namespace, policy.accounts.names)
    if account is None:
        errors = {"account": gettext(request).gettext(_UNREADABLE)}
        return page(request, template, forms.WRONG, account=tidy(typed), errors=errors)
    forms.limit_by_account(request, account)
    return account


@router.get("/object/person")
async def ask_person(request: Request) -> Response:
    """The form for somebody without an account."""
    return page(request, "object_person.html", names="", links="", contact="", child=False)


@router.post("/object/person")
async def object_as_person(request: Request) -> Response:
    """Object with what was said, and show the receipt."""
    steady = forms.Steady()
    at = desk(request)
    form = await forms.read(request)
    policy = at.policy()
    statement = _statement(form, policy.portal.namespace, policy.accounts.names)
    errors = _errors(request, form, statement)
    if errors:
        kept: dict[str, Any] = {name: form.text(name) for name in ("names", "links", "contact")}
        child = bool(form.text("child"))
        return page(request, "object_person.html", forms.WRONG, errors=errors, child=child, **kept)
    for account in statement.accounts:
        forms.limit_by_account(request, account)
    office = at.office(language(request))
    asking = frozenset(account for account in statement.accounts if office.may_ask(account))
    mail = bool(statement.contact) and office.may_ask(statement.contact)
    seq = await at.intake.run(without_account, statement, office, asking, mail=mail)
    await steady.wait()
    return RedirectResponse(receipt_at(request, seq), 303)


def _statement(form: forms.Form, namespace: str, known: Names) -> Statement:
    lines = [tidy(line, _LONGEST_LINK) for line in form.lines("links")]
    read = {line: account_of(line, "" if " " in line else namespace, known) for line in lines}
    return Statement(
        names=[tidy(name) for name in form.lines("names")],
        accounts=list(dict.fromkeys(account for account in read.values() if account)),
        links=[line for line, account in read.items() if account is None],
        contact=tidy(form.text("contact")),
        child=bool(form.text("child")),
    )


def _errors(request: Request, form: forms.Form, statement: Statement) -> dict[str, str]:
    _ = gettext(request).gettext
    errors: dict[str, str] = {}
    if not (statement.names or statement.accounts or statement.links):
        errors["names"] = _(_NOTHING)
    errors |= {name: _(_TOO_MANY) for name in ("names", "links") if form.too_long(name)}
    if len(form.lines("links")) > MOST_LINES:
        errors["links"] = _(_TOO_MANY)
    if statement.contact and not is_mail(statement.contact):
        errors["contact"] = _(_NO_ADDRESS)
    return errors
