"""What those ask for who watch over the server: /healthz, /readyz, and /metrics in Prometheus's text format.

Invariants: nothing here names anybody; /healthz touches neither database nor disk; what /readyz and /metrics read is
read by one at a time and kept for moments, however often they are asked; /metrics is for a key with the scope
`metrics` alone, so that the public can't read it before an operator makes one.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, ClassVar, Final, Generic, TypeVar

from fastapi import APIRouter, Request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.responses import JSONResponse, PlainTextResponse, Response

from demur import health
from demur.health import Check
from demur.register import KeyScope, Register
from demur.register.figures import BOUNDS_S
from demur.terms import EntryKind
from demur.web.api.routing import ApiRoute
from demur.web.desk import Desk
from demur.web.pages import desk
from demur.worker.platform_lanes import MARK, TOLD
from demur.worker.upkeep import STALE

_READY_S: Final = 1.0
_FIGURES_S: Final = 10.0
"""How long figures are kept: they take .18 s of processor time at a million objections (docs/operations.md)."""
_PATIENCE_S: Final = 5.0
"""For the register's answer: a probe that hangs says less than one that fails."""

T = TypeVar("T")


class Kept(Generic[T]):
    """An answer that is kept for some seconds, and asked for by one at a time."""

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._until = 0.0
        self._task: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The answer.

        Raises:
            TimeoutError: when there is none in time; whoever asks next waits for the same one.
        """
        task = self._task
        if task is None or (task.done() and time.monotonic() >= self._until):
            task = self._task = asyncio.create_task(self._asked())
        return await asyncio.wait_for(asyncio.shield(task), _PATIENCE_S)

    async def _asked(self) -> T:
        try:
            return await asyncio.to_thread(self._ask)
        finally:
            self._until = time.monotonic() + self._seconds


class MetricsRoute(ApiRoute):
    """A route for whoever reads figures."""

    scope: ClassVar[KeyScope] = KeyScope.METRICS


router = APIRouter()
_watched = APIRouter(route_class=MetricsRoute)


@router.get("/healthz", include_in_schema=False)
async def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> Response:
    """All parts agree; with `?exclude=worker`, whatever the worker does: objections are taken in without it."""
    at = desk(request)
    kept = _kept(request, "ready", lambda: health.failing(at.workspace, at.register), _READY_S)
    try:
        failing = await kept.get()
    except TimeoutError:
        failing = [Check.REGISTER]
    excluded = request.query_params.getlist("exclude")
    failing = [each for each in failing if each.value not in excluded]
    told = {"ready": not failing, "failing": [each.value for each in failing]}
    return JSONResponse(told, 503 if failing else 200)


@_watched.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """The figures of the register, and of this process."""
    at = desk(request)
    kept = _kept(request, "figures", lambda: list(_of_register(at)), _FIGURES_S)
    shown = _Shown([*await kept.get(), *_of_process(at)])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(shown)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


router.routes.extend(_watched.routes)


def _kept(request: Request, name: str, ask: Callable[[], T], seconds: float) -> Kept[T]:
    kept: Kept[T] | None = getattr(request.app.state, name, None)
    if kept is None:
        kept = Kept(ask, seconds)
        setattr(request.app.state, name, kept)
    return kept


class _Shown(Collector):
    """Metrics that are there already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        """All of them."""
        return self._metrics


def _of_process(at: Desk) -> Iterator[Metric]:
    """What this server process knows by itself."""
    yield _gauge("demur_intake_waiting", "Objections and other acts that wait to be recorded here.", at.intake.waiting)
    answered = CounterMetricFamily(
        "demur_http_requests", "Requests answered by this process.", labels=("part", "status")
    )
    for (part, status), number in sorted(at.answered.items()):
        answered.add_metric((part, str(status)), number)
    yield answered


def _of_register(at: Desk) -> Iterator[Metric]:
    """What every server of the register says alike."""
    register = at.register
    yield _labelled("demur_build_info", "The version of demur.", ("version",), {(version("demur"),): 1})
    events = TOLD if at.policy().webhooks.url else frozenset()
    read = register.figures.read(events, int(register.state(MARK) or 0))
    objections = "Objections, by the channel they came by and the phase they stand in."
    yield _labelled("demur_objections", objections, ("channel", "phase"), read.objections)
    effect, below = (
        HistogramMetricFamily(
            "demur_objection_effect_seconds", "From an objection's acknowledgement until the corpus followed it."
        ),
        0,
    )
    buckets = []
    for bound, number in zip((*map(str, map(float, BOUNDS_S)), "+Inf"), read.effect.counts, strict=True):
        below += number
        buckets.append((bound, below))
    effect.add_metric((), buckets, read.effect.seconds)
    yield effect
    waiting = {(kind,): number for (kind, what), number in read.posted.items() if what == "waiting"}
    waiting |= {("events",): read.events} if events else {}
    yield _labelled("demur_waiting", "Mails, notices and webhook events that wait to be delivered.", ("kind",), waiting)
    for what, said in (("returned", "came back"), ("failed", "were given up")):
        those = {(kind,): number for (kind, which), number in read.posted.items() if which == what}
        yield _labelled(f"demur_{what}", f"Mails and notices that {said}.", ("kind",), those)
    yield from _of_versions(register)
    yield from _of_following(at)


def _of_versions(register: Register) -> Iterator[Metric]:
    retired = {entry.payload["name"] for entry in register.log.entries(EntryKind.VERSION_RETIRED)}
    published = [entry.payload["name"] for entry in register.log.entries(EntryKind.VERSION_PUBLISHED)]
    exported = [entry.payload["name"] for entry in register.log.entries(EntryKind.VERSION_EXPORTED)]
    for what, names, said in (
        ("demur_versions", published, "Versions, by whether they were retired."),
        ("demur_exports", exported, "Exports that were handed out, by whether their version was retired."),
    ):
        gone = sum(name in retired for name in names)
        yield _labelled(what, said, ("version",), {("published",): len(names) - gone, ("retired",): gone})
    if (stale := register.state(STALE)) is not None:
        yield _gauge("demur_versions_stale", "Published versions with rows that may not be used any more.", int(stale))


def _of_following(at: Desk) -> Iterator[Metric]:
    found, head = health.following(at.workspace, at.register), at.register.log.head()
    yield _gauge("demur_register_entry", "The number of the register's last entry.", head.seq)
    yield _gauge("demur_register_binding_entry", "The number of its last binding entry.", head.binding)
    if found.honoured is not None and found.unhonoured is not None:
        yield _gauge("demur_corpus_honoured_entry", "The last binding entry that the corpus honours.", found.honoured)
        number, oldest = found.unhonoured.objections, found.unhonoured.oldest
        age = 0.0 if oldest is None else max(0.0, time.time() - oldest.timestamp())
        yield _gauge("demur_objections_unhonoured", "Objections that the corpus has not followed yet.", number)
        yield _gauge("demur_objections_unhonoured_age_seconds", "How long the first of them has waited.", age)
    yield _gauge("demur_workers", "Workers that are at work.", found.workers)
    if found.beat is not None:
        said = "When a worker last said that it is at work."
        yield _gauge("demur_worker_beat_timestamp_seconds", said, found.beat.timestamp())


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)


def _labelled(name: str, said: str, labels: tuple[str, ...], values: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for label, value in sorted(values.items()):
        family.add_metric(label, value)
    return family
