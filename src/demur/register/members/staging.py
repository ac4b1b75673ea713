"""The import of members: rows are checked, keyed and sealed into temporary tables, then taken over in one go.

Invariants: memory does not grow with the number of rows (only with that of links); nothing that names a person
reaches a disk unsealed, the temporary tables included; the write lock is held only while rows move from table to
table, so that an objection never waits for an import to be read; all of it is kept, or nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from demur.identity import Pairs, SubjectKeys
from demur.kernel.rules import NEVER
from demur.register.database import bulk, entries
from demur.register.database.clock import moment
from demur.register.database.effects import Effect
from demur.register.database.store import Store
from demur.register.database.tables import BIG, account, member, objected, objection
from demur.register.database.vault import Vault
from demur.register.members import alike
from demur.register.members.called import Calling
from demur.register.members.called import joined as joined_words
from demur.register.members.linking import TEMPORARY, index, stage_links, take_links
from demur.register.members.people import People, mail_account, together
from demur.register.members.profiles import retell
from demur.register.members.rows import checked, identified
from demur.register.members.standing import UNKNOWN_REGION, effective_consent
from demur.terms import EntryKind


@dataclass(frozen=True)
class MemberImport:
    """The outcome of one import of members."""

    seq: int
    """The number of its entry."""
    read: int
    """Rows read."""
    changed: int
    """Members that are new or say something else than before."""


@dataclass(frozen=True)
class MemberPreview:
    """What an import of members would do."""

    read: int
    """Rows read; the last one of an account counts."""
    new: int
    """Members that nothing is known of yet."""
    changed: int
    """Members that would say something else than now."""
    unchanged: int
    """Members that would say what they say now."""


staged: Final = sa.Table(
    "staged",
    TEMPORARY,
    sa.Column("number", BIG),  # of its row in the import; the last of an account wins
    sa.Column("key", BIG),
    sa.Column("region", sa.Text),
    sa.Column("birth_year", sa.SmallInteger),
    sa.Column("told_on", sa.Integer),
    sa.Column("imported_consent", sa.Boolean),
    sa.Column("digest", sa.LargeBinary),
    sa.Column("mark", BIG),  # of what will stand in `member`
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("identifier", sa.LargeBinary),  # sealed with the same key, for an account that is new
    sa.Column("bears", sa.LargeBinary),  # see called.py
    prefixes=["TEMPORARY"],
)

staged_account: Final = sa.Table(
    "staged_account",
    TEMPORARY,
    sa.Column("number", BIG),
    sa.Column("key", BIG),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("identifier", sa.LargeBinary),
    prefixes=["TEMPORARY"],
)


_MARKED: Final = np.dtype([("key", "i8"), ("mark", "i8")])
_SAID: Final = ("names", "locale", "mail", "region", "birth_year", "consented", "mail_verified")

Places = npt.NDArray[np.int64]
"""Rows of a chunk, or numbers of rows, shape (n,)."""


@dataclass
class _Progress:
    """What was read so far."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    """Over the keyed digests of the rows, in their order."""
    alike: list[Pairs] = field(default_factory=list)
    """The other spellings of the accounts that are named."""


class MemberImporter:
    """Imports members into one register."""

    def __init__(self, store: Store, people: People, vault: Vault) -> None:
        self._store = store
        self._people = people
        self._vault = vault
        self._calling = Calling(people.pepper)

    def run(self, batches: Iterable[pa.RecordBatch], time: int, age: int) -> MemberImport:
        """Import all rows, or none; of whoever is younger than ``age`` the names are looked for, too.

        Raises:
            SourceError: for a row that says nothing sensible; see rows.py.
        """
        with self._staged(batches, time) as (connection, progress), self._store.write_on(connection):
            return _take_over(connection, progress, time, age)

    def preview(self, batches: Iterable[pa.RecordBatch], time: int) -> MemberPreview:
        """What :meth:`run` would do; nothing is recorded.

        Raises:
            SourceError: as :meth:`run` would.
        """
        with self._staged(batches, time) as (connection, progress):
            nested = connection.in_transaction()
            with connection.begin_nested() if nested else connection.begin():
                return _compared(connection, progress)

    @contextmanager
    def _staged(self, batches: Iterable[pa.RecordBatch], time: int) -> Iterator[tuple[sa.Connection, _Progress]]:
        """Every row in the temporary tables, for as long as the block runs."""
        with self._store.session() as connection:
            nested = connection.in_transaction()
            with connection.begin_nested() if nested else connection.begin():
                TEMPORARY.drop_all(connection)
                TEMPORARY.create_all(connection)
                progress = self._stage(connection, batches, time)
            try:
                yield connection, progress
            finally:
                with connection.begin_nested() if nested else connection.begin():
                    TEMPORARY.drop_all(connection)

    def _stage(self, connection: sa.Connection, batches: Iterable[pa.RecordBatch], time: int) -> _Progress:
        progress = _Progress()
        for chunk in checked(batches, moment(time).year):
            first = progress.rows + 1
            names = self._people.names
            spelt = identified(chunk["account"].to_pylist(), "account", range(first, first + chunk.num_rows), names)
            keys = self._people.spelt_keys(spelt)
            progress.alike.append(self._people.alike(spelt))
            linked = self._stage_links(connection, chunk, keys, first, progress)
            self._stage_mail(connection, chunk, keys, first, progress)
            bulk.write(connection, staged, self._rows(chunk, spelt, keys, linked, progress))
            progress.rows += chunk.num_rows
        for table in (staged, staged_account):
            _keep_last(connection, table)
        return progress

    def _rows(
        self, chunk: pa.RecordBatch, spelt: list[str], keys: SubjectKeys, linked: list[list[int]], progress: _Progress
    ) -> Iterator[tuple[Any, ...]]:
        """One chunk as rows of `staged`."""
        columns = [chunk[name].to_pylist() for name in _SAID]
        told = chunk["told_on"].cast(pa.int32()).fill_null(NEVER).to_pylist()
        calling = self._calling.words(spelt, *columns[:2])
        each = zip(spelt, keys.tolist(), told, linked, calling, *columns, strict=True)
        for number, (identifier, key, told_on, others, called, names, locale, mail, region, born, consent, sure) in enumerate(
            each, start=progress.rows + 1
        ):
            profile = orjson.dumps([[name for name in names or () if name], locale, mail])
            said = [key, region, born, told_on, consent, others, *filter(None, [sure])]  # a word more where it is new
            digest = self._vault.digest(profile + orjson.dumps(said))
            progress.digest.update(digest)
            cipher, wrapped = self._vault.fresh(key)
            sealed = self._vault.put(cipher, profile, "member", key)
            own = self._vault.put(cipher, identifier.encode(), "account", key)
            facts = (region or UNKNOWN_REGION, born or 0, told_on, consent)
            mark = self._vault.mark(key, facts, profile)
            yield (number, key, *facts, digest, mark, wrapped, sealed, own, called)

    def _stage_links(
        self, connection: sa.Connection, chunk: pa.RecordBatch, keys: SubjectKeys, row: int, progress: _Progress
    ) -> list[list[int]]:
        """Stage the links of a chunk, which prove; for each of its rows the keys it is linked with."""
        flat = pa.table({"place": pc.list_parent_indices(chunk["linked"]), "account": pc.list_flatten(chunk["linked"])})
        flat = flat.filter(pc.is_valid(flat["account"]))
        places = flat["place"].to_numpy()
        spelt = identified(flat["account"].to_pylist(), "linked", (places + row).tolist(), self._people.names)
        progress.alike.append(self._people.alike(spelt))
        others = self._stage_others(connection, keys, places, spelt, row, np.ones(len(places), np.bool_))
        per_row: list[list[int]] = [[] for _ in keys]
        for place, other in zip(places.tolist(), others.tolist(), strict=True):
            per_row[place].append(other)
        return per_row

    def _stage_mail(
        self, connection: sa.Connection, chunk: pa.RecordBatch, keys: SubjectKeys, row: int, progress: _Progress
    ) -> None:
        """Stage the link of each member with the account that their mail address is; a verified one proves."""
        mails = [(place, mail) for place, mail in enumerate(chunk["mail"].to_pylist()) if mail]
        spelt = [(place, mail_account(mail, self._people.names)) for place, mail in mails]
        known = [(place, account) for place, account in spelt if account is not None]
        progress.alike.append(self._people.alike(account for _, account in known))
        places = np.array([place for place, _ in known], dtype=np.int64)
        verified = chunk["mail_verified"].fill_null(False).to_numpy(zero_copy_only=False)[places]  # noqa: FBT003  # Arrow's way
        self._stage_others(connection, keys, places, [account for _, account in known], row, verified)

    def _stage_others(  # the parts of a link
        self,
        connection: sa.Connection,
        keys: SubjectKeys,
        places: Places,
        spelt: list[str],
        row: int,
        proven: npt.NDArray[np.bool_],
    ) -> SubjectKeys:
        """Stage links of the chunk's rows at some places with other accounts, and these; their keys."""
        others = self._people.spelt_keys(spelt)
        stage_links(connection, np.column_stack([keys[places], others]), proven)
        self._stage_accounts(connection, others, spelt, places + row)
        return others

    def _stage_accounts(self, connection: sa.Connection, keys: SubjectKeys, spelt: list[str], numbers: Places) -> None:
        """Stage the accounts that members are linked with, each once."""
        _, firsts = np.unique(keys, return_index=True)
        new = ((int(numbers[n]), self._people.row(int(keys[n]), spelt[n])) for n in firsts.tolist())
        rows = ((number, row["key"], row["wrapped"], row["sealed"]) for number, row in new)
        bulk.write(connection, staged_account, rows)


