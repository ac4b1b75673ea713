"""The loop itself, small: every part is the real one."""

import pytest

from demur.demo.community import Community
from demur.demo.loop import run
from demur.demo.page import render
from demur.demo.report import Report
from demur.errors import WorkspaceError


def test_no_residual(outcome: Report) -> None:
    assert outcome.residual == []
    assert outcome.findings == []
    assert outcome.exported.total() > 1000


def test_read_is_kept_and_left_out(outcome: Report) -> None:
    assert [each.wave for each in outcome.imports] == ["first", "more", "again", "changes"]
    for each in outcome.imports:
        assert each.read == each.kept + each.left_out.total()


def test_objections_cost_something(outcome: Report) -> None:
    assert len(outcome.costs) >= 10
    assert all(cost.milliseconds > 0 for cost in outcome.costs)
    assert sum(cost.deleted for cost in outcome.costs) > 0
    assert sum(cost.rewritten for cost in outcome.costs) > 0


def test_the_last_version_is_what_was_exported(outcome: Report) -> None:
    assert [version.name for version in outcome.versions] == ["v1", "v2", "v3"]
    assert outcome.versions[-1].rows == outcome.exported.total()


def test_the_page_and_the_progress_show_no_finding(outcome: Report, told: list[str]) -> None:
    assert "The residual: 0" in render(outcome)
    assert any(line.startswith("Published v3") for line in told)


def test_no_identifier_in_what_was_exported(outcome: Report) -> None:
    exported = b"".join(path.read_bytes() for path in outcome.export.rglob("*") if path.suffix in {".md", ".json"})
    assert exported
    assert not any(each.encode() in exported for each in Community.generate(outcome.people, outcome.seed).identifiers())


def test_a_workspace_is_never_overwritten(outcome: Report) -> None:
    with pytest.raises(WorkspaceError):
        run(outcome.folder, people=outcome.people)
