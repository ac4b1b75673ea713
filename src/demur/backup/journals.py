"""What marks tell of the time after a backup: their journals, put together.

Invariants: a group of entries is taken once, whichever marks noted it; a mark that is not of the backup's own line (of
another restore, or of another workspace) is refused, never mixed in; a number that no mark covers is counted, as nobody
can say what it was.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from demur.backup.container import Listed
from demur.errors import RegisterError
from demur.identity import Keys
from demur.register.continuity.replay import Noted
from demur.register.database.instance import Instance
from demur.register.database.journal import REPLAYED
from demur.register.database.mark import Group, Mark, Point
from demur.terms import EntryKind

CommitmentAt = Callable[[int], bytes | None]
"""The commitment of an entry of the backup's register, by number."""


@dataclass(frozen=True)
class Journals:
    """The entries after a backup, as far as marks tell."""

    noted: Sequence[Mapping[str, Any]]
    """What journal.py noted, in the order of the register."""
    others: Mapping[str, int]
    """How many further entries there were, by kind."""
    marks: Sequence[Point]
    """Up to where each mark goes."""
    incarnation: int
    """The highest of the marks', 0 without one."""
    missing: int | None
    """How many numbers no mark covers; None where there is no mark, so that nobody knows."""

    @property
    def unknown(self) -> bool:
        """Whether there may be more than what is told."""
        return self.missing is None or self.missing > 0

    def replayable(self) -> Iterator[Noted]:
        """The entries that a restore repeats."""
        return (Noted.read(each) for each in self.noted if EntryKind(each["kind"]) in REPLAYED)

    def told(self) -> Iterator[tuple[EntryKind, Mapping[str, Any]]]:
        """Those that it tells of."""
        kinds = ((EntryKind(each["kind"]), each["payload"]) for each in self.noted)
        return ((kind, payload) for kind, payload in kinds if kind not in REPLAYED)


NONE = Journals((), {}, (), 0, None)
"""Where there is no mark."""


def read(paths: Sequence[Path], keys: Keys, listed: Listed, at: CommitmentAt) -> Journals:
    """What the marks at ``paths`` tell of the time after the backup.

    Args:
        paths: the marks of every server that acknowledged anything.
        keys: the backup's.
        listed: the backup.
        at: looks into its register.

    Raises:
        RegisterError: when one is no mark of the backup's workspace, or not of its line.
    """
    if not paths:
        return NONE
    groups: dict[int, Group] = {}
    ends, incarnations = [], []
    for path in paths:
        mark = Mark(path, keys, Instance(listed.instance, listed.incarnation, {}))
        incarnations.append(mark.head().incarnation)
        _require_line(mark, listed, at)
        ends.append(mark.end())
        for group in mark.groups():
            if group.end.seq > listed.end.seq:
                groups[group.end.seq] = group
    if len(set(incarnations)) > 1:
        raise RegisterError(
            f"The marks are of different incarnations ({', '.join(map(str, sorted(set(incarnations))))}), because a "
            "restore came between: name those of the last one alone."
        )
    later = [groups[seq] for seq in sorted(groups)]
    others = sum((Counter(group.others) for group in later), Counter[str]())
    missing = _missing(later, listed.end.seq, max(end.seq for end in ends))
    return Journals([each for group in later for each in group.entries], others, ends, max(incarnations), missing)


def _missing(groups: Sequence[Group], after: int, until: int) -> int:
    """How many numbers after one, up to another, are in no group."""
    covered = set[int]()
    for group in groups:
        covered.update(range(group.end.seq - _entries(group) + 1, group.end.seq + 1))
    return sum(number not in covered for number in range(after + 1, until + 1))


def _entries(group: Group) -> int:
    return len(group.entries) + sum(group.others.values())


def _require_line(mark: Mark, listed: Listed, at: CommitmentAt) -> None:
    """Every point that mark and backup share must be the same entry, and no restore may lie between a group's parts."""
    head, shared = mark.head(), listed.end.seq
    points = [head.begin, *(group.end for group in mark.groups())]
    agree = all(at(point.seq) == point.commitment for point in points if point.seq <= shared)
    straddles = any(each.end.seq - _entries(each) < shared < each.end.seq for each in mark.groups())
    if head.incarnation < listed.incarnation or straddles or not agree:
        raise RegisterError(
            f"The mark {mark.path} (incarnation {head.incarnation}) does not go with this backup (incarnation "
            f"{listed.incarnation}), because a restore came between: name the mark that was in use after the backup "
            "was made, or move this one away."
        )


def next_instance(known: Instance, listed: Listed, journals: Journals) -> Instance:
    """The incarnation that a restore begins: after the backup's, and after every mark's."""
    return changed(known, incarnation=max(listed.incarnation, journals.incarnation, known.incarnation) + 1)
