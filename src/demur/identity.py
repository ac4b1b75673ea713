"""Identifiers become keyed hashes here, and personal details are sealed here.

Invariants: a raw account identifier leaves this module only as ``HMAC-SHA-256(pepper, canonical identifier)``
(RFC 2104), so that the corpus and its versions can be searched for a person by whoever holds the pepper and by
nobody else; the same account, however it is written, has one key (spelling.py says when two are the same); sealing is
AES-256-GCM (NIST SP 800-38D) under a fresh 96-bit nonce, so that destroying a key destroys what it sealed.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from demur.errors import IdentityError
from demur.files import replacing, sync
from demur.spelling import DEFAULT, Names, canonical, mail_spelling, spellings

__all__ = [
    "ITEM_KEY_BYTES",
    "KEY_BYTES",
    "Keys",
    "Pairs",
    "Pepper",
    "SubjectKeys",
    "ascending",
    "canonical",
    "grown",
    "inside",
    "mail_spelling",
    "seal",
    "spellings",
    "unseal",
]

_LOG: Final = "log"
LOG_FILE: Final = f"{_LOG}.key"
NEXT_LOG_FILE: Final = f"{_LOG}.next.key"
"""The log's next key, until a rotation put it on record."""
KEY_BYTES: Final = 32
ITEM_KEY_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_BLOCK_BYTES: Final = 64  # of SHA-256, FIPS 180-4
_DIGEST_BYTES: Final = 32
_MOST_REMEMBERED: Final = 1 << 18
"""Accounts whose keys a process remembers, but for those of one batch."""

_REMEMBERING: Final = Lock()

SubjectKeys = npt.NDArray[np.int64]

Pairs = npt.NDArray[np.int64]
"""Subject keys of one account, each the exact one and that of another spelling of it; shape (n, 2)."""


def ascending(keys: SubjectKeys) -> SubjectKeys:
    """Keys sorted, once each: what ``np.unique`` takes fifty times as long for at a million."""
    ordered: SubjectKeys = np.sort(keys)
    return np.asarray(ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0])


def grown(pairs: Pairs, keys: SubjectKeys) -> SubjectKeys:
    """Sorted keys with all that pairs connect with them, sorted."""
    while True:
        ends = inside(pairs.ravel(), keys).reshape(-1, 2)
        new = np.unique(pairs[ends[:, ::-1] & ~ends])
        if not len(new):
            return keys
        keys = np.insert(keys, np.searchsorted(keys, new), new)


def inside(few: SubjectKeys, keys: SubjectKeys) -> npt.NDArray[np.bool_]:
    """Which of a few keys are among many sorted ones, shape of ``few``."""
    if not len(keys):
        return np.zeros(len(few), np.bool_)
    at = np.minimum(np.searchsorted(keys, few), len(keys) - 1)
    return np.asarray(keys[at] == few)


@lru_cache(maxsize=4)
def _keyed_before(_pepper: "Pepper", _names: tuple[Names, ...]) -> tuple[dict[str, int], dict[str, tuple[int, ...]]]:
    """The keys of accounts that a process met under a pepper, most of which come again; of few, their other spellings'.

    Its names are told besides, as two of them are equal whatever was declared earlier.
    """
    return {}, {}


def _all_names(names: Names) -> tuple[Names, ...]:
    """Names, and what was declared before them."""
    return (names, *(each for earlier in names.earlier for each in _all_names(earlier)))


