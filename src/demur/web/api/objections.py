"""Objections over the API: lodged, looked up, confirmed, lapsed, withdrawn (Art. 21(5) GDPR, by automated means).

Invariants: an answer 201 is a durable, binding objection (intake.py), and only a malformed account refuses one; nothing
asks for a reason; an objection's accounts are never told; a receipt's link is made each time and stored nowhere.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import Path, Request
from pydantic import AfterValidator
from starlette.responses import Response

from demur.errors import DemurError, IdentityError, RegisterError, UsageError
from demur.objecting import called, settling
from demur.objecting.called import Called
from demur.objecting.lodging import as_platform_says
from demur.objecting.office import Office
from demur.register import ObjectionPhase, ObjectionState, Receipt, Register
from demur.register.objections.lodging import Lodging
from demur.register.objections.names import Kept
from demur.tokens import Purpose
from demur.web.api.answers import REFERENCE, Details, Lodged, Named, Objection, Outcome, Outcomes, Standing
from demur.web.api.describing import describe
from demur.web.api.models import ACCOUNT, NO_CONTROLS, Lapse, MoreNames, NewObjection, NewObjections, without_controls
from demur.web.api.once import Once, do_once, once
from demur.web.api.routing import KB, language, routes, said, told
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.web.problems import KeyReusedError, Problem, problem_of

router = routes("Objections")

CHUNK: Final = 50
"""Objections of a batch that are recorded in one transaction: others' come in between."""
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


@dataclass(frozen=True)
class _Noted:
    """What an answer is made of."""

    reference: str
    seq: int
    lodged: str
    covers: int
    confirm_by: str | None = None
    """In answers that an earlier demur noted; told no more."""
    language: str | None = None
    """The locale on file of the person, BCP 47; what an older demur noted has none."""


@router.post(
    "/objections",
    summary="Lodge an objection",
    **describe(Lodged, "It is recorded, durable and binding.", said=NewObjection, status=201, once=True),
)
async def lodge_one(request: Request) -> Response:
    """It binds from the moment of the answer, for the accounts named and for every account linked with them."""
    new, body = await said(request, NewObjection)
    lodged = await _lodge(desk(request), new, once(request, body))
    return told(lodged, 201, Location=f"/api/objections/{lodged.reference}")


@router.post(
    "/objections/batch",
    summary="Lodge many objections",
    **describe(Outcomes, "What became of each; those recorded are durable.", said=NewObjections, once=True),
)
async def lodge_batch(request: Request) -> Response:
    """Up to 1000 at once. Each is recorded or refused by itself; all that are recorded bind from the answer on."""
    new, body = await said(request, NewObjections, _BATCH_BYTES)
    return told(Outcomes(results=await _lodge_many(desk(request), new.objections, once(request, body))))


@router.get(
    "/objections/{reference}",
    summary="See how an objection stands",
    **describe(Objection, "The objection.", "not-found"),
)
async def show(request: Request, reference: Reference) -> Response:
    """Case, spaces and hyphens of the reference don't matter."""
    return told(Objection.of(await _found(desk(request), reference)))


@router.post(
    "/objections/{reference}/names",
    summary="Say what else the person is called",
    **describe(Named, "They are recorded, durable, and looked for.", "not-found", "conflict", said=MoreNames),
)
async def add_names(request: Request, reference: Reference) -> Response:
    """Names that are on record already count once. What nobody has confirmed yet takes none: confirm it first."""
    new, _ = await said(request, MoreNames)
    more = Called.of(new.names, new.former, (), desk(request).policy().accounts.names)
    state = await _change(request, reference, partial(_named, more=more), _ENDING)
    kept = await asyncio.to_thread(_kept, desk(request).register, state.reference)
    return told(Named(reference=state.reference, searched=kept.searched, waiting=kept.waiting))


@router.post(
    "/objections/{reference}/withdraw",
    summary="Withdraw an objection",
    **describe(Objection, "It is withdrawn.", "not-found", "conflict"),
)
async def withdraw(request: Request, reference: Reference) -> Response:
    """At the person's own wish. `others` says how many of theirs stay in force."""
    return await _move(request, reference, settling.withdraw, _ENDING)


@router.post(
    "/objections/{reference}/confirm",
    summary="Confirm an objection",
    **describe(Objection, "It is confirmed, and can't lapse any more.", "not-found", "conflict"),
)
async def confirm(request: Request, reference: Reference) -> Response:
    """The account's holder says that it is theirs."""
    return await _move(request, reference, settling.confirm, _OPEN)


@router.post(
    "/objections/{reference}/lapse",
    summary="Let an objection lapse",
    **describe(Objection, "It has lapsed.", "not-found", "conflict", said=Lapse),
)
async def lapse(request: Request, reference: Reference) -> Response:
    """The account's holder denies it. `unconfirmed` is taken only of one that lapses by itself in the same minute."""
    why, _ = await said(request, Lapse)
    return await _move(request, reference, partial(settling.lapse, cause=why.cause), _OPEN)


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
    return told(await asyncio.to_thread(_standing, desk(request).register, account))


def _noted(receipt: Receipt, language: str | None) -> _Noted:
    lodged, covers = receipt.lodged.isoformat(), len(receipt.subjects)
    return _Noted(receipt.reference, receipt.seq, lodged, covers, language=language)


def _said(new: NewObjection) -> Lodging:
    said = Lodging(new.accounts, channel=new.channel, received=new.received, reason=new.reason)
    more = {"names": new.names, "former": new.former, "links": new.links}
    return as_platform_says(said, unconfirmed=new.unconfirmed, **more)


