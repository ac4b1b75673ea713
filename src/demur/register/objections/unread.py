"""A register from before names were looked for: what members and objections say of names is read, once, when it opens.

Invariants: it is one transaction, and a mark that migration 0009 leaves says that it is to be done; whose names were
typed with an objection before, nobody had to prove, so that they wait until it is confirmed (ADR 0035).
"""

from typing import Final

import orjson
import sqlalchemy as sa

from demur.identity import Keys
from demur.register.database import state
from demur.register.database.store import Store
from demur.register.database.tables import account, detail, member, objection
from demur.register.database.vault import Vault
from demur.register.members.called import Calling
from demur.register.members.people import People
from demur.register.members.spellings import Spellings

UNREAD: Final = "unread-names"
_AT_ONCE: Final = 10_000


def read_names(store: Store, keys: Keys) -> None:
    """Read what was said before, where that has not been done."""
    with store.reading() as connection:
        if state.read(connection, UNREAD) is None:
            return
    with store.writing() as connection:
        if state.read(connection, UNREAD) is not None:  # no other process was faster
            vault = Vault(keys.sealing)
            _members(connection, Calling(keys.pepper), vault)
            _objections(connection, People(keys.pepper, vault), vault)
            state.remove(connection, UNREAD)


def _members(connection: sa.Connection, calling: Calling, vault: Vault) -> None:
    columns = sa.select(member.c.key, member.c.wrapped, member.c.sealed, account.c.wrapped, account.c.sealed)
    joined = columns.join(account, account.c.key == member.c.key)
    after = -1
    while True:
        known = (member.c.sealed.is_not(None), account.c.sealed.is_not(None), member.c.key > after)
        rows = connection.execute(joined.where(*known).order_by(member.c.key).limit(_AT_ONCE)).all()
        if not rows:
            return
        said = [orjson.loads(vault.open(wrapped, sealed, "member", key)) for key, wrapped, sealed, _, _ in rows]
        spelt = [vault.open(wrapped, sealed, "account", key).decode() for key, _, _, wrapped, sealed in rows]
        words = calling.words(spelt, [names for names, _, _ in said], [locale for _, locale, _ in said])
        here = sa.update(member).where(member.c.key == sa.bindparam("of")).values(bears=sa.bindparam("words"))
        connection.execute(here, [{"of": row[0], "words": each} for row, each in zip(rows, words, strict=True)])
        after = rows[-1][0]


def _objections(connection: sa.Connection, people: People, vault: Vault) -> None:
    spellings = Spellings(people, vault)
    columns = sa.select(detail.c.seq, detail.c.account, detail.c.sealed, account.c.wrapped)
    joined = columns.join(objection, objection.c.seq == detail.c.seq).join(account, account.c.key == detail.c.account)
    for row in connection.execute(joined.where(account.c.wrapped.is_not(None))).all():
        said = orjson.loads(vault.open(row.wrapped, row.sealed, "detail", row.account))
        spellings.typed(connection, row.account, row.seq, row.seq, said["statement"], binds=False)
