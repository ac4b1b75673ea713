"""What the page of documentation shows, read from the OpenAPI document, so that it can't say anything else.

Invariants: every operation, parameter, answer and object of the document is on the page, in its order.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from markupsafe import Markup, escape

JSON_TYPE: Final = "application/json"
_NAME: Final = "#/components/schemas/"
_CODE: Final = re.compile(r"`([^`]*)`")


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of an object."""

    name: str
    kind: str
    """In words."""
    model: str
    """The object that it holds, "" for none."""
    required: bool
    text: Markup


@dataclass(frozen=True)
class OperationAnswer:
    """One answer of an operation."""

    status: str
    text: Markup
    model: str


@dataclass(frozen=True)
class Operation:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    text: Markup
    parameters: tuple[Field, ...]
    model: str
    """Of the body, "" for none."""
    example: str
    """A call of it, as a shell command."""
    answers: tuple[OperationAnswer, ...]


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    name: str
    text: Markup
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Model:
    """An object."""

    name: str
    text: Markup
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Reference:
    """The whole page."""

    about: tuple[Markup, ...]
    groups: tuple[Group, ...]
    models: tuple[Model, ...]


def reference_of(description: bytes) -> Reference:
    """What the page shows of an OpenAPI document."""
    document = orjson.loads(description)
    operations = [
        (operation["tags"][0], _operation(path, method, operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = tuple(
        Group(tag["name"], _prose(tag["description"]), tuple(each for name, each in operations if name == tag["name"]))
        for tag in document["tags"]
    )
    models = tuple(_model(name, schema) for name, schema in document["components"]["schemas"].items())
    return Reference(tuple(map(_prose, document["info"]["description"].split("\n\n"))), groups, models)


def _operation(path: str, method: str, said: Mapping[str, Any]) -> Operation:
    content = said.get("requestBody", {}).get("content", {}).get(JSON_TYPE, {})
    parameters = tuple(
        Field(each["name"], each["in"], "", each.get("required", False), _prose(each.get("description", "")))
        for each in said.get("parameters", ())
    )
    answers = tuple(
        OperationAnswer(status, _prose(answer["description"]), _answered(answer))
        for status, answer in said["responses"].items()
    )
    return Operation(
        id=said["operationId"],
        method=method.upper(),
        path=path,
        summary=said["summary"],
        text=_prose(said.get("description", "")),
        parameters=parameters,
        model=_held(content.get("schema", {}))[1],
        example=_call(path, method, said.get("parameters", ()), content.get("example")),
        answers=answers,
    )


def _answered(answer: Mapping[str, Any]) -> str:
    return next((_held(each.get("schema", {}))[1] for each in answer.get("content", {}).values()), "")


def _call(path: str, method: str, parameters: Any, example: object) -> str:  # noqa: ANN401  # JSON
    query = []
    for each in parameters:
        value = (each["schema"].get("examples") or [""])[0]
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", value)
        elif each["in"] == "query":
            query.append(f"{each['name']}={value}")
    address = "$PORTAL" + path + ("?" + "&".join(query) if query else "")
    parts = ["curl", *(("-X", method.upper()) if method != "get" and example is None else ())]
    parts += ['-H "Authorization: Bearer $KEY"']
    if example is not None:
        parts += ["--json", f"'{json.dumps(example)}'"]
    return " ".join([*parts, f'"{address}"'])


def _model(name: str, schema: Mapping[str, Any]) -> Model:
    required = set(schema.get("required", ()))
    fields = [
        Field(field, *_held(each), field in required, _prose(each.get("description", "")))
        for field, each in schema.get("properties", {}).items()
    ]
    return Model(name, _prose(schema.get("description", "")), tuple(fields))


def _held(schema: Mapping[str, Any]) -> tuple[str, str]:
    """What a value is, in words, and the object that it holds."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_NAME)
        return name, name
    if "anyOf" in schema:
        known = [_held(each) for each in schema["anyOf"]]
        return " or ".join(kind for kind, _ in known), next((model for _, model in known if model), "")
    if schema.get("type") == "array":
        kind, model = _held(schema.get("items", {}))
        return f"list of {kind}", model
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"]), ""
    if "const" in schema:
        return json.dumps(schema["const"]), ""
    return {"date": "date", "date-time": "time"}.get(schema.get("format", ""), schema.get("type", "any")), ""


def _prose(text: str) -> Markup:
    """A text of the document, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped just now
