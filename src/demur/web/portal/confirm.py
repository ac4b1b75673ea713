"""The question to the holder of an address: was it you who objected?

Invariants: opening it changes nothing; an answer is a POST; what was denied or has lapsed binds again when its holder
says after all that it was them, so that no objection is lost because somebody was late; what they confirmed they
withdraw here, after being asked once: whoever typed their account, and has its receipt, can't.
"""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from demur.errors import RegisterError
from demur.notices.content import name_of
from demur.notices.words import Say, day, speaker
from demur.objecting.settling import Reply, answer, can_return, held, withdraw_as_holder
from demur.register import ObjectionPhase, ObjectionState
from demur.tokens import Purpose
from demur.web import forms
from demur.web.desk import Desk
from demur.web.pages import address, desk, language, page
from demur.web.portal.receipt import receipt_at

router: Final = APIRouter()

_ANSWERS: Final[dict[str, Reply]] = {"yes": "yes", "no": "no"}


@dataclass(frozen=True)
class _Asked:
    """An objection, and whether its holder can still bring it back."""

    state: ObjectionState
    returns: bool


@router.get("/confirm/{token}")
async def ask(request: Request, token: str) -> Response:
    """The question, or what became of it."""
    asked = await run_in_threadpool(_find, desk(request), token)
    return _page(request, asked, token)


@router.post("/confirm/{token}")
async def answered(request: Request, token: str) -> Response:
    """Take the answer."""
    at = desk(request)
    asked = await run_in_threadpool(_find, at, token)
    said = _ANSWERS.get((await forms.read(request)).text("answer"))
    if said is None:
        return _page(request, asked, token)
    seq = await at.intake.run(answer, asked.state, said, at.office(language(request)))
    again_at = token if seq == asked.state.seq else at.tokens.make(Purpose.CONFIRM, seq)
    return RedirectResponse(address(language(request), f"/confirm/{again_at}"), 303)


@router.get("/confirm/{token}/withdraw")
async def ask_to_withdraw(request: Request, token: str) -> Response:
    """Ask once whether to withdraw."""
    asked = await run_in_threadpool(_find, desk(request), token)
    if not held(asked.state):
        return _page(request, asked, token)
    here = address(language(request), f"/confirm/{token}")
    return page(request, "object_withdraw.html", reference=asked.state.reference, here=here)


@router.post("/confirm/{token}/withdraw")
async def withdraw(request: Request, token: str) -> Response:
    """Withdraw what its holder has confirmed."""
    at = desk(request)
    asked = await run_in_threadpool(_find, at, token)
    await at.intake.run(withdraw_as_holder, asked.state, at.office(language(request)))
    return RedirectResponse(address(language(request), f"/confirm/{token}"), 303)


def _find(at: Desk, token: str) -> _Asked:
    read = at.tokens.read(token, Purpose.CONFIRM)
    reference = at.register.objections.reference_in(read.incarnation, read.number)
    if reference is None:
        raise RegisterError("There is no objection of this number: copy all of the link.")
    state = at.register.objections.get(reference)
    return _Asked(state, can_return(at.register, state))


def _page(request: Request, asked: _Asked, token: str) -> Response:
    shown, state = language(request), asked.state
    _ = speaker(shown)
    values: dict[str, Any] = {
        "reference": state.reference,
        "here": address(shown, f"/confirm/{token}"),
        "receipt": "",
        "withdraw": "",
        "asks": "",
    }
    if state.phase is ObjectionPhase.LODGED:
        values["asks"] = "both"
    if state.phase is ObjectionPhase.LAPSED and asked.returns:
        values["asks"] = "yes"
    if held(state):
        values["withdraw"] = address(shown, f"/confirm/{token}/withdraw")
    elif state.phase is ObjectionPhase.CONFIRMED:
        values["receipt"] = receipt_at(request, state.seq)
    heading, *sentences = _told(_, state, name_of(desk(request).policy()), shown)
    return page(request, "object_confirm.html", heading=heading, sentences=sentences, **values)


def _told(_: Say, state: ObjectionState, controller: str, shown: str) -> tuple[str, ...]:
    """The heading and the sentences under it."""
    if state.phase is ObjectionPhase.CONFIRMED:
        since = day(state.lodged.date(), shown)
        stands = _("Your objection stands from %(day)s on. You do not have to do anything else.", day=since)
        return _("Your objection is confirmed"), stands
    if state.phase is ObjectionPhase.LAPSED:
        return _("This objection has ended"), _("If it was yours after all, say so: it holds again at once.")
    if state.phase is ObjectionPhase.WITHDRAWN:
        return _("Your objection is withdrawn"), _("You can object again at any time.")
    given = _(
        "Somebody gave your account or mail address to object to AI training with your content at %(controller)s.",
        controller=controller,
    )
    return _("Did you object?"), given, _("The objection stands already.")
