"""Everything under /api: the routes for callers with a key, their description, and what is not there.

Invariants: what is said of the API (the document, its page) needs no key; every other path under /api answers with a
problem.
"""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from demur.web.api import notices, objections, rights, status
from demur.web.api.openapi import served
from demur.web.api.problems import Problem, by_status
from demur.web.api.reference import reference
from demur.web.pages import page

ROUTES: Final[tuple[BaseRoute, ...]] = tuple(
    route for module in (objections, notices, rights, status) for route in module.router.routes
)
"""The routes for callers with a key."""

router = APIRouter()
router.routes.extend(ROUTES)


@router.get("/api/openapi.json", include_in_schema=False)
async def openapi() -> Response:
    """The description for programs."""
    return Response(served(), media_type="application/json")


@router.get("/api/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The description for people."""
    return page(request, "api.html", reference=reference())


async def elsewhere(request: Request) -> Response:
    """What is not there, or not by this method (RFC 9110, section 15.5.6)."""
    matching = [route for route in router.routes if route is not _ELSEWHERE]
    allowed = {
        method
        for route in matching
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    if allowed:
        methods = ", ".join(sorted(allowed))
        return Problem("not-allowed", f"This takes {methods}: see /api/docs.", Allow=methods).response()
    return by_status(404, {}).response()


_ELSEWHERE: Final = Route(
    "/api/{rest:path}",
    elsewhere,
    methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"],
    include_in_schema=False,
)
router.routes.append(_ELSEWHERE)
