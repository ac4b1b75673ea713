"""What staff look at: coverage of a campaign, objections by day, where the workspace stands, who the staff are.

Invariants: of the people that demur tells and hears, numbers only, nobody is named; each plot has its numbers in a
table beside it; looking changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from demur.corpus.uncertain import count_uncertain
from demur.notices.languages import SOURCE, locale
from demur.objecting.channels import PROVEN
from demur.register import Register, StaffRole, Waiting, Wanted
from demur.sheet import plots
from demur.status import Status
from demur.status import status as status_of
from demur.terms import NoticeStatus
from demur.versions.states import VersionState
from demur.web.heavy import heavy
from demur.web.pages import desk
from demur.web.staff.frame import Timed, admitted

router: Final = APIRouter(include_in_schema=False, route_class=Timed)

_DAYS: Final = 90
"""Of objections in the plot."""
_POINTS: Final = 30
"""Days of a line at most; of a longer campaign it has every second, third, ... day, and the last."""
_FEW: Final = 2
"""Days that make no line."""
_OTHERS: Final = "Other countries"
_WAITING: Final = frozenset({NoticeStatus.QUEUED, NoticeStatus.SENDING})

Rows = Sequence[tuple[str, date, NoticeStatus, int]]
"""As NoticeBook.coverage has them: region, day, status, people."""


@dataclass(frozen=True)
class Country:
    """How a campaign stands in one country."""

    name: str
    people: int
    told: int
    waiting: int
    bounced: int
    failed: int


@router.get("/staff/coverage")
async def coverage(request: Request, campaign: str = "") -> Response:
    """The latest campaign, or the one that is asked for."""
    visit = await admitted(request, *StaffRole)
    if isinstance(visit, Response):
        return visit
    values = await run_in_threadpool(_values, desk(request).register, campaign, desk(request).now().date())
    return visit.page("staff_coverage.html", **values)


@router.get("/staff/status")
async def status(request: Request) -> Response:
    """Where the workspace stands."""
    visit = await admitted(request, *StaffRole)
    if isinstance(visit, Response):
        return visit
    at = desk(request)
    found = await run_in_threadpool(status_of, at.workspace)
    waiting = await run_in_threadpool(at.register.mails.waiting)
    uncertain = await run_sync(count_uncertain, at.workspace, limiter=heavy)
    queue = await run_in_threadpool(at.register.objections.listing, Wanted(Waiting.DOUBTED), limit=1, proven=PROVEN)
    told: dict[str, Any] = {
        "warnings": list(_warnings(found)),
        "versions": [(each, _stands(each)) for each in found.versions],
        "states": Waiting,
    }
    return visit.page("staff_status.html", found=found, waiting=waiting, queue=queue, uncertain=uncertain, **told)


@router.get("/staff/people")
async def people(request: Request) -> Response:
    """Everybody who was ever invited."""
    visit = await admitted(request, StaffRole.AUDITOR)
    if isinstance(visit, Response):
        return visit
    everybody = await run_in_threadpool(desk(request).register.staff.list)
    return visit.page("staff_people.html", everybody=everybody)


def _warnings(found: Status) -> Iterator[str]:
    """What somebody has to see to."""
    if found.loss:
        yield found.loss
    if found.clock_days is not None:
        yield (
            f"The clock is {found.clock_days} days away from the register's last entry: nothing lapses until it is "
            "right, or has gone on for a day."
        )


def _stands(version: VersionState) -> str:
    """How a version stands, in words."""
    if version.retired:
        return "retired"
    if not version.stale:
        return "follows today's rules"
    return f"{version.stale:,} row{'' if version.stale == 1 else 's'} must leave or change: publish a new one"


def _values(register: Register, wanted: str, today: date) -> dict[str, Any]:
    campaigns = register.campaigns.list()
    chosen = next((each for each in campaigns if each.name == wanted), campaigns[-1] if campaigns else None)
    rows = register.campaigns.coverage(chosen.name) if chosen else []
    over_time = told_over_time(rows)
    days = _recent(register.objections.by_day(), today)
    return {
        "campaigns": campaigns,
        "chosen": chosen,
        "progress": register.campaigns.progress(chosen.name) if chosen else [],
        "countries": by_country(rows),
        "told": over_time,
        "told_plot": _told_plot(over_time),
        "objections": days,
        "objections_plot": _objections_plot(days),
        "objections_all": sum(number for _, number in register.objections.by_day()),
        "days": _DAYS,
    }


def by_country(rows: Rows) -> list[Country]:
    """The countries, those with most people first."""
    counted: defaultdict[str, Counter[NoticeStatus]] = defaultdict(Counter)
    for region, _, status, number in rows:
        counted[region][status] += number
    found = [_country(region, states) for region, states in counted.items()]
    return sorted(found, key=lambda each: (-each.people, each.name))


def told_over_time(rows: Rows) -> dict[str, list[tuple[date, float]]]:
    """For each of the largest countries, and the others together, the share of people told by each day, in percent."""
    countries = [each.name for each in by_country(rows)]
    apart = set(countries if len(countries) <= plots.SERIES else countries[: plots.SERIES - 1])
    people, told = Counter[str](), defaultdict[str, Counter[date]](Counter)
    for region, day, status, number in rows:
        name = _name(region) if _name(region) in apart else _OTHERS
        people[name] += number
        if status is NoticeStatus.SENT:
            told[name][day] += number
    days = _every(sorted({day for counts in told.values() for day in counts}))
    return {
        name: [(day, 100 * sum(n for on, n in told[name].items() if on <= day) / people[name]) for day in days]
        for name, _ in people.most_common()
        if days
    }


def _country(region: str, states: Counter[NoticeStatus]) -> Country:
    return Country(
        name=_name(region),
        people=states.total(),
        told=states[NoticeStatus.SENT],
        waiting=sum(states[each] for each in _WAITING),
        bounced=states[NoticeStatus.BOUNCED],
        failed=states[NoticeStatus.FAILED],
    )


def _name(region: str) -> str:
    return str(locale(SOURCE).territories.get(region, region)) if region else "Unknown"


def _every(days: list[date]) -> list[date]:
    """Every day from the first to the last, thinned out where they are many."""
    if not days:
        return []
    step = max(1, -(-((days[-1] - days[0]).days) // _POINTS))
    between = [days[0] + timedelta(days=each) for each in range(0, (days[-1] - days[0]).days, step)]
    return [*between, days[-1]]


def _recent(days: Sequence[tuple[date, int]], today: date) -> list[tuple[date, int]]:
    return [(day, number) for day, number in days if day > today - timedelta(days=_DAYS)]


def _told_plot(told: Mapping[str, Sequence[tuple[date, float]]]) -> Markup | None:
    if not told:
        return None
    description = "; ".join(f"{name}: {points[-1][1]:.0f} % on {points[-1][0]}" for name, points in told.items())
    days = {day for points in told.values() for day, _ in points}
    draw = plots.dated_bars if len(days) <= _FEW else plots.lines
    return draw("told", "People told, by country, in percent", description, told, top=100, unit=" %")


def _objections_plot(days: Sequence[tuple[date, int]]) -> Markup | None:
    if not days:
        return None
    most = max(days, key=lambda each: each[1])
    description = f"{sum(number for _, number in days)} objections, most of them, {most[1]}, on {most[0]}"
    return plots.columns("objections", "Objections by day", description, days)