def _compared(connection: sa.Connection, progress: _Progress) -> MemberPreview:
    """What was staged beside what is known."""

    def counted(*conditions: sa.ColumnElement[bool]) -> int:
        known = sa.select(sa.func.count()).select_from(staged).join(member, member.c.key == staged.c.key)
        return connection.scalar(known.where(*conditions)) or 0

    accounts = connection.scalar(sa.select(sa.func.count()).select_from(staged)) or 0
    known, same = counted(), counted(member.c.digest == staged.c.digest)
    return MemberPreview(progress.rows, accounts - known, known - same, same)


def _keep_last(connection: sa.Connection, table: sa.Table) -> None:
    """Leave the last row of each account."""
    index(connection, table, "key, number")
    later = table.alias("later")
    again = sa.exists().where(later.c.key == table.c.key, later.c.number > table.c.number)
    connection.execute(sa.delete(table).where(again))


def _take_over(connection: sa.Connection, progress: _Progress, time: int, age: int) -> MemberImport:
    """Move what was staged into the register, under the write lock, and append the entry."""
    _drop_unchanged(connection)
    read = progress.rows
    changed = connection.scalar(sa.select(sa.func.count()).select_from(staged)) or 0
    subjects = _changed_facts(connection)
    members, unrecorded = _taken_members(connection), _unrecorded(connection)
    _take_accounts(connection)
    _add_to_bears(connection)
    _take_members(connection)
    taken = take_links(connection)
    alike.note(connection, np.vstack([np.empty((0, 2), np.int64), *progress.alike]), time)
    subjects = np.union1d(np.union1d(subjects, taken.merged), _renamed(connection, age, time))
    retell(connection, subjects)
    payload = {"changed": changed, "digest": progress.digest.hexdigest(), "read": read}
    payload |= {"linked": taken.new, "proven": len(taken.proven)}
    effect = Effect(proven=taken.proven, covering=taken.covering, members=members, unrecorded=unrecorded)
    seq = entries.append(connection, EntryKind.MEMBERS_IMPORTED, payload, time, subjects=subjects, effect=effect)
    return MemberImport(seq, read, changed)


