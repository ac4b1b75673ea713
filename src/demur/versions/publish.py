"""Publishing: the corpus as it is now becomes an immutable, signed version; and the end of a version.

Invariants: a version honours every objection acknowledged before its entry in the register (law 3): the entry is
appended only while the last binding entry is the one that the rows honour, and after three rounds with the register
held; no row is by or about anybody on the suppression list that is signed with it; a version exists from the moment of
that entry, and files without one are a crash's leavings, removed by whoever writes next; the files of a version hold
no deleted row.
"""

import re
import secrets
from datetime import datetime
from typing import Final

from demur.corpus.compiled import compiled_anew
from demur.corpus.datasets.compaction import write_deletions
from demur.corpus.honour import honour_in
from demur.corpus.journal import discard, finish_staged, staged
from demur.corpus.outcomes import left_out_now
from demur.corpus.session import Session, writing
from demur.corpus.worded import names_of_now
from demur.errors import CheckFailed, PolicyError, RegisterError, UsageError
from demur.kernel.door import regions
from demur.kernel.rules import Rules
from demur.kernel.schema import ROW, STORED
from demur.policy import Policy, place
from demur.register import JSON, Head
from demur.register.continuity.loss import lost_versions, undecided
from demur.suppression.lists import SuppressionList
from demur.suppression.parts import COPIES, NAMES, Part, keep
from demur.suppression.signed import file_digest, write_atomically
from demur.terms import EntryKind
from demur.versions.digests import Digester, Digests
from demur.versions.filelist import FileFacts
from demur.versions.lineage import as_of
from demur.versions.manifest import LegalBasis, Manifest, scores_of, sign, software
from demur.versions.states import entry_of, published
from demur.versions.subjects import SALT_BYTES
from demur.versions.traces import count_traced
from demur.versions.words import Reader
from demur.workspace import Workspace

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROUNDS: Final = 3


def publish(workspace: Workspace, name: str, *, accept_loss: bool = False, now: datetime | None = None) -> Manifest:
    """Publishes the corpus as it is now under ``name``.

    Args:
        workspace: where.
        name: what it is published as.
        accept_loss: decide that publishing goes on without what a restore lost; the decision is an entry.
        now: this moment.

    Raises:
        RegisterError: when something is lost and nobody has decided that publishing goes on without it.
        UsageError: when the name is taken or malformed.
        PolicyError: when the legal basis is not signed, or the effective date has not come.
        CheckFailed: when rows of people who may not be in it can't be removed.
    """
    with writing(workspace, "publish", now) as session:
        _check_name(session, name)
        _check_policy(session.policy, session)
        _check_loss(session, accept=accept_loss)
        for _ in range(_ROUNDS):
            if (manifest := _attempt(session, name)) is not None:
                return manifest
        with session.register.locked():
            manifest = _attempt(session, name)
        assert manifest is not None  # nobody else could append
        return manifest


def retire(workspace: Workspace, name: str, *, now: datetime | None = None) -> None:
    """Ends a version: it can't be loaded or exported any more, and maintenance removes its files.

    Raises:
        UsageError: when there is no such version.
    """
    with writing(workspace, "retire", now) as session:
        published(session.register, name)
        retire_in(session, name)


def retire_in(session: Session, name: str) -> None:
    """Retire a version that is known to exist, in a session that is open for writing already."""
    session.register.log.append(EntryKind.VERSION_RETIRED, {"name": name}, now=session.now)
    discard(session.workspace, session.corpus, name)


