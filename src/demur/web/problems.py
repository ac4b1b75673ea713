"""What the API says when something does not work: problem details (RFC 9457), in one sentence.

Invariants: every answer of the API that is no success is one of :data:`PROBLEMS`; a problem repeats nothing that the
caller sent but the place where it is wrong and, where a sentence of the register does so, an account or reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import Response

from demur.errors import DemurError, IdentityError
from demur.web.intake import IntakeFullError

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:demur:problem:"
"""Begins the `type` of every problem; the rest is a name of :data:`PROBLEMS`."""

PROBLEMS: Final[Mapping[str, tuple[int, str]]] = {
    "unauthorized": (401, "No valid API key"),
    "forbidden": (403, "Not what this key is for"),
    "not-found": (404, "Not found"),
    "not-allowed": (405, "Method not allowed"),
    "conflict": (409, "Not possible as it stands"),
    "too-large": (413, "Too much at once"),
    "media-type": (415, "Not a content type that is read here"),
    "malformed": (422, "Malformed request"),
    "key-reused": (422, "Idempotency key used before"),
    "too-many": (429, "Too many requests"),
    "unavailable": (503, "Can't be recorded at the moment"),
    "fault": (500, "Our own fault"),
}
"""Name -> status and title."""

_PLAIN: Final = {
    "not-found": "There is nothing at this path: see /api/docs for what there is.",
    "too-large": "The body is longer than is read here: send less at once.",
    "too-many": "Too many requests: try again later.",
    "unavailable": "This takes longer than usual: try again later.",
    "fault": "Something went wrong here: whether it was recorded is unknown; send it again with its Idempotency-Key.",
}
_MOST_ERRORS: Final = 20
_LATER_S: Final = 30
"""When to try again what another process holds up, in seconds."""


class KeyReusedError(DemurError):
    """An Idempotency-Key came before, with another request."""


class Problem(Exception):  # noqa: N818  # RFC 9457's word
    """An answer that is no success."""

    def __init__(self, name: str, detail: str, *, errors: Sequence[Mapping[str, str]] = (), **headers: str) -> None:
        super().__init__(detail)
        self.name = name
        self.status, self.title = PROBLEMS[name]
        self.detail = detail
        self.errors = errors
        self.headers = {key.replace("_", "-"): value for key, value in headers.items()}

    def body(self) -> dict[str, Any]:
        """The members of RFC 9457, section 3.1, and `errors` as in its section 3."""
        told = {"type": TYPE + self.name, "title": self.title, "status": self.status, "detail": self.detail}
        return told | ({"errors": list(self.errors)} if self.errors else {})

    def response(self) -> Response:
        """As an answer."""
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(self.body()), self.status, headers, MEDIA_TYPE)


def for_clients_of_models(status: int, sentence: str, *, param: str | None = None) -> dict[str, Any]:
    """What went wrong in the shape that clients of OpenAI's API read.

    Args:
        status: of the answer.
        sentence: for whoever asked.
        param: the field that is wrong.
    """
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")  # noqa: PLR2004  # HTTP's
    return {"error": {"message": sentence, "type": kind, "param": param, "code": None}}


def problem_of(error: Exception) -> Problem | None:
    """What an exception is to a caller; None for one that is a fault of ours."""
    found: Problem | None = None
    match error:
        case Problem():
            found = error
        case ValidationError():
            found = malformed(error.errors(include_url=False, include_input=False, include_context=False))
        case RequestValidationError():
            found = malformed(error.errors(), skip=1)
        case HTTPException(status_code=413):
            found = Problem("too-large", _PLAIN["too-large"])
        case DemurError():
            found = _ours(error)
    return found


def _ours(error: DemurError) -> Problem:
    """The problem of what demur raises on purpose."""
    if isinstance(error, KeyReusedError):
        return Problem("key-reused", str(error))
    if isinstance(error, IdentityError):
        return Problem("malformed", str(error))
    again = error.retry_after if isinstance(error, IntakeFullError) else _LATER_S
    return Problem("unavailable", str(error), Retry_After=str(again))


def by_status(status: int, headers: Mapping[str, str]) -> Problem:
    """The problem of a request that reached no route: refused at the gate, unknown, or a fault of ours."""
    name = next((name for name, (known, _) in PROBLEMS.items() if known == status), "fault")
    problem = Problem(name, _PLAIN.get(name, "The request can't be read: see /api/docs."))
    problem.headers = dict(headers)
    return problem


def malformed(found: Sequence[ErrorDetails | Mapping[str, Any]], skip: int = 0) -> Problem:
    """The problem of a body or a parameter that does not fit; ``skip`` parts of each place are FastAPI's own."""
    errors = [
        {"pointer": _pointer(each["loc"][skip:]), "detail": str(each["msg"]).removeprefix("Value error, ")}
        for each in found[:_MOST_ERRORS]
    ]
    first = errors[0]
    where = f" at {first['pointer']}" if first["pointer"] else ""
    return Problem("malformed", f"The request can't be read{where}: {first['detail'].rstrip('.')}.", errors=errors)


def _pointer(place: Sequence[int | str]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