def _taken_members(connection: sa.Connection) -> Pairs:
    """The key and the mark of every member that is taken over."""
    rows = bulk.read(connection, sa.select(staged.c.key, staged.c.mark).order_by(staged.c.key), _MARKED)
    return np.column_stack([rows["key"], rows["mark"]])


def _unrecorded(connection: sa.Connection) -> SubjectKeys:
    """The keys of members whose recorded consent is replaced by what the import says."""
    joined = sa.select(staged.c.key).join(member, member.c.key == staged.c.key)
    return bulk.read_keys(connection, joined.where(member.c.recorded_consent.is_not(None), _news()))


def _renamed(connection: sa.Connection, age: int, time: int) -> SubjectKeys:
    """The accounts of withheld people whose names may be others now: of objectors, and of members who are too young."""
    objecting = (
        sa.select(account.c.person)
        .join(objected, objected.c.account == account.c.key)
        .join(objection, objection.c.seq == objected.c.objection)
        .where(objection.c.active.is_(True))
    )
    theirs = sa.select(account.c.key).where(account.c.person.in_(objecting))
    theirs = bulk.read_keys(connection, sa.select(staged.c.key).where(staged.c.key.in_(theirs)))
    born = sa.select(staged.c.key).where(staged.c.birth_year >= moment(time).year - age)
    return np.union1d(together(connection, theirs), bulk.read_keys(connection, born))


