"""A proof that a version lacks whoever objected, and that an earlier one had them, for them to check offline.

Invariants: it is for who is proven to hold the account, and for nobody else: it has their subject keys, by which an
export shows whose rows are whose (ADR 0017, ADR 0050); of other accounts that the objection covers it tells nothing,
not even whether there are any; the objection, and what published the versions, are entries under one checkpoint; a
version's tree is made again from its rows, and where that is not the one of its manifest no proof is made. Memory does
not grow with the rows.
"""

import base64
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.session import Session
from demur.errors import CheckFailed, UsageError
from demur.identity import SubjectKeys
from demur.objecting.channels import PROVEN, nameless
from demur.register import Entry, ObjectionPhase, ObjectionState
from demur.register.database.proving import Opened, OwnSubjects
from demur.suppression.signed import read_bytes
from demur.versions.digests import concerned
from demur.versions.manifest import Manifest, parse
from demur.versions.placing import Subjects, big_endian
from demur.versions.states import published
from demur.versions.subjects import Proof, digests_of, holds

FORMAT: Final = 1
_COLUMNS: Final = ("author", "subjects")


@dataclass(frozen=True)
class Made:
    """A proof, and what it shows."""

    proof: bytes
    """The file, JSON (docs/log.md)."""
    accounts: int
    """Of the person, which are those that the objection's entry says are theirs."""
    absent: str
    """The version that has none of them."""
    present: str | None
    """An earlier version that has some,"""
    had: int
    """and how many of them."""


@dataclass(frozen=True)
class _Version:
    name: str
    entry: Entry
    manifest: Manifest
    file: str
    """Its manifest, to the byte."""


def prove_absence(
    session: Session,
    reference: str,
    version: str,
    before: str | None = None,
    *,
    count: Callable[[int], object] = lambda _: None,
) -> Made:
    """Prove that none of a person's accounts is in a version that was published after they objected.

    All rows of the versions are read, two columns of them.

    Args:
        session: of the workspace.
        reference: of the objection.
        version: published after it.
        before: a version published before it, in which some of the accounts are.
        count: is told how many rows were read.

    Raises:
        RegisterError: for an unknown reference, or where the objection's entry can't be opened.
        UsageError: where nobody has shown whose the objection is, or a version is not the right one.
        CorpusError: when a manifest or the rows can't be read.
        CheckFailed: when a version is not what was published, or holds one of them.
    """
    register = session.register
    state = register.objections.get(reference)
    own = _own(session, state)
    after = _version(session, version)
    earlier = None if before is None else _version(session, before)
    if after.entry.seq < state.seq:
        raise UsageError(
            f"Version {version} was published before the objection {state.reference}: name one that was published "
            "after it."
        )
    if earlier is not None and earlier.entry.seq > state.seq:
        raise UsageError(
            f"Version {before} was published after the objection {state.reference}: --before names one that was "
            "published before it."
        )
    places, there = _places(session, after, own.keys, count)
    if there.any():
        raise _present(state, version, int(there.sum()))
    was, had = (None, there) if earlier is None else _places(session, earlier, own.keys, count)
    if earlier is not None and not had.any():
        raise UsageError(
            f"Version {before} has none of the accounts of the objection {state.reference}: leave out --before, or "
            "name another version."
        )
    versions = [after] if earlier is None else [after, earlier]
    objection, *entries = register.proving.open_all([state.seq, *(each.entry.seq for each in versions)])
    said = {
        "absent": _facts(after, entries[0], places),
        "format": FORMAT,
        "key": register.proving.key.text,
        "objection": _opened(objection),
        "present": None if earlier is None or was is None else _facts(earlier, entries[1], was),
        "subjects": {
            "others": own.others.hex(),
            "own": [bytes(each).hex() for each in big_endian(own.keys)],
            "salt": own.salt.hex(),
        },
    }
    made = orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Made(made, len(own.keys), version, before, int(had.sum()))


