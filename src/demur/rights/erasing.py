"""Erasing a person's content down to the bytes, granted without grounds (Art. 17 GDPR).

Invariants: nothing is asked and nothing is refused; an account that nobody has heard of gets the same answer; an
erasure is on record, with an objection that nothing ends but the person's own wish, before anything is removed; it is
finished by whoever writes next with :func:`finish_in`, whatever killed it, and each of its steps may be done again;
what must be told afterwards is noted before it is removed. It concerns the accounts that are proven to be the person's,
and no others. Nothing that is left names the person. Keyed numbers stay, for the one purpose of honouring the
objection: of accounts, of the words of their names, of runs of words that they wrote, of threads they took part in.

It costs what honouring costs, a rewrite of the fragments that held rows of theirs, new indexes (which read two columns
of every row), and a look into each version and at the mails in the outbox; several that wait are finished in one go.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Final

import numpy as np

from demur.corpus.datasets.compaction import remove_old_files, rewrite_deleted
from demur.corpus.honour import honour_in
from demur.corpus.journal import retired
from demur.corpus.session import Session, reading, writing
from demur.errors import WorkspaceError
from demur.identity import SubjectKeys
from demur.objecting.channels import Route
from demur.register import JSON, Erasure, ObjectionPhase, Register, merged
from demur.rights.where_held import (
    KeptBeside,
    count_rows,
    exported,
    held_in,
    holding_exports,
    kept_beside,
    readable,
)
from demur.spelling import Names
from demur.versions.leave import extend_recalled, recall_list, write_recalled
from demur.versions.publish import retire_in
from demur.workspace import Workspace

_PATIENCE_S: Final = 5.0
_PAUSE_S: Final = 0.05


@dataclass(frozen=True)
class Recall:
    """An export that holds, or may hold, what was erased."""

    version: str
    path: str
    """Where it was written."""
    rows: str | None = None
    """The list of what its holders must remove, as `demur recall` writes it; None where none could be written."""


@dataclass(frozen=True)
class Erased:
    """What an erasure did."""

    reference: str
    """Of the objection that keeps the content out from now on."""
    accounts: int
    """Accounts that are proven to be the person's."""
    claimed: int
    """Further accounts that were only named together with theirs; nothing of these was erased."""
    own: int
    """Rows that the person wrote, deleted."""
    about: int
    """Rows of others that named, quoted, passed on or showed them, masked or deleted as the policy says."""
    retired: tuple[str, ...]
    """Versions that held such rows."""
    recalls: tuple[Recall, ...]
    """Exports that hold such rows: tell whoever has them."""
    unchecked: tuple[Recall, ...]
    """Exports of versions that were retired before and are not where they were written: they may hold such rows."""
    mails: int
    """Mails to the person, removed from the outbox."""
    bytes_removed: int
    """Of files of the corpus."""
    overwritten: bool
    """Whether the register's log is emptied; if not, a reader kept it open, and `demur maintain` does it."""
    kept: KeptBeside
    """Keyed numbers that stay, to honour the objection alone."""


def erase(workspace: Workspace, account: str, *, now: datetime | None = None) -> Erased:
    """Erases the person who has ``account``, in every account that is proven to be theirs.

    Raises:
        IdentityError: when the account is malformed.
        WorkspaceError: when another process writes; the erasure is on record and binding then.
    """
    asked = request(workspace, account, now=now)
    try:
        with writing(workspace, "erase", now) as session:
            return finish_in(session)[asked.subject]
    except WorkspaceError as error:
        raise WorkspaceError(
            f"The erasure {asked.reference} is recorded and its objection binds, and `demur maintain` will finish it: "
            f"{error}"
        ) from None


def request(workspace: Workspace, account: str, *, now: datetime | None = None) -> Erasure:
    """Puts an erasure on record, to be finished by :func:`finish`; its objection binds when this returns.

    Raises:
        IdentityError: when the account is malformed.
    """
    with reading(workspace, now) as session:
        return request_in(session, account)


