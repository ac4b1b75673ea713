"""What is masked and uncertain: finds of names and copies below the scores that the policy takes for sure, by item.

Invariants: all of it is masked or left out already, and stays so until its item is read again; the list shows no text
and no name; a row is opened by a button, and the register knows of it before it is shown; deciding is one entry, and
one of who did, in one transaction; somebody whose objection has ended, or of whom it was decided, is not listed.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from demur.corpus.uncertain import Listing, Place, Shown, UncertainItem, Why, entry_of, shown, uncertain
from demur.objecting.channels import nameless
from demur.people.finding.reasons import said_in_words
from demur.people.finds import Tier
from demur.register import JSON, Register, StaffRole
from demur.terms import EntryKind
from demur.web.heavy import heavy
from demur.web.pages import desk
from demur.web.staff.frame import Timed, Visit, acting, admitted

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

HERE: Final = "/staff/uncertain"
SIZE: Final = 50
"""Entries of a page."""
KINDS: Final[Mapping[Tier, str]] = {
    Tier.FULL_NAME: "Full name",
    Tier.INITIAL_SURNAME: "Initial and surname",
    Tier.SURNAME_IN_CONTEXT: "Surname, in a thread where they take part or are named in full",
    Tier.GIVEN_IN_CONTEXT: "Given name, in a thread where they take part or are named in full",
    Tier.VOCATIVE: "Given name, where somebody is addressed",
    Tier.HANDLE: "Name of an account, without a sign before it",
    Tier.COPY: "Words that they wrote, without their name",
}
"""What was found, in words."""

_OFFICER: Final = (StaffRole.OFFICER,)
_READERS: Final = (StaffRole.OFFICER, StaffRole.AUDITOR)
_LARGEST: Final = 2**63


@router.get(HERE)
async def queue(request: Request) -> Response:
    """A page of the list: the lowest scores first."""
    visit = await admitted(request, *_READERS)
    if isinstance(visit, Response):
        return visit
    query, workspace = request.query_params, desk(request).workspace
    after = _place(query.get("after", ""))
    found = await run_sync(partial(uncertain, workspace, after=after, limit=SIZE), limiter=heavy)
    values: dict[str, Any] = {
        "found": found,
        "rows": [(each, at(each.place), said(each), reasons(each.why[0])) for each in found.rows],
    }
    return visit.page("staff_uncertain.html", pages=list(_pages(found)), cleared="cleared" in query, **values)


@router.get(HERE + "/{item:int}/{subject:int}")
async def show(request: Request, item: int, subject: int) -> Response:
    """One entry; nothing of the text."""
    visit = await admitted(request, *_OFFICER)
    return visit if isinstance(visit, Response) else _page(visit, await _find(request, item, subject))


@router.post(HERE + "/{item:int}/{subject:int}/read")
async def read(request: Request, item: int, subject: int) -> Response:
    """Open the row as it is stored now."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, entry, work = acted[0], await _find(request, item, subject), desk(request)
    row = await run_sync(shown, work.workspace, entry.key, limiter=heavy)
    about = await work.intake.run(_reads, visit, entry, row)
    return _page(visit, entry, opened=True, row=row, **about)


@router.post(HERE + "/{item:int}/{subject:int}/clear")
async def clear(request: Request, item: int, subject: int) -> Response:
    """Put on record that the item does not mean them; sent twice, it changes nothing the second time."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    work = desk(request)
    entry = await run_sync(entry_of, work.workspace, item, subject, limiter=heavy)
    if entry is not None:
        await work.intake.run(_cleared, acted[0], entry)
    return RedirectResponse(f"{HERE}?cleared=yes", 303)


def at(place: Place) -> str:
    """The page of an entry."""
    return f"{HERE}/{place.item}/{place.subject}"


def said(entry: UncertainItem) -> list[str]:
    """What was found, in words."""
    return [KINDS[tier] for tier in entry.tiers]


def reasons(why: Why) -> str:
    """Why a find has its score, each reason with what it adds; "" where that is not known."""
    return "; ".join(said_in_words(why.reasons))


async def _find(request: Request, item: int, subject: int) -> UncertainItem:
    """The entry.

    Raises:
        HTTPException: 404 where there is none, or none any more.
    """
    if max(item, subject) >= _LARGEST:
        raise HTTPException(404)
    entry = await run_sync(entry_of, desk(request).workspace, item, subject, limiter=heavy)
    if entry is None:
        raise HTTPException(404)
    return entry


def _page(visit: Visit, entry: UncertainItem, **values: Any) -> Response:  # noqa: ANN401  # a template's
    others = desk(visit.request).policy().others
    copy = Tier.COPY in entry.tiers
    shown_: dict[str, Any] = {"entry": entry, "said": said(entry), "here": at(entry.place), "opened": False}
    shown_["why"] = [(f"Why {each.score}", told) for each in entry.why if (told := reasons(each))]
    shown_["sure"] = others.copies_sure if copy else others.names_sure
    return visit.page("staff_uncertain_one.html", **(shown_ | values))


def _reads(register: Register, visit: Visit, entry: UncertainItem, row: Shown | None) -> dict[str, str]:
    """Append that a row is being read, before it is; whom it may mean, and who wrote it."""
    subjects = np.unique(np.array([entry.place.subject, *([] if row is None else [row.author])], np.int64))
    payload: dict[str, JSON] = {"staff": visit.staff.id, "item": entry.key, "what": "row"}
    with register.locked():
        register.log.append(EntryKind.DATA_READ, payload, subjects=subjects)
        return {
            "meant": _account(register, entry.place.subject),
            "author": "" if row is None else _account(register, row.author),
        }


def _account(register: Register, subject: int) -> str:
    (account,) = register.members.identifiers(np.array([subject], np.int64))
    if account is None:
        return "an account whose name was erased or is not known"
    return "somebody without an account" if nameless(account) else account


def _cleared(register: Register, visit: Visit, entry: UncertainItem) -> None:
    with register.locked():
        place = entry.place
        if register.names.clear(place.item, place.subject, by=f"staff {visit.staff.id}") is not None:
            visit.acted(register, "find.clear", item=entry.key)


def _pages(found: Listing) -> Iterator[tuple[str, str]]:
    """Where the pages beside this one are."""
    if found.before:
        yield "First", HERE
    if found.rows and found.before + len(found.rows) < found.total:
        yield "Next", f"{HERE}?after={'.'.join(map(str, found.rows[-1].place))}"


def _place(text: str) -> Place | None:
    """A place in an address; None for what is none."""
    numbers = text.split(".")
    if len(numbers) != len(Place._fields) or not all(each.isascii() and each.isdigit() for each in numbers):
        return None
    place = Place(*map(int, numbers))
    return place if max(place) < _LARGEST else None
