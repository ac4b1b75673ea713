"""The keys of a workspace apart from its data: one file, encrypted by a passphrase.

Invariants: without the passphrase the file says nothing but its own parameters; the passphrase is never an argument of
a command, so that no list of processes shows it; a file whose parameters were changed is refused before it costs
memory.

The key is scrypt's (RFC 7914) of the passphrase under 16 random bytes of salt, with N = 2^17, r = 8, p = 1: 128 MiB and
about half a second a guess (OWASP, *Password Storage Cheat Sheet*). The file names and their bytes are one JSON object,
sealed by AES-256-GCM, bound to the parameters.
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from demur.canonical import canonical_json
from demur.errors import DemurError, IdentityError, UsageError
from demur.identity import KEY_BYTES, seal, unseal

NAME: Final = "keys.sealed"
VARIABLE: Final = "DEMUR_BACKUP_PASSPHRASE"
"""The environment variable that may hold the passphrase."""
FORMAT: Final = 1
_N, _R, _P = 2**17, 8, 1
_MOST_N: Final = 2**20
_SALT_BYTES: Final = 16

Secrets = Mapping[str, bytes]
"""The files of a folder of keys: name and bytes."""


def passphrase_given(file: Path | None) -> str | None:
    """The passphrase in a file, without the line's end, or in the environment; None where there is neither.

    Raises:
        UsageError: when the file can't be read, or the passphrase is empty.
    """
    if file is None:
        given = os.environ.get(VARIABLE)
    else:
        try:
            given = file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8"
            raise UsageError(f"The passphrase file {file} can't be read ({reason}): name another one.") from None
    if given is not None and not given:
        raise UsageError("The passphrase is empty: choose one of several words that nobody can guess.")
    return given


def read_secrets(folder: Path) -> Secrets:
    """Every file of a folder of keys.

    Raises:
        IdentityError: when the folder can't be read.
    """
    try:
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise IdentityError(
            f"{folder} can't be read ({error.strerror}): name the folder that holds the keys."
        ) from None


def lock(secrets: Secrets, passphrase: str) -> bytes:
    """The content of the file that holds some keys."""
    salt = os.urandom(_SALT_BYTES)
    head: dict[str, Any] = {"format": FORMAT, "kdf": "scrypt", "n": _N, "r": _R, "p": _P, "salt": salt.hex()}
    plain = orjson.dumps({name: base64.b64encode(data).decode() for name, data in secrets.items()})
    sealed = seal(_key(passphrase, salt, _N, _R, _P), plain, context=_context(head))
    return orjson.dumps(head | {"sealed": base64.b64encode(sealed).decode()}, option=orjson.OPT_INDENT_2)


def unlock(content: bytes, passphrase: str, where: Path) -> Secrets:
    """The keys in the file at ``where``.

    Raises:
        IdentityError: when the passphrase is another one, or the file was changed or is of a newer demur.
    """
    try:
        read = orjson.loads(content)
        sealed = base64.b64decode(read.pop("sealed"))
        head, salt = dict(read), bytes.fromhex(read["salt"])
        cost = (int(read["n"]), int(read["r"]), int(read["p"]))
        known = read["kdf"] == "scrypt" and cost[0] <= _MOST_N and cost[1:] == (_R, _P)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IdentityError(f"{where} holds no keys: the backup is damaged; take another one.") from None
    if not known or int(head["format"]) > FORMAT:
        raise IdentityError(f"{where} was locked in a way that this demur does not know: upgrade demur.")
    try:
        plain = unseal(_key(passphrase, salt, *cost), sealed, context=_context(head))
    except (DemurError, ValueError):
        raise IdentityError(f"The passphrase does not open {where}: try another one.") from None
    return {name: base64.b64decode(data) for name, data in orjson.loads(plain).items()}


def write_secrets(secrets: Secrets, folder: Path) -> None:
    """Write keys into a new folder, mode 0700, each with mode 0600."""
    folder.mkdir(mode=0o700)
    for name, data in secrets.items():
        descriptor = os.open(folder / Path(name).name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _key(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(passphrase.encode("utf-8", "surrogateescape"))


def _context(head: Mapping[str, Any]) -> bytes:
    return b"demur/backup/keys\0" + canonical_json(head)
