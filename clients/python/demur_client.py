"""A client of demur's API for Python 3.11 and later: one file, nothing to install. Copy it into your platform.

    from demur_client import Demur

    demur = Demur("https://portal.example", key)
    receipt = demur.object(["forum:ann"])        # durable and binding once this returns
    demur.withdraw(receipt["reference"])

Each call that changes something carries an Idempotency-Key of its own and is sent again, with the same one, when the
connection breaks or the server asks for it: nothing is recorded twice.
"""  # noqa: INP001  # one file, to be copied

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

JSON = Any
_AGAIN = frozenset({429, 502, 503, 504})


class Problem(Exception):  # noqa: N818  # RFC 9457's word
    """What the server said (RFC 9457): `status`, `type` and one sentence, `detail`."""

    def __init__(self, status: int, type_: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.type, self.detail = status, type_, detail


@dataclass
class Demur:
    """The API at `url`, called with `key`."""

    url: str
    key: str
    timeout: float = 30.0
    """Seconds for one attempt."""
    attempts: int = 5

    def object(self, accounts: Sequence[str], **said: object) -> JSON:
        """Lodge an objection for a person's accounts.

        Optional: `names` (what else they are called), `former`, `links`, `reason`, `channel`, `received`,
        `unconfirmed`.
        """
        return self._json("POST", "/objections", {"accounts": list(accounts), **said})

    def name(self, reference: str, names: Sequence[str] = (), former: Sequence[str] = ()) -> JSON:
        """Say what else the person of an objection is called; how many spellings are looked for, and wait."""
        said = {"names": list(names), "former": list(former)}
        return self._json("POST", f"/objections/{quote(reference, safe='')}/names", said)

    def object_many(self, objections: Iterable[dict[str, Any]]) -> JSON:
        """Lodge up to 1000; for each `{"objection": ...}` or `{"problem": ...}`."""
        return self._json("POST", "/objections/batch", {"objections": list(objections)})["results"]

    def objection(self, reference: str) -> JSON:
        """An objection as it stands."""
        return self._json("GET", f"/objections/{quote(reference, safe='')}")

    def withdraw(self, reference: str) -> JSON:
        """Withdraw it, at the person's own wish."""
        return self._json("POST", f"/objections/{quote(reference, safe='')}/withdraw")

    def confirm(self, reference: str) -> JSON:
        """Confirm one that was lodged with `unconfirmed`."""
        return self._json("POST", f"/objections/{quote(reference, safe='')}/confirm")

    def lapse(self, reference: str, cause: str) -> JSON:
        """Let one lapse that the account's holder `denied`; `unconfirmed` is refused unless it lapses by itself."""
        return self._json("POST", f"/objections/{quote(reference, safe='')}/lapse", {"cause": cause})

    def standing(self, account: str) -> JSON:
        """Whether an objection is in force (`in_force`), and all there are."""
        return self._json("GET", f"/accounts/{quote(account, safe='')}/objection")

    def notices(self, account: str) -> JSON:
        """The notices that wait to be shown to a person."""
        return self._json("GET", f"/notices?account={quote(account, safe='')}")["notices"]

    def shown(self, account: str, notices: Iterable[dict[str, Any]]) -> JSON:
        """Say that notices, as :meth:`notices` gave them, were shown."""
        seen = [{name: each[name] for name in ("campaign", "language", "digest")} for each in notices]
        return self._json("POST", "/notices/shown", {"account": account, "notices": seen})["shown"]

    def bounced(self, message_id: str, cause: str = "bounced") -> bool:
        """Report a mail that came back; whether it was one of ours."""
        return bool(self._json("POST", "/bounces", {"message_id": message_id, "cause": cause})["known"])

    def access(self, account: str | None = None, *, reference: str | None = None) -> bytes:
        """A person's copy, as a zip (Art. 15 GDPR); of somebody without an account by their receipt's reference."""
        return self._send("POST", "/access", _who(account, reference))

    def erase(self, account: str | None = None, *, reference: str | None = None) -> JSON:
        """Delete what is held of a person (Art. 17 GDPR), named in the same way."""
        return self._json("POST", "/erasures", _who(account, reference))

    def status(self) -> JSON:
        """Where the register stands."""
        return self._json("GET", "/status")

    def _json(self, method: str, path: str, said: dict[str, Any] | None = None) -> JSON:
        return json.loads(self._send(method, path, said))

    def _send(self, method: str, path: str, said: dict[str, Any] | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": str(uuid.uuid4())}
        body = None if said is None else json.dumps(said).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}/api{path}", body, headers, method=method)  # noqa: S310  # yours
        for attempt in range(1, self.attempts + 1):
            wait = 0.2 * 2**attempt
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310  # the same
                    body_read: bytes = answer.read()
                    return body_read
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in _AGAIN or attempt == self.attempts:
                        raise _problem(error) from None
                    wait = float(error.headers.get("Retry-After", wait))
            except OSError:
                if attempt == self.attempts:
                    raise
            time.sleep(wait)
        raise AssertionError


def _who(account: str | None, reference: str | None) -> dict[str, str]:
    said = {"account": account, "reference": reference}
    return {name: value for name, value in said.items() if value is not None}


def _problem(error: urllib.error.HTTPError) -> Problem:
    try:
        told = json.loads(error.read())
        return Problem(error.code, told["type"], told["detail"])
    except (ValueError, KeyError, TypeError):
        return Problem(error.code, "about:blank", error.reason)
