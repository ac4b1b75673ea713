"""The embedded mail sink: mails become files of the workspace, where no server is set.

Invariants: a file is named by its mail's Message-ID, so that a repeat overwrites it and nobody has the same mail
twice; it is there whole or not at all, on the disk before it counts as sent, and readable by its owner alone.
"""

from pathlib import Path

from demur.files import write_durably
from demur.worker.carrying import SENT, Answer, Mail


class Outbox:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.glob(".*.partial"):  # by a worker that was killed
            left.unlink(missing_ok=True)

    def carry(self, mail: Mail, *, urgent: bool = False) -> Answer:  # noqa: ARG002  # nothing is throttled here
        """Write one."""
        write_durably(self._folder / f"{mail.message_id}.eml", mail.content)
        return SENT

    def close(self) -> None:
        """Nothing is open."""
