"""The manifest of a version: what it holds, under which policy and objections, signed.

Invariants: a manifest that was read has a signature that holds under the key the reader chose, never merely under
the key it names itself; equal manifests have equal bytes (RFC 8785); fields that this demur does not know, at any
depth, survive a round trip.

Its file is canonical JSON of three members: `signed` (the facts), `signature` (Ed25519, RFC 8032, over canonical
JSON of `signed`) and `public_key`, both as lowercase hexadecimal.
"""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import JSON
from demur.errors import CorpusError
from demur.identity import Keys
from demur.policy import Policy
from demur.runs.facts import AsOf
from demur.suppression.parts import COPIES, NAMES
from demur.suppression.signed import envelope, opened, read_bytes, rfc3339
from demur.versions.digests import Digests
from demur.versions.filelist import FileFacts

FORMAT: Final = 2
"""The version of the manifest's form; one with a higher one is not read.

One of format 1 (until November 2026) has no salt, no files and no instance: its tree of subjects is over sorted leaves,
and what its files hold besides rows is not signed. It is read and checked, and never written any more.
"""

SCORES: Final = {NAMES: "names_from", COPIES: "copies_from"}
"""What a manifest, and the policy, call the score from which names and copies may not be in a version."""

_SOFTWARE: Final = ("demur", "pylance", "pyarrow", "numpy")


@dataclass(frozen=True)
class LegalBasis:
    """The legal basis in use (Art. 6(1) GDPR), as its assessment was signed."""

    use: str
    document: str
    """Title, path or URL of the assessment."""
    date: str
    """Day of the signature, ISO 8601."""
    signed_by: str
    """Name or role."""


@dataclass(frozen=True)
class Manifest:
    """What a version is. Digests are SHA-256 in lowercase hexadecimal, unless they say otherwise."""

    name: str
    """The version's name."""
    lance_version: int
    """Its number in the Lance dataset."""
    content: Digests
    """Rows, bytes, counts and digests of what it holds."""
    left_out: Mapping[str, int]
    """Items that the imports so far left out, by their first reason (law 5)."""
    policy: str
    """Digest of the rules in force."""
    suppression: str
    """Digest of the suppression list's file."""
    checkpoint: AsOf
    """Where the register stood; every objection up to its last binding entry is honoured."""
    basis: LegalBasis
    controller: str
    """Who answers for the processing (Art. 4(7) GDPR)."""
    purpose: str
    effective: date
    """The policy's effective date."""
    time: datetime
    """When it was published; aware, to the second."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Names and versions of what made it."""
    files: tuple[FileFacts, ...] | None = None
    """The files of the corpus that hold its rows and columns, by path; None in format 1."""
    instance: str | None = None
    """The workspace's id, where it has one."""
    incarnation: int | None = None
    """1 before the workspace was ever restored from a backup; each restore counts one up."""
    words: Mapping[str, int] | None = None
    """From which score, 0 to 100, names and copies may not be in it: `names_from`, `copies_from`, each only if any was
    looked for. None in a version of an older demur, which looked for none."""
    log: str | None = None
    """The newest checkpoint of the register's log when it was published, as it was signed, and cosigned if it was; None
    in a version of an older demur."""
    unknown: Mapping[str, JSON] = field(default_factory=dict)
    """What a later demur added, in its place."""

    @property
    def format(self) -> int:
        """The version of its form: 1 for one that was read so, else the one that is written now."""
        return 1 if self.content.subjects_salt is None else FORMAT

    def facts(self) -> dict[str, JSON]:
        """The signed part, as JSON; what is None is not in it."""
        known = _said({f.name: getattr(self, f.name) for f in fields(self) if f.name != "unknown"})
        nested: dict[str, Any] = {name: _said(asdict(known[name])) for name in ("content", "checkpoint", "basis")}
        if self.files is not None:
            nested["files"] = [vars(each) for each in self.files]
        days = {"effective": self.effective.isoformat(), "time": rfc3339(self.time)}
        return _merged({**known, **nested, **days, "format": self.format}, self.unknown)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """The manifest that :meth:`facts` described.

        Raises:
            KeyError, TypeError, ValueError: when a field is missing or malformed.
        """
        listed = facts.get("files")
        manifest = cls(
            **_own(cls, facts, besides=_TURNED),
            files=None if listed is None else tuple(FileFacts(**_own(FileFacts, each)) for each in listed),
            content=Digests(**_own(Digests, facts["content"])),
            checkpoint=AsOf(**_own(AsOf, facts["checkpoint"])),
            basis=LegalBasis(**_own(LegalBasis, facts["basis"])),
            effective=date.fromisoformat(facts["effective"]),
            time=datetime.fromisoformat(facts["time"]).astimezone(UTC),
        )
        return cls(**{**manifest.__dict__, "unknown": _unknown(facts, manifest.facts())})


_TURNED: Final = frozenset({"files", "content", "checkpoint", "basis", "effective", "time", "unknown"})
"""Fields that are not in JSON what they are in Python."""


def sign(manifest: Manifest, keys: Keys) -> bytes:
    """The manifest's file, signed by the workspace."""
    return envelope(manifest.facts(), keys.signing)


def read(path: Path, public_key: Ed25519PublicKey) -> Manifest:
    """The manifest in the file ``path``, whose signature holds under ``public_key``.

    Raises:
        CorpusError: as :func:`parse`, or when the file can't be read.
    """
    return parse(read_bytes(path), public_key, where=str(path))


def parse(data: bytes, public_key: Ed25519PublicKey, *, where: str) -> Manifest:
    """The manifest in ``data``; ``where`` names it in errors.

    Raises:
        CorpusError: when it is no manifest, is from a newer demur, or its signature fails under ``public_key``.
    """
    facts = opened(data, public_key, FORMAT, what="manifest", where=where, again="publish again")
    try:
        return Manifest.from_facts(facts)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CorpusError(f"{where} is signed but lacks fields of a manifest: publish again.") from None


def scores_of(policy: Policy) -> dict[str, int]:
    """What a version that is published under a policy may not hold."""
    others = policy.others
    wanted = {NAMES: others.names, COPIES: others.copies}
    return {SCORES[each]: getattr(others, SCORES[each]) for each, action in wanted.items() if action != "keep"}


def software() -> dict[str, str]:
    """What makes a version here: names and versions."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _SOFTWARE}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a source tree
        return "source"


def _own(kind: type, facts: Mapping[str, Any], *, besides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The members of ``facts`` that are fields of ``kind``; those that may be None may be absent."""
    wanted = [f for f in fields(kind) if f.name not in besides]
    return {f.name: facts.get(f.name) if f.default is None else facts[f.name] for f in wanted}


def _said(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is not None."""
    return {name: value for name, value in facts.items() if value is not None}


def _unknown(facts: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, JSON]:
    """What ``facts`` says beyond ``known``, in its place."""
    beyond: dict[str, JSON] = {}
    for name, value in facts.items():
        if name not in known:
            beyond[name] = value
        elif isinstance(value, Mapping) and (inner := _unknown(value, known[name])):
            beyond[name] = inner
    return beyond


def _merged(known: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, JSON]:
    """``known`` with ``unknown`` back in its place."""
    merged = dict(known)
    for name, value in unknown.items():
        merged[name] = _merged(known[name], value) if name in known else value
    return merged
