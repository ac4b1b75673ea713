"""The entries, one after another: numbers, kinds, times, commitments, sealed details, erasures, and their tree."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.register.audit import claims, names, notices, objections, people
from demur.register.audit.tree import Tree
from demur.register.database import state
from demur.register.database.clock import moment
from demur.register.database.effects import Effect
from demur.register.database.entries import SALT_BYTES, Stored, commitment, content_digest
from demur.register.database.records import Head
from demur.register.database.tables import detail
from demur.register.database.vault import Vault
from demur.register.members.people import People
from demur.register.persons import is_signed
from demur.terms import BINDING, EntryKind

_PAGE: Final = 2_000
_ALL: Final = 2**63 - 1
_KNOWN: Final = frozenset(kind.value for kind in EntryKind)
_BINDING: Final = frozenset(kind.value for kind in BINDING)
_SELECT: Final = sa.text(
    f"SELECT {', '.join(Stored._fields)} FROM entry WHERE seq > :after ORDER BY seq LIMIT {_PAGE}"  # noqa: S608  # our own names
)
"""Without the columns' types, which would refuse to read what somebody wrote there by hand."""
_UNREADABLE: Final = (AttributeError, KeyError, OverflowError, TypeError, ValueError)

Report = Callable[[str], None]
"""Is told what is wrong, in one sentence each."""


@dataclass(frozen=True)
class Audited:
    """What was seen of the log."""

    head: Head
    """Its end: whoever holds a mark from outside compares it."""
    commitment: bytes
    """Of the last entry; none while there is none."""
    digests: dict[int, str]
    """SHA-256 over the commitments up to each of the numbers that were asked for, lowercase hexadecimal."""


def audit(  # what a look at all of it needs
    connection: sa.Connection,
    people_of: People,
    vault: Vault,
    public_key: Ed25519PublicKey,
    report: Report,
    checkpoints: Iterable[int] = (),
    log_key: bytes | None = None,
) -> Audited:
    """Check the register, in one transaction that sees one state.

    Args:
        connection: that transaction.
        people_of: the accounts of the register.
        vault: opens what is sealed.
        public_key: the workspace's; erasures are signed with its other half.
        report: is told what is wrong.
        checkpoints: numbers up to which a digest over the commitments is wanted.
        log_key: the public half of the log's key, with which its checkpoints are signed; None outside a workspace.
    """
    log = _Log(connection, people_of, vault, public_key, report, Tree(connection, log_key, report))
    return log.run(sorted(set(checkpoints)))


