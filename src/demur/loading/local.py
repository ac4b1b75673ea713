"""The head of a workspace's register, read where the workspace is; and what it says of a version's rows.

Invariants: what the rows are judged by is what publishing and recalling judge by (versions.judging), of a
session that is opened anew for each judgement, so that policy, corpus and what lies beside it are those of now; the
register may only grow: one that lacks the entry seen before is an older one or another one, and refused. A look costs
a few queries while nothing happens; only when a binding entry came or demur.toml was touched is it worked out what of
the version that concerns, and of the rest what is known stays (versions.judging).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from demur.corpus.session import reading
from demur.errors import PolicyError, RegisterError, UnavailableError
from demur.loading.watching import Seen
from demur.register import Head, Register
from demur.register.continuity.loss import undecided
from demur.register.database.mark import Point
from demur.versions.judging import Judged, judged
from demur.versions.states import published
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.regoverning import Part

T = TypeVar("T")


class LocalHead(Generic[T]):
    """The head of one workspace's register, for one version."""

    def __init__(self, workspace: Workspace, name: str, told: "Callable[[Sequence[Part]], T]") -> None:
        """Follow the register of a workspace.

        Args:
            workspace: whose.
            name: the version's.
            told: makes of the parts of the version that are not as they may be what :meth:`look` tells.
        """
        self.where = f"the register of {workspace.root}"
        self._workspace, self._name, self._told = workspace, name, told
        self._register: Register | None = None
        self._policy = self._file = b""
        self._head = Head(0, 0)
        self._seen: Seen | None = None
        self._stale: Judged | None = None
        self._known: T | None = None

    def look(self) -> T:
        """See :class:`demur.loading.watching.Head`."""
        try:
            return self._look()
        except OSError as error:
            raise UnavailableError(
                f"{error.filename} can't be read ({error.strerror}): put it back, or see that this machine reaches it."
            ) from None
        except PolicyError as error:
            if self._known is None:
                raise
            raise UnavailableError(str(error)) from None  # somebody is editing it

    def seen(self) -> Seen:
        """See :class:`demur.loading.watching.Head`."""
        assert self._seen is not None  # it was looked at before
        return self._seen

    @property
    def register(self) -> Register:
        """The register, as long as this is not closed."""
        assert self._register is not None  # it was looked at before
        return self._register

    @property
    def binding(self) -> int:
        """The last binding entry that the last look knew of, at least."""
        return self._head.binding

    def require(self, seen: Seen) -> None:
        """Make sure that the register goes on from a head that somebody else saw.

        Raises:
            RegisterError: when it is older than that, or another one.
        """
        mine = self.seen()
        if (mine.instance, mine.incarnation) != (seen.instance, seen.incarnation):
            raise RegisterError("The head that was seen before is of another register, or from before a restore.")
        self.register.require_point(Point(seen.seq, bytes.fromhex(seen.commitment)), "the head seen before")

    def go_on_from(self, seen: Seen) -> None:
        """See :class:`demur.loading.watching.Head`."""
        self._seen = seen

    def close(self) -> None:
        """Give the register back."""
        if self._register is not None:
            self._register.close()
            self._register = None

    def _look(self) -> T:
        told = self._workspace.policy_path.stat()
        policy = repr((told.st_ino, told.st_size, told.st_mtime_ns)).encode()
        register = self._opened(anew=policy != self._policy)
        head = register.log.head()
        self._require_going_on(register)
        if self._known is None or head.seq != self._head.seq:
            published(register, self._name)
            _require_no_loss(register)
        if self._known is None or head.binding != self._head.binding or policy != self._policy:
            self._known = self._judged(register)
        if self._seen is None or head.seq != self._seen.seq:  # or else it is what was just made sure of
            self._seen = _seen(register, head.seq)
        self._head, self._policy = head, policy
        return self._known

    def _opened(self, *, anew: bool) -> Register:
        """The register; opened, with all that this makes sure of, where its file is another one than before."""
        if self._register is None or anew or _identity(self._register.file) != self._file:
            self.close()
            register = self._workspace.register()
            self._register, self._file = register, _identity(register.file)
        return self._register

    def _require_going_on(self, register: Register) -> None:
        """Make sure that this is the register that was followed so far, and no older one."""
        if self._seen is None:
            return
        instance = register.instance
        if instance is None or (instance.id, instance.incarnation) != (self._seen.instance, self._seen.incarnation):
            raise RegisterError(
                f"{self.where.capitalize()} is not the one that was followed so far, or was restored since: load again."
            )
        point = Point(self._seen.seq, bytes.fromhex(self._seen.commitment))
        register.require_point(point, f"the head that {self._name} was loaded by")

    def _judged(self, register: Register) -> T:
        """What today's rules make of the version's rows."""
        with reading(self._workspace, rows=False, register=register) as session:
            self._stale = judged(session, self._name, self._stale)
            return self._told([] if self._stale.rows is None else [self._stale.rows])


def _seen(register: Register, seq: int) -> Seen:
    instance, point = register.instance, register.point(seq)
    assert instance is not None  # a workspace's register has one
    return Seen(instance.id, instance.incarnation, point.seq, point.commitment.hex())


def _require_no_loss(register: Register) -> None:
    """Law 4: what a restore lost may have been an objection; nothing is loaded until somebody decides."""
    if (lost := undecided(register.log)) is not None:
        raise RegisterError(lost.sentence)


def _identity(file: Path | None) -> bytes:
    """What tells a register's file from another one that takes its place."""
    if file is None:
        return b""
    told = file.stat()
    return repr((told.st_dev, told.st_ino)).encode()
