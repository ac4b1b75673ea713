"""What engineers and auditors look at: where the workspace stands, and who the staff are."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from demur.register import StaffRole
from demur.status import status as status_of
from demur.web.pages import desk
from demur.web.staff.frame import admitted

router: Final = APIRouter(include_in_schema=False)


@router.get("/staff/status")
async def status(request: Request) -> Response:
    """Where the workspace stands."""
    visit = await admitted(request, StaffRole.ENGINEER, StaffRole.AUDITOR)
    if isinstance(visit, Response):
        return visit
    at = desk(request)
    found = await run_in_threadpool(status_of, at.workspace)
    waiting = await run_in_threadpool(at.register.letters.waiting)
    return visit.page("staff_status.html", found=found, waiting=waiting)


@router.get("/staff/people")
async def people(request: Request) -> Response:
    """Everybody who was ever invited."""
    visit = await admitted(request, StaffRole.AUDITOR)
    if isinstance(visit, Response):
        return visit
    everybody = await run_in_threadpool(desk(request).register.staff.list)
    return visit.page("staff_people.html", everybody=everybody)
