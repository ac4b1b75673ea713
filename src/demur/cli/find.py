"""``demur find``: everything the corpus holds of and about a person."""

from collections.abc import Iterator

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit
from demur.corpus.find import Found, Row, find
from demur.terms import EntryKind
from demur.workspace import Workspace

_LISTED = 20


@click.command("find")
@click.option("--account", required=True, metavar="NAMESPACE:VALUE", help="An account of the person.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=_LISTED,
    show_default=True,
    metavar="N",
    help="Rows to list of their own, and of others; all are counted.",
)
@click.option("--text", is_flag=True, help="Print the text of the rows too: it may hold what is private.")
@shared
def find_(invocation: Invocation, account: str, limit: int, *, text: bool) -> None:
    """Find everything the corpus holds of and about a person, in all accounts that are proven to be theirs.

    Rows that others wrote are found by the account that they name; once a person objected, others' rows name them
    no more. That their text is printed is on record.
    """
    workspace = invocation.workspace
    account = invocation.account(account)
    found = find(workspace, account, limit=limit)
    if text:
        _record_reading(workspace, account)
    emit(lambda: "\n".join(_page(found, text=text)), _data(found, text=text))


def _record_reading(workspace: Workspace, account: str) -> None:
    """Put on record that somebody with the workspace's keys reads a person's texts, before they do."""
    with workspace.register() as register:
        register.log.append(EntryKind.DATA_READ, {"command": "find"}, subjects=register.members.covered_with(account))


def _page(found: Found, *, text: bool) -> Iterator[str]:
    known = f"{count(found.accounts, 'account')} known"
    yield f"{known}; an objection is in force." if found.objected else f"{known}; no objection is in force."
    for own, total, title in (
        (True, found.own, "written by them"),
        (False, found.about, "of others that name or show them"),
    ):
        rows = [row for row in found.rows if row.own is own]
        yield f"{count(total, 'row')} {title}{':' if rows else '.'}"
        for row in rows:
            yield from _lines(row, text=text)
        if rows and len(rows) < total:
            yield f"  ... and {total - len(rows):,} more: --limit lists them."


def _lines(row: Row, *, text: bool) -> Iterator[str]:
    day = row.created.date().isoformat() if row.created else "undated"
    how = "" if row.own else f"  {', '.join(row.how)}"
    yield f"  {row.item}  {day:10}  {row.kind}{how}"
    if text:
        yield from (f"      {line}" for line in row.text.splitlines())


def _data(found: Found, *, text: bool) -> dict[str, object]:
    rows = [
        vars(row) if text else {name: value for name, value in vars(row).items() if name not in {"text", "passages"}}
        for row in found.rows
    ]
    return {**vars(found), "rows": rows}
