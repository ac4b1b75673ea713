"""Whose an account is proven to be, and which notices a try-out only wrote to its outbox.

Who was told by a link that only covers is to be looked at anew, once.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 10_000


def upgrade() -> None:
    """Add the columns, one filled from the proven links, and leave a mark where a notice has gone out."""
    op.add_column("notice", sa.Column("tried", sa.Boolean, nullable=False, server_default=sa.false()))
    account, link = sa.table("account", *_columns("key", "holder")), sa.table("link", *_columns("low", "high"))
    connection = op.get_bind()
    op.add_column("account", sa.Column("holder", _BIG, nullable=False, server_default="0"))
    connection.execute(sa.update(account).values(holder=account.c.key))
    edges = sa.select(link.c.low, link.c.high).where(sa.column("active", sa.Boolean), sa.column("proven", sa.Boolean))
    held = _held([(int(low), int(high)) for low, high in connection.execute(edges)])
    here = sa.update(account).where(account.c.key == sa.bindparam("node")).values(holder=sa.bindparam("root"))
    for start in range(0, len(held), _AT_ONCE):
        connection.execute(here, held[start : start + _AT_ONCE])
    op.create_index("account_holder", "account", ["holder"])
    sent = sa.exists().where(sa.column("status", sa.Text).in_(["sent", "bounced"])).select_from(sa.table("notice"))
    mark = sa.table("state", sa.column("name", sa.Text), sa.column("value", sa.Text))
    left = sa.select(sa.literal("told-by-coverage"), sa.literal("1")).where(sent)
    connection.execute(sa.insert(mark).from_select(["name", "value"], left))


def _columns(*names: str) -> list[sa.ColumnClause[int]]:
    return [sa.column(name, sa.BigInteger) for name in names]


def _held(pairs: Iterable[tuple[int, int]]) -> list[dict[str, int]]:
    """Each account that pairs connect with one of a smaller key, and the smallest of these."""
    above: dict[int, int] = {}

    def root(key: int) -> int:
        while (up := above.get(key, key)) != key:
            above[key] = above.get(up, up)
            key = up
        return key

    for low, high in pairs:
        least, other = sorted((root(low), root(high)))
        above[other] = least
    return [{"node": key, "root": root(key)} for key in above if root(key) != key]
