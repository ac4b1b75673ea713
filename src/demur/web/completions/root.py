"""The application of one model: which models there are, completions whole or piece by piece, and a word about chat.

Invariants: a model that others than this machine can reach answers only to a key of the scope `generate`; so many texts
are drawn at a time and so many wait, and whoever comes then is told to come back; what is streamed and may not go on
ends with a sentence.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response, StreamingResponse

from demur.errors import UsageError
from demur.register import KeyScope
from demur.runs.facts import read_facts
from demur.training.generating import Generation
from demur.training.serving import Loaded, Model
from demur.web import failures
from demur.web.api.routing import caller, said
from demur.web.completions.answers import DONE, Completion, event, guarded, models, refusal, refused, usage_of
from demur.web.completions.asked import Asked
from demur.web.desk import Desk
from demur.web.gate import Gate
from demur.web.problems import Problem, for_clients_of_models
from demur.web.server.headers import moment
from demur.workspace import Workspace

_AT_ONCE: Final = 2
"""Texts that are drawn at a time."""
_WAITING: Final = 64
"""Texts that wait for their turn."""
_CHAT: Final = (
    "This model was trained to continue texts, not to answer messages: send what it should continue to /v1/completions."
)

T = TypeVar("T")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
log = logging.getLogger("demur.web")


class ModelRoute(APIRoute):
    """A route for clients of a model."""

    def get_route_handler(self) -> Handler:
        """The route, behind the check of the key and in front of what goes wrong."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                if request.app.state.keyed:
                    await caller(request, KeyScope.GENERATE)
                return await inner(request)
            except Exception as error:
                known = refusal(error)
                if known is None:
                    raise
                _note(error, known[0])
                return refused(*known, error.headers if isinstance(error, Problem) else None)

        return handle


router: Final = APIRouter(prefix="/v1", route_class=ModelRoute)


def create_app(workspace: Workspace, model: Model, *, keyed: bool) -> FastAPI:
    """The application of one model of a workspace.

    Args:
        workspace: whose keys open it.
        model: what answers.
        keyed: whether a key is asked for: wherever others than this machine can reach it.

    Raises:
        DemurError: when the workspace can't be opened.
    """
    desk = Desk(workspace)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(title="demur", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.desk, app.state.model, app.state.keyed = desk, model, keyed
    app.state.turns = CapacityLimiter(_AT_ONCE)
    app.add_middleware(Gate, desk=desk)
    failures.install(app)
    app.include_router(router)
    return app


@router.get("/models")
async def list_models(request: Request) -> Response:
    """The one model that answers here."""
    model = _model(request)
    loaded = await _in_turn(request, model.loaded)
    begun = max(read_facts(run.model(number)).started for run, (number, _) in zip(model.runs, loaded.at, strict=True))
    return JSONResponse(models([(model.name, int(begun.timestamp()))]))


@router.post("/chat/completions")
async def chat() -> Response:
    """Nothing: a model that continues texts has no other side of a conversation."""
    raise UsageError(_CHAT)


@router.post("/completions")
async def complete(request: Request) -> Response:
    """How a text goes on."""
    asked, _ = await said(request, Asked)
    model = _model(request)
    asked.require(model.name)
    if asked.stream:
        loaded, generation, pieces = await _in_turn(request, lambda: model.pieces(asked.text, asked.sampling))
        first = await _in_turn(request, lambda: next(pieces, None))
        return StreamingResponse(
            _stream(request, asked, (loaded, generation), first, pieces), media_type="text/event-stream"
        )
    loaded, generation, text = await _in_turn(request, lambda: model.complete(asked.text, asked.sampling))
    completion = Completion(model.name, loaded.name)
    told = completion.answer(text, generation.finish, usage=usage_of(generation), demur=guarded(generation))
    return JSONResponse(told)


async def _stream(
    request: Request, asked: Asked, drawn: tuple[Loaded, Generation], first: str | None, pieces: Iterator[str]
) -> AsyncIterator[bytes]:
    """The pieces of a text as events; its end, or why it ends."""
    loaded, generation = drawn
    completion, piece = Completion(asked.model, loaded.name), first
    try:
        while piece is not None:
            if piece:
                yield event(completion.answer(piece))
            piece = await _in_turn(request, lambda: next(pieces, None))
        yield event(completion.answer("", generation.finish, demur=guarded(generation)))
        if asked.stream_options and asked.stream_options.include_usage:
            yield event(completion.answer("", None, usage=usage_of(generation)) | {"choices": []})
        yield DONE
    except Exception as error:  # noqa: BLE001  # whatever it is, the client reads one sentence
        status, told = refusal(error) or (500, for_clients_of_models(500, "Something went wrong here: ask again."))
        _note(error, status)
        yield event(told)


async def _in_turn(request: Request, act: Callable[[], T]) -> T:
    """Do what keeps a processor busy, in a thread, once it is its turn.

    Raises:
        Problem: when too many wait already.
    """
    turns: CapacityLimiter = request.app.state.turns
    if turns.statistics().tasks_waiting >= _WAITING:
        raise Problem("too-many", "Too many texts are being drawn: ask again in a moment.", Retry_After="1")
    return await to_thread.run_sync(act, limiter=turns)


def _model(request: Request) -> Model:
    found = request.app.state.model
    assert isinstance(found, Model)
    return found


def _note(error: Exception, status: int) -> None:
    """Tell the log of what its clients are not told: the kind of error, and for one of ours its sentence."""
    if status >= 500:  # noqa: PLR2004  # HTTP's classes
        log.warning(json.dumps({"time": moment(), "error": type(error).__name__, "said": str(error)}))
