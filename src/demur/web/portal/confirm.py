"""The question to whoever the mail about an objection reaches: keep it, or end it?

Invariants: opening it changes nothing; an answer is a POST; both answers are offered in the same way, each with what
follows, and each can be undone by the same link: what was kept can be ended, what was ended brought back. What they
kept they withdraw here, after being asked once: whoever typed their account, and has its receipt, can't.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError
from demur.notices.asking import question_of, withdrawn_of
from demur.notices.content import Behalf, behalf_of
from demur.notices.words import day, speaker
from demur.objecting.settling import Reply, answer, held, withdraw_as_holder
from demur.policy import Policy
from demur.register import ObjectionPhase, ObjectionState
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import address, desk, language, page
from demur.web.portal.receipt import receipt_at, withdraw_page

router: Final = APIRouter()

_ANSWERS: Final[dict[str, Reply]] = {"yes": "yes", "no": "no"}


@router.get("/confirm/{token}")
async def ask(request: Request, token: str) -> Response:
    """The question, or what became of it."""
    return await _page(request, token)


@router.post("/confirm/{token}")
async def answered(request: Request, token: str) -> Response:
    """Take the answer."""
    at = desk(request)
    state = await run_in_threadpool(_find, at, token)
    said = _ANSWERS.get((await forms.read(request)).text("answer"))
    if said is None:
        return await _page(request, token)
    seq = await at.intake.run(answer, state, said, at.office(language(request)))
    again_at = token if seq == state.seq else at.tokens.make(Purpose.CONFIRM, seq)
    return RedirectResponse(address(language(request), f"/confirm/{again_at}"), 303)


@router.get("/confirm/{token}/withdraw")
async def ask_to_withdraw(request: Request, token: str) -> Response:
    """Ask once whether to withdraw."""
    state, behalf = await run_in_threadpool(_found, desk(request), token)
    if state.phase is not ObjectionPhase.CONFIRMED:
        return await _page(request, token)
    return withdraw_page(request, state, behalf, address(language(request), f"/confirm/{token}"))


@router.post("/confirm/{token}/withdraw")
async def withdraw(request: Request, token: str) -> Response:
    """Withdraw what its holder has confirmed."""
    at = desk(request)
    state = await run_in_threadpool(_find, at, token)
    await at.intake.run(withdraw_as_holder, state, at.office(language(request)))
    return RedirectResponse(address(language(request), f"/confirm/{token}"), 303)


def _find(at: Desk, token: str) -> ObjectionState:
    read = at.tokens.read(token, Purpose.CONFIRM)
    reference = at.register.objections.reference_in(read.incarnation, read.number)
    if reference is None:
        raise RegisterError("There is no objection of this number: copy all of the link.")
    return at.register.objections.get(reference)


def _found(at: Desk, token: str) -> tuple[ObjectionState, Behalf]:
    state = _find(at, token)
    return state, behalf_of(at.register.objections.statement(state.reference) or {})


async def _page(request: Request, token: str) -> Response:
    state, behalf = await run_in_threadpool(_found, desk(request), token)
    shown, policy = language(request), desk(request).policy()
    here = address(shown, f"/confirm/{token}")
    values: dict[str, Any] = {"choices": (), "back": False, "withdraw": "", "receipt": ""}
    if state.phase is ObjectionPhase.LODGED:
        values |= _asked(policy, shown, behalf, state)
    else:
        values |= _settled(shown, behalf, state)
    if state.phase is ObjectionPhase.CONFIRMED:
        values |= {"withdraw": f"{here}/withdraw", "receipt": "" if held(state) else receipt_at(request, state.seq)}
    return page(request, "object_confirm.html", reference=state.reference, here=here, **values)


def _asked(policy: Policy, shown: str, behalf: Behalf, state: ObjectionState) -> dict[str, Any]:
    """The question, with its two answers."""
    _, until = speaker(shown), None if state.confirm_by is None else state.confirm_by.date()
    asked = question_of(policy, shown, behalf, until)
    choices = (("yes", _("Keep it"), asked.keep), ("no", _("End it"), asked.end))
    return {"heading": asked.heading, "sentences": (*asked.given, *asked.goes_on), "choices": choices}


def _settled(shown: str, behalf: Behalf, state: ObjectionState) -> dict[str, Any]:
    """What became of it."""
    _ = speaker(shown)
    if state.phase is ObjectionPhase.CONFIRMED:
        since = day(state.lodged.date(), shown)
        applies = _("Your objection applies from %(day)s on. You do not have to do anything else.", day=since)
        return {"heading": _("Your objection is confirmed"), "sentences": (applies,)}
    withdrawn, follows = withdrawn_of(shown, behalf)
    heading = withdrawn if state.phase is ObjectionPhase.WITHDRAWN else _("This objection has ended")
    return {"heading": heading, "sentences": (follows,), "back": True}
