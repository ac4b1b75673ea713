"""The application: the gate, the routers, and the desk that they share.

Invariants: every route of the web is in one of the routers listed here; what changes something is a POST.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route, compile_path

from demur.web import failures
from demur.web.desk import Desk
from demur.web.limits import Limits
from demur.web.pages import PREFIX
from demur.web.portal.forms import with_file
from demur.web.security import Gate
from demur.workspace import Workspace

PORTAL: Final = (
    "demur.web.portal.start",
    "demur.web.portal.information",
    "demur.web.portal.signed",
    "demur.web.portal.signed_in",
    "demur.web.portal.typed",
    "demur.web.portal.person",
    "demur.web.portal.receipt",
    "demur.web.portal.attach",
    "demur.web.portal.confirm",
    "demur.web.portal.state",
    "demur.web.portal.mine_rights",
    "demur.web.portal.mine",
)
"""Modules whose `router` has the public pages: each stands under /LANG/."""

PLAIN: Final[tuple[str, ...]] = (
    "demur.web.portal.plain",
    "demur.web.portal.outbox",
    "demur.web.api.root",
    "demur.web.staff.door",
    "demur.web.staff.queue",
    "demur.web.staff.letters",
    "demur.web.staff.coverage",
    "demur.web.staff.overview",
)
"""Modules whose `router` says whole paths: /, the outbox, the staff's pages, the API."""


def create_app(workspace: Workspace, *, limits: Limits | None = None) -> FastAPI:
    """The application of one workspace.

    Args:
        workspace: where.
        limits: how often somebody may ask; the usual ones if not given.

    Raises:
        DemurError: when the workspace can't be opened.
    """
    desk = Desk(workspace, limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="demur", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.desk = desk
    routers = [(_router(name), PREFIX) for name in PORTAL] + [(_router(name), "") for name in PLAIN]
    uploads = [_pattern(route, prefix) for router, prefix in routers for route in router.routes if _takes_file(route)]
    app.add_middleware(Gate, desk=desk, uploads=uploads)
    failures.install(app)
    for router, prefix in routers:
        app.include_router(router, prefix=prefix, include_in_schema=not prefix)
    return app


def _takes_file(route: BaseRoute) -> bool:
    return isinstance(route, Route) and with_file(route.endpoint)


def _pattern(route: BaseRoute, prefix: str) -> re.Pattern[str]:
    """What the path of a route looks like."""
    assert isinstance(route, Route)
    return compile_path(prefix + route.path)[0]


def _router(name: str) -> APIRouter:
    router = import_module(name).router
    assert isinstance(router, APIRouter)
    return router
