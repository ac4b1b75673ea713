"""An account or a mail address, typed in: it binds at once, and its holder is asked, where an address is on file.

Invariants: the answer has the same wording, shape and time whether anybody has heard of the account or not; nothing
typed is refused but what can't be an account; nothing of an account is shown, not even what was typed.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.notices.languages import N_
from demur.objecting.lodging import by_name
from demur.objecting.naming import account_of, tidy
from demur.web.pages import desk, gettext, language, page
from demur.web.portal import forms
from demur.web.portal.paths import receipt_at

router: Final = APIRouter()

WRONG: Final = 422
"""The status of a form that comes back with what is to be corrected."""

_UNREADABLE: Final = N_("Write a user name, a mail address or the address of a profile.")


@router.get("/object")
async def ask(request: Request) -> Response:
    """The field."""
    return page(request, "object.html", account="")


@router.post("/object")
async def object_(request: Request) -> Response:
    """Object for what was typed, and show the receipt."""
    steady = forms.Steady()
    at = desk(request)
    typed = (await forms.read(request)).text("account")
    policy = at.policy()
    account = account_of(typed, policy.portal.namespace, policy.accounts.names)
    if account is None:
        errors = {"account": gettext(request).gettext(_UNREADABLE)}
        return page(request, "object.html", WRONG, account=tidy(typed), errors=errors)
    forms.spare(request, account)
    office = at.office(language(request))
    receipt = await at.intake.run(by_name, account, office, ask=office.may_ask(account))
    await steady.wait()
    return RedirectResponse(receipt_at(request, receipt.seq), 303)
