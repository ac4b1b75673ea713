"""The routes of the API: who calls, how often, what they send, and what they are told when it does not work.

Invariants: a route runs only for a caller with a key; every exception that is not a fault of ours becomes a problem
(RFC 9457); a body is read only up to its limit and only as JSON, straight into its model, so that no hostile JSON
(depth, size of numbers, half surrogates) reaches a route.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from demur.notices.languages import matching
from demur.notices.words import languages_of
from demur.policy import Policy
from demur.register import ApiKey, KeyScope
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.web.problems import Problem, problem_of
from demur.web.server.headers import address

KB: Final = 1024
BODY: Final = 256 * KB
"""The longest body that is read, in bytes, where a route does not say otherwise."""

_FRESH_S: Final = 1.0
"""Seconds for which a key that held is taken to hold: a revoked one works no longer than that."""
_MOST_KEYS: Final = 1000

T = TypeVar("T", bound=BaseModel)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """A route for callers with a key of the platform's."""

    scope: ClassVar[KeyScope] = KeyScope.PLATFORM
    """What a key has to be for."""

    def get_route_handler(self) -> Handler:
        """The route, behind the check of the key and in front of the problems."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                request.state.caller = await caller(request, self.scope)
                return await inner(request)
            except Exception as error:
                problem = problem_of(error)
                if problem is None:
                    raise
                return problem.response()

        return handle


class LoadRoute(ApiRoute):
    """A route for whoever holds an export."""

    scope = KeyScope.LOAD


def routes(tag: str, kind: type[ApiRoute] = ApiRoute) -> APIRouter:
    """A router for routes under /api with one tag."""
    return APIRouter(prefix="/api", route_class=kind, tags=[tag], generate_unique_id_function=lambda each: each.name)


class Callers:
    """Who called lately: spares the register a question for each request."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, ApiKey]] = {}

    async def key(self, at: Desk, secret: str, address: str) -> ApiKey | None:
        """What a key is; None if it does not hold.

        Raises:
            Problem: when an address tries too many.
        """
        digest, now = hashlib.sha256(secret.encode(errors="replace")).digest(), time.monotonic()
        until, known = self._known.get(digest, (0.0, None))
        if until > now:
            return known
        if wait := at.limits.wait("page", address):
            raise _too_many(wait)
        found = await asyncio.to_thread(at.register.api_keys.check, secret)
        if len(self._known) >= _MOST_KEYS or found is None:
            self._known.pop(digest, None)
        if found is not None and len(self._known) < _MOST_KEYS:
            self._known[digest] = (now + _FRESH_S, found)
        return found


async def caller(request: Request, scope: KeyScope) -> str:
    """The name of the key that a request carries (RFC 6750, section 2.1).

    Raises:
        Problem: without a key, with one that does not hold or is for something else, or when it calls too often.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Problem(
            "unauthorized",
            "This needs an API key: send it as `Authorization: Bearer KEY`; `demur key create NAME` makes one.",
            WWW_Authenticate='Bearer realm="demur"',
        )
    at = desk(request)
    callers: Callers | None = getattr(request.app.state, "callers", None)
    if callers is None:
        callers = request.app.state.callers = Callers()
    key = await callers.key(at, secret.strip(), address(request))
    if key is None:
        raise Problem(
            "unauthorized",
            "This API key is unknown, was revoked or has expired: ask whoever runs demur for a new one.",
            WWW_Authenticate='Bearer realm="demur", error="invalid_token"',
        )
    if wait := at.limits.wait("key", key.name):
        raise _too_many(wait)
    if key.scope is not scope:
        raise Problem(
            "forbidden",
            f"This API key is for something else (its scope is `{key.scope}`): "
            f"make one with `demur key create NAME --scope {scope}`.",
        )
    return key.name


def _too_many(wait: int) -> Problem:
    return Problem("too-many", f"Too many requests: try again in {wait} s.", Retry_After=str(wait))


def _too_large(most: int) -> Problem:
    return Problem("too-large", f"The body is longer than {most // KB} KB: send less at once.")


async def body_of(request: Request, most: int = BODY) -> bytes:
    """The body.

    Raises:
        Problem: when it is longer than ``most`` bytes.
    """
    if int(request.headers.get("content-length", "0")) > most:
        raise _too_large(most)  # unread; the gate has seen that it is a number
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > most:
            raise _too_large(most)
    return b"".join(parts)


async def said(request: Request, model: type[T], most: int = BODY) -> tuple[T, bytes]:
    """What the body says, and the body.

    Raises:
        Problem: when it is no JSON by its type, or too long.
        ValidationError: when it does not fit.
    """
    kind = media_type(request)
    if kind != "application/json":
        raise Problem("media-type", "This takes JSON: send it with `Content-Type: application/json`.")
    body = await body_of(request, most)
    return model.model_validate_json(body), body


def media_type(request: Request) -> str:
    """The media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def told(model: BaseModel, status: int = 200, **headers: str) -> Response:
    """An answer."""
    headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return Response(model.model_dump_json(), status, headers, "application/json")


def language(policy: Policy, wanted: str | None = None) -> str:
    """The language of a link to the portal: the one wanted, else the one of the notices for everybody else."""
    return matching(wanted) or languages_of(policy)[0]
