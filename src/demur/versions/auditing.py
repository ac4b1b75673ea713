"""An export as an auditor has it: without a workspace, by its own signed manifest and the public key.

Invariants: rows, counts and the tree of subjects are made again from the Parquet files, as `publish` made them; nothing
is taken from the manifest but what the key signed; what only the workspace could show is said in a note, and is no
finding.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CorpusError, UsageError
from demur.store import Place
from demur.suppression.keyset import KeySet
from demur.suppression.signed import read_bytes
from demur.versions.export import MANIFEST
from demur.versions.exportcheck import Signed, check_folder
from demur.versions.findings import Code, Findings
from demur.versions.verify import check_rows, export_batches, read_manifest

_ALONE: Final = (
    "{} was checked alone: that it is the version that the register names, whom the suppression list names, and which "
    "row it is where rows differ, only the workspace shows."
)


@dataclass(frozen=True)
class Absence:
    """What a proof of absence says of a version; whether it holds is for `demur_verify.py` to say."""

    keys: KeySet
    """Of whoever objected."""
    manifest: bytes
    """The version's."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The proof in a file.

        Raises:
            UsageError: when it is none.
        """
        try:
            said: Mapping[str, Any] = orjson.loads(read_bytes(path))
            keys = np.array([int(each, 16) for each in said["subjects"]["own"]], np.int64)
            return cls(KeySet(keys), str(said["absent"]["manifest"]).encode())
        except CorpusError as error:
            raise UsageError(str(error)) from None
        except (KeyError, TypeError, ValueError, OverflowError):
            raise UsageError(f"{path} is no proof of absence: give one as `demur prove --version` writes it.") from None


def public_key(text: str) -> Ed25519PublicKey:
    """The key that manifests are signed by, from its 64 hexadecimal digits.

    Raises:
        UsageError: when it is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError:
        raise UsageError("That is no key of manifests: give its 64 hexadecimal digits, or a file of them.") from None


def check_alone(
    folder: Place, name: str, key: Ed25519PublicKey, absence: Absence | None = None, findings: Findings | None = None
) -> Findings:
    """Check an export by what lies in its folder.

    Args:
        folder: of the export, or its place in a store.
        name: of the version.
        key: that its manifest has to be signed with, from elsewhere.
        absence: a proof that the version lacks somebody: no row may be by or about them.
        findings: where findings are added; new ones by default.
    """
    findings = Findings() if findings is None else findings
    path = folder / MANIFEST
    manifest = read_manifest(path, name, key, findings)
    if manifest is None:
        return findings
    data = read_bytes(path)
    if absence is not None and absence.manifest != data:
        findings.add(Code.MANIFEST, f"The proof is of another version than {path}, or of another {name}.")
    nobody = KeySet(np.zeros(0, np.int64))
    check_rows(lambda: export_batches(folder), manifest, None, absence.keys if absence else nobody, findings)
    check_folder(folder, Signed(manifest, hashlib.sha256(data).hexdigest(), key, None), findings)
    findings.note(_ALONE.format(folder))
    return findings
