"""The link of a notice: one page, one button; no login, no expiry.

Invariants: opening it changes nothing, as mail scanners open every link; it objects as the member whom the notice was
sent to and opens nothing of theirs; it works for ever, after any campaign, renaming or withdrawal, and pressing its
button again leads to the receipt of the objection that stands.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError
from demur.notices.content import others_of
from demur.objecting.channels import Route
from demur.objecting.lodging import by_proof
from demur.tokens import Purpose
from demur.web.pages import address, desk, language, page
from demur.web.portal.paths import receipt_at

router: Final = APIRouter()


@router.get("/o/{token}")
async def ask(request: Request, token: str) -> Response:
    """The page with the button."""
    try:
        desk(request).tokens.read(token, Purpose.OBJECT)
    except IdentityError:
        return broken(request)
    others = others_of(desk(request).policy(), language(request))
    return page(request, "object_link.html", token="", here=address(language(request), f"/o/{token}"), others=others)


@router.post("/o/{token}")
async def object_(request: Request, token: str) -> Response:
    """Object, and show the receipt."""
    at = desk(request)
    try:
        subject = at.tokens.read(token, Purpose.OBJECT).number
    except IdentityError:
        return broken(request)
    seq = await at.intake.run(by_proof, subject, Route.LINK, at.office(language(request)))
    return RedirectResponse(receipt_at(request, seq), 303)


def broken(request: Request, status: int = 404, stands: str = "") -> Response:
    """The page for a link that does not hold: it says how to go on without it, or that there is no need to."""
    action = address(language(request), "/object")
    return page(request, "object_broken.html", status, action=action, stands=stands, switch=None)
