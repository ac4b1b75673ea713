"""What a restore, or a new mark, could not bring back; until somebody decides, nothing is published.

Invariants: it follows from entries alone; what was read since the backup (sources, members) is made good by reading as
many again, a lost policy by the same rules in force; what nobody can read again, or nobody knows of, takes a decision,
which is an entry (`loss.accepted`) and settles all that was lost before it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from demur.register.database.entries import Log
from demur.register.database.records import JSON
from demur.terms import EntryKind

UNKNOWN: Final = "unknown"
KNOWN: Final = "known"
_BEGINS: Final = (EntryKind.REGISTER_RESTORED, EntryKind.MARK_RENEWED)
_MENDS: Final = (EntryKind.IMPORT_FINISHED, EntryKind.MEMBERS_IMPORTED, EntryKind.POLICY_CHANGED)

Told = tuple[EntryKind, Mapping[str, Any]]
"""An entry's kind and payload."""


@dataclass
class Loss:
    """What is lost and not decided; counted up and down while entries are read."""

    unknown: bool = False
    """Whether nobody can say what is lost besides."""
    imports: Counter[str] = field(default_factory=Counter)
    """Imports that have to be done again, by source."""
    members: int = 0
    """Imports of members that have to be done again."""
    policy: str | None = None
    """The rules that were in force at the end, where they are not in force again (Policy.rules_hash)."""
    bounced: int = 0
    """Notices that came back, and count as arrived."""

    def __bool__(self) -> bool:
        return bool(self.unknown or +self.imports or self.members or self.policy or self.bounced)

    @property
    def sentence(self) -> str:
        """What to do, in one sentence; empty where there is nothing to decide."""
        if not self:
            return ""
        told = list(self._told())
        if self.unknown:
            first = "What was acknowledged since the backup, or under the mark that is lost, is unknown"
            if told:
                first += f"; known is that {_joined(told)} came after"
            return f"{first}: nothing is published until somebody accepts that (`demur publish NAME --accept-loss`)."
        again = "do that again, then publish" if self.bounced == 0 else "do again what can be done"
        return f"{_joined(told)} came after the backup and is lost: {again}; or accept the loss (`--accept-loss`)."

    def facts(self) -> dict[str, JSON]:
        """As an entry keeps it."""
        return {
            "unknown": self.unknown,
            "imports": dict(sorted((+self.imports).items())),
            "members": self.members,
            "policy": self.policy,
            "bounced": self.bounced,
        }

    def take(self, kind: EntryKind, payload: Mapping[str, Any]) -> None:
        """Count one entry that came next."""
        if kind in _BEGINS:
            self._add(payload)
        elif kind is EntryKind.LOSS_ACCEPTED:
            self.unknown, self.imports, self.members, self.policy, self.bounced = False, Counter(), 0, None, 0
        elif kind is EntryKind.IMPORT_FINISHED:
            self.imports = +(self.imports - Counter([str(payload["source"])]))
        elif kind is EntryKind.MEMBERS_IMPORTED:
            self.members = max(0, self.members - 1)
        elif kind is EntryKind.POLICY_CHANGED and payload["rules"] == self.policy:
            self.policy = None

    def _add(self, payload: Mapping[str, Any]) -> None:
        again = payload.get("again") or {}
        self.unknown |= payload["loss"] == UNKNOWN
        self.imports += Counter(again.get("imports") or {})
        self.members += again.get("members") or 0
        self.policy = again.get("policy") or self.policy
        self.bounced += again.get("bounced") or 0

    def _told(self) -> Iterator[str]:
        if count := (+self.imports).total():
            sources = ", ".join(sorted(+self.imports))
            yield f"{_count(count, 'import')} ({sources})"
        if self.members:
            yield f"{_count(self.members, 'import')} of members"
        if self.policy:
            yield "a change of demur.toml"
        if self.bounced:
            yield f"{_count(self.bounced, 'notice')} that came back"


def after_backup(told: Iterable[Told], others: Mapping[str, int], *, unknown: bool) -> Loss:
    """What a restore loses, of a journal's entries in their order that can't be repeated."""
    before, loss = Loss(), Loss(unknown=unknown, bounced=others.get(EntryKind.NOTICE_BOUNCED.value, 0))
    for kind, payload in told:
        before.take(kind, payload)  # what an earlier restore lost, and was not made good before this loss
        if kind is EntryKind.IMPORT_FINISHED:
            loss.imports[str(payload["source"])] += 1
        elif kind is EntryKind.MEMBERS_IMPORTED:
            loss.members += 1
        elif kind is EntryKind.POLICY_CHANGED:
            loss.policy = str(payload["rules"])
    loss.unknown |= before.unknown
    loss.imports += before.imports
    loss.members += before.members
    loss.policy = loss.policy or before.policy
    loss.bounced += before.bounced
    return loss


def undecided(log: Log) -> Loss | None:
    """What is lost and neither made good nor accepted; None where nothing is."""
    begun = [entry for kind in _BEGINS for entry in log.entries(kind)]
    accepted = max((entry.seq for entry in log.entries(EntryKind.LOSS_ACCEPTED)), default=0) if begun else 0
    begun = [entry for entry in begun if entry.seq > accepted]
    if not begun:
        return None
    first = min(entry.seq for entry in begun)
    later = [entry for kind in _MENDS for entry in log.entries(kind, after=first)]
    loss = Loss()
    for entry in sorted((*begun, *later), key=lambda entry: entry.seq):
        loss.take(entry.kind, entry.payload)
    return loss or None


def lost_versions(log: Log) -> set[str]:
    """The names of versions that a restore lost: somebody may hold copies, so that none is given again."""
    entries = log.entries(EntryKind.REGISTER_RESTORED)
    return {str(name) for entry in entries for name in _names(entry.payload.get("versions"))}


def _names(value: JSON) -> Iterator[object]:
    return iter(value) if isinstance(value, list) else iter(())


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