def finish(workspace: Workspace, *, now: datetime | None = None) -> list[Erased]:
    """Finishes the erasures that are on record.

    Raises:
        WorkspaceError: when another process writes.
    """
    with workspace.register() as register:
        if not register.persons.erasures():
            return []
    with writing(workspace, "erase", now) as session:
        return list(finish_in(session).values())


def request_in(session: Session, account: str) -> Erasure:
    """Puts an erasure on record and lodges its objection; both are durable when this returns, and nothing is gone yet.

    Raises:
        IdentityError: when the account is malformed.
    """
    persons = session.register.persons
    subject = persons.subject(account)
    found = _surveyed(session, Erasure(subject, reference=""))
    with session.register.locked():
        earlier = [each for each in persons.erasures() if each.subject == subject]
        known = replace(found, reference=_binding(session, account))
        erasure = merged(earlier[0], known) if earlier else known
        persons.note(erasure)
    return erasure


def finish_in(session: Session) -> dict[int, Erased]:
    """Finishes every erasure that is on record, in a session that is open for writing; by subject key."""
    persons = session.register.persons
    waiting = persons.erasures()
    if not waiting:
        return {}
    open_ones = [_noted(session, each) for each in waiting if not each.destroyed]
    honour_in(session)
    _retire(session, open_ones)
    removed = _rewrite(session) if open_ones else 0
    mails = {each.subject: _destroy(session, each) for each in open_ones}
    session.register.standing.snapshot()  # what is kept of everybody is written anew, without what they said
    overwritten = _scrub(session)
    if overwritten:
        for each in waiting:
            persons.finished(each)
    return {
        each.subject: _told(session, each, mails.get(each.subject, 0), removed, overwritten=overwritten)
        for each in [*open_ones, *(each for each in waiting if each.destroyed)]
    }


def _told(session: Session, erasure: Erasure, mails: int, removed: int, *, overwritten: bool) -> Erased:
    keys = session.register.persons.erased_by(erasure)

    def recalls(exports: Sequence[Sequence[str]]) -> tuple[Recall, ...]:
        lists = ((name, path, recall_list(session, name)) for name, path in exports)
        return tuple(Recall(name, path, str(rows) if rows.exists() else None) for name, path, rows in lists)

    return Erased(
        reference=erasure.reference,
        accounts=_accounts(session.register, keys),
        claimed=session.register.persons.claimed(keys),
        own=erasure.own,
        about=erasure.about,
        retired=tuple(erasure.versions),
        recalls=recalls(erasure.recalls),
        unchecked=recalls(erasure.unchecked),
        mails=mails,
        bytes_removed=removed,
        overwritten=overwritten,
        kept=kept_beside(session, keys),
    )


def _accounts(register: Register, keys: SubjectKeys) -> int:
    """How many of what an erasure erases are accounts, and not what stands for one in an objection."""
    return len(np.setdiff1d(keys, register.persons.beside(keys)))


def _binding(session: Session, account: str) -> str:
    """The reference of an objection that only the person's own wish ends: one that stands, or a new one."""
    register = session.register
    keys = register.persons.own(account)
    for each in reversed(register.persons.objections(keys)):
        if each.whole and each.state.phase is ObjectionPhase.CONFIRMED and each.state.channel != Route.TYPED:
            return each.state.reference
    receipt = register.objections.lodge([account], channel=Route.ERASURE, now=session.now)
    return register.objections.confirm(receipt.reference, now=session.now).reference


# What there is to erase


def _noted(session: Session, erasure: Erasure) -> Erasure:
    """What is there now, and what was there when it was asked for; on record before anything is removed."""
    found = merged(erasure, _surveyed(session, erasure))
    session.register.persons.note(found)
    return found


def _surveyed(session: Session, erasure: Erasure) -> Erasure:
    keys = session.register.persons.erased_by(erasure)
    own, about = count_rows(session.corpus, keys)
    versions = [name for name in readable(session) if held_in(session, name, keys)]
    recalls, unchecked = holding_exports(session, versions, keys)
    return replace(erasure, own=own, about=about, versions=versions, recalls=recalls, unchecked=unchecked)


# Removing it


