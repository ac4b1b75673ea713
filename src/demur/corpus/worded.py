"""The names of withheld people and the fingerprints of what they wrote, as the kernel reads them, kept as files.

Invariants: a file is a cache: it can be thrown away at any time, one that can't be read counts as none, and one is
believed only while it names what it was built from: the entry, by its commitment, and from which age people count
(demur.corpus.compiled has the fingerprints). So one that stayed where an older register was put back is not believed.
Names that came since are joined to it, in place of what it says of the same people, and built into it once they are
many. An entry of somebody who is not withheld any more is harmless: the kernel asks who is.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from demur.corpus.caches import is_sound, keep
from demur.corpus.compiled import compiled
from demur.corpus.datasets.evidence import Fingerprints
from demur.errors import RegisterError
from demur.kernel.rules import Rules
from demur.people.index import PeopleIndex
from demur.register import Register
from demur.suppression.copies import Copies

_MANY: Final = 2_000
"""Entries that are joined to a file, before a new one is written."""
_TAG_BYTES: Final = 8
_PEOPLE: Final = re.compile(rf"people-(\d{{12}})-([0-9a-f]{{{2 * _TAG_BYTES}}})\.index")

Worded = tuple[PeopleIndex | None, Copies | None]
"""The names of withheld people, and what they wrote as fingerprints; None where there is none or nobody looks."""


def worded(register: Register, rules: Rules, binding: int, fingerprints: Fingerprints, folder: Path) -> Worded:
    """What is known of withheld people's words now, as far as the policy wants it looked for.

    Args:
        register: knows their names.
        rules: know the policy, who is a known minor, and from which age.
        binding: the last binding entry that the rules know: what is kept in a file is named by it, as a minor of whom
            a later one tells is not among them.
        fingerprints: what they wrote.
        folder: where the files are kept; where there is none, nothing is.
    """
    others = rules.policy.others
    people = _people(register, rules, binding, folder) if others.looks_for_names else None
    return people, compiled(fingerprints, folder) if others.looks_for_copies else None


def names_of_now(register: Register, rules: Rules, binding: int, folder: Path) -> PeopleIndex | None:
    """The names of just those who are withheld now, not joined of several: what a version is published under."""
    return _people(register, rules, binding, folder, exact=True)


def _people(register: Register, rules: Rules, binding: int, folder: Path, *, exact: bool = False) -> PeopleIndex | None:
    minors = rules.minors.keys
    if not register.names.head(minors):
        return None
    for begin, path in _kept(register, rules, folder):
        if (begin == binding if exact else begin <= binding) and (known := _loaded(path)) is not None:
            if exact or not len(changed := register.names.changed(begin, minors=minors)):
                return known
            since = list(register.names.entries(begin, minors=minors))
            if len(since) <= _MANY:
                return known.without(changed).joined(PeopleIndex.build(since))
            break
    built = PeopleIndex.build(register.names.entries(minors=minors))
    path = folder / f"people-{binding:012d}-{_tag(register, rules, binding)}.index"
    return (_loaded(path) if keep(path, built.save, "people-*.index") else None) or built


def _kept(register: Register, rules: Rules, folder: Path) -> Iterator[tuple[int, Path]]:
    """The files of names that may be believed, with the binding entries that they know; the newest first."""
    for path in sorted(folder.glob("people-*.index"), reverse=True):
        if found := _PEOPLE.fullmatch(path.name):
            begin = int(found[1])
            if found[2] == _tag(register, rules, begin):
                yield begin, path


def _tag(register: Register, rules: Rules, binding: int) -> str:
    """What tells a file of one register's entry from that of another register, or of another age of minors."""
    told = register.point(binding).commitment + b"%d" % rules.policy.door.minimum_age
    return hashlib.sha256(told).digest()[:_TAG_BYTES].hex()


def _loaded(path: Path) -> PeopleIndex | None:
    """What a file holds; None where it is not there, not any more, or not what it should be."""
    try:
        return PeopleIndex.load(path) if is_sound(path) else None
    except (RegisterError, OSError, LookupError):
        return None
