"""People and their accounts: which links make one person of several accounts, and which of them prove it.

Invariants: every account has a row. A person is a connected component of active links, which an objection covers;
`person` is the smallest subject key of it, in every account of it. A link merges two people; unlinking one parts them
again if no other link holds them together. A pair that was unlinked stays on record as such, so that the next import of
members does not undo a decision; only a link made on purpose does.

A link proves where the platform or staff said that both accounts are one person's, or that the address is verified.
What opens, shows and erases follows proven links alone (Art. 15(4) GDPR). A link that was taken back proves nothing.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from demur.errors import IdentityError, RegisterError
from demur.identity import Pairs, Pepper, SubjectKeys
from demur.people.compiled import Compiler
from demur.register.database import bulk
from demur.register.database.clock import micros
from demur.register.database.tables import account, link
from demur.register.database.vault import Vault
from demur.register.members import alike
from demur.spelling import DEFAULT, Names
from demur.words.keys import WordKeys

Edges = npt.NDArray[np.int64]
"""Pairs of subject keys, shape (m, 2)."""


_NO_MAIL: Final = re.compile(r"[\s<>,;:]")
"""What stands in no bare mail address (unless quoted, which nobody does)."""


def identify(identifier: str, names: Names = DEFAULT) -> str:
    """The exact spelling of an account identifier, as a policy's ``names`` have it.

    Raises:
        IdentityError: if it is malformed.
    """
    spelt = names.canonical(identifier)
    try:
        spelt.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as a command line makes of bytes that are no UTF-8
        raise IdentityError("An account identifier holds bytes that are no UTF-8: type it again.") from None
    return spelt


def mail_account(address: str, names: Names = DEFAULT) -> str | None:
    """The account that a mail address is, as a policy's ``names`` have it; None if it can't be one."""
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and domain) or _NO_MAIL.search(address.strip()):
        return None
    try:
        return identify(f"mail:{address}", names)
    except IdentityError:
        return None


class People:
    """The accounts of one register; each method works in the caller's transaction."""

    def __init__(self, pepper: Pepper, vault: Vault) -> None:
        self.pepper = pepper
        self._vault = vault

    @property
    def names(self) -> Names:
        """How this register compares names."""
        return self.pepper.names

    @cached_property
    def compiler(self) -> Compiler:
        """Makes keyed forms of people's names."""
        return Compiler(WordKeys(self.pepper.secret))

    def identify(self, account: str) -> str:
        """The exact spelling of an account here; see :func:`identify`."""
        return identify(account, self.names)

    def alike(self, accounts: Iterable[str]) -> Pairs:
        """The keys of the accounts' other spellings, each beside the account's own."""
        return self.pepper.alike(accounts)

    def keys(self, accounts: Sequence[str]) -> SubjectKeys:
        """The subject keys of accounts, in their order, shape (n,)."""
        return self.spelt_keys([self.identify(each) for each in accounts])

    def spelt_keys(self, spelt: Sequence[str]) -> SubjectKeys:
        """The subject keys of spellings that :meth:`identify` gave, in their order, shape (n,)."""
        return self.pepper.spelt_keys(spelt)

    def ensure(self, connection: sa.Connection, accounts: Sequence[str], time: int | None = None) -> SubjectKeys:
        """Give every account a row and a key, and note its other spellings; accounts nobody heard of may object too.

        Returns:
            Their subject keys, in their order, shape (n,).
        """
        keys = self.keys(accounts)
        known = sa.select(account.c.key).where(account.c.wrapped.is_not(None))
        have = set(connection.scalars(known.where(bulk.among(connection, account.c.key, keys))))
        new = {key: each for key, each in zip(keys.tolist(), accounts, strict=True) if key not in have}
        rows = [self.row(key, self.identify(each)) for key, each in new.items()]
        if rows:
            statement = bulk.insert(connection, account)
            again = {"wrapped": statement.excluded.wrapped, "sealed": statement.excluded.sealed}  # after erasure
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=again), rows)
        alike.note(connection, self.alike(accounts), micros(None) if time is None else time)
        return keys

    def row(self, key: int, spelt: str) -> dict[str, object]:
        """The row of a new account, a person of its own."""
        cipher, wrapped = self._vault.fresh(key)
        sealed = self._vault.put(cipher, spelt.encode(), "account", key)
        return {"key": key, "person": key, "holder": key, "wrapped": wrapped, "sealed": sealed}

    def identifiers(self, connection: sa.Connection, keys: SubjectKeys) -> list[str | None]:
        """The canonical identifiers of keys, in their order; None where none is known or it was erased."""
        columns = (account.c.key, account.c.wrapped, account.c.sealed)
        rows = connection.execute(sa.select(*columns).where(bulk.among(connection, account.c.key, keys)))
        spelt = {
            key: self._vault.open(wrapped, sealed, "account", key).decode() for key, wrapped, sealed in rows if wrapped
        }
        return [spelt.get(key) for key in keys.tolist()]


