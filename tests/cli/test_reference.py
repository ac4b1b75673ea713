"""The reference pages say what the code says."""

from pathlib import Path

import pytest

from demur.cli.reference import cli_page, policy_page


@pytest.mark.parametrize(("name", "page"), [("cli.md", cli_page), ("policy.md", policy_page)], ids=["cli", "policy"])
def test_a_reference_page_is_not_stale(root: Path, name: str, page: object) -> None:
    assert callable(page)
    assert (root / "docs" / name).read_text("utf-8") == page(), "run `python -m demur.cli.reference docs`"
