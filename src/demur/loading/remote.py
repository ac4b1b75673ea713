"""The head of a register that lies elsewhere: a portal is asked for a signed statement of it.

Invariants: a statement counts only with the signature of the version's own key, for this version, and as the answer to
the question that was just asked; the head may only grow; a row that is stale is left out, as nothing here can rewrite
it; the key of the API leaves over TLS, or to this machine itself, and never follows a redirect.
"""

import ipaddress
import json
import os
import secrets
from dataclasses import asdict
from http.client import HTTPException
from typing import IO, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import numpy as np
import orjson
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CorpusError, RegisterError, UnavailableError, UsageError
from demur.kernel.schema import KEY
from demur.loading.overlay import Overlay, PlacesOf
from demur.loading.statement import NONCE_DIGITS, Statement
from demur.loading.watching import Seen
from demur.versions.manifest import Manifest

VARIABLE: Final = "DEMUR_API_KEY"
"""Where the API's key is looked for, if none is passed."""
TIMEOUT_S: Final = 10
_SPARE: Final = 1 << 16
"""Bytes of an answer beside its item keys."""
_PER_ITEM: Final = 40
_CONFLICT: Final = 409
_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which asking again may help."""


def is_url(head: str) -> bool:
    """Whether a head is asked for over HTTP; else it is a folder's."""
    return head.lower().startswith(("http://", "https://"))


class RemoteHead:
    """The head that a portal says, for one version."""

    def __init__(  # what is asked, by whom, and about what
        self,
        url: str,
        key: str | None,
        manifest: Manifest,
        digest: str,
        public_key: Ed25519PublicKey,
        places_of: PlacesOf,
    ) -> None:
        """Ask a portal.

        Args:
            url: of its API.
            key: of that, with the scope `load`.
            manifest: the version's.
            digest: SHA-256 of the manifest's file.
            public_key: what statements must be signed with.
            places_of: tells where rows stand.

        Raises:
            UsageError: when the URL is not one over TLS, or there is no key.
        """
        self.where = _checked(url)
        secret = key or os.environ.get(VARIABLE)
        if not secret:
            raise UsageError(
                f"{self.where} takes a key: pass key='...', or set {VARIABLE}; `demur key create NAME --scope load` "
                "makes one."
            )
        self._secret, self._manifest, self._digest = secret, manifest, digest
        self._public_key, self._places_of = public_key, places_of
        self._seen: Seen | None = None
        self._known: str | None = None
        self._overlay = Overlay()

    def look(self) -> Overlay:
        """See :class:`demur.loading.watching.Head`."""
        nonce = secrets.token_hex(NONCE_DIGITS // 2)
        try:
            told, items = Statement.parse(self._asked(nonce), self._public_key, where=f"What {self.where} answers")
        except CorpusError as error:
            raise RegisterError(str(error)) from None
        self._require(told, nonce)
        if told.digest != self._known:
            if items is None:
                raise RegisterError(f"{self.where} does not say which rows are stale: upgrade demur there.")
            self._overlay, self._known = self._left_out(items), told.digest
        self._seen = told.seen
        return self._overlay

    def seen(self) -> Seen:
        """See :class:`demur.loading.watching.Head`."""
        assert self._seen is not None  # it was looked at before
        return self._seen

    def go_on_from(self, seen: Seen) -> None:
        """See :class:`demur.loading.watching.Head`."""
        self._seen = seen

    def close(self) -> None:
        """See :class:`demur.loading.watching.Head`; nothing is open."""

    def _require(self, told: Statement, nonce: str) -> None:
        """Make sure that a statement is about this version, is the answer to this question, and no older head."""
        if told.nonce != nonce:
            raise RegisterError(f"{self.where} gave a statement of an earlier time: somebody may stand in between.")
        if (told.version, told.manifest) != (self._manifest.name, self._digest):
            raise RegisterError(f"{self.where} speaks of another version than {self._manifest.name}: ask its portal.")
        if told.instance != self._manifest.instance or told.incarnation < (self._manifest.incarnation or 1):
            raise RegisterError(f"{self.where} has another register than the version's, or an older one: ask its own.")
        if told.binding < self._manifest.checkpoint.binding or told.seq < self._manifest.checkpoint.seq:
            raise RegisterError(f"The register of {self.where} is older than the version: put the newer one back.")
        if (seen := self._seen) is None:
            return
        if told.incarnation != seen.incarnation:
            raise RegisterError(f"The register of {self.where} was restored since: load again.")
        if told.seq < seen.seq or (told.seq == seen.seq and told.commitment != seen.commitment):
            raise RegisterError(
                f"The register of {self.where} is older than the head seen before (entry {told.seq}, not {seen.seq}), "
                "or another one: put the newer one back."
            )

    def _left_out(self, items: list[bytes]) -> Overlay:
        places = self._places_of(pa.array(items, KEY), np.zeros(0, np.uint64))
        if (places < 0).any():
            raise RegisterError(f"{self.where} names rows that this export does not have: export the version again.")
        return Overlay(gone=np.unique(places))

    def _asked(self, nonce: str) -> bytes:
        """The answer to a question.

        Raises:
            UnavailableError: when there is none, and there may be one later.
            UsageError: when the key is refused, or the version is not there any more.
            RegisterError: when the portal says that versions or heads do not fit each other.
        """
        question = {
            "version": self._manifest.name,
            "manifest": self._digest,
            "nonce": nonce,
            "after": None if self._seen is None else asdict(self._seen),
            "known": self._known,
        }
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
        request = Request(f"{self.where}/head", json.dumps(question).encode(), headers)  # noqa: S310  # see _checked
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return _read(answer, _SPARE + _PER_ITEM * self._manifest.content.rows, self.where)
        except HTTPError as error:
            raise self._refused(error) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnavailableError(f"{self.where} can't be reached ({reason}): see that it runs.") from None

    def _refused(self, error: HTTPError) -> UnavailableError | UsageError | RegisterError:
        with error:
            said = _sentence(error)
        if error.code in _LATER:
            return UnavailableError(f"{self.where} can't answer at the moment ({error.code}{said}).")
        if error.code in {401, 403}:
            return UsageError(f"{self.where} refuses the key{said or ': make a new one there.'}")
        if error.code == _CONFLICT:
            return RegisterError(f"{self.where} refuses to go on{said}")
        return UsageError(f"{self.where} can't say who objected since ({error.code}){said}")


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is an answer that does not help: the key goes where the user said and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""


_OPENER: Final = build_opener(_NoRedirect)


def _checked(url: str) -> str:
    """The URL of an API, without a slash at its end.

    Raises:
        UsageError: when a key would travel in the clear.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() != "https" and not _is_here(parts.hostname or ""):
        raise UsageError(f"{url} is not reached over TLS, and a key would be: write https://.")
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(answer: IO[bytes], most: int, where: str) -> bytes:
    data = answer.read(most + 1)
    if len(data) > most:
        raise RegisterError(f"{where} answers with more than the version's rows can make: see that it is a portal.")
    return data


def _sentence(error: HTTPError) -> str:
    """What a problem (RFC 9457) says, for the end of a sentence."""
    try:
        told: dict[str, Any] = orjson.loads(error.read(_SPARE))
        return f": {told['detail']}"
    except (ValueError, KeyError, TypeError, OSError):
        return ""
