"""The link of an email, pasted: for whoever looks for it, and for one that came apart on its way.

Invariants: nothing acts here: a link that holds leads to its own page, with its own button; one that does not comes
back with what to do. A pasted link travels in the body of a POST and is in no address until it holds.
"""

import re
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError
from demur.notices.languages import N_
from demur.tokens import Purpose
from demur.web import forms
from demur.web.pages import address, desk, gettext, language, page, public_page

router: Final = APIRouter()

_PURPOSES: Final = {
    "o": (Purpose.OBJECT,),
    "confirm": (Purpose.CONFIRM,),
    "receipt": (Purpose.RECEIPT, Purpose.VIEW),
    "mine": (Purpose.READ,),
}
"""Pages that open by a token."""
_LINK: Final = re.compile(rf"/({'|'.join(_PURPOSES)})/([A-Za-z0-9_-]+)")
_BROKEN_UP: Final = re.compile(r"=?\s+|^>+", re.MULTILINE)
"""What mail programs put into a long line: ends of lines, also quoted-printable ones, and marks of a quote."""
_UNREADABLE: Final = N_("We can't open this link. Copy all of it from the email, up to its end.")


@router.get("/object/link")
async def ask(request: Request) -> Response:
    """How to go on with the link of an email, and the field for it."""
    return public_page(request, "object_by_email.html", link="")


@router.post("/object/link")
@forms.turns
async def follow(request: Request) -> Response:
    """Go where the link leads."""
    form = await forms.read(request)
    typed = form.text("link")
    if form.turned:
        return page(request, "object_by_email.html", link=typed)
    found = _LINK.search(_BROKEN_UP.sub("", typed))
    if found is None or not _holds(request, found[1], found[2]):
        errors = {"link": gettext(request).gettext(_UNREADABLE)}
        return page(request, "object_by_email.html", forms.WRONG, link=typed, errors=errors)
    return RedirectResponse(address(language(request), found[0]), 303)


def _holds(request: Request, kind: str, token: str) -> bool:
    for purpose in _PURPOSES[kind]:
        try:
            desk(request).tokens.read(token, purpose)
        except IdentityError:
            continue
        return True
    return False