def _check_name(session: Session, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't name a version: use up to 64 letters, digits, dots, dashes and underscores.")
    if entry_of(session.register, name) is not None or name in lost_versions(session.register.log):
        raise UsageError(f"There is, or was, a version {name}: a name is used once; choose another one.")


def _check_loss(session: Session, *, accept: bool) -> None:
    lost = undecided(session.register.log)
    if lost is None:
        return
    if not accept:
        raise RegisterError(lost.sentence)
    session.register.log.append(EntryKind.LOSS_ACCEPTED, lost.facts(), now=session.now)


def _check_policy(policy: Policy, session: Session) -> None:
    path = session.workspace.policy_path
    if not policy.basis.signed:
        key = f"basis.{policy.basis.use.value.replace('-', '_')}"
        raise PolicyError(
            f"The legal basis in use, {policy.basis.use.value}, is not signed: "
            f"fill in document, date and signed_by of [{key}] in {path}, then publish."
        )
    if session.now.date() < policy.effective_date:
        raise PolicyError(
            f"The effective date is {policy.effective_date} ({place(path, 'effective_date')}): "
            "publish from that day on, as your notice says."
        )


def _attempt(session: Session, name: str) -> Manifest | None:
    """One round: None when the register took up something binding meanwhile."""
    honoured = honour_in(session).binding
    write_deletions(session.corpus)
    rules, binding = session.rules()
    if binding != honoured:
        return None  # the rows do not honour what these rules know
    discard(session.workspace, session.corpus, name)
    manifest = _write(session, name, rules, Head(session.register.log.head().seq, binding))
    digest = file_digest(staged(session.workspace, name))
    payload: dict[str, JSON] = {"name": name, "lance_version": manifest.lance_version, "manifest": digest}
    payload |= {"rows": manifest.content.rows, "binding": binding}
    if session.register.log.append_if(binding, EntryKind.VERSION_PUBLISHED, payload, now=session.now) is None:
        discard(session.workspace, session.corpus, name)
        return None
    finish_staged(session.workspace, session.register)
    return manifest


def _write(session: Session, name: str, rules: Rules, head: Head) -> Manifest:
    """The tag, the sidecar, the suppression list and the manifest of the corpus as it is."""
    workspace, keys = session.workspace, session.keys
    instance = session.register.instance
    assert instance is not None  # see Workspace.register
    withheld = SuppressionList(
        seq=head.seq,
        binding=head.binding,
        time=session.now,
        objected=rules.objected,
        minors=rules.minors,
        instance=instance.id,
        incarnation=instance.incarnation,
        beside=_sections(session, rules, head.binding),
    )
    listed = withheld.write(workspace.lists_path, keys)
    content = _content(session, name, rules)
    manifest = Manifest(
        name=name,
        lance_version=session.corpus.version,
        content=content,
        left_out=left_out_now(workspace.root, session.register, session.corpus),
        policy=session.policy.rules_hash(),
        suppression=file_digest(listed),
        checkpoint=as_of(session.register, head),
        basis=_basis(session.policy),
        controller=session.policy.controller.name,
        purpose=session.policy.purpose.name,
        effective=session.policy.effective_date,
        time=session.now.replace(microsecond=0),
        software=software(),
        files=tuple(FileFacts.of(workspace.corpus_place, path) for path in session.corpus.files()),
        instance=instance.id,
        incarnation=instance.incarnation,
        words=scores_of(session.policy),
        log=_log(session),
    )
    write_atomically(staged(workspace, name), sign(manifest, keys))
    session.corpus.dataset.tags.create(name, session.corpus.version)
    return manifest


def _log(session: Session) -> str | None:
    """The register's log as it was signed; None before the first checkpoint, or where it does not fit together."""
    try:
        return session.register.proving.checkpoint()
    except RegisterError:
        return None


def _sections(session: Session, rules: Rules, binding: int) -> dict[str, Part]:
    """The names and the fingerprints that the rows were read for, kept beside the list that is signed."""
    folder = session.workspace.lists_path
    found: dict[str, Part] = {}
    if rules.people is not None:
        names = names_of_now(session.register, rules, binding, session.workspace.beside_path)
        found |= {} if names is None else {NAMES: keep(folder, NAMES, names.save)}
    if rules.copies is not None:
        copies = compiled_anew(session.beside.fingerprints, session.workspace.beside_path)
        found |= {} if copies is None else {COPIES: keep(folder, COPIES, copies.save)}
    return found


def _content(session: Session, name: str, rules: Rules) -> Digests:
    """What the version will hold; nobody on the list that is signed with it.

    Rows of such a person mean that an index, or the mark of what is honoured, is wrong: all rows are honoured again.

    Raises:
        CheckFailed: when that did not help.
    """
    for again in (False, True):
        if again:
            honour_in(session, every_row=True)
            write_deletions(session.corpus)
        content, found = _digested(session, name, rules)
        if not found:
            return content
    raise CheckFailed(
        f"Version {name} was not published: {found} rows of the corpus are by or about people who may not be in it, "
        "and honouring every row again did not remove them: import the sources again, then publish."
    )


def _digested(session: Session, name: str, rules: Rules) -> tuple[Digests, int]:
    """The digests of the corpus as it is, and how many of its rows concern people who are withheld."""
    withheld, found = rules.objected.union(rules.minors), 0
    reader = Reader(rules, session.threads(rules))
    folder = session.workspace.versions_path
    with Digester(folder, salt=secrets.token_bytes(SALT_BYTES)) as digester:
        for stored in session.corpus.batches(STORED.names if rules.reads_words else ROW.names):
            batch = stored.select(ROW.names)
            found += count_traced(batch, withheld)
            if rules.reads_words:
                found += reader.count_in(stored)
            digester.add(batch, regions(batch, rules))
        return digester.finish(folder / f"{name}.rows"), found


def _basis(policy: Policy) -> LegalBasis:
    signed = policy.basis.assessment
    return LegalBasis(policy.basis.use.value, signed.document, str(signed.date), signed.signed_by)
