"""From what a caller says to an objection in the register, one or many, once.

Invariants: nothing is answered before it is durable (intake.py); only a malformed account refuses an objection; the
receipt's link is made from the entry's number each time and stored nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import orjson

from demur.errors import DemurError, IdentityError
from demur.notices.languages import matching
from demur.notices.words import languages_of
from demur.objecting.lodging import as_platform_says
from demur.register import Receipt, Register
from demur.register.objections.lodging import Lodging
from demur.tokens import Purpose
from demur.web.api.answers import Details, Lodged, Outcome
from demur.web.api.models import NewObjection
from demur.web.api.once import Once, do_once
from demur.web.api.problems import KeyReusedError, Problem, problem_of
from demur.web.desk import Desk

CHUNK: Final = 50
"""Objections of a batch that are recorded in one transaction: others' come in between."""


@dataclass(frozen=True)
class _Noted:
    """What an answer is made of."""

    reference: str
    seq: int
    lodged: str
    covers: int
    confirm_by: str | None


def _noted(receipt: Receipt, said: Lodging) -> _Noted:
    confirm_by = None if said.confirm_by is None else said.confirm_by.astimezone(UTC).isoformat()
    return _Noted(receipt.reference, receipt.seq, receipt.lodged.isoformat(), len(receipt.subjects), confirm_by)


def _said(desk: Desk, new: NewObjection) -> Lodging:
    said = Lodging(new.accounts, channel=new.channel, received=new.received, reason=new.reason)
    return as_platform_says(said, desk.office(), unconfirmed=new.unconfirmed)


def record(register: Register, lodgings: Sequence[Lodging]) -> list[Receipt | IdentityError]:
    """Record objections that wait together, for :meth:`Intake.run_together`."""
    return register.objections.lodge_all(lodgings)


async def lodge(desk: Desk, new: NewObjection, once: Once | None) -> Lodged:
    """Record one objection.

    Raises:
        DemurError: when nothing was recorded.
    """
    said = _said(desk, new)
    if once is None:
        noted = _noted(await desk.intake.run_together(record, said), said)
    else:
        noted = _Noted(**orjson.loads(await desk.intake.run_together(_once, (once, said))))
    return _lodged(desk, noted)


def _once(register: Register, items: Sequence[tuple[Once, Lodging]]) -> list[str | DemurError]:
    return do_once(register, items, partial(_each, register))


def _each(register: Register, lodgings: Sequence[Lodging]) -> list[str | DemurError]:
    answers = zip(lodgings, register.objections.lodge_all(lodgings), strict=True)
    return [
        orjson.dumps(_noted(answer, said)).decode() if isinstance(answer, Receipt) else answer
        for said, answer in answers
    ]


async def lodge_many(desk: Desk, new: Sequence[NewObjection], once: Once | None) -> list[Outcome]:
    """Record many objections, each by itself.

    Raises:
        DemurError: when none was recorded.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(new), CHUNK):
        chunk = new[start : start + CHUNK]
        part = None if once is None else once.part(start)
        try:
            outcomes += await _lodge_chunk(desk, chunk, part)
        except DemurError as error:
            if isinstance(error, KeyReusedError) or not outcomes:
                raise
            outcomes += [Outcome(problem=_details(error)) for _ in chunk]
    return outcomes


async def _lodge_chunk(desk: Desk, chunk: Sequence[NewObjection], once: Once | None) -> list[Outcome]:
    lodgings = [_said(desk, new) for new in chunk]
    if once is None:
        answer = await desk.intake.run(_chunk, lodgings)
    else:
        answer = await desk.intake.run(_chunk_once, once, lodgings)
    return [_outcome(desk, each) for each in orjson.loads(answer)]


def _chunk(register: Register, lodgings: Sequence[Lodging]) -> str:
    """What was noted of each, or the sentence that says why nothing was."""
    answers = zip(lodgings, register.objections.lodge_all(lodgings), strict=True)
    noted = [_noted(answer, each) if isinstance(answer, Receipt) else str(answer) for each, answer in answers]
    return orjson.dumps(noted).decode()


def _chunk_once(register: Register, once: Once, lodgings: Sequence[Lodging]) -> str:
    with register.locked():
        (answer,) = do_once(register, [(once, lodgings)], lambda chunks: [_chunk(register, each) for each in chunks])
    if isinstance(answer, DemurError):
        raise answer
    return answer


def _outcome(desk: Desk, each: dict[str, Any] | str) -> Outcome:
    if isinstance(each, str):
        return Outcome(problem=_details(IdentityError(each)))
    return Outcome(objection=_lodged(desk, _Noted(**each)))


def _details(error: DemurError) -> Details:
    problem = problem_of(error)
    assert isinstance(problem, Problem)
    return Details(**problem.body())


def _lodged(desk: Desk, noted: _Noted) -> Lodged:
    return Lodged(
        reference=noted.reference,
        lodged=datetime.fromisoformat(noted.lodged),
        covers=noted.covers,
        confirm_by=None if noted.confirm_by is None else datetime.fromisoformat(noted.confirm_by),
        receipt_url=_receipt_url(desk, noted.seq),
    )


def _receipt_url(desk: Desk, seq: int) -> str:
    return desk.office().link(Purpose.RECEIPT, seq, language(desk))


def language(desk: Desk, wanted: str | None = None) -> str:
    """The language of a link to the portal: the one wanted, else the one of the notices for everybody else."""
    return matching(wanted) or languages_of(desk.policy())[0]