def _retire(session: Session, erasures: Sequence[Erasure]) -> None:
    """Retires the versions that held rows; lists what holders of exports must remove."""
    copied = {name for name, _ in exported(session)}
    before = retired(session.register)
    for name in sorted({name for each in erasures for name in each.versions} - before):
        if name in copied:
            write_recalled(session, name)
        retire_in(session, name)
    for name, path in sorted({(name, path) for each in erasures for name, path in each.recalls if name in before}):
        extend_recalled(session, name, session.workspace.exported(path))


def _rewrite(session: Session) -> int:
    """No file of the corpus holds a deleted row after this; bytes removed."""
    rewrite_deleted(session.corpus)
    session.corpus.index()
    return remove_old_files(session.corpus)


def _destroy(session: Session, erasure: Erasure) -> int:
    """Mails and sealed details go, and the register says so in the same transaction; mails removed."""
    register = session.register
    keys = register.persons.erased_by(erasure)
    theirs = _Mails(register.persons.addresses(keys), _contacts(register, keys), register.pepper.names)
    mails = theirs.remove(session.workspace.outbox_path)
    payload: dict[str, JSON] = {
        "accounts": _accounts(register, keys),
        "own": erasure.own,
        "about": erasure.about,
        "versions": list(erasure.versions),
    }
    payload |= {"replayed": erasure.replayed} if erasure.replayed else {}
    address, account = register.mails.address_of(erasure.subject), register.mails.own_account(erasure.subject)
    language = register.mails.language_of(erasure.subject)
    with register.locked():
        register.persons.destroy(keys, payload, now=session.now)
        untold = not erasure.replayed  # a restore tells nobody again
        if address and session.policy.mail.server and untold:  # without a server it would lie in the outbox
            spoken = language or session.policy.notice.languages[0]
            said: dict[str, JSON] = {"reference": erasure.reference}
            said |= {"account": account.partition(":")[2]} if account else {}
            register.mails.post("erased", spoken, said, address=address, now=session.now)
        register.persons.note(replace(erasure, destroyed=True))
    return mails + theirs.remove(session.workspace.outbox_path)  # what was on its way meanwhile


@dataclass(frozen=True)
class _Mails:
    """Which mails of the outbox are a person's; addresses in their exact spelling."""

    addresses: frozenset[str]
    """On file: every mail to one is theirs."""
    contacts: Mapping[str, str]
    """Addresses that they named with an objection or a claim, by its reference: what tells of it is theirs."""
    names: Names

    def remove(self, outbox: Path) -> int:
        """Removes them; how many there were."""
        if not (self.addresses or self.contacts) or not outbox.is_dir():
            return 0
        found = [path for path in outbox.rglob("*") if path.is_file() and self._hold(path)]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _hold(self, path: Path) -> bool:
        try:
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        except FileNotFoundError:
            return False
        fields = [str(value) for name in ("to", "cc", "bcc") for value in mail.get_all(name, [])]
        to = {self.names.mail(address) for _, address in getaddresses(fields)}
        told = [reference for reference, contact in self.contacts.items() if contact in to]
        return bool(self.addresses & to) or any(reference in _text(mail) for reference in told)


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    return str(body.get_content()) if body is not None else ""


def _contacts(register: Register, keys: SubjectKeys) -> dict[str, str]:
    """The contact that was named with each objection of these accounts alone, and with each claim."""
    whole = [each.state.reference for each in register.persons.objections(keys) if each.whole]
    named: dict[str, JSON] = {
        reference: (register.objections.statement(reference) or {}).get("contact") for reference in whole
    }
    said = ((each.reference, register.claims.said(each.reference)) for each in register.claims.of(keys))
    named |= {reference: each.contact for reference, each in said if each is not None and each.contact}
    return {
        reference: register.pepper.names.mail(contact)
        for reference, contact in named.items()
        if isinstance(contact, str)
    }


def _scrub(session: Session) -> bool:
    """Empties the register's log; waits a little for readers."""
    until = time.monotonic() + _PATIENCE_S
    while not session.register.persons.scrub():
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE_S)
    return True
