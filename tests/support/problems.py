"""Reads an answer of the API that is no success, and fails the test where it is not what RFC 9457 asks for."""

from collections.abc import Mapping
from typing import Any, Protocol


class Answer(Protocol):
    """An answer of any of the clients that tests use."""

    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def headers(self) -> Any: ...  # noqa: ANN401  # a mapping of the client's own
    def json(self) -> Any: ...  # noqa: ANN401  # JSON


def problem(answer: Answer, status: int, name: str) -> Mapping[str, Any]:
    """The problem that an answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: Mapping[str, Any] = answer.json()
    assert told["type"] == f"urn:demur:problem:{name}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"].endswith((".", "docs."))
    return told
