"""A workspace opened for work: register, corpus and rules together.

Invariants: whoever writes holds the workspace's lock, has settled what an earlier command left half done, and has
honoured everything the register held when it began.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from demur import glance
from demur.corpus import journal
from demur.corpus.datasets.compaction import small_fragments
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.evidence import Beside
from demur.corpus.journal import finish_staged, remove_leavings
from demur.corpus.sole import writing_alone
from demur.errors import DemurError, UnavailableError, WorkspaceError
from demur.files import disk_full, make_folder
from demur.glance import Said
from demur.identity import Keys
from demur.kernel.rules import Rules, compile_rules
from demur.parts import require_beside, require_corpus
from demur.policy import Policy
from demur.register import Register
from demur.store import is_of_store, sentence
from demur.terms import EntryKind
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.threads import Threads
    from demur.corpus.worded import Worded

_LAG: Final = 1_000
"""Binding entries that concern no row by which what the corpus itself says may lag behind what is known of it."""

_logger: Final = logging.getLogger("demur")


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    workspace: Workspace
    policy: Policy
    keys: Keys
    register: Register
    open_corpus: Callable[[], Corpus]
    """Gives the corpus; a command that needs no row never calls it, and loads no Lance."""
    open_beside: Callable[[], Beside]
    """Gives what lies beside the corpus."""
    now: datetime
    """Aware; ages and notice periods are counted on its day in UTC."""
    noted: list[Said] = field(default_factory=list)
    """What was found out in this session that the corpus itself does not say yet."""
    _known: dict[tuple[int, int, bool, bool], "Worded"] = field(default_factory=dict, repr=False)
    """What was read of withheld people's words, by binding entry, fingerprints and what is looked for."""
    holds_erased: bool = False
    """Whether the corpus is an older one, whose files hold what was erased since: they are written anew."""

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus, open."""
        return self.open_corpus()

    @cached_property
    def beside(self) -> Beside:
        """What lies beside the corpus, open."""
        return self.open_beside()

    def rules(self) -> tuple[Rules, int]:
        """The rules as of now, and the last binding entry that they know."""
        rules, binding = self.wordless()
        return self.worded(rules, binding), binding

    def wordless(self) -> tuple[Rules, int]:
        """The same without what is known of withheld people's words, which takes longer to read than all the rest."""
        snapshot = self.register.standing.snapshot()
        return compile_rules(self.policy, self.register.pepper, snapshot, self.now), snapshot.head.binding

    def worded(self, rules: Rules, binding: int) -> Rules:
        """Rules that know some binding entry, with what is known of withheld people's words, as their policy wants."""
        from demur.corpus.worded import worded  # noqa: PLC0415  # names and copies; a look at the status needs none

        fingerprints, others = self.beside.fingerprints, rules.policy.others
        asked = (binding, fingerprints.content, others.looks_for_names, others.looks_for_copies)
        if asked not in self._known:
            self._known.clear()
            self._known[asked] = worded(self.register, rules, binding, fingerprints, self.workspace.beside_path)
        people, copies = self._known[asked]
        return replace(rules, people=people, copies=copies, cleared=self.register.names.cleared())

    def threads(self, rules: Rules) -> "Threads":
        """What is known of threads, for the kernel."""
        from demur.corpus.threads import Threads  # noqa: PLC0415  # the kernel; a look at the status needs none

        return Threads(self.beside.evidence, self.register.members.bears, rules)

    @property
    def said(self) -> Said:
        """What the corpus says of itself; a glance may know of later entries that concern none of its rows."""
        if not self.noted:
            seen = glance.take(self.workspace.root, self.workspace.corpus_place)
            return self.corpus.said() if seen is None else seen.said
        found, known = self.corpus.said(), self.noted[-1]
        if known.honoured <= found.honoured:
            return found
        return replace(found, honoured=known.honoured, commitment=known.commitment)

    @property
    def honoured(self) -> int:
        """The last binding entry that the corpus honours."""
        return self.said.honoured

    def note_honoured(self, binding: int, *, changed: bool = True) -> None:
        """Records that the corpus honours everything up to ``binding``; a glance learns of it when the session ends.

        Args:
            binding: the last binding entry that its rows honour.
            changed: whether a row was changed for it: if not, the corpus itself may learn of it later.
        """
        point = self.register.point(binding)
        said = replace(self.said, honoured=binding, commitment=point.commitment)
        self.noted.append(said)
        if changed or binding - self.corpus.said().honoured > _LAG:
            self._say(said)

    def note_import(self, number: int) -> None:
        """Records that the corpus has the rows of an import."""
        self._say(replace(self.said, imports=number))

    def _say(self, said: Said) -> None:
        """What lies beside the corpus says it first: what is older than its corpus is refused (demur.parts)."""
        self.beside.say(said)
        self.corpus.say(said)

    def keep_glance(self) -> None:
        """Writes down what the corpus says, for whoever needs no row of it."""
        path = self.workspace.corpus_place
        if (head := glance.head_of(path)) is not None and self.corpus.indexes is not None:
            seen = glance.Glance(
                head, self.said, self.corpus.count(), small_fragments(self.corpus), self.corpus.indexes.known
            )
            glance.keep(self.workspace.root, seen)


