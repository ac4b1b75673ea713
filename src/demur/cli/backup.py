"""``demur backup``, ``restore`` and ``mark``: a copy of the workspace, and a workspace out of it and of the mark.

The mark is the file outside the register that says how far it was acknowledged.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from demur import backup as backups
from demur.backup import Backup, Restored
from demur.backup.container import LIST
from demur.backup.keysafe import NAME as SEALED
from demur.backup.keysafe import VARIABLE
from demur.backup.restoring import Source
from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import count, emit, note, progress
from demur.errors import UsageError

_KB = 1_000
_MB = 1_000_000

_PASSPHRASE_FILE = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help=f"Holds the passphrase (else {VARIABLE}, else a terminal is asked).",
)


@click.command
@click.argument("to", type=click.Path(path_type=Path))
@_PASSPHRASE_FILE
@click.option("--without-keys", is_flag=True, help="Leave the keys out: keep a copy of keys/ elsewhere.")
@shared
def backup(invocation: Invocation, to: Path, passphrase_file: Path | None, *, without_keys: bool) -> None:
    """Copy the workspace into the new folder TO, while servers run.

    Commands that change the corpus wait; objections are taken in all the while. The keys are encrypted by a passphrase.
    What is in the outbox is left out. Once the backup is whole, the mark's journal begins anew: keep the mark on
    another disk (`[register] mark`), and the newest backup. A register on PostgreSQL is copied with `pg_dump`. A corpus
    in an object store is copied from there: there has to be room for it in TO.
    """
    workspace = invocation.workspace
    passphrase = None if without_keys else _new_passphrase(passphrase_file)
    with progress("Backing up"):
        made = backups.back_up(workspace, to, passphrase)
    emit(lambda: "\n".join(_made(made)), made)


@click.command
@click.argument("source", metavar="FROM", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_PASSPHRASE_FILE
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A copy of keys/, for a backup without them.",
)
@click.option(
    "--mark",
    "marks",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A mark, besides the one that the demur.toml in the backup names; one for each server.",
)
@click.option("--register", metavar="URL", help="Put the register there, and not where demur.toml says.")
@click.option(
    "--store",
    metavar="URL",
    help='Put the corpus there, and not where demur.toml says; "" for the workspace\'s folder.',
)
@shared
def restore(
    invocation: Invocation,
    source: Path,
    passphrase_file: Path | None,
    keys: Path | None,
    marks: tuple[Path, ...],
    register: str | None,
    store: str | None,
) -> None:
    """Make a workspace of the backup FROM in the folder that -w names, which must be empty or not be there.

    Stop servers and workers before. What the mark holds beyond the backup is done again: objections, confirmations,
    withdrawals, links, consents, and erasures down to the bytes. What can't be is told, and publishing waits until
    sources were read again, or the loss is accepted. If it is cut off, the same command goes on.

    A corpus that lay in an object store is put there again, at a place that has to be empty: --store names another one.
    """
    passphrase = None if keys is not None else _known_passphrase(source, passphrase_file)
    with progress("Restoring"):
        restored = backups.restore(Source(source, passphrase, keys, marks, register, store), invocation.root)
    if not restored.marks:
        note("No mark was found: what was acknowledged since the backup is unknown. If it turns up, restore again.")
    emit(lambda: "\n".join(_restored(restored)), restored)


def _new_passphrase(file: Path | None) -> str:
    given = backups.passphrase_given(file)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            f"A backup's keys need a passphrase: set {VARIABLE}, or give --passphrase-file; --without-keys leaves them "
            "out."
        )
    return str(click.prompt("Passphrase for the keys", hide_input=True, confirmation_prompt=True, err=True))


def _known_passphrase(source: Path, file: Path | None) -> str | None:
    given = backups.passphrase_given(file)
    asked = given is None and (source / SEALED).is_file() and (source / LIST).is_file() and sys.stdin.isatty()
    return str(click.prompt("Passphrase for the keys", hide_input=True, err=True)) if asked else given


def _made(made: Backup) -> Iterator[str]:
    yield f"Backed up to {made.path}: {count(made.files, 'file')}, {made.bytes / _MB:,.1f} MB."
    yield f"The register in it ends at entry {made.entries:,}; the mark's journal begins there."
    if made.keys:
        yield "The keys in it open with the passphrase: keep that elsewhere."
    else:
        yield "The keys are not in it: keep a copy of keys/ elsewhere, nothing replaces them."


def _restored(restored: Restored) -> Iterator[str]:
    yield f"Restored to {restored.path}, up to entry {restored.backup:,} (incarnation {restored.incarnation})."
    yield f"Done again from the mark: {_counts(restored.replayed) or 'nothing'}."
    yield f"Rows that may not be used any more: {restored.deleted:,} deleted; erasures done again: {restored.erased:,}."
    if restored.lost:
        yield f"Lost, as far as is known: {_counts(restored.lost)}."
    if restored.replayed.get("objection.lodged"):
        yield "Reasons, statements and attachments of these objections are lost."
    if restored.lost.get("log.rotated"):
        yield "The log's key was rotated since the backup: rotate it again (`demur log rotate`), if the keys are older."
    if restored.versions:
        yield f"Versions that are gone: {', '.join(restored.versions)}. Their names are not used again."
    if restored.missing:
        yield f"Of {count(restored.missing, 'entry').replace('entrys', 'entries')} nothing is known."
    yield restored.loss or "Nothing is lost that publishing waits for."
    yield f"Check it (`demur status`), then back it up anew{_sudo()}."


def _sudo() -> str:
    return " (you are root: see that the server's user owns it)" if os.geteuid() == 0 else ""


def _counts(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items())


@click.group(cls=Noun)
@in_workspace
def mark(roots: Sequence[Path]) -> None:  # the command reads them
    """Show the mark, or begin a new one where it is lost."""


@mark.command
@shared
def show(invocation: Invocation) -> None:
    """Say where the mark lies, how far it goes, and since when its journal holds what a restore does again."""
    with invocation.workspace.register() as register:
        found = register.mark
        assert found is not None  # a workspace's register has one
        head, end, size = found.head(), found.end(), found.size
        began = next((entry.time for entry in register.log.entries(after=head.begin.seq - 1)), None)
    since = _since(head.begin.seq, began)
    data = {"path": found.path, "begin": head.begin.seq, "end": end.seq, "bytes": size, "incarnation": head.incarnation}
    emit(
        f"{found.path}: up to entry {end.seq:,} (incarnation {head.incarnation}), {size / _KB:,.1f} kB;\n"
        f"its journal begins {since}.",
        data,
    )


@mark.command
@shared
def renew(invocation: Invocation) -> None:
    """Begin a new mark at the register's end, where the old one is lost, or is from before a restore.

    Where it is lost, nobody can tell any more whether the register is the newest one: nothing is published then until
    somebody accepts that (`demur publish NAME --accept-loss`). Back up right after it.
    """
    workspace = invocation.workspace
    with workspace.writing("mark renew"):
        renewed = workspace.renew_mark()
    told = f"A new mark begins at entry {renewed.begin:,} in {renewed.path} (incarnation {renewed.incarnation})."
    if renewed.lost:
        told += " Whether the register was the newest is unknown: publishing waits for --accept-loss. Back up now."
    emit(told, renewed)


def _since(begin: int, began: datetime | None) -> str:
    if not begin or began is None:
        return "with the register: there is no backup yet"
    return f"after entry {begin:,} ({began:%Y-%m-%d %H:%M} UTC), where the last backup ends"
