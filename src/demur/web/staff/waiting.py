"""The list of objections: filtered, sorted, searched, a page at a time, and confirmed many at once.

Invariants: the list shows nothing that a person said; its addresses hold kinds, countries and numbers, nothing of
anybody: whom somebody searches for is posted, and the register notes that they did, never for whom; many are confirmed
all or none, an entry each, and what somebody else settled meanwhile is left and said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from demur.errors import RegisterError
from demur.notices.languages import SOURCE, locale
from demur.objecting import settling
from demur.objecting.channels import PROVEN
from demur.objecting.naming import account_of, tidy
from demur.objecting.office import Office
from demur.objecting.senders import Doubt
from demur.register import (
    Listed,
    Listing,
    ObjectionPhase,
    ObjectionState,
    Order,
    Place,
    Register,
    StaffRole,
    Waiting,
    Wanted,
)
from demur.register.objections.queue import END, UNKNOWN
from demur.web import forms
from demur.web.pages import desk
from demur.web.staff.frame import Timed, Visit, acting, admitted

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

HERE: Final = "/staff/objections"
SIZES: Final = (50, 100, 300)
"""Rows of a page."""
MOST: Final = SIZES[-1]
"""Objections that are confirmed in one act."""
WARNINGS: Final = {each.value: each.said for each in Doubt}
"""What the words mean by which whoever took an objection in says that somebody should look at it."""
STATES: Final = {
    Waiting.OPEN: "Waiting",
    Waiting.DOUBTED: "With a deadline",
    Waiting.LAPSED: "Lapsed",
}

_OFFICER: Final = (StaffRole.OFFICER,)
_READERS: Final = (StaffRole.OFFICER, StaffRole.AUDITOR)
_ORDERS: Final = {Order.DUE: "What is due first", Order.OLDEST: "Oldest first", Order.NEWEST: "Newest first"}
_NONE: Final = "unknown"
"""In an address: of those of whom none is on file."""
_YES: Final = "yes"
_FLAGS: Final = {"child": "child", "text": "written", "file": "files", "look": "warned"}
_PLACES: Final = ("channel", "country", "language")


@dataclass(frozen=True)
class Asked:
    """What the address of a list asks for."""

    wanted: Wanted
    show: int = SIZES[0]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Asked":
        """From an address; what means nothing asks for nothing."""
        state = next((each for each in Waiting if each == query.get("state")), Waiting.OPEN)
        order = next((each for each in Order if each == query.get("sort")), Order.DUE)
        flags = {field: query.get(name) == _YES for name, field in _FLAGS.items()}
        places = {name: UNKNOWN if query[name] == _NONE else query[name] for name in _PLACES if query.get(name)}
        show = next((size for size in SIZES if str(size) == query.get("show")), SIZES[0])
        return cls(Wanted(state, order, **places, **flags), show)  # type: ignore[arg-type]  # texts and truths, by name

    @property
    def filtered(self) -> bool:
        """Whether anything is asked for besides a state."""
        return replace(self, wanted=replace(self.wanted, state=Waiting.OPEN)) != Asked(Wanted())

    def at(self, **besides: object) -> str:
        """The address of this list; ``besides``: what it says besides, "" for nothing of it."""
        query = self.query(**besides)
        return f"{HERE}?{query}" if query else HERE

    def query(self, **besides: object) -> str:
        """The address's query alone."""
        wanted, default = self.wanted, Wanted()
        said: dict[str, object] = {"state": wanted.state, "sort": wanted.order, "show": self.show}
        said = {name: each for name, each in said.items() if each not in (default.state, default.order, SIZES[0])}
        for name in _PLACES:
            chosen = getattr(wanted, name)
            said |= {} if chosen is None else {name: chosen or _NONE}
        said |= {name: _YES for name, field in _FLAGS.items() if getattr(wanted, field)}
        return urlencode({name: str(each) for name, each in (said | besides).items() if each})


@router.get(HERE)
async def queue(request: Request) -> Response:
    """A page of the list: what lapses first, then the oldest."""
    visit = await admitted(request, *_READERS)
    if isinstance(visit, Response):
        return visit
    query = request.query_params
    chosen = query.get("all") == _YES and visit.staff.role in _OFFICER
    return await _list(visit, Asked.read(query), _place(query.get("after")), _until(query), chosen=chosen)