@contextmanager
def writing(workspace: Workspace, command: str, now: datetime | None = None) -> Iterator[Session]:
    """A session that may change the corpus; ``command`` names it to others who find the workspace locked."""
    with (
        _room(workspace),
        workspace.writing(command),
        writing_alone(workspace.root, workspace.store, command),
        workspace.register() as register,
    ):
        corpus = Corpus.ensure(workspace.corpus_place)
        journal.settle(workspace.root, corpus, Beside.view(workspace.beside_place), register)
        _require_parts(workspace, register, corpus, Beside.view(workspace.beside_place))
        make_folder(workspace.beside_path)
        beside = Beside.ensure(workspace.beside_place)
        policy = workspace.policy()
        now = now or datetime.now(UTC)
        session = Session(workspace, policy, workspace.keys_by(policy), register, lambda: corpus, lambda: beside, now)
        try:
            session = _put_in_order(session)
            _end_try_out(session)
            register.log.note_policy(policy.rules_hash(), now=now)
            yield session
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is told
                session.keep_glance()
            raise
        session.keep_glance()


def _end_try_out(session: Session) -> None:
    """Take back, once mails leave for people, what was only written to an outbox: nobody is told by that."""
    if not session.policy.tries_out and (unread := session.register.notices.end_try_out(now=session.now)):
        words = "%d notices were only written to the outbox and tell nobody: start their campaign again to send them."
        _logger.warning(words, unread)


def _require_parts(workspace: Workspace, register: Register, corpus: Corpus, beside: Beside) -> None:
    """Make sure that the corpus, and what lies beside it, belong to the register and to each other."""
    said = corpus.said()
    require_corpus(register, said, workspace.corpus_place)
    if corpus.has_words:  # an older demur kept nothing beside it
        require_beside(register, beside.said(), said, workspace.beside_place)


def _put_in_order(session: Session) -> Session:
    """The parts name their instance, what was left behind is removed, and the indexes can be trusted."""
    instance = session.register.instance
    assert instance is not None  # see Workspace.register
    corpus, path = session.corpus, session.workspace.corpus_place
    session.beside.belong(instance.id, instance.incarnation)
    said = session.said
    older = _is_older(session, said)
    if (said.instance, said.incarnation) != (instance.id, instance.incarnation):
        corpus.say(replace(said, instance=instance.id, incarnation=instance.incarnation))
    session.workspace.versions_path.mkdir(mode=0o700, exist_ok=True)
    remove_leavings(session.workspace, corpus, session.register)
    if not corpus.has_words:
        from demur.corpus.datasets.upgrading import upgrade  # noqa: PLC0415  # the kernel, which most never need here

        session.beside.say(corpus.said())
        upgrade(corpus, session.beside.evidence, session.rules()[0])
    if corpus.count() and not corpus.indexed:
        _logger.warning("The indexes of %s are missing or not what was written: they are built anew.", path)
        corpus.index()
    erased = older and any(session.register.log.entries(EntryKind.PERSON_ERASED, after=said.honoured))
    return replace(session, holds_erased=erased)