def _record(register: Register, lodgings: Sequence[Lodging]) -> list[_Noted | IdentityError]:
    """Record objections, each by itself, and say in which language its person reads."""
    answers = register.objections.lodge_all(lodgings)
    lodged = [(receipt, said) for receipt, said in zip(answers, lodgings, strict=True) if isinstance(receipt, Receipt)]
    languages = register.mails.languages_of([said.accounts for _, said in lodged])
    noted = (_noted(receipt, language) for (receipt, _), language in zip(lodged, languages, strict=True))
    return [next(noted) if isinstance(answer, Receipt) else answer for answer in answers]


async def _lodge(at: Desk, new: NewObjection, once: Once | None) -> Lodged:
    """Record one objection.

    Raises:
        DemurError: when nothing was recorded.
    """
    office = at.office()
    said = _said(new)
    if once is None:
        noted = await at.intake.run_together(_record, said)
    else:
        noted = _Noted(**orjson.loads(await at.intake.run_together(_once, (once, said))))
    return _lodged(office, noted)


def _once(register: Register, items: Sequence[tuple[Once, Lodging]]) -> list[str | DemurError]:
    return do_once(register, items, partial(_each, register))


def _each(register: Register, lodgings: Sequence[Lodging]) -> list[str | DemurError]:
    answers = _record(register, lodgings)
    return [orjson.dumps(answer).decode() if isinstance(answer, _Noted) else answer for answer in answers]


async def _lodge_many(at: Desk, new: Sequence[NewObjection], once: Once | None) -> list[Outcome]:
    """Record many objections, each by itself.

    Raises:
        DemurError: when none was recorded.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(new), CHUNK):
        chunk = new[start : start + CHUNK]
        part = None if once is None else once.part(start)
        try:
            outcomes += await _lodge_chunk(at, chunk, part)
        except DemurError as error:
            if isinstance(error, KeyReusedError) or not outcomes:
                raise
            outcomes += [Outcome(problem=_details(error)) for _ in chunk]
    return outcomes


async def _lodge_chunk(at: Desk, chunk: Sequence[NewObjection], once: Once | None) -> list[Outcome]:
    office = at.office()
    lodgings = [_said(new) for new in chunk]
    if once is None:
        answer = await at.intake.run(_chunk, lodgings)
    else:
        answer = await at.intake.run(_chunk_once, once, lodgings)
    return [_outcome(office, each) for each in orjson.loads(answer)]


def _chunk(register: Register, lodgings: Sequence[Lodging]) -> str:
    """What was noted of each, or the sentence that says why nothing was."""
    answers = _record(register, lodgings)
    return orjson.dumps([answer if isinstance(answer, _Noted) else str(answer) for answer in answers]).decode()


def _chunk_once(register: Register, once: Once, lodgings: Sequence[Lodging]) -> str:
    with register.locked():
        (answer,) = do_once(register, [(once, lodgings)], lambda chunks: [_chunk(register, each) for each in chunks])
    if isinstance(answer, DemurError):
        raise answer
    return answer


def _outcome(office: Office, each: dict[str, Any] | str) -> Outcome:
    if isinstance(each, str):
        return Outcome(problem=_details(IdentityError(each)))
    return Outcome(objection=_lodged(office, _Noted(**each)))


def _details(error: DemurError) -> Details:
    problem = problem_of(error)
    assert isinstance(problem, Problem)
    return Details(**problem.body())


def _lodged(office: Office, noted: _Noted) -> Lodged:
    return Lodged(
        reference=noted.reference,
        lodged=datetime.fromisoformat(noted.lodged),
        covers=noted.covers,
        confirm_by=None,
        receipt_url=office.link(Purpose.RECEIPT, noted.seq, language(office.policy, noted.language)),
    )


def _standing(register: Register, account: str) -> Standing:
    states, persons = register.objections.of(account), register.persons
    in_force = any(each.binding for each in states) or persons.covered(persons.subject(account))
    return Standing(in_force=in_force, objections=[*map(Objection.of, states)])


async def _found(at: Desk, reference: str) -> ObjectionState:
    try:
        return await asyncio.to_thread(at.register.objections.get, reference)
    except RegisterError as error:
        raise Problem("not-found", str(error)) from None


def _named(register: Register, reference: str, office: Office, *, more: Called) -> ObjectionState:
    called.add(register, reference, more, office, frozenset())
    return register.objections.get(reference)


def _kept(register: Register, reference: str) -> Kept:
    return register.names.kept(register.objections.covered_by(reference))


async def _move(
    request: Request,
    reference: str,
    act: Callable[[Register, str, Office], ObjectionState],
    possible: frozenset[ObjectionPhase],
) -> Response:
    return told(Objection.of(await _change(request, reference, act, possible)))


async def _change(
    request: Request,
    reference: str,
    act: Callable[[Register, str, Office], ObjectionState],
    possible: frozenset[ObjectionPhase],
) -> ObjectionState:
    """What became of an objection.

    Raises:
        Problem: where there is none, or it can't become that.
    """
    at = desk(request)
    await _found(at, reference)
    try:
        state: ObjectionState = await at.intake.run(act, reference, at.office())
    except UsageError as error:
        raise Problem("conflict", str(error)) from None
    except RegisterError as error:
        if (await _found(at, reference)).phase in possible:
            raise
        raise Problem("conflict", str(error)) from None
    return state
