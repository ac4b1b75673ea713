"""The head of the register over the API, for whoever holds an export of a version and trains on it elsewhere.

Invariants: the answer names rows of the caller's own version by their item keys, and nobody else; it is signed, and
worked out beside the server's other work.
"""

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.responses import Response

from demur.errors import RegisterError, UsageError
from demur.loading.answering import Question
from demur.loading.watching import Seen
from demur.web.api.answers import SignedHead
from demur.web.api.describing import describe
from demur.web.api.models import HeadAsked
from demur.web.api.routing import LoadRoute, routes, said
from demur.web.desk import Desk
from demur.web.heavy import heavy
from demur.web.pages import desk
from demur.web.problems import Problem

router = routes("Loading", LoadRoute)


@router.post(
    "/head",
    summary="Ask which rows of an export may not be used any more",
    **describe(
        SignedHead,
        "The register's head, signed, and the item keys of the version's rows that are stale by it.",
        "not-found",
        "conflict",
        said=HeadAsked,
    ),
)
async def head(request: Request) -> Response:
    """Takes a key of the scope `load`; `demur.load` asks this. A version that was retired is not found.

    Rows of people who objected are among the stale ones, and so are rows of others that would be rewritten by now.
    Where your manifest is another one, or your head is not one of this register, it is a conflict: stop.
    """
    asked, _ = await said(request, HeadAsked)
    at = desk(request)
    answer = await run_sync(_answered, at, asked, limiter=heavy)
    return Response(answer, media_type="application/json", headers={"Cache-Control": "no-store"})


def _answered(at: Desk, asked: HeadAsked) -> bytes:
    after = None if asked.after is None else Seen(**asked.after.model_dump())
    try:
        return at.heads.answer(Question(asked.version, asked.manifest, asked.nonce, after, asked.known), at.now())
    except UsageError as error:
        raise Problem("not-found", str(error)) from None
    except RegisterError as error:
        raise Problem("conflict", str(error)) from None