class _Log:
    """A walk along the entries."""

    def __init__(
        self,
        connection: sa.Connection,
        people_of: People,
        vault: Vault,
        public_key: Ed25519PublicKey,
        report: Report,
        tree: Tree,
    ) -> None:
        self._connection = connection
        self._tree = tree
        self._public_key = public_key
        self._report = report
        self._objections = objections.Objections(connection, report)
        self._links = people.Links(connection, report)
        self._members = people.Members(connection, people_of, vault, report)
        self._notices = notices.Notices(connection, report)
        self._names = names.Names(connection, vault, report)
        self._claims = claims.Claims(connection, report)
        self._takers: dict[str, list[Callable[[Stored], None]]] = {}
        for replay in (self._objections, self._links, self._members, self._notices, self._names, self._claims):
            for kind in replay.kinds:
                self._takers.setdefault(kind, []).append(replay.take)
        self._takers.setdefault(EntryKind.PERSON_ERASED.value, []).append(self._erased)
        self._details: dict[int, tuple[int, bytes]] = {}
        self._emptied: dict[int, bytes] = {}
        """Entries without salts that no erasure has named yet, with the digest of their content."""
        self._wordless: dict[int, bytes] = {}
        """Objections whose words are gone while their salts are there, with their subjects."""
        self._gaps: list[tuple[int, int]] = []
        self._second = False
        """Whether an entry of the second format was seen: none of the first may follow."""
        self._head = Head(0, 0)
        self._last = b""

    def run(self, checkpoints: list[int]) -> Audited:
        """Check everything."""
        digest, digests, open_ones = hashlib.sha256(), dict[int, str](), checkpoints[::-1]
        for page in self._pages():
            for stored in page:
                while open_ones and open_ones[-1] < stored.seq:
                    digests[open_ones.pop()] = digest.hexdigest()
                self._entry(stored)
                self._tree.take(stored.seq, stored.commitment)
                digest.update(stored.commitment)
        digests |= dict.fromkeys(open_ones, digest.hexdigest())
        self._finish()
        return Audited(self._head, self._last, digests)

    def _pages(self) -> Iterator[Sequence[Stored]]:
        after = -_ALL
        while True:
            page = [Stored._make(row) for row in self._connection.execute(_SELECT, {"after": after})]
            last = page[-1].seq if len(page) == _PAGE else _ALL
            self._read_details(after, last)
            owners = {number: account for number, (account, _) in self._details.items()}
            self._objections.between(after, last, owners)
            yield page
            self._ownerless()
            if last == _ALL:
                return
            after = last

    def _read_details(self, after: int, last: int) -> None:
        rows = self._connection.execute(sa.select(detail).where(detail.c.seq > after, detail.c.seq <= last))
        self._details = {row.seq: (row.account, hashlib.sha256(row.sealed).digest()) for row in rows}

    def _ownerless(self) -> None:
        for number in self._details:
            self._report(f"Words are on record for entry {number}, which digests none.")
        self._details = {}

    def _entry(self, stored: Stored) -> None:
        if stored.seq != self._head.seq + 1:
            self._gaps.append((self._head.seq + 1, stored.seq - 1))
        binds = stored.kind in _BINDING
        self._head = Head(stored.seq, stored.seq if binds else self._head.binding)
        self._last = stored.commitment
        try:
            self._stored(stored, binds=binds)
            for take in self._takers.get(stored.kind, ()):
                take(stored)
        except _UNREADABLE:
            self._report(f"Entry {stored.seq} can't be read as {stored.kind!r}.")

    def _stored(self, stored: Stored, *, binds: bool) -> None:
        """Check what an entry says of itself."""
        if stored.kind not in _KNOWN:
            self._report(f"Entry {stored.seq} is of a kind that this demur does not know, {stored.kind!r}.")
        if bool(stored.binding) != binds:
            word = (
                "does not count as binding, and its kind does" if binds else "counts as binding, and its kind does not"
            )
            self._report(f"Entry {stored.seq} {word}: {stored.kind}.")
        if stored.format is None and self._second:
            self._report(f"Entry {stored.seq} has the first format, among entries of the second.")
        self._second |= stored.format is not None
        moment(stored.time)
        if not stored.salt and not stored.subject_salt:
            self._emptied[stored.seq] = content_digest(stored)
        elif len(stored.salt) != SALT_BYTES or commitment(stored) != stored.commitment:
            self._report(f"Entry {stored.seq}, {stored.kind}, is not what its commitment says.")
        self._words(stored)

    def _words(self, stored: Stored) -> None:
        """Check what was said with an entry, sealed."""
        found = self._details.pop(stored.seq, None)
        if stored.detail_digest is None:
            if found is not None:
                self._report(f"Words are on record for entry {stored.seq}, which digests none.")
        elif found is None:
            if stored.salt:
                self._wordless[stored.seq] = stored.subjects or b""
        elif found[1] != stored.detail_digest:
            self._report(f"What was said with objection {stored.seq} was replaced.")
        elif not stored.salt:
            self._report(f"What was said with objection {stored.seq} is on record, and its entry says it was erased.")

    def _erased(self, stored: Stored) -> None:
        """Take an erasure: it excuses what it names, and nothing else."""
        if stored.format is None:  # before demur destroyed salts, and named entries
            theirs = np.frombuffer(stored.subjects or b"", "<i8")
            for seq, subjects in list(self._wordless.items()):
                if np.isin(np.frombuffer(subjects, "<i8"), theirs).any():
                    del self._wordless[seq]
            return
        if stored.effect is None:
            return
        effect = Effect.read(stored.effect)
        if not is_signed(effect, self._public_key):
            self._report(f"Entry {stored.seq} is an erasure that this workspace did not sign.")
            return
        for seq, content in effect.emptied.items():
            found = self._emptied.pop(seq, None)
            if found is None:
                self._report(f"Entry {seq} has salts, which erasure {stored.seq} destroyed.")
            elif found != content:
                self._report(f"Entry {seq} was changed since erasure {stored.seq} destroyed its salts.")

    def _finish(self) -> None:
        for first, last in self._gaps:
            which = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
            self._report(f"{which} missing." if first <= last else f"Entry {last + 1} is out of order.")
        for seq in self._emptied:
            self._report(f"Entry {seq} has no salts, and no erasure names it.")
        for seq in self._wordless:
            self._report(f"What was said with objection {seq} is gone, and no erasure says so.")
        for name in state.strange(self._connection):
            self._report(f"The register holds a mark {name[:60]!r}, which demur does not set: somebody wrote it.")
        self._objections.finish()
        self._links.finish()
        self._members.finish()
        self._notices.finish()
        self._names.finish()
        self._claims.finish()
        self._tree.finish()
