"""``demur audit skew``: what objections and the policy did to the corpus, by what sources say of items."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress, table
from demur.corpus.session import reading

if TYPE_CHECKING:
    from demur.versions.skew import Cell, Skew

_HEAD = ("read", "left out", "share", "version", "weight")


@click.command("skew")
@click.argument("name")
@shared
def audit_skew(invocation: Invocation, name: str) -> None:
    """Compare what was read with what the version NAME holds: by kind, language, region of the member, and year.

    From the counts of imports alone: what was left out is not kept, and nothing is inferred about anybody. Weight is a
    value's share of the version over its share of what was read. Counts from 1 to 9 are hidden.
    """
    from demur.versions import skew  # noqa: PLC0415  # it loads the kernel

    with progress(f"Counting {name}"), reading(invocation.workspace) as session:
        found = skew.skew(session, name)
    emit(lambda: "\n".join(_lines(found, skew.ASSUMED)), skew.data(found) | {"assumed": skew.ASSUMED})


def _lines(found: "Skew", assumed: str) -> Iterator[str]:
    yield f"{count(found.imports, 'import')} compared with version {found.name}."
    for cell, rows in found.cells.items():
        yield ""
        yield from table((cell, *_HEAD), [_row(each) for each in rows], right=" ".join(_HEAD))
    yield ""
    if found.lacking:
        yield f"{count(found.lacking, 'import')} of an older demur counted nothing by these: read those sources again."
    yield assumed


def _row(cell: "Cell") -> tuple[str, ...]:
    from demur.versions.few import told  # noqa: PLC0415  # as above

    share, weight = ("" if each is None else f"{each:.2f}" for each in (cell.share, cell.weight))
    return cell.value or "unknown", told(cell.read), told(cell.left_out), share, told(cell.version), weight
