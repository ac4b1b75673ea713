"""A report that a model repeats somebody's data: anybody sends one, and sees by its link how it stands.

Invariants: nothing is asked for but what the model said; no login, no proof and no reason; what was typed is sealed and
shown nowhere again; an account that somebody types here shows nothing of it, and objecting for it is one further
button, by the way of everybody who types an account. The page says what a test found, never whose rows hold the words.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.claims.lodging import LONGEST, Came, answering, due, lodge
from demur.errors import RegisterError
from demur.notices.claimed import answered
from demur.notices.languages import N_
from demur.notices.words import day, speaker
from demur.objecting.lodging import by_name
from demur.objecting.naming import account_of, is_mail, tidy
from demur.register import ClaimPhase, ClaimState
from demur.register.claims import Said
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import address, desk, gettext, language, page, public_page
from demur.web.portal.receipt import claim_at, receipt_at
from demur.web.portal.said import NO_ADDRESS, UNREADABLE
from demur.web.portal.taken import Typed
from demur.web.server.headers import address as address_of

router: Final = APIRouter()

_EMPTY: Final[dict[str, Any]] = {"output": "", "prompt": "", "run": "", "account": "", "contact": ""}
_ROOM: Final = 1
"""Megabytes that a body may have: texts of the longest kind, in any script, as a browser spells them."""
_UNKNOWN: Final = N_("I do not know")
_NOTHING: Final = N_("Enter what the model said.")
_TOO_LONG: Final = N_("This is too long. Enter at most %(number)s characters.")


@router.get("/claim")
async def ask(request: Request) -> Response:
    """The form."""
    return public_page(request, "claim.html", **_choice(request, await _runs(request)), **_EMPTY)


@router.post("/claim")
@forms.turns
@forms.takes_files(_ROOM)
async def take(request: Request) -> Response:
    """Take a report in, and show how it stands."""
    at, form = desk(request), await forms.read(request, files=0)
    runs = await _runs(request)
    kept: dict[str, Any] = {name: form.text(name) for name in _EMPTY}
    if form.turned:
        return page(request, "claim.html", **_choice(request, runs), **kept)
    policy = at.policy()
    account = account_of(kept["account"], policy.portal.namespace, policy.accounts.names) if kept["account"] else ""
    contact = tidy(kept["contact"])
    if errors := _errors(request, form, account, contact):
        return page(request, "claim.html", forms.WRONG, errors=errors, **_choice(request, runs), **kept)
    if wait := at.limits.wait("claim", address_of(request)):
        raise HTTPException(429, headers={"retry-after": str(wait)})
    said = Said(kept["output"], kept["prompt"], account or "", contact)
    run = kept["run"] if kept["run"] in runs else None
    state = await at.intake.run(lodge, said, at.office(language(request)), Came.by_portal(said), run)
    return RedirectResponse(claim_at(request, state.seq), 303)


@router.get("/claim/{token}")
async def show(request: Request, token: str) -> Response:
    """How a report stands."""
    at, shown = desk(request), language(request)
    state = await run_in_threadpool(_find, at, token)
    said, note = await run_in_threadpool(_words, at, state)
    done = state.phase is ClaimPhase.ANSWERED
    values: dict[str, Any] = {
        "heading": speaker(shown)(N_("Our answer to your report") if done else N_("We have received your report")),
        "reference": state.reference,
        "sentences": answered(state.result or {}, shown) if done else (),
        "by": "" if done else day(due(state), shown),
        "note": note,
        "account": said is not None and bool(said.account),
        "here": address(shown, f"/claim/{token}"),
    }
    return page(request, "claim_state.html", **values)


@router.post("/claim/{token}/object")
async def object_for_it(request: Request, token: str) -> Response:
    """Object for the account that the report names, as if it had been typed in; the form, where none is named."""
    steady, at = forms.Steady(), desk(request)
    said, _ = await run_in_threadpool(lambda: _words(at, _find(at, token)))
    if said is None or not said.account:
        return RedirectResponse(address(language(request), "/object"), 303)
    forms.limit_by_account(request, said.account)
    office = at.office(language(request))
    receipt = await at.intake.run(by_name, said.account, office, ask=office.may_ask(said.account))
    await steady.wait()
    return RedirectResponse(receipt_at(request, receipt.seq, Typed.of("", [said.account])), 303)


def _find(at: Desk, token: str) -> ClaimState:
    """The claim of a link.

    Raises:
        IdentityError: for a token that does not hold.
        RegisterError: where there is no such claim.
    """
    read = at.tokens.read(token, Purpose.CLAIM)
    state = at.register.claims.at(read.number, read.incarnation)
    if state is None:
        raise RegisterError("There is no claim of this number: compare the link with the page that you saved.")
    return state


def _words(at: Desk, state: ClaimState) -> tuple[Said | None, str]:
    return at.register.claims.said(state.reference), at.register.claims.note(state.reference)


async def _runs(request: Request) -> list[str]:
    """The models that answer now, by name."""
    return await run_in_threadpool(answering, desk(request).workspace.models_path)


def _choice(request: Request, runs: list[str]) -> dict[str, Any]:
    """The models to choose from, for the template: values with what is shown."""
    unknown = gettext(request).gettext(_UNKNOWN)
    return {"models": [("", unknown), *((run, run) for run in runs)] if runs else []}


def _errors(request: Request, form: forms.Form, account: str | None, contact: str) -> dict[str, str]:
    _, errors = gettext(request).gettext, dict[str, str]()
    if not form.text("output"):
        errors["output"] = _(_NOTHING)
    too_long = _(_TOO_LONG) % {"number": f"{LONGEST}"}
    errors |= {name: too_long for name in ("output", "prompt") if form.too_long(name)}
    if account is None:
        errors["account"] = _(UNREADABLE)
    if contact and not is_mail(contact):
        errors["contact"] = _(NO_ADDRESS)
    return errors
