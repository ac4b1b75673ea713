"""``demur object --from``: many objections in one start of the program.

Invariants: what is wrong is told line by line and nothing is recorded then; the corpus follows once, for all of them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from demur.cli.frame.honouring import recorded
from demur.cli.frame.options import Invocation
from demur.cli.frame.output import count, note, progress
from demur.errors import UsageError
from demur.objecting.many import Asked, Recorded, read_many, record_many
from demur.objecting.office import Office
from demur.register import Register
from demur.workspace import Workspace

_TOLD: Final = 20
"""Wrong lines, and names that were taken for accounts, that are told one by one."""


def from_list(
    invocation: Invocation, path: Path, asked: Asked, office_of: Callable[[Workspace, Register], Office]
) -> None:
    """Record the objections of a list.

    Args:
        invocation: what the command was called with.
        path: a CSV file, or a folder of letters.
        asked: what holds where the list does not say otherwise.
        office_of: gives the office of a workspace.

    Raises:
        UsageError: where a line is wrong; nothing is recorded then.
    """
    workspace, taken = invocation.workspace, dict[str, str]()

    def meant(typed: str) -> str:
        account = invocation.meant(typed)
        if account != typed:
            taken[typed] = account
        return account

    with workspace.register() as register:
        office = office_of(workspace, register)
        listed, wrong = read_many(path, asked, office, meant)
        _refuse(path, wrong)
        _note([f"{typed} is taken for the account {account}." for typed, account in taken.items()])
        with progress("Recording objections", len(listed)) as advance:
            done = record_many(register, listed, asked, office, advance)
    _tell(workspace, path, done)


def _refuse(path: Path, wrong: Sequence[str]) -> None:
    _note(wrong)
    if wrong:
        what = count(len(wrong), "letter" if path.is_dir() else "line")
        raise UsageError(f"Nothing of {path} is recorded, as {what} can't be: correct that, then run it again.")


def _note(sentences: Sequence[str]) -> None:
    for sentence in sentences[:_TOLD]:
        note(sentence)
    if len(sentences) > _TOLD:
        note(f"... and {len(sentences) - _TOLD:,} more.")


def _tell(workspace: Workspace, path: Path, done: Recorded) -> None:
    references = [reference for each in done.places.values() for reference in each]
    sentence = f"{count(len(references), 'objection')} of {path} {'is' if len(references) == 1 else 'are'} recorded."
    if done.already:
        sentence += f" On record already: {done.already:,}."
    _note([f"{place}: {doubt.said}" for place, doubt in done.doubts.items()])
    data = {"recorded": len(references), "already": done.already, "objections": done.places, "warnings": done.doubts}
    recorded(workspace, sentence, data, after=done.first)
