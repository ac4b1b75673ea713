"""Whether a machine answered in somebody's place: an out-of-office reply, a receipt of reading (RFC 3834, RFC 8098).

Invariants: it is told by header fields and by the beginnings of subjects that such replies have in the languages of
the European Union, never by what the reply says, so that no objection is taken for one; a mail that a machine wrote of
its own accord (``auto-generated``), as services do that object for people, is no answer.
"""

import re
from email.header import decode_header, make_header
from email.message import Message
from typing import Final

from demur.patterns import lazily

_LENGTH: Final = 1000
_REPLIED: Final = re.compile(r"\s*auto-?(?:replied|notified)\b", re.IGNORECASE)
"""RFC 3834, section 5, and RFC 5436, section 2.7.1."""
_FIELDS: Final = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply", "X-Vacation")
_NO: Final = frozenset({"no", "false", "0"})
_PRECEDENCE: Final = re.compile(r"\s*auto[-_ ]?reply", re.IGNORECASE)
_READ: Final = "disposition-notification"
"""The type of report that tells of reading or deleting (RFC 8098, section 3)."""
_SUBJECT: Final = lazily(
    r"""(?ix) [\s\[(*]* (?:
        auto(?:mat\w*)? [\s:.-]* (?: repl(?:y|ies) | response | answer | antwort\w* | svar | antwoord |
        r[eé]ponse ) \b
      | auto \s* :
      | (?: currently \s )? out \s of \s (?: the \s )? office \b
      | ooo \s* [:-]
      | abwesenheits(?: notiz | nachricht | meldung | assistent )
      | nicht \s im \s b[uü]ro \b
      | r[eé]ponse \s automatique
      | (?: avis | message | notification ) \s d.absence
      | absence \s du \s bureau
      | (?: respuesta | risposta | resposta ) \s autom
      | fuera \s de \s (?: la \s )? oficina
      | fuori \s (?: sede | ufficio ) \b
      | automatisch \s (?: antwoord | bericht )
      | afwezigheids
      | frav[æe]rs(?: meddelelse | besked | melding )
      | fr[åa]nvaro(?: meddelande | besked )
      | automaattinen \s (?: vastaus | poissaolo )
      | poissaolo(?: viesti | ilmoitus )
      | odpowied[zź] \s automat
      | automatyczna \s odpow
      | automatick[áaé] \s odpov
      | automatikus \s v[áa]lasz
      | r[ăa]spuns \s automat
      | (?: avtomatski | automatski ) \s odgovor
      | automaatvastus
      | autom[aā]tisk[aā] \s atbild
      | automatinis \s atsak
      | αυτόματη \s απάντηση
      | автоматичен \s отговор
      | автоответ
      | 自動(?:返信|応答)
    )"""
)
"""How such replies begin; what merely speaks of holidays or of absence is none.

Nor is "Re: Automatic reply": a person answered what a machine had written to them.
"""


def answers_itself(message: "Message[str, str]") -> bool:
    """Whether a mail is a machine's answer to another one, in the place of the person who got it."""
    if _REPLIED.match(_field(message, "Auto-Submitted")) or _PRECEDENCE.match(_field(message, "Precedence")):
        return True
    if any(_says(message, name) for name in _FIELDS) or str(message.get_param("report-type", "")).lower() == _READ:
        return True
    return _SUBJECT.match(decoded(_field(message, "Subject"))) is not None


def _says(message: "Message[str, str]", name: str) -> bool:
    """Whether a field is there, and does not say that it is none."""
    return name in message and _field(message, name).strip().lower() not in _NO


def _field(message: "Message[str, str]", name: str) -> str:
    return raw_field(message, name)[:_LENGTH]


def raw_field(message: "Message[str, str]", name: str) -> str:
    """A field of a mail as it stands, bytes beyond ASCII as UTF-8 (RFC 6532); "" where there is none."""
    found = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return str(found).encode(errors="surrogateescape").decode(errors="replace")


def decoded(raw: str) -> str:
    """A field of a mail with its encoded words decoded (RFC 2047); as it stands, where they can't be."""
    try:
        return str(make_header(decode_header(raw)))
    except (LookupError, ValueError):
        return raw
