"""From what a caller says to an objection in the register, one or many, once.

Invariants: nothing is answered before it is durable (intake.py); only a malformed account refuses an objection; the
receipt's link is made from the entry's number each time and stored nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson

from demur.errors import DemurError, IdentityError
from demur.notices.languages import matching
from demur.notices.words import languages_of
from demur.objecting.lodging import as_platform_says
from demur.objecting.office import Office
from demur.register import Receipt, Register
from demur.register.database.clock import moment
from demur.register.objections.lodging import Dated
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


def _noted(receipt: Receipt, dated: Dated) -> _Noted:
    by = dated.said.confirm_by
    confirm_by = None if by is None else moment(by).isoformat()
    return _Noted(receipt.reference, receipt.seq, receipt.lodged.isoformat(), len(receipt.subjects), confirm_by)


def _dated(office: Office, new: NewObjection) -> Dated:
    return as_platform_says(
        new.accounts,
        office,
        channel=new.channel,
        received=new.received,
        reason=new.reason,
        unconfirmed=new.unconfirmed,
    )


async def lodge(desk: Desk, new: NewObjection, once: Once | None) -> Lodged:
    """Record one objection.

    Raises:
        DemurError: when nothing was recorded.
    """
    office = desk.office()
    said = _dated(office, new)
    if once is None:
        noted = _noted(await desk.intake.run_together(Register.lodge_all, said), said)
    else:
        noted = _Noted(**orjson.loads(await desk.intake.run_together(_once, (once, said))))
    return _lodged(office, noted)


def _once(register: Register, items: Sequence[tuple[Once, Dated]]) -> list[str | DemurError]:
    return do_once(register, items, partial(_each, register))


def _each(register: Register, dated: Sequence[Dated]) -> list[str | DemurError]:
    answers = zip(dated, register.lodge_all(dated), strict=True)
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
    office = desk.office()
    dated = [_dated(office, new) for new in chunk]
    if once is None:
        answer = await desk.intake.run(_chunk, dated)
    else:
        answer = await desk.intake.run(_chunk_once, once, dated)
    return [_outcome(office, each) for each in orjson.loads(answer)]


def _chunk(register: Register, dated: Sequence[Dated]) -> str:
    """What was noted of each, or the sentence that says why nothing was."""
    answers = zip(dated, register.lodge_all(dated), strict=True)
    noted = [_noted(answer, each) if isinstance(answer, Receipt) else str(answer) for each, answer in answers]
    return orjson.dumps(noted).decode()


def _chunk_once(register: Register, once: Once, dated: Sequence[Dated]) -> str:
    with register.locked():
        (answer,) = do_once(register, [(once, dated)], lambda chunks: [_chunk(register, each) for each in chunks])
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
        confirm_by=None if noted.confirm_by is None else datetime.fromisoformat(noted.confirm_by),
        receipt_url=office.link(Purpose.RECEIPT, noted.seq, languages_of(office.policy)[0]),
    )


def language(desk: Desk, wanted: str | None = None) -> str:
    """The language of a link to the portal: the one wanted, else the one of the notices for everybody else."""
    return matching(wanted) or languages_of(desk.policy())[0]
