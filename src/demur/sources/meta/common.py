"""What the exports of Instagram and Facebook have in common: their encoding, their labels, their ids.

Invariants: a string is repaired only where that gives valid UTF-8 back, so that right text stays as it is; an
item's id depends on what an edit does not change, so that an edited, hidden or deleted item replaces its former
reading; a field of the wrong type is an error that names file and record, not a guess.

The labels are words by which an export names a field, in the language of its account and those that we know. Every one
is casefolded and has straight apostrophes, as :func:`labelled` looks them up. What can be told by a file's path or a
record's shape is told by that; they are for the rest. A word that is not here is never guessed at: the field is then
unknown.
"""

import hashlib
import mimetypes
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from demur.errors import SourceError
from demur.sources.archive import Archive
from demur.sources.base import Media
from demur.sources.jsonstream import Record
from demur.sources.text import Span, microseconds
from demur.terms import Kind, Role


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in text.split("|"))


USERNAME: Final = _words(
    "Username|User name|Gebruikersnaam|Brugernavn|Benutzername|Nutzername|Nom d'utilisateur"
    "|Nom de profil|Nombre de usuario|Nome utente|Nome de usuário|Nome de utilizador|Användarnamn|Brukernavn"
    "|Käyttäjänimi|Nazwa użytkownika|Uživatelské jméno|Kullan\u0131c\u0131 ad\u0131|Nume de utilizator|Felhasználónév"
)
PROFILE_LINK: Final = _words(
    "Profile|Profile link|Profile URL|Profiel|Profiellink|Link naar profiel|Profil|Profillink|Profil-Link|Profil-URL"
    "|Lien du profil|Perfil|Enlace del perfil|Link do perfil|Profilo|Link del profilo|Profillänk|Profiili"
)
NAME: Final = _words(
    "Name|Full name|Naam|Volledige naam|Navn|Fulde navn|Vollständiger Name|Nom|Nom complet|Nombre|Nombre completo"
    "|Nome|Nome completo|Namn|Nimi|Imię i nazwisko|Jméno|Ad|Nume|Név"
)
BIO: Final = _words(
    "Bio|Biography|Biografie|Biografi|Biographie|Steckbrief|Biografía|Presentación|Biografia|Presentation"
    "|Esittely|Notka biograficzna|Intro"
)
PRIVATE: Final = _words(
    "Private Account|Privéaccount|Privat konto|Privates Konto|Compte privé|Cuenta privada|Account privato"
    "|Profilo privato|Conta privada|Yksityinen tili|Konto prywatne|Soukromý účet|Gizli hesap|Cont privat"
)
COMMENT: Final = _words(
    "Comment|Opmerking|Reactie|Kommentar|Commentaire|Comentario|Commento|Comentário|Kommentti|Komentarz"
    "|Komentář|Yorum|Comentariu|Hozzászólás"
)
MEDIA_OWNER: Final = _words(
    "Media Owner|Media-eigenaar|Eigenaar van media|Medieejer|Ejer af medie|Medieninhaber|Medien-Inhaber"
    "|Eigentümer*in der Medien|Propriétaire du média|Propietario del contenido multimedia"
    "|Propietario de los medios|Proprietario dei contenuti multimediali|Proprietário da mídia|Medieägare|Medieeier"
)
TEXT: Final = _words(
    "Message|Text|Post|Caption|Description|Bericht|Tekst|Bijschrift|Beschrijving|Besked|Opslag|Billedtekst"
    "|Beskrivelse|Nachricht|Beitrag|Bildunterschrift|Beschreibung|Texte|Publication|Légende|Mensaje|Texto"
    "|Publicación|Pie de foto|Descripción|Messaggio|Testo|Didascalia|Descrizione|Mensagem|Legenda|Descrição"
    "|Meddelande|Inlägg|Bildtext|Beskrivning|Melding|Innlegg|Viesti|Teksti|Kuvateksti|Wiadomość|Treść|Podpis"
)
AUDIENCE: Final = _words(
    "Audience|Privacy|Doelgroep|Publiek|Målgruppe|Zielgruppe|Publikum|Sichtbarkeit|Confidentialité|Público"
    "|Privacidad|Pubblico|Målgrupp|Yleisö|Odbiorcy"
)
GROUP: Final = _words("Group|Groep|Gruppe|Groupe|Grupo|Gruppo|Grupp|Ryhmä|Grupa|Skupina")

