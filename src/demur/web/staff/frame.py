"""Who of the staff is asking, what they may do, and the frame of their pages.

Invariants: whoever has no session is led to where staff sign in, whoever has one without the role is told so; the
session is looked up for every request, so that it ends with the access it stands for; an act needs the form's code
besides the cookie, and its entry names who did it by number.
"""

import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError
from demur.register import JSON, ObjectionState, Register, Staff, StaffRole
from demur.terms import EntryKind
from demur.web import forms
from demur.web.pages import desk, page
from demur.web.sign_ins import FIELD, SignIn, SignIns

STAFF: Final = SignIns("staff", minutes=8 * 60)
"""A working day."""

SIGN_IN: Final = "/staff/"

_FORBIDDEN: Final = 403
_PAGES: Final = (
    ("/staff/objections", "Objections to review", {StaffRole.OFFICER, StaffRole.AUDITOR}),
    ("/staff/uncertain", "Uncertain finds", {StaffRole.OFFICER, StaffRole.AUDITOR}),
    ("/staff/claims", "Claims", {StaffRole.OFFICER, StaffRole.AUDITOR}),
    ("/staff/letters", "Record a letter", {StaffRole.OFFICER}),
    ("/staff/coverage", "Coverage", set(StaffRole)),
    ("/staff/status", "Status", set(StaffRole)),
    ("/staff/people", "Staff", {StaffRole.AUDITOR}),
)


class Timed(APIRoute):
    """A route whose answers say how long they took (Server-Timing, W3C): in all, and of the processor's time."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own, with the header added to its answer."""
        handle = super().get_route_handler()

        async def timed(request: Request) -> Response:
            began, worked = time.perf_counter(), time.process_time()
            answer: Response = await handle(request)
            total, cpu = time.perf_counter() - began, time.process_time() - worked
            answer.headers["server-timing"] = f"total;dur={1000 * total:.1f}, cpu;dur={1000 * cpu:.1f}"
            return answer

        return timed


@dataclass(frozen=True)
class Visit:
    """A request of somebody who is signed in."""

    request: Request
    staff: Staff
    session: SignIn

    def page(self, name: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401  # a template's
        """A page in the staff's frame."""
        frame: dict[str, Any] = {
            "staff": self.staff,
            "menu": list(self._menu()),
            "csrf": self.session.csrf,
            "switch": None,
        }
        return page(self.request, name, status, **{**frame, **values})

    def acted(self, register: Register, act: str, **facts: JSON) -> None:
        """Append who did something; in the transaction of what was done."""
        register.log.append(EntryKind.STAFF_ACTED, {"staff": self.staff.id, "act": act, **facts})

    def acted_on(self, register: Register, act: str, objections: Iterable[int]) -> None:
        """Append who did something to each of some objections, an entry for each."""
        facts: list[dict[str, JSON]] = [{"staff": self.staff.id, "act": act, "objection": each} for each in objections]
        register.log.append_all(EntryKind.STAFF_ACTED, facts)

    def searched(self, register: Register, by: str, found: Iterable[ObjectionState]) -> None:
        """Append that somebody was searched for, by what and with how many found; never for whom."""
        covered = [register.objections.covered_by(each.reference) for each in found]
        payload: Mapping[str, JSON] = {
            "staff": self.staff.id,
            "act": "objections.search",
            "by": by,
            "found": len(covered),
        }
        subjects = np.unique(np.concatenate([np.empty(0, np.int64), *covered]))
        register.log.append(EntryKind.STAFF_ACTED, payload, subjects=subjects)

    def reads(self, register: Register, state: ObjectionState, what: str) -> None:
        """Append that what somebody said is being read, before it is."""
        payload: Mapping[str, JSON] = {"staff": self.staff.id, "objection": state.seq, "what": what}
        register.log.append(EntryKind.DATA_READ, payload, subjects=register.objections.covered_by(state.reference))

    def _menu(self) -> Iterator[tuple[str, str, bool]]:
        here = self.request.url.path
        for path, text, roles in _PAGES:
            if self.staff.role in roles:
                yield path, text, here.startswith(path)


def first_page(staff: Staff) -> str:
    """Where somebody goes who has signed in."""
    return next(path for path, _, roles in _PAGES if staff.role in roles)


async def admitted(request: Request, *roles: StaffRole) -> Visit | Response:
    """The visit of somebody who may look at a page, or where they are led instead."""
    visit = await run_in_threadpool(_visit, request)
    if visit is None:
        return RedirectResponse(SIGN_IN, 303)
    return _allowed(visit, roles)


async def acting(
    request: Request, *roles: StaffRole, fields: int = forms.FIELDS, files: int = 1
) -> tuple[Visit, forms.Form] | Response:
    """The visit and the form of somebody who may act, or the refusal.

    Args:
        request: what they sent.
        roles: who may.
        fields: how many the form may have.
        files: how many files.

    Raises:
        HTTPException: 403 for a form that no page of ours made for this session.
    """
    if await run_in_threadpool(STAFF.current, request) is None:
        raise HTTPException(403)  # before a file is read
    form = await forms.read(request, fields=fields, files=files)
    session = await run_in_threadpool(STAFF.acting, request, form.text(FIELD))
    staff = await run_in_threadpool(_staff, request, session)
    if staff is None:
        return RedirectResponse(SIGN_IN, 303)
    allowed = _allowed(Visit(request, staff, session), roles)
    return (allowed, form) if isinstance(allowed, Visit) else allowed


def _allowed(visit: Visit, roles: tuple[StaffRole, ...]) -> Visit | Response:
    return visit if visit.staff.role in roles else visit.page("staff_denied.html", _FORBIDDEN)


def _visit(request: Request) -> Visit | None:
    session = STAFF.current(request)
    staff = _staff(request, session) if session else None
    return Visit(request, staff, session) if session and staff else None


def _staff(request: Request, session: SignIn) -> Staff | None:
    try:
        staff = desk(request).register.staff.staff(session.subject)
    except RegisterError:
        return None
    return None if staff.removed else staff
