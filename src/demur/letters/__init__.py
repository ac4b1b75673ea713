"""Objections that came in free text: letters, tickets and mails, read and recorded by staff."""

from demur.letters.eml import MOST_BYTES, Attached, Mail, read_mail
from demur.letters.recording import Office, Written, record, without_account

__all__ = ["MOST_BYTES", "Attached", "Mail", "Office", "Written", "read_mail", "record", "without_account"]
