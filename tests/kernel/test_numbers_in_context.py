"""Phone numbers and addresses told from other numbers by what stands around them (docs/identifiers.md)."""

from collections import Counter

from numbered import cases


def test_the_table_is_as_long_as_promised_in_both_directions() -> None:
    table = cases()
    assert len({(case.region, case.text) for case in table}) == len(table) >= 600
    assert Counter(case.category == "none" for case in table).most_common()[-1][1] >= 250
    assert all(bool(case.spans) == (case.category != "none") for case in table)
