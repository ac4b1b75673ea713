"""The platform's signed-in user: one click, with a token that the platform's backend signs.

Invariants: a token acts once, and only by a POST; what it says is checked again there; whoever comes with one that
does not hold reads how to go on without it.
"""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError
from demur.notices.content import others_of
from demur.notices.words import day, speaker
from demur.objecting.channels import Route
from demur.objecting.lodging import by_proof
from demur.objecting.office import Office
from demur.register import Register
from demur.web.pages import address, desk, language, page
from demur.web.platform_token import Visitor, signed_in
from demur.web.portal import forms
from demur.web.portal.paths import receipt_at
from demur.web.portal.signed import broken
from demur.web.sessions import MEMBER

router: Final = APIRouter()

_FORBIDDEN: Final = 403


class _SpentError(IdentityError):
    """A token that acted already."""


@router.get("/in")
async def ask(request: Request, token: str = "") -> Response:
    """The page with the two buttons."""
    at = desk(request)
    try:
        signed_in(at.workspace, at.policy(), token)
    except IdentityError:
        return broken(request, _FORBIDDEN)
    others = others_of(at.policy(), language(request))
    return page(request, "object_link.html", token=token, here="", others=others, switch=None)


@router.post("/in")
async def act(request: Request) -> Response:
    """Object, or begin a session in which the member sees what would be used of theirs."""
    at = desk(request)
    form = await forms.read(request)
    try:
        visitor = signed_in(at.workspace, at.policy(), form.text("token"))
    except IdentityError:
        return broken(request, _FORBIDDEN)
    try:
        return await (_begin if form.text("act") == "mine" else _object)(request, visitor)
    except _SpentError:
        return await _spent(request, visitor)


async def _begin(request: Request, visitor: Visitor) -> Response:
    at = desk(request)
    await at.intake.run(_spend, visitor)
    response = RedirectResponse(address(language(request), "/mine"), 303)
    subject = at.keys.pepper.subject_key(visitor.account)
    await run_in_threadpool(MEMBER.begin, request, response, subject, visitor.account)
    return response


async def _object(request: Request, visitor: Visitor) -> Response:
    at = desk(request)
    office = at.office(language(request))
    seq = await at.intake.run(_lodge, visitor, at.keys.pepper.subject_key(visitor.account), office)
    return RedirectResponse(receipt_at(request, seq), 303)


async def _spent(request: Request, visitor: Visitor) -> Response:
    """A second press of the button reads that the first one did it, and gets nothing that the first one did not."""
    at, shown = desk(request), language(request)
    subject = at.keys.pepper.subject_key(visitor.account)
    lodged = await run_in_threadpool(_standing_since, at.register, subject)
    if lodged is None:
        return broken(request, _FORBIDDEN)
    since = day(lodged.date(), shown)
    stands = speaker(shown)("Your objection stands from %(day)s on. You do not have to do anything else.", day=since)
    return broken(request, _FORBIDDEN, stands=stands)


def _standing_since(register: Register, subject: int) -> datetime | None:
    """When the objection was lodged that stands for an account by this route."""
    seq = register.objections.standing(subject, Route.SIGNED_IN)
    reference = None if seq is None else register.objections.reference_of(seq)
    return None if reference is None else register.objections.get(reference).lodged


def _lodge(register: Register, visitor: Visitor, subject: int, office: Office) -> int:
    with register.locked():
        _spend(register, visitor)
        return by_proof(register, subject, Route.SIGNED_IN, office, visitor.account)


def _spend(register: Register, visitor: Visitor) -> None:
    """Use the token up.

    Raises:
        _SpentError: if it has been used before.
    """
    if not register.sessions.spend(visitor.digest, visitor.until):
        raise _SpentError("This sign-in link was used before: go back and click again.")