def together(connection: sa.Connection, keys: Sequence[int] | SubjectKeys) -> SubjectKeys:
    """Every account of the people who have these accounts, sorted."""
    persons = sa.select(account.c.person).where(bulk.among(connection, account.c.key, keys))
    return bulk.read_keys(connection, sa.select(account.c.key).where(account.c.person.in_(persons)))


def person_of_each(connection: sa.Connection, keys: SubjectKeys, pairs: Edges) -> SubjectKeys:
    """The smallest key of all that links, and pairs of spellings, connect with each of these, shape (n,)."""
    linked = _read(connection, sa.select(account.c.key, account.c.person).where(account.c.key != account.c.person))
    nodes, roots = components(np.vstack([linked, pairs, np.column_stack([keys, keys])]))
    return roots[np.searchsorted(nodes, keys)]


def held_together(connection: sa.Connection, keys: Sequence[int] | SubjectKeys) -> SubjectKeys:
    """Every account that is known and proven to be of the holders of these accounts, sorted."""
    holders = sa.select(account.c.holder).where(bulk.among(connection, account.c.key, keys))
    return bulk.read_keys(connection, sa.select(account.c.key).where(account.c.holder.in_(holders)))


def pair(first: int, second: int) -> Edges:
    """Two accounts as one pair, the smaller key first, shape (1, 2)."""
    return np.array([sorted((first, second))], dtype=np.int64)


def add_link(connection: sa.Connection, first: int, second: int, *, proven: bool = True) -> SubjectKeys | None:
    """Link two accounts, as proven or not; the keys of the person they now are, or None if they were linked already."""
    low, high = sorted((first, second))
    pair = (link.c.low == low, link.c.high == high, link.c.active, sa.or_(link.c.proven, sa.literal(not proven)))
    if low == high or connection.scalar(sa.select(sa.exists().where(*pair))):
        return None
    made = {"active": True, "proven": proven}
    statement = bulk.insert(connection, link).values(low=low, high=high, **made)
    connection.execute(statement.on_conflict_do_update(index_elements=["low", "high"], set_=made))
    persons = connection.scalars(sa.select(account.c.person).where(account.c.key.in_([low, high]))).all()
    connection.execute(sa.update(account).where(account.c.person.in_(persons)).values(person=min(persons)))
    if proven:
        holders = connection.scalars(sa.select(account.c.holder).where(account.c.key.in_([low, high]))).all()
        connection.execute(sa.update(account).where(account.c.holder.in_(holders)).values(holder=min(holders)))
    return together(connection, [low])


def remove_link(connection: sa.Connection, first: int, second: int) -> SubjectKeys:
    """Unlink two accounts; the keys of both sides.

    Raises:
        RegisterError: if there is no link between exactly these two.
    """
    low, high = sorted((first, second))
    pair = (link.c.low == low, link.c.high == high, link.c.active.is_(True))
    both = together(connection, [low])
    if connection.execute(sa.update(link).where(*pair).values(active=False, proven=False)).rowcount == 0:
        raise RegisterError("These two accounts are not linked with each other: name the two of one recorded link.")
    _part(connection, both)
    return both


def keep_apart(connection: sa.Connection, first: int, second: int) -> SubjectKeys:
    """Unlink two accounts, also where no link is on record, so that no import makes one; the keys of both sides."""
    low, high = sorted((first, second))
    both = together(connection, [low, high])
    statement = bulk.insert(connection, link).values(low=low, high=high, active=False, proven=False)
    apart = {"active": False, "proven": False}
    connection.execute(statement.on_conflict_do_update(index_elements=["low", "high"], set_=apart))
    _part(connection, both)
    return both


def add_bare(connection: sa.Connection, keys: Iterable[int]) -> None:
    """Give accounts of which nothing but the key is known a row, unless they have one."""
    rows = [{"key": int(key), "person": int(key), "holder": int(key), "wrapped": None, "sealed": None} for key in keys]
    if rows:
        connection.execute(bulk.insert(connection, account).on_conflict_do_nothing(), rows)


