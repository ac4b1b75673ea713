"""The platform's signed-in user: one click, with a token that the platform's backend signs.

Invariants: a token acts once, and only by a POST; what it says is checked again there; whoever comes with one that
does not hold reads how to go on without it.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError
from demur.notices.content import others_of
from demur.register import Register
from demur.web.pages import address, desk, language, page
from demur.web.platform_token import Visitor, signed_in
from demur.web.portal import forms
from demur.web.portal.lodging import Counter, Route, by_proof
from demur.web.portal.paths import receipt_at
from demur.web.portal.signed import broken
from demur.web.sessions import MEMBER

router: Final = APIRouter()

_FORBIDDEN: Final = 403


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
        if form.text("act") == "mine":
            return await _begin(request, visitor)
        counter = Counter(at, language(request), at.now())
        seq = await at.intake.run(_object, visitor, at.keys.pepper.subject_key(visitor.account), counter)
    except IdentityError:
        return broken(request, _FORBIDDEN)
    return RedirectResponse(receipt_at(request, seq), 303)


async def _begin(request: Request, visitor: Visitor) -> Response:
    at = desk(request)
    await at.intake.run(_spend, visitor)
    response = RedirectResponse(address(language(request), "/mine"), 303)
    subject = at.keys.pepper.subject_key(visitor.account)
    await run_in_threadpool(MEMBER.begin, request, response, subject, visitor.account)
    return response


def _object(register: Register, visitor: Visitor, subject: int, counter: Counter) -> int:
    with register.locked():
        _spend(register, visitor)
        return by_proof(register, subject, Route.SIGNED_IN, counter, visitor.account)


def _spend(register: Register, visitor: Visitor) -> None:
    """Use the token up.

    Raises:
        IdentityError: if it has been used before.
    """
    if not register.visits.spend(visitor.digest, visitor.until):
        raise IdentityError("This sign-in link was used before: go back and click again.")
