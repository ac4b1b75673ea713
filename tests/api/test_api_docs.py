"""What is written about the API is what it does: the OpenAPI file, the page, and every example of docs/api.md."""

import os
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from demur.register import Register, Selection
from demur.terms import Channel
from demur.web.api import models
from demur.web.api.root import ROUTES, served
from demur.web.problems import PROBLEMS, TYPE

EVERYBODY = Selection(regions=None, unknown_region=True, born_by=None, unknown_age=True)
_BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def written(root: Path) -> str:
    return (root / "docs" / "api.md").read_text()


def test_the_file_in_docs_is_what_is_served(root: Path, anyone: TestClient) -> None:
    told = anyone.get("/api/openapi.json")
    assert told.headers["content-type"] == "application/json"
    assert told.content == (root / "docs" / "openapi.json").read_bytes(), "run tools/openapi.py"


def test_it_is_openapi_with_every_route_and_a_scheme_for_the_key() -> None:
    document = orjson.loads(served())
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {
        (method, route.path_format)  # type: ignore[attr-defined]  # all are API routes
        for route in ROUTES
        for method in route.methods  # type: ignore[attr-defined]  # the same
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"key": []}]
            assert {"401", "422", "429", "503"} <= set(operation["responses"])
            assert operation["tags"]
            assert operation["summary"]


@pytest.mark.parametrize("model", [models.NewObjection, models.NewObjections, models.Lapse, models.Who, models.ShownTo])
def test_every_example_is_read(model: Any) -> None:  # noqa: ANN401  # any model
    TypeAdapter(model).validate_json(orjson.dumps(models.example(model)))


def test_the_page_is_well_made_and_names_every_route(app: FastAPI) -> None:
    with TestClient(app, base_url="http://127.0.0.1:8470") as client:
        page = client.get("/api/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    for route in ROUTES:
        assert route.path_format in page.text  # type: ignore[attr-defined]  # all are API routes


def test_every_problem_is_in_the_docs_and_every_one_in_the_docs_exists(written: str) -> None:
    told = set(re.findall(rf"\| (\d+) \| `{TYPE}([a-z-]+)` \|", written))
    assert told == {(str(status), name) for name, (status, _) in PROBLEMS.items()}


def test_every_example_of_the_docs_works(
    written: str, address: str, key: str, client_module: ModuleType, register: Register
) -> None:
    register.campaigns.start("autumn", EVERYBODY, [Channel.IN_APP])
    names: dict[str, Any] = {"PORTAL": address, "KEY": key}
    blocks = _BLOCK.findall(written)
    assert {language for language, _ in blocks} == {"sh", "python"}
    for language, code in blocks:
        if language == "python":
            exec(compile(code, "docs/api.md", "exec"), names)
        else:
            environment = os.environ | {"PORTAL": address, "KEY": key}
            answer = subprocess.run(["sh", "-c", code], env=environment, capture_output=True, text=True, check=True)
            assert orjson.loads(answer.stdout)["reference"]
    assert client_module
    assert names["copy"].startswith(b"PK")