def _part(connection: sa.Connection, both: SubjectKeys) -> None:
    """Make people, and holders, of all accounts of some people by the links that are left between them."""
    edges = sa.select(link.c.low, link.c.high).where(link.c.active.is_(True), bulk.among(connection, link.c.low, both))
    _regroup(connection, both, _read(connection, edges), "person")
    _regroup(connection, both, _read(connection, edges.where(link.c.proven)), "holder")


def hold(connection: sa.Connection, keys: SubjectKeys) -> None:
    """Set who holds some accounts, and whichever are proven to be of one with them, by the links as they stand."""
    edges = _links_from(connection, keys)
    _regroup(connection, np.union1d(keys, edges), edges, "holder")


def _regroup(connection: sa.Connection, keys: SubjectKeys, edges: Edges, column: Literal["person", "holder"]) -> None:
    """Name the groups that links make of accounts, which no other link leaves, by their smallest key."""
    loops = np.column_stack([keys, keys])  # an account without a link is a group of its own
    nodes, roots = components(np.vstack([edges, loops]))
    grouped = [{"node": node, "root": root} for node, root in zip(nodes.tolist(), roots.tolist(), strict=True)]
    here = sa.update(account).where(account.c.key == sa.bindparam("node"))
    connection.execute(here.values({column: sa.bindparam("root")}), grouped)


def components(edges: Edges) -> tuple[SubjectKeys, SubjectKeys]:
    """Connected components: the nodes, sorted, and for each the smallest node it is connected with, shape (n,) each.

    Each round hands the smaller label across every link and then follows labels to labels' labels, so that long
    chains take few rounds.
    """
    nodes, places = np.unique(edges, return_inverse=True)
    ends = places.reshape(-1, 2)
    label = np.arange(len(nodes))
    while True:
        before = label.copy()
        least = label[ends].min(axis=1)
        for side in (0, 1):
            np.minimum.at(label, label[ends[:, side]], least)
            np.minimum.at(label, ends[:, side], least)
        label = label[label]
        if np.array_equal(before, label):
            return nodes, nodes[label]


def own_accounts(connection: sa.Connection, keys: Iterable[int]) -> SubjectKeys:
    """These accounts and all that are proven to be their holders', sorted, known or not."""
    asked = np.unique(np.fromiter(keys, np.int64))
    return np.union1d(asked, _links_from(connection, asked))


def own_each(connection: sa.Connection, keys: Iterable[int]) -> dict[int, list[int]]:
    """For each of some accounts those proven to be its holder's: itself first, then the others by their keys."""
    asked = np.unique(np.fromiter(keys, np.int64))
    nodes, roots = components(np.vstack([_links_from(connection, asked), np.column_stack([asked, asked])]))
    root_of = dict(zip(nodes.tolist(), roots.tolist(), strict=True))
    groups: dict[int, list[int]] = {}
    for node, root in root_of.items():
        groups.setdefault(root, []).append(node)
    return {key: sorted(groups[root_of[key]], key=lambda each: (each != key, each)) for key in asked.tolist()}


def neighbours(connection: sa.Connection, keys: SubjectKeys) -> Edges:
    """The active links that some accounts have with any, proven or not, each end on either side."""
    low, high = link.c.low, link.c.high
    ways = (sa.select(one, other).where(bulk.among(connection, one, keys)) for one, other in ((low, high), (high, low)))
    return np.vstack([_read(connection, way.where(link.c.active)) for way in ways])


def _links_from(connection: sa.Connection, keys: SubjectKeys) -> Edges:
    """Every proven link that can be reached from some accounts: a search in rounds, each of two statements."""
    found, ahead = [np.empty((0, 2), np.int64)], keys
    seen = keys
    while len(ahead):
        for side in (link.c.low, link.c.high):
            here = (bulk.among(connection, side, ahead), link.c.active, link.c.proven)
            found.append(_read(connection, sa.select(link.c.low, link.c.high).where(*here)))
        ahead = np.setdiff1d(np.vstack(found[-2:]), seen)
        seen = np.union1d(seen, ahead)
    return np.vstack(found)


def _read(connection: sa.Connection, pairs: sa.Select[tuple[int, int]]) -> Edges:
    rows = [tuple(row) for row in connection.execute(pairs)]
    return np.array(rows, dtype=np.int64).reshape(-1, 2)
