"""Other names that somebody is called by, added to an objection that they have shown to be theirs; nobody has to.

Invariants: only the receipt's own link opens the page, and only where it is shown whose the objection is (ADR 0035):
never of an account that somebody typed, whose receipt tells the same for ever; no reason and no proof is asked for;
what is added is sealed, counts at once, and is shown nowhere again; accounts that are typed here prove nothing, so that
they get objections of their own, whose receipt the page leads to.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError, UsageError
from demur.objecting.called import Called, add
from demur.objecting.office import Office
from demur.register import Register
from demur.tokens import Purpose
from demur.web import forms
from demur.web.pages import address, desk, gettext, language, page
from demur.web.portal.receipt import find, receipt_page
from demur.web.portal.said import NOTHING, too_many

router: Final = APIRouter()

_FIELDS: Final = ("names", "former", "links")


@router.get("/receipt/{token}/called")
async def ask(request: Request, token: str) -> Response:
    """The question; the receipt, where it can't be answered."""
    found = await run_in_threadpool(find, desk(request), token)
    if not found.takes_names(desk(request).policy()):
        return receipt_page(request, found)
    return _page(request, token, dict.fromkeys(_FIELDS, ""))


@router.post("/receipt/{token}/called")
@forms.turns
async def answer(request: Request, token: str) -> Response:
    """Add what was answered, and show the receipt."""
    steady, at = forms.Steady(), desk(request)
    found = await run_in_threadpool(find, at, token, acting=True)
    form = await forms.read(request)
    if not found.takes_names(at.policy()):
        return receipt_page(request, found)
    typed: dict[str, Any] = {name: form.text(name) for name in _FIELDS}
    if form.turned:
        return _page(request, token, typed)
    called = Called.of(form.lines("names"), form.lines("former"), form.lines("links"), at.policy().accounts.names)
    errors = too_many(request, form) or ({} if called else {"names": gettext(request).gettext(NOTHING)})
    if errors:
        return _page(request, token, typed, forms.WRONG, errors=errors)
    for account in called.accounts:
        forms.limit_by_account(request, account)
    office = at.office(language(request))
    asking = frozenset(account for account in called.accounts if office.may_ask(account))
    beside = await at.intake.run(_add, found.state.reference, called, office, asking)
    await steady.wait()
    also = f"&also={at.tokens.make(Purpose.RECEIPT, beside)}" if beside else ""
    return RedirectResponse(address(language(request), f"/receipt/{found.token}?added=1{also}"), 303)


def _add(register: Register, reference: str, called: Called, office: Office, asking: frozenset[str]) -> int | None:
    """Add it, unless the objection ended meanwhile or its details were erased: the receipt says how it stands."""
    try:
        return add(register, reference, called, office, asking)
    except (RegisterError, UsageError):
        return None


def _page(
    request: Request,
    token: str,
    typed: dict[str, Any],
    status: int = 200,
    **values: Any,  # noqa: ANN401  # a template's
) -> Response:
    here, back = f"/receipt/{token}/called", f"/receipt/{token}"
    return page(request, "object_called.html", status, here=here, back=back, switch=here, **typed, **values)
