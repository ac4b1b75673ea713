"""What a portal answers to whoever holds an export of a version: a signed statement of its own register's head.

Invariants: rows are judged as `demur recall` judges them; what was worked out is kept while neither the register nor
the policy gives cause to do it again, so that many who ask cost no more than one; of people who have no row in the
version the answer says nothing.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from demur.errors import RegisterError
from demur.loading.local import LocalHead
from demur.loading.statement import Statement, digest_of
from demur.loading.watching import Seen
from demur.suppression.signed import rfc3339
from demur.versions.states import published
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.regoverning import Part

_MOST: Final = 8
"""Versions of which the last answer is kept."""


@dataclass(frozen=True)
class Question:
    """What a holder of an export asks."""

    version: str
    manifest: str
    """Digest of the manifest that they hold."""
    nonce: str
    after: Seen | None = None
    """The head that they saw last."""
    known: str | None = None
    """Digest of the stale rows that they know of."""


@dataclass(frozen=True)
class _Stale:
    items: tuple[bytes, ...]
    digest: str


class Answers:
    """Answers for the versions of one workspace; safe to use from several threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._heads: dict[str, LocalHead[_Stale]] = {}
        self._lock = threading.Lock()

    def answer(self, question: Question, now: datetime | None = None) -> bytes:
        """The signed statement.

        Raises:
            UsageError: when there is no such version, or it was retired.
            RegisterError: when the caller's manifest or head is not of this register.
            UnavailableError: when the register can't be used at the moment.
        """
        with self._lock:
            head = self._heads.pop(question.version, None) or LocalHead(self._workspace, question.version, _stale)
            try:
                stale = head.look()
            except BaseException:
                head.close()
                raise
            self._heads[question.version] = head
            while len(self._heads) > _MOST:
                self._heads.pop(next(iter(self._heads))).close()
            return self._answer(head, stale, question, now or datetime.now(UTC))

    def close(self) -> None:
        """Give back what is open."""
        with self._lock:
            while self._heads:
                self._heads.popitem()[1].close()

    def _answer(self, head: "LocalHead[_Stale]", stale: _Stale, question: Question, now: datetime) -> bytes:
        entry = published(head.register, question.version)
        if entry.payload["manifest"] != question.manifest:
            raise RegisterError(f"The manifest is not the one of {question.version} here: load an export of this one.")
        if question.after is not None:
            head.require(question.after)
        seen = head.seen()
        told = Statement(
            version=question.version,
            manifest=question.manifest,
            nonce=question.nonce,
            time=rfc3339(now),
            instance=seen.instance,
            incarnation=seen.incarnation,
            seq=seen.seq,
            commitment=seen.commitment,
            binding=head.binding,
            stale=len(stale.items),
            digest=stale.digest,
        )
        return told.sign(self._workspace.keys(), None if question.known == stale.digest else stale.items)


def _stale(parts: "Iterable[Part]") -> _Stale:
    """The item keys of the rows that are left out or changed."""
    found: set[bytes] = set()
    for part in parts:
        found.update(part.stored.column("item").filter(pa.array(part.left_out | part.differs)).to_pylist())
    items = tuple(sorted(found))
    return _Stale(items, digest_of(items))
