"""Backups of a workspace, and what a restore makes of one; docs/backup.md has the order of things to do."""

from demur.backup.keysafe import passphrase_given
from demur.backup.making import Backup, back_up
from demur.backup.restoring import Restored, restore

__all__ = ["Backup", "Restored", "back_up", "passphrase_given", "restore"]
