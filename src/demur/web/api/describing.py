"""What a route says of itself in the OpenAPI document: its body, its answers, its problems.

Invariants: every problem that a route can answer is declared; the problems that any route can answer are added here.
"""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from pydantic import BaseModel

from demur.web.api.answers import Details
from demur.web.api.models import example
from demur.web.problems import MEDIA_TYPE, PROBLEMS, TYPE

_ALWAYS: Final = ("unauthorized", "forbidden", "malformed", "too-many", "unavailable")
_WITH_BODY: Final = ("too-large", "media-type")
_SENTENCES: Final[Mapping[str, str]] = {
    "unauthorized": "This API key is unknown or was revoked: ask whoever runs demur for a new one.",
    "forbidden": "This API key is for something else: make one with `demur key create NAME --scope load`.",
    "not-found": "No objection has the reference 7KQ2-9XJM-4TPA-C0WD: compare it with the receipt.",
    "conflict": "The objection 7KQ2-9XJM-4TPA-C0WD is withdrawn and can't become confirmed: lodge a new one if needed.",
    "too-large": "The body is longer than 256 KB: send less at once.",
    "media-type": "This takes JSON: send it with `Content-Type: application/json`.",
    "malformed": "The request can't be read at /accounts: Field required.",
    "key-reused": "This Idempotency-Key came before with another request: make a new one for each.",
    "too-many": "Too many requests: try again in 1 s.",
    "unavailable": "Too many requests wait, nothing was recorded: try again in a moment.",
}
_RETRY: Final = {"Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}}
_HEADERS: Final[Mapping[int, Mapping[str, object]]] = {
    401: {"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}},
    429: _RETRY,
    503: _RETRY,
}


class Description(TypedDict, total=False):
    """Arguments of FastAPI's route decorators."""

    status_code: int
    responses: dict[int | str, dict[str, Any]]
    openapi_extra: dict[str, Any]


def describe(  # what there is to say of a route
    told: type[BaseModel] | None,
    answer: str,
    *problems: str,
    said: type[BaseModel] | None = None,
    status: int = 200,
    once: bool = False,
    content: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Description:
    """The description of a route.

    Args:
        told: the model of its answer, if that is JSON.
        answer: what the answer is, in a sentence.
        problems: the names of problems besides those that any route can answer.
        said: the model of its body, if it takes JSON.
        status: of its answer.
        once: whether it reads an Idempotency-Key.
        content: of its answer by media type, if that is no JSON.
        body: further content of its body by media type.
    """
    names = (*_ALWAYS, *problems, *(_WITH_BODY if said or body else ()), *(("key-reused",) if once else ()))
    responses: dict[int | str, dict[str, Any]] = {status: {"description": answer}}
    if told is not None:
        responses[status]["model"] = told
    if content is not None:
        responses[status]["content"] = dict(content)
    for number in sorted({PROBLEMS[name][0] for name in names}):
        responses[number] = _problem(number, [name for name in names if PROBLEMS[name][0] == number])
    extra: dict[str, Any] = {"security": [{"key": []}]}
    if said or body:
        extra["requestBody"] = {"required": True, "content": {**_json(said), **(body or {})}}
    if once:
        extra["parameters"] = [_ONCE]
    return Description(status_code=status, responses=responses, openapi_extra=extra)


def _json(said: type[BaseModel] | None) -> dict[str, Any]:
    if said is None:
        return {}
    schema = {"$ref": f"#/components/schemas/{said.__name__}"}
    return {"application/json": {"schema": schema, "example": example(said)}}


def _problem(status: int, names: list[str]) -> dict[str, Any]:
    """The answers of one status."""
    examples = {
        name: {
            "value": {
                "type": TYPE + name,
                "title": PROBLEMS[name][1],
                "status": status,
                "detail": _SENTENCES[name],
            }
        }
        for name in names
    }
    schema = {"$ref": f"#/components/schemas/{Details.__name__}"}
    told = {
        "description": " or ".join(dict.fromkeys(PROBLEMS[name][1] for name in names)),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
    return told | ({"headers": dict(_HEADERS[status])} if status in _HEADERS else {})


_ONCE: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text that is new for each request, for instance a UUID. Sent again with the same body, it "
    "gets the answer of the first time, and nothing is recorded twice. Between double quotes it is the same key.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21\\x23-\\x7e]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
}
