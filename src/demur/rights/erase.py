"""Erasure on request (Art. 17 GDPR), granted without grounds; see :mod:`demur.corpus.erasing` for how.

Invariants: nothing is asked and nothing is refused; an account that nobody has heard of gets the same answer; what was
asked for is durable before anything else happens, and is finished by this call, by the next one that erases anybody,
or by the next maintenance.
"""

from datetime import datetime

from demur.corpus.erasing import Erased, finish_in, request_in
from demur.corpus.session import reading, writing
from demur.errors import WorkspaceError
from demur.register import Erasure
from demur.workspace import Workspace

__all__ = ["Erased", "erase", "finish", "request"]


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