@router.post(f"{HERE}/search")
async def search(request: Request) -> Response:
    """Find the objections of somebody, by account, mail address or reference."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    what = tidy(form.text("what"))
    if not what:
        errors = {"what": "Enter an account, an email address or a reference."}
        return await _list(visit, Asked.read({}), None, None, forms.WRONG, errors=errors)
    rows = await desk(request).intake.run(_searched, visit, what, desk(request).office())
    return visit.page("staff_found.html", rows=_told(rows, desk(request).now()), what=what)


@router.post(f"{HERE}/chosen")
async def review(request: Request) -> Response:
    """What would be confirmed; nothing is yet."""
    acted = await acting(request, *_OFFICER, fields=MOST + forms.FIELDS)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    asked, numbers = _asked(form), form.numbers("seq")
    if len(numbers) > MOST:
        return await _unchosen(visit, asked, f"Choose at most {MOST} objections at once.")
    rows = await run_in_threadpool(desk(request).register.objections.listed, numbers)
    if not rows:
        return await _unchosen(visit, asked, "Choose at least one objection.")
    return visit.page("staff_chosen.html", rows=rows, facts=list(_summary(rows)), back=asked.at(), list=asked.query())


@router.post(f"{HERE}/confirm")
async def confirm(request: Request) -> Response:
    """Confirm many; sent twice, it says the second time that they are confirmed."""
    acted = await acting(request, *_OFFICER)
    if isinstance(acted, Response):
        return acted
    visit, form = acted
    numbers = form.numbers("seq")[:MOST]
    done, rows = await desk(request).intake.run(_confirmed, visit, numbers, desk(request).office())
    left: dict[str, list[Listed]] = {}
    for each in rows:
        if each.seq not in done:
            left.setdefault(each.phase.value, []).append(each)
    return visit.page("staff_confirmed.html", done=len(done), left=list(left.items()), back=_asked(form).at())


async def _unchosen(visit: Visit, asked: Asked, why: str) -> Response:
    """The list again, with what is wrong with the choice."""
    return await _list(visit, asked, None, None, forms.WRONG, errors={"queue": why})


async def _list(
    visit: Visit,
    asked: Asked,
    after: Place | None,
    until: Place | None,
    status: int = 200,
    *,
    chosen: bool = False,
    errors: Mapping[str, str] | None = None,
) -> Response:
    at = desk(visit.request)
    found = await run_in_threadpool(
        lambda: at.register.objections.listing(asked.wanted, limit=asked.show, proven=PROVEN, after=after, until=until)
    )
    values: dict[str, Any] = {"asked": asked, "found": found, "rows": _told(found.rows, at.now())}
    values |= {"pages": list(_pages(asked, found)), "states": list(_states(asked, found)), "chosen": chosen}
    values |= {"choices": list(_choices(asked, found)), "here": _here(after, until)}
    return visit.page("staff_queue.html", status, errors=errors or {}, **values)


def _summary(rows: Iterable[Listed]) -> Iterator[tuple[str, str]]:
    """What some objections are, in a few lines: who confirms many should know what is among them."""
    yield "Channel", ", ".join(f"{name}: {n:,}" for name, n in Counter(each.channel for each in rows).most_common())
    kinds = {
        "For a child": [each for each in rows if each.child],
        "With a text or a file": [each for each in rows if each.written or each.files],
        "Need a look": [each for each in rows if each.warning],
        "With a deadline": [each for each in rows if each.confirm_by],
        "Settled meanwhile": [each for each in rows if each.phase is not ObjectionPhase.LODGED],
    }
    yield from ((name, f"{len(those):,}") for name, those in kinds.items() if those)


def _told(rows: Iterable[Listed], now: datetime) -> list[tuple[Listed, dict[str, Any]]]:
    """Rows, each with what is said of it in words."""
    return [(each, dict(_words(each, now))) for each in rows]


def _words(row: Listed, now: datetime) -> Iterator[tuple[str, object]]:
    yield "country", country_name(row.country)
    yield "language", language_name(row.language)
    yield "with", came_with(row)
    yield "left", days_left(row, now)


def came_with(row: Listed) -> str:
    """What came with an objection, in words."""
    files = f"{row.files} file{'' if row.files == 1 else 's'}" if row.files else ""
    return ", ".join(filter(None, ("for a child" if row.child else "", "text" if row.written else "", files)))


def days_left(row: Listed | ObjectionState, now: datetime) -> int | None:
    """Whole days until an objection lapses, None where it does not."""
    return None if row.confirm_by is None else max(0, (row.confirm_by - now).days)


def country_name(code: str) -> str:
    """A country in English; "" where none is on file."""
    return str(locale(SOURCE).territories.get(code, code))


def language_name(code: str) -> str:
    """A language in English; "" where none is on file."""
    return str(locale(SOURCE).languages.get(code, code))


def _choices(asked: Asked, found: Listing) -> Iterator[tuple[str, str, list[tuple[str, str]], str]]:
    """Fields to choose from: name, label, what can be chosen, with how many there are, and what is chosen."""
    kinds = (
        ("channel", "Channel", found.channels, asked.wanted.channel, str),
        ("country", "Country", found.countries, asked.wanted.country, country_name),
        ("language", "Language", found.languages, asked.wanted.language, language_name),
    )
    for name, label, counts, chosen, named in kinds:
        there = counts if chosen is None or chosen in counts else {**counts, chosen: 0}
        options = [(each or _NONE, f"{named(each) or 'Not on file'} ({n:,})") for each, n in there.items()]
        yield name, label, [("", "Any"), *options], "" if chosen is None else chosen or _NONE
    yield "sort", "Order", list(_ORDERS.items()), asked.wanted.order
    yield "show", "On a page", [(str(each), str(each)) for each in SIZES], str(asked.show)


def _states(asked: Asked, found: Listing) -> Iterator[tuple[str, str, int, bool]]:
    """What can be looked through: its address, its name, how many there are, and whether it is this list."""
    warned = asked.wanted.warned and asked.wanted.state is Waiting.OPEN
    for state, name in STATES.items():
        yield Asked(Wanted(state)).at(), name, found.states[state], asked.wanted.state is state and not warned
    yield Asked(Wanted(warned=True)).at(), "Need a look", found.warned, warned


def _pages(asked: Asked, found: Listing) -> Iterator[tuple[str, str]]:
    """Where the pages beside this one are."""
    if found.before:
        yield "First", asked.at()
        yield "Previous", asked.at(**_here(None, found.first))
    if found.before + len(found.rows) < found.total:
        yield "Next", asked.at(**_here(found.last, None))
        yield "Last", asked.at(before="last")


def _place(text: str | None) -> Place | None:
    """A place in an address; None for none, or for what is none."""
    key, _, seq = (text or "").partition(".")
    try:
        place = Place(int(key), int(seq))
    except ValueError:
        return None
    return place if all(-END.key <= each <= END.key for each in place) else None


def _here(after: Place | None, until: Place | None) -> dict[str, str]:
    """What says in an address where this page begins or ends."""
    named = (("after", after), ("before", until))
    return {name: "last" if each == END else f"{each.key}.{each.seq}" for name, each in named if each is not None}


def _until(query: Mapping[str, str]) -> Place | None:
    return END if query.get("before") == "last" else _place(query.get("before"))


def _asked(form: forms.Form) -> Asked:
    """The list that a form stood on."""
    return Asked.read(dict(parse_qsl(form.text("list"))))


def _searched(register: Register, visit: Visit, what: str, office: Office) -> list[Listed]:
    with register.locked():
        by, numbers = _found(register, what, office)
        states = [register.objections.get(reference) for reference in _references(register, numbers)]
        visit.searched(register, by, states)
        return register.objections.listed(numbers)


def _references(register: Register, numbers: Iterable[int]) -> Iterator[str]:
    return filter(None, (register.objections.reference_of(each) for each in numbers))


def _found(register: Register, what: str, office: Office) -> tuple[str, list[int]]:
    """By what somebody was searched for, and the numbers of their objections."""
    try:
        return "reference", [register.objections.get(what).seq]
    except RegisterError:
        account = account_of(what, office.policy.portal.namespace, office.policy.accounts.names)
    if account is None:
        return "nothing", []
    by = "email" if account.startswith("mail:") else "account"
    return by, register.objections.search(*{account, account.lower()})  # a letter begins a name with a capital


def _confirmed(register: Register, visit: Visit, numbers: list[int], office: Office) -> tuple[set[int], list[Listed]]:
    with register.locked():
        done = settling.confirm_all(register, numbers, office)
        visit.acted_on(register, "objection.confirm", done)
        return set(done), register.objections.listed(numbers)
