"""A witness: it cosigns what goes on from what it cosigned last, of the logs that it was told of, and nothing else.

Invariants: checking, keeping and signing are one step, under one lock, so that two requests at once never turn a size
back; what was cosigned is on disk before the answer leaves; a folder is served by one process; a witness without its
state does not start, as it would sign a second history. Two checkpoints of one size with two roots, both signed by the
log's own key, prove a fork to anybody: both are kept. What does not go on by the proof that somebody sent is not kept:
anybody can send a wrong proof of an honest checkpoint.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import CheckFailed, UsageError
from demur.files import exclusive, replacing, write_durably
from demur.transparency.checkpoint import Checkpoint, number
from demur.transparency.cosignature import WitnessKey, cosign
from demur.transparency.note import ID_BYTES, NoteKey, decoded, is_name, signature_in, signers_of, text_of
from demur.transparency.tree import EMPTY, HASH_BYTES, check_consistency

SIZE_TYPE: Final = "text/x.tlog.size"
"""The content type of a size that was cosigned (C2SP tlog-witness)."""
MOST_BYTES: Final = 1 << 17
_MOST_HASHES: Final = 63
_KEY, _SETTINGS, _STATE, _LOCK, _EVIDENCE = "witness.key", "witness.json", "state.json", ".lock", "evidence"
_KEY_BYTES: Final = 32
_MOST_EVIDENCE: Final = 1_000


@dataclass(frozen=True)
class Answer:
    """What a witness answers (C2SP tlog-witness)."""

    status: int
    """Of HTTP."""
    body: str
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class _Asked:
    """A request, its form checked."""

    old: int
    proof: Sequence[bytes]
    note: bytes
    origin: str


class Witness:
    """The witness in one folder; safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        """Open the witness in a folder.

        Raises:
            UsageError: when there is none, or its files can't be read.
        """
        self.folder = folder
        self._lock = threading.Lock()
        try:
            secret, name = (folder / _KEY).read_bytes(), json.loads((folder / _SETTINGS).read_bytes())["name"]
            private = Ed25519PrivateKey.from_private_bytes(secret)
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(
                f"{folder} holds no witness, or a damaged one: `demur witness init` makes a new one, elsewhere."
            ) from None
        self._private = private
        self.key = WitnessKey.of(name, private)

    @classmethod
    def create(cls, folder: Path, name: str) -> Self:
        """A new witness in a folder that is not there, or empty.

        Args:
            folder: where its key and its state shall lie.
            name: its name, best an address without https://, which nobody else has.

        Raises:
            UsageError: when something lies there, it can't be written, or the name is none.
        """
        if not (is_name(name) and name.isascii() and name.isprintable()):  # what verifiers read of a policy
            raise UsageError(
                "A witness's name has no spaces, no plus signs, and ASCII alone: name it like witness.example.org/w1."
            )
        try:
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            if any(folder.iterdir()):
                raise UsageError(f"{folder} is not empty: a witness begins in a folder of its own, once.")
            with replacing(folder / _KEY) as file:
                file.write_bytes(secrets.token_bytes(_KEY_BYTES))
            write_durably(folder / _STATE, b"{}")
            write_durably(folder / _SETTINGS, orjson.dumps({"logs": [], "name": name}))
        except OSError as error:
            raise UsageError(f"{folder} can't be written ({error.strerror}): name another folder.") from None
        return cls(folder)

    # The logs that it is told of

    def logs(self) -> list[NoteKey]:
        """The keys of the logs that it witnesses.

        Raises:
            UsageError: when they can't be read.
        """
        try:
            return [NoteKey.read(text) for text in json.loads((self.folder / _SETTINGS).read_bytes())["logs"]]
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(f"{self.folder / _SETTINGS} can't be read: put it back.") from None

    def add(self, key: NoteKey) -> None:
        """Witness a log by a key, besides those that it has; one that runs takes it up at once."""
        self._write_logs([*(each for each in self.logs() if each != key), key])

    def remove(self, key: NoteKey) -> None:
        """Witness a log no more by a key; what was cosigned of it stays known.

        Raises:
            UsageError: when it is none that is witnessed.
        """
        known = self.logs()
        if key not in known:
            raise UsageError(f"The witness does not know that key of {key.name[:80]}: `demur witness logs` lists them.")
        self._write_logs([each for each in known if each != key])

    def _write_logs(self, keys: Sequence[NoteKey]) -> None:
        settings = orjson.dumps({"logs": [each.text for each in keys], "name": self.key.name})
        write_durably(self.folder / _SETTINGS, settings)

    # Cosigning

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Be the one process that cosigns for this folder.

        Raises:
            UsageError: when another one does, or the state is not there.
        """
        with exclusive(self.folder / _LOCK, str(os.getpid()).encode()) as other:
            if other is not None:
                raise UsageError(f"Another process (pid {other.decode(errors='replace')}) serves {self.folder}.")
            self.state()
            yield

    def state(self) -> dict[str, dict[str, Any]]:
        """What was cosigned last, by the log's name.

        Raises:
            UsageError: when it is not there: a witness without it would sign a second history.
        """
        try:
            found = json.loads((self.folder / _STATE).read_bytes())
            return {
                str(origin): {
                    "size": int(each["size"]),
                    "root": str(each["root"]),
                    "note": str(each.get("note", "")),  # none in the state of an older demur
                }
                for origin, each in found.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(
                f"{self.folder / _STATE} is missing or damaged: put it back; if it is lost, this witness has ended, "
                "and another one begins under another name and key."
            ) from None

    def answer(self, body: bytes, now: int) -> Answer:
        """What it answers to `add-checkpoint`.

        Args:
            body: of the request.
            now: seconds since 1970-01-01, UTC.

        Raises:
            UsageError: when its own files can't be read or written; then nothing was signed.
        """
        try:
            asked = _asked(body)
        except CheckFailed as error:
            return Answer(400, f"{error}\n")
        keys = [each for each in self.logs() if each.name == asked.origin]
        if not keys:
            return Answer(404, "This witness does not know the log.\n")
        try:
            if not signers_of(asked.note, keys):
                return Answer(403, "No key that this witness knows signed the checkpoint.\n")
        except CheckFailed as error:
            return Answer(403, f"{error}\n")
        try:
            said = Checkpoint.read(asked.note, keys)
        except CheckFailed as error:
            return Answer(400, f"{error}\n")
        with self._lock:
            return self._take(asked, said, _signed_by(asked.note, keys), now)

    def _take(self, asked: _Asked, said: Checkpoint, note: str, now: int) -> Answer:
        """Check, keep and sign: one step; the note has the signatures of the log alone."""
        if asked.old > said.size:
            return Answer(400, "The old size is above the checkpoint's.\n")
        state = self.state()
        last = state.get(said.origin, {"size": 0, "root": EMPTY.hex()})
        size, root = int(last["size"]), bytes.fromhex(last["root"])
        if asked.old != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if said.size == size and said.root != root:
            self._keep(str(last.get("note", "")), note)
            return Answer(409, f"{size}\n", SIZE_TYPE)
        try:
            _check(size, said, asked.proof, root)
        except CheckFailed as error:
            return Answer(422, f"{error}\n")
        state[said.origin] = {"size": said.size, "root": said.root.hex(), "note": note}
        try:
            write_durably(self.folder / _STATE, orjson.dumps(state))
        except OSError as error:
            raise UsageError(
                f"{self.folder / _STATE} can't be written ({error.strerror}): nothing was signed."
            ) from None
        return Answer(200, cosign(text_of(asked.note)[0], self.key, self._private, now))

    def _keep(self, *notes: str) -> None:
        """Keep checkpoints that prove a fork together; as far as there is room."""
        folder = self.folder / _EVIDENCE
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            for note in filter(None, notes):
                if sum(1 for _ in folder.iterdir()) < _MOST_EVIDENCE:
                    raw = note.encode()
                    write_durably(folder / f"{hashlib.sha256(raw).hexdigest()}.note", raw)


def _signed_by(note: bytes, keys: Sequence[NoteKey]) -> str:
    """A note with the signatures of some keys, each once: what others wrote beneath it is left out."""
    text, lines = text_of(note)
    known, found = {(key.name, key.id) for key in keys}, dict[tuple[str, bytes], str]()
    for line in lines:
        name, signature = signature_in(line)
        found.setdefault((name, signature[:ID_BYTES]), line)
    return "".join([text, "\n", *(f"{line}\n" for which, line in found.items() if which in known)])


def _check(size: int, said: Checkpoint, proof: Sequence[bytes], root: bytes) -> None:
    """Make sure that a checkpoint goes on from the size and the root that were cosigned last."""
    if size in {0, said.size}:
        if proof or (said.size == 0 and said.root != EMPTY):
            raise CheckFailed("The proof of consistency has hashes where it takes none, or the empty log another root.")
        return
    check_consistency(size, said.size, proof, root, said.root)


def _asked(body: bytes) -> _Asked:
    """A request.

    Raises:
        CheckFailed: when it is none.
    """
    head, gap, note = body.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        proof = [decoded(line) for line in lines]
    except ValueError:
        raise CheckFailed("The request is none of add-checkpoint: a hash of its proof can't be read.") from None
    old = number(first.removeprefix("old ")) if first.startswith("old ") else None
    if not gap or old is None or len(proof) > _MOST_HASHES or any(len(each) != HASH_BYTES for each in proof):
        raise CheckFailed("The request is none of add-checkpoint: the old size, a proof, an empty line, a checkpoint.")
    return _Asked(old, proof, note, text_of(note)[0].partition("\n")[0])