def _add_to_bears(connection: sa.Connection) -> None:
    """Let no word be lost by which a member was called until now."""
    joined = sa.select(staged.c.key, staged.c.bears, member.c.bears.label("before"))
    joined = joined.join_from(staged, member, member.c.key == staged.c.key)
    rows = connection.execute(joined.where(member.c.bears != staged.c.bears)).all()
    merged = [{"of": row.key, "all": joined_words(bytes(row.before), bytes(row.bears))} for row in rows]
    if merged:
        here = sa.update(staged).where(staged.c.key == sa.bindparam("of"))
        connection.execute(here.values(bears=sa.bindparam("all")), merged)


def _drop_unchanged(connection: sa.Connection) -> None:
    """Leave in `staged` only what says something else than the member it is about."""
    same = sa.exists().where(member.c.key == staged.c.key, member.c.digest == staged.c.digest)
    connection.execute(sa.delete(staged).where(same))


def _changed_facts(connection: sa.Connection) -> SubjectKeys:
    """The keys of members that are new or whose facts will differ."""
    consent = sa.func.coalesce(_recorded_after(), staged.c.imported_consent, sa.false())
    differs = sa.or_(
        member.c.key.is_(None),
        member.c.region != staged.c.region,
        member.c.birth_year != staged.c.birth_year,
        member.c.told_on != staged.c.told_on,
        effective_consent() != consent,
    )
    joined = sa.select(staged.c.key).join_from(staged, member, member.c.key == staged.c.key, isouter=True)
    return bulk.read_keys(connection, joined.where(differs))


def _recorded_after() -> sa.ColumnElement[bool | None]:
    """The recorded consent after an import: it stands unless the import says something new."""
    return sa.case((_news(), sa.null()), else_=member.c.recorded_consent)


def _news() -> sa.ColumnElement[bool]:
    """Whether an import says something about consent that the last one did not."""
    said = staged.c.imported_consent
    return sa.and_(said.is_not(None), said.is_distinct_from(member.c.imported_consent))


def _take_accounts(connection: sa.Connection) -> None:
    """Insert accounts that are new; give an erased one that came back its new key."""
    for table in (staged, staged_account):
        key = table.c.key
        rows = sa.select(key, key, key, table.c.wrapped, table.c.identifier).where(sa.true()).order_by(key)
        columns = ["key", "person", "holder", "wrapped", "sealed"]
        statement = bulk.insert(connection, account).from_select(columns, rows)
        fresh = {"wrapped": statement.excluded.wrapped, "sealed": statement.excluded.sealed}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_=fresh, where=account.c.wrapped.is_(None))
        )


def _take_members(connection: sa.Connection) -> None:
    """Insert or overwrite the members that changed."""
    names = ["key", "region", "birth_year", "told_on", "imported_consent", "digest", "wrapped", "sealed", "bears"]
    joined = staged.outerjoin(member, member.c.key == staged.c.key)
    columns = [staged.c[name] for name in names]
    rows = sa.select(*columns, _recorded_after()).select_from(joined).where(sa.true()).order_by(staged.c.key)
    names.append("recorded_consent")
    statement = bulk.insert(connection, member).from_select(names, rows)
    overwritten = {name: statement.excluded[name] for name in names[1:]}
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=overwritten))
