"""The application: the gate, the routers, and the desk that they share.

Invariants: every route of the web is in one of the routers listed here; what changes something is a POST.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route, compile_path

from demur.web import failures
from demur.web.api import root
from demur.web.desk import Desk
from demur.web.forms import room_for_files, with_file
from demur.web.gate import Gate, Upload
from demur.web.pages import PREFIX
from demur.web.portal import attach, confirm, information, mine, outbox, proven, receipt, said
from demur.web.server.limits import Limits
from demur.web.staff import letters, overview, queue, sign_in, waiting
from demur.workspace import Workspace

PORTAL: Final = tuple(module.router for module in (information, proven, said, receipt, attach, confirm, mine))
"""The public pages: each stands under /LANG/."""

PLAIN: Final = (
    information.unprefixed,
    outbox.router,
    root.router,
    *(module.router for module in (sign_in, waiting, queue, letters, overview)),
)
"""Whole paths: /, the outbox, the API, the staff's pages."""


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
    routers = [(each, PREFIX) for each in PORTAL] + [(each, "") for each in PLAIN]
    uploads = [_upload(route, prefix) for router, prefix in routers for route in router.routes if _takes_file(route)]
    app.add_middleware(Gate, desk=desk, uploads=uploads)
    failures.install(app)
    for router, prefix in routers:
        app.include_router(router, prefix=prefix, include_in_schema=not prefix)
    return app


def _takes_file(route: BaseRoute) -> bool:
    return isinstance(route, Route) and with_file(route.endpoint)


def _upload(route: BaseRoute, prefix: str) -> Upload:
    """What the path of a route looks like, and what it has room for."""
    assert isinstance(route, Route)
    return Upload(compile_path(prefix + route.path)[0], room_for_files(route.endpoint))
