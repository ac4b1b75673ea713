"""What a visitor reads when something did not work: one sentence, and what to do.

Invariants: no traceback, no name of a file, nothing of what was sent; the API's errors are JSON, everybody else's a
page in their language.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from demur.errors import CorpusError, DemurError, IdentityError, RegisterError, UnavailableError, WorkspaceError
from demur.notices.languages import N_
from demur.web.intake import IntakeFullError
from demur.web.pages import page
from demur.web.problems import by_status

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
    429: (N_("Too many requests"), N_("Nothing was lost. Try again in %(seconds)s seconds.")),
    500: (N_("Something went wrong on our side"), N_("Try again in a few minutes, or write to us.")),
    503: (N_("This takes longer than usual"), N_("Try again in a few minutes, or write to us.")),
}
_RETRY_S: Final = 120
"""When to try again what had to wait for another process, in seconds."""


def failure(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that failed."""
    known = status if status in _SENTENCES else 400 if status < 500 else 500  # noqa: PLR2004  # HTTP's classes
    headers = dict(headers or {})
    title, advice = _SENTENCES[known]
    if request.url.path.startswith("/api/"):
        return by_status(status, headers).response()
    seconds = headers.get("retry-after", "")
    values = {"title": title, "advice": advice, "seconds": seconds, "switch": "/"}
    return page(request, "failure.html", status, headers=headers, **values)


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
        return failure(request, 404)
    raise error