@lru_cache(maxsize=8)
def _hmac_states(pepper: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The inner and the outer hash of HMAC-SHA-256 with the key taken in (RFC 2104, section 4)."""
    block = pepper.ljust(_BLOCK_BYTES, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


@dataclass(frozen=True)
class Pepper:
    """The secret under which identifiers are hashed; picklable, so that worker processes can key items."""

    secret: bytes = field(repr=False)
    """32 random bytes."""
    names: Names = DEFAULT
    """How names are compared: what the policy declares, now and before."""

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise IdentityError(f"A pepper has {KEY_BYTES} bytes, this one {len(self.secret)}: restore keys/pepper.")

    def subject_key(self, account: str) -> int:
        """The subject key of one account: the first 63 bits of its keyed hash, so that it fits an int64."""
        return int(self.subject_keys([account])[0])

    def subject_keys(self, accounts: Iterable[str]) -> SubjectKeys:
        """The subject keys of many accounts, shape (n,), in their order."""
        return self.spelt_keys(map(self.names.canonical, accounts))

    def alike(self, accounts: Iterable[str]) -> Pairs:
        """The keys of the accounts' other spellings, each beside the account's own; none of most accounts."""
        return self._pairs(self.names.spellings(account) for account in accounts)

    def all_keys(self, accounts: Iterable[str]) -> tuple[SubjectKeys, Pairs]:
        """Both: the subject keys of many accounts in their order, and the pairs of those with other spellings."""
        asked = list(accounts)
        with _REMEMBERING:
            known, others = _keyed_before(self, _all_names(self.names))
            if not all(map(known.__contains__, asked)):
                self._remember(asked, known, others)
            own = np.fromiter(map(known.__getitem__, asked), np.int64, len(asked))
            pairs = [(known[each], other) for each in asked for other in others.get(each, ())] if others else []
        return own, np.array(pairs, np.int64).reshape(-1, 2)

    def _remember(self, asked: list[str], known: dict[str, int], others: dict[str, tuple[int, ...]]) -> None:
        """Key the accounts that are not known yet; the others are forgotten when they are too many."""
        if len(known) > _MOST_REMEMBERED:
            known.clear()
            others.clear()
        new = [account for account in dict.fromkeys(asked) if account not in known]
        spelt = [self.names.spellings(account) for account in new]
        several = [(account, each[1:]) for account, each in zip(new, spelt, strict=True) if len(each) > 1]
        keys = iter(self.spelt_keys(spelling for _, rest in several for spelling in rest).tolist())
        others.update((account, tuple(islice(keys, len(rest)))) for account, rest in several)
        known.update(zip(new, self.spelt_keys(each[0] for each in spelt).tolist(), strict=True))

    def _pairs(self, spelt: Iterable[tuple[str, ...]]) -> Pairs:
        several = [each for each in spelt if len(each) > 1]
        keys = self.spelt_keys(spelling for each in several for spelling in each)
        sizes = np.array([len(each) for each in several], np.int64)
        own = np.cumsum(sizes) - sizes
        return np.column_stack([np.repeat(keys[own], sizes - 1), np.delete(keys, own)])

    def spelt_keys(self, spelt: Iterable[str]) -> SubjectKeys:
        """The subject keys of spellings as they are, shape (n,): nothing is normalised."""
        heads = b"".join(self._digests(spelt))
        return (np.frombuffer(heads, dtype=">u8")[:: _DIGEST_BYTES // 8] >> np.uint64(1)).astype(np.int64)

    def item_key(self, item: str) -> bytes:
        """The first 16 bytes of the keyed hash of an item, thread or group id."""
        return next(self._digests([item]))[:ITEM_KEY_BYTES]

    def item_keys(self, items: pa.Array) -> pa.Array:
        """The keys of a string array, as fixed_size_binary(16), nulls kept."""
        unique = items.dictionary_encode()
        heads = b"".join([digest[:ITEM_KEY_BYTES] for digest in self._digests(unique.dictionary.to_pylist())])
        keys = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(ITEM_KEY_BYTES), len(unique.dictionary), [None, pa.py_buffer(heads)]
        )
        return keys.take(unique.indices)

    def _digests(self, messages: Iterable[str]) -> Iterator[bytes]:
        """HMAC-SHA-256 of each message, the key taken in once: a third of the time of ``hmac.digest``."""
        inner, outer = _hmac_states(self.secret)
        for message in messages:
            first, second = inner.copy(), outer.copy()
            first.update(message.encode())
            second.update(first.digest())
            yield second.digest()


def seal(key: bytes, plain: bytes, *, context: bytes = b"") -> bytes:
    """AES-256-GCM of ``plain``, bound to ``context``; the nonce stands first."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, *, context: bytes = b"") -> bytes:
    """What :func:`seal` sealed.

    Raises:
        IdentityError: with another key or context, or when a byte was changed.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError):  # or too short for a nonce
        raise IdentityError("A sealed detail can't be opened with this workspace's key: restore keys/.") from None


@dataclass(frozen=True)
class Keys:
    """The secrets of a workspace, one file each under ``keys/``, mode 0600."""

    pepper: Pepper
    sealing: bytes = field(repr=False)
    """32 bytes; wraps the key of each person."""
    signing: Ed25519PrivateKey = field(repr=False)
    """Signs manifests, suppression lists and the mark (RFC 8032)."""
    log: Ed25519PrivateKey | None = field(default=None, repr=False)
    """Signs the log's checkpoints; None in a workspace of an older demur, until its log is opened."""
    folder: Path | None = None
    """Where they lie."""

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Fresh keys, written to ``folder``, which must not hold any."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("pepper", "sealing", "signing", _LOG):
            _write_secret(folder / f"{name}.key", secrets.token_bytes(KEY_BYTES))
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys in ``folder``.

        Raises:
            IdentityError: when one is missing or has the wrong length.
        """
        pepper, sealing, signing = (_read_secret(folder / f"{n}.key") for n in ("pepper", "sealing", "signing"))
        log = _read_secret(folder / f"{_LOG}.key") if (folder / f"{_LOG}.key").exists() else None
        opened = None if log is None else Ed25519PrivateKey.from_private_bytes(log)
        return cls(Pepper(pepper), sealing, Ed25519PrivateKey.from_private_bytes(signing), opened, folder)

    def with_log(self) -> Self:
        """These keys, with a fresh one for the log where there is none; only the first opening of a log may ask.

        Raises:
            IdentityError: when it can't be written.
        """
        if self.log is not None:
            return self
        if self.folder is None:
            raise IdentityError("The key of the log has no place: load the keys from their folder.")
        return replace(self, log=_made(self.folder / LOG_FILE))

    def next_log(self) -> Ed25519PrivateKey:
        """The key that the log shall be signed by next: a fresh one, or the one that lies there.

        Raises:
            IdentityError: when it can't be written.
        """
        if self.folder is None:
            raise IdentityError("The key of the log has no place: load the keys from their folder.")
        return _made(self.folder / NEXT_LOG_FILE)

    @staticmethod
    def settle_log(folder: Path) -> None:
        """Give the log's next key the place of the one that it followed, whose private half is gone with that.

        Raises:
            IdentityError: when the file can't be renamed.
        """
        try:
            (folder / NEXT_LOG_FILE).replace(folder / LOG_FILE)
            sync(folder)
        except FileNotFoundError:
            return  # another process was faster
        except OSError as error:
            raise IdentityError(f"{folder} can't be written ({error.strerror}): see to it.") from None


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file that signs (RFC 8032).

    Raises:
        IdentityError: when it can't be read, or is damaged.
    """
    return Ed25519PrivateKey.from_private_bytes(_read_secret(path))


def _made(path: Path) -> Ed25519PrivateKey:
    """The key that signs in a file, which is made where it is not there."""
    try:
        if not path.exists():
            with replacing(path) as unfinished:
                unfinished.write_bytes(secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        raise IdentityError(f"{path} can't be written ({error.strerror}): see to its folder.") from None
    return read_signing_key(path)


def _write_secret(path: Path, secret: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise IdentityError(f"{path} exists already: a key is never overwritten; choose another folder.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def _read_secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise IdentityError(f"{path} can't be read ({error.strerror}): restore it from your backup.") from None
    if len(secret) != KEY_BYTES:
        raise IdentityError(f"{path} has {len(secret)} bytes instead of {KEY_BYTES}: restore it from your backup.")
    return secret
