"""Everything under /api: the routes for callers with a key, their description, and what is not there.

Invariants: what is said of the API (the document, its page) needs no key; every other path under /api answers with a
problem; monitoring reads that the register stands only where it can be read.
"""

import asyncio
import functools
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from demur.register import Register
from demur.web.api import claims, heads, notices, objections, rights
from demur.web.api.answers import Status
from demur.web.api.describing import describe
from demur.web.api.openapi import document, written
from demur.web.api.reference import Reference, reference_of
from demur.web.api.routing import routes, told
from demur.web.pages import desk, page
from demur.web.problems import Problem, by_status

_monitoring: Final = routes("Status")


@_monitoring.get("/status", summary="See where the register stands", **describe(Status, "Where it stands."))
async def status(request: Request) -> Response:
    """Answers only if the register can be read."""
    return told(await asyncio.to_thread(_read, desk(request).register))


def _read(register: Register) -> Status:
    head = register.log.head()
    return Status(
        version=version("demur"), entries=head.seq, binding=head.binding, in_force=register.objections.in_force()
    )


ROUTES: Final[tuple[BaseRoute, ...]] = tuple(
    route
    for each in (objections.router, notices.router, rights.router, claims.router, heads.router, _monitoring)
    for route in each.routes
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
    return page(request, "api.html", reference=_reference())


@functools.cache
def served() -> bytes:
    """The OpenAPI document as it is served."""
    return written(document(ROUTES))


@functools.cache
def _reference() -> Reference:
    return reference_of(served())


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
