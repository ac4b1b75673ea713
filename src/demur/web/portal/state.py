"""How an objection stands, by the reference on its receipt.

Invariants: whoever has the reference has the receipt; a reference with a typing error and one that nobody has read the
same, and neither can be guessed (references.py).
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError
from demur.notices.languages import N_
from demur.objecting.naming import tidy
from demur.web.pages import desk, gettext, page
from demur.web.portal import forms
from demur.web.portal.paths import receipt_at
from demur.web.portal.typed import WRONG

router: Final = APIRouter()

_UNKNOWN: Final = N_("We know no such reference. Compare it with your receipt.")


@router.get("/status")
async def ask(request: Request) -> Response:
    """The field."""
    return page(request, "object_status.html", reference="")


@router.post("/status")
async def show(request: Request) -> Response:
    """The receipt of the reference."""
    typed = tidy((await forms.read(request)).text("reference"), 60)
    try:
        state = await run_in_threadpool(desk(request).register.objections.get, typed)
    except RegisterError:
        errors = {"reference": gettext(request).gettext(_UNKNOWN)}
        return page(request, "object_status.html", WRONG, reference=typed, errors=errors)
    return RedirectResponse(receipt_at(request, state.seq), 303)
