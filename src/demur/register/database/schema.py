"""The register's schema: migrations with Alembic, run when a register is created or opened.

Invariants: a migration runs under the write lock and in one transaction, so that one which was interrupted has left
nothing and the next open runs it again; the database names its revision (`alembic_version`), the package's revisions
are the files in migrations/versions, in the order of their names; a register with a revision that is not among them
comes from a newer demur and is left alone. Alembic is imported only when there is something to migrate.
"""

import re
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from demur.errors import RegisterError
from demur.register.database.store import Store

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_FILE: Final = re.compile(r"r(\d{4})_\w+\.py")


def create(store: Store) -> None:
    """Make the register's tables, or finish making them."""
    store.prepare()
    _upgrade(store)


def check(store: Store) -> None:
    """Make sure that there is a register of this version, upgrading an older one.

    Raises:
        RegisterError: when there is none, or a newer one.
    """
    if store.sqlite and not store.path.is_file():
        raise RegisterError(
            f"There is no register at {store.path}: put it back from your backup; `demur init` alone makes a new one."
        )
    revision = _revision(store)
    if revision is None:
        where = store.url.render_as_string(hide_password=True)
        raise RegisterError(
            f"{where} holds no register: put the workspace's own back from your backup, or correct the URL; "
            "`demur init` alone makes a new one."
        )
    if revision != revisions()[-1]:
        create(store)


def revisions() -> list[str]:
    """The revisions this package knows, oldest first."""
    names = sorted(path.name for path in (MIGRATIONS / "versions").iterdir())
    return [match.group(1) for name in names if (match := _FILE.fullmatch(name))]


def _revision(store: Store) -> str | None:
    with store.reading() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return revision


def _upgrade(store: Store) -> None:
    with store.writing() as connection:
        revision = _revision(store)  # read again: another process may have been faster
        known = revisions()
        if revision == known[-1]:
            return
        if revision is not None and revision not in known:
            raise RegisterError(
                f"This register was written by a newer demur (revision {revision}, this one knows {known[-1]}): "
                "install that version."
            )
        from alembic import command  # noqa: PLC0415  # half of a second that only a migration should cost
        from alembic.config import Config  # noqa: PLC0415  # the same

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
