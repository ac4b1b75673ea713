"""What signed files have in common: one byte form of their facts, and a way to write that is all or nothing.

Invariants: equal facts have equal bytes (RFC 8785), so that a signature or a digest over them can be checked by
anybody; a file that stands under its name is whole and on disk.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from demur.canonical import JSON, canonical_json
from demur.errors import CorpusError
from demur.files import replacing
from demur.store import Place


def public_bytes(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key (RFC 8032, section 5.1.5)."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def signature_holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by ``key`` (Ed25519, RFC 8032)."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def envelope(facts: Mapping[str, JSON], key: Ed25519PrivateKey) -> bytes:
    """A signed file: canonical JSON of ``facts``, the signature over their own canonical JSON, and the public key."""
    signature = key.sign(canonical_json(facts)).hex()
    return canonical_json({"public_key": public_bytes(key.public_key()).hex(), "signature": signature, "signed": facts})


def opened(
    data: bytes, public_key: Ed25519PublicKey, newest: int, *, what: str, where: str, again: str
) -> dict[str, Any]:
    """The facts of a signed file.

    Args:
        data: the file.
        public_key: what it must be signed with; the key that it names itself counts for nothing.
        newest: the highest format that this demur reads.
        what: what the file is, for errors.
        where: its path, for errors.
        again: what to do when it is broken, for errors.

    Raises:
        CorpusError: when it is no such file, is from a newer demur, or its signature fails.
    """
    try:
        document = orjson.loads(data)
        facts, signature = document["signed"], bytes.fromhex(document["signature"])
        newer = int(facts["format"]) > newest
        message = canonical_json(facts)
    except (KeyError, TypeError, ValueError):
        raise CorpusError(f"{where} is no {what}: restore it from your backup, or {again}.") from None
    if newer:
        raise CorpusError(f"{where} has format {facts['format']}, newer than this demur reads: upgrade demur.")
    if not signature_holds(public_key, signature, message):
        raise CorpusError(
            f"{where} was changed after it was signed, or signed with another key:"
            " restore it from your backup, or check it with the public key of the workspace that published it."
        )
    return dict(facts)


def is_exact(data: bytes, public_key: Ed25519PublicKey) -> bool:
    """Whether a signed file that was read has no byte besides, and names the key that it is signed with."""
    document = orjson.loads(data)
    return canonical_json(document) == data and document["public_key"] == public_bytes(public_key).hex()


def rfc3339(time: datetime) -> str:
    """An aware time in UTC, to the second: ``2026-11-22T05:43:18Z`` (RFC 3339)."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def file_digest(path: Place) -> str:
    """SHA-256 of a file, lowercase hexadecimal.

    Raises:
        CorpusError: when it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}): restore it from your backup.") from None


def read_bytes(path: Place) -> bytes:
    """The bytes of a file.

    Raises:
        CorpusError: when it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}): restore it from your backup.") from None


def write_atomically(path: Path, data: bytes) -> None:
    """Put ``data`` on disk under ``path``: the whole of it, or nothing.

    Raises:
        CorpusError: when the disk is full or the folder can't be written.
    """
    with aside(path) as file:
        file.write_bytes(data)


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """A file to write that takes the place of ``path``, as :func:`demur.files.replacing` does; its folder is made.

    Raises:
        CorpusError: when the disk is full or the folder can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(path) as file:
            yield file
    except OSError as error:
        raise CorpusError(
            f"{path} can't be written ({error.strerror or error}): make room or allow it, and run the command again."
        ) from None
