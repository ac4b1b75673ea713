"""One objection that nobody has confirmed yet, on a page of its own. It binds all the while.

Invariants: there is no way to refuse one here: it is confirmed, or its holder denied it; looking at how one stands
shows nothing that a person said; what they said is opened by a button, and the register knows of it before it is shown;
a file is handed over as bytes to be saved, never shown.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.objecting import settling
from demur.objecting.office import Office
from demur.register import JSON, Attachment, Listed, ObjectionPhase, ObjectionState, Register, StaffRole
from demur.runs.holding import Done, HeldIn, held_in
from demur.tokens import Purpose
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.web.staff.frame import Timed, Visit, acting, admitted
from demur.web.staff.waiting import WARNINGS, came_with, country_name, days_left, language_name

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

_OFFICER: Final = (StaffRole.OFFICER,)
_SAID: Final = {
    "names": "Names",
    "former": "Former names",
    "accounts": "Accounts",
    "links": "Links",
    "elsewhere": "Accounts and links, added later",
    "contact": "Mail address",
    "child": "On behalf of a child",
    "text": "Text",
    "for": "On behalf of",
    "doubts": "Doubts, with the day of each",
    "within": "Number of the objection that holds what was written",
}

_MODELS: Final = {
    Done.HOLDS: "answers with what it learned from them",
    Done.ROLLED_BACK: "answers from a state that never saw them; it waits for a replay",
    Done.REPLAYED: "was replayed without them, and what had seen them is destroyed",
    Done.ELSEWHERE: "was trained by another program on a version that holds them",
}


@router.get("/staff/objections/{seq:int}")
async def show(request: Request, seq: int) -> Response:
    """How one stands; nothing that was said."""
    visit = await admitted(request, *_OFFICER)
    return visit if isinstance(visit, Response) else await objection_page(visit, await find(request, seq))


@router.post("/staff/objections/{seq:int}/read")
async def read(request: Request, seq: int) -> Response:
    """Open what was said."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, state = acted[0], await find(request, seq)
    said = await desk(request).intake.run(_opened, visit, state)
    return await objection_page(visit, state, said=list(_rows(said)), opened=True)


@router.post("/staff/objections/{seq:int}/confirm")
async def confirm(request: Request, seq: int) -> Response:
    """Confirm it."""
    return await _move(request, seq, "objection.confirm")


@router.post("/staff/objections/{seq:int}/deny")
async def deny(request: Request, seq: int) -> Response:
    """Record that the holder of the account said it was not them."""
    return await _move(request, seq, "objection.deny")


@router.post("/staff/objections/{seq:int}/files/{number:int}")
async def download(request: Request, seq: int, number: int) -> Response:
    """A file that came with it, to be saved."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    at, state = desk(request), await find(request, seq)
    file = next((each for each in at.register.attachments.of(state.reference) if each.id == number), None)
    if file is None:
        raise HTTPException(404)
    content = await at.intake.run(_read_file, acted[0], state, file)
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(file.name, safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def _move(request: Request, seq: int, act: str) -> Response:
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    at = desk(request)
    await at.intake.run(_moved, acted[0], await find(request, seq), act, at.office())
    return RedirectResponse(f"/staff/objections/{seq}", 303)


def _moved(register: Register, visit: Visit, state: ObjectionState, act: str, office: Office) -> None:
    """Confirm or lapse one, unless somebody was faster; and who did."""
    with register.locked():
        if register.objections.get(state.reference).phase is not ObjectionPhase.LODGED:
            return
        if act == "objection.confirm":
            settling.confirm(register, state.reference, office)
        else:
            settling.lapse(register, state.reference, office, cause="denied")
        visit.acted(register, act, objection=state.seq)


def _opened(register: Register, visit: Visit, state: ObjectionState) -> dict[str, JSON]:
    with register.locked():
        visit.reads(register, state, "statement")
        return {
            "reason": register.objections.reason(state.reference),
            **(register.objections.statement(state.reference) or {}),
            "doubts": [f"{on:%Y-%m-%d}: {why or 'gone'}" for on, why in register.objections.doubts(state.reference)],
        }


def _read_file(register: Register, visit: Visit, state: ObjectionState, file: Attachment) -> bytes:
    with register.locked():
        visit.reads(register, state, f"attachment/{file.id}")
        return register.attachments.read(file.id)


async def find(request: Request, seq: int) -> ObjectionState:
    """The objection of a number.

    Raises:
        HTTPException: 404 where there is none.
    """
    return await run_in_threadpool(_found, desk(request).register, seq)


def _found(register: Register, seq: int) -> ObjectionState:
    reference = register.objections.reference_of(seq)
    if reference is None:
        raise HTTPException(404)
    return register.objections.get(reference)


async def objection_page(
    visit: Visit,
    state: ObjectionState,
    status: int = 200,
    **values: Any,  # noqa: ANN401  # a template's
) -> Response:
    """The page of one objection."""
    at = desk(visit.request)
    files = await run_in_threadpool(at.register.attachments.of, state.reference) if values.get("opened") else []
    receipt = f"/en/receipt/{at.tokens.make(Purpose.VIEW, state.seq)}"
    (row,) = await run_in_threadpool(at.register.objections.listed, [state.seq])
    shown = {"state": state, "left": days_left(state, at.now()), "files": files, "receipt": receipt, "row": row}
    shown |= {"warning": WARNINGS.get(row.warning or "", row.warning), "home": _home(row)}
    shown["said_with"] = came_with(row) or "nothing that is marked"
    shown["models"] = await run_in_threadpool(_models, at, state)
    shown |= {
        "days": at.office().answer_days,
        "doubt": "",
        "no_doubt": await run_in_threadpool(_no_doubt, at, state),
    }
    return visit.page("staff_objection.html", status, **{"said": [], "opened": False, **shown, **values})


def _no_doubt(at: Desk, state: ObjectionState) -> str:
    """Why it can't be doubted, "" where it can."""
    return settling.undoubtable(at.register, state)


def _models(at: Desk, state: ObjectionState) -> str:
    """The models that hold, or held, rows of whoever it covers, and what was done about each; "none" without any."""
    keys = at.register.objections.covered_by(state.reference)
    found = held_in(at.workspace.models_path, at.register, keys)
    return "; ".join(map(_model, found)) or "none"


def _model(held: HeldIn) -> str:
    name = f"{held.run}/{held.model}" if held.model else held.run
    left = ", copies of its weights left" if held.exported else ""
    return f"{name}, {_MODELS[held.done]} ({held.time:%Y-%m-%d}){left}"


def _home(row: Listed) -> str:
    """Country and language of the account's holder, as far as they are on file."""
    return ", ".join(filter(None, (country_name(row.country), language_name(row.language)))) or "not on file"


def _rows(said: dict[str, JSON]) -> Iterator[tuple[str, str]]:
    """What was said, in words, a line each."""
    if said["reason"]:
        yield "Reason", str(said["reason"])
    for name, label in _SAID.items():
        found = said.get(name)
        if isinstance(found, list):
            found = "\n".join(str(each) for each in found)
        if found:
            yield label, "yes" if found is True else str(found)
