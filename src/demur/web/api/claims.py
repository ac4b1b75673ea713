"""Claims over the API that a model repeats somebody's data: lodged, and looked up.

Invariants: an answer 201 is a durable claim; nothing asks for a proof or a reason, and no answer says whose rows hold
the words; with an Idempotency-Key one that is sent twice is recorded once.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import Request
from starlette.responses import Response

from demur.claims.lodging import Came, due, link, lodge, require_kept, run_called
from demur.errors import DemurError, RegisterError, UsageError
from demur.objecting.office import Office
from demur.register import ClaimState, Register
from demur.register.claims import Said
from demur.web.api.answers import Claim
from demur.web.api.describing import describe
from demur.web.api.models import NewClaim
from demur.web.api.objections import Reference
from demur.web.api.once import Once, do_once, once
from demur.web.api.routing import language, routes, said, told
from demur.web.pages import desk
from demur.web.problems import Problem

router = routes("Claims")


@router.post(
    "/claims",
    summary="Lodge a claim that a model repeats somebody's data",
    **describe(Claim, "It is recorded and durable; the worker tests it.", said=NewClaim, status=201, once=True),
)
async def lodge_claim(request: Request) -> Response:
    """What somebody told you that a model said. It binds nothing: lodge an objection for that."""
    new, body = await said(request, NewClaim)
    at = desk(request)
    office = at.office()
    words = Said(new.output, new.prompt or "", new.account or "", new.contact or "", language(office.policy))
    try:
        require_kept(words)
        run = await asyncio.to_thread(run_called, at.workspace.models_path, new.model or "")
    except UsageError as error:
        raise Problem("malformed", str(error)) from None
    record = partial(_lodge, said=words, office=office, came=Came(new.channel, new.received), run=run)
    reference = await at.intake.run(_once, once(request, body), record)
    state = await asyncio.to_thread(at.register.claims.get, reference)
    return told(_told(office, state), 201, Location=f"/api/claims/{state.reference}")


@router.get(
    "/claims/{reference}",
    summary="See how a claim stands",
    **describe(Claim, "The claim.", "not-found"),
)
async def show_claim(request: Request, reference: Reference) -> Response:
    """Case, spaces and hyphens of the reference don't matter."""
    at = desk(request)
    try:
        state = await asyncio.to_thread(at.register.claims.get, reference)
    except RegisterError as error:
        raise Problem("not-found", str(error)) from None
    return told(_told(at.office(), state))


def _lodge(register: Register, said: Said, office: Office, came: Came, run: str | None) -> str:
    return lodge(register, said, office, came, run).reference


def _once(register: Register, once: Once | None, record: Callable[[Register], str]) -> str:
    """The reference of the claim, of the first time where the same was sent before."""
    with register.locked():
        if once is None:
            return record(register)
        (answer,) = do_once(register, [(once, record)], lambda records: [each(register) for each in records])
    if isinstance(answer, DemurError):
        raise answer
    return answer


def _told(office: Office, state: ClaimState) -> Claim:
    return Claim(
        reference=state.reference,
        status=state.phase.value,
        outcome=None if state.outcome is None else state.outcome.value,
        received=state.received,
        lodged=state.lodged,
        changed=state.changed,
        answer_by=due(state),
        page_url=link(office, state, language(office.policy)),
    )
