"""``demur log`` and ``demur prove``: what outsiders check the register by, and two states of it compared."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from demur.canonical import canonical_json
from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared, written
from demur.cli.frame.output import count, emit, progress
from demur.corpus.session import reading
from demur.errors import CheckFailed, UsageError
from demur.files import write_durably
from demur.identity import NEXT_LOG_FILE, Keys
from demur.objecting.receipts import receipt
from demur.register.database.folder import write_log
from demur.rights.absence import prove_absence
from demur.suppression.signed import public_bytes
from demur.transparency import comparing
from demur.transparency.note import NoteKey
from demur.transparency.rotation import Rotation


@click.group(cls=Noun)
@in_workspace
def log(roots: Sequence[Path]) -> None:  # the command reads them
    """Show the log's key, write the log as files that anybody can check, compare two states of it."""


@log.command
@shared
def key(invocation: Invocation) -> None:
    """Print the public key that the log is signed by, in one line.

    Hand it to whoever shall check receipts, on another way than the receipts: a key that comes with what it signed
    shows nothing. `demur-verify.html` in a browser and `demur_verify.py` check by it: hand these out the same way.
    With --json it tells the key that manifests are signed by, too.
    """
    with invocation.workspace.register() as register:
        found = register.proving.key
    signer = invocation.workspace.keys().signing.public_key()
    emit(found.text, {"key": found.text, "origin": found.name, "manifests": public_bytes(signer).hex()})


