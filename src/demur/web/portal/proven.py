"""An objection by somebody who has shown that an account is theirs: the link of a notice, or the platform's own word.

Invariants: opening either changes nothing, as mail scanners open every link; a POST objects, with no login and no
reason. The link of a notice objects as the member whom it was sent to and opens nothing of theirs; it never expires,
and pressing its button again leads to the receipt of the objection that stands, as its page says; of objections that
came otherwise it says nothing. A token of the platform acts once;
what it says is checked again when it acts. Whoever comes with a link or token that does not hold reads how to go on.
"""

from datetime import datetime
from typing import Any, Final

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
from demur.tokens import Purpose
from demur.web import forms
from demur.web.failures import broken
from demur.web.pages import address, desk, language, page
from demur.web.portal.platform_token import Visitor, signed_in
from demur.web.portal.receipt import receipt_at
from demur.web.sign_ins import MEMBER

router: Final = APIRouter()

_FORBIDDEN: Final = 403


class _SpentError(IdentityError):
    """A token that acted already."""


@router.get("/o/{token}")
async def ask_by_link(request: Request, token: str) -> Response:
    """The page with one button, to which a notice leads."""
    at = desk(request)
    try:
        subject = at.tokens.read(token, Purpose.OBJECT).number
    except IdentityError:
        return broken(request)
    since = await run_in_threadpool(_standing_since, at.register, subject, Route.LINK)
    return _button(request, here=address(language(request), f"/o/{token}"), since=since)


def _button(request: Request, *, here: str = "", token: str = "", since: datetime | None = None) -> Response:
    """One page, one button; ``since`` an objection stands that was lodged so."""
    values: dict[str, Any] = {"kept": "/in", "switch": None} if token else {}
    return page(
        request,
        "object_link.html",
        here=here,
        token=token,
        since=since,
        others=others_of(desk(request).policy(), language(request)),
        **values,
    )


@router.post("/o/{token}")
async def object_by_link(request: Request, token: str) -> Response:
    """Object, and show the receipt."""
    at = desk(request)
    try:
        subject = at.tokens.read(token, Purpose.OBJECT).number
    except IdentityError:
        return broken(request)
    seq = await at.intake.run(by_proof, subject, Route.LINK, at.office(language(request)))
    return RedirectResponse(receipt_at(request, seq), 303)


@router.get("/in")
async def ask_member(request: Request, token: str = "") -> Response:
    """The page with two buttons, for whom the platform has signed in."""
    at = desk(request)
    try:
        signed_in(at.workspace, at.policy(), token)
    except IdentityError:
        return broken(request, _FORBIDDEN)
    return _button(request, token=token)


@router.post("/in")
@forms.turns
async def act(request: Request) -> Response:
    """Object, or begin a session in which the member sees what would be used of theirs."""
    at = desk(request)
    form = await forms.read(request)
    try:
        visitor = signed_in(at.workspace, at.policy(), form.text("token"))
    except IdentityError:
        return broken(request, _FORBIDDEN)
    if form.turned:
        return _button(request, token=form.text("token"))
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
    lodged = await run_in_threadpool(_standing_since, at.register, subject, Route.SIGNED_IN)
    if lodged is None:
        return broken(request, _FORBIDDEN)
    since = day(lodged.date(), shown)
    stands = speaker(shown)("Your objection applies from %(day)s on. You do not have to do anything else.", day=since)
    return broken(request, _FORBIDDEN, stands=stands)


def _standing_since(register: Register, subject: int, route: Route) -> datetime | None:
    """When the objection was lodged that stands for an account by a route."""
    seq = register.objections.standing(subject, route)
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
