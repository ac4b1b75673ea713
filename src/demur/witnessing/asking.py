"""Asking a witness to cosign a checkpoint (C2SP tlog-witness 1.0.0, `add-checkpoint`).

Invariants: no answer is waited for longer than some seconds, however slowly it comes; no redirect is followed; a
cosignature is taken over only when it holds, for the very text that was sent, by the witness's own key.
"""

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from demur.errors import CheckFailed
from demur.transparency.checkpoint import number
from demur.transparency.cosignature import WitnessKey, cosigned
from demur.witnessing.state import SIZE_TYPE

AHEAD_S: Final = 300
"""Seconds by which a cosignature may be dated ahead of the clock here."""
_MOST_BYTES: Final = 1 << 16
_PATIENCE_S: Final = 15.0


class Said(StrEnum):
    """What came of asking."""

    COSIGNED = "cosigned"
    BEYOND = "beyond"  # it cosigned another size: the proof has to begin there
    REFUSED = "refused"  # it does not know the log or its key, or says that the log does not go on
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Reply:
    """A witness's answer."""

    said: Said
    line: str = ""
    """The cosignature, with its line feed."""
    time: int = 0
    """When it says that it saw the checkpoint; seconds since 1970-01-01."""
    size: int = 0
    """What it cosigned last, where that is another one."""
    status: int = 0
    """Of HTTP; 0 where there was no answer."""


@dataclass(frozen=True)
class Wanted:
    """What a witness is asked."""

    note: str
    """The signed checkpoint."""
    old: int
    """What it is taken to have cosigned last."""
    proof: Sequence[bytes]
    """That the checkpoint goes on from there."""


def ask(url: str, key: WitnessKey, wanted: Wanted, now: int) -> Reply:
    """Ask a witness for its cosignature.

    Args:
        url: its submission prefix.
        key: its key.
        wanted: what of.
        now: seconds since 1970-01-01, UTC.
    """
    lines = [f"old {wanted.old}", *(base64.b64encode(each).decode() for each in wanted.proof), "", wanted.note]
    try:
        status, kind, body = _post(f"{url}/add-checkpoint", "\n".join(lines).encode())
    except (OSError, http.client.HTTPException, ValueError):
        return Reply(Said.UNREACHABLE)
    if status == http.client.CONFLICT and kind == SIZE_TYPE:
        size = number(body.removesuffix("\n")) if body.endswith("\n") else None
        return Reply(Said.REFUSED, status=status) if size is None else Reply(Said.BEYOND, size=size, status=status)
    if status != http.client.OK:
        refused = status in {http.client.FORBIDDEN, http.client.NOT_FOUND, http.client.UNPROCESSABLE_ENTITY}
        return Reply(Said.REFUSED if refused or status == http.client.BAD_REQUEST else Said.UNREACHABLE, status=status)
    for line in body.splitlines(keepends=True):
        with suppress(CheckFailed):
            time = cosigned((wanted.note + line).encode(), [key]).get(key)
            if time is not None and time <= now + AHEAD_S:
                return Reply(Said.COSIGNED, line, time, status=status)
    return Reply(Said.REFUSED, status=status)


def _post(url: str, body: bytes) -> tuple[int, str, str]:
    """Status, content type and text of an answer."""
    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, place.port or http.client.HTTPS_PORT, timeout=_PATIENCE_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, place.port or http.client.HTTP_PORT, timeout=_PATIENCE_S)
    with closing(connection):
        connection.connect()
        cut = (
            threading.Event()
        )  # one that answers byte by byte ends, too; the answer takes the connection's socket over
        late = threading.Timer(_PATIENCE_S, _cut, [connection.sock, cut])
        late.daemon = True
        late.start()
        try:
            connection.request("POST", place.path, body, {"content-type": "text/plain", "user-agent": "demur"})
            answer = connection.getresponse()
            raw = answer.read(_MOST_BYTES + 1)
        finally:
            late.cancel()
        if len(raw) > _MOST_BYTES or answer.length or cut.is_set():
            raise ValueError("too large, or cut short")
        return answer.status, answer.headers.get_content_type(), raw.decode("utf-8")


def _cut(connected: socket.socket, cut: threading.Event) -> None:
    cut.set()
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
