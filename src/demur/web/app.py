"""The application: the gate, the routers, and the desk that they share.

Invariants: every route of the web is in one of the routers listed here; what changes something is a POST.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route, compile_path

from demur.web import failures, probes
from demur.web.api import root
from demur.web.desk import Desk
from demur.web.forms import room_for_files, turning, with_file
from demur.web.gate import Gate, Upload
from demur.web.pages import PREFIX
from demur.web.portal import (
    attach,
    called,
    claim,
    confirm,
    correct,
    information,
    log,
    mine,
    outbox,
    pasted,
    proven,
    receipt,
    said,
)
from demur.web.server.limits import Limits
from demur.web.staff import claims, doubts, letters, overview, queue, sign_in, uncertain, waiting
from demur.workspace import Workspace

PORTAL: Final = tuple(
    module.router
    for module in (information, pasted, proven, said, receipt, correct, attach, called, claim, confirm, mine, log)
)
"""The public pages: each stands under /LANG/."""

PLAIN: Final = (
    root.router,
    information.unprefixed,
    log.unprefixed,
    outbox.router,
    probes.router,
    *(module.router for module in (sign_in, waiting, queue, doubts, uncertain, claims, letters, overview)),
)
"""Whole paths: the API, /, the outbox, what is asked by who watches, the staff's pages.

No path is in two routers. The API's is asked first, as most objections come by it: each that is asked takes time.
"""

_ROUTERS: Final = (*((each, "") for each in PLAIN), *((each, PREFIX) for each in PORTAL))
"""Each router with what its paths begin with."""


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
    routes = [(route, prefix) for router, prefix in _ROUTERS for route in router.routes if isinstance(route, Route)]
    with_files = [(_pattern(route, prefix), route.endpoint) for route, prefix in routes if with_file(route.endpoint)]
    uploads = [Upload(path, room_for_files(endpoint)) for path, endpoint in with_files]
    turns = [_pattern(route, prefix) for route, prefix in routes if turning(route.endpoint)]
    app.add_middleware(Gate, desk=desk, uploads=uploads, turning=turns)
    failures.install(app)
    app.router.routes.extend(_included())
    return app


@cache
def _included() -> Sequence[BaseRoute]:
    """All routes, whose forms and answers are read from signatures when they are first asked for.

    None of them knows its application: those of a process share them, and what was read.
    """
    whole = APIRouter()
    for router, prefix in _ROUTERS:
        whole.include_router(router, prefix=prefix, include_in_schema=not prefix)
    return tuple(whole.routes)


def _pattern(route: Route, prefix: str) -> re.Pattern[str]:
    """What the path of a route looks like."""
    return compile_path(prefix + route.path)[0]
