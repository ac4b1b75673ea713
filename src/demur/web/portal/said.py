"""An objection by what somebody says, who proves nothing: an account that they type, or no account at all.

Invariants: an account binds at once, and its holder is asked, where an address is on file. The answer has the same
wording, shape and time whether anybody has heard of the account or not; it says what the typed line was taken for, by
its spelling alone. A name with spaces binds as the account that it may be, and the form for names is offered beside
the receipt. Nothing typed is refused but what can't be an account. Of people without an account, names and further
links are sealed for the officer and for the search of names; a contact is optional, and so is everything but one line;
so it is for a child or somebody else, for whom nobody asks for a proof.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.notices.content import Behalf
from demur.notices.languages import N_
from demur.objecting.lodging import Statement, by_name, without_account
from demur.objecting.naming import account_of, is_mail, tidy
from demur.objecting.office import Office
from demur.spelling import Names
from demur.web import forms
from demur.web.pages import desk, gettext, language, page, public_page
from demur.web.portal.receipt import receipt_at
from demur.web.portal.taken import Typed

router: Final = APIRouter()

MOST_LINES: Final = 50
"""Of accounts and links in one form."""
_LONGEST_LINK: Final = 2000
_EMPTY: Final[dict[str, Any]] = {"names": "", "former": "", "links": "", "contact": ""}

UNREADABLE: Final = N_("Enter a user name, an email address or the address of a profile.")
NOTHING: Final = N_("Enter at least one name, account or link.")
NO_ADDRESS: Final = N_("This is not an email address. Leave the field empty, or enter one like name@example.org.")
_TOO_MANY: Final = N_("These are too many lines. Send the others with a second form.")


@router.get("/object")
async def ask_account(request: Request) -> Response:
    """The field for an account or an email address."""
    return public_page(request, "object.html", account="")


@router.post("/object")
@forms.turns
async def object_for_account(request: Request) -> Response:
    """Object for what was typed, and show the receipt."""
    steady = forms.Steady()
    at = desk(request)
    account, typed = await told_account(request, "object.html")
    if isinstance(account, Response):
        return account
    office = at.office(language(request))
    receipt = await at.intake.run(by_name, account, office, ask=office.may_ask(account))
    await steady.wait()
    return RedirectResponse(receipt_at(request, receipt.seq, typed), 303)


async def typed_account(request: Request, template: str) -> str | Response:
    """The account that a form with one field names, within its limit; or the form again, with what is wrong."""
    return (await told_account(request, template))[0]


async def told_account(
    request: Request,
    template: str,
    **values: Any,  # noqa: ANN401  # a template's
) -> tuple[str | Response, Typed]:
    """The account of such a form, and what was typed; or the form again."""
    form = await forms.read(request)
    text, policy = form.text("account"), desk(request).policy()
    if form.turned:
        return page(request, template, account=tidy(text), **values), Typed()
    account = account_of(text, policy.portal.namespace, policy.accounts.names)
    if account is None:
        errors = {"account": gettext(request).gettext(UNREADABLE)}
        return page(request, template, forms.WRONG, account=tidy(text), errors=errors, **values), Typed()
    forms.limit_by_account(request, account)
    return account, Typed.of(tidy(text), [account])


@router.get("/object/person")
async def ask_person(request: Request) -> Response:
    """The form for somebody without an account."""
    return _asking(request, "self")


@router.get("/object/child")
async def ask_for_child(request: Request) -> Response:
    """The form for whoever speaks for a child."""
    return _asking(request, "child")


@router.get("/object/other")
async def ask_for_other(request: Request) -> Response:
    """The form for whoever speaks for somebody else."""
    return _asking(request, "other")


@router.post("/object/person")
@forms.turns
async def object_as_person(request: Request) -> Response:
    """Object with what was said, and show the receipt."""
    return await _object(request, "self")


@router.post("/object/child")
@forms.turns
async def object_for_child(request: Request) -> Response:
    """Object for a child."""
    return await _object(request, "child")


@router.post("/object/other")
@forms.turns
async def object_for_other(request: Request) -> Response:
    """Object for somebody else."""
    return await _object(request, "other")


def _asking(request: Request, behalf: Behalf) -> Response:
    return public_page(request, "object_person.html", behalf=behalf, action=_path(behalf), **_EMPTY)


def _path(behalf: Behalf) -> str:
    return "/object/person" if behalf == "self" else f"/object/{behalf}"


async def _object(request: Request, behalf: Behalf) -> Response:
    steady, at = forms.Steady(), desk(request)
    statement = await said_by_person(request, behalf, _path(behalf))
    if isinstance(statement, Response):
        return statement
    office = at.office(language(request))
    asking, mail = may_ask(statement, office)
    seq = await at.intake.run(without_account, statement, office, asking, mail=mail)
    await steady.wait()
    return RedirectResponse(receipt_at(request, seq, Typed.of("", list(statement.accounts))), 303)


async def said_by_person(request: Request, behalf: Behalf, action: str) -> Statement | Response:
    """What the form without an account says, within the limits of the accounts in it; or the form again.

    Args:
        request: the POST.
        behalf: whom they speak for.
        action: the path, without its language, that the form is sent to.
    """
    form, policy = await forms.read(request), desk(request).policy()
    kept: dict[str, Any] = {name: form.text(name) for name in _EMPTY} | {"behalf": behalf, "action": action}
    if form.turned:
        return page(request, "object_person.html", **kept)
    statement = _statement(form, policy.portal.namespace, policy.accounts.names, behalf)
    errors = _errors(request, form, statement)
    if errors:
        return page(request, "object_person.html", forms.WRONG, errors=errors, **kept)
    for account in statement.accounts:
        forms.limit_by_account(request, account)
    return statement


def may_ask(statement: Statement, office: Office) -> tuple[frozenset[str], bool]:
    """The accounts of a statement whose holders may get a mail, and whether its contact may."""
    asking = frozenset(account for account in statement.accounts if office.may_ask(account))
    return asking, bool(statement.contact) and office.may_ask(statement.contact)


def _statement(form: forms.Form, namespace: str, known: Names, behalf: Behalf) -> Statement:
    lines = [tidy(line, _LONGEST_LINK) for line in form.lines("links")]
    read = {line: account_of(line, "" if " " in line else namespace, known) for line in lines}
    return Statement(
        names=[tidy(name) for name in form.lines("names")],
        former=[tidy(name) for name in form.lines("former")],
        accounts=list(dict.fromkeys(account for account in read.values() if account)),
        links=[line for line, account in read.items() if account is None],
        contact=tidy(form.text("contact")),
        behalf=behalf,
    )


def too_many(request: Request, form: forms.Form) -> dict[str, str]:
    """The errors of fields with more lines than one form may have."""
    told = gettext(request).gettext(_TOO_MANY)
    full = [name for name in ("names", "former", "links") if form.too_long(name)]
    return dict.fromkeys([*full, *(["links"] if len(form.lines("links")) > MOST_LINES else [])], told)


def _errors(request: Request, form: forms.Form, statement: Statement) -> dict[str, str]:
    _ = gettext(request).gettext
    errors: dict[str, str] = {}
    if not (statement.names or statement.former or statement.accounts or statement.links):
        errors["names"] = _(NOTHING)
    errors |= too_many(request, form)
    if statement.contact and not is_mail(statement.contact):
        errors["contact"] = _(NO_ADDRESS)
    return errors
