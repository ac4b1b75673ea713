"""What a client of a model is told: completions, pieces of them, and what went wrong.

Invariants: no answer names a file, a checkpoint or a person; what is wrong is one sentence.
"""

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from demur.errors import CheckFailed, DemurError, UnavailableError, UsageError
from demur.training.generating import Generation
from demur.training.serving import MovedError
from demur.web.problems import Problem, for_clients_of_models

RETRY_S: Final = 10
"""When to ask again where nothing can answer, in seconds."""
DONE: Final = b"data: [DONE]\n\n"
"""Ends a stream."""


@dataclass(frozen=True)
class Completion:
    """One completion: what all of its answers have in common."""

    run: str
    model: str
    """``RUN/0001``."""
    id: str = field(default_factory=lambda: f"cmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def answer(self, text: str, finish: str | None = None, **said: Mapping[str, Any]) -> dict[str, Any]:
        """All of it, or a piece of it; with what else is said of it."""
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        told = {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.run,
            "system_fingerprint": self.model,
            "choices": [choice],
        }
        return told | said


def usage_of(generation: Generation) -> dict[str, int]:
    """How many tokens were read and drawn."""
    read, drawn = generation.prompt_tokens, generation.tokens
    return {"prompt_tokens": read, "completion_tokens": drawn, "total_tokens": read + drawn}


def guarded(generation: Generation) -> dict[str, Any]:
    """What the guard did, in a field of our own; with `content_filter` as the reason, it cut the rest besides."""
    return {"guard": generation.masked is not None, "masked": generation.masked}


def event(told: Mapping[str, Any]) -> bytes:
    """An event of a stream (server-sent events, WHATWG HTML, section 9.2)."""
    return f"data: {json.dumps(told)}\n\n".encode()


def models(names: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """The models that answer here, and when each was begun."""
    listed = [{"id": name, "object": "model", "created": created, "owned_by": "demur"} for name, created in names]
    return {"object": "list", "data": listed}


_SENTENCES: Final[tuple[tuple[type[DemurError], int, str | None], ...]] = (
    (UsageError, 400, None),
    (MovedError, 503, None),
    (UnavailableError, 503, "The register can't be read, and it is unknown who objected since: ask again later."),
    (CheckFailed, 503, "Nothing of this model may answer at the moment: ask again later."),
    (DemurError, 503, "This model can't be used at the moment: ask again later."),
)
"""Of each kind the status, and what is said instead of the error's own sentence, which may name a file."""


def refusal(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """The status and the sentence for what went wrong; None for a fault of ours."""
    status, sentence, param = 0, "", None
    if isinstance(error, Problem):
        status, sentence = error.status, error.detail
    elif isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = ".".join(str(each) for each in first["loc"][:1]) or None
        status, sentence = 400, f"`{param or 'body'}`: {first['msg']}."
    elif isinstance(error, HTTPException) and error.status_code == 413:  # noqa: PLR2004  # the gate's
        status, sentence = 413, "The body is too long: send less at once."
    elif isinstance(error, DemurError):
        status, said = next((code, said) for kind, code, said in _SENTENCES if isinstance(error, kind))
        sentence = said or str(error)
    return (status, for_clients_of_models(status, sentence, param=param)) if status else None


def refused(status: int, told: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is no success."""
    again = {"Retry-After": str(RETRY_S)} if status == 503 else {}  # noqa: PLR2004  # HTTP's
    return JSONResponse(told, status, {**again, **(headers or {})})
