"""The keys of a log, one after another: a rotation is a statement that the old and the new key signed both.

Invariants: a statement stands for itself, whatever carries it; a key counts from the checkpoint of its rotation on, and
up to that of the next one, and both sign these; a checkpoint that a key signed beyond its time is refused, however good
the signature. Whoever has one key of the chain, got from elsewhere, has them all, as long as no old key was anybody
else's: a thief of one can sign a rotation of their own, which whoever knows that key alone can't tell from the log's.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.canonical import JSON, canonical_json
from demur.errors import CheckFailed, UsageError
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.note import NoteKey, decoded, is_signed, signers_of, text_of

STATEMENT: Final = b"demur rotation\n"
"""What a rotation is signed with in front; a checkpoint begins with the log's name."""
FILE: Final = "rotations.json"
"""Its name beside a log that is written as files."""


@dataclass(frozen=True)
class Rotation:
    """From one key of a log to the next."""

    origin: str
    """The log's name."""
    old: NoteKey
    new: NoteKey
    size: int
    """Entries of the last checkpoint that the old key signs, which is the new key's first: this rotation's is the last
    of them."""
    signatures: tuple[bytes, bytes]
    """By the old and by the new key."""

    @classmethod
    def make(cls, origin: str, size: int, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> Self:
        """A rotation, signed by both keys."""
        keys = NoteKey.of(origin, old), NoteKey.of(origin, new)
        message = STATEMENT + canonical_json(_said(origin, *keys, size))
        return cls(origin, *keys, size, (old.sign(message), new.sign(message)))

    @property
    def json(self) -> dict[str, JSON]:
        """As an entry, a receipt and a file hold it."""
        old, new = (base64.b64encode(each).decode() for each in self.signatures)
        return {
            "signatures": {"from": old, "to": new},
            "signed": _said(self.origin, self.old, self.new, self.size),
        }

    @classmethod
    def read(cls, said: Any) -> Self:  # noqa: ANN401  # of JSON
        """A rotation whose signatures hold; whether its keys are anybody's is the caller's to say.

        Raises:
            CheckFailed: when it is none, or one of the two did not sign it.
        """
        try:
            body, signatures = said["signed"], said["signatures"]
            origin, size = body["origin"], body["size"]
            old, new = NoteKey.read(body["from"]), NoteKey.read(body["to"])
            both = decoded(signatures["from"]), decoded(signatures["to"])
            message = STATEMENT + canonical_json(_said(origin, old, new, size))
        except (KeyError, TypeError, ValueError, AttributeError, UsageError):
            raise CheckFailed("A rotation of the log's key can't be read.") from None
        exact = (
            body.keys() == {"from", "origin", "size", "to"}
            and said.keys() == {"signatures", "signed"}
            and signatures.keys() == {"from", "to"}
        )
        if not exact or type(size) is not int or size < 1 or {old.name, new.name} != {origin} or old == new:
            raise CheckFailed("A rotation of the log's key is of another form, another log, or of one key.")
        for key, signature in zip((old, new), both, strict=True):
            if not is_signed(key, signature, message):
                raise CheckFailed(f"The key {key.name}+{key.id.hex()} did not sign its rotation.")
        return cls(origin, old, new, size, both)


@dataclass(frozen=True)
class Span:
    """A key, and the sizes of the checkpoints that it counts for."""

    key: NoteKey
    first: int = 0
    last: int | None = None
    """None for the key in use."""

    def counts(self, size: int) -> bool:
        """Whether it counts at a size."""
        return self.first <= size and (self.last is None or size <= self.last)


@dataclass(frozen=True)
class KeyHistory:
    """The keys of one log, the oldest first."""

    spans: tuple[Span, ...]

    @classmethod
    def of(cls, key: NoteKey, rotations: Sequence[Rotation] = ()) -> Self:
        """The history that a key which is known is part of.

        Args:
            key: known from elsewhere.
            rotations: those of its log, in their order; none where the key was never rotated.

        Raises:
            CheckFailed: when one does not go on from the one before it, or the key is none of theirs.
        """
        if not rotations:
            return cls((Span(key),))
        for earlier, later in pairwise(rotations):
            if earlier.new != later.old or earlier.size >= later.size:
                raise CheckFailed("A rotation of the log's key does not go on from the one before it.")
        keys = [rotations[0].old, *(each.new for each in rotations)]
        if key not in keys:
            raise CheckFailed("The key is none of those that followed each other in this log.")
        sizes = [each.size for each in rotations]
        spans = zip(keys, [0, *sizes], [*sizes, None], strict=True)
        return cls(tuple(Span(each, first, last) for each, first, last in spans))

    @property
    def newest(self) -> NoteKey:
        """The key in use."""
        return self.spans[-1].key

    def read(self, note: bytes) -> Checkpoint:
        """The checkpoint in a note that a key signed which counts at its size.

        Raises:
            CheckFailed: as :meth:`Checkpoint.read`; and when every key that signed it was in use before or after.
        """
        keys = [each.key for each in self.spans]
        signed = signers_of(note, keys)
        if not signed:
            raise CheckFailed("No known key signed the checkpoint.")
        said = Checkpoint.parse(text_of(note)[0], {key.name for key in keys})
        if not any(each.key in signed and each.counts(said.size) for each in self.spans):
            raise CheckFailed(
                f"The key that signed the checkpoint of {said.size} entries does not count there: it was rotated."
            )
        return said


def read_all(said: Any) -> list[Rotation]:  # noqa: ANN401  # of JSON
    """The rotations of a file or a receipt, in their order.

    Raises:
        CheckFailed: when it holds something else.
    """
    if not isinstance(said, list):
        raise CheckFailed("The rotations of the log's key are no list.")
    return [Rotation.read(each) for each in said]


def _said(origin: str, old: NoteKey, new: NoteKey, size: int) -> Mapping[str, JSON]:
    return {"from": old.text, "origin": origin, "size": size, "to": new.text}
