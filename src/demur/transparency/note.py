"""Signed notes (C2SP signed-note 1.0.0): a text, and under it a line for each signature.

Invariants: a note is read strictly (UTF-8, no control character but the line feed, canonical base64), as two readings
of one note would be two notes; signatures of unknown keys are ignored, whatever they are named; one by a known key that
does not verify refuses the whole note, and so does a note without any by a known key.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from demur.errors import CheckFailed, UsageError

ID_BYTES: Final = 4
KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_MOST_BYTES: Final = 1 << 20
_MOST_SIGNATURES: Final = 100
DASH: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class NoteKey:
    """A key that signs notes, by its public half."""

    name: str
    """Without spaces and plus signs."""
    public: bytes
    """32 bytes (RFC 8032)."""
    KIND: ClassVar[bytes] = b"\x01"
    """The type of its signatures: Ed25519, of the text itself."""
    OF: ClassVar[str] = "a log: give one as `demur log key` prints it"
    """Whose it is, and who prints it, for the sentence."""

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey) -> Self:
        """The public half of a key."""
        return cls(name, private.public_key().public_bytes_raw())

    @classmethod
    def read(cls, text: str) -> Self:
        """A key as :attr:`text` has it.

        Raises:
            UsageError: when it is none, or none for Ed25519.
        """
        name, _, rest = text.strip().partition("+")
        said, _, encoded = rest.partition("+")
        try:
            data = decoded(encoded)
        except ValueError:
            data = b""
        if data[:1] != cls.KIND or len(data) != 1 + KEY_BYTES or not is_name(name):
            raise UsageError(f"That is no Ed25519 key of {cls.OF}.")
        key = cls(name, data[1:])
        if said != key.id.hex():
            raise UsageError(f"The key of {key.name[:80]} is damaged, as its number is another one: ask for it again.")
        return key

    @cached_property
    def id(self) -> bytes:
        """The 4 bytes that signatures name it by."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.KIND + self.public).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        """One line to hand to whoever shall verify: name, number and key, with plus signs between."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.KIND + self.public).decode()}"


def sign_note(text: str, key: NoteKey, private: Ed25519PrivateKey) -> str:
    """The note with a text, which ends with a line feed, signed by one key; both halves of it are given."""
    signature = base64.b64encode(key.id + private.sign(text.encode())).decode()
    return f"{text}\n{DASH}{key.name} {signature}\n"


def open_note(note: bytes, keys: Iterable[NoteKey]) -> str:
    """The text of a note that a known key signed.

    Args:
        note: from whoever claims it.
        keys: those that are known.

    Raises:
        CheckFailed: when it is no note, no known key signed it, or a known key's signature is wrong.
    """
    if not signers_of(note, keys):
        raise CheckFailed("No known key signed the checkpoint.")
    return text_of(note)[0]


def signers_of(note: bytes, keys: Iterable[NoteKey]) -> list[NoteKey]:
    """Those of some keys that signed a note.

    Raises:
        CheckFailed: when it is no note, or the signature of one of them is wrong.
    """
    text, lines = text_of(note)
    known = {(key.name, key.id): key for key in keys}
    found = list[NoteKey]()
    for line in lines:
        name, signature = signature_in(line)
        key = known.get((name, signature[:ID_BYTES]))
        if key is None:
            continue
        if not is_signed(key, signature[ID_BYTES:], text.encode()):
            raise CheckFailed(f"The signature of {name} under the checkpoint is wrong.")
        found.append(key)
    return found


def decoded(text: str) -> bytes:
    """The bytes of base64 in its one canonical form (RFC 4648, section 4).

    Raises:
        ValueError: for any other text.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical")
    return data


def text_of(note: bytes) -> tuple[str, list[str]]:
    """What a note says, unchecked, and the lines of its signatures, each without its line feed.

    Raises:
        CheckFailed: when it is no note.
    """
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise CheckFailed("The checkpoint is not in UTF-8.") from None
    if len(note) > _MOST_BYTES or _CONTROL.search(whole):
        raise CheckFailed("The checkpoint is too large, or has a control character.")
    text, gap, signatures = whole.rpartition("\n\n")
    lines = signatures.split("\n")
    if not gap or not text or lines.pop() or not 0 < len(lines) <= _MOST_SIGNATURES:
        raise CheckFailed("The checkpoint is no signed note: a text, an empty line, and signatures, each on its line.")
    return text + "\n", lines


def signature_in(line: str) -> tuple[str, bytes]:
    """Name of a line, and what stands behind it: the key's number, and the signature.

    Raises:
        CheckFailed: when it is no line of a signature.
    """
    name, gap, encoded = line.removeprefix(DASH).partition(" ")
    try:
        signature = decoded(encoded)
    except ValueError:
        signature = b""
    if not (line.startswith(DASH) and gap and is_name(name) and len(signature) > ID_BYTES):
        raise CheckFailed("A signature under the checkpoint can't be read.")
    return name, signature


def is_name(name: str) -> bool:
    """Whether a key may be called that."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


def is_signed(key: NoteKey, signature: bytes, message: bytes) -> bool:
    """Whether a signature of a message is the key's (RFC 8032)."""
    if len(signature) != _SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
