"""The embedded mail sink: mails become files of the workspace, where no server is set.

Invariants: a file is named by its mail's Message-ID, so that a repeat overwrites it and nobody has the same mail
twice; it is there whole or not at all, on the disk before it counts as sent, and readable by its owner alone.
"""

from pathlib import Path

from demur.files import partial, sync
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
        path = self._folder / f"{mail.message_id}.eml"
        unfinished = partial(path)
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(mail.content)
        sync(unfinished)
        unfinished.replace(path)
        sync(self._folder)
        return SENT

    def close(self) -> None:
        """Nothing is open."""
