"""What holds of every audit's page: each number with its unit, what it is over, and its interval or why it has none."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element

from pages import text_of
from sheets import read_sheet

FIRST: Final = "The audit in short"
"""The heading of the audit's first section."""
LAST: Final = "Which model, and who"
"""That of its last."""
FIGURES: Final = ["figure", "value [95 %]", "unit", "over", "note"]
WORDS: Final = (["attack", "why not"], ["what", "is"])
"""Tables that hold no figure of an attack."""


def require_bounded(html: str, audit: Mapping[str, Any]) -> int:
    """Make sure of it, and that the page shows every figure of the report, none of them bare.

    Args:
        html: a page that is, or holds, the audit's.
        audit: the report, as its JSON.

    Returns:
        How many numbers have an interval.
    """
    shown: Counter[tuple[str, str, str]] = Counter()
    bounded = 0
    for part in _sections(read_sheet(html)):
        for table in part.iter("table"):
            head, *lines = [[text_of(cell) for cell in row if cell.tag in {"th", "td"}] for row in table.iter("tr")]
            if head == FIGURES:
                bounded += sum([_is_bounded(*line) for line in lines])
                shown.update((name, unit, over) for name, _, unit, over, _ in lines)
            elif head not in WORDS:  # the points of a curve
                assert "have no interval of their own" in text_of(next(table.iter("caption"))), head
        for card in part.iter("dt"):
            said = text_of(card)
            told = "members audited, of" in said or "people held out, of" in said
            assert told or "[" in said or "no interval: " in said, said
    findings = audit["findings"]
    wanted = [(one["name"], one["unit"], f"{one['n']:,} {one['of']}") for each in findings for one in each["figures"]]
    assert wanted
    assert not Counter(wanted) - shown
    return bounded


def _sections(tree: Element) -> Iterator[Element]:
    """The audit's, in their order."""
    every = list(tree.iter("section"))
    heads = [text_of(next(each.iter("h2"))) for each in every]
    return iter(every[heads.index(FIRST) : heads.index(LAST) + 1])


def _is_bounded(name: str, value: str, unit: str, over: str, note: str) -> bool:
    """Whether a figure has its interval; it has a unit and what it is over, and else it says why it has none."""
    assert unit, name
    number, *of = over.split()
    assert number.replace(",", "").isdigit(), name
    assert of, name
    if value.endswith("]"):
        low, high = (float(each.replace(",", "")) for each in value.partition("[")[2].rstrip("]").split(", "))
        assert low <= high, name
        return True
    assert note, name
    assert value == "not told" or (value.endswith("(no interval)") and "interval" in note), name
    return False
