"""``demur relodge``: receipts lodge again what a register lost."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit
from demur.errors import CheckFailed, DemurError, UsageError
from demur.objecting.relodging import Relodged
from demur.objecting.relodging import relodge as relodge_one

_MOST_BYTES = 1 << 20


@click.command
@click.argument("receipts", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="RECEIPT...")
@click.option("--check", "look", is_flag=True, help="Lodge nothing; exit status 1 where an objection is missing.")
@shared
def relodge(invocation: Invocation, receipts: tuple[Path, ...], *, look: bool) -> None:
    """Lodge the objections of RECEIPTs again that the register has lost: files, or folders of them.

    A register that was put back from a backup without its mark lacks what was acknowledged since. Each receipt is
    checked as anybody checks it, and holds, sealed for this workspace, what lodges the objection with all its accounts,
    its reference and its day. One that is on record stays as it is. Words and attachments are in no receipt.
    """
    workspace, files = invocation.workspace, list(_files(receipts))
    if not files:
        raise UsageError("There is no receipt in that folder: name files, or a folder with files that end with .json.")
    with workspace.register() as register:
        before, done = register.log.head().seq, dict[Path, Relodged]()
        refused = dict[Path, DemurError]()
        for path in files:
            try:
                done[path] = relodge_one(register, _read(path), look=look)
            except DemurError as error:
                refused[path] = error
        end = register.log.head().seq
    lines = [f"{path}: {_said(each, end)}" for path, each in done.items()]
    lines += [f"{path}: {error}" for path, error in refused.items()]
    counts = Counter(each.said for each in done.values())
    summary = f"{counts['lodged']:,} lodged again, {counts['kept']:,} on record, {counts['ended']:,} had ended."
    data = {
        **counts,
        "receipts": len(files),
        "references": [each.reference for each in done.values() if each.reference],
    }
    if refused or counts["missing"]:
        told = f"{counts['missing']:,} missing, {len(refused):,} refused, of {count(len(files), 'receipt')}"
        if counts["lodged"]:  # what was lodged is honoured, whatever became of the others
            recorded(workspace, summary, data, after=before + 1)
        for line in lines[:-1]:
            click.echo(line, err=True)
        kinds = {type(each) for each in refused.values()}
        kind = kinds.pop() if len(kinds) == 1 and not counts["missing"] else CheckFailed
        raise kind(f"{lines[-1]} ({told})")
    lines.append(summary)
    if counts["lodged"]:
        recorded(workspace, "\n".join(lines), data, after=before + 1)
    else:
        emit("\n".join(lines), data)


def _files(named: tuple[Path, ...]) -> Iterator[Path]:
    for path in named:
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise UsageError(f"It can't be read ({error.strerror}): name a receipt.") from None


def _said(done: Relodged, end: int) -> str:
    shown = done.shown
    if done.said == "lodged":
        also = " It came with an erasure: ask for that again (`demur erase`)." if done.erasing else ""
        return f"entry {shown.entry:,} was missing; lodged again as entry {done.seq:,}, and binds.{also}"
    if done.said == "missing":
        return (
            f"entry {shown.entry:,}, of a log of {shown.size:,}, is MISSING: the register ends at entry {end:,} and "
            "does not hold it."
        )
    if done.said == "ended":
        return f"entry {shown.entry:,} is missing, and the receipt says that the objection had ended: nothing to lodge."
    return f"on record (entry {done.seq:,})."
