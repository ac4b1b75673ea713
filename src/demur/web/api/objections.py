"""Objections over the API: lodged, looked up, confirmed, lapsed, withdrawn (Art. 21(5) GDPR, by automated means).

Invariants: an answer 201 is a durable, binding objection; nothing asks for a reason; the accounts of an objection are
never told.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

from fastapi import Path, Request
from pydantic import AfterValidator
from starlette.responses import Response

from demur.errors import RegisterError
from demur.objecting.office import Office
from demur.objecting.withdrawing import withdraw as withdraw_objection
from demur.register import ObjectionPhase, ObjectionState, Register
from demur.register.objections.phases import LapseCause
from demur.web.api.answers import REFERENCE, Lodged, Objection, Outcomes, Standing
from demur.web.api.describing import describe
from demur.web.api.lodging import lodge, lodge_many
from demur.web.api.models import ACCOUNT, NO_CONTROLS, Lapse, NewObjection, NewObjections, without_controls
from demur.web.api.once import once
from demur.web.api.problems import Problem
from demur.web.api.routing import KB, desk_of, routes, said, told
from demur.web.desk import Desk

router = routes("Objections")

_BATCH_BYTES: Final = 4096 * KB
_OPEN: Final = frozenset({ObjectionPhase.LODGED})
_ENDING: Final = frozenset({ObjectionPhase.LODGED, ObjectionPhase.CONFIRMED})

Reference = Annotated[
    str,
    Path(min_length=1, max_length=60, pattern=NO_CONTROLS, description="From the receipt.", examples=[REFERENCE]),
]
AccountInPath = Annotated[
    str,
    Path(
        min_length=3,
        max_length=500,
        description="An account, as `namespace:value`, percent-encoded.",
        examples=["forum:ann"],
        json_schema_extra={"pattern": ACCOUNT},
    ),
    AfterValidator(without_controls),
]


@router.post(
    "/objections",
    summary="Lodge an objection",
    **describe(Lodged, "It is recorded, durable and binding.", said=NewObjection, status=201, once=True),
)
async def lodge_one(request: Request) -> Response:
    """It binds from the moment of the answer, for the accounts named and for every account linked with them."""
    new, body = await said(request, NewObjection)
    lodged = await lodge(desk_of(request), new, once(request, body))
    return told(lodged, 201, Location=f"/api/objections/{lodged.reference}")


@router.post(
    "/objections/batch",
    summary="Lodge many objections",
    **describe(Outcomes, "What became of each; those recorded are durable.", said=NewObjections, once=True),
)
async def lodge_batch(request: Request) -> Response:
    """Up to 1000 at once. Each is recorded or refused by itself; all that are recorded bind from the answer on."""
    new, body = await said(request, NewObjections, _BATCH_BYTES)
    return told(Outcomes(results=await lodge_many(desk_of(request), new.objections, once(request, body))))


@router.get(
    "/objections/{reference}",
    summary="See how an objection stands",
    **describe(Objection, "The objection.", "not-found"),
)
async def show(request: Request, reference: Reference) -> Response:
    """Case, spaces and hyphens of the reference don't matter."""
    return told(Objection.of(await _found(desk_of(request), reference)))


@router.post(
    "/objections/{reference}/withdraw",
    summary="Withdraw an objection",
    **describe(Objection, "It is withdrawn.", "not-found", "conflict"),
)
async def withdraw(request: Request, reference: Reference) -> Response:
    """At the person's own wish. `others` says how many of theirs stay in force."""
    desk = desk_of(request)
    return await _move(request, reference, partial(_withdraw, desk.office()), _ENDING)


@router.post(
    "/objections/{reference}/confirm",
    summary="Confirm an objection",
    **describe(Objection, "It is confirmed, and can't lapse any more.", "not-found", "conflict"),
)
async def confirm(request: Request, reference: Reference) -> Response:
    """The account's holder says that it is theirs."""
    return await _move(request, reference, _confirm, _OPEN)


@router.post(
    "/objections/{reference}/lapse",
    summary="Let an objection lapse",
    **describe(Objection, "It has lapsed.", "not-found", "conflict", said=Lapse),
)
async def lapse(request: Request, reference: Reference) -> Response:
    """The account's holder denies it, or nobody confirmed it in time."""
    why, _ = await said(request, Lapse)
    return await _move(request, reference, partial(_lapse, why.cause), _OPEN)


@router.get(
    "/accounts/{account:path}/objection",
    summary="Ask whether an objection is in force",
    **describe(Standing, "Whether one is in force, and all there are.", "not-found"),
)
async def standing(request: Request, account: AccountInPath) -> Response:
    """For the switch on your settings page.

    `in_force` counts every objection that covers the account. `objections` has those of the same person alone: not
    one that holds only because two members gave the same mail address, which nobody verified.
    """
    return told(await asyncio.to_thread(_standing, desk_of(request).register, account))


def _standing(register: Register, account: str) -> Standing:
    states, persons = register.objections.of(account), register.persons
    in_force = any(each.binding for each in states) or persons.covered(persons.subject(account))
    return Standing(in_force=in_force, objections=[*map(Objection.of, states)])


def _withdraw(office: Office, register: Register, reference: str) -> ObjectionState:
    return withdraw_objection(register, reference, office)


def _confirm(register: Register, reference: str) -> ObjectionState:
    return register.objections.confirm(reference)


def _lapse(cause: LapseCause, register: Register, reference: str) -> ObjectionState:
    return register.objections.lapse(reference, cause=cause)


async def _found(desk: Desk, reference: str) -> ObjectionState:
    try:
        return await asyncio.to_thread(desk.register.objections.get, reference)
    except RegisterError as error:
        raise Problem("not-found", str(error)) from None


async def _move(
    request: Request,
    reference: str,
    act: Callable[[Register, str], ObjectionState],
    possible: frozenset[ObjectionPhase],
) -> Response:
    desk = desk_of(request)
    await _found(desk, reference)
    try:
        state = await desk.intake.run(act, reference)
    except RegisterError as error:
        if (await _found(desk, reference)).phase in possible:
            raise
        raise Problem("conflict", str(error)) from None
    return told(Objection.of(state))
