"""Claims that a model repeats somebody's data: which wait, what a test found, and the answer.

Invariants: the list and the page of one show nothing that a person said; what they said is opened by a button, and the
register knows of it before it is shown; an answer is one entry, and one of who gave it, in one transaction; nobody can
refuse a claim here.
"""

from contextlib import suppress
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.claims.answering import FOUND, answer
from demur.claims.lodging import due
from demur.claims.testing import Looked
from demur.errors import RegisterError
from demur.objecting.office import Office
from demur.register import JSON, ClaimPhase, ClaimState, Register, StaffRole
from demur.register.claims import Said
from demur.terms import EntryKind
from demur.web import forms
from demur.web.pages import desk
from demur.web.staff.frame import Timed, Visit, acting, admitted

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

HERE: Final = "/staff/claims"

_OFFICER: Final = (StaffRole.OFFICER,)
_READERS: Final = (StaffRole.OFFICER, StaffRole.AUDITOR)
_LONGEST: Final = 2000
"""Characters of a note."""


@router.get(HERE)
async def queue(request: Request) -> Response:
    """Those that wait for an answer, what is due first first, and those that were answered."""
    visit = await admitted(request, *_READERS)
    if isinstance(visit, Response):
        return visit
    claims, today = desk(request).register.claims, desk(request).now().date()
    waiting = await run_in_threadpool(claims.listed, ClaimPhase.LODGED, ClaimPhase.TESTED)
    answered = await run_in_threadpool(claims.listed, ClaimPhase.ANSWERED)
    rows = [(each, due(each), due(each) < today, _found(each), _incident(each)) for each in waiting]
    return visit.page("staff_claims.html", rows=rows, answered=len(answered))


@router.get(HERE + "/{seq:int}")
async def show(request: Request, seq: int) -> Response:
    """How one stands; nothing that was said."""
    visit = await admitted(request, *_OFFICER)
    return visit if isinstance(visit, Response) else _page(visit, await _find(request, seq))


@router.post(HERE + "/{seq:int}/read")
async def read(request: Request, seq: int) -> Response:
    """Open what was said."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, state = acted[0], await _find(request, seq)
    said, note = await desk(request).intake.run(_opened, visit, state)
    return _page(visit, state, opened=True, said=said, told=note)


@router.post(HERE + "/{seq:int}/answer")
async def give(request: Request, seq: int) -> Response:
    """Answer it by what its last test found."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    state, note = await _find(request, seq), form.text("note").strip()
    if len(note) > _LONGEST:
        errors = {"note": f"Say it in at most {_LONGEST} characters."}
        return _page(visit, state, forms.WRONG, errors=errors, note=note)
    with suppress(RegisterError):  # it was answered meanwhile, or what was said was erased: the page says so
        await desk(request).intake.run(_answered, visit, state, note, desk(request).office())
    return RedirectResponse(f"{HERE}/{seq}", 303)


def _opened(register: Register, visit: Visit, state: ClaimState) -> tuple[Said | None, str]:
    """What was said and answered, once it is on record that it is read."""
    payload: dict[str, JSON] = {"staff": visit.staff.id, "claim": state.seq, "what": "statement"}
    with register.locked():
        register.log.append(EntryKind.DATA_READ, payload, subjects=np.array([state.account], np.int64))
        return register.claims.said(state.reference), register.claims.note(state.reference)


def _answered(register: Register, visit: Visit, state: ClaimState, note: str, office: Office) -> None:
    with register.locked():
        answer(register, state.reference, office, note=note)
        visit.acted(register, "claim.answer", claim=state.seq)


async def _find(request: Request, seq: int) -> ClaimState:
    """The claim of a number.

    Raises:
        HTTPException: 404 where there is none.
    """
    state = await run_in_threadpool(desk(request).register.claims.at, seq)
    if state is None:
        raise HTTPException(404)
    return state


def _page(visit: Visit, state: ClaimState, status: int = 200, **values: Any) -> Response:  # noqa: ANN401  # a template's
    shown: dict[str, Any] = {"state": state, "due": due(state), "found": _found(state), "incident": _incident(state)}
    shown |= {"looked": None if state.result is None else Looked.read(state.result), "here": f"{HERE}/{state.seq}"}
    shown |= {"opened": False, "said": None, "told": "", "note": ""}
    return visit.page("staff_claim.html", status, **{**shown, **values})


def _found(state: ClaimState) -> str:
    return "not tested yet" if state.outcome is None else FOUND[state.outcome]


def _incident(state: ClaimState) -> bool:
    return state.result is not None and bool(state.result["incident"])