@log.command
@click.argument("to", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@shared
def export(invocation: Invocation, to: Path) -> None:
    """Write the log into DIR: its newest checkpoint, its tiles, and the commitments to its entries.

    No file names anybody. Into a DIR that holds an earlier state of the log only what is new is written; one that is
    not its beginning is refused, as then one of the two is a fork.
    """
    with invocation.workspace.register() as register, progress("Writing the log"):
        written = write_log(register.proving, to)
    emit(
        f"{count(written.files, 'file')} in {written.folder}: the log has {written.size:,} entries, and the root "
        f"{written.root}.",
        written,
    )


@log.command
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a new file.")
@shared
def opening(invocation: Invocation, to: Path | None) -> None:
    """Print the entry that opened the log, with its salt and a proof that it is in, as JSON.

    It names the log's key, the manifests' key, and the SHA-256 of the pepper: an authority that is shown
    keys/pepper.key compares that with `sha256sum keys/pepper.key`.
    """
    with invocation.workspace.register() as register:
        found = register.proving.opening()
    shown = {"entry": found.entry, "proof": found.proof.text, "salt": found.salt.hex()}
    _hand_out(canonical_json(shown) + b"\n", to, f"Wrote {to}.", {})


@log.command
@click.option("--prepare", is_flag=True, help="Make the next key, and change nothing yet.")
@shared
def rotate(invocation: Invocation, *, prepare: bool) -> None:
    """Have the log signed by a new key from now on.

    An entry that the old and the new key both sign puts it on record; the old key's private half is removed, and
    signatures that it made before go on holding. With several servers run it with --prepare first, copy
    keys/log.next.key into keys/ of each, and then run it without: a server that lacks the key takes in nothing. Hand
    the new key out, and back up.
    """
    workspace = invocation.workspace
    with workspace.writing("log rotate"), workspace.register() as register:  # which finishes one that was cut off
        following = workspace.keys().next_log()
        if prepare:
            path = workspace.keys_path / NEXT_LOG_FILE
            emit(
                f"The next key is in {path}: copy it to every other server, and run `demur log rotate`.",
                {"path": path, "public": following.public_key().public_bytes_raw().hex()},
            )
            return
        made = register.rotate_log(following)
        Keys.settle_log(workspace.keys_path)
    emit(
        f"From entry {made.size:,} on the log is signed by another key: hand it out, and back up.\n{made.new.text}",
        {"key": made.new.text, "retired": made.old.text, "size": made.size},
    )


@log.command
@shared
def cosign(invocation: Invocation) -> None:
    """Ask the witnesses of demur.toml to cosign the log's newest checkpoint now.

    The worker does so by itself. Here it says what each answered. Exit status 1 when one of them has seen more of the
    log than the register holds, or another log: then the register is an older one, or it was changed.
    """
    from demur.worker.cosigning import ask_all, witnesses_of  # noqa: PLC0415  # the worker's parts

    workspace = invocation.workspace
    found = witnesses_of(workspace, workspace.policy())
    if found is None or not any(each.url for each in found.witnesses):
        raise UsageError(
            "There is nobody to ask: write witnesses and their addresses into a file, and name it in demur.toml "
            "([log] witnesses)."
        )
    with workspace.register() as register:
        asked = ask_all(register, found.witnesses, again=True)
    if alarms := [each for each in asked if each.is_alarm]:
        raise CheckFailed(" ".join(each.sentence for each in alarms))
    emit("\n".join(each.sentence for each in asked), [asdict(each) for each in asked])


@log.command
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write them to a new file.")
@shared
def rotations(invocation: Invocation, to: Path | None) -> None:
    """Print how the log's key was rotated, as JSON: each time a statement that the old and the new key signed.

    Whoever has one of the keys can check receipts by all of them: `demur_verify.py RECEIPT KEY --rotations FILE`.
    """
    with invocation.workspace.register() as register:
        found = register.proving.rotations()
    _hand_out(canonical_json([each.json for each in found]) + b"\n", to, f"Wrote {to}.", {})


@log.command
@click.argument("one", type=click.Path(path_type=Path, exists=True))
@click.argument("other", type=click.Path(path_type=Path, exists=True))
@click.option("--key", "given", metavar="KEY", help="The log's key, or a file that holds it; else this workspace's.")
@shared
def compare(invocation: Invocation, one: Path, other: Path, given: str | None) -> None:
    """Say of two states of a log, ONE and OTHER, whether the larger one begins with the smaller one or is a fork.

    Each is a checkpoint, a receipt, or a folder of `demur log export`. Two different roots of one size, both signed by
    the log's key, prove a fork to whoever has that key; for two sizes the larger one has to be a folder. With --key no
    workspace is needed; where the key was rotated, what receipts and folders say of that is followed. A fork ends with
    the exit status 1.
    """
    found = comparing.compare(one, other, *_given_keys(invocation, given))
    first, second = found.sizes
    if not found.same:
        told = f"{one} ({count(first, 'entry')}) and {other} ({count(second, 'entry')})".replace("entrys", "entries")
        raise CheckFailed(f"FORK: the log's key signed both {told}, and one does not begin with the other. Keep both.")
    emit(
        f"One log: {max(found.sizes):,} entries, which begin with the {min(found.sizes):,} of the other one.",
        {"fork": False, "sizes": list(found.sizes)},
    )


def _given_keys(invocation: Invocation, given: str | None) -> tuple[NoteKey, Sequence[Rotation]]:
    if given is None:
        with invocation.workspace.register() as register:
            return register.proving.key, register.proving.rotations()
    return NoteKey.read(written(given)), ()


@click.command
@click.argument("reference")
@click.option("--version", metavar="NAME", help="Prove that this version, published after the objection, lacks them.")
@click.option("--before", metavar="NAME", help="And that this one, published before the objection, had them.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a new file.")
@shared
def prove(invocation: Invocation, reference: str, version: str | None, before: str | None, to: Path | None) -> None:
    """Show that the objection REFERENCE is in the register's log, and that a version lacks whoever objected.

    Alone it gives the receipt as a file: JSON with the exact entry, its salt, a proof of inclusion (C2SP tlog-proof)
    and the signed checkpoint. It names no account, and can't withdraw anything, so that it can be handed on.

    With --version it gives a proof of absence: that none of the person's accounts is among the people of that version;
    with --before, that some were among those of an earlier one. It has their subject keys, with which an export shows
    whose rows are whose: make sure who asks, and hand it to them alone. Where nobody has shown whose the objection is,
    there is none. All rows of the versions are read for it.

    `demur_verify.py`, or `demur-verify.html` in a browser, checks both without demur and without a network.
    """
    if before is not None and version is None:
        raise click.UsageError("--before says what an earlier version had: name the later one, too, with --version.")
    _require_new(to)
    if version is None:
        with invocation.workspace.register() as register:
            made = receipt(register, register.objections.get(reference))
        _hand_out(made, to, f"Wrote {to}.", {})
        return
    with reading(invocation.workspace) as session, progress("Reading the versions") as advance:
        found = prove_absence(session, reference, version, before, count=advance)
    told = [f"Version {version} has none of {count(found.accounts, 'account')} of the objection {reference}"]
    told += [] if before is None else [f"version {before} had {found.had:,}"]
    told += [f"{to} shows it. Hand it to their holder alone: it tells which rows of an export are theirs."]
    facts = {"accounts": found.accounts, "version": version, "before": before, "had": found.had}
    _hand_out(found.proof, to, "; ".join(told), facts)


def _require_new(to: Path | None) -> None:
    if to is not None and to.exists():
        raise UsageError(f"{to} exists already: name another file.")


def _hand_out(made: bytes, to: Path | None, told: str, facts: Mapping[str, object]) -> None:
    """Write to a file that is not there, and say so; or print."""
    _require_new(to)
    if to is None:
        sys.stdout.write(made.decode())
        return
    try:
        write_durably(to, made)
    except OSError as error:
        raise UsageError(f"{to} can't be written ({error.strerror}): name another file.") from None
    emit(told, {"path": to, **facts})
