"""A member's acts in a session: object, take a copy (Art. 15 GDPR), have everything deleted (Art. 17 GDPR).

Invariants: each is a POST by a form of the session's own pages; none asks for a reason; a copy that has to wait for
another process that writes to the workspace is tried for a while, and then answered by a page that says when to come
back; a deletion is on record before it is tried, so that it is done in any case.
"""

import time
from collections.abc import Callable, Iterator
from typing import IO, Final, TypeVar

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from demur.errors import CorpusError, WorkspaceError
from demur.notices.content import undone_of
from demur.objecting.channels import Route
from demur.objecting.lodging import by_proof
from demur.rights import erasing
from demur.rights.access import Copy, copy_of
from demur.web.pages import address, desk, language, page
from demur.web.portal.mine import account_in, acting, heavy
from demur.web.portal.paths import receipt_at
from demur.web.sessions import MEMBER
from demur.workspace import Workspace

router: Final = APIRouter()

_PATIENCE_S: Final = 20.0
"""How long an act waits for another process that writes, in seconds."""
_PAUSE_S: Final = 0.5
_CHUNK: Final = 64 * 1024

T = TypeVar("T")


@router.post("/mine/object")
async def object_(request: Request) -> Response:
    """Object, as who proved control of the account."""
    session, at = await acting(request), desk(request)
    office = at.office(language(request))
    seq = await at.intake.run(by_proof, session.subject, Route.SIGNED_IN, office, session.account)
    return RedirectResponse(receipt_at(request, seq), 303)


@router.post("/mine/copy")
async def copy(request: Request) -> Response:
    """The copy, one zip file, of which nothing stays here."""
    session, at = await acting(request), desk(request)
    account = await run_sync(account_in, at, session)
    shown = language(request)
    made = await run_sync(lambda: patiently(lambda: copy_of(at.workspace, account, language=shown)), limiter=heavy)
    return handed_over(made)


@router.get("/mine/delete")
async def ask(request: Request) -> Response:
    """The question, asked once."""
    session = await run_sync(MEMBER.current, request)
    if session is None:
        return RedirectResponse(address(language(request), "/mine"), 303)
    return page(request, "mine_delete.html", csrf=session.csrf, undone=undone_of(language(request)))


@router.post("/mine/delete")
async def delete(request: Request) -> Response:
    """Put it on record, delete, and end the session; what can't be finished now, the next maintenance finishes."""
    session, at = await acting(request), desk(request)
    account = await run_sync(account_in, at, session)
    asked = await run_sync(erasing.request, at.workspace, account)
    done = await run_sync(_finished, at.workspace, limiter=heavy)
    response = page(request, "mine_deleted.html", reference=asked.reference, done=done, switch=None)
    await run_sync(MEMBER.end, request, response)
    return response


def handed_over(made: Copy) -> Response:
    """The answer that holds a copy, whose file is gone before the first byte leaves."""
    file = made.path.open("rb")
    made.discard()
    headers = {"content-disposition": 'attachment; filename="copy.zip"', "content-length": str(made.size)}
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers)


def _finished(workspace: Workspace) -> bool:
    """Finish what is on record; False where another process writes all the time."""
    try:
        patiently(lambda: erasing.finish(workspace))
    except (WorkspaceError, CorpusError):
        return False
    return True


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def patiently(act: Callable[[], T], patience: float | None = None) -> T:
    """Do it, as soon as no other process writes to the workspace.

    Raises:
        WorkspaceError: when one still does after ``patience`` seconds.
        CorpusError: when it changed the corpus in each attempt.
    """
    until = time.monotonic() + (_PATIENCE_S if patience is None else patience)
    while True:
        try:
            return act()
        except (WorkspaceError, CorpusError):
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE_S)
