"""Where rows by and about a person stand: in the corpus, in versions, in exports; and what is kept beside them.

Invariants: nothing is changed; a version that can't be read may hold such rows, and so may an export of a version that
is gone, if it is not where it was written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.journal import retired
from demur.corpus.session import Session
from demur.errors import CorpusError, UnavailableError, UsageError
from demur.identity import SubjectKeys
from demur.store import Place
from demur.suppression.keyset import KeySet
from demur.terms import EntryKind
from demur.versions.export_form import shard, shards_in

Export = tuple[str, str]
"""A version's name and the path of an export of it."""


def count_rows(corpus: Corpus, keys: SubjectKeys) -> tuple[int, int]:
    """How many rows are by, and how many about, these accounts."""
    theirs, own, total = KeySet(keys), 0, 0
    for batch in corpus.concerning(keys):
        own += int(theirs.contains(batch.column("author").to_numpy(zero_copy_only=False)).sum())
        total += batch.num_rows
    return own, total - own


@dataclass(frozen=True)
class KeptBeside:
    """What is kept of somebody as keyed numbers, to honour objections alone; no word can be read from it."""

    threads: int
    """Threads in which they are known to have written, whether or not what they wrote was kept."""
    named: int
    """Threads in which their full name stands, or stood before it was masked."""
    fingerprints: int
    """Items of theirs of which fingerprints are kept: under an objection, or where somebody withheld wrote the same."""
    uncertain: int
    """Places in others' items that were masked for them and that an officer may look at."""
    spellings: int
    """Spellings of their names that are looked for in what others write."""
    waiting: int
    """Spellings that wait until the objection with which they were typed is confirmed."""

    @property
    def anything(self) -> bool:
        """Whether anything is kept."""
        return any(vars(self).values())


def kept_beside(session: Session, keys: SubjectKeys) -> KeptBeside:
    """What is kept of whoever has some accounts, beside the rows."""
    beside, names = session.beside, session.register.names.kept(keys)
    wrote = beside.fingerprints.where("author", keys, ["wrote"]).column("wrote")
    return KeptBeside(
        threads=len(pc.unique(beside.evidence.where("author", keys, ["thread"]).column("thread"))),
        named=len(beside.evidence.naming(keys)),
        fingerprints=pc.sum(pc.greater(pc.list_value_length(wrote), 0)).as_py() or 0,
        uncertain=len(beside.uncertain.where("subject", keys, ["item"])),
        spellings=names.searched,
        waiting=names.waiting,
    )


def anything_held(session: Session, account: str) -> bool:
    """Whether register, corpus, what lies beside it, a version or an export holds anything of or about somebody.

    Raises:
        IdentityError: when the account is malformed.
    """
    register = session.register
    keys = register.persons.own(account)
    if any(register.members.identifiers(keys)) or register.persons.objections(keys) or register.notices.of(account):
        return True
    if sum(count_rows(session.corpus, keys)) or any(held_in(session, name, keys) for name in readable(session)):
        return True
    return kept_beside(session, keys).anything or bool(holding_exports(session, [], keys)[0])


def readable(session: Session) -> list[str]:
    """The versions that are not retired."""
    gone = retired(session.register)
    names = [str(entry.payload["name"]) for entry in session.register.log.entries(EntryKind.VERSION_PUBLISHED)]
    return [name for name in names if name not in gone]


def held_in(session: Session, name: str, keys: SubjectKeys) -> bool:
    """Whether a version holds rows by or about these accounts; one that can't be read may."""
    try:
        return sum(count_rows(Corpus.open(session.workspace.corpus_place, name), keys)) > 0
    except CorpusError:
        return True


def holding_exports(session: Session, versions: Iterable[str], keys: SubjectKeys) -> tuple[list[Export], list[Export]]:
    """The exports that hold rows by or about these accounts, and those of which nobody can tell any more."""
    affected, gone = set(versions), retired(session.register)
    held, unchecked = [], []
    for name, path in exported(session):
        holds = (
            True
            if name in affected
            else _export_holds(session.workspace.exported(path), keys)
            if name in gone
            else False
        )
        if holds:
            held.append((name, path))
        elif holds is None:
            unchecked.append((name, path))
    return held, unchecked


def exported(session: Session) -> Iterator[Export]:
    """Every export there ever was, once for each place."""
    entries = session.register.log.entries(EntryKind.VERSION_EXPORTED)
    yield from dict.fromkeys((str(entry.payload["name"]), str(entry.payload["path"])) for entry in entries)


def _export_holds(folder: Place, keys: SubjectKeys) -> bool | None:
    """Whether an export holds rows by or about these accounts; None where it can't be read."""
    theirs = pa.array([f"{key:016x}" for key in keys.tolist()])  # as export_form.py spells them
    try:
        paths = shards_in(folder)
        for path in paths:
            with shard(path) as file:
                for batch in file.iter_batches(columns=["author", "subjects"]):
                    names = (batch.column("author"), batch.column("subjects").flatten())
                    if any(pc.any(pc.is_in(each, theirs)).as_py() for each in names):
                        return True
    except (pa.ArrowException, OSError, ValueError, KeyError, UnavailableError, UsageError):
        return None
    return False if paths else None
