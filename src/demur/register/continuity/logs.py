"""How a log begins and goes on under its keys, on record: it is opened once under each name, and its key is rotated.

Invariants: the entry that opens a log names its keys by their public halves and the pepper by its SHA-256, so that an
authority that is shown the pepper can check a subject key; 32 random bytes can't be found from that. There is one for
each name of the log, however many servers open it. A rotation is on record and signed in one transaction; the files
follow, so that a kill at any moment leaves a key that the register names under one of two names (logkeys.py).
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from demur.errors import UsageError
from demur.identity import Keys
from demur.register.database import entries, instance, logkeys
from demur.register.database.clock import micros
from demur.register.database.records import JSON
from demur.register.database.store import Store
from demur.terms import EntryKind
from demur.transparency.rotation import Rotation


def open_log(store: Store, keys: Keys) -> int | None:
    """Put on record under which keys the log begins, once for each name of it; the entry's number, None where it was.

    Raises:
        RegisterError: when the register does not go on from where it was signed last: it can still be read.
        UnavailableError: when it can't be written just now.
    """
    with store.reading() as connection:
        known = instance.read(connection)
        done = known is None or logkeys.opened(logkeys.told(connection), known.origin)
    signer = store.signer
    if done or signer is None:
        return None
    with store.writing() as connection:
        known = instance.read(connection)  # again, and the entries, too: another process may have been faster
        assert known is not None
        if logkeys.opened(logkeys.told(connection), known.origin):
            return None
        payload: dict[str, JSON] = {
            "keys": {
                "log": signer.key(connection).text,
                "manifests": keys.signing.public_key().public_bytes_raw().hex(),
            },
            "origin": known.origin,
            "pepper": hashlib.sha256(keys.pepper.secret).hexdigest(),
        }
        return entries.append(connection, EntryKind.LOG_OPENED, payload, micros(None))


def rotate(store: Store, key: Ed25519PrivateKey) -> Rotation:
    """Put on record that another key signs from now on; the statement, which both signed.

    Raises:
        UsageError: when it is the key in use.
        RegisterError: when the register does not go on from where it was signed last, or the key in use is not here.
    """
    signer = store.signer
    assert signer is not None  # a workspace's register has one
    with store.writing() as connection:
        known = instance.read(connection)
        assert known is not None
        if known.log_check(key) == known.checks["log"]:
            raise UsageError("The next key of the log is the one in use: remove keys/log.next.key, and try again.")
        made = signer.rotate(connection, key, entries.head(connection).seq + 1)
        entries.append(connection, EntryKind.LOG_ROTATED, made.json, micros(None))
        instance.write(connection, known.with_log_check(known.log_check(key)))
        return made
