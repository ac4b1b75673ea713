"""``demur find``: everything the corpus holds of and about a person, or every row that holds some words.

Invariants: whose texts are printed is on record before they are; what was looked for is not, as it may name somebody.
"""

from collections.abc import Iterator
from datetime import datetime

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, named
from demur.corpus.find import Found, Row, Searched, find, search
from demur.register import JSON
from demur.register.objections.names import Kept
from demur.terms import EntryKind
from demur.workspace import Workspace

_LISTED = 20


@click.command("find")
@click.option("--account", metavar="NAMESPACE:VALUE", help="An account of the person.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=_LISTED,
    show_default=True,
    metavar="N",
    help="Rows to list of their own, and of others; all are counted.",
)
@click.option(
    "--text",
    "words",
    is_flag=False,
    flag_value="",
    metavar="[WORDS]",
    help="Find the rows whose text holds these words, of everybody or of the person: whole words side by side, in any "
    "case. Without words: print the text of the person's rows too. It may hold what is private.",
)
@shared
def find_(invocation: Invocation, account: str | None, limit: int, words: str | None) -> None:
    """Find everything the corpus holds of and about a person, in all accounts that are proven to be theirs.

    Rows that others wrote are found by the account that they name; once a person objected, others' rows name them
    no more, and it is told how many spellings of their names are looked for. With --text WORDS it finds rows by what
    stands in them, whoever wrote it: for somebody who writes that the corpus quotes them without naming an account.
    That texts are printed, and whose, is on record.
    """
    if account is None and not words:
        raise click.UsageError("Missing option '--account'", click.get_current_context())
    account = None if account is None else invocation.account(account)
    if account is None or words:
        _search(invocation.workspace, words or "", account, limit)
    else:
        _find(invocation.workspace, account, limit, text=words is not None)


def _search(workspace: Workspace, words: str, account: str | None, limit: int) -> None:
    searched = search(workspace, words, account=account, limit=limit)
    if len(searched.authors):
        with workspace.register() as register:
            said: dict[str, JSON] = {"command": "find", "by": "words", "rows": len(searched.hits)}
            register.log.append(EntryKind.DATA_READ, said, subjects=searched.authors)
    data = {"rows": searched.rows, "hits": [vars(hit) for hit in searched.hits]}
    emit(lambda: "\n".join(_hits(searched)), data)


def _hits(searched: Searched) -> Iterator[str]:
    hold = "holds" if searched.rows == 1 else "hold"
    yield f"{count(searched.rows, 'row')} {hold} these words{', the newest first:' if searched.hits else '.'}"
    for hit in searched.hits:
        yield f"  {hit.item}  {_day(hit.created):10}  {hit.kind}  {hit.author}"
        yield f"      {hit.excerpt}"
    if searched.hits and len(searched.hits) < searched.rows:
        yield f"  ... and {searched.rows - len(searched.hits):,} more: --limit lists them."


def _find(workspace: Workspace, account: str, limit: int, *, text: bool) -> None:
    found = find(workspace, account, limit=limit)
    with workspace.register() as register:
        kept = register.names.kept(register.persons.own(account))
    if text:
        _record_reading(workspace, account)
    emit(lambda: "\n".join(_page(found, kept, text=text)), {**_data(found, text=text), "names": vars(kept)})


def _record_reading(workspace: Workspace, account: str) -> None:
    """Put on record that somebody with the workspace's keys reads a person's texts, before they do."""
    with workspace.register() as register:
        register.log.append(EntryKind.DATA_READ, {"command": "find"}, subjects=register.members.covered_with(account))


def _page(found: Found, kept: Kept, *, text: bool) -> Iterator[str]:
    known = f"{count(found.accounts, 'account')} known"
    yield f"{known}; an objection is in force." if found.objected else f"{known}; no objection is in force."
    if kept.searched or kept.waiting:
        yield from named(kept)
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
    if found.pictures or found.tagged:
        yield f"{count(found.pictures, 'picture')} of theirs, {found.tagged:,} of others that tag them."


def _lines(row: Row, *, text: bool) -> Iterator[str]:
    how = "" if row.own else f"  {', '.join(row.how)}"
    yield f"  {row.item}  {_day(row.created):10}  {row.kind}{how}"
    if text:
        yield from (f"      {line}" for line in row.text.splitlines())


def _day(created: datetime | None) -> str:
    return created.date().isoformat() if created else "undated"


def _data(found: Found, *, text: bool) -> dict[str, object]:
    rows = [
        vars(row) if text else {name: value for name, value in vars(row).items() if name not in {"text", "passages"}}
        for row in found.rows
    ]
    return {**vars(found), "rows": rows}
