"""Do the parts of a workspace belong to its register: its versions' manifests, its corpus, and what lies beside that?

Invariants: no part is changed here; a register that is behind what a signed manifest or the corpus says of it is an
older one, and refused; a manifest whose signature does not hold says nothing here, and is what `demur verify` finds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import canonical_json
from demur.errors import CorpusError, RegisterError
from demur.files import sync
from demur.glance import Said
from demur.register import Register
from demur.register.database.mark import Point
from demur.store import Place
from demur.suppression.signed import signature_holds
from demur.terms import EntryKind

ASIDE: Final = "aside"
"""Folder, among the versions, of manifests that an older demur signed and never put on record."""


@dataclass(frozen=True)
class Signed:
    """What a signed manifest says of the register."""

    path: Path
    name: str
    seq: int
    """The register's last entry when it was made."""
    instance: str | None
    """None in one that was made before there were instances."""
    ours: bool
    """Whether it was signed with this workspace's key; else with the one that it names itself."""


def require_versions(register: Register, versions: Path, key: Ed25519PublicKey) -> None:
    """Make sure that the register knows every version whose signed manifest lies here.

    Raises:
        RegisterError: when it does not: it is older than the manifest, or another one.
    """
    manifests = list(signed_manifests(versions, key))
    if not manifests:
        return
    known = {str(entry.payload["name"]) for entry in register.log.entries(EntryKind.VERSION_PUBLISHED)}
    end, instance = register.log.head().seq, register.instance
    for each in manifests:
        named = each.instance is not None and instance is not None and each.instance == instance.id
        if not named and not (each.ours and each.instance is None):
            raise RegisterError(
                f"{each.path} is a version of another workspace: nothing was changed; move it away, or put back the "
                "register and the keys that belong to it."
            )
        if each.name in known or not each.ours:  # one that was signed again is what `demur verify` finds
            continue
        if each.instance is None and each.seq <= end and (instance is None or _was_adopted(register)):
            if instance is not None:
                _set_aside(each)  # an older demur was killed before it put it on record
            continue
        behind = f", {each.seq - end} of which it lacks" if each.seq > end else ""
        raise RegisterError(
            f"The register does not know the version {each.name}, whose signed manifest {each.path} was made "
            f"after {each.seq} entries{behind}: it is older than that, or another one. Nothing was changed; put "
            "the newer register back, or restore a backup with `demur restore`."
        )


def _was_adopted(register: Register) -> bool:
    return register.log.last(EntryKind.WORKSPACE_ADOPTED) is not None


def _set_aside(stray: Signed) -> None:
    """Move a manifest that no register knows to a folder of its own: what is signed is never deleted."""
    aside = stray.path.parent / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    stray.path.replace(aside / stray.path.name)
    sync(stray.path.parent)


def signed_manifests(versions: Path, key: Ed25519PublicKey) -> Iterator[Signed]:
    """The manifests here that are whole: signed with ``key``, or at least with the key that they name; by name."""
    for path in sorted(versions.glob("*.json")) if versions.is_dir() else ():
        if not path.name.startswith(".") and (found := _read(path, key)) is not None:
            yield found


def require_corpus(register: Register, said: Said, path: Place) -> None:
    """Make sure that the corpus is this workspace's, and not ahead of the register.

    Raises:
        CorpusError: when it is another workspace's, or from before or after a restore.
        RegisterError: when it honours an entry that the register does not hold.
    """
    instance = register.instance
    if said.instance and (instance is None or said.instance != instance.id):
        raise CorpusError(
            f"The corpus {path} is of another workspace: nothing was changed; put back the one that belongs to this "
            "register, or move it away and import the sources again."
        )
    if instance is not None and said.incarnation > instance.incarnation:
        raise RegisterError(
            f"The register is older than the corpus {path}: a restore came between (incarnation {instance.incarnation} "
            f"and {said.incarnation}). Nothing was changed; put back what belongs together."
        )
    _require_before_restore(register, said, path)
    register.require_point(Point(said.honoured, said.commitment), f"the corpus {path}")


def require_beside(register: Register, beside: Iterable[Said], corpus: Said, path: Place) -> None:
    """Make sure that what lies beside the corpus is this workspace's, and as far as the corpus.

    Args:
        register: of the workspace.
        beside: what each part of it says.
        corpus: what the corpus says; it belongs to the register.
        path: of the folder.

    Raises:
        CorpusError: when it is another workspace's, or older than the corpus.
        RegisterError: when it honours an entry that the register does not hold.
    """
    together = "put back the one that goes with the corpus, or move both away and import the sources again"
    instance = register.instance
    for said in beside:
        if said.instance and (instance is None or said.instance != instance.id):
            raise CorpusError(f"The evidence {path} is of another workspace: nothing was changed; {together}.")
        if said.imports < corpus.imports or said.honoured < corpus.honoured:
            raise CorpusError(
                f"The evidence {path} is missing, or older than the corpus (import {said.imports} and entry "
                f"{said.honoured}, not {corpus.imports} and {corpus.honoured}): nothing was changed; {together}."
            )
        if instance is not None and said.incarnation > instance.incarnation:
            raise RegisterError(
                f"The register is older than the evidence {path}: a restore came between. Nothing was changed; put "
                "back what belongs together."
            )
        _require_before_restore(register, said, path, "evidence")
        register.require_point(Point(said.honoured, said.commitment), f"the evidence {path}")


def _require_before_restore(register: Register, said: Said, path: Place, called: str = "corpus") -> None:
    """Make sure that a part does not come from after a backup that was restored since."""
    for entry in register.log.entries(EntryKind.REGISTER_RESTORED):
        incarnation, imports = int(str(entry.payload["incarnation"])), int(str(entry.payload["imports"]))
        if said.instance and said.incarnation < incarnation and said.imports > imports:
            raise CorpusError(
                f"The {called} {path} has an import (number {said.imports}) from after the backup that was restored "
                f"since (incarnation {said.incarnation} and {incarnation}): nothing was changed; put the restored one "
                "back, or move this one away and import the sources again."
            )


def _read(path: Path, key: Ed25519PublicKey) -> Signed | None:
    try:
        document = orjson.loads(path.read_bytes())
        facts: dict[str, Any] = document["signed"]
        message, signature = canonical_json(facts), bytes.fromhex(document["signature"])
        named = Ed25519PublicKey.from_public_bytes(bytes.fromhex(document["public_key"]))
        ours = signature_holds(key, signature, message)
        if not ours and not signature_holds(named, signature, message):
            return None
        return Signed(path, str(facts["name"]), int(facts["checkpoint"]["seq"]), facts.get("instance"), ours)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
