"""``demur witness``: a server that cosigns logs of others, so that nobody can be shown another one."""

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import emit
from demur.errors import UsageError
from demur.transparency.note import NoteKey
from demur.witnessing.state import Witness

_PORT = 8475
_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
_KEY = click.argument("key", metavar="KEY")


@click.group(cls=Noun)
@in_workspace
def witness(roots: Sequence[Path]) -> None:  # no workspace is needed
    """Be a witness: cosign logs of others."""


@witness.command
@_FOLDER
@click.option("--name", required=True, help="Its name, an address without https:// that nobody else has.")
@shared
def init(_: Invocation, folder: Path, name: str) -> None:
    """Make a witness in DIR, with a key of its own, and print its public half.

    Keep DIR on one machine, and out of backups: a witness that was put back would sign a second history. If it is lost,
    begin another one under another name.
    """
    made = Witness.create(folder, name).key.text
    emit(made, {"key": made})


@witness.command
@_FOLDER
@shared
def key(_: Invocation, folder: Path) -> None:
    """Print the public key of the witness in DIR, for the list of whoever asks or believes it."""
    found = Witness(folder).key.text
    emit(found, {"key": found})


@witness.command
@_FOLDER
@_KEY
@shared
def add(_: Invocation, folder: Path, key: str) -> None:
    """Witness a log by its KEY, as `demur log key` prints it; after a rotation, by the new one besides."""
    known = NoteKey.read(key)
    Witness(folder).add(known)
    emit(f"The log {known.name} is witnessed by this key.", {"origin": known.name})


@witness.command
@_FOLDER
@_KEY
@shared
def remove(_: Invocation, folder: Path, key: str) -> None:
    """Believe a KEY of a log no more, as one that was rotated; what was cosigned of the log stays known."""
    known = NoteKey.read(key)
    Witness(folder).remove(known)
    emit(f"That key of the log {known.name} is believed no more.", {"origin": known.name})


@witness.command
@_FOLDER
@shared
def logs(_: Invocation, folder: Path) -> None:
    """List the logs that are witnessed, with what was cosigned last of each."""
    found = Witness(folder)
    state = found.state()
    known = [{"key": each.text, "size": state.get(each.name, {}).get("size", 0)} for each in found.logs()]
    lines = [f"{each['size']:>12,}  {each['key']}" for each in known]
    emit("\n".join(lines) or "No log is witnessed yet: `demur witness add DIR KEY`.", known)


@witness.command
@_FOLDER
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on (127.0.0.1).")
@click.option("--port", default=_PORT, metavar="PORT", type=click.IntRange(0, 65_535), help=f"Port ({_PORT}).")
@shared
def serve(_: Invocation, folder: Path, host: str, port: int) -> None:
    """Cosign what is asked over HTTP (C2SP tlog-witness), until it is stopped.

    Each log is cosigned only as it goes on from what was cosigned before. Run it elsewhere than the platform, with
    somebody else: a works council, a newspaper, an authority. It needs no workspace, and learns of a log its name, its
    size and its root, and nothing of any entry.

    For others, put a proxy that speaks https before it. Two checkpoints of one size with two roots, both signed by the
    log's key, are kept below DIR as evidence of a fork.
    """
    from demur.witnessing.serving import LOGGER, Server  # noqa: PLC0415  # only who serves needs it

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.handlers[:], LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    found = Witness(folder)
    with found.serving():
        try:
            server = Server((host, port), found)
        except OSError as error:
            raise UsageError(
                f"{host}:{port} can't be used ({error.strerror}): choose another --port or --host."
            ) from None
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: threading.Thread(target=server.shutdown).start())
        place = f"[{host}]" if ":" in host else host
        click.echo(f"{found.key.name} cosigns at http://{place}:{server.server_address[1]}/add-checkpoint")
        sys.stdout.flush()
        with server:
            server.serve_forever()
