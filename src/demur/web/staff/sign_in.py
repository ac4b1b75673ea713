"""How staff sign in: taking an invitation up, signing in, and signing out.

Invariants: these two pages alone may run a script, ours, as browsers open the passkey dialogue for nobody else; opening
them changes nothing; a session begins with a fresh secret; whoever is refused is not told why.
"""

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.errors import IdentityError, RegisterError, UsageError
from demur.register import Staff, StaffRole
from demur.web import forms
from demur.web.pages import desk, page
from demur.web.server.headers import CSP
from demur.web.staff.frame import SIGN_IN, STAFF, Visit, acting, admitted, first_page
from demur.web.staff.passkeys import Ceremony, Site

router: Final = APIRouter(include_in_schema=False)

_SCRIPTED: Final = {"content-security-policy": f"{CSP}; script-src 'self'"}
_WRONG: Final = 403
_YEAR: Final = "public, max-age=31536000, immutable"
_REFUSED: Final = "That passkey did not work. Try again; if it stays so, ask for a new invitation."


@router.get("/staff")
async def without_slash() -> Response:
    """The page to sign in, as people type its address."""
    return RedirectResponse(SIGN_IN, 308)


@router.get(SIGN_IN)
async def ask(request: Request) -> Response:
    """The button to sign in; whoever is signed in goes on."""
    visit = await admitted(request, *StaffRole)
    if isinstance(visit, Visit):
        return RedirectResponse(first_page(visit.staff), 303)
    return _ask(request)


@router.post(SIGN_IN)
async def enter(request: Request) -> Response:
    """Sign in."""
    answer = (await forms.read(request)).text("answer")
    try:
        staff = await run_in_threadpool(_ceremony(request).enter, answer)
    except (IdentityError, UsageError):
        return _ask(request, _WRONG, errors={"answer-button": _REFUSED})
    return await run_in_threadpool(_welcome, request, staff)


@router.get("/staff/join/{invitation}")
async def invited(request: Request, invitation: str) -> Response:
    """The button to make a passkey."""
    return _join(request, await _invited(request, invitation), invitation)


@router.post("/staff/join/{invitation}")
async def join(request: Request, invitation: str) -> Response:
    """Take the invitation up."""
    staff = await _invited(request, invitation)
    answer = (await forms.read(request)).text("answer")
    try:
        joined = await run_in_threadpool(_ceremony(request).join, staff, invitation, answer)
    except (IdentityError, RegisterError, UsageError):
        return _join(request, staff, invitation, _WRONG, errors={"answer-button": _REFUSED})
    return await run_in_threadpool(_welcome, request, joined)


@router.post("/staff/out")
async def out(request: Request) -> Response:
    """Sign out."""
    await acting(request, *StaffRole)
    answer = RedirectResponse(SIGN_IN, 303)
    await run_in_threadpool(STAFF.end, request, answer)
    return answer


@router.get("/static/passkey.js")
async def script() -> Response:
    """The one script."""
    return Response(_script()[0], media_type="text/javascript", headers={"cache-control": _YEAR})


def _welcome(request: Request, staff: Staff) -> Response:
    answer = RedirectResponse(first_page(staff), 303)
    STAFF.begin(request, answer, staff.id)
    return answer


async def _invited(request: Request, invitation: str) -> Staff:
    """Whom an invitation is for.

    Raises:
        HTTPException: 404 for one that was used, has expired or is none.
    """
    at = desk(request)
    staff = await run_in_threadpool(lambda: at.register.staff.joining(invitation, now=at.now()))
    if staff is None:
        raise HTTPException(404)
    return staff


def _ceremony(request: Request) -> Ceremony:
    at = desk(request)
    policy = at.policy()
    return Ceremony(Site.of(policy.portal.url, policy.controller.name), at.tokens, at.register, at.now())


def _ask(request: Request, status: int = 200, *, errors: Mapping[str, str] | None = None) -> Response:
    return _scripted(request, "staff_sign_in.html", status, Ceremony.entering, errors=errors or {})


def _join(
    request: Request, staff: Staff, invitation: str, status: int = 200, *, errors: Mapping[str, str] | None = None
) -> Response:
    def options(ceremony: Ceremony) -> str:
        return ceremony.joining(staff)

    here = f"/staff/join/{invitation}"
    return _scripted(request, "staff_join.html", status, options, errors=errors or {}, staff=staff, here=here)


def _scripted(
    request: Request, name: str, status: int, options: Callable[[Ceremony], str], **values: object
) -> Response:
    """One of the two pages with the script; it says so where no passkey can be made at all."""
    try:
        ceremony = _ceremony(request)
        values |= {"options": options(ceremony), "hindrance": _hindrance(request, ceremony.site)}
    except UsageError as error:
        values |= {"options": "", "hindrance": str(error)}
    return page(request, name, status, headers=_SCRIPTED, script=_script()[1], switch=None, **values)


def _hindrance(request: Request, site: Site) -> str:
    """Why the browser would refuse: on this machine people type its address, and a passkey needs its name."""
    if site.host == "localhost" != request.url.hostname:
        return f"Passkeys need a name: open this page at {site.origin}{request.url.path} instead."
    return ""


@cache
def _script() -> tuple[bytes, str]:
    """The script, and the path of just this one."""
    content = files("demur.web").joinpath("static", "passkey.js").read_bytes()
    return content, f"/static/passkey.js?v={sha256(content).hexdigest()[:12]}"
