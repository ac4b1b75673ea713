"""What an officer does about an objection besides confirming it: put a doubt on record, or bring back what has lapsed.

Invariants: a doubt needs a reason, which is sealed, and somebody who can be asked; neither act says a word of the
person; the entry of who acted stands beside that of the act, in its transaction.
"""

from contextlib import suppress
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError, UsageError
from demur.objecting import settling
from demur.objecting.office import Office
from demur.register import ObjectionState, Register, StaffRole
from demur.web import forms
from demur.web.pages import desk
from demur.web.staff.frame import Visit, acting
from demur.web.staff.queue import find, objection_page

router: Final = APIRouter(include_in_schema=False)

_OFFICER: Final = (StaffRole.OFFICER,)
_LONGEST: Final = 2000
"""Characters of a reason."""


@router.post("/staff/objections/{seq:int}/doubt")
async def doubt(request: Request, seq: int) -> Response:
    """Record reasonable doubt whose it is, and ask its holder anew."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    at, state, reason = desk(request), await find(request, seq), form.text("doubt").strip()
    if not reason or len(reason) > _LONGEST:
        errors = {"doubt": f"Say why you doubt it, in at most {_LONGEST} characters."}
        return await objection_page(visit, state, forms.WRONG, errors=errors, doubt=reason)
    with suppress(RegisterError, UsageError):  # it was settled meanwhile, or nobody can be asked: the page says so
        await at.intake.run(_doubted, visit, state, reason, at.office())
    return RedirectResponse(f"/staff/objections/{seq}", 303)


@router.post("/staff/objections/{seq:int}/revive")
async def revive(request: Request, seq: int) -> Response:
    """Bring it back."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    at, state = desk(request), await find(request, seq)
    with suppress(UsageError):  # its person has withdrawn it: the page says so
        await at.intake.run(_revived, acted[0], state, at.office())
    return RedirectResponse(f"/staff/objections/{seq}", 303)


def _doubted(register: Register, visit: Visit, state: ObjectionState, reason: str, office: Office) -> None:
    with register.locked():
        before = register.objections.get(state.reference)
        after = settling.doubt(register, state.reference, reason, office)
        if before.doubted is None and after.doubted is not None:
            visit.acted(register, "objection.doubt", objection=state.seq)


def _revived(register: Register, visit: Visit, state: ObjectionState, office: Office) -> None:
    with register.locked():
        before = register.objections.get(state.reference)
        after = settling.revive(register, state.reference, office)
        if after.phase is not before.phase:
            visit.acted(register, "objection.revive", objection=state.seq)