def _is_older(session: Session, said: Said) -> bool:
    """Whether the corpus is an older one, put back beside a newer register; and says so."""
    followed = int(str((session.register.log.last(EntryKind.CORPUS_HONOURED) or {}).get("binding", 0)))
    imported = int(str((session.register.log.last(EntryKind.IMPORT_FINISHED) or {}).get("number", 0)))
    path = session.workspace.corpus_place
    if lacks := said.instance and imported > said.imports:
        words = "The corpus %s lacks what the imports after number %d brought (the last was %d): read them again."
        _logger.warning(words, path, said.imports, imported)
    if behind := said.instance and followed > said.honoured:
        words = "The corpus %s is older than the register: it honours entry %d, not %d; the rest is honoured again."
        _logger.warning(words, path, said.honoured, followed)
    return bool(behind or lacks)


@contextmanager
def reading(
    workspace: Workspace, now: datetime | None = None, *, rows: bool = True, register: Register | None = None
) -> Iterator[Session]:
    """A session that changes nothing; it sees the corpus as it was before an import that is still under way.

    Args:
        workspace: what to open.
        now: this moment.
        rows: whether the corpus is opened at once; else only when somebody asks for it.
        register: the workspace's, where the caller has it open and keeps it so; else it is opened and closed.
    """
    with _room(workspace), workspace.register() if register is None else nullcontext(register) as known:
        now = now or datetime.now(UTC)

        def opened() -> Corpus:
            corpus = _before_import(workspace, known)
            require_corpus(known, corpus.said(), workspace.corpus_place)
            return corpus

        def beside() -> Beside:
            corpus = session.corpus  # first: what is written beside it is always as far as it is
            found = _beside_before_import(workspace, known)
            if corpus.has_words:
                require_beside(known, found.said(), corpus.said(), workspace.beside_place)
            return found

        session = Session(workspace, workspace.policy(), workspace.keys(), known, opened, beside, now)
        finish_staged(workspace, known)
        if rows:
            assert session.corpus  # open
            assert session.beside
        yield session


def _before_import(workspace: Workspace, register: Register) -> Corpus:
    """The corpus at its head, or at what was its head before the import that is under way."""
    while True:
        under_way = journal.under_way(workspace.root, register)
        corpus = Corpus.view(workspace.corpus_place, under_way.base if under_way else None)
        if journal.under_way(workspace.root, register) == under_way:  # or else one began or ended between the two
            return corpus


def _beside_before_import(workspace: Workspace, register: Register) -> Beside:
    """What lies beside the corpus, likewise: an import that is undone leaves nothing that a reader went by."""
    while True:
        under_way = journal.under_way(workspace.root, register)
        beside = Beside.view(workspace.beside_place, under_way.beside if under_way else ())
        if journal.under_way(workspace.root, register) == under_way:
            return beside


@contextmanager
def _room(workspace: Workspace) -> Iterator[None]:
    """Says in one sentence that the disk is full, or that a store refuses, whichever library met it."""
    try:
        yield
    except DemurError:
        raise
    except Exception as error:
        if (store := workspace.store) is not None and is_of_store(error):
            raise UnavailableError(sentence(store, error)) from None
        if not disk_full(error):
            raise
        raise WorkspaceError(
            f"There is no room left on the disk of {workspace.root}: make room, then run the same command again; "
            "nothing is half done."
        ) from None
