"""The hard cases against demur's own finder, one test each; what fails today stands in a table that may only shrink.

``hard_failing.toml`` holds a reason -> names of cases. A case in it that the finder does right fails the test: take it
out of the table. One that is not in it and goes wrong is a step back: it may be put there only where the change that
broke it mends more cases than it breaks, so that ``MOST`` falls.
"""

import tomllib
from pathlib import Path
from typing import Final

import pytest

from people.hard import HardCase, failures, hard_cases
from people.under_test import find

TABLE: Final = Path(__file__).parent / "hard_failing.toml"
FAILING: Final = {
    name: reason for reason, names in tomllib.loads(TABLE.read_text(encoding="utf-8")).items() for name in names
}
MOST: Final = 60
"""How many may stand in the table: lower it as they go."""


def _case(case: HardCase) -> object:
    """A case as a parameter: those in the table are to fail."""
    reason = FAILING.get(case.name)
    marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason)]
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [_case(case) for case in hard_cases()])
def test_the_finder_does_what_a_hard_case_expects(case: HardCase) -> None:
    assert not failures(find, case)


def test_the_table_of_failing_cases_only_shrinks() -> None:
    assert set(FAILING) <= {case.name for case in hard_cases()}
    assert len(FAILING) <= MOST
