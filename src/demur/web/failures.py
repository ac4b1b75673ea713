"""What a visitor reads when something did not work: one sentence, and what to do.

Invariants: no traceback, no name of a file; the API's errors are JSON, everybody else's a page in their language. What
was typed comes back, to whoever sent it alone, where sending it again is what helps. A link that does not hold leads
to a page that says how to go on without it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from babel.dates import format_timedelta
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demur.errors import CorpusError, DemurError, IdentityError, RegisterError, UnavailableError, WorkspaceError
from demur.notices.languages import N_, locale
from demur.web.intake import IntakeFullError
from demur.web.pages import language, page
from demur.web.problems import by_status, for_clients_of_models

MODELS: Final = "/v1/"
"""Where the paths of models begin."""
PROBES: Final = ("/healthz", "/readyz", "/metrics")
"""What those ask for who watch over the server."""
PROGRAMS: Final = ("/api/", MODELS, *PROBES)
"""Where the paths begin that programs ask for, and not people."""
_ASTRAY: Final = N_("Check that the address is complete, or start from the first page.")
_SENTENCES: Final[Mapping[int, tuple[str, str]]] = {
    400: (N_("We could not read that"), N_("Go back and try again.")),
    403: (
        N_("That came from another website"),
        _ASTRAY,
    ),
    404: (N_("Page not found"), _ASTRAY),
    405: (N_("Page not found"), _ASTRAY),
    413: (N_("That is too large"), N_("Go back and send less, or a smaller file.")),
    429: (N_("Too many requests"), N_("Nothing was lost. You can try again %(when)s.")),
    500: (N_("Something went wrong on our side"), N_("Try again in a few minutes, or write to us.")),
    503: (N_("This takes longer than usual"), N_("Try again in a few minutes, or write to us.")),
}
_AGAIN: Final = frozenset({429, 503})
"""Where sending the same again later helps."""
_TYPED: Final = "demur.typed"
"""Under which a request's scope has what was typed."""
_TURNS: Final = "demur.turns"
"""Under which it says whether the form may come back in another language."""
_LINK: Final = re.compile(r"/[a-z]{2}/(o|receipt|confirm)/")
"""Pages that a link of an email or of a receipt opens."""
_RETRY_S: Final = 120
"""When to try again what had to wait for another process, in seconds."""


def failure(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed."""
    known = status if status in _SENTENCES else 400 if status < 500 else 500  # noqa: PLR2004  # HTTP's classes
    headers = dict(headers or {})
    title, advice = _SENTENCES[known]
    if request.url.path.startswith(MODELS):
        told = by_status(status, headers)
        sentence = told.detail if status < 500 else "Something went wrong here: ask again."  # noqa: PLR2004  # HTTP's
        return JSONResponse(for_clients_of_models(status, sentence), status, told.headers)
    if request.url.path.startswith(PROGRAMS):
        return by_status(status, headers).response()
    values: dict[str, Any] = {"title": title, "advice": advice, "when": _when(request, headers)}
    return page(request, "failure.html", status, headers=headers, **values, **_again(request, known))


def _when(request: Request, headers: Mapping[str, str]) -> str:
    """When to come back, as the language of the page says it: "in 30 seconds"."""
    wait = timedelta(seconds=int(headers.get("retry-after", "0")))
    return format_timedelta(wait, threshold=2, add_direction=True, locale=locale(language(request)))


def _again(request: Request, status: int) -> dict[str, Any]:
    """What was typed, where sending it again helps, and where it is sent in which language."""
    found: dict[str, Any] = {"typed": None, "action": "", "switch": "/"}
    if status in _AGAIN and request.method == "POST" and _TYPED in request.scope:
        path = f"/{request.url.path.lstrip('/')}"  # two slashes would lead to another site
        found |= {"typed": request.scope[_TYPED], "action": path}
        if request.scope.get(_TURNS):
            found["kept"] = "/" + path.split("/", 2)[2]
    return found


def keep(request: Request, typed: Sequence[tuple[str, str]]) -> None:
    """Have what was typed come back, should its request fail."""
    request.scope[_TYPED] = typed


def may_turn(request: Request) -> None:
    """Say that the form of a request may come back in another language."""
    request.scope[_TURNS] = True


def broken(request: Request, status: int = 404, stands: str = "") -> Response:
    """The page for a link that does not hold: how to go on without it, or (``stands``) that there is no need to."""
    kind = _LINK.match(request.url.path)
    named = kind is not None and kind[1] != "o"
    values: dict[str, Any] = {"stands": stands, "named": named, "lasting": kind is not None, "link": ""}
    return page(request, "object_broken.html", status, **values, switch="/object/link")


def install(app: FastAPI) -> None:
    """Answer what routes raise."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DemurError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return failure(request, error.status_code, error.headers)


def _malformed(request: Request, error: Exception) -> Response:  # noqa: ARG001  # what was sent is not repeated
    """A path or a query that a route can't read."""
    return failure(request, 404 if request.method == "GET" else 400)


def _ours(request: Request, error: Exception) -> Response:
    """What demur raises on purpose: an unknown link is no page; what is in use now is something to come back to."""
    if isinstance(error, IntakeFullError):
        return failure(request, 503, {"retry-after": str(error.retry_after)})
    if isinstance(error, UnavailableError | WorkspaceError | CorpusError):
        return failure(request, 503, {"retry-after": str(_RETRY_S)})
    if isinstance(error, IdentityError | RegisterError):
        return broken(request) if _LINK.match(request.url.path) else failure(request, 404)
    raise error
