"""How ``register.sql.gz`` and ``links.json`` were made: by demur at commit f7abe7e, which knew rule 1 alone.

Run once, with that commit's source and with nothing of today's in the path:

    PYTHONPATH=/path/to/f7abe7e/src python tests/spelling/golden/make.py

All names are invented; the keys are fixed, so that the register and its links are opened by whoever has this file.
"""

# mypy: disable-error-code="attr-defined"
# The first release had other names.

import gzip
import json
import sqlite3
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from demur.identity import Keys
from demur.register import MEMBER, Register
from demur.tokens import Purpose, Tokens

HERE = Path(__file__).parent
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
SECRETS = {"pepper": bytes(range(32)), "sealing": bytes(range(32, 64)), "signing": bytes(range(64, 96))}

OBJECTED = (
    "mail:ann@straße.example",
    "mail:bo@ολος.example",
    "mail:ﬁona@inbox.example",
    "mail:Cap.Ital@Inbox.example",
    "mail:dan@xn--mller-kva.example",
    "mail:eva@müller.example",
    "mail:\uff47us@inbox.example",
    "x:İnci",
    "x:Straße",
    "irc:Nick[x]",
    "irc:tilde~",
    "mastodon:@mila@social.quarz.example",
    "mastodon:@Kim@Straße.example",
    "instagram:Ann.Berg",
    "facebook:Bo.Berg",
    "threads:Cy_Berg",
    "forum:Ben",
    "member:ß",
)
"""Each with an objection of its own, confirmed."""

ERASED = ("mail:gone@straße.example", "irc:gone{x", "mastodon:@gone@ολος.example", "mail:left@xn--mller-kva.example")
"""Objected, then erased: nothing but a key is left of them."""

SILENT = ("mail:later@straße.example", "irc:later|x", "mail:late@müller.example")
"""Erased, without an objection: their old links must still object."""

MEMBERS = (
    ("forum:jana", "jana@straße.example"),
    ("forum:other", "jana@strasse.example"),
    ("forum:lene", "Lene@müller.example"),
    ("forum:dora", "dora@straße.example"),
    ("forum:frank", "ﬁnn@inbox.example"),
    ("forum:finn", "finn@inbox.example"),
)
"""With verified addresses; rule 1 made one person of jana and other, and of frank and finn."""


def main() -> None:
    with TemporaryDirectory() as folder:
        keys = _keys(Path(folder))
        tokens = Tokens.of(keys)  # type: ignore[call-arg]  # the first release counted no incarnations
        with Register.create(f"sqlite:///{folder}/register.db", keys) as register:
            links = _fill(register, keys, tokens)
        _dump(Path(folder) / "register.db")
    (HERE / "links.json").write_text(json.dumps(links, ensure_ascii=False, indent=1) + "\n")


def _keys(folder: Path) -> Keys:
    for name, secret in SECRETS.items():
        (folder / f"{name}.key").write_bytes(secret)
    return Keys.load(folder)


def _fill(register: Register, keys: Keys, tokens: Tokens) -> dict[str, object]:
    rows = [{"account": account, "mail": mail, "mail_verified": True, "locale": "de"} for account, mail in MEMBERS]
    register.import_members([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
    objected = {account: _objection(register, keys, tokens, account) for account in (*OBJECTED, *ERASED)}
    objected["forum:dora"] = _objection(register, keys, tokens, "forum:dora")
    for account in ERASED:
        register.erase_details(account)
    silent = {account: tokens.make(Purpose.OBJECT, keys.pepper.subject_key(account)) for account in SILENT}
    for account in SILENT:
        register.consent([account], given=False, now=NOW)
        register.erase_details(account)
    members = {account: tokens.make(Purpose.OBJECT, keys.pepper.subject_key(account)) for account, _ in MEMBERS}
    return {"objected": objected, "silent": silent, "members": members}


def _objection(register: Register, keys: Keys, tokens: Tokens, account: str) -> dict[str, str]:
    receipt = register.lodge([account], channel="mail", received=date(2026, 4, 30), now=NOW)
    register.confirm(receipt.reference, now=NOW)
    return {
        "reference": receipt.reference,
        "receipt": tokens.make(Purpose.RECEIPT, receipt.seq),
        "object": tokens.make(Purpose.OBJECT, keys.pepper.subject_key(account)),
    }


def _dump(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        text = "\n".join(connection.iterdump())
    (HERE / "register.sql.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    if hasattr(Register, "note_alike") or not hasattr(Register, "lodge"):
        sys.exit("This is no f7abe7e: set PYTHONPATH to the source of that commit.")
    main()
