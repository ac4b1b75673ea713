"""How the server is set up: its protocol and bounds, its log, and how many files it may open.

Invariants: the log is JSON, an object a line, each with its time in UTC; it has no traceback and nothing of a request.
"""

import json
import logging
import sys
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from demur.web.server.crowd import Bounds, Crowd, Why
from demur.web.server.headers import moment
from demur.web.server.protocol import bounded

STOPPING_S: Final = 10
"""How long requests that are being answered keep a server that was told to stop, in seconds."""

_PROXIES: Final = ("127.0.0.1", "::1")
"""Where a proxy stands whose word is taken."""
_BEHIND_PROXY_IDLE_S: Final = 75.0
"""For the next request on a proxy's connection: longer than proxies keep one, so that they are the ones to close it."""
_OWN_FILES: Final = 200
"""Files that the process opens beside its clients': the register's, the corpus', the interpreter's."""
_MOST_FILES: Final = 16_384
_FEWEST: Final = 16

log = logging.getLogger("demur.web")


def config(
    app: FastAPI, host: str, port: int, *, behind_proxy: bool = False, bounds: Bounds | None = None
) -> uvicorn.Config:
    """The settings of a server of one process.

    Args:
        app: what it serves.
        host: the address to listen on.
        port: 0: any that is free.
        behind_proxy: whether a proxy on this machine is believed in what it says of visitors.
        bounds: what clients may take; by default what fits the number of files that may be opened.
    """
    bounds = bounds or fitting(open_files(), behind_proxy=behind_proxy)
    crowd = Crowd(bounds, _PROXIES if behind_proxy else (), report=_report)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded(crowd),
        ws="none",
        access_log=False,  # ours says neither addresses nor queries
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=behind_proxy,
        forwarded_allow_ips=list(_PROXIES),
        timeout_graceful_shutdown=STOPPING_S,
        timeout_keep_alive=int(bounds.idle_s) + 1,  # the crowd comes first
    )


def fitting(files: int, *, behind_proxy: bool = False, usual: Bounds | None = None) -> Bounds:
    """The usual bounds, or lower ones where fewer files may be opened: each client has a socket and perhaps a file."""
    bounds = usual or Bounds()
    if behind_proxy:
        bounds = replace(bounds, idle_s=_BEHIND_PROXY_IDLE_S)
    connections = max(_FEWEST, min(bounds.connections, (files - _OWN_FILES) // 2))
    by_address = max(_FEWEST // 2, min(bounds.by_address, connections // 4))
    return replace(bounds, connections=connections, by_address=by_address)


def open_files() -> int:
    """How many files this process may open, after it has asked for as many as it may ask for."""
    if sys.platform == "win32":
        return _MOST_FILES
    import resource  # noqa: PLC0415  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    infinite = resource.RLIM_INFINITY
    wanted = _MOST_FILES if hard == infinite else min(hard, _MOST_FILES)
    if soft != infinite and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            wanted = soft
    return wanted if soft == infinite else max(soft, wanted)


def log_lines() -> None:
    """The log of the web and of the server goes to stderr, a JSON object on each line."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(logging.Formatter("%(message)s"))
    _only(log, lines, logging.INFO)
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(_Line())
    _only(logging.getLogger("uvicorn"), theirs, logging.WARNING)


def _only(logger: logging.Logger, handler: logging.Handler, level: int) -> None:
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


class _Line(logging.Formatter):
    """What uvicorn says, as a line: of an exception its type and where it arose, as its message may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {"time": moment(), "server": record.getMessage().strip()}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            line |= {
                "error": type(error).__name__,
                "at": f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "-",
            }
        return json.dumps(line)


def _report(ended: Counter[Why]) -> None:
    counts: Mapping[str, int] = {str(why): count for why, count in ended.items()}
    log.info(json.dumps({"time": moment(), "closed": counts}))