YES: Final = _words("True|Yes|Waar|Ja|Sand|Wahr|Vrai|Oui|Verdadero|Sí|Vero|Sì|Verdadeiro|Sim|Sant|Kyllä|Prawda|Tak")
NO: Final = _words("False|No|Onwaar|Nee|Falsk|Falsch|Nein|Nej|Nei|Faux|Non|Falso|Não|Falskt|Usann|Ei|Fałsz|Nie|Usand")

PUBLIC: Final = _words(
    "Public|Openbaar|Iedereen|Offentlig|Offentligt|Öffentlich|Tout le monde|Pública|Público|Pubblica|Tutti"
    "|Offentlig|Alla|Julkinen|Publiczne"
)
FRIENDS: Final = _words(
    "Friends|Your friends|Friends of friends|Friends except...|Specific friends|Followers|Vrienden|Je vrienden"
    "|Vrienden van vrienden|Volgers|Venner|Dine venner|Venners venner|Følgere|Freunde|Deine Freunde"
    "|Freunde von Freunden|Amis|Vos amis|Amis et leurs amis|Amigos|Tus amigos|Amigos de amigos|Amici|I tuoi amici"
    "|Amici degli amici|Vänner|Dina vänner|Vänners vänner|Kaverit|Znajomi"
)
ONLY_ME: Final = _words(
    "Only me|Alleen ik|Kun mig|Nur ich|Moi uniquement|Solo yo|Solo io|Somente eu|Apenas eu|Bara jag|Bare meg"
    "|Vain minä|Tylko ja"
)


_HANDLE: Final = re.compile(r"(?<![\w@/])@([A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?)(?![\w@])")
"""A handle as Instagram writes it: 1 to 30 of a-z, 0-9, ``_`` and ``.``, the dot never last; no mail address."""

_RECENT: Final = 1 << 16
_NAMES: Final = {str: "text", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}


class Owner(NamedTuple):
    """The person whose export this is."""

    account: str | None = None
    """``namespace:value``; null where the export does not say."""
    name: str | None = None
    """The name the platform shows, by which messages and comments call their authors."""
    private: bool | None = None
    """Whether only followers see the account; null where the export does not say."""


class Ids:
    """Item ids of one account's export that stay the same when the export is made again."""

    def __init__(self, source: str, account: str | None) -> None:
        self._source = source
        self._account = account
        self._recent: OrderedDict[str, int] = OrderedDict()

    def of(self, *facts: object) -> str:
        """The id of the account's one record with these facts."""
        return self.shared(self._account, *facts)

    def restart(self) -> None:
        """Number from the beginning: what comes now replaces what came before (archived and deleted posts)."""
        self._recent.clear()

    def shared(self, *facts: object) -> str:
        """An id that is the same in everybody's export (a group)."""
        plain = "\x1f".join("" if fact is None else str(fact) for fact in facts)
        return f"{self._source}:{hashlib.blake2b(plain.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"

    def numbered(self, *facts: object) -> str:
        """The id of the next of several records with these facts (two comments in one second).

        Only the last 65,536 facts are remembered, so that memory stays flat: exports list what was written in
        the same second side by side.
        """
        key = self.of(*facts)
        count = self._recent.pop(key, 0) + 1
        self._recent[key] = count
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return key if count == 1 else f"{key}-{count}"


