"""Whatever is sent, the API answers as its OpenAPI document says, and never with a fault of its own (schemathesis)."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from making import open_policy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from demur.web.api.root import served
from demur.web.app import create_app
from demur.web.server.limits import Limits, Rate, Rates
from demur.workspace import create

NO_HURRY: Final = Rate(10**9, 1.0)
FEW: Final = 6
MANY: Final = int(os.environ.get("DEMUR_EXAMPLES", "5000")) // 5
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
TOLERANT: Final = {
    ("/api/objections/batch", "post"),  # refuses each by itself
    ("/api/notices", "get"),  # a further parameter does no harm
}
CALM: Final = settings(deadline=None, suppress_health_check=list(HealthCheck))


@asynccontextmanager
async def _open(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture(scope="module")
def conforming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """An application that takes its time for nobody."""
    workspace = create(tmp_path_factory.mktemp("conformance") / "w", open_policy())
    app = create_app(workspace, limits=Limits(Rates(page=NO_HURRY, key=NO_HURRY)))
    app.router.lifespan_context = _open  # schemathesis starts and stops the application for each call
    yield app
    app.state.desk.close()


@pytest.fixture(scope="module")
def secret(conforming: FastAPI) -> str:
    made: str = conforming.state.desk.register.api_keys.create("schemathesis")
    return made


@pytest.fixture(scope="module")
def described(conforming: FastAPI) -> BaseSchema:
    return schemathesis.openapi.from_asgi("/api/openapi.json", conforming)


OPERATIONS: Final = [(path, method) for path, methods in orjson.loads(served())["paths"].items() for method in methods]


def check(schema: BaseSchema, path: str, method: str, secret: str, examples: int) -> None:
    """Sends what fits the description, and what does not, and compares the answers with it."""
    checks = CHECKS if (path, method) in TOLERANT else [*CHECKS, negative_data_rejection]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @given(case=schema[path][method].as_strategy(generation_mode=mode))
        @settings(CALM, max_examples=examples)
        def send(case: Case[Any]) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=checks)

        send()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_is_described(described: BaseSchema, secret: str, path: str, method: str) -> None:
    check(described, path, method, secret, FEW)


@pytest.mark.soak
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_is_described_in_long_runs(
    described: BaseSchema, secret: str, path: str, method: str
) -> None:
    check(described, path, method, secret, MANY)
