"""A person's copy and a person's deletion over the API (Arts 15 and 17 GDPR).

Invariants: the caller vouches that the account is the person's; a reference leads to the words of somebody without an
account and to no account that they named; neither asks for a reason; each is an entry in the register; of an account of
which nothing is held there is no copy; both run beside the server's other work, two at a time; a copy leaves no file
behind.
"""

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.responses import Response

from demur.errors import RegisterError, UsageError, WorkspaceError
from demur.objecting.channels import account_by_reference
from demur.rights import erasing
from demur.rights.access import UnknownPersonError, copy_of
from demur.web.api.answers import Erasure
from demur.web.api.describing import describe
from demur.web.api.models import Who
from demur.web.api.routing import routes, said, told
from demur.web.desk import Desk
from demur.web.heavy import handed_over, heavy
from demur.web.pages import desk
from demur.web.problems import Problem
from demur.workspace import Workspace

router = routes("Rights")

_ZIP = "application/zip"


@router.post(
    "/access",
    summary="Get a person's copy",
    **describe(
        None,
        "A zip with copy.json and copy.html: what is held of and about the person, and the history of their objection. "
        "The page is in the language on file for them.",
        "not-found",
        "conflict",
        said=Who,
        content={_ZIP: {"schema": {"type": "string", "format": "binary"}}},
    ),
)
async def access(request: Request) -> Response:
    """For their eyes only: make sure that it is theirs before you ask (Art. 12(6) GDPR).

    Where nothing is held of an account there is no copy, and it is not found: say so to whoever asks (Art. 15(1) GDPR).
    """
    who, _ = await said(request, Who)
    at = desk(request)
    account = await run_sync(_account, at, who)
    try:
        copy = await run_sync(lambda: copy_of(at.workspace, account, known=True), limiter=heavy)
    except UnknownPersonError as error:
        raise Problem("not-found", str(error)) from None
    return handed_over(copy)


@router.post(
    "/erasures",
    summary="Delete what is held of a person",
    **describe(
        Erasure,
        "It is deleted; or, where `finished` is false, recorded, binding, and done next.",
        "not-found",
        "conflict",
        said=Who,
    ),
)
async def erase(request: Request) -> Response:
    """Granted without grounds (Art. 17 GDPR). An objection stays, so that nothing comes in again. Safe to repeat.

    By reference, a second time is a conflict: what was said is gone.
    """
    who, _ = await said(request, Who)
    at = desk(request)
    return told(await run_sync(_erase, at.workspace, await run_sync(_account, at, who), limiter=heavy))


def _account(at: Desk, who: Who) -> str:
    if who.reference is None:
        return str(who.account)
    try:
        return account_by_reference(at.register, who.reference)
    except UsageError as error:
        raise Problem("conflict", str(error)) from None
    except RegisterError as error:
        at.register.log.head()  # a register that can't be read says so itself
        raise Problem("not-found", str(error)) from None


def _erase(workspace: Workspace, account: str) -> Erasure:
    try:
        done = erasing.erase(workspace, account)
    except WorkspaceError:  # another process writes: it is on record, and maintenance finishes it
        return Erasure(reference=erasing.request(workspace, account).reference, finished=False)
    return Erasure(
        reference=done.reference,
        finished=True,
        accounts=done.accounts,
        own=done.own,
        about=done.about,
        retired=list(done.retired),
        recalls=[each.path for each in (*done.recalls, *done.unchecked)],
    )
