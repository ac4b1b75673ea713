"""Cosignatures of the log's checkpoints: what witnesses signed, kept beside what the log's own key signed.

Invariants: a line is kept as it was signed, and once; it is added to a note that is handed out and changes nothing in
it; a checkpoint without any is handed out all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from demur.register.database import bulk
from demur.register.database.tables import checkpoint, cosignature

_LATEST: Final = 8
"""Cosigned checkpoints among which the one with the most witnesses is taken."""


def keep(connection: sa.Connection, origin: str, size: int, lines: Mapping[str, str]) -> None:
    """Keep the lines of some witnesses, by their keys, for the checkpoint of a size."""
    rows = [{"origin": origin, "size": size, "witness": key, "line": line} for key, line in lines.items()]
    if rows:
        connection.execute(bulk.insert(connection, cosignature).on_conflict_do_nothing(), rows)


def reached(connection: sa.Connection, origin: str) -> Mapping[str, int]:
    """The largest size that each witness cosigned, by its key."""
    largest = sa.select(cosignature.c.witness, sa.func.max(cosignature.c.size))
    rows = connection.execute(largest.where(cosignature.c.origin == origin).group_by(cosignature.c.witness))
    return {str(key): int(size) for key, size in rows}


def with_lines(connection: sa.Connection, origin: str, size: int, note: str) -> str:
    """A checkpoint with the cosignatures that there are of it."""
    which = sa.select(cosignature.c.line).where(cosignature.c.origin == origin, cosignature.c.size == size)
    return note + "".join(connection.scalars(which.order_by(cosignature.c.witness)))


def best(connection: sa.Connection, origin: str, sizes: range) -> str | None:
    """Of the newest cosigned checkpoints of some sizes the one with the most witnesses; None where none is cosigned."""
    counted = (
        sa.select(cosignature.c.size, sa.func.count().label("lines"))
        .where(cosignature.c.origin == origin, cosignature.c.size >= sizes.start, cosignature.c.size < sizes.stop)
        .group_by(cosignature.c.size)
        .order_by(cosignature.c.size.desc())
        .limit(_LATEST)
    )
    found = [(int(row.size), int(row.lines)) for row in connection.execute(counted)]
    for size in _by_lines(found):
        note = connection.scalar(sa.select(checkpoint.c.note).where(checkpoint.c.size == size))
        if note is not None and note.partition("\n")[0] == origin:
            return with_lines(connection, origin, size, note)
    return None


def _by_lines(found: Sequence[tuple[int, int]]) -> Iterable[int]:
    return (size for size, _ in sorted(found, key=lambda row: (row[1], row[0]), reverse=True))
