"""The receipt of a typed account, corrected: another account, or names where a name was typed.

Invariants: only the receipt's own link opens these pages, and only of an account that somebody typed; what was typed
is filled in where the link tells it. What was meant is lodged first; what becomes of the mistaken one, nothing here
tells, nor the time it takes (objecting/correcting.py).
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.objecting.channels import Route
from demur.objecting.correcting import correct_account, correct_by_names
from demur.web import forms
from demur.web.pages import desk, language, page
from demur.web.portal.receipt import Found, find, receipt_at, receipt_page
from demur.web.portal.said import may_ask, said_by_person, told_account
from demur.web.portal.taken import Typed

router: Final = APIRouter()


@router.get("/receipt/{token}/correct")
async def ask_account(request: Request, token: str) -> Response:
    """The field, with what was typed."""
    found = await _found(request, token)
    if not _corrects(found):
        return receipt_page(request, found)
    return page(request, "object_correct.html", account=found.typed.again, here=f"/receipt/{token}")


@router.post("/receipt/{token}/correct")
@forms.turns
async def account(request: Request, token: str) -> Response:
    """Object for the account that was meant."""
    steady, at = forms.Steady(), desk(request)
    found = await _found(request, token)
    if not _corrects(found):
        return receipt_page(request, found)
    meant, typed = await told_account(request, "object_correct.html", here=f"/receipt/{token}")
    if isinstance(meant, Response):
        return meant
    office = at.office(language(request))
    seq = await at.intake.run(correct_account, found.state, meant, office, ask=office.may_ask(meant))
    await steady.wait()
    return RedirectResponse(receipt_at(request, seq, typed), 303)


@router.get("/receipt/{token}/names")
async def ask_names(request: Request, token: str) -> Response:
    """The form for names, with what was typed as the first."""
    found = await _found(request, token)
    if not _corrects(found):
        return receipt_page(request, found)
    kept: dict[str, Any] = {"names": found.typed.again, "former": "", "links": "", "contact": ""}
    return page(request, "object_person.html", behalf="self", action=f"/receipt/{token}/names", **kept)


@router.post("/receipt/{token}/names")
@forms.turns
async def names(request: Request, token: str) -> Response:
    """Object by names."""
    steady, at = forms.Steady(), desk(request)
    found = await _found(request, token)
    if not _corrects(found):
        return receipt_page(request, found)
    said = await said_by_person(request, "self", f"/receipt/{token}/names")
    if isinstance(said, Response):
        return said
    office = at.office(language(request))
    asking, mail = may_ask(said, office)
    seq = await at.intake.run(correct_by_names, found.state, said, office, asking, mail=mail)
    await steady.wait()
    return RedirectResponse(receipt_at(request, seq, Typed.of("", list(said.accounts))), 303)


async def _found(request: Request, token: str) -> Found:
    return await run_in_threadpool(find, desk(request), token)


def _corrects(found: Found) -> bool:
    return found.acting and found.stands and found.state.channel == Route.TYPED