def _own(session: Session, state: ObjectionState) -> OwnSubjects:
    """The accounts of an objection's person, where it is shown whose it is.

    Raises:
        RegisterError, UsageError: see :func:`prove_absence`.
    """
    register = session.register
    if not (state.channel in PROVEN or state.phase is ObjectionPhase.CONFIRMED):
        raise UsageError(
            f"Nobody has shown whose the objection {state.reference} is, and the proof tells whose rows are whose: "
            "once its holder or an officer has confirmed it, it can be made."
        )
    own = register.proving.own_subjects(state.seq)
    if all(name is not None and nameless(name) for name in register.members.identifiers(own.keys)):
        raise UsageError(
            f"The objection {state.reference} names no account, and a version names people by their accounts alone: "
            "there is nothing to prove."
        )
    if not np.isin(own.keys, register.persons.own_of(int(own.keys[0]))).all():
        raise UsageError(
            f"Accounts of the objection {state.reference} were unlinked since, so that they are not one person's any "
            "more: a new objection for one of them has a proof."
        )
    return own


def _version(session: Session, name: str) -> _Version:
    """A version that was published and not retired, by its logged manifest.

    Raises:
        UsageError, CorpusError, CheckFailed: see :func:`prove_absence`.
    """
    entry = published(session.register, name)
    path = session.workspace.versions_path / f"{name}.json"
    data = read_bytes(path)
    manifest = parse(data, session.keys.signing.public_key(), where=str(path))
    if manifest.content.subjects_salt is None:
        raise UsageError(
            f"Version {name} was published by an older demur, whose tree of people proves no absence: publish a new "
            "one."
        )
    if sha256(data).hexdigest() != entry.payload["manifest"]:
        raise CheckFailed(f"{path} is not the manifest that the register names: `demur verify {name}` says more.")
    return _Version(name, entry, manifest, data.decode())


def _places(
    session: Session, version: _Version, keys: SubjectKeys, count: Callable[[int], object]
) -> tuple[list[Proof], np.ndarray]:
    """The proof for each of some keys in a version, and whether it is there, shape (n,).

    Raises:
        CorpusError, CheckFailed: see :func:`prove_absence`.
    """
    content = version.manifest.content
    salt, bits, root = bytes.fromhex(content.subjects_salt or ""), content.subjects_bits or 0, content.subjects_root
    with tempfile.TemporaryDirectory(prefix="demur-prove-") as folder:
        subjects = Subjects(Path(folder))
        for batch in _batches(session, version.name):
            subjects.add(concerned(batch))
            count(batch.num_rows)
        tree = subjects.tree(salt, keys)
    if (tree.subjects, tree.bits, tree.root.hex()) != (content.subjects, bits, root):
        raise CheckFailed(
            f"The rows of version {version.name} are by or about other people than its manifest says: no proof was "
            f"made; `demur verify {version.name}` says more."
        )
    digests = [digest.tobytes() for digest in digests_of(salt, big_endian(keys))]
    there = [
        holds(proof, digest, bits=bits, root=tree.root) for proof, digest in zip(tree.proofs, digests, strict=True)
    ]
    return tree.proofs, np.array(there, np.bool_)


def _batches(session: Session, name: str) -> Iterator[pa.RecordBatch]:
    yield from Corpus.open(session.workspace.corpus_place, name).batches(_COLUMNS)


def _present(state: ObjectionState, version: str, number: int) -> Exception:
    """What is raised where a version holds accounts of an objection."""
    if state.binding:
        return CheckFailed(
            f"Version {version} holds rows by or about {number} of the accounts of the objection {state.reference}, "
            f"which is in force: `demur verify {version}` names them; retire the version."
        )
    return UsageError(
        f"The objection {state.reference} has ended, and version {version} holds rows of its accounts: name a version "
        "that was published while it was in force."
    )


def _facts(version: _Version, entry: Opened, places: list[Proof]) -> dict[str, Any]:
    return {
        **_opened(entry),
        "manifest": version.file,
        "places": [{"bucket": _text(each.bucket), "path": _text(b"".join(each.path))} for each in places],
    }


def _opened(entry: Opened) -> dict[str, str]:
    return {"entry": entry.entry, "proof": entry.proof.text, "salt": entry.salt.hex()}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
