"""The public texts are plain English: at most six years of school (`make readability` prints every page)."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("textstat", reason="textstat is not installed: `make setup` brings it")


@pytest.fixture(scope="module")
def tool() -> Any:  # noqa: ANN401  # a script
    """tools/readability.py."""
    path = Path(__file__).resolve().parents[2] / "tools" / "readability.py"
    spec = importlib.util.spec_from_file_location("readability", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_public_reads_needs_six_years_of_school(tool: Any) -> None:  # noqa: ANN401  # a script
    texts = tool.measured()
    assert {"/en/", "/en/object", "/en/receipt/…", "/en/mine", "/en/nowhere", "notice", "email receipt"} <= texts.keys()
    assert 2 < tool.total(texts) <= tool.AIM
    said = " ".join(text for some in texts.values() for text in some)
    assert "Harbour Commons tells" in said.replace(" (invented)", "")
    assert "people who do not exist" not in said, "the controller's own wording is graded apart"
    assert tool.grade(tool.own_wording()) > 0


def test_a_page_is_read_as_its_reader_does(tool: Any) -> None:  # noqa: ANN401  # a script
    page = (
        "<title>No</title><header>No, not this one</header><main><h1>You can object</h1>"
        "<p>Write <b>to us</b> at ann@mail.example, or <a href='/x'>here</a>.<!-- no, nor this one --></p>"
        "<ul><li>One two three<li>Yes, no</ul></main><footer>No, not this one</footer>"
    )
    assert tool.sentences(page) == ["You can object.", "Write to us at or here.", "One two three."]
    hard = ["The supervisory authority's administrative responsibilities necessitate documentation."]
    assert tool.grade(hard) > 12
    assert tool.grade(["You can say no. We will stop at once."]) < 4
