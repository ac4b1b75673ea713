"""Messages to the platform, signed as the Standard Webhooks specification says (standardwebhooks.com, 1.0.0).

Invariants: every message is signed with HMAC-SHA-256 over its id, the time of this attempt and its exact bytes; a
message keeps its id however often it is sent, so that the receiver can drop a repeat; no redirect is followed.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import secrets
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

from demur.errors import WorkspaceError
from demur.files import replacing
from demur.worker.depot import secret
from demur.worker.lanes import log
from demur.worker.transport import SENT, Fate, Handover
from demur.workspace import Workspace

TOLERANCE_S: Final = 300
"""How old, or how early, a message may be for its receiver."""
_PREFIX: Final = "whsec_"
_BYTES: Final = (24, 64)
_NEW_BYTES: Final = 32
_TIMEOUT_S: Final = 10
_FILE: Final = "webhook.secret"
_VARIABLE: Final = "DEMUR_WEBHOOK_SECRET"
_UNWANTED: Final = {410, 422}
"""What a platform answers that will not take this message, now or later."""


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header webhook-signature."""
    code = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(code).decode()}"


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: float | None = None) -> bool:
    """Whether a message is genuine and fresh, as its receiver checks it; names of headers in lower case."""
    try:
        message_id, stamp = headers["webhook-id"], int(headers["webhook-timestamp"])
        given = headers["webhook-signature"].split()
    except (KeyError, ValueError):
        return False
    if abs((time.time() if now is None else now) - stamp) > TOLERANCE_S:
        return False
    expected = sign(key, message_id, stamp, body).encode()
    return any(hmac.compare_digest(each.encode(), expected) for each in given)


def key_of(text: str) -> bytes:
    """The key in a secret as it is handed around: "whsec_" and base64.

    Raises:
        WorkspaceError: when it is none.
    """
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _BYTES[0] <= len(key) <= _BYTES[1]:
        raise WorkspaceError(
            f"The webhook secret is not whsec_ and base64 of {_BYTES[0]} to {_BYTES[1]} bytes: fix it."
        )
    return key


def webhook_key(workspace: Workspace) -> bytes:
    """The workspace's key; one is made where there is none.

    Raises:
        WorkspaceError: when it can't be read.
    """
    found = secret(workspace, _VARIABLE, _FILE)
    if found is None:
        found = _PREFIX + base64.b64encode(secrets.token_bytes(_NEW_BYTES)).decode()
        with replacing(workspace.keys_path / _FILE) as file:
            file.write_text(f"{found}\n")
        log("webhooks.secret made", file=f"keys/{_FILE}")
    return key_of(found)


def message_id(*parts: str | int) -> str:
    """A stable id, which names nobody."""
    return f"msg_{hashlib.sha256(chr(0).join(map(str, parts)).encode()).hexdigest()[:32]}"


def post(url: str, key: bytes, message_id: str, body: bytes) -> Handover:
    """Send one message: SENT for 2xx, NEVER for 410 and 422, else the endpoint counts as shut for now."""
    stamp = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "demur",
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign(key, message_id, stamp, body),
    }
    try:
        status = _send(url, headers, body)
    except TimeoutError:
        return Handover(Fate.CLOSED, "no answer in time")
    except ssl.SSLCertVerificationError:
        return Handover(Fate.CLOSED, "certificate not valid")
    except ssl.SSLError:
        return Handover(Fate.CLOSED, "tls failed")
    except (OSError, http.client.HTTPException, ValueError):
        return Handover(Fate.CLOSED, "no connection")
    if http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        return SENT
    return Handover(Fate.NEVER if status in _UNWANTED else Fate.CLOSED, str(status))


def _send(url: str, headers: Mapping[str, str], body: bytes) -> int:
    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme == "https":
        port, context = place.port or http.client.HTTPS_PORT, ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=_TIMEOUT_S, context=context
        )
    else:  # the port is said in any case: without it http.client takes the end of an IPv6 address for one
        connection = http.client.HTTPConnection(host, place.port or http.client.HTTP_PORT, timeout=_TIMEOUT_S)
    with closing(connection):
        path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
