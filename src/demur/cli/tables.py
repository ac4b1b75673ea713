"""Tables on stdout: plain text, columns aligned, the same with and without a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from demur.policy import Policy, rule_of
from demur.terms import Reason


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> Iterator[str]:
    """Lines of a table.

    Args:
        head: The columns' names.
        rows: Cells.
        right: Names of the columns, with spaces between, whose cells are numbers.
    """
    numbers = set(right.split())
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = (
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(head, row, widths, strict=True)
        )
        yield "  " + "  ".join(cells).rstrip()


def reasons_table(left_out: Mapping[Reason, int], policy: Policy) -> Iterator[str]:
    """What was left out by each reason, with the rule behind it."""
    rows = [(str(reason), f"{number:,}", rule_of(reason, policy)) for reason, number in left_out.items()]
    return table(("reason", "items", "rule"), rows, right="items")