def repaired(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    r"""The value with its strings, keys included, freed of Meta's double encoding.

    Meta writes each UTF-8 byte as a character of its own (``\u00c3\u00a9`` for é). A string is repaired only if
    its characters are such bytes and form valid UTF-8.
    """
    if isinstance(value, str):
        return _repaired_text(value)
    if isinstance(value, dict):
        return {_repaired_text(key): repaired(inner) for key, inner in value.items()}
    return [repaired(inner) for inner in value] if isinstance(value, list) else value


def _repaired_text(text: str) -> str:
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def field(record: Mapping[str, Any], key: str, kind: type, where: str) -> Any:  # noqa: ANN401  # a value of `kind`
    """``record[key]``, or null where it is missing, null or an empty string.

    Raises:
        SourceError: when it is there with another type.
    """
    value = record.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SourceError(f"{where}: {key!r} is not {_NAMES[kind]}: export the data again, as JSON.")
    return value


def objects(record: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The objects in the list ``record[key]``; empty where it is missing."""
    return [one for one in field(record, key, list, where) or [] if isinstance(one, dict)]


def checked(record: Record) -> dict[str, Any]:
    """The repaired record, which must be an object."""
    try:
        value = repaired(record.value)
    except RecursionError:
        raise SourceError(f"{record.where} is nested too deeply: export the data again.") from None
    if not isinstance(value, dict):
        raise SourceError(f"{record.where} is no object: export the data again, as JSON.")
    return value


def seconds(record: Mapping[str, Any], key: str, where: str) -> int | None:
    """A time in seconds as microseconds; 0 is how Meta writes that it does not know."""
    value = record.get(key)
    return microseconds(value, where) if value else None


def iso_time(value: object, where: str) -> int:
    """An ISO 8601 time as microseconds since 1970-01-01 UTC; without an offset it is UTC.

    Raises:
        SourceError: when it is none.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise SourceError(f"{where}: {str(value)[:40]!r} is no time: export the data again.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


class Entry(NamedTuple):
    """One labelled value of a record, from ``string_map_data`` or ``label_values``."""

    label: str
    value: str | None
    link: str | None = None
    moment: object = None


def entries(record: Mapping[str, Any]) -> list[Entry]:
    """The labelled values of a record, whatever the layout.

    Nested values (``dict``) are passed over: they say what the record is about, an owner or a place, and not what
    its author wrote.
    """
    mapped, listed = record.get("string_map_data"), record.get("label_values")
    pairs = list(mapped.items()) if isinstance(mapped, dict) else []
    if isinstance(listed, list):
        pairs += [(one["label"], one) for one in listed if isinstance(one, dict) and "label" in one]
    return [_entry(label, one) for label, one in pairs if isinstance(one, dict) and "dict" not in one]


def _entry(label: object, one: Mapping[str, Any]) -> Entry:
    value, link = one.get("value"), one.get("href")
    return Entry(
        str(label).strip().casefold().replace("\u2019", "'"),
        value if isinstance(value, str) and value else None,
        link if isinstance(link, str) and link else None,
        one.get("timestamp") or one.get("timestamp_value"),
    )


def labelled(found: Iterable[Entry], words: frozenset[str]) -> str | None:
    """The first value whose label is one of ``words``."""
    return next((one.value for one in found if one.value and one.label in words), None)


def handles(text: str, namespace: str) -> list[Span]:
    """A mention span for every ``@handle`` in plain text."""
    return [Span(hit.start(), hit.end(), Role.MENTION, f"{namespace}:{hit[1]}") for hit in _HANDLE.finditer(text)]


def media_file(uri: str, tagged: Sequence[str] = ()) -> Media:
    """A file of the export as media; its type is told by its ending (RFC 6838)."""
    return Media(uri, mimetypes.guess_type(uri.partition("?")[0])[0], None, tagged)


def post_kind(text: str | None, media: Sequence[Media]) -> Kind:
    """A post with media is a caption if it says something and a photo if it only shows photos."""
    if not media:
        return Kind.POST
    if text:
        return Kind.CAPTION
    return Kind.PHOTO if all((one.type or "").startswith("image/") for one in media) else Kind.POST


def joined(*texts: str | None) -> str | None:
    """The different texts of one item, in order, a blank line between them; null where there is none."""
    kept = dict.fromkeys(text for text in texts if text and text.strip())
    return "\n\n".join(kept) or None


def base_name(uri: str | None) -> str:
    """The part of a file's path that a later export keeps."""
    return (uri or "").partition("?")[0].rpartition("/")[2]


def nothing_found(archive: Archive, platform: str, expected: str) -> SourceError:
    """The error for an export without a single file that the adapter reads."""
    if any(member.name.lower().endswith((".html", ".htm")) for member in archive.members):
        return SourceError(f"{archive.label} is the HTML variant of {platform}'s export: request it again as JSON.")
    return SourceError(
        f"{archive.label} holds no file of {platform}'s export (expected {expected}): "
        "check the path, and request the export as JSON."
    )
