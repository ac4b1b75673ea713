"""``demur serve``: the portal, the API and the officer's pages, and the worker that delivers and follows.

Invariants: what goes over a network is https, by a proxy that stands on this machine, unless whoever starts it says
otherwise in as many words; the worker ends with the server.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import emit
from demur.errors import UsageError
from demur.extras import need
from demur.policy.fields import loopback
from demur.workspace import Workspace

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

_NEEDED: Final = ("fastapi", "uvicorn", "httptools", "multipart", "jwt", "prometheus_client", "webauthn")
_PORT: Final = 8470
_MODEL_PORT: Final = 8471
_STOPPING_S: Final = 10
_LOOK_S: Final = 0.2
"""How often the worker is looked after, in seconds."""
_AGAIN_S: Final = 30
"""How long a worker that ended rests before it is started again: another one may be at work, for instance."""


@click.command
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on (127.0.0.1).")
@click.option("--port", metavar="PORT", type=click.IntRange(0, 65_535), help=f"Port ({_PORT}).")
@click.option("--no-worker", is_flag=True, help="Do not start `demur worker`: it runs elsewhere.")
@click.option("--behind-proxy", is_flag=True, help="Believe what a proxy on this machine says of visitors.")
@click.option("--insecure", is_flag=True, help="Speak plain http to a network, as for a test within one.")
@click.option("--model", metavar="RUN", help=f"Serve completions by this run, and nothing else (port {_MODEL_PORT}).")
@click.option("--no-guard", is_flag=True, help="With --model: answers leave as they are drawn.")
@shared
def serve(  # noqa: PLR0913  # each is an option
    invocation: Invocation,
    *,
    host: str,
    port: int | None,
    no_worker: bool,
    behind_proxy: bool,
    insecure: bool,
    model: str | None,
    no_guard: bool,
) -> None:
    """Serve the portal, the API and the officer's pages; or, with --model, a model's completions.

    It listens on this machine only. For the public, put a proxy that speaks https before it, on the same machine,
    and say --behind-proxy: it then believes its X-Forwarded-For and X-Forwarded-Proto.

    A model is served by a process of its own, so that nobody who objects waits for a text. What answers has seen no row
    of anybody who has objected, and a guard masks names of withheld people in what it says, and cuts words that they
    wrote. Whoever asks over a network needs a key (demur key create NAME --scope generate).
    """
    need("The portal" if model is None else "`demur serve --model`", "web", *_NEEDED)
    _check_host(host, insecure=insecure)
    if no_guard and model is None:
        raise UsageError("--no-guard is about what a model says: name one with --model RUN.")
    usual = _PORT if model is None else _MODEL_PORT
    port = usual if port is None else port
    _check_free(host, port)
    workspace = invocation.workspace
    place = Place(host, port, behind_proxy=behind_proxy)
    signal.signal(signal.SIGTERM, _stop)
    if model is not None:
        _serve_model(workspace, model, place, keyed=behind_proxy or insecure, guarded=not no_guard)
        return
    from demur.web.app import create_app  # noqa: PLC0415  # only who serves waits for it

    server = _server(create_app(workspace), place, "The portal")
    with Helper(workspace, wanted=not no_worker), suppress(KeyboardInterrupt):
        server.run()


def _serve_model(workspace: Workspace, run: str, place: "Place", *, keyed: bool, guarded: bool) -> None:
    """Serve the completions of a run, until somebody stops it."""
    from demur.training.serving import serving  # noqa: PLC0415  # only who serves a model waits for it
    from demur.web.completions.root import create_app  # noqa: PLC0415  # the same

    what = f"The model {run}" if guarded else f"Without its guard, the model {run}"
    with serving(workspace, run, guarded=guarded) as model, suppress(KeyboardInterrupt):
        _server(create_app(workspace, model, keyed=keyed), place, what).run()


def _check_host(host: str, *, insecure: bool) -> None:
    if insecure or loopback(host):
        return
    raise UsageError(
        f"{host} is no address of this machine alone, and http is read by everybody on the way: put a proxy with https "
        "before demur and pass --behind-proxy, or say --insecure."
    )


def _check_free(host: str, port: int) -> None:
    try:
        kind, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise UsageError(f"{host}:{port} can't be used ({error.strerror}): choose another --port or --host.") from None


@dataclass(frozen=True)
class Place:
    """Where a server listens."""

    host: str
    port: int
    behind_proxy: bool


def _server(app: "FastAPI", place: Place, what: str) -> "uvicorn.Server":
    """One process, which prints its address once it answers."""
    import uvicorn  # noqa: PLC0415  # only who serves waits for it

    from demur.web.server import serving  # noqa: PLC0415  # the same

    class Announcing(uvicorn.Server):
        async def startup(self, *arguments: object, **options: object) -> None:
            await super().startup(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are
            if self.started:
                _announce(self, what)

    serving.log_lines()
    os.umask(0o077)  # what the server and its worker write is for this account alone
    return Announcing(serving.config(app, place.host, place.port, behind_proxy=place.behind_proxy))


def _announce(server: "uvicorn.Server", what: str) -> None:
    address, port = server.servers[0].sockets[0].getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    url = f"http://{shown}:{port}"
    emit(f"{what} answers at {url}; Ctrl-C stops it.", {"url": url})
    sys.stdout.flush()


class Helper:
    """``demur worker`` as a child, for as long as the block runs; one that ends is started again."""

    def __init__(self, workspace: Workspace, *, wanted: bool) -> None:
        self._command = (sys.executable, "-m", "demur", "worker", "-w", str(workspace.root.resolve()))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="worker", daemon=True) if wanted else None

    def __enter__(self) -> Self:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _keep(self) -> None:
        while not self._ended.is_set():
            child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603  # ours
            while child.poll() is None and not self._ended.wait(_LOOK_S):
                pass
            if child.poll() is None:
                _end(child)
            else:
                self._ended.wait(_AGAIN_S)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(_STOPPING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _stop(*_: object) -> None:
    """SIGTERM ends the server as Ctrl-C does: uvicorn raises it again once it has stopped."""
    sys.exit(0)
